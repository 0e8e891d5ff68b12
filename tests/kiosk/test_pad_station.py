"""A PIN typed on the simulated pad, through our driver, into a buffer that is wiped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.pin_block import MalformedPinBlock
from drivers.pin_pad import KeyMismatch, PadGone, PadReason, PadReset, PadTampered, PinCancelled
from drivers.szzt.line import SzztTimes
from drivers.szzt.pad import SzztPinPad
from hw_sim.pad.device import PadDevice
from kiosk.pad_station import PadStation

MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
CARD_NUMBER = "B00000001"
PIN = "864209"


@pytest.fixture
def pad(tmp_path: Path) -> Iterator[PadDevice]:
    device = PadDevice(tmp_path / "pad")
    device.plug()
    yield device
    device.unplug()


def station(pad: PadDevice, *, load_master: bool = True, master: bytes = MASTER) -> PadStation:
    return PadStation(
        lambda: SzztPinPad(str(pad.link), times=SzztTimes(answer=0.4, look=0.01, watch=0.1)),
        lambda: bytearray(master),
        load_master=load_master,
        length=(6, 6),
        seconds=60,
    )


def type_when_open(pad: PadDevice, *keys: str) -> None:
    """Each of them in an entry of its own."""

    def press() -> None:
        for each in keys:
            while pad.entry.name != "RUNNING" or pad.faults_pending:
                time.sleep(0.002)
            pad.press(each)
            while pad.count:
                time.sleep(0.002)

    threading.Thread(target=press, daemon=True).start()


def test_the_count_of_keys_and_a_block_that_opens_once(pad: PadDevice) -> None:
    counts: list[int] = []
    type_when_open(pad, f"{PIN}#")
    entered = station(pad).entry(CARD_NUMBER).run(counts.append)
    assert counts[-1] == 6
    digits = entered.digits()
    assert bytes(digits) == PIN.encode()
    assert PIN.encode() not in entered.block
    entered.wipe()
    with pytest.raises(MalformedPinBlock):
        entered.digits()


def test_nothing_of_the_pin_is_in_what_is_shown_of_it(pad: PadDevice) -> None:
    type_when_open(pad, f"{PIN}#")
    entered = station(pad).entry(CARD_NUMBER).run(lambda count: None)
    assert PIN not in repr(entered)
    assert entered.block.hex() not in repr(entered)


def test_every_entry_has_a_key_of_its_own(pad: PadDevice) -> None:
    pads = station(pad)
    blocks = set()
    for _ in range(3):
        type_when_open(pad, f"{PIN}#")
        blocks.add(pads.entry(CARD_NUMBER).run(lambda count: None).block)
    assert len(blocks) == 3


def test_a_pad_with_another_master_key_is_told_before_anything_is_typed(pad: PadDevice) -> None:
    pads = station(pad)
    type_when_open(pad, f"{PIN}#")
    pads.entry(CARD_NUMBER).run(lambda count: None)
    pads.close()
    other = station(pad, load_master=False, master=bytes(range(16)))
    with pytest.raises(KeyMismatch):
        other.entry(CARD_NUMBER).run(lambda count: None)


def test_cancel_ends_the_entry_from_another_thread(pad: PadDevice) -> None:
    stream = station(pad).entry(CARD_NUMBER)

    def cancel() -> None:
        while pad.entry.name != "RUNNING":
            time.sleep(0.002)
        stream.cancel()

    threading.Thread(target=cancel, daemon=True).start()
    with pytest.raises(PinCancelled):
        stream.run(lambda count: None)


def test_an_unplugged_pad_is_gone_and_works_again_when_it_is_back(pad: PadDevice) -> None:
    pads = station(pad)
    pad.unplug()
    with pytest.raises(PadGone):
        pads.entry(CARD_NUMBER).run(lambda count: None)
    pad.plug()
    type_when_open(pad, f"{PIN}#")
    assert pads.entry(CARD_NUMBER).run(lambda count: None).digits() == PIN.encode()


def test_cancel_before_the_entry_began_is_not_lost(pad: PadDevice) -> None:
    stream = station(pad).entry(CARD_NUMBER)
    stream.cancel()
    with pytest.raises(PinCancelled):
        stream.run(lambda count: None)
    assert pad.entry.name == "NONE"


def test_a_pad_that_is_reset_asks_again_from_the_first_digit(pad: PadDevice) -> None:
    counts: list[int] = []

    def report(count: int) -> None:
        counts.append(count)
        if counts == [1, 2]:
            pad.set_fault("1:power-cycle")

    type_when_open(pad, PIN[:2], f"{PIN}#")
    entered = station(pad).entry(CARD_NUMBER).run(report)
    assert entered.digits() == PIN.encode()
    assert counts == [1, 2, 0, 1, 2, 3, 4, 5, 6]


def test_a_pad_that_is_reset_again_is_told(pad: PadDevice) -> None:
    def report(count: int) -> None:
        if count == 2:
            pad.set_fault("1:power-cycle")

    type_when_open(pad, PIN[:2], PIN[:2])
    with pytest.raises(PadReset):
        station(pad).entry(CARD_NUMBER).run(report)


def test_a_pad_without_a_master_key_is_well_only_where_each_entry_loads_it(pad: PadDevice) -> None:
    assert station(pad).look().reason is None
    assert station(pad, load_master=False).look().reason is PadReason.NO_KEY


def test_an_opened_pad_is_tampered_with_until_it_is_mended(pad: PadDevice) -> None:
    pad.preload(20, MASTER)
    pads = station(pad, load_master=False)
    assert pads.look().reason is None
    pad.open_housing()
    assert pads.look().reason is PadReason.TAMPERED
    for _ in range(2):
        with pytest.raises(PadTampered):
            pads.entry(CARD_NUMBER).run(lambda count: None)
    pad.mend()
    type_when_open(pad, f"{PIN}#")
    assert pads.entry(CARD_NUMBER).run(lambda count: None).digits() == PIN.encode()


def test_a_pad_that_was_opened_is_not_given_a_key_in_the_clear(pad: PadDevice) -> None:
    pad.open_housing()
    with pytest.raises(PadTampered):
        station(pad, load_master=True).entry(CARD_NUMBER).run(lambda count: None)
