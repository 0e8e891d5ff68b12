"""A strict double for a card, a custodian in software, and one demo card to share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import pytest

from apdu import derivation
from apdu.crypto import sm2_libcrypto
from apdu.crypto.errors import BackendRefused
from apdu.custodian import Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.derivation import Scheme
from apdu.errors import CardError, PsamUnavailable

ATR = bytes.fromhex("3B6D00000081540A0B8638429900000A17")
"""A contact card of the demo province, serial 00000A17."""

Answer = bytes | CardError
Exchange = tuple[bytes, Answer]


class ScriptedTransport:
    """Answers a fixed script; any other command fails the test."""

    def __init__(self, script: Sequence[Exchange], atr: bytes = ATR) -> None:
        self.script = list(script)
        self.atr = atr
        self.at = 0
        self.resets = 0
        self.closed = False
        self.buffers: list[bytes | bytearray] = []

    def transmit(self, command: bytes | bytearray) -> bytes:
        assert self.at < len(self.script), f"unexpected command {bytes(command).hex()}"
        expected, answer = self.script[self.at]
        assert bytes(command) == expected, f"{bytes(command).hex()} is not {expected.hex()}"
        self.at += 1
        self.buffers.append(command)
        if isinstance(answer, CardError):
            raise answer
        return answer

    def reset(self) -> bytes:
        self.resets += 1
        return self.atr

    def close(self) -> None:
        self.closed = True

    @property
    def consumed(self) -> bool:
        return self.at == len(self.script)


Scripted = Callable[..., ScriptedTransport]


def exchange(command: str, answer: str | CardError) -> Exchange:
    """One line of a script, in hexadecimal."""
    if isinstance(answer, CardError):
        return bytes.fromhex(command), answer
    return bytes.fromhex(command), bytes.fromhex(answer)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Makes scripted cards from (command, answer) pairs in hexadecimal; at the end every one
    must have been asked all of its script."""
    made: list[ScriptedTransport] = []

    def make(*pairs: tuple[str, str | CardError], atr: bytes = ATR) -> ScriptedTransport:
        made.append(ScriptedTransport([exchange(*pair) for pair in pairs], atr))
        return made[-1]

    yield make
    for transport in made:
        assert transport.consumed, f"{len(transport.script) - transport.at} commands never came"


class SoftwareCustodian:
    """Keeps root keys in memory and derives like a PSAM; for tests only."""

    def __init__(self, roots: dict[str, bytes], *, available: bool = True) -> None:
        self.roots = roots
        self.available = available
        self.requests: list[AuthenticationRequest | ProtectionRequest] = []

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        found = self._sub_key(request)
        if found is None:
            return None
        scheme, sub_key = found
        return derivation.authenticator(scheme, sub_key, request.challenge, request.data)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        found = self._sub_key(request)
        if found is None:
            return None
        scheme, sub_key = found
        encrypted = derivation.encrypt(scheme, sub_key, request.challenge, request.block)
        text = request.mac_input(encrypted)
        return encrypted + derivation.mac(scheme, sub_key, request.challenge, text)

    def _sub_key(
        self, request: AuthenticationRequest | ProtectionRequest
    ) -> tuple[Scheme, bytes] | None:
        self.requests.append(request)
        if not self.available:
            raise PsamUnavailable("switched off")
        root = self.roots.get(request.key.name)
        if root is None or request.algorithm is Algorithm.SSF33:
            return None
        scheme = Scheme.TDES if request.algorithm is Algorithm.TDES else Scheme.SM4_SIMULATED
        return scheme, derivation.card_key(scheme, root, request.card_factor)


class DemoCard:
    """One card's commands and answers in hexadecimal, written down by hand.

    Attributes:
        version: ``1.00``, ``2.00`` or ``3.00``.
        number, name, card_number: what must never show up anywhere.
    """

    number, name, card_number = "429900196001010015", "王芳", "A99000017"
    roots: ClassVar[dict[str, bytes]] = {
        "IRK_SSSE": bytes(range(16)),
        "RK_SSSE": bytes(range(16, 32)),
    }
    challenge = b"CHALLENG"

    select = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"
    select_mf = "00A40000023F0000"
    read_issuer, read_holder = "00B2012D00", "00B2013500"
    get_challenge = "0084000008"

    def __init__(self, version: str = "3.00", algorithm: Algorithm | None = None) -> None:
        self.version = version
        given = Algorithm.SM4 if version.startswith("3") else Algorithm.TDES
        self.algorithm = algorithm or given
        self.custodian = SoftwareCustodian(self.roots)
        self.randoms = [b"factor--", b"int-data", b"ext-data"]

    @property
    def random(self) -> Callable[[int], bytes]:
        left = iter(self.randoms)
        return lambda size: next(left)[:size]

    @property
    def fci(self) -> str:
        return (
            f"6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA5098801059F0C038601{self.algorithm.value}9000"
        )

    @property
    def issuer(self) -> str:
        return self.tlv(
            (1, bytes.fromhex("429900D15600000500000A17FFFFFFFF")),
            (2, b"3"),
            (3, self.version.encode()),
            (4, bytes.fromhex("915600000242990042990001")),
            (5, bytes.fromhex("20240229")),
            (6, bytes.fromhex("20340228")),
            (7, self.card_number.encode()),
        )

    @property
    def holder(self) -> str:
        return self.tlv(
            (8, self.number.encode()),
            (9, self.name.encode("gbk").ljust(30, b" ")),
            (0x0A, b"2"),
            (0x0B, b"\x01"),
            (0x0C, bytes.fromhex("429900")),
            (0x0D, bytes.fromhex("19600101")),
        )

    @staticmethod
    def tlv(*items: tuple[int, bytes]) -> str:
        return "".join(f"{tag:02X}{len(v):02X}{v.hex()}" for tag, v in items) + "9000"

    def result(self, key: str, challenge: bytes, data: bytes) -> str:
        scheme = Scheme.SM4_SIMULATED if self.algorithm is Algorithm.SM4 else Scheme.TDES
        sub_key = derivation.card_key(scheme, self.roots[key], ATR[-8:])
        return derivation.authenticator(scheme, sub_key, challenge, data).hex()

    @property
    def internal(self) -> tuple[str, str]:
        factor, data = self.randoms[:2]
        answer = self.result("IRK_SSSE", factor, data) + "9000"
        return f"0088000010{factor.hex()}{data.hex()}08", answer

    @property
    def external(self) -> tuple[str, str]:
        data = self.randoms[2]
        cryptogram = self.result("RK_SSSE", self.challenge, data)
        return f"0082000A10{cryptogram}{data.hex()}", "9000"

    @property
    def script(self) -> list[tuple[str, str]]:
        """A whole read."""
        opening = [
            (self.select, self.fci),
            (self.read_issuer, self.issuer),
            self.internal,
        ]
        key = [(self.get_challenge, self.challenge.hex() + "9000"), self.external]
        needs_key = self.version.startswith("3")
        return [*opening, *(key if needs_key else []), (self.read_holder, self.holder)]


@pytest.fixture(scope="session")
def demo() -> type[DemoCard]:
    """The class of demo cards."""
    return DemoCard


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose libcrypto is refused."""
    monkeypatch.setattr(sm2_libcrypto, "_search", lambda: BackendRefused("by the test"))
