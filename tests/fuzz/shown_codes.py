"""What is shown to a scanner: the keys that it types, pictures, and what their payloads are."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from drivers.code_scanner import LONGEST_CODE
from drivers.decoding import CodeRefused, decode, text_of
from drivers.hid.bursts import EVENT, BurstReader, HidTimes
from hw_sim.hid_scanner.events import report, stroke, strokes
from kiosk.code_patterns import PatternProblem, read_pattern
from kiosk.codes import LONGEST_TEXT, CodeFamily, CodePatterns, read_codes
from kiosk.pack_signature import PackError
from kiosk.toml_tables import Table
from tests.fuzz.pieces import head, same_in_any_pieces

PACK = Path(__file__).parents[2] / "kiosk/packs/demo/pack.toml"
VERIFY_URL = "https://zm.jiangcheng.example/v"
LONGEST_TYPED = 8
LONGEST_FITTING = 24
"""Characters of the patterns' texts; whether two meet is tried length by length."""
_ENTER = 28
_KEYS = 0.002


def hid(data: bytes) -> None:
    """Key events of a scanner that types."""
    (size,), stream = head(data, 1)

    def read(pieces: Sequence[bytes]) -> tuple[list[bytes], bool]:
        reader = BurstReader(HidTimes(), longest=LONGEST_TYPED)
        return [code for piece in pieces for code in reader.feed(piece)], reader.begun

    codes, _ = same_in_any_pieces(stream, size, read)
    assert sum(map(len, codes)) + len(codes) <= len(stream) // EVENT.size
    for code in codes:
        assert 0 < len(code) <= LONGEST_TYPED
        assert BurstReader(HidTimes()).feed(typed(code.decode("ascii"))) == [code]


def typed(text: str, start: float = 1.0) -> bytes:
    """The events of a text and Enter, as the simulated scanner types them."""
    keys = [each for character in text for each in strokes(character)] + stroke(_ENTER)
    return b"".join(report(each, start + place * _KEYS) for place, each in enumerate(keys))


def codes(data: bytes) -> None:
    """The family of a payload: of at most one, and the text is the payload."""
    patterns = _patterns()
    found = patterns.recognise(data)
    fitting = [form.family for form in patterns.forms if form.text_of(data) is not None]
    assert fitting == ([] if found.family is CodeFamily.UNKNOWN else [found.family])
    if fitting:
        assert found.text.encode() == data and len(found.text) <= LONGEST_TEXT
        assert found.text.isprintable() and data.decode() not in repr(found)
    else:
        assert not found.text
    text_of(data)


@cache
def _patterns() -> CodePatterns:
    tables = tomllib.loads(PACK.read_text("utf-8"))["codes"]
    return read_codes(Table(tables, PACK, PackError), VERIFY_URL)


def code_patterns(data: bytes) -> None:
    """Patterns of a pack, one a line, and a text in the last.

    `re` agrees about what fits, and two that fit one text meet.
    """
    *declared, text = data.decode("utf-8", "replace").split("\n")
    fitting = []
    for line in declared[:4]:
        with contextlib.suppress(PatternProblem):
            pattern = read_pattern(line, LONGEST_FITTING)
            fits = pattern.fits(text)
            assert fits == (re.fullmatch(line, text) is not None)
            assert 1 <= pattern.shortest <= pattern.longest <= LONGEST_FITTING
            assert pattern.meets(pattern)
            fitting += [pattern] * fits
    assert all(one.meets(other) and other.meets(one) for one, other in pairwise(fitting))


def pictures(data: bytes) -> None:
    """Grey pictures; the first byte says how wide it is, the second whether it is a still."""
    (columns, still), grey = head(data, 2)
    columns += 1
    rows = len(grey) // columns
    image = np.frombuffer(grey[: rows * columns], np.uint8).reshape(rows, columns)
    with contextlib.suppress(CodeRefused):
        found = decode(image, still=bool(still & 1))
        if found is not None:
            assert 0 < len(found.payload) <= LONGEST_CODE
            assert repr(found.payload) not in repr(found)
            codes(found.payload)
