"""The holder's PIN through the ministry's calls, with the terminal's keys and with an HSM's."""

import pytest

from apdu.ministry.terminal import PinCall, PinCancelled, PinPrompt, PinTimedOut
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from hw_sim.population import DEMO_PIN
from tests.apdu.counter import (
    CallersHsm,
    Counter,
    CounterCard,
    NoCustodian,
    calls,
    card_info,
    counter_card,
    fails,
)

CARDS = ("v1", "v2", "v3")
NEW, WRONG = "271828", "000000"


def tries(card: CounterCard) -> int:
    assert isinstance(card.card, SimulatedCard)
    return card.card.pin_tries


def lock(card: CounterCard) -> None:
    assert isinstance(card.card, SimulatedCard)
    card.card.set_pin_tries(0)


def takes(card: CounterCard, pin: str) -> bool:
    """Whether the card takes this PIN, asked through a call of its own."""
    return calls(Counter(card, entries=[pin])).call("iVerifyPIN", "1").number == 0


def all_wiped(counter: Counter) -> bool:
    return all(not any(buffer) for buffer in counter.entered)


@pytest.mark.parametrize("name", CARDS)
def test_a_pin_is_entered_at_the_pad(name: str) -> None:
    card = counter_card(name)
    counter = Counter(card, entries=[DEMO_PIN])
    answer = calls(counter).call("iVerifyPIN", "1")
    assert (answer.number, answer.output) == (0, "")
    ((prompt, number),) = counter.asked
    assert prompt is PinPrompt.PIN
    assert card_info(card).endswith(f"|{number}|")
    assert all_wiped(counter)


def test_a_wrong_pin_tells_the_tries_left_until_it_is_locked() -> None:
    card = counter_card("v3")
    counter = Counter(card, entries=[WRONG] * 4)
    desk = calls(counter)
    answers = [desk.call("iVerifyPIN", "1") for _ in range(4)]
    assert [answer.number for answer in answers] == [-51, -51, -52, -52]
    assert [answer.output[-4:] for answer in answers[:2]] == ["剩余2次", "剩余1次"]
    assert all_wiped(counter)


@pytest.mark.parametrize(
    ("entry", "number"),
    [(PinCancelled(), -31), (PinTimedOut(), -32), ("123", -33), ("1" * 17, -33), ("12a456", -33)],
    ids=["cancelled", "timeout", "short", "long", "letters"],
)
def test_an_entry_that_is_no_pin_never_reaches_the_card(
    entry: str | Exception, number: int
) -> None:
    card = counter_card("v3")
    counter = Counter(card, entries=[entry])
    assert fails(calls(counter).call("iVerifyPIN", "1")) == number
    assert 0x20 not in [command[1] for command in card.commands]
    assert tries(card) == 3
    assert all_wiped(counter)


def test_a_card_that_is_changed_while_somebody_types() -> None:
    class Sleight(Counter):
        def ask_pin(self, prompt: PinPrompt, card_number: str) -> bytearray:
            assert self.contact is not None
            self.contact.card = counter_card("resident:12").card
            return super().ask_pin(prompt, card_number)

    card = counter_card("v3")
    counter = Sleight(card, entries=[DEMO_PIN])
    assert fails(calls(counter).call("iVerifyPIN", "1")) == -22
    assert 0x20 not in [command[1] for command in card.commands]
    assert all_wiped(counter)


@pytest.mark.parametrize("name", CARDS)
def test_a_pin_is_changed(name: str) -> None:
    card = counter_card(name)
    counter = Counter(card, entries=[DEMO_PIN, NEW, NEW])
    assert calls(counter).call("iChangePIN", "1").number == 0
    assert [prompt for prompt, _ in counter.asked] == [
        PinPrompt.OLD,
        PinPrompt.NEW,
        PinPrompt.NEW_AGAIN,
    ]
    assert all_wiped(counter)
    assert takes(card, NEW)


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        ([WRONG, NEW, NEW], -51),
        ([DEMO_PIN, NEW, WRONG], -34),
        ([DEMO_PIN, NEW, NEW[:-1]], -34),
        ([DEMO_PIN, "123", "123"], -33),
        ([DEMO_PIN, DEMO_PIN, DEMO_PIN], -36),
        ([DEMO_PIN, NEW, PinTimedOut()], -32),
        ([DEMO_PIN, PinCancelled()], -31),
    ],
    ids=range(7),
)
def test_a_change_that_is_not_made(entries: list[str | Exception], number: int) -> None:
    card = counter_card("v3")
    counter = Counter(card, entries=entries)
    assert fails(calls(counter).call("iChangePIN", "1")) == number
    assert all_wiped(counter)
    assert takes(card, DEMO_PIN)


