"""Authentication: by any key, in one step or two, and never twice after a refusal."""

from collections.abc import Callable
from typing import Any

import pytest

from apdu.authentication import Authentication, Challenges, Diversification
from apdu.channel import Channel
from apdu.custodian import Algorithm, AuthenticationRequest, KeyReference, ProtectionRequest
from apdu.errors import AuthenticationFailed, MalformedAnswer, PsamUnavailable, UnexpectedStatus
from apdu.profile import shipped_keys
from apdu.response import Response

FACTOR = bytes.fromhex("8638429900000A17")
GET_CHALLENGE = "0084000008"
FIRST, SECOND = "C1" * 8, "C2" * 8
RESULT = bytes.fromhex("A1A2A3A4A5A6A7A8")
OURS = b"our-data"
KEYS = shipped_keys()


class Fixed:
    """A custodian with one answer to everything; remembers what it was asked."""

    def __init__(self, answer: bytes | None = RESULT) -> None:
        self.answer = answer
        self.asked: list[AuthenticationRequest] = []

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        self.asked.append(request)
        return self.answer

    def protect(self, request: ProtectionRequest) -> bytes | None:
        raise AssertionError("nothing was to be protected")


def authentication(transport: Any, algorithm: Algorithm = Algorithm.TDES) -> Authentication:
    found = Diversification(algorithm, FACTOR, "429900")
    return Authentication(Channel(transport), lambda: found, lambda size: OURS[:size])


def external(key_id: str, answer: str = "9000") -> tuple[str, str]:
    return f"008200{key_id}10{RESULT.hex()}{OURS.hex()}", answer


EXTERNAL_KEYS = [key for key in KEYS.values() if key.key_id is not None]


def test_the_key_table_knows_who_opens_what() -> None:
    kids = {key.name: key.key_id for key in EXTERNAL_KEYS}
    assert (kids["RK_SSSE"], kids["UK_SSSE"], kids["PUK"]) == (0x0A, 0x04, 0x06)
    assert "IRK_SSSE" not in kids


@pytest.mark.parametrize("key", EXTERNAL_KEYS, ids=lambda key: key.name)
def test_any_key_of_the_table_opens_after_one_challenge(scripted: Any, key: KeyReference) -> None:
    card = scripted((GET_CHALLENGE, FIRST + "9000"), external(f"{key.key_id:02X}"))
    custodian = Fixed()
    authentication(card).authenticate(custodian, key)
    (request,) = custodian.asked
    assert (request.key, request.challenge.hex().upper(), request.data) == (key, FIRST, OURS)
    assert (request.card_factor, request.region) == (FACTOR, "429900")
    assert not any(card.buffers[1]), "the cryptogram was left in the command's buffer"


def test_a_key_that_is_open_is_not_shown_again(scripted: Any) -> None:
    card = scripted((GET_CHALLENGE, FIRST + "9000"), external("0A"))
    session = authentication(card)
    session.authenticate(Fixed(), KEYS["RK_SSSE"])
    assert card.consumed
    session.authenticate(Fixed(), KEYS["RK_SSSE"])  # a further command would not be in the script


def test_another_key_or_another_application_takes_a_fresh_challenge(scripted: Any) -> None:
    card = scripted(
        (GET_CHALLENGE, FIRST + "9000"),
        external("0A"),
        (GET_CHALLENGE, SECOND + "9000"),
        external("04"),
        (GET_CHALLENGE, FIRST + "9000"),
        external("04"),
    )
    session = authentication(card)
    session.authenticate(Fixed(), KEYS["RK_SSSE"])
    session.authenticate(Fixed(), KEYS["UK_SSSE"])
    session.forget()
    assert not card.consumed
    session.authenticate(Fixed(), KEYS["UK_SSSE"])
    assert card.consumed


def test_in_two_steps_the_card_works_with_the_latest_challenge(scripted: Any) -> None:
    card = scripted(
        (GET_CHALLENGE, FIRST + "9000"),
        (GET_CHALLENGE, SECOND + "9000"),
        ("008200041011223344556677880102030405060708", "9000"),
    )
    session = authentication(card)
    assert session.challenges() == Challenges(
        original=bytes.fromhex(FIRST), factor=bytes.fromhex(SECOND)
    )
    session.present(
        KEYS["UK_SSSE"], bytes.fromhex("1122334455667788"), bytes.fromhex("0102030405060708")
    )
    session.authenticate(Fixed(None), KEYS["UK_SSSE"])  # open already


