"""Secrets that are planted on a card, and every way in which they could turn up in a text."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from hw_sim.cards.bank_image import load_bank_image
from hw_sim.cards.catalogue import holder, make_card
from hw_sim.cards.iso7816 import Card
from hw_sim.population import Resident
from tests.apdu.card_in_process import CHALLENGE_SEED, CardInProcess

_ENCODINGS = ("utf-8", "gb18030", "latin-1")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{9,}\b")
"""Of an object or a thread: long rows of digits, which would look like anything some day."""
_SHORTEST = 4
"""Fewer ASCII characters are found everywhere."""

Told = tuple[str, str]
"""Where something was told, and the text."""
Found = tuple[str, str]
"""Where a secret was found, and which."""


@cache
def forms(secret: bytes) -> tuple[str, ...]:
    """How `secret` may be written, in lower case: as text, in hexadecimal, spaced, with the
    nibbles of each byte exchanged, as Python shows bytes, and as rows of numbers."""
    plain = secret.hex()
    swapped = "".join(pair[::-1] for pair in re.findall("..", plain))
    found = [repr(secret)[2:-1].lower(), repr(list(secret))[1:-1]]
    for digits in (plain, swapped):
        pairs = re.findall("..", digits)
        found += [digits, " ".join(pairs), ":".join(pairs), "\\x".join(pairs)]
        found.append(", ".join(f"0x{pair}" for pair in pairs))
    for encoding in _ENCODINGS:
        with contextlib.suppress(UnicodeDecodeError):
            found.append(secret.decode(encoding).lower())
    return tuple(form for form in found if len(form) >= _SHORTEST or not form.isascii())


class Planted:
    """What must not turn up. It tells what it found by name, and never shows a value."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Planted({sorted(set(self._names.values()))})"

    def plant(self, name: str, *secrets: bytes) -> None:
        for secret in secrets:
            self._names |= dict.fromkeys(forms(secret), name)

    def plant_resident(self, whose: str, resident: Resident) -> None:
        born, card = resident.born, resident.card
        self.plant(f"{whose} number", resident.number.encode())
        self.plant(f"{whose} name", resident.name.encode("utf-8"), resident.name.encode("gb18030"))
        self.plant(f"{whose} card number", card.card_number.encode())
        account = load_bank_image({}).account(resident).number
        self.plant(f"{whose} bank account", account.encode(), bytes.fromhex(account[:12]))
        self.plant(f"{whose} card serial", card.serial)
        self.plant(f"{whose} birth date", bytes.fromhex(f"{born:%Y%m%d}"), f"{born}".encode())
        self.plant(f"{whose} birth date", f"{born.year}, {born.month}, {born.day}".encode())

    def plant_pin(self, digits: str) -> None:
        self.plant("PIN", digits.encode(), bytes.fromhex(digits))

    def found_in(self, told: Iterable[Told]) -> set[Found]:
        """Where, and which secret, in whatever form."""
        found = set()
        for where, text in told:
            lowered = _ADDRESS.sub("", text.lower())
            found |= {(where, name) for form, name in self._names.items() if form in lowered}
        return found


@cache
def psam() -> Card:
    """One for all runs: it keeps nothing when it is powered anew."""
    return make_card("psam")


class SpiedCard(CardInProcess):
    """A simulated card whose holder is planted, and what it and we prove to each other."""

    def __init__(self, name: str, planted: Planted) -> None:
        super().__init__(
            psam() if name == "psam" else make_card(name, challenge_seed=CHALLENGE_SEED)
        )
        self._planted = planted
        resident = holder(name)
        if resident is not None:
            planted.plant_resident(f"{name}'s", resident)

    def transmit(self, command: bytes | bytearray) -> bytes:
        self._look_at(command)
        answer = super().transmit(command)
        # Challenges, results of the card and of the PSAM, and what GET RESPONSE brings of them.
        if command[1] in (0x84, 0x88, 0xFA, 0xC0) and len(answer) == 8 + 2:
            self._planted.plant("challenge or computed result", answer[:-2])
        # Whoever has the digest of a PIN tries all PINs.
        if command[1] == 0xC4:
            self._planted.plant("PIN digest", answer[:-2])
        return answer

    def tear(self, command: bytes | bytearray, at_write: int | None = None) -> None:
        self._look_at(command)
        super().tear(command, at_write)

    def _look_at(self, command: bytes | bytearray) -> None:
        if command[1] == 0x82:
            self._planted.plant("our cryptogram", bytes(command[5:13]))
        # PINs, packed or as a digest, new ones under secure messaging, MACs, keys.
        if command[1] in (0x20, 0x24, 0x5E, 0x16, 0x1E, 0xC2, 0xC4, 0xD4):
            self._planted.plant("what was shown to the card", bytes(command[5:]))


def found_twice(look: Callable[[], set[Found]]) -> set[Found]:
    """What one run told, and another one too. Clocks and random bytes look like six digits some
    day; they do not do so twice."""
    found = look()
    return found & look() if found else found


def told_by(error: BaseException) -> Iterator[Told]:
    """Everything that an exception and its chain tell, and what a crash dump that shows the
    variables of all frames would add."""
    yield (
        "crash dump",
        "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()),
    )
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        each = chain.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            notes = getattr(each, "__notes__", ())
            yield "exception", f"{each} {each!r} {each.args!r} {vars(each)!r} {notes!r}"
            chain += (each.__cause__, each.__context__)
