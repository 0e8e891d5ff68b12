"""Supplies, trays, alerts and counters, of printers that tell much or little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.document_printer import (
    PrinterAlert,
    PrinterDetails,
    PrinterNote,
    PrinterReason,
    PrinterStatus,
    Supply,
    SupplyColour,
    SupplyKind,
    SupplyState,
    Tray,
)
from drivers.ipp.answers import ExchangeFailed, Span, read_answer
from drivers.ipp.details import DETAIL_ATTRIBUTES, details_of, printer_details
from drivers.ipp.supplies import fields
from tests.drivers import printer_double as far

IDLE = {"printer-state": (3,)}
KIND, STATE = SupplyKind, SupplyState


def details(**told):
    return printer_details(IDLE | {name.replace("_", "-"): value for name, value in told.items()})


def markers(levels, **more):
    count = len(levels)
    usual = {
        "marker_names": tuple(f"Marker {place}" for place in range(count)),
        "marker_types": ("toner",) * count,
        "marker_levels": tuple(levels),
    }
    return details(**(usual | more)).supplies


def test_a_printer_that_tells_its_state_alone():
    found = printer_details(IDLE)
    assert found.status == PrinterStatus(None)
    assert (found.supplies, found.trays, found.alerts, found.unknown) == ((), (), (), ())
    assert (found.a4, found.impressions, found.copies) == (None, None, 1)


@pytest.mark.parametrize(
    ("level", "percent", "state"),
    [
        (100, 100, STATE.GOOD),
        (11, 11, STATE.GOOD),
        (10, 10, STATE.LOW),
        (1, 1, STATE.LOW),
        (0, 0, STATE.SPENT),
        (-1, None, STATE.GOOD),
        (-2, None, STATE.UNKNOWN),
        (-3, None, STATE.GOOD),
        (-9, None, STATE.UNKNOWN),
        (250, 100, STATE.GOOD),
    ],
)
def test_levels_of_markers_and_those_below_zero(level, percent, state):
    (supply,) = markers([level])
    assert (supply.percent, supply.state) == (percent, state)
    low = state in (STATE.LOW, STATE.SPENT)
    status = details(marker_names=("K",), marker_levels=(level,)).status
    assert (PrinterNote.SUPPLY_LOW in status.notes) == low
    assert status.reason is None


@pytest.mark.parametrize(("threshold", "state"), [(29, STATE.GOOD), (30, STATE.LOW)])
def test_the_printers_own_threshold_counts(threshold, state):
    assert markers([30], marker_low_levels=(threshold,))[0].state is state


@pytest.mark.parametrize(
    ("word", "kind"),
    [("toner", KIND.TONER), ("toner-cartridge", KIND.TONER), ("ink-cartridge", KIND.INK),
     ("opc", KIND.DRUM), ("fuser", KIND.FUSER), ("staples", KIND.OTHER), ("", KIND.OTHER)],
)  # fmt: skip
def test_kinds(word, kind):
    assert markers([50], marker_types=(word,))[0].kind is kind


@pytest.mark.parametrize(
    ("word", "colour"),
    [("#000000", SupplyColour.BLACK), ("#00ffff", SupplyColour.CYAN), ("none", None),
     ("#FF00FF", SupplyColour.MAGENTA), ("#FFFF00", SupplyColour.YELLOW), ("#00FFFF#FF00FF", None)],
)  # fmt: skip
def test_colours(word, colour):
    assert markers([50], marker_colors=(word,))[0].colour is colour


def test_lists_of_different_lengths():
    found = markers([50, 60, 70], marker_types=("toner",), marker_colors=(), marker_levels=(50, 60))
    assert [supply.percent for supply in found] == [50, 60, None]
    assert [supply.kind for supply in found] == [KIND.TONER, KIND.OTHER, KIND.OTHER]
    assert found[2].state is STATE.UNKNOWN


def test_the_level_of_a_box_means_nothing_without_its_row():
    (box,) = markers([100], marker_types=("waste-toner",))
    assert box == Supply("Marker 0", KIND.WASTE, None, None, STATE.UNKNOWN)


BOX = b"index=1;class=receptacleThatIsFilled;type=wasteToner;unit=percent;maxcapacity=100;level=%d;"
TONER = (
    b"index=2;class=supplyThatIsConsumed;type=toner;maxcapacity=4000;level=%d;colorantname=black;"
)


@pytest.mark.parametrize(
    ("room", "state"), [(25, STATE.GOOD), (5, STATE.LOW), (0, STATE.SPENT), (-2, STATE.UNKNOWN)]
)
def test_a_box_with_its_row_has_so_much_room(room, state):
    found = markers(
        [50, 70], marker_types=("toner", "waste-toner"), printer_supply=(BOX % room, TONER % 1)
    )
    assert found[0].percent == 50
    assert (found[1].kind, found[1].state) == (KIND.WASTE, state)


def test_the_second_source_serves_where_there_are_no_markers():
    """As Debian's ippeveprinter tells it."""
    found = details(
        printer_supply=(BOX % 25, TONER % 3000),
        printer_supply_description=("Toner Waste Tank", "Black Toner"),
    ).supplies
    assert found == (
        Supply("Toner Waste Tank", KIND.WASTE, None, 25, STATE.GOOD),
        Supply("Black Toner", KIND.TONER, SupplyColour.BLACK, 75, STATE.GOOD),
    )


