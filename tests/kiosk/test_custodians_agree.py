"""Two custodians behind one protocol, a PSAM in its slot and the platform's key service: the card
cannot tell them apart, and takes what either of them gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from apdu import commands
from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.custodian import (
    Algorithm,
    AuthenticationRequest,
    Custodian,
    FirstThatCan,
    KeyReference,
    ProtectionRequest,
)
from apdu.errors import AuthenticationFailed
from apdu.profile import shipped_keys
from apdu.trace import SSSE_NAME
from drivers.card_service import CardConnection
from hw_sim.platform.server import PlatformServer
from hw_sim.population import DIVISION
from kiosk.card_station import PsamInReader
from kiosk.platform.client import PlatformClient
from kiosk.platform.custodian import PlatformCustodian
from tests.kiosk.card_backends import CONTACT, PSAM, InProcess
from tests.kiosk.reference_line import client_of, enrolled

KEYS = shipped_keys()
STK = KEYS["STK_SSSE"]
BOTH_HOLD = [
    key for key in KEYS.values() if key.usage is not None and key.hsm_address and key is not STK
]
PSAM_ALONE = [key for key in KEYS.values() if key.hsm_address is None]
PLATFORM_ALONE = [key for key in KEYS.values() if key.usage is None]
CARDS = {Algorithm.TDES: "v2", Algorithm.SM4: "v3"}
FACTOR = bytes.fromhex("8631429901020304")
NAMES = {f"DF0{n + 1}": bytes.fromhex("D156000005") + bytes((n,)) for n in range(4)}
RELOAD = bytes.fromhex("84240001")
NEW_PIN = b"975318"


def named(value: object) -> str | None:
    return value.name if isinstance(value, KeyReference | Algorithm) else None


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformClient]:
    folder: Path = tmp_path_factory.mktemp("platform")
    with (
        PlatformServer(folder / "platform.sqlite") as server,
        client_of(server, enrolled(server, folder / "terminal")) as made,
    ):
        yield made


@pytest.fixture
def hall() -> InProcess:
    return InProcess()


@pytest.fixture
def custodians(hall: InProcess, client: PlatformClient) -> dict[str, Custodian]:
    return {"psam": PsamInReader(hall.service, PSAM), "platform": PlatformCustodian(client)}


def connected(hall: InProcess, algorithm: Algorithm) -> CardConnection:
    """A card of this algorithm, fresh in its slot."""
    hall.insert(CARDS[algorithm])
    return hall.connect(CONTACT)


def asked(
    key: KeyReference, algorithm: Algorithm, factor: bytes, challenge: bytes, data: bytes
) -> AuthenticationRequest:
    return AuthenticationRequest(algorithm, key, factor, DIVISION, challenge, data)


@pytest.mark.parametrize("algorithm", CARDS, ids=named)
@pytest.mark.parametrize("key", BOTH_HOLD, ids=named)
def test_both_give_the_same_8_bytes_and_the_card_takes_them(
    hall: InProcess, custodians: dict[str, Custodian], key: KeyReference, algorithm: Algorithm
) -> None:
    connection = connected(hall, algorithm)
    channel, factor = Channel(connection), connection.atr[-8:]
    assert channel.send(commands.select_by_name(NAMES.get(key.name[-4:], SSSE_NAME))).ok
    for custodian in custodians.values():
        data = os.urandom(8)
        if key.key_id is None:
            challenge = os.urandom(8)
        else:
            challenge = channel.send(commands.get_challenge()).data
        request = asked(key, algorithm, factor, challenge, data)
        psam, platform = (each.cryptogram(request) for each in custodians.values())
        assert psam is not None
        assert psam == platform
        if key.key_id is None:
            answer = channel.send(commands.internal_authenticate(challenge, data))
            assert answer.data == psam
        else:
            mine = custodian.cryptogram(request)
            assert mine is not None
            shown = commands.external_authenticate(key.key_id, mine, data)
            assert channel.send(shown).sw == 0x9000


def test_every_key_of_the_table_has_a_keeper() -> None:
    assert {key.name for key in (*BOTH_HOLD, *PSAM_ALONE, *PLATFORM_ALONE, STK)} == set(KEYS)
    assert len(BOTH_HOLD) >= 14


@pytest.mark.parametrize("algorithm", CARDS, ids=named)
@pytest.mark.parametrize("key", [*PSAM_ALONE, *PLATFORM_ALONE], ids=named)
def test_what_one_lacks_the_other_gives(
    custodians: dict[str, Custodian], key: KeyReference, algorithm: Algorithm
) -> None:
    request = asked(key, algorithm, FACTOR, b"challeng", b"original")
    psam, platform = (each.cryptogram(request) for each in custodians.values())
    assert (psam is None, platform is None) == (key.usage is None, key.hsm_address is None)
    assert FirstThatCan(tuple(custodians.values())).cryptogram(request) == (psam or platform)


@pytest.mark.parametrize("algorithm", CARDS, ids=named)
@pytest.mark.parametrize(
    "header", ["84240000", "84240001", "841E0000", "841E0001", "84180000", "84160000"]
)
def test_both_protect_a_command_alike(
    custodians: dict[str, Custodian], header: str, algorithm: Algorithm
) -> None:
    size = algorithm.block_size if header == RELOAD.hex() else 0
    block = bytearray(b"\x03\x97\x53\x18\x80".ljust(size, b"\0")[:size])
    request = ProtectionRequest(
        algorithm, STK, FACTOR, DIVISION, b"challeng", bytes.fromhex(header), block
    )
    psam, platform = (each.protect(request) for each in custodians.values())
    assert psam == platform
    assert psam is not None
    assert len(psam) == size + 4


@pytest.mark.parametrize("which", ["psam", "platform"])
@pytest.mark.parametrize("algorithm", CARDS, ids=named)
def test_the_card_takes_a_new_pin_from_either(
    hall: InProcess, custodians: dict[str, Custodian], algorithm: Algorithm, which: str
) -> None:
    card = SocialSecurityCard.open(connected(hall, algorithm))
    new = bytearray(NEW_PIN)
    card.reload_pin(custodians[which], new)
    assert not any(new)
    card.verify_pin(bytearray(NEW_PIN))


@pytest.mark.parametrize("which", ["psam", "platform"])
@pytest.mark.parametrize("algorithm", CARDS, ids=named)
def test_a_challenge_is_good_for_one_attempt(
    hall: InProcess, custodians: dict[str, Custodian], algorithm: Algorithm, which: str
) -> None:
    connection, key = connected(hall, algorithm), KEYS["UK_SSSE"]
    channel, factor = Channel(connection), connection.atr[-8:]
    channel.send(commands.select_by_name(SSSE_NAME))
    challenge = channel.send(commands.get_challenge()).data
    cryptogram = custodians[which].cryptogram(asked(key, algorithm, factor, challenge, b"original"))
    assert key.key_id is not None
    assert cryptogram is not None
    shown = [commands.external_authenticate(key.key_id, cryptogram, b"original") for _ in "12"]
    assert [channel.send(command).sw for command in shown] == [0x9000, 0x6984]


class Mistaken:
    """A custodian whose results have one wrong bit; it counts how often it was asked."""

    def __init__(self, custodian: Custodian) -> None:
        self._custodian = custodian
        self.asked = 0

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        self.asked += 1
        return _spoilt(self._custodian.cryptogram(request))

    def protect(self, request: ProtectionRequest) -> bytes | None:
        self.asked += 1
        return _spoilt(self._custodian.protect(request))


def _spoilt(result: bytes | None) -> bytes:
    assert result is not None
    return result[:-1] + bytes((result[-1] ^ 1,))


@pytest.mark.parametrize("which", ["psam", "platform"])
@pytest.mark.parametrize("algorithm", CARDS, ids=named)
def test_a_wrong_cryptogram_ends_the_card_session(
    hall: InProcess, custodians: dict[str, Custodian], algorithm: Algorithm, which: str
) -> None:
    card = SocialSecurityCard.open(connected(hall, algorithm))
    wrong = Mistaken(custodians[which])
    right = Mistaken(custodians["platform" if which == "psam" else "psam"])
    with pytest.raises(AuthenticationFailed):
        card.authentication.authenticate(FirstThatCan((wrong, right)), KEYS["UK_SSSE"])
    sent = card.transmitted
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            card.authentication.authenticate(custodians[which], KEYS["UK_SSSE"])
        with pytest.raises(AuthenticationFailed):
            card.unblock_pin(custodians[which])
    # Nobody tried again: not with this custodian, not with the next, not with another key.
    assert (wrong.asked, right.asked, card.transmitted) == (1, 0, sent)


@pytest.mark.parametrize("which", ["psam", "platform"])
@pytest.mark.parametrize("algorithm", CARDS, ids=named)
def test_a_wrong_mac_ends_the_card_session(
    hall: InProcess, custodians: dict[str, Custodian], algorithm: Algorithm, which: str
) -> None:
    class WrongMac(Mistaken):
        def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
            return self._custodian.cryptogram(request)

    card = SocialSecurityCard.open(connected(hall, algorithm))
    wrong = WrongMac(custodians[which])
    with pytest.raises(AuthenticationFailed):
        card.reload_pin(wrong, bytearray(NEW_PIN))
    sent = card.transmitted
    with pytest.raises(AuthenticationFailed):
        card.reload_pin(custodians[which], bytearray(NEW_PIN))
    assert (wrong.asked, card.transmitted) == (1, sent)