def test_a_result_from_elsewhere_proves_the_card(scripted: Any) -> None:
    command = "0088000010" + "F1" * 8 + "D1" * 8 + "08"
    factor, data = bytes.fromhex("F1" * 8), bytes.fromhex("D1" * 8)
    for answer, same in (
        (RESULT.hex() + "9000", True),
        ("00" * 8 + "9000", False),
        (RESULT.hex() + "6282", False),
        ("6985", False),
    ):
        session = authentication(scripted((command, answer)))
        assert session.answers_with(RESULT, factor, data) is same


LATER: list[Callable[[Authentication], object]] = [
    lambda session: session.authenticate(Fixed(), KEYS["RK_SSSE"]),
    lambda session: session.authenticate(Fixed(), KEYS["UK_SSSE"]),
    lambda session: session.prove_genuine(Fixed(), KEYS["IRK_SSSE"]),
    lambda session: session.answers_with(RESULT, FACTOR, FACTOR),
    lambda session: session.challenges(),
    lambda session: session.challenge(),
    lambda session: session.present(KEYS["RK_SSSE"], RESULT, OURS),
]


@pytest.mark.parametrize("sw", ["63C2", "6300", "6983", "6988", "9302"])
def test_a_refused_cryptogram_ends_the_session(scripted: Any, sw: str) -> None:
    card = scripted((GET_CHALLENGE, FIRST + "9000"), external("0A", sw))
    session = authentication(card)
    with pytest.raises(AuthenticationFailed) as caught:
        session.authenticate(Fixed(), KEYS["RK_SSSE"])
    assert RESULT.hex() not in repr(caught.value).lower()
    session.forget()
    for later in LATER:
        with pytest.raises(AuthenticationFailed):
            later(session)


def test_a_refused_second_key_takes_the_first_one_with_it(scripted: Any) -> None:
    card = scripted(
        (GET_CHALLENGE, FIRST + "9000"),
        external("0A"),
        (GET_CHALLENGE, SECOND + "9000"),
        external("04", "63C1"),
    )
    session = authentication(card)
    session.authenticate(Fixed(), KEYS["RK_SSSE"])
    with pytest.raises(AuthenticationFailed):
        session.authenticate(Fixed(), KEYS["UK_SSSE"])
    with pytest.raises(AuthenticationFailed):
        session.authenticate(Fixed(), KEYS["RK_SSSE"])


def test_a_refused_mac_ends_the_session_too(scripted: Any) -> None:
    session = authentication(scripted())
    with pytest.raises(AuthenticationFailed):
        session.accepted("UNBLOCK PIN", Response(b"", 0x6988))
    for later in LATER:
        with pytest.raises(AuthenticationFailed):
            later(session)


def test_a_used_challenge_is_no_wrong_key_and_the_next_attempt_takes_a_new_one(
    scripted: Any,
) -> None:
    card = scripted(
        (GET_CHALLENGE, FIRST + "9000"),
        external("0A", "6984"),
        (GET_CHALLENGE, SECOND + "9000"),
        external("0A"),
    )
    session, custodian = authentication(card), Fixed()
    with pytest.raises(UnexpectedStatus):
        session.authenticate(custodian, KEYS["RK_SSSE"])
    session.authenticate(custodian, KEYS["RK_SSSE"])
    assert [request.challenge.hex().upper() for request in custodian.asked] == [FIRST, SECOND]


def test_without_the_key_the_card_is_shown_nothing(scripted: Any) -> None:
    card = scripted((GET_CHALLENGE, FIRST + "9000"))
    with pytest.raises(PsamUnavailable, match="UK_SSSE"):
        authentication(card).authenticate(Fixed(None), KEYS["UK_SSSE"])


@pytest.mark.parametrize("answer", ["9000", "C1C19000", "C1" * 7 + "9000"])
def test_a_short_challenge_is_malformed(scripted: Any, answer: str) -> None:
    session = authentication(scripted((GET_CHALLENGE, answer)))
    with pytest.raises(MalformedAnswer):
        session.challenges()


def test_a_key_without_identifier_is_a_bug(scripted: Any) -> None:
    session = authentication(scripted())
    for attempt in (
        lambda: session.authenticate(Fixed(), KEYS["IRK_SSSE"]),
        lambda: session.present(KEYS["STK_SSSE"], RESULT, OURS),
    ):
        with pytest.raises(ValueError, match="no key for external"):
            attempt()


def test_reprs_say_nothing() -> None:
    found = Diversification(Algorithm.SM4, FACTOR, "429900")
    assert FACTOR.hex() not in repr(found)
    assert "429900" not in repr(found)
