"""QR codes in grey pictures: three decoders, one after the other, byte for byte.

`decode` is the whole of it; `text_of` is for showing a payload to people.
"""

from drivers.decoding.cascade import LONGEST_EDGE, decode
from drivers.decoding.outcome import CodeRefused, Decoded, Decoder, NotExact, TwoCodes
from drivers.decoding.text import text_of

__all__ = [
    "LONGEST_EDGE",
    "CodeRefused",
    "Decoded",
    "Decoder",
    "NotExact",
    "TwoCodes",
    "decode",
    "text_of",
]
