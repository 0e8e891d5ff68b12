"""The three libraries, each behind one function from a grey picture to what it read.

All are restricted to QR: every other kind of code would cost time and add ways to be fooled.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import cv2
import zxingcpp

from drivers.frames import Picture

_log = logging.getLogger(__name__)

try:
    from pyzbar import pyzbar
except ImportError:
    pyzbar = None
    _log.warning("libzbar0 is not installed; codes in pictures lack their second decoder")

_ONLY_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
_MARGIN = 0.25
"""How much around a suspect belongs to it, as a share of its size."""


@dataclass(frozen=True)
class Read:
    """What one library made of one picture.

    Attributes:
        payloads: of the codes that it read, each once.
        spoiled: it read a code whose bytes it does not tell as they are.
        suspects: where it found a code that it could not read, with some margin.
    """

    payloads: frozenset[bytes] = field(default=frozenset(), repr=False)
    spoiled: bool = False
    suspects: tuple[tuple[slice, slice], ...] = ()


def by_zxing(image: Picture) -> Read:
    """zxing-cpp: the most codes in the least time, with their exact bytes.

    Its switches for less work are left alone: light on dark costs 0.2 ms of an empty picture of
    1280x720, and is how phones show codes at night.
    """
    found = zxingcpp.read_barcodes(image, formats=_ONLY_QR, return_errors=True)
    return Read(
        frozenset(each.bytes for each in found if each.valid),
        suspects=tuple(_around(each.position) for each in found if not each.valid),
    )


def by_pyzbar(image: Picture) -> Read:
    """libzbar: weaker, yet it reads some worn and unevenly lit codes that zxing-cpp doesn't.

    It takes what is not ASCII for some Asian encoding and converts it, so that the bytes are lost
    (mchehab/zbar#212): such answers are only told as `spoiled`. It also drops a byte order mark
    before ASCII, which nobody can see from the answer.
    """
    if pyzbar is None:
        return Read()
    only_qr = [pyzbar.ZBarSymbol.QRCODE]
    found = frozenset(each.data for each in pyzbar.decode(image, symbols=only_qr))
    exact = frozenset(payload for payload in found if payload.isascii())
    return Read(exact, spoiled=exact != found)


def by_wechat(image: Picture) -> Read:
    """OpenCV's WeChat decoder without its models: strong on worn codes, and some 0.3 s on a large
    picture without any, so only for stills.

    Its binding hands texts on, not bytes: what isn't UTF-8 raises, and what follows a zero byte is
    cut off, which nobody can see from the answer. It sees one code of several.
    """
    try:
        texts, _ = cv2.wechat_qrcode.WeChatQRCode().detectAndDecode(image)
    except UnicodeDecodeError:
        return Read(spoiled=True)
    except cv2.error:
        # It works on a part of the picture that it thinks is a code, and fails inside on some.
        _log.debug("the WeChat decoder failed on a picture")
        return Read()
    return Read(frozenset(text.encode() for text in texts))


def _around(position: zxingcpp.Position) -> tuple[slice, slice]:
    """Rows and columns; they may reach beyond the picture to the right and below."""
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    across, down = [each.x for each in corners], [each.y for each in corners]
    margin = int(_MARGIN * max(max(across) - min(across), max(down) - min(down))) + 8
    return (
        slice(max(0, min(down) - margin), max(0, max(down)) + margin),
        slice(max(0, min(across) - margin), max(0, max(across)) + margin),
    )
