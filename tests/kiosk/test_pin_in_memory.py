"""A PIN typed at the pad, looked for in all of our process's memory, in freed memory too as far as
nothing was put there since. (What is wiped within a call: tests/drivers/test_pin_block.py.)

The pad and who types stand in another process. Here the digits are only ever one at a time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from apdu.channel import Channel
from apdu.errors import CardRemoved, PinRejected
from apdu.pin import verify_pin
from drivers.pin_block import MalformedPinBlock, fresh_pin_key, pan_for_card_number
from drivers.pin_pad import PinCancelled
from drivers.szzt.pad import SzztPinPad
from kiosk.pad_station import PadStation, PinEntered
from tests.kiosk.memory_search import masked, times_found, unmasked

ROOT = Path(__file__).parents[2]
CARD_NUMBER = "B00000001"
DIGITS = 12
"""So many are nowhere by chance."""


class Secret:
    """A PIN that nobody knows, masked, in the forms that it takes on its way."""

    def __init__(self) -> None:
        digits = [secrets.randbelow(10) for _ in range(DIGITS)]
        account = bytes.fromhex("0000" + pan_for_card_number(CARD_NUMBER).decode())
        pairs = list(zip(digits[::2], digits[1::2], strict=True))
        block = [0x0C, *(a << 4 | b for a, b in pairs), 0xFF]
        self.typed = masked(0x30 + digit for digit in digits)
        self.packed = masked(a << 4 | b for a, b in pairs)
        self.nibbles = masked(digits)
        self.block = masked(a ^ b for a, b in zip(block, account, strict=True))
        digits.clear()

    @property
    def forms(self) -> tuple[bytes, ...]:
        return self.typed, self.packed, self.nibbles, self.block


class Card:
    """Looks at what it is shown, and keeps nothing."""

    atr = b""

    def __init__(self, secret: Secret, answer: bytes | Exception) -> None:
        self._secret = secret
        self._answer = answer
        self.right = False
        self.found = 0

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.right = masked(command[at] for at in range(5, len(command))) == self._secret.packed
        self.found = times_found(self._secret.forms)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def reset(self) -> bytes:
        raise AssertionError

    def close(self) -> None:
        raise AssertionError


@pytest.fixture
def secret() -> Secret:
    return Secret()


@pytest.fixture
def station(tmp_path: Path, secret: Secret) -> Iterator[PadStation]:
    master = secrets.token_bytes(16)
    keys = secret.typed + masked(b"#")
    command = [str(tmp_path / "pad"), master.hex(), keys.hex()]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'hw-sim'}"}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.kiosk.typist", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
    ) as typist:
        assert typist.stdout is not None
        assert typist.stdout.readline() == b"plugged\n"
        made = PadStation(
            lambda: SzztPinPad(str(tmp_path / "pad")),
            lambda: bytearray(master),
            load_master=False,
            length=(DIGITS, DIGITS),
            seconds=30,
        )
        yield made
        made.close()
        typist.kill()


def typed(station: PadStation) -> PinEntered:
    return station.entry(CARD_NUMBER).run(lambda _count: None)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"\x90\x00", None),
        (b"\x63\xc2", PinRejected),
        (CardRemoved("out of the slot"), CardRemoved),
    ],
    ids=["right", "wrong", "pulled"],
)
def test_nothing_is_left_of_a_pin_once_the_card_has_it(
    station: PadStation, secret: Secret, answer: bytes | Exception, kind: type[Exception] | None
) -> None:
    card = Card(secret, answer)
    entered = typed(station)
    expected = contextlib.nullcontext() if kind is None else pytest.raises(kind)
    with expected:
        verify_pin(Channel(card), entered.digits())
    entered.wipe()
    assert card.right
    # The digits and the command were there, so that the search finds what is there.
    assert card.found >= 2
    assert times_found(secret.forms) == 0


@pytest.mark.parametrize("key", [fresh_pin_key(), bytearray(16)], ids=["another", "wiped"])
def test_nothing_is_left_of_a_block_that_opens_to_no_pin(
    station: PadStation, secret: Secret, key: bytearray
) -> None:
    entered = typed(station)
    with pytest.raises(MalformedPinBlock):
        PinEntered(entered.block, entered.pan, key).digits()
    entered.wipe()
    assert times_found(secret.forms) == 0


def test_nothing_is_there_of_a_block_that_nobody_opened(
    station: PadStation, secret: Secret
) -> None:
    entered = typed(station)
    assert times_found(secret.forms) == 0
    entered.wipe()


def test_nothing_is_left_of_an_entry_that_was_cancelled_at_its_last_key(
    station: PadStation, secret: Secret
) -> None:
    stream = station.entry(CARD_NUMBER)
    counted = threading.Event()

    def last(count: int) -> None:
        if count == DIGITS:
            counted.set()
            stream.cancel()

    with pytest.raises(PinCancelled):
        stream.run(last)
    assert counted.is_set()
    assert times_found(secret.forms) == 0


def test_the_search_finds_what_is_there(secret: Secret) -> None:
    assert times_found(secret.forms) == 0
    kept = [bytearray(unmasked(form)) for form in secret.forms]
    assert times_found(secret.forms) >= len(kept)
    for each in kept:
        each[:] = bytes(len(each))
    kept.clear()
