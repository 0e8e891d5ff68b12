"""A whole card read: its cost, its refusals, and what never gets out."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.card import SocialSecurityCard
from apdu.custodian import Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.errors import (
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    ReaderGone,
    UnexpectedStatus,
)
from apdu.reading import HolderUnavailable, read_card
from apdu.trace import TraceLine


def read(scripted: Any, data: Any, script: Any = None, **more: Any) -> Any:
    transport = scripted(*(data.script if script is None else script), **more)
    return read_card(transport, data.custodian, random=data.random)


def test_a_third_generation_card_takes_six_commands(scripted: Any, demo: Any) -> None:
    reading = read(scripted, demo())
    assert reading.apdus == 6
    assert (reading.profile, reading.genuine, reading.consistent) == ("v3", True, True)
    assert reading.holder.social_security_number == demo.number
    assert reading.holder_unavailable is None
    assert reading.issuer.card_number == demo.card_number
    assert reading.atr.hex().endswith("8638429900000a17")


@pytest.mark.parametrize(("version", "profile"), [("1.00", "v1"), ("2.0\0", "v2"), ("2.01", "v2")])
def test_older_cards_take_four(scripted: Any, demo: Any, version: str, profile: str) -> None:
    reading = read(scripted, demo(version))
    assert (reading.apdus, reading.profile, reading.genuine) == (4, profile, True)
    assert reading.holder.name == demo.name


def test_waiting_data_is_counted(scripted: Any, demo: Any) -> None:
    data = demo("2.00")
    script = data.script
    select, issuer, internal, holder = script
    command, answer = internal
    script = [select, issuer, (command, "6108"), ("00C0000008", answer), holder]
    reading = read(scripted, data, script)
    assert (reading.genuine, reading.apdus) == (True, 5)


def test_a_false_card_is_not_asked_for_its_holder(scripted: Any, demo: Any) -> None:
    data = demo()
    script = [*data.script[:2], (data.internal[0], "00" * 8 + "9000")]
    reading = read(scripted, data, script)
    assert (reading.genuine, reading.holder) == (False, None)
    assert reading.holder_unavailable is HolderUnavailable.NOT_GENUINE


def test_a_card_that_contradicts_itself_is_asked_nothing_more(scripted: Any, demo: Any) -> None:
    data = demo()
    other = bytes.fromhex("3B6D00000081540A0B8638429900000A18")
    reading = read(scripted, data, data.script[:2], atr=other)
    assert (reading.consistent, reading.genuine, reading.holder) == (False, None, None)
    assert reading.holder_unavailable is HolderUnavailable.INCONSISTENT
    assert data.custodian.requests == []


def test_without_psam_a_third_generation_holder_stays_closed(scripted: Any, demo: Any) -> None:
    data = demo()
    data.custodian.available = False
    reading = read(scripted, data, data.script[:2])
    assert (reading.genuine, reading.holder) == (None, None)
    assert reading.holder_unavailable is HolderUnavailable.PSAM_ABSENT


def test_without_psam_an_older_holder_is_read_but_unproven(scripted: Any, demo: Any) -> None:
    data = demo("2.00")
    data.custodian.available = False
    script = data.script
    reading = read(scripted, data, [*script[:2], script[3]])
    assert (reading.genuine, reading.holder.name) == (None, demo.name)


def test_a_psam_without_the_proving_key_may_still_open(scripted: Any, demo: Any) -> None:
    data = demo()
    data.custodian.roots = {"RK_SSSE": demo.roots["RK_SSSE"]}
    script = data.script
    reading = read(scripted, data, [*script[:2], *script[3:]])
    assert reading.genuine is None
    assert reading.holder.name == demo.name


def test_a_psam_without_the_reading_key(scripted: Any, demo: Any) -> None:
    data = demo()
    data.custodian.roots = {"IRK_SSSE": demo.roots["IRK_SSSE"]}
    reading = read(scripted, data, data.script[:4])
    assert reading.genuine is True
    assert reading.holder_unavailable is HolderUnavailable.PSAM_ABSENT


def test_a_card_that_wants_the_pin(scripted: Any, demo: Any) -> None:
    data = demo("2.00")
    reading = read(scripted, data, [*data.script[:3], (data.read_holder, "6982")])
    assert reading.holder_unavailable is HolderUnavailable.PIN_NEEDED


def test_a_refused_key_is_told_and_not_tried_again(scripted: Any, demo: Any) -> None:
    data = demo()
    reading = read(scripted, data, [*data.script[:4], (data.external[0], "63C2")])
    assert reading.holder_unavailable is HolderUnavailable.AUTHENTICATION_FAILED


def test_ssf33_cards_are_read_as_far_as_the_custodian_can(scripted: Any, demo: Any) -> None:
    data = demo("2.00", Algorithm.SSF33)
    script = data.script
    reading = read(scripted, data, [*script[:2], script[3]])
    assert (reading.genuine, reading.holder.name) == (None, demo.name)


@pytest.mark.parametrize("version", ["2.00", "3.00"])
@pytest.mark.parametrize("tear", [CardRemoved(), CardMute(), CardReset(), ReaderGone()])
def test_a_tear_at_any_command_is_what_it_is(
    scripted: Any, demo: Any, version: str, tear: CardError
) -> None:
    data = demo(version)
    for at in range(len(data.script)):
        script = [*data.script[:at], (data.script[at][0], tear)]
        with pytest.raises(type(tear)):
            read(scripted, data, script)


@pytest.mark.parametrize("size", [0, 1])
def test_an_answer_without_status_at_any_command_is_typed(
    scripted: Any, demo: Any, size: int
) -> None:
    data = demo()
    for at in range(len(data.script)):
        script = [*data.script[:at], (data.script[at][0], "90" * size)]
        with pytest.raises(CardError):
            read(scripted, data, script)


class Moody:
    """A card that follows the script for a while and then answers whatever it likes."""

    def __init__(self, answers: list[bytes], atr: bytes) -> None:
        self.atr = atr
        self._answers = itertools.chain(answers[:-1], itertools.repeat(answers[-1]))

    def transmit(self, command: bytes | bytearray) -> bytes:
        return next(self._answers)

    def reset(self) -> bytes:
        return self.atr

    def close(self) -> None:
        pass


ATRS = st.just(bytes.fromhex("3B6D00000081540A0B8638429900000A17")) | st.binary(max_size=34)
ENDINGS = st.sampled_from(["9000", "6282", "6108", "6100", "6C08", "6A83", "6A86", "6982", "63C0"])
ANSWERS = st.binary(max_size=70) | st.builds(
    lambda body, sw: body + bytes.fromhex(sw), st.binary(max_size=40), ENDINGS
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 6), st.lists(ANSWERS, min_size=1, max_size=8), ATRS)
def test_whatever_a_card_answers_the_failure_is_a_card_error(
    demo: Any, honest: int, answers: list[bytes], atr: bytes
) -> None:
    data = demo()
    told = [bytes.fromhex(answer) for _, answer in data.script[:honest]]
    lines: list[TraceLine] = []
    try:
        card = read_card(
            Moody([*told, *answers], atr),
            data.custodian,
            trace=lines.append,
            random=data.random,
        )
    except CardError as error:
        shown = f"{error} {error!r}"
    else:
        shown = repr(card)
    text = shown + "".join(f"{line} {line!r}" for line in lines)
    for secret in (demo.number, demo.name, demo.number.encode().hex().upper()):
        assert secret not in text


@settings(max_examples=100, deadline=None)
@given(st.lists(ANSWERS, min_size=1, max_size=4))
def test_whatever_a_card_answers_to_a_pin_it_is_wiped(demo: Any, answers: list[bytes]) -> None:
    data = demo()
    lines: list[TraceLine] = []
    told = [bytes.fromhex(data.fci)]
    atr = bytes.fromhex("3B6D00000081540A0B8638429900000A17")
    card = SocialSecurityCard.open(Moody([*told, *answers], atr), trace=lines.append)
    digits = bytearray(b"975318")
    shown = ""
    try:
        card.verify_pin(digits)
    except CardError as error:
        shown = f"{error} {error!r}"
    assert digits == bytearray(6)
    text = shown + "".join(f"{line} {line!r}" for line in lines)
    assert "975318" not in text
    assert b"975318".hex() not in text


def test_nothing_personal_in_trace_reprs_and_exceptions(scripted: Any, demo: Any) -> None:
    data = demo()
    lines: list[TraceLine] = []
    transport = scripted(*data.script)
    reading = read_card(transport, data.custodian, trace=lines.append, random=data.random)
    transport = scripted((data.select, data.fci), ("0020000003975318", "63C1"))
    card = SocialSecurityCard.open(transport, trace=lines.append)
    with pytest.raises(CardError) as caught:
        card.verify_pin(bytearray(b"975318"))
    text = "\n".join(
        [
            repr(reading),
            repr(reading.issuer),
            repr(reading.holder),
            repr(caught.value),
            *(f"{line} {line!r}" for line in lines),
            *(repr(request) for request in data.custodian.requests),
        ]
    ).upper()
    assert len(lines) == 8
    assert repr(reading).startswith("CardReading(profile='v3', issuer=")
    cryptogram = data.external[0][10:26]
    for secret in (
        data.number,
        data.name,
        data.card_number,
        "975318",
        "00000A17",
        cryptogram,
        data.challenge.hex(),
        data.number.encode().hex(),
        data.name.encode("gbk").hex(),
        data.card_number.encode().hex(),
    ):
        assert secret.upper() not in text


def test_a_custodian_that_breaks_is_seen(scripted: Any, demo: Any) -> None:
    class Broken:
        def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
            raise ZeroDivisionError

        def protect(self, request: ProtectionRequest) -> bytes | None:
            raise ZeroDivisionError

    data = demo()
    with pytest.raises(ZeroDivisionError):
        read_card(scripted(*data.script[:2]), Broken(), random=data.random)


def test_an_unexpected_refusal_of_the_key_is_raised(scripted: Any, demo: Any) -> None:
    data = demo()
    with pytest.raises(UnexpectedStatus) as caught:
        read(scripted, data, [*data.script[:4], (data.external[0], "6A88")])
    assert (caught.value.command, caught.value.sw) == ("EXTERNAL AUTHENTICATE", 0x6A88)
