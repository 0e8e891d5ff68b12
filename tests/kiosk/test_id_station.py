"""The ID reader as the terminal uses it: which cards count, and when another may be read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import pytest

from drivers.id_card import IdCard, IdCardKind
from drivers.id_reader import (
    CardLeft,
    IdReaderGone,
    IdReaderReason,
    IdReaderStatus,
    RawIdCard,
    ReadCancelled,
    ReadFailed,
)
from hw_sim.id_reader.cards import id_card
from hw_sim.population import population
from kiosk import id_station
from kiosk.id_station import IdStation
from kiosk.pages import IdCardProblem

TODAY = date(2026, 11, 22)
NEVER = threading.Event()


def raw(name: str) -> RawIdCard:
    card = id_card(name)
    return RawIdCard(card.text, card.photo)


def changed(name: str, at: int, text: str) -> RawIdCard:
    """A card with another text at an offset."""
    octets = bytearray(raw(name).text)
    octets[at : at + 2 * len(text)] = text.encode("utf-16-le")
    return RawIdCard(bytes(octets), raw(name).photo)


class Reader:
    """Gives what it is told, in order; a card that was read lies there for so many waits."""

    def __init__(self, *seen: RawIdCard | Exception) -> None:
        self.seen = list(seen)
        self.calls: list[str] = []
        self.taken: Callable[[threading.Event], None] = lambda cancelled: None
        self.reason: IdReaderReason | None = None

    def read_card(self, cancelled: threading.Event, seconds: float | None = None) -> RawIdCard:
        self.calls.append("read")
        found = self.seen.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def wait_until_taken(self, cancelled: threading.Event) -> None:
        self.calls.append("wait")
        self.taken(cancelled)

    def newest_address(self) -> str | None:
        return None

    def sam_id(self) -> str:
        return ""

    def reset(self) -> None: ...

    def status(self) -> IdReaderStatus:
        return IdReaderStatus(self.reason)

    def close(self) -> None:
        self.calls.append("close")


def station(*seen: RawIdCard | Exception, today: date = TODAY) -> tuple[IdStation, Reader]:
    reader = Reader(*seen)
    return IdStation(lambda: reader, lambda: today), reader


def read(made: IdStation) -> IdCard | IdCardProblem:
    return made.read(NEVER, lambda value: None)


def test_a_resident_s_card() -> None:
    made, _ = station(raw("citizen"))
    card = read(made)
    assert isinstance(card, IdCard)
    assert (card.name, card.number) == (population()[0].name, population()[0].number)
    assert made.lies


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("permit-hongkong", IdCardKind.PERMIT),
        ("permit-taiwan", IdCardKind.PERMIT),
        ("foreigner", IdCardKind.FOREIGNER),
    ],
)
def test_other_documents_whose_number_counts(name: str, kind: IdCardKind) -> None:
    card = read(station(raw(name))[0])
    assert isinstance(card, IdCard) and card.kind is kind


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (CardLeft(), IdCardProblem.MOVED),
        (ReadFailed(), IdCardProblem.UNREADABLE),
        (raw("expired"), IdCardProblem.OUT_OF_DATE),
        (changed("citizen", 188, "20261123"), IdCardProblem.OUT_OF_DATE),
        (raw("foreigner-old"), IdCardProblem.NO_NUMBER),
        (RawIdCard(b"\x01" * 256, b""), IdCardProblem.UNREADABLE),
        # The number's check character, birthday and sex are those of the card.
        (changed("citizen", 122 + 34, "0"), IdCardProblem.UNREADABLE),
        (changed("citizen", 36, "19780117"), IdCardProblem.UNREADABLE),
        (changed("citizen", 30, "1"), IdCardProblem.UNREADABLE),
    ],
    ids=lambda value: value.value if isinstance(value, IdCardProblem) else "found",
)
def test_what_is_of_no_use(found: RawIdCard | Exception, problem: IdCardProblem) -> None:
    assert read(station(found)[0]) is problem


def test_a_card_counts_on_its_first_and_its_last_day() -> None:
    for day in (date(2020, 1, 2), date(2025, 1, 1)):
        assert isinstance(read(station(raw("expired"), today=day)[0]), IdCard)
    for day in (date(2020, 1, 1), date(2025, 1, 2)):
        assert read(station(raw("expired"), today=day)[0]) is IdCardProblem.OUT_OF_DATE


def test_nobody_s_card_is_read_before_the_last_one_was_taken() -> None:
    made, reader = station(raw("citizen"), raw("resident:1"))
    read(made)
    told: list[bool] = []
    reader.taken = lambda cancelled: told.append(made.lies)
    reports: list[object] = []
    card = made.read(NEVER, reports.append)
    assert reader.calls == ["read", "wait", "read"]
    assert told == [True] and reports == [True]
    assert isinstance(card, IdCard) and card.number == population()[1].number


@pytest.mark.parametrize("found", [ReadCancelled(), IdReaderGone("away"), ReadFailed()])
def test_whatever_may_lie_there_must_leave_first(found: Exception) -> None:
    made, reader = station(found, raw("citizen"))
    try:
        read(made)
    except (ReadCancelled, IdReaderGone):
        assert not made.lies
    assert made.watched
    assert isinstance(read(made), IdCard)
    assert reader.calls == ["read", "wait", "read"]


def test_a_card_that_left_by_itself_is_not_waited_for() -> None:
    made, reader = station(CardLeft(), raw("citizen"))
    read(made)
    assert not made.watched
    read(made)
    assert reader.calls == ["read", "read"]


def test_cancelled_while_the_last_card_lies_there() -> None:
    made, reader = station(raw("citizen"))
    read(made)

    def refuse(cancelled: threading.Event) -> None:
        raise ReadCancelled

    reader.taken = refuse
    with pytest.raises(ReadCancelled):
        read(made)
    assert made.lies and reader.calls == ["read", "wait"]


def test_a_look_ends_when_the_card_is_taken_or_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(id_station, "WATCH_SECONDS", 0.01)
    made, reader = station(raw("citizen"))
    read(made)

    def lies(cancelled: threading.Event) -> None:
        assert cancelled.wait(10)
        raise ReadCancelled

    reader.taken = lies
    assert made.watch() and made.lies
    reader.taken = lambda cancelled: None
    assert not made.watch()
    assert not made.watched


def test_nobody_is_kept_waiting_for_a_reader_that_does_not_answer() -> None:
    made, reader = station(raw("citizen"))
    read(made)
    reader.reason = IdReaderReason.GONE
    assert not made.watch()
    assert made.lies, "before the next card this one must have been seen to be gone"
    assert reader.calls == ["read"]


def test_it_is_opened_when_needed_and_closed_once() -> None:
    made, reader = station(raw("citizen"))
    made.close()
    assert reader.calls == []
    read(made)
    made.close()
    made.close()
    assert reader.calls == ["read", "close"]


def test_it_tells_how_the_reader_stands() -> None:
    assert station()[0].look() == IdReaderStatus(None)


def test_a_stream_is_one_reading() -> None:
    made, _ = station(raw("citizen"))
    stream = made.cards()
    assert stream.lane == made.lane == "id-reader"
    assert isinstance(stream.run(lambda value: None), IdCard)
    stream.cancel()
    assert stream._cancelled.is_set() and not made.cards()._cancelled.is_set()
