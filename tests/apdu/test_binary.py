"""Reading transparent files in pieces."""

from typing import Any

import pytest

from apdu.binary import PIECE, read_content
from apdu.channel import Channel
from apdu.errors import ApplicationBlocked, UnexpectedStatus

CONTENT = bytes(n * 7 % 251 for n in range(600))


def read(at: int, ne: int) -> str:
    return f"00B0{at:04X}{ne:02X}"


def piece(at: int, size: int, sw: str = "9000") -> str:
    return CONTENT[at : at + size].hex() + sw


@pytest.mark.parametrize(
    ("size", "length", "script"),
    [
        (600, 600, [(read(0, 255), piece(0, 255)), (read(255, 255), piece(255, 255)),
               (read(510, 90), piece(510, 90))]),
        (255, 255, [(read(0, 255), piece(0, 255))]),
        (256, 256, [(read(0, 255), piece(0, 255)), (read(255, 1), piece(255, 1))]),
        (0, 0, []),
        # A file shorter than declared, told in each of the ways that cards have.
        (1024, 355, [(read(0, 255), piece(0, 255)), (read(255, 255), piece(255, 100, "6282"))]),
        (1024, 255, [(read(0, 255), piece(0, 255)), (read(255, 255), "6B00")]),
        (1024, 355, [(read(0, 255), piece(0, 255)), (read(255, 255), "6C64"),
                (read(255, 100), piece(255, 100)), (read(355, 255), "6B00")]),
        (1024, 255, [(read(0, 255), piece(0, 255)), (read(255, 255), "9000")]),
        # A small buffer is no end of file.
        (600, 600, [(read(0, 255), piece(0, 240)), (read(240, 255), piece(240, 240)),
               (read(480, 120), piece(480, 120))]),
    ],
)  # fmt: skip
def test_the_content_comes_whole_or_as_far_as_the_file_goes(
    scripted: Any, size: int, length: int, script: list[tuple[str, str]]
) -> None:
    assert read_content(Channel(scripted(*script)), size) == CONTENT[:length]


def test_reading_goes_on_from_an_offset(scripted: Any) -> None:
    card = scripted((read(0x0200, 88), piece(0x0200, 88)))
    assert read_content(Channel(card), 88, offset=0x0200) == CONTENT[0x0200:]
    assert PIECE == 255


def test_a_refusal_is_no_empty_file(scripted: Any) -> None:
    for sw in ("6B00", "6982", "6981"):
        with pytest.raises(UnexpectedStatus) as caught:
            read_content(Channel(scripted((read(0, 255), sw))), 600)
        assert caught.value.sw == int(sw, 16)


def test_a_refusal_in_the_middle_gives_no_part_of_the_content(scripted: Any) -> None:
    card = scripted((read(0, 255), piece(0, 255)), (read(255, 255), "9303"))
    with pytest.raises(ApplicationBlocked):
        read_content(Channel(card), 600)
