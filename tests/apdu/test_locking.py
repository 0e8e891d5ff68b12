"""Locks: to the card that was named, once, and to no other."""

from collections.abc import Callable
from typing import Any

import pytest

from apdu.card import SocialSecurityCard
from apdu.custodian import Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.errors import (
    ApplicationBlocked,
    AuthenticationFailed,
    CardError,
    CardMute,
    CardRemoved,
    MalformedAnswer,
    UnknownCard,
    WrongCard,
)
from apdu.identity import CardId
from apdu.locking import (
    block_application,
    block_application_for_ever,
    block_card,
    unblock_application,
)

CARD_ID = CardId.parse(bytes.fromhex("429900D15600000500000A17FFFFFFFF"))
GET_CHALLENGE, CHALLENGE = "0084000008", "C1" * 8
MAC = "AABBCCDD"

Lock = Callable[[SocialSecurityCard, Any, CardId], None]
LOCKS: list[tuple[Lock, str]] = [
    (block_application, "841E0000"),
    (block_application_for_ever, "841E0001"),
    (block_card, "84160000"),
]


class Desk:
    """A custodian that takes MACs."""

    def __init__(self) -> None:
        self.asked: list[ProtectionRequest] = []

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        raise AssertionError("no key was to be shown")

    def protect(self, request: ProtectionRequest) -> bytes | None:
        self.asked.append(request)
        return bytes.fromhex(MAC)


@pytest.mark.parametrize(("lock", "header"), LOCKS)
def test_the_named_card_is_locked(scripted: Any, demo: Any, lock: Lock, header: str) -> None:
    data, desk = demo(), Desk()
    card = SocialSecurityCard.open(
        scripted(
            (data.select, data.fci),
            (data.read_issuer, data.issuer),
            (GET_CHALLENGE, CHALLENGE + "9000"),
            (f"{header}04{MAC}", "9000"),
        )
    )
    lock(card, desk, CARD_ID)
    (asked,) = desk.asked
    assert (asked.key.name, asked.algorithm) == ("STK_SSSE", Algorithm.SM4)


@pytest.mark.parametrize("lock", [lock for lock, _ in LOCKS])
@pytest.mark.parametrize(
    ("named", "atr"),
    [
        ("429900D15600000500000A18FFFFFFFF", "00000A17"),
        ("429900D15600000500000A17FFFFFFFE", "00000A17"),
        ("429900D15600000500000A17FFFFFFFF", "00000A18"),
    ],
)
def test_another_card_is_left_alone(
    scripted: Any, demo: Any, lock: Lock, named: str, atr: str
) -> None:
    data, desk = demo(), Desk()
    transport = scripted(
        (data.select, data.fci),
        (data.read_issuer, data.issuer),
        atr=bytes.fromhex("3B6D00000081540A0B86384299" + atr),
    )
    with pytest.raises(WrongCard) as caught:
        lock(SocialSecurityCard.open(transport), desk, CardId.parse(bytes.fromhex(named)))
    assert desk.asked == []
    assert "0A17" not in str(caught.value)


@pytest.mark.parametrize("answer", [CardRemoved(), CardMute(), "6988", "6985"])
def test_a_lock_is_sent_once_whatever_comes_back(scripted: Any, demo: Any, answer: Any) -> None:
    data = demo()
    card = SocialSecurityCard.open(
        scripted(
            (data.select, data.fci),
            (data.read_issuer, data.issuer),
            (GET_CHALLENGE, CHALLENGE + "9000"),
            (f"8416000004{MAC}", answer),
        )
    )
    with pytest.raises(CardError):
        block_card(card, Desk(), CARD_ID)


class TestUnblock:
    FCI = "6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA5098801059F0C038601"
    NO_FLAG = "6F16840F7378312E73682EC9E7BBE1B1A3D5CFA503880105"

    @pytest.mark.parametrize(
        ("fci", "given", "algorithm"),
        [
            (FCI + "03", None, Algorithm.SM4),
            (FCI + "01", None, Algorithm.TDES),
            (NO_FLAG, None, Algorithm.TDES),
            ("", Algorithm.SM4, Algorithm.SM4),
        ],
    )
    def test_a_locked_application_is_known_by_its_atr(
        self, scripted: Any, demo: Any, fci: str, given: Algorithm | None, algorithm: Algorithm
    ) -> None:
        desk = Desk()
        transport = scripted(
            (demo.select, fci + "6283"),
            (GET_CHALLENGE, CHALLENGE + "9000"),
            (f"8418000004{MAC}", "9000"),
        )
        assert unblock_application(transport, desk, CARD_ID, algorithm=given) is True
        (asked,) = desk.asked
        assert (asked.algorithm, asked.region) == (algorithm, "429900")
        assert asked.card_factor.hex().upper() == "8638429900000A17"

    def test_an_open_application_is_left_alone(self, scripted: Any, demo: Any) -> None:
        data = demo()
        selected = (data.select, data.fci)
        transport = scripted(selected, selected, (data.read_issuer, data.issuer))
        assert unblock_application(transport, Desk(), CARD_ID) is False

    def test_an_open_application_of_another_card_is_not_the_named_one(
        self, scripted: Any, demo: Any
    ) -> None:
        data = demo()
        selected = (data.select, data.fci)
        other = data.issuer.replace("00000a17", "00000a18")
        transport = scripted(selected, selected, (data.read_issuer, other))
        with pytest.raises(WrongCard):
            unblock_application(transport, Desk(), CARD_ID)

    def test_without_an_algorithm_no_mac_is_risked(self, scripted: Any, demo: Any) -> None:
        desk = Desk()
        with pytest.raises(MalformedAnswer):
            unblock_application(scripted((demo.select, "6283")), desk, CARD_ID)
        assert desk.asked == []

    @pytest.mark.parametrize("sw", ["9303", "6A81"])
    def test_for_ever_is_for_ever(self, scripted: Any, demo: Any, sw: str) -> None:
        with pytest.raises(ApplicationBlocked):
            unblock_application(scripted((demo.select, sw)), Desk(), CARD_ID)

    def test_a_card_without_the_application(self, scripted: Any, demo: Any) -> None:
        script = [(demo.select, "6A82"), (demo.select_mf, "9000"), (demo.select, "6A82")]
        with pytest.raises(UnknownCard):
            unblock_application(scripted(*script), Desk(), CARD_ID)

    def test_another_card_is_not_even_asked(self, scripted: Any) -> None:
        atr = bytes.fromhex("3B6D00000081540A0B8638429900000A18")
        with pytest.raises(WrongCard):
            unblock_application(scripted(atr=atr), Desk(), CARD_ID)

    def test_a_wrong_mac_is_told(self, scripted: Any, demo: Any) -> None:
        transport = scripted(
            (demo.select, self.FCI + "036283"),
            (GET_CHALLENGE, CHALLENGE + "9000"),
            (f"8418000004{MAC}", "6988"),
        )
        with pytest.raises(AuthenticationFailed):
            unblock_application(transport, Desk(), CARD_ID)
