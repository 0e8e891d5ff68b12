"""What can be fuzzed: each parser by a name, which is that of its corpus too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import id_cards, printers, readers, serial_frames, shown_codes
from tests.fuzz.hostile_card import every_way

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        run: takes any bytes; what it raises is a defect.
        longest: bytes of an input, so that the fuzzer does not lose itself in long ones.
    """

    run: Callable[[bytes], None]
    longest: int


TARGETS: Mapping[str, Target] = {
    "card": Target(every_way, 16_384),
    "gm65-answers": Target(serial_frames.gm65_answers, 600),
    "gm65-payloads": Target(serial_frames.gm65_payloads, 200),
    "hid": Target(shown_codes.hid, 2_400),
    "pictures": Target(shown_codes.pictures, 8_192),
    "codes": Target(shown_codes.codes, 600),
    "code-patterns": Target(shown_codes.code_patterns, 200),
    "szzt": Target(serial_frames.szzt, 1_200),
    "ccid-pin": Target(readers.ccid_pin, 300),
    "sam-v": Target(serial_frames.sam_v, 2_600),
    "id-card": Target(id_cards.id_card, 256),
    "crt591": Target(serial_frames.crt591, 1_200),
    "contactless": Target(readers.contactless, 300),
    "sensor-board": Target(serial_frames.sensor_board, 300),
    "ipp": Target(printers.ipp, 6_000),
    "escpos": Target(printers.escpos, 32),
}
