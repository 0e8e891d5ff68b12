"""A card slot as a device: gone, held, empty, mute."""

from __future__ import annotations

import pytest

from drivers.card_service import ReaderState
from drivers.device import Device
from drivers.reader_device import ReaderDevice, SlotNote, SlotReason, SlotStatus, SlotTimes

QUICK = SlotTimes(first=0.2, free=0.01, look=0.001)
NAME = "Contact Reader 00 00"


class Service:
    """Tells its readers from the look on that the test says."""

    def __init__(self, *readers: ReaderState, free: bool = True, after: int = 0) -> None:
        self._readers = readers
        self._free = free
        self._after = after
        self.looks = 0
        self.asked: list[tuple[str, float]] = []

    def readers(self) -> tuple[ReaderState, ...]:
        self.looks += 1
        return self._readers if self.looks > self._after else ()

    def answers(self, reader: str, seconds: float) -> bool:
        self.asked.append((reader, seconds))
        return self._free


def slot(service: Service, *, keeps_card: bool = False) -> ReaderDevice:
    return ReaderDevice(service, "Contact", keeps_card=keeps_card, times=QUICK)  # type: ignore[arg-type]


def reader(*, present: bool = False, mute: bool = False) -> ReaderState:
    return ReaderState(NAME, present, mute, b"")


def test_it_has_the_shape_of_a_device() -> None:
    service = Service()
    device: Device = slot(service)
    device.close()
    device.close()
    assert service.asked == [], "closing asks nothing of the reader"


@pytest.mark.parametrize("present", [False, True])
def test_a_free_slot_serves_with_and_without_a_card(present: bool) -> None:
    service = Service(reader(present=present))
    assert slot(service).status() == SlotStatus(None, frozenset(), NAME, present)
    assert service.asked == [(NAME, QUICK.free)]


def test_no_such_reader() -> None:
    service = Service(ReaderState("Other 00 00", False, False, b""))
    assert slot(service).status() == SlotStatus(SlotReason.GONE)
    assert service.asked == []


def test_a_service_that_has_just_started_is_waited_for_once() -> None:
    service = Service(reader(), after=3)
    device = slot(service)
    assert device.status().reason is None
    service._readers = ()
    before = service.looks
    assert device.status().reason is SlotReason.GONE
    assert service.looks == before + 1


def test_a_held_slot() -> None:
    status = slot(Service(reader(present=True), free=False)).status()
    assert status == SlotStatus(SlotReason.STUCK, frozenset(), NAME, True)


@pytest.mark.parametrize(
    ("present", "mute", "keeps_card", "reason", "notes"),
    [
        (True, True, False, None, {SlotNote.MUTE_CARD}),
        (True, True, True, SlotReason.MUTE, set()),
        (False, False, True, SlotReason.EMPTY, set()),
        (True, False, True, None, set()),
    ],
)
def test_what_is_in_it(
    present: bool, mute: bool, keeps_card: bool, reason: SlotReason | None, notes: set[SlotNote]
) -> None:
    service = Service(reader(present=present, mute=mute))
    status = slot(service, keeps_card=keeps_card).status()
    assert (status.reason, status.notes) == (reason, notes)
