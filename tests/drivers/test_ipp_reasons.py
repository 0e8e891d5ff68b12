"""What a printer's state and reasons mean, keyword by keyword and in all combinations."""

import itertools
import tomllib
from importlib import resources

import pytest

from drivers.document_printer import PrinterNote, PrinterReason, PrinterStatus
from drivers.ipp.reasons import meanings, printer_status, unknown_reasons

R, N = PrinterReason, PrinterNote

RFC_8011 = {
    "other": None,
    "none": None,
    "media-needed": R.PAPER_OUT,
    "media-jam": R.JAM,
    "moving-to-paused": R.STOPPED,
    "paused": R.STOPPED,
    "shutdown": R.STOPPED,
    "connecting-to-device": None,
    "timed-out": R.GONE,
    "stopping": R.STOPPED,
    "stopped-partly": None,
    "toner-low": N.SUPPLY_LOW,
    "toner-empty": R.SUPPLY_OUT,
    "spool-area-full": R.STOPPED,
    "cover-open": R.DOOR,
    "interlock-open": R.DOOR,
    "door-open": R.DOOR,
    "input-tray-missing": R.TRAY,
    "media-low": N.PAPER_LOW,
    "media-empty": R.PAPER_OUT,
    "output-tray-missing": R.TRAY,
    "output-area-almost-full": None,
    "output-area-full": R.OUTPUT_FULL,
    "marker-supply-low": N.SUPPLY_LOW,
    "marker-supply-empty": R.SUPPLY_OUT,
    "marker-waste-almost-full": N.SUPPLY_LOW,
    "marker-waste-full": R.SUPPLY_OUT,
    "fuser-over-temp": None,
    "fuser-under-temp": None,
    "opc-near-eol": N.SUPPLY_LOW,
    "opc-life-over": R.SUPPLY_OUT,
    "developer-low": N.SUPPLY_LOW,
    "developer-empty": R.SUPPLY_OUT,
    "interpreter-resource-unavailable": None,
}
OTHERS = {
    "offline": R.GONE,
    "input-cannot-feed-size-selected": R.PAPER_OUT,
    "input-manual-input-request": R.PAPER_OUT,
    "media-path-media-tray-full": R.OUTPUT_FULL,
    "marker-supply-missing": R.SUPPLY_OUT,
    "marker-toner-missing": R.SUPPLY_OUT,
    "marker-toner-cartridge-missing": R.SUPPLY_OUT,
    "marker-ink-empty": R.SUPPLY_OUT,
    "marker-ink-missing": R.SUPPLY_OUT,
    "marker-waste-missing": R.SUPPLY_OUT,
    "marker-waste-toner-receptacle-full": R.SUPPLY_OUT,
    "marker-waste-toner-receptacle-missing": R.SUPPLY_OUT,
    "marker-waste-ink-receptacle-full": R.SUPPLY_OUT,
    "marker-waste-ink-receptacle-missing": R.SUPPLY_OUT,
    "marker-opc-missing": R.SUPPLY_OUT,
    "marker-developer-empty": R.SUPPLY_OUT,
    "deactivated": R.STOPPED,
    "hold-new-jobs": R.STOPPED,
    "marker-supply-almost-empty": N.SUPPLY_LOW,
    "marker-ink-almost-empty": N.SUPPLY_LOW,
    "marker-waste-toner-receptacle-almost-full": N.SUPPLY_LOW,
    "marker-waste-ink-receptacle-almost-full": N.SUPPLY_LOW,
    "marker-developer-almost-empty": N.SUPPLY_LOW,
    "media-path-media-tray-almost-full": None,
    "identify-printer-requested": None,
    "resuming": None,
    "testing": None,
}
ALL = RFC_8011 | OTHERS
IDLE, PROCESSING, STOPPED = 3, 4, 5
URGENCY = [R.GONE, R.JAM, R.DOOR, R.PAPER_OUT, R.TRAY, R.OUTPUT_FULL, R.SUPPLY_OUT, R.STOPPED]


def status(state, *reasons, accepting=True, queued=0):
    return printer_status(
        {
            "printer-state": (state,),
            "printer-state-reasons": reasons,
            "printer-is-accepting-jobs": (accepting,),
            "queued-job-count": (queued,),
        }
    )


