"""Protected commands: what goes to the custodian, what goes to the card, and what is wiped."""

import tomllib
from importlib import resources
from typing import Any

import pytest

from apdu.authentication import Authentication, Diversification
from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.custodian import Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.errors import (
    AuthenticationFailed,
    CardError,
    CardRemoved,
    PsamUnavailable,
    UnexpectedStatus,
)
from apdu.pin import IllegalPin
from apdu.profile import shipped_keys
from apdu.secure_messaging import Protected, ProtectedCommand, SecureMessaging, shipped_commands

FACTOR = bytes.fromhex("8638429900000A17")
RESULT = "A1A2A3A4A5A6A7A8"
OURS = b"our-data"
GET_CHALLENGE = "0084000008"
PUK_CHALLENGE, STK_CHALLENGE = "C1" * 8, "C2" * 8
PUK = (f"0082000610{RESULT}{OURS.hex()}", "9000")
MAC = "AABBCCDD"


class Desk:
    """A custodian with prepared answers. It copies what it was shown, as it was then."""

    def __init__(self, protected: bytes | None) -> None:
        self.protected = protected
        self.shown: list[AuthenticationRequest] = []
        self.asked: list[ProtectionRequest] = []
        self.blocks: list[bytes] = []

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        self.shown.append(request)
        return bytes.fromhex(RESULT)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        self.asked.append(request)
        self.blocks.append(bytes(request.block))
        return self.protected


def messaging(transport: Any, algorithm: Algorithm = Algorithm.TDES) -> SecureMessaging:
    channel = Channel(transport)
    found = Diversification(algorithm, FACTOR, "429900")
    session = Authentication(channel, lambda: found, lambda size: OURS[:size])
    return SecureMessaging(channel, session, shipped_keys)


@pytest.mark.parametrize(
    ("what", "header", "after_puk"),
    [
        (Protected.UNBLOCK_PIN, "84240000", True),
        (Protected.BLOCK_APPLICATION, "841E0000", False),
        (Protected.BLOCK_APPLICATION_FOR_EVER, "841E0001", False),
        (Protected.UNBLOCK_APPLICATION, "84180000", False),
        (Protected.BLOCK_CARD, "84160000", False),
    ],
)
def test_a_mac_alone(scripted: Any, what: Protected, header: str, after_puk: bool) -> None:
    puk = [(GET_CHALLENGE, PUK_CHALLENGE + "9000"), PUK] if after_puk else []
    challenge = (GET_CHALLENGE, STK_CHALLENGE + "9000")
    desk = Desk(bytes.fromhex(MAC))
    messaging(scripted(*puk, challenge, (f"{header}04{MAC}", "9000"))).send(what, desk)
    assert [request.key.name for request in desk.shown] == ["PUK"] * after_puk
    (asked,) = desk.asked
    assert (asked.key.name, asked.header.hex().upper()) == ("STK_SSSE", header)
    assert asked.challenge.hex().upper() == STK_CHALLENGE
    assert (asked.card_factor, asked.region, asked.block) == (FACTOR, "429900", bytearray())


def test_every_command_is_declared_once_with_its_mark() -> None:
    text = resources.files("apdu").joinpath("protected.toml").read_text(encoding="utf-8")
    names = [table["name"] for table in tomllib.loads(text)["command"]]
    assert sorted(names) == sorted(what.value for what in Protected)
    for what in Protected:
        declared = shipped_commands()[what]
        assert declared.mark in {"A", "B", "C", "I", "M"}
        assert declared.key in shipped_keys()
        assert declared.after is None or shipped_keys()[declared.after].key_id is not None


@pytest.mark.parametrize("header", ["841E00", "801E0000", "841E000000"])
def test_a_declaration_that_protects_nothing_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="odd"):
        ProtectedCommand.from_table({"name": "odd", "header": header, "key": "K", "mark": "I"})


def test_nobody_holds_the_transport_key(scripted: Any) -> None:
    card = scripted((GET_CHALLENGE, STK_CHALLENGE + "9000"))
    with pytest.raises(PsamUnavailable, match="STK_SSSE"):
        messaging(card).send(Protected.BLOCK_CARD, Desk(None))


@pytest.mark.parametrize("size", [0, 3, 5, 12])
def test_a_custodian_that_gives_another_length_is_not_believed(scripted: Any, size: int) -> None:
    card = scripted((GET_CHALLENGE, STK_CHALLENGE + "9000"))
    with pytest.raises(PsamUnavailable):
        messaging(card).send(Protected.BLOCK_CARD, Desk(bytes(size)))


