"""Any bytes, to any card, in any state: an answer of two bytes or more, and no bug inside."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.cards.catalogue import NAMES, canonical_name, make_card
from hw_sim.cards.faults import FaultyContacts
from hw_sim.cards.image import image_names, traps
from hw_sim.cards.iso7816 import Card, CardSystem
from tests.hw_sim import pki_terminal as pki
from tests.hw_sim.card_terminal import SSSE

MOST = 258
"""256 bytes and the status word."""
SCRIPTED_TO_BE_SILENT = {"mute", "silent"}

MADE = sorted(set(NAMES) - SCRIPTED_TO_BE_SILENT)
SETTINGS = settings(max_examples=40)
"""Of each card; one drawn among all would rarely be the one with the bug."""

with_traps = st.builds(
    lambda image, added: canonical_name("+".join((image, *added))),
    st.sampled_from(image_names()),
    st.lists(st.sampled_from([trap.name for trap in traps()]), max_size=3, unique=True),
)
residents = st.integers(0, 199).map(lambda number: f"resident:{number}")

openings = st.sampled_from(
    [
        bytes.fromhex(command)
        for command in (
            SSSE, SSSE + "00", "00A40000023F00", "00A4000002DF01", "00A4000002DF02",
            "00A4000002DF04", "00A4020002EF05", "00A4000002EF07", pki.DDF, pki.ADF,
            "00A404000E315041592E5359532E444446303100", "00A4040008A00000033301010100",
            "00A4040006D15600000590", "0084000008", "0084000010", "0020000003123456",
            "80A8000002830000", "BFDE48091800" + "11" * 23, pki.GENERATE, "00A40000020018",
        )
    ]
)  # fmt: skip
nearly = st.builds(
    lambda cla, ins, p1, p2, rest: bytes((cla, ins, p1, p2)) + rest,
    st.sampled_from((0x00, 0x80, 0x84, 0xBF)),
    st.sampled_from(bytes.fromhex("A4B2B0D6DCE2 2024848882C05E 1E1816A8 404A4EC2C4C9D4222A DEFA")),
    st.one_of(st.sampled_from((0x00, 0x01, 0x02, 0x04, 0x82, 0x9E)), st.integers(0, 255)),
    st.one_of(
        st.sampled_from((0x00, 0x04, 0x05, 0x0A, 0x2C, 0x2D, 0x30, 0x34, 0x81)), st.integers(0, 255)
    ),
    st.one_of(
        st.binary(max_size=20),
        st.binary(max_size=255).map(lambda data: bytes([len(data)]) + data),
        st.binary(max_size=255).map(lambda data: bytes([len(data)]) + data + b"\0"),
    ),
)
reading = st.builds(
    lambda ins, p1, p2, le: bytes((0x00, ins, p1, p2, le)),
    st.sampled_from((0xB2, 0xB0)),
    st.sampled_from((0, 1, 2, 7, 8, 9)),
    st.sampled_from((0x00, 0x04, 0x05, 0x0C, 0x2C, 0x2D, 0x34)),
    st.integers(0, 255),
)
commands = st.one_of(openings, nearly, reading, st.binary(max_size=300))
first_commands = st.one_of(st.just(bytes.fromhex(SSSE)), openings)
scripts = st.builds(
    lambda first, more: [first, *more], first_commands, st.lists(commands, max_size=10)
)


@pytest.mark.parametrize("name", MADE)
@SETTINGS
@given(scripts)
def test_every_card_answers_whatever_it_is_sent(name: str, script: list[bytes]) -> None:
    answers_all(name, script)


@given(st.one_of(with_traps, residents), scripts)
def test_every_card_with_traps_answers_whatever_it_is_sent(name: str, script: list[bytes]) -> None:
    answers_all(name, script)


def answers_all(name: str, script: list[bytes]) -> None:
    contacts = FaultyContacts(make_card(name))
    for command in script:
        reaction = contacts.exchange(command)
        assert reaction.answer is not None
        assert 2 <= len(reaction.answer) <= MOST
        assert reaction.answer[-2] >> 4 in (0x6, 0x9)
        assert reaction.answer[-2:] != b"\x6f\x00"
        assert (reaction.delay, reaction.pulled) == (0, False)
    assert contacts.card.bugs == []


@pytest.mark.parametrize("name", MADE)
@SETTINGS
@given(scripts, st.integers(0, 255))
def test_strict_t0_gives_data_for_the_right_length_alone(
    name: str, script: list[bytes], p3: int
) -> None:
    """ISO/IEC 7816-3 §12.2: P3 is the length of the data that come, or none come; to a command
    with data none come before GET RESPONSE."""
    card = make_card(name)
    assert isinstance(card, CardSystem)
    card.t0 = True
    for command in script:
        card.execute(command)
    for header in ("00B2012C", "00B20104", "00B00000", "00840000"):
        data, sw = asked(card, bytes.fromhex(header) + bytes([p3]))
        assert len(data) in (0, p3 or 256)
        if sw >> 8 == 0x6C:
            assert data == b""
            right = sw & 0xFF
            data, sw = asked(card, bytes.fromhex(header) + bytes([right]))
            assert len(data) == (right or 256)
    for select in (SSSE, "00A40000023F00", "00A4000002DF01", pki.DDF):
        data, sw = asked(card, bytes.fromhex(select) + b"\0")
        assert data == b""
        assert sw >> 8 != 0x6C
        if sw >> 8 == 0x61:
            data, sw = asked(card, bytes((0x00, 0xC0, 0x00, 0x00, sw & 0xFF)))
            assert data
            assert sw in (0x9000, 0x6283)


def asked(card: Card, command: bytes) -> tuple[bytes, int]:
    answer = card.execute(command)
    assert answer is not None
    return answer[:-2], int.from_bytes(answer[-2:], "big")