@pytest.mark.parametrize("severity", ["", "-error", "-warning", "-report"])
@pytest.mark.parametrize(("word", "meaning"), ALL.items(), ids=list(ALL))
def test_each_keyword(word, meaning, severity):
    found = status(IDLE, word + severity)
    reason = meaning if isinstance(meaning, R) else None
    notes = {meaning} if isinstance(meaning, N) else set()
    assert found == PrinterStatus(reason, frozenset(notes), busy=False)
    stopped = status(STOPPED, word + severity)
    assert stopped == PrinterStatus(reason or R.STOPPED, frozenset(notes), busy=False)


def test_the_table_and_this_one_have_the_same_keywords():
    path = resources.files("drivers.ipp").joinpath("reasons.toml")
    table = tomllib.loads(path.read_text("utf-8"))
    listed = [word for kind in table.values() for words in kind.values() for word in words]
    assert sorted(listed) == sorted(ALL)
    assert meanings() == {word: meaning for word, meaning in ALL.items() if meaning}


def test_every_reason_and_note_can_come():
    """What lies in the trays, and words that stand nowhere, are seen elsewhere."""
    assert {*meanings().values()} == {*R, *N} - {N.PAPER_SIZE, N.OTHER}


WORD = {
    None: "none",
    R.GONE: "offline-report",
    R.JAM: "media-jam-error",
    R.DOOR: "door-open",
    R.PAPER_OUT: "media-empty-warning",
    R.TRAY: "input-tray-missing",
    R.OUTPUT_FULL: "output-area-full",
    R.SUPPLY_OUT: "toner-empty",
    R.STOPPED: "paused",
}


@pytest.mark.parametrize("state", [IDLE, PROCESSING, STOPPED])
@pytest.mark.parametrize("notes", [(), ("media-low",), ("toner-low-report", "media-low-warning")])
def test_the_most_urgent_of_any_three_reasons(state, notes):
    assert list(R) == URGENCY
    for several in itertools.product([None, *R], repeat=3):
        words = [WORD[reason] for reason in several]
        expected = min(
            (reason for reason in several if reason), key=URGENCY.index, default=None
        ) or (R.STOPPED if state == STOPPED else None)
        found = status(state, *words, *notes)
        assert found.reason is expected
        assert len(found.notes) == len(notes)
        assert found.busy == (state == PROCESSING)


@pytest.mark.parametrize(
    ("word", "kept"),
    [("com.maker.strange-error", "com.maker.strange"), ("wifi-not-configured",) * 2, ("", None),
     ("-error", None), ("cups-remote-pending", None), ("media-low", None), ("testing", None)],
)  # fmt: skip
def test_unknown_reasons_are_kept_in_the_printers_words(word, kept):
    attributes = {"printer-state": (IDLE,), "printer-state-reasons": ("none", word)}
    assert unknown_reasons(attributes) == (() if kept is None else (kept,))
    assert (N.OTHER in printer_status(attributes).notes) == (kept is not None)


@pytest.mark.parametrize("word", ["com.maker.strange-error", "wifi-not-configured", "", "-error"])
def test_unknown_reasons_count_only_where_the_printer_is_stopped(word):
    assert status(IDLE, word).reason is None
    assert status(PROCESSING, word).reason is None
    assert status(STOPPED, word).reason is R.STOPPED
    assert status(STOPPED, word, "media-empty").reason is R.PAPER_OUT


@pytest.mark.parametrize("word", ["cups-missing-filter-warning", "cups-media-empty", "cups-"])
def test_the_spoolers_own_reasons_never_count(word):
    assert status(IDLE, word, "media-low").reason is None


def test_only_one_severity_is_dropped():
    assert status(IDLE, "media-empty-error-report").reason is None


def test_a_printer_that_takes_no_jobs():
    assert status(IDLE, accepting=False).reason is R.STOPPED
    assert status(IDLE, "media-jam", accepting=False).reason is R.JAM


@pytest.mark.parametrize("state", [0, 6, -1])
def test_a_state_that_is_none(state):
    assert status(state).reason is R.STOPPED


@pytest.mark.parametrize(
    "attributes",
    [{}, {"printer-state": ("idle",)}, {"printer-state-reasons": ("none",)},
     {"printer-state": (3, 4)}, {"printer-state": (True,)}],
)  # fmt: skip
def test_without_a_state_it_has_not_answered(attributes):
    assert printer_status(attributes).reason is R.GONE


@pytest.mark.parametrize(("state", "queued", "busy"), [(3, 0, False), (4, 0, True), (3, 1, True)])
def test_busy(state, queued, busy):
    assert status(state, queued=queued).busy == busy


def test_the_state_alone_is_enough():
    assert printer_status({"printer-state": (3,)}) == PrinterStatus(None)
