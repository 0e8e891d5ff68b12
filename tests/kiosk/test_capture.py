"""A terminal whose reader is a dispenser: cards come back, forgotten ones are kept and counted."""

import json
import os
import threading

import pytest

from drivers.card_service import ReaderState
from drivers.crt591.cards import CONTACT, SAM, Crt591Cards, Crt591CardTimes
from drivers.crt591.device import Crt591
from drivers.dispenser import DispenserReason
from drivers.dispenser_release import Release, ReleaseEnd, ReleaseTimes
from drivers.events import CardInserted, CardTaken
from kiosk.capture import (
    FILE,
    Captured,
    CaptureRecord,
    CardCaptured,
    CardNotReturned,
    CardReturn,
    record_capture,
)
from kiosk.card_station import CardStation, PsamInReader
from tests.drivers.dispenser_cards import eventually, plugged
from tests.drivers.event_box import EventBox
from tests.drivers.test_crt591_with_dispenser import TIMES

QUICK = ReleaseTimes(patience=0.1, poll=0.01)
LONG = ReleaseTimes(patience=30.0, poll=0.01)


class Time:
    now = 1_000_000.0

    def time(self):
        self.now += 1
        return self.now


# --- the count -----------------------------------------------------------------------------------


def test_the_count_outlives_the_process(tmp_path):
    record = CaptureRecord(tmp_path, Time())
    assert record.captured == Captured()
    assert [record.note(), record.note()] == [1, 2]
    again = CaptureRecord(tmp_path, Time())
    assert again.captured == Captured(2, (1_000_001, 1_000_002))
    assert again.emptied() == 2
    assert CaptureRecord(tmp_path, Time()).captured == Captured(0, (), 1_000_001)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_only_numbers_are_kept_and_not_without_end(tmp_path):
    record = CaptureRecord(tmp_path, Time())
    for _ in range(205):
        record.note()
    kept = json.loads((tmp_path / FILE).read_text())
    assert (kept["count"], len(kept["times"]), kept["emptied"]) == (205, 200, None)
    assert kept["times"][-1] == 1_000_205


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"count": "x"}', b"\xff\xfe"])
def test_a_damaged_file_is_set_aside(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    record = CaptureRecord(tmp_path, Time())
    assert record.captured == Captured()
    assert (tmp_path / f"{FILE}.damaged").read_bytes() == content
    assert record.note() == 1


def test_a_power_cut_leaves_the_old_count_or_the_new(tmp_path, monkeypatch):
    record = CaptureRecord(tmp_path, Time())
    record.note()
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError("cut")))
    with pytest.raises(OSError, match="cut"):
        record.note()
    monkeypatch.undo()
    assert CaptureRecord(tmp_path, Time()).captured.count == 1


# --- a terminal ----------------------------------------------------------------------------------


@pytest.fixture
def device(tmp_path):
    with plugged(tmp_path) as made:
        yield made


@pytest.fixture
def dispenser(device):
    made = Crt591(str(device.link), times=TIMES)
    yield made
    made.close()


@pytest.fixture
def box():
    return EventBox()


@pytest.fixture
def service(dispenser, box):
    made = Crt591Cards(dispenser, Crt591CardTimes(poll=0.01, stop=5))
    made.start(box)
    box.take(2)
    yield made
    made.stop()


def station(service, dispenser, tmp_path, news, times, stop=None):
    record = CaptureRecord(tmp_path, Time())
    psam = PsamInReader(service, SAM)
    back = CardReturn(dispenser, record, news.append, times, stop)
    return CardStation(service, CONTACT, (psam,), random=os.urandom, give_back=back), record


def insert(device, box, name="v3"):
    eventually(lambda: device.machine.entry)
    with device.lock:
        device.machine.put(name)
    assert isinstance(box.take(1)[0], CardInserted)


def test_read_and_taken(device, dispenser, service, box, tmp_path):
    news = []
    cards, record = station(service, dispenser, tmp_path, news, LONG)
    insert(device, box)
    reading = cards.read()
    assert reading.genuine and reading.holder is not None

    def resident():
        eventually(lambda: device.machine.spot.name == "GATE")
        with device.lock:
            device.machine.take()

    hand = threading.Thread(target=resident)
    hand.start()
    assert cards.release() == Release(ReleaseEnd.RELEASED)
    hand.join(10)
    assert box.take(1) == [CardTaken(CONTACT)]
    assert (news, record.captured.count) == ([], 0)
    # The next resident may insert his.
    insert(device, box, "v2")