@pytest.mark.parametrize(
    ("row", "percent", "state"),
    [
        (b"type=toner;maxcapacity=-2;level=40", None, STATE.GOOD),
        (b"type=toner;maxcapacity=0;level=40", None, STATE.GOOD),
        (b"type=toner;level=40", None, STATE.GOOD),
        (b"type=toner;maxcapacity=9;level=x", None, STATE.UNKNOWN),
        (b"type=toner", None, STATE.UNKNOWN),
        (b"type=toner;maxcapacity=200;level=0", 0, STATE.SPENT),
        (b"level", None, STATE.UNKNOWN),
    ],
)
def test_rows_that_say_little(row, percent, state):
    (supply,) = details(printer_supply=(row,)).supplies
    assert (supply.percent, supply.state) == (percent, state)
    assert supply.name == supply.kind.value


def test_words_of_a_printer_are_shown_without_control_characters_or_end():
    (supply,) = markers([5], marker_names=("\x1b[2JBlack\n" + "x" * 500,))
    assert supply.name.startswith("[2JBlackx") and len(supply.name) <= 60


# --- paper -----------------------------------------------------------------------------------


def col(width, length, source="main"):
    return {
        "media-size": ({"x-dimension": (width,), "y-dimension": (length,)},),
        "media-source": (source,),
    }


@pytest.mark.parametrize(
    ("told", "a4"),
    [
        ({"media_ready": ("iso_a4_210x297mm",)}, True),
        ({"media_ready": ("na_letter_8.5x11in", "iso_a4_210x297mm")}, True),
        ({"media_ready": ("na_letter_8.5x11in", "na_number-10_4.125x9.5in")}, False),
        ({"media_ready": ("om_tray-two_210x297mm",)}, True),
        ({"media_ready": ("custom_a4_8.27x11.69in",)}, True),
        ({"media_ready": ("na_letter_8.5x11in", "auto")}, None),
        ({"media_ready": ()}, None),
        ({"media_col_ready": (col(21590, 27940), col(21000, 29700))}, True),
        ({"media_col_ready": (col(29700, 21000),)}, True),
        ({"media_col_ready": (col(21590, 27940),)}, False),
        ({"media_col_ready": ({"media-source": ("main",)},)}, None),
        ({"media_col_ready": ({"media-size-name": ("iso_a4_210x297mm",)},)}, True),
        ({"media_col_ready": (col(14800, 21000),), "media_ready": ("iso_a4_210x297mm",)}, False),
    ],
)
def test_a4_is_there_or_not_or_nobody_says(told, a4):
    found = details(**told)
    assert found.a4 is a4
    assert (PrinterNote.PAPER_SIZE in found.status.notes) == (a4 is False)
    assert found.status.reason is None


def test_trays_with_their_paper():
    found = details(
        printer_input_tray=(
            b"type=sheetFeedAutoRemovableTray;maxcapacity=-2;level=-2;status=0;name=auto",
            b"type=sheetFeedAutoRemovableTray;maxcapacity=250;level=100;status=0;name=main",
            b"type=sheetFeedManual;maxcapacity=1;level=-2;status=0;name=manual",
            b"type=other;level=0",
        ),
        media_col_ready=(col(21000, 29700), col(14800, 21000, "else")),
    ).trays
    assert found == (Tray("main", 100, (21000, 29700)), Tray("manual", None, None))


def test_trays_without_a_list():
    found = details(media_col_ready=(col(21000, 29700, "tray-1"), col(1, 2, "tray-2"))).trays
    assert found == (Tray("tray-1", None, (21000, 29700)), Tray("tray-2", None, (1, 2)))


# --- the rest --------------------------------------------------------------------------------


def test_alerts():
    found = details(
        printer_alert=(
            b"index=1;severity=critical;group=cover;groupindex=1;code=coverOpen;",
            b"severity=criticalUnaryChangeEvent;code=jam",
            b"severity=warning;code=markerTonerAlmostEmpty",
            b"severity=warning",
        ),
        printer_alert_description=("Close the door", "Jam"),
    ).alerts
    assert found == (
        PrinterAlert("coverOpen", True, "Close the door"),
        PrinterAlert("jam", True, "Jam"),
        PrinterAlert("markerTonerAlmostEmpty", False, ""),
    )


@pytest.mark.parametrize(
    ("told", "copies"),
    [
        ({"copies_supported": (Span(1, 99),)}, 99),
        ({"copies_supported": (5,)}, 1),
        ({"copies_supported": (Span(0, 0),)}, 1),
        ({"copies_supported": (Span(1, 99),), "job_creation_attributes_supported": ("media",)}, 1),
        ({"copies_supported": (Span(1, 9),), "job_creation_attributes_supported": ("copies",)}, 9),
    ],
)
def test_copies(told, copies):
    assert details(**told).copies == copies


def test_model_message_and_count():
    found = details(
        printer_make_and_model=("Make Model",),
        printer_state_message=("缺纸",),
        printer_impressions_completed=(123456,),
        printer_up_time=(60,),
    )
    assert found.up_time == 60
    assert (found.model, found.message, found.impressions) == ("Make Model", "缺纸", 123456)


def test_a_printer_that_refuses_to_tell():
    answer = read_answer(far.message(0x0500, 1, b"\x04" + far.enum("printer-state", 3)))
    assert details_of(answer).status == PrinterStatus(PrinterReason.STOPPED)


def test_fields():
    assert fields("A=1; b = x=y ;;c") == {"a": "1", "b": "x=y"}


@given(st.lists(st.tuples(st.sampled_from(DETAIL_ATTRIBUTES), st.sampled_from(
    [0x21, 0x22, 0x23, 0x30, 0x33, 0x34, 0x37, 0x41, 0x44, 0x4A]), st.binary(max_size=12)),
    max_size=12))  # fmt: skip
def test_attributes_of_any_syntax_are_survived(attributes):
    told = b"".join(far.attribute(tag, name, value) for name, tag, value in attributes)
    try:
        answer = read_answer(far.message(0, 1, b"\x04" + far.enum("printer-state", 3) + told))
    except ExchangeFailed:
        return
    assert isinstance(details_of(answer), PrinterDetails)
