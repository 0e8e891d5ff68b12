"""The card dispenser (发卡机) on its serial line: handshake, faults, its plug and its people.

What it does is in `hw_sim.dispenser.machine`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hw_sim.dispenser.frames import (
    ACKNOWLEDGE,
    CLEAR,
    MOVE,
    REPEAT,
    Bare,
    Command,
    done,
    refused,
    unframe,
)
from hw_sim.dispenser.machine import DispenserMachine, Halt
from hw_sim.faults import Fault, FaultSyntaxError
from hw_sim.serial_device import Illegal, SerialDevice

DISPENSER_FAULTS = {
    "lost": False,  # the command is lost on the way: not done, not acknowledged
    "no-ack": False,  # done and answered, the acknowledgement is lost
    "double-ack": False,  # acknowledged twice
    "bad-ack": False,  # noise in place of the acknowledgement
    "jam": False,  # the card sticks on its way, until it is pulled out
    "no-contact": False,  # the contacts do not reach the card that comes there next
    "power-moving": False,  # the power fails while the card moves, and comes back
    "torn": False,  # the card is pulled out by force in the middle of the command
    "error": True,  # not done; this error of two digits is the answer
    "swallowed": False,  # acknowledged, and then nothing: not done, not answered
}
"""Beside those of the wire; `drop` is the answer that is lost after it was done."""

_ADDRESS = 0
_NO_ACKNOWLEDGEMENT = b"\xa5"


class _DispenserEnd:
    """What it says on its wire."""

    def __init__(self, machine: DispenserMachine, say: Callable[[bytes], None]) -> None:
        self.machine = machine
        self.say = say
        self.commands: list[str] = []
        self.turns = 0
        self.owed = 0
        self._last = b""

    def take(self, buffer: bytearray) -> Iterator[Command | Bare | Illegal]:
        for heard in unframe(buffer, _ADDRESS):
            match heard:
                case Bare(octet) if octet == ACKNOWLEDGE:
                    self.owed = 0
                case Illegal(reason="wrong check or end"):
                    self.say(REPEAT)
                    yield heard
                case Illegal():
                    yield heard
                case _:
                    self.turns += 1
                    yield heard

    def obey(self, command: Command | Bare) -> bytes | Illegal:
        if isinstance(command, Bare):
            # It repeats what it said last, or says that the line is clear.
            return self._last if command.octet == REPEAT else CLEAR
        self.say(ACKNOWLEDGE)
        return self.do(command)

    def do(self, command: Command) -> bytes | Illegal:
        """As `obey`, without the acknowledgement."""
        self.commands.append(command.name)
        told = self.machine.obey(command)
        if isinstance(told, Illegal):
            self.say(refused(_ADDRESS, command, "00"))
            return told
        if isinstance(told, str):
            self._last = refused(_ADDRESS, command, told)
        else:
            self._last = done(_ADDRESS, command, self.machine.digits, told)
        self.owed += 1
        return self._last

    def refuse(self, command: Command, code: str) -> bytes:
        """Acknowledge a command, and do not do it."""
        self.say(ACKNOWLEDGE)
        self._last = refused(_ADDRESS, command, code)
        return self._last

    def nak(self, command: Command | Bare) -> bytes:
        return REPEAT

    def busy(self, command: Command | Bare) -> bytes:
        return b""

    def bad_check(self, answer: bytes) -> bytes:
        return answer[:-1] + bytes([answer[-1] ^ 0x01]) if answer else answer

    def tick(self) -> bytes:
        return b""

    def power_up(self) -> None:
        self.machine.power_up()
        self._last = b""


class DispenserDevice(SerialDevice[Command | Bare]):
    """A dispenser that can be plugged in and out.

    Args:
        link: a path that points at its terminal while it is plugged in.
        move_seconds: that a card takes from one place to another.
        bin_room, sam, seed: see `DispenserMachine`.

    Attributes:
        machine: for people; hold `lock`.
        commands: what it did, two bytes in hexadecimal each.
        turns: what faults are counted by: commands, and control bytes that want an answer.
        owed: answers that the host has not acknowledged since it last acknowledged one.
    """

    def __init__(
        self,
        link: Path,
        *,
        move_seconds: float = 0.5,
        bin_room: int = 20,
        sam: str | None = "psam",
        seed: int | None = None,
    ) -> None:
        self.machine = DispenserMachine(bin_room=bin_room, sam=sam, seed=seed)
        self.machine.moving = lambda: time.sleep(move_seconds)
        self._end = _DispenserEnd(self.machine, self.send)
        super().__init__(link, "dispenser", self._end, faults=DISPENSER_FAULTS)

    @property
    def commands(self) -> list[str]:
        return self._end.commands

    @property
    def turns(self) -> int:
        return self._end.turns

    @property
    def owed(self) -> int:
        return self._end.owed

    def set_fault(self, text: str) -> None:
        for part in text.split(","):
            name, _, value = part.partition(":")[2].partition("=")
            if name == "error" and not (len(value) == 2 and value.isascii() and value.isalnum()):
                raise FaultSyntaxError("error takes two digits, as in error=10")
        super().set_fault(text)

    def strike(self, fault: Fault, command: Command | Bare) -> bytes | None:
        if isinstance(command, Bare):
            return None
        end, machine = self._end, self.machine
        match fault.name:
            case "lost":
                return b""
            case "swallowed":
                return ACKNOWLEDGE
            case "error":
                return end.refuse(command, fault.value)
            case "no-ack":
                answer = end.do(command)
            case "bad-ack":
                self.send(_NO_ACKNOWLEDGEMENT)
                answer = end.do(command)
            case "double-ack":
                self.send(ACKNOWLEDGE)
                answer = end.obey(command)
            case "jam":
                machine.halt = Halt.JAM
                answer = end.obey(command)
                machine.halt = None
            case "power-moving":
                machine.halt = Halt.POWER
                end.obey(command)
                machine.halt = None
                end.power_up()
                return b""
            case "no-contact":
                machine.contact_fails = True
                answer = end.obey(command)
                machine.contact_fails = False
            case "torn":
                if machine.card is not None:
                    machine.tear_out()
                moves = command.command == MOVE
                answer = end.refuse(command, "45") if moves else end.obey(command)
            case _:
                return None
        if isinstance(answer, Illegal):
            self._record(answer)
            return b""
        return answer