@pytest.mark.parametrize("name", CARDS)
def test_a_pin_is_set_anew_with_the_terminals_keys(name: str) -> None:
    card = counter_card(name)
    lock(card)
    counter = Counter(card, entries=[NEW, NEW])
    assert calls(counter).call("iReloadPIN", "1", card_info(card)).number == 0
    assert all_wiped(counter)
    assert takes(card, NEW)


@pytest.mark.parametrize("name", CARDS)
def test_a_pin_is_unlocked_with_the_terminals_keys(name: str) -> None:
    card = counter_card(name)
    lock(card)
    assert calls(Counter(card)).call("iUnblockPIN", "1", card_info(card)).number == 0
    assert takes(card, DEMO_PIN)


@pytest.mark.parametrize("function", ["iReloadPIN", "iUnblockPIN"])
def test_another_card_is_not_touched(function: str) -> None:
    card, other = counter_card("v3"), counter_card("resident:12")
    counter = Counter(card, entries=[NEW, NEW])
    assert fails(calls(counter).call(function, "1", card_info(other))) == -22
    assert not counter.asked
    assert takes(card, DEMO_PIN)


@pytest.mark.parametrize("function", ["iReloadPIN", "iUnblockPIN"])
def test_without_keys_the_caller_learns_to_ask_the_hsm(function: str) -> None:
    card = counter_card("v3")
    counter = Counter(card, NoCustodian(), entries=[NEW, NEW])
    assert fails(calls(counter).call(function, "1", card_info(card))) == -2201
    assert all_wiped(counter)


@pytest.mark.parametrize(("name", "digits"), [("v1", 34), ("v2", 34), ("v3", 50)])
def test_a_pin_is_set_anew_with_an_hsm(name: str, digits: int) -> None:
    card = counter_card(name)
    lock(card)
    hsm = CallersHsm(card)
    counter = Counter(card, NoCustodian(), entries=[NEW, NEW])
    desk = calls(counter, PinCall.RELOAD)
    algorithm, key, factor, original, _ = desk.call(
        "iReloadPIN_HSM_Step1", "1", card_info(card)
    ).output.split("|")
    assert key == "0090"
    sent = len(card.commands)
    second = desk.call("iReloadPIN_HSM_Step2", hsm.result(algorithm, key, factor, original))
    assert card.commands[sent][:5].hex() == "0082000610"
    told, key, factor, header, pin, end = second.output.split("|")
    assert (told, key, end) == (algorithm, "0173", "")
    assert header == ("8424000114" if name == "v3" else "842400010C")
    assert pin == NEW
    command = hsm.command(algorithm, key, factor, header, pin)
    assert len(command) == digits
    sent = len(card.commands)
    third = desk.call("iReloadPIN_HSM_Step3", command)
    assert (third.number, third.output) == (0, "")
    assert [sent.hex().upper() for sent in card.commands[sent:]] == [command]
    assert all_wiped(counter)
    assert takes(card, NEW)


