"""SM2 signature verification in plain Python: for machines whose libcrypto is refused.

Verification handles public values only, so its timing tells nothing. Signing and decryption
are deliberately absent: in plain Python they would leak the key through their timing.
"""

from __future__ import annotations

from apdu.crypto import sm2_curve as curve
from apdu.crypto import sm3


def identity_digest(xy: bytes, user_id: bytes) -> bytes:
    """Z of GB/T 32918.2 §5.5: SM3(ENTL ‖ ID ‖ a ‖ b ‖ G ‖ public key), 32 bytes."""
    bits = len(user_id) * 8
    numbers = (curve.A, curve.B, curve.GX, curve.GY)
    parameters = b"".join(n.to_bytes(curve.FIELD_SIZE, "big") for n in numbers)
    return sm3.digest(bits.to_bytes(2, "big") + user_id + parameters + xy)


def verify(xy: bytes, user_id: bytes, message: bytes, signature: bytes) -> bool:
    """Check a raw signature r‖s (64 bytes) by the public key x‖y (64 bytes).

    The key must lie on the curve (`apdu.crypto.sm2.PublicKey` guarantees it).
    """
    return verify_digest(xy, sm3.digest(identity_digest(xy, user_id) + message), signature)


def verify_digest(xy: bytes, digest: bytes, signature: bytes) -> bool:
    """As `verify`, of e = SM3(Z ‖ message), 32 bytes."""
    size = curve.FIELD_SIZE
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    if not (1 <= r < curve.N and 1 <= s < curve.N):
        return False
    t = (r + s) % curve.N
    if t == 0:
        return False
    public = (int.from_bytes(xy[:size], "big"), int.from_bytes(xy[size:], "big"))
    point = curve.multiply_two(s, curve.G, t, public)
    if point is None:
        return False
    return (int.from_bytes(digest, "big") + point[0]) % curve.N == r
