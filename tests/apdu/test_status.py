"""Status words: total, named, and raised in one place."""

import tomllib
from importlib import resources

import pytest

from apdu.errors import (
    ApplicationBlocked,
    AuthenticationFailed,
    CardError,
    MalformedAnswer,
    PinBlocked,
    PinRejected,
    UnexpectedStatus,
)
from apdu.response import Response
from apdu.status import Outcome, meaning, raise_for

# The vocabulary that issued cards and PSAMs were seen to use, or that a standard names for them.
VOCABULARY = (
    "9000 61FF 6281 6282 6283 6300 63C3 6400 6581 6700 6882 6900 6901 6981 6982 6983 6984 6985"
    " 6986 6987 6988 6A80 6A81 6A82 6A83 6A84 6A86 6A88 6B00 6C10 6D00 6E00 6F00 9302 9303 9401"
    " 9403 9406"
)


@pytest.mark.parametrize("word", VOCABULARY.split())
def test_every_word_of_the_vocabulary_has_a_meaning(word: str) -> None:
    found = meaning(int(word, 16))
    assert found.outcome is not Outcome.UNKNOWN
    assert found.staff_zh
    assert found.staff_en


def test_every_entry_is_reachable() -> None:
    text = resources.files("apdu").joinpath("status.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["word"]:
        for command in entry.get("commands", ["READ RECORD"]):
            widest = entry["value"] | ~entry.get("mask", 0xFFFF) & 0x0003
            assert meaning(widest, command).name == entry["name"]
        assert entry["mark"] in {"A", "B", "C", "I", "M"}


@pytest.mark.parametrize("command", ["VERIFY", "SELECT", "EXTERNAL AUTHENTICATE", "READ RECORD"])
def test_every_word_means_something_and_fails_as_a_card_error(command: str) -> None:
    judges = command in ("VERIFY", "EXTERNAL AUTHENTICATE")
    done = (Outcome.SUCCESS,) if judges else (Outcome.SUCCESS, Outcome.WARNING)
    for sw in range(0x10000):
        outcome = meaning(sw, command).outcome
        try:
            raise_for(command, Response(b"", sw))
        except CardError:
            assert outcome not in done
        else:
            assert outcome in done


@pytest.mark.parametrize(("sw", "left"), [(0x63C3, 3), (0x63CF, 15), (0x63C1, 1)])
@pytest.mark.parametrize("command", ["VERIFY", "CHANGE PIN"])
def test_a_wrong_pin_carries_the_tries_left(command: str, sw: int, left: int) -> None:
    with pytest.raises(PinRejected) as caught:
        raise_for(command, Response(b"", sw))
    assert caught.value.tries_left == left
    assert meaning(sw, command).tries_left == left


@pytest.mark.parametrize("sw", [0x63C0, 0x6983])
@pytest.mark.parametrize("command", ["VERIFY", "CHANGE PIN"])
def test_a_blocked_pin(command: str, sw: int) -> None:
    with pytest.raises(PinBlocked):
        raise_for(command, Response(b"", sw))
    assert meaning(sw, command).tries_left == 0


@pytest.mark.parametrize(
    ("command", "sw", "error"),
    [
        ("EXTERNAL AUTHENTICATE", 0x63C2, AuthenticationFailed),
        ("EXTERNAL AUTHENTICATE", 0x6300, AuthenticationFailed),
        ("EXTERNAL AUTHENTICATE", 0x6983, AuthenticationFailed),
        ("EXTERNAL AUTHENTICATE", 0x6988, AuthenticationFailed),
        ("SELECT", 0x6283, ApplicationBlocked),
        ("SELECT", 0x6A81, ApplicationBlocked),
        ("READ RECORD", 0x6A81, UnexpectedStatus),
        ("READ RECORD", 0x9303, ApplicationBlocked),
        ("READ RECORD", 0x6281, MalformedAnswer),
        ("READ RECORD", 0x6982, UnexpectedStatus),
        ("VERIFY", 0x6282, UnexpectedStatus),
        ("CHANGE PIN", 0x6282, UnexpectedStatus),
        ("EXTERNAL AUTHENTICATE", 0x6282, UnexpectedStatus),
        ("VERIFY", 0x6300, UnexpectedStatus),
        ("VERIFY", 0x6108, UnexpectedStatus),
        ("CHANGE PIN", 0x6300, UnexpectedStatus),
        ("UNBLOCK PIN", 0x63C2, AuthenticationFailed),
        ("UNBLOCK PIN", 0x6983, AuthenticationFailed),
        ("APPLICATION BLOCK", 0x6988, AuthenticationFailed),
        ("CARD BLOCK", 0x9302, AuthenticationFailed),
    ],
)
def test_refusals_become_what_happened(command: str, sw: int, error: type[CardError]) -> None:
    with pytest.raises(error) as caught:
        raise_for(command, Response(b"secret", sw))
    assert "secret" not in str(caught.value)


def test_only_passing_troubles_are_worth_repeating() -> None:
    words = [sw for sw in range(0x6100, 0x10000) if meaning(sw).retryable]
    assert words == [0x6281, 0x6400, 0x6F00]


def test_a_warning_and_an_accepted_word_pass() -> None:
    for sw, accept in ((0x6282, ()), (0x6A83, (0x6A83,))):
        response = Response(b"data", sw)
        assert raise_for("READ RECORD", response, accept=accept) is response


@pytest.mark.parametrize("sw", [-1, 0x10000])
def test_numbers_that_are_no_status_word_are_a_bug(sw: int) -> None:
    with pytest.raises(ValueError, match="status word"):
        meaning(sw)
