"""SM2 decryption (GB/T 32918.4) of what terminals encrypt to the platform, through GmSSL."""

from __future__ import annotations

import gmssl_pyx

from hw_sim.platform.signatures import Sm2Key

_COORDINATE = 32
SEALED_MORE = 1 + 3 * _COORDINATE
"""How much longer a ciphertext is than its text: 04, x, y and C3."""


class NotOpened(Exception):
    """The ciphertext is none, is another key's, or was changed."""


def opened(pair: Sm2Key, sealed: bytes) -> bytes:
    """The text of C1‖C3‖C2, C1 being 04‖x‖y; the text has at most 21 bytes.

    GmSSL is given the DER of GM/T 0009 §7.2.

    Raises:
        NotOpened: see there.
    """
    x, y = sealed[1 : 1 + _COORDINATE], sealed[1 + _COORDINATE : 1 + 2 * _COORDINATE]
    c3, c2 = sealed[1 + 2 * _COORDINATE : SEALED_MORE], sealed[SEALED_MORE:]
    der = _element(0x30, _number(x) + _number(y) + _element(0x04, c3) + _element(0x04, c2))
    if sealed[0] != 0x04:
        raise NotOpened
    try:
        return bytes(gmssl_pyx.sm2_decrypt(pair.private, der))
    except (gmssl_pyx.InvalidValueError, gmssl_pyx.GmsslInnerError):
        raise NotOpened from None


def _element(tag: int, content: bytes) -> bytes:
    return bytes((tag, len(content))) + content


def _number(coordinate: bytes) -> bytes:
    digits = coordinate.lstrip(b"\0") or b"\0"
    return _element(0x02, b"\0" * (digits[0] >> 7) + digits)
