"""What the document printer says of its parts: supplies, tray, alerts, counters.

Syntaxes: PWG 5100.13 (printer-supply, printer-input-tray), PWG 5100.9 (printer-alert), the CUPS
attributes ``marker-…``, PWG 5100.7 (media-col). Levels of a receptacle: ``marker-levels`` say how
full it is, ``printer-supply`` how much room is left (RFC 3805 prtMarkerSuppliesLevel).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hw_sim.printer.facts import facts
from hw_sim.printer.ipp import Attributes, Tag, Value, Values
from hw_sim.printer.machine import TRAY_SHEETS, WASTE, PrintingMachine

_ALERTS = {
    "media-jam": ("jam", "mediaPath"),
    "door-open": ("coverOpen", "cover"),
    "media-empty": ("inputMediaSupplyEmpty", "input"),
    "media-needed": ("inputMediaSizeChange", "input"),
    "media-low": ("inputMediaSupplyLow", "input"),
    "toner-empty": ("markerTonerEmpty", "markerSupplies"),
    "toner-low": ("markerTonerAlmostEmpty", "markerSupplies"),
    "marker-waste-full": ("markerWasteTonerReceptacleFull", "markerSupplies"),
    "marker-waste-almost-full": ("markerWasteTonerReceptacleAlmostFull", "markerSupplies"),
}
_SEVERITIES = {"error": "critical", "warning": "warning", "report": "other"}


def parts(machine: PrintingMachine) -> Attributes:
    """How its parts stand now."""
    rows = facts()["supply"]
    levels = machine.supplies
    found: dict[str, Values] = {
        "marker-colors": _all(Tag.NAME, *(row["shown"] for row in rows.values())),
        "marker-high-levels": _all(
            Tag.INTEGER, *(row["warns"] if name == WASTE else 100 for name, row in rows.items())
        ),
        "marker-levels": _all(Tag.INTEGER, *(levels[name] for name in rows)),
        "marker-low-levels": _all(
            Tag.INTEGER, *(0 if name == WASTE else row["warns"] for name, row in rows.items())
        ),
        "marker-names": _all(Tag.NAME, *(row["called"] for row in rows.values())),
        "marker-types": _all(Tag.KEYWORD, *(_keyword(row["type"]) for row in rows.values())),
        "printer-impressions-completed": _all(Tag.INTEGER, machine.impressions),
        "printer-input-tray": _all(Tag.OCTETS, _tray(machine)),
        "printer-supply": _all(Tag.OCTETS, *(_supply(machine, name) for name in rows)),
        "printer-supply-description": _all(Tag.TEXT, *(row["called"] for row in rows.values())),
    }
    if machine.sheets and "input-tray-missing" not in machine.complaints:
        found["media-ready"] = _all(Tag.KEYWORD, machine.media)
        found["media-col-ready"] = _all(Tag.COLLECTION, _ready(machine.media))
    alerts = list(_alerts(machine))
    if alerts:
        found["printer-alert"] = _all(Tag.OCTETS, *(alert for alert, _ in alerts))
        found["printer-alert-description"] = _all(Tag.TEXT, *(words for _, words in alerts))
    return found


def _supply(machine: PrintingMachine, name: str) -> bytes:
    row, level = facts()["supply"][name], machine.supplies[name]
    waste = name == WASTE
    fields = {
        "index": list(facts()["supply"]).index(name) + 1,
        "class": "receptacleThatIsFilled" if waste else "supplyThatIsConsumed",
        "type": row["type"],
        "unit": "percent",
        "maxcapacity": 100,
        "level": 100 - level if waste and level >= 0 else level,
        "colorantname": "none" if waste else name,
    }
    return _octets(fields)


def _tray(machine: PrintingMachine) -> bytes:
    length, width = (facts()["media"][machine.media][side] * 10 for side in (1, 0))
    missing = "input-tray-missing" in machine.complaints
    return _octets(
        {
            "type": "sheetFeedAutoRemovableTray",
            "dimunit": "micrometers",
            "mediafeed": length,
            "mediaxfeed": width,
            "maxcapacity": TRAY_SHEETS,
            "level": 0 if missing else machine.sheets,
            "status": 0,
            "name": "main",
        }
    )


def _ready(media: str) -> dict[str, Values]:
    width, length = facts()["media"][media]
    size = {"x-dimension": _all(Tag.INTEGER, width), "y-dimension": _all(Tag.INTEGER, length)}
    (usual,) = facts()["printer-description"]["media-col-database"]["collection"]
    members = {
        name: tuple(
            Value(Tag.INTEGER if "margin" in name else Tag.KEYWORD, each)
            for contents in given.values()
            for each in contents
        )
        for name, given in usual.items()
        if name != "media-size"
    }
    return {"media-size": _all(Tag.COLLECTION, size), **members}


def _alerts(machine: PrintingMachine) -> Iterator[tuple[bytes, str]]:
    for index, reason in enumerate(machine.reasons, 1):
        word, _, severity = reason.rpartition("-")
        code, group = _ALERTS.get(word, ("", ""))
        if not code:
            code = facts()["complaint"].get(word, {}).get("alert", "")
            group = "generalPrinter"
        if code:
            fields = {"index": index, "severity": _SEVERITIES[severity], "code": code}
            yield _octets({**fields, "group": group}), word.replace("-", " ")


def _octets(fields: dict[str, Any]) -> bytes:
    return "".join(f"{name}={value};" for name, value in fields.items()).encode()


def _keyword(kind: str) -> str:
    """A type of printer-supply as a keyword: wasteToner is waste-toner."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind)


def _all(tag: Tag, *contents: Any) -> Values:
    return tuple(Value(tag, content) for content in contents)
