"""A PIN typed on the simulated pad, through our driver, into a buffer that is wiped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.pin_block import MalformedPinBlock
from drivers.pin_pad import PadFault, PadGone, PinCancelled
from drivers.szzt import SzztPinPad
from hw_sim.pad import PadDevice
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
        lambda: SzztPinPad(str(pad.link)),
        lambda: bytearray(master),
        load_master=load_master,
        length=(6, 6),
        seconds=60,
    )


def type_when_open(pad: PadDevice, keys: str) -> None:
    def press() -> None:
        while pad.entry.name != "RUNNING":
            time.sleep(0.002)
        pad.press(keys)

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


def test_a_pad_with_another_master_key_is_a_fault_before_anything_is_typed(pad: PadDevice) -> None:
    pads = station(pad)
    type_when_open(pad, f"{PIN}#")
    pads.entry(CARD_NUMBER).run(lambda count: None)
    pads.close()
    other = station(pad, load_master=False, master=bytes(range(16)))
    with pytest.raises(PadFault):
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
