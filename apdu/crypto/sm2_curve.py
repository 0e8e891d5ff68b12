"""The curve sm2p256v1 (GB/T 32918.5-2017) as numbers, and points on it in plain arithmetic.

Nothing here takes the same time for every input: use it with public values only.
"""

from __future__ import annotations

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
G = (GX, GY)

FIELD_SIZE = 32
"""Bytes in a coordinate, and in a scalar."""

Affine = tuple[int, int]
Jacobian = tuple[int, int, int]
_INFINITY: Jacobian = (1, 1, 0)


def on_curve(x: int, y: int) -> bool:
    """Whether (x, y) satisfies the curve's equation with both coordinates reduced."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x * x + A * x + B)) % P == 0


def double(point: Jacobian) -> Jacobian:
    """2·point, in Jacobian coordinates (a = −3)."""
    x, y, z = point
    if not z or not y:
        return _INFINITY
    delta, gamma = z * z % P, y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = 2 * y * z % P
    y3 = (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P
    return x3, y3, z3


def add(left: Jacobian, right: Jacobian) -> Jacobian:
    """left + right, in Jacobian coordinates, for any two points."""
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1:
        return right
    if not z2:
        return left
    z1z1, z2z2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * z2z2 % P, x2 * z1z1 % P
    s1, s2 = y1 * z2 * z2z2 % P, y2 * z1 * z1z1 % P
    if u1 == u2:
        return double(left) if s1 == s2 else _INFINITY
    h, r = (u2 - u1) % P, (s2 - s1) % P
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    y3 = (r * (v - x3) - s1 * hhh) % P
    return x3, y3, h * z1 * z2 % P


def affine(point: Jacobian) -> Affine | None:
    """The point's plain coordinates; None for the point at infinity."""
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def multiply_two(s: int, first: Affine, t: int, second: Affine) -> Affine | None:
    """s·first + t·second by one shared run of doublings; None for infinity."""
    a, b = (*first, 1), (*second, 1)
    both = add(a, b)
    result = _INFINITY
    for bit in range(max(s.bit_length(), t.bit_length()) - 1, -1, -1):
        result = double(result)
        match s >> bit & 1, t >> bit & 1:
            case 1, 1:
                result = add(result, both)
            case 1, 0:
                result = add(result, a)
            case 0, 1:
                result = add(result, b)
            case _:
                pass
    return affine(result)
