"""A module of the GM65 family from the box into the state that the terminal needs, and no further.

What the state is stands in `gm65.toml`. Flash wears out, so only what differs is written, and it
is saved once; a module that is right is only read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drivers.code_scanner import ScannerError, ScannerGone
from drivers.gm65.frames import Kind, encode
from drivers.gm65.line import Gm65Line

_TENTHS = 10


class ScannerNotSet(ScannerError):
    """The module answers, but does not keep what was written; the text names the setting."""


@dataclass(frozen=True)
class Setting:
    """Some bits of a register.

    Attributes:
        value: what they shall be.
        good: what else they may be.
    """

    name: str
    address: int
    mask: int
    value: int
    good: frozenset[int] = frozenset()

    def differs(self, register: int) -> bool:
        """Whether a register with this content must be written."""
        return register & self.mask not in self.good | {self.value}


@dataclass(frozen=True)
class Configured:
    """What became of a module.

    Attributes:
        found_baud: bits per second at which it was found.
        changed: names of what was otherwise, ``baud`` among them; empty when all was right and
            nothing was saved.
    """

    found_baud: int
    changed: tuple[str, ...] = ()


def settings_of(facts: Mapping[str, Any]) -> tuple[Setting, ...]:
    """The settings of `gm65.toml`, or of a terminal's variation of it.

    Raises:
        ValueError: a setting has no such value.
    """
    frame, trigger = facts["frame"], facts["trigger"]
    tenths = round(trigger["read_seconds"] * _TENTHS)
    found: list[Setting] = []
    for row in facts["register"]:
        name, values, mask = row["name"], row.get("values", {}), row["mask"]
        wanted = {"end-mark": frame["end_mark"]}.get(name, row.get("wanted"))
        value = tenths if name == "read-time" else values.get(wanted)
        if value is None or value & ~mask or (name == "read-time" and not value):
            raise ValueError(f"the code scanner's setting {name} has no such value")
        good = frozenset(values[other] for other in row.get("good", ()))
        found.append(Setting(name, row["address"], mask, value, good))
    return tuple(found)


def changes(held: Mapping[int, int], settings: tuple[Setting, ...]) -> dict[int, int]:
    """Address -> new content of each register that differs; bits of no setting stay."""
    wanted = dict(held)
    for setting in settings:
        if setting.differs(held[setting.address]):
            kept = wanted[setting.address] & ~setting.mask
            wanted[setting.address] = kept | setting.value
    return {address: value for address, value in wanted.items() if value != held[address]}


def configure(line: Gm65Line, facts: Mapping[str, Any], baud: int) -> Configured:
    """Bring the module into our state. An exchange that fails leaves it as far as it came, and the
    line at any speed; the next try goes on from there.

    Args:
        baud: at which the terminal wants to talk to it.

    Raises:
        ScannerGone: it answers at no speed, or no longer.
        ScannerNotSet: it does not keep a setting.
        drivers.serial_port.PortLost: the port is not there.
    """
    settings = settings_of(facts)
    found = _find(line, facts, baud)
    held = {address: line.read(address)[0] for address in {each.address for each in settings}}
    changed = [each.name for each in settings if each.differs(held[each.address])]
    for address, value in changes(held, settings).items():
        line.write(address, bytes([value]))
        if line.read(address) != bytes([value]):
            names = ", ".join(each.name for each in settings if each.address == address)
            raise ScannerNotSet(f"the code scanner does not keep {names}")
    if found != baud:
        _change_speed(line, facts, baud)
        changed.append("baud")
    if changed:
        line.save()
    return Configured(found, tuple(changed))


def _find(line: Gm65Line, facts: Mapping[str, Any], baud: int) -> int:
    """The speed at which the module answers; the line is set to it."""
    # A port that was unplugged meanwhile is opened anew.
    line.close()
    others: list[int] = [each for each in facts["baud"]["probe"] if each != baud]
    for each in (baud, *others):
        line.baud = each
        try:
            line.read(facts["check"]["address"])
        except ScannerGone:
            continue
        return each
    raise ScannerGone("no answer from the code scanner at any speed")


def _change_speed(line: Gm65Line, facts: Mapping[str, Any], baud: int) -> None:
    """Both sides. Its answer may come at either speed, so only what it does then counts."""
    line.send(encode(Kind.WRITE, facts["baud"]["address"], _divisor(facts, baud)))
    line.answer(line.patience)
    line.baud = baud
    try:
        line.read(facts["check"]["address"])
    except ScannerGone:
        raise ScannerNotSet("the code scanner does not keep baud") from None


def _divisor(facts: Mapping[str, Any], baud: int) -> bytes:
    divisors = facts["baud"]["divisors"]
    if str(baud) not in divisors:
        raise ValueError(f"code scanners have no speed of {baud} bits per second")
    return int(divisors[str(baud)]).to_bytes(2, "little")