def test_forgotten_kept_counted_and_the_next_is_served(device, dispenser, service, box, tmp_path):
    news = []
    cards, record = station(service, dispenser, tmp_path, news, QUICK)
    insert(device, box)
    cards.read()
    assert cards.release() == Release(ReleaseEnd.CAPTURED)
    assert device.machine.bin == ["v3"]
    assert news == [CardCaptured(1)]
    assert CaptureRecord(tmp_path, Time()).captured.count == record.captured.count == 1
    assert box.take(1) == [CardTaken(CONTACT, kept=True)]
    insert(device, box, "v2")
    cards.release()
    assert news == [CardCaptured(1), CardCaptured(2)]


def test_a_visit_without_a_card_ends_without_a_movement(device, dispenser, service, box, tmp_path):
    news = []
    cards, _record = station(service, dispenser, tmp_path, news, QUICK)
    eventually(lambda: device.machine.entry)
    assert cards.release() == Release(ReleaseEnd.RELEASED)
    assert device.machine.entry
    assert not [name for name in device.commands if name.startswith("32")]


def test_a_full_bin_is_told(device, dispenser, service, box, tmp_path):
    news = []
    cards, record = station(service, dispenser, tmp_path, news, QUICK)
    device.machine.fill_bin()
    insert(device, box)
    full = DispenserReason.ERROR_BIN_FULL
    assert cards.release() == Release(ReleaseEnd.STILL_PRESENT, full)
    assert news == [CardNotReturned(full)]
    assert record.captured.count == 0


def test_a_dispenser_that_is_away_with_a_card_is_told_once(device, dispenser, service, box,
                                                           tmp_path):  # fmt: skip
    news = []
    cards, _record = station(service, dispenser, tmp_path, news, QUICK)
    insert(device, box)
    device.unplug()
    gone = Release(ReleaseEnd.STILL_PRESENT, DispenserReason.GONE)
    # The second is the end of a visit by e-card.
    assert [cards.release(), cards.release()] == [gone, gone]
    assert news == [CardNotReturned(DispenserReason.GONE)]
    device.plug()
    assert cards.release() == Release(ReleaseEnd.CAPTURED)
    device.unplug()
    assert cards.release() == Release(ReleaseEnd.RELEASED)
    assert news[1:] == [CardCaptured(1)]


def test_only_a_card_that_the_bin_has_no_room_for_can_be_taken():
    assert not CardNotReturned(DispenserReason.ERROR_BIN_FULL).out_of_reach
    assert all(
        CardNotReturned(reason).out_of_reach
        for reason in (None, *DispenserReason)
        if reason is not DispenserReason.ERROR_BIN_FULL
    )


def test_the_end_of_the_process_is_no_trouble(device, dispenser, service, box, tmp_path):
    news, stop = [], threading.Event()
    cards, _record = station(service, dispenser, tmp_path, news, LONG, stop)
    insert(device, box)
    stop.set()
    assert cards.release() == Release(ReleaseEnd.STILL_PRESENT)
    assert news == []
    assert device.machine.spot.name == "GATE"


def test_a_disk_that_fails_hides_no_captured_card(device, dispenser, service, box, tmp_path,
                                                  monkeypatch):  # fmt: skip
    news = []
    cards, _record = station(service, dispenser, tmp_path, news, QUICK)
    insert(device, box)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError("full")))
    assert cards.release() == Release(ReleaseEnd.CAPTURED)
    assert news == [CardCaptured(1)]


def test_what_is_left_in_the_records():
    lines, alarms = [], []

    def record(event, *, outcome, visit=None, detail=None):
        lines.append((event, outcome, detail))

    record_capture(CardCaptured(3), record, alarms.append)
    record_capture(CardNotReturned(DispenserReason.JAM), record, alarms.append)
    record_capture(CardNotReturned(None), record, alarms.append)
    assert lines == [
        ("card.captured", "ok", {"count": 3}),
        ("card.not-returned", "fault", {"reason": "jam"}),
        ("card.not-returned", "fault", {"reason": "unknown"}),
    ]
    assert alarms == ["card.captured", "card.not-returned", "card.not-returned"]


def test_a_plain_reader_says_whether_the_card_is_still_there():
    class Reader:
        def __init__(self, present):
            self.present = present

        def readers(self):
            return (ReaderState("Slot 00", self.present, False, b""),)

    for present, end in ((True, ReleaseEnd.STILL_PRESENT), (False, ReleaseEnd.RELEASED)):
        assert CardStation(Reader(present), "Slot", (), random=os.urandom).release().end is end