@pytest.mark.parametrize("sw", ["6988", "9302", "63C2"])
def test_a_wrong_mac_is_final(scripted: Any, sw: str) -> None:
    card = scripted((GET_CHALLENGE, STK_CHALLENGE + "9000"), (f"8416000004{MAC}", sw))
    tool = messaging(card)
    for _ in range(2):  # the second time nothing goes to the card
        with pytest.raises(AuthenticationFailed):
            tool.send(Protected.BLOCK_CARD, Desk(bytes.fromhex(MAC)))


class TestPin:
    """Unblock and reload of the card's PIN."""

    VERSIONS = (("2.00", "0C", 8), ("3.00", "14", 16))

    def card(self, scripted: Any, demo: Any, version: str, *script: Any) -> Any:
        data = demo(version)
        puk = [(GET_CHALLENGE, PUK_CHALLENGE + "9000"), PUK]
        transport = scripted(
            (data.select, data.fci), (data.read_issuer, data.issuer), *puk, *script
        )
        card = SocialSecurityCard.open(transport, random=lambda size: OURS[:size])
        card.issuer()
        return card

    @pytest.mark.parametrize(("version", "lc", "size"), VERSIONS)
    @pytest.mark.parametrize(
        ("digits", "head"), [(b"975318", "0397531880"), (b"97531", "0397531F80")]
    )
    def test_reload(
        self, scripted: Any, demo: Any, version: str, lc: str, size: int, digits: bytes, head: str
    ) -> None:
        enciphered = "E" * 2 * size
        card = self.card(
            scripted,
            demo,
            version,
            (GET_CHALLENGE, STK_CHALLENGE + "9000"),
            (f"84240001{lc}{enciphered}{MAC}", "9000"),
        )
        desk = Desk(bytes.fromhex(enciphered + MAC))
        new = bytearray(digits)
        card.reload_pin(desk, new)
        assert desk.blocks == [bytes.fromhex(head).ljust(size, b"\0")]
        assert not any(new)
        assert not any(desk.asked[0].block), "the PIN block was left behind"
        assert [request.key.name for request in desk.shown] == ["PUK"]
        assert desk.asked[0].challenge != desk.shown[0].challenge

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            ("6988", AuthenticationFailed),
            ("6985", UnexpectedStatus),
            (CardRemoved(), CardRemoved),
            ("", CardError),
        ],
    )
    def test_a_reload_that_fails_is_sent_once_and_wiped(
        self, scripted: Any, demo: Any, answer: Any, error: type[CardError]
    ) -> None:
        card = self.card(
            scripted,
            demo,
            "3.00",
            (GET_CHALLENGE, STK_CHALLENGE + "9000"),
            (f"8424000114{'E' * 32}{MAC}", answer),
        )
        desk, new = Desk(bytes.fromhex("E" * 32 + MAC)), bytearray(b"975318")
        with pytest.raises(error) as caught:
            card.reload_pin(desk, new)
        assert "975318" not in repr(caught.value)
        assert not any(new)
        assert not any(desk.asked[0].block)

    def test_a_pin_too_long_for_one_block_never_reaches_anybody(
        self, scripted: Any, demo: Any
    ) -> None:
        data = demo("2.00")
        card = SocialSecurityCard.open(
            scripted((data.select, data.fci), (data.read_issuer, data.issuer))
        )
        desk, new = Desk(None), bytearray(b"9753186420975")
        with pytest.raises(IllegalPin):
            card.reload_pin(desk, new)
        assert (desk.shown, desk.asked, any(new)) == ([], [], False)

    @pytest.mark.parametrize("version", ["2.00", "3.00"])
    def test_unblock_keeps_the_pin(self, scripted: Any, demo: Any, version: str) -> None:
        card = self.card(
            scripted,
            demo,
            version,
            (GET_CHALLENGE, STK_CHALLENGE + "9000"),
            (f"8424000004{MAC}", "9000"),
        )
        desk = Desk(bytes.fromhex(MAC))
        card.unblock_pin(desk)
        assert desk.blocks == [b""]

    def test_a_refused_puk_leaves_the_transport_key_alone(self, scripted: Any, demo: Any) -> None:
        data = demo()
        transport = scripted(
            (data.select, data.fci),
            (data.read_issuer, data.issuer),
            (GET_CHALLENGE, PUK_CHALLENGE + "9000"),
            (PUK[0], "63C2"),
        )
        card = SocialSecurityCard.open(transport, random=lambda size: OURS[:size])
        desk = Desk(bytes.fromhex(MAC))
        for _ in range(2):
            with pytest.raises(AuthenticationFailed):
                card.unblock_pin(desk)
        assert desk.asked == []