@pytest.mark.parametrize("name", CARDS)
def test_a_pin_is_unlocked_with_an_hsm(name: str) -> None:
    card = counter_card(name)
    lock(card)
    hsm = CallersHsm(card)
    desk = calls(Counter(card, NoCustodian()))
    algorithm, key, factor, original, _ = desk.call(
        "iUnblockPIN_HSM_Step1", "1", card_info(card)
    ).output.split("|")
    second = desk.call("iUnblockPIN_HSM_Step2", hsm.result(algorithm, key, factor, original))
    told, key, factor, header, end = second.output.split("|")
    assert (told, key, header, end) == (algorithm, "0173", "8424000004", "")
    command = hsm.command(algorithm, key, factor, header)
    assert len(command) == 18
    assert desk.call("iUnblockPIN_HSM_Step3", command).number == 0
    assert takes(card, DEMO_PIN)


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("", -42),
        ("8424000004AABBCC", -42),
        ("8424000004AABBCCDDEE", -42),
        ("8424000104AABBCCDD", -23),
        ("8416000004AABBCCDD", -23),
        ("zz24000004AABBCCDD", -41),
        ("8" * 100_000, -42),
        ("8424000004AABBCCDD", -0x6988),
    ],
    ids=range(8),
)
def test_only_the_command_that_was_asked_for_is_sent(command: str, number: int) -> None:
    card = counter_card("v3")
    desk = calls(Counter(card, NoCustodian()))
    algorithm, key, factor, original, _ = desk.call(
        "iUnblockPIN_HSM_Step1", "1", card_info(card)
    ).output.split("|")
    result = CallersHsm(card).result(algorithm, key, factor, original)
    desk.call("iUnblockPIN_HSM_Step2", result)
    sent = len(card.commands)
    assert fails(desk.call("iUnblockPIN_HSM_Step3", command)) == number
    assert len(card.commands) == sent + (number == -0x6988)
    assert not card.taken


@pytest.mark.parametrize(
    ("entries", "number"),
    [
        (["123", "123"], -33),
        (["1" * 17] * 2, -33),
        (["27182x"] * 2, -33),
        ([NEW, WRONG], -34),
        ([DEMO_PIN] * 2, -36),
    ],
    ids=range(5),
)
def test_an_hsm_is_told_no_pin_that_is_none(entries: list[str], number: int) -> None:
    card = counter_card("v3")
    counter = Counter(card, NoCustodian(), entries=entries)
    desk = calls(counter, PinCall.RELOAD)
    assert fails(desk.call("iReloadPIN_HSM_Step1", "1", card_info(card))) == number
    assert 0x84 not in [command[1] for command in card.commands]
    assert all_wiped(counter)


def test_a_reload_that_is_given_up_leaves_no_pin_behind() -> None:
    card = counter_card("v3")
    counter = Counter(card, NoCustodian(), entries=[NEW, NEW])
    desk = calls(counter, PinCall.RELOAD)
    desk.call("iReloadPIN_HSM_Step1", "1", card_info(card))
    assert not all_wiped(counter)
    desk.call("iGetReaderInfo")
    assert all_wiped(counter)
    assert not card.taken


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("iVerifyPINK", ("1", DEMO_PIN)),
        ("iChangePINK", ("1", DEMO_PIN, NEW)),
        ("iReloadPIN_HSM_Step1", ("1", card_info(counter_card("v3")))),
    ],
    ids=["verify", "change", "reload"],
)
def test_a_pin_does_not_pass_through_the_callers_hands(
    name: str, arguments: tuple[str, ...]
) -> None:
    card = counter_card("v3")
    others = {
        "iVerifyPINK": (PinCall.CHANGE, PinCall.RELOAD),
        "iChangePINK": (PinCall.VERIFY, PinCall.RELOAD),
        "iReloadPIN_HSM_Step1": (PinCall.VERIFY, PinCall.CHANGE),
    }[name]
    assert fails(calls(Counter(card), *others).call(name, *arguments)) == -13
    assert not card.commands


def test_given_pins_where_the_configuration_allows_them() -> None:
    card = counter_card("v2")
    desk = calls(Counter(card), PinCall.VERIFY, PinCall.CHANGE)
    assert desk.call("iVerifyPINK", "1", DEMO_PIN).number == 0
    assert fails(desk.call("iVerifyPINK", "1", WRONG)) == -51
    assert fails(desk.call("iChangePINK", "1", NEW, DEMO_PIN)) == -36
    assert desk.call("iChangePINK", "1", DEMO_PIN, NEW).number == 0
    assert takes(card, NEW)


@pytest.mark.parametrize("pin", ["", "1", "密码密码", "12\x003456", "1" * 17])
def test_given_pins_that_are_none(pin: str) -> None:
    card = counter_card("v3")
    desk = calls(Counter(card), PinCall.VERIFY, PinCall.CHANGE)
    assert fails(desk.call("iVerifyPINK", "1", pin)) == -33
    assert fails(desk.call("iChangePINK", "1", DEMO_PIN, pin)) == -33
    assert tries(card) == 3
