"""A card dispenser on a pseudo-terminal, scripted by the test: no logic of its own but framing."""

from __future__ import annotations

from functools import reduce
from operator import xor
from pathlib import Path

from drivers.crt591.line import Crt591Times
from tests.drivers.serial_double import SerialDouble

QUICK = Crt591Times(
    ack=0.15, query=0.3, card=0.3, move=0.3, init=0.3, damaged=0.05, quiet=0.02, resend=0.2,
    clear=0.1, write=1.0, again=30.0,
)  # fmt: skip

ACK, NAK, EOT = b"\x06", b"\x15", b"\x04"
STATUS, KEEP = "3130", "3037"
IC, HOLD, EJECT, BIN = "3231", "3230", "3239", "3233"
MOVES = {IC, HOLD, EJECT, BIN, "3232"}
EMPTY, GATE, INSIDE = b"020", b"120", b"220"


def framed(text: bytes, address: int = 0) -> bytes:
    body = bytes([0xF2, address]) + len(text).to_bytes(2, "big") + text + b"\x03"
    return body + bytes([reduce(xor, body)])


def good(name: str, state: bytes = EMPTY, data: bytes = b"") -> bytes:
    return framed(b"\x50" + bytes.fromhex(name) + state + data)


def bad(name: str, code: str, head: bytes = b"\x4e") -> bytes:
    return framed(head + bytes.fromhex(name) + code.encode())


def spoiled(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])


class DispenserDouble(SerialDouble):
    """Each command is acknowledged and done well, with `state`; a test's `script` for a command,
    one entry a time it comes, is sent in place of that."""

    def __init__(self, link: Path) -> None:
        self.state = EMPTY
        self.script: dict[str, list[bytes | None]] = {}
        self.last = b""
        super().__init__(link)

    @property
    def names(self) -> list[str]:
        """Of the commands that came, and the control bytes as they are."""
        return [name_of(command) for command in list(self.commands)]

    @property
    def did(self) -> list[str]:
        """Of the commands alone, without what every opened port begins with."""
        names = [name for name in self.names if len(name) == 4]
        return names[1:] if names[:1] == [KEEP] else names

    @property
    def moved(self) -> list[str]:
        """The movements that it did."""
        return [name for name in self.did if name in MOVES]

    def reports(self, *states: bytes) -> None:
        """What the device says of itself, one state a question."""
        self.script[STATUS] = [ACK + good(STATUS, state) for state in states]

    def answers(self, name: str, *replies: bytes | None) -> None:
        """Well done, with these states; None is never answered."""
        self.script[name] = [
            reply if reply is None else ACK + good(name, reply) for reply in replies
        ]

    def usual(self, command: bytes) -> bytes | None:
        if command == EOT:
            return EOT
        if command == NAK:
            return self.last
        if command == ACK:
            return None
        name = name_of(command)
        if self.script.get(name):
            return self.script[name].pop(0)
        self.last = good(name, self.state)
        return ACK + self.last

    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        if held[:1] in (ACK, NAK, EOT):
            return held[:1], held[1:]
        if len(held) < 4:
            return None
        size = 6 + int.from_bytes(held[2:4], "big")
        if len(held) < size:
            return None
        assert held[0] == 0xF2
        assert reduce(xor, held[:size]) == 0
        return held[:size], held[size:]


def name_of(command: bytes) -> str:
    return command[5:7].hex().upper() if len(command) > 1 else command.hex()
