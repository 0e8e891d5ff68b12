"""The bank application of a card that answers anything: always an end, never another error."""

import contextlib
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.bank.account import read_account
from apdu.channel import Channel
from apdu.errors import CardError

SELECT, READ_RECORD, PROCESSING_OPTIONS = 0xA4, 0xB2, 0xA8
MOST_COMMANDS = 64
MOST_PIECES = 257
"""GET RESPONSE commands that one answer may take, and one more for a corrected length."""


class HostileCard:
    """Answers each instruction in turn from a list of its own, and then over again."""

    def __init__(self, answers: Mapping[int, list[bytes]]) -> None:
        self.answers = answers
        self.asked = 0
        self.atr = b"\x3b\x00"

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.asked += 1
        own = self.answers.get(command[1]) or self.answers[READ_RECORD]
        return own[self.asked % len(own)]

    def reset(self) -> bytes:
        return self.atr

    def close(self) -> None:
        pass


def tlv(tag: int, value: bytes) -> bytes:
    size = len(value).to_bytes(2, "big")
    length = size[1:] if len(value) < 0x80 else b"\x82" + size
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + length + value


def joined(objects: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(objects, max_size=4).map(b"".join)


def item(tag: int, value: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(tlv, st.just(tag), value)


NOISE = st.binary(max_size=12)
TAGS = st.sampled_from([0x6F, 0xA5, 0x84, 0xBF0C, 0x61, 0x4F, 0x77, 0x80, 0x94, 0x70, 0x5A, 0x57])
OBJECT = st.recursive(
    st.builds(tlv, TAGS, NOISE), lambda inner: st.builds(tlv, TAGS, joined(inner)), max_leaves=8
)
NAME = st.sampled_from([bytes.fromhex("A00000033301010" + last) for last in "1236"])
ENTRY = item(0x61, joined(item(0x4F, NAME | NOISE) | item(0x87, NOISE)))
NUMBER = st.integers(10**11, 10**19 - 1).map(
    lambda n: bytes.fromhex(f"{n}{'F' * (len(str(n)) % 2)}")
)
PROPRIETARY = item(0x88, st.integers(0, 12).map(lambda n: bytes((n,)))) | item(
    0xBF0C, joined(ENTRY)
)
INFORMATION = item(0x6F, item(0xA5, joined(PROPRIETARY | item(0x9F38, NOISE) | OBJECT)))
FILES = st.tuples(
    st.sampled_from([0x08, 0x10, 0x50, 0x58, 0x00, 0xF8]),
    st.integers(0, 3), st.integers(0, 255), st.integers(0, 2),
).map(bytes)  # fmt: skip
LOCATOR = joined(FILES | NOISE)
OPTIONS = item(0x80, LOCATOR.map(lambda files: b"\x7c\x00" + files)) | item(
    0x77, joined(item(0x94, LOCATOR) | item(0x57, NUMBER) | OBJECT)
)
RECORD = item(0x70, joined(item(0x5A, NUMBER) | item(0x5A, NOISE) | ENTRY | OBJECT))
WORDS = st.sampled_from([b"\x90\x00"] * 4 + [b"\x61\x10", b"\x6c\x05", b"\x62\x83", b"\x6a\x83"])


def answers(good: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    whole = st.tuples(good | OBJECT, WORDS).map(b"".join)
    return st.lists(whole | st.binary(max_size=3), min_size=1, max_size=5)


CARDS = st.builds(
    HostileCard,
    st.fixed_dictionaries(
        {
            SELECT: answers(INFORMATION),
            PROCESSING_OPTIONS: answers(OPTIONS),
            READ_RECORD: answers(RECORD),
        }
    ),
)


@settings(max_examples=300)
@given(CARDS)
def test_a_hostile_card_is_left_with_a_card_error(card: HostileCard) -> None:
    with contextlib.suppress(CardError):
        account = read_account(Channel(card))
        assert account is None or account.number not in repr(account)
    assert card.asked <= MOST_COMMANDS + 2 * MOST_PIECES
