"""What staff read about a printer's parts: which tray, which colour, how much is left."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.document_printer import (
    PrinterDetails,
    PrinterNote,
    PrinterReason,
    Supply,
    SupplyColour,
    SupplyKind,
    SupplyState,
    Tray,
)

Pair = tuple[str, str]
"""Chinese and English."""

_COLOURS: dict[SupplyColour, Pair] = {
    SupplyColour.BLACK: ("黑色", "black"),
    SupplyColour.CYAN: ("青色", "cyan"),
    SupplyColour.MAGENTA: ("品红", "magenta"),
    SupplyColour.YELLOW: ("黄色", "yellow"),
}
_KINDS: dict[SupplyKind, Pair] = {
    SupplyKind.TONER: ("墨粉", "toner"),
    SupplyKind.INK: ("墨水", "ink"),
    SupplyKind.DRUM: ("硒鼓", "drum"),
    SupplyKind.FUSER: ("定影器", "fuser"),
    SupplyKind.WASTE: ("废粉盒", "waste box"),
    SupplyKind.OTHER: ("耗材", "supply"),
}


def where(details: PrinterDetails, meaning: PrinterReason | PrinterNote) -> Pair:
    """Which part an obstacle or a note is about; empty where the printer doesn't say."""
    match meaning:
        case PrinterReason.PAPER_OUT:
            pairs = [tray_words(tray) for tray in details.trays if tray.sheets == 0]
        case PrinterNote.PAPER_SIZE:
            pairs = [tray_words(tray) for tray in details.trays if tray.size is not None]
        case PrinterReason.SUPPLY_OUT:
            pairs = _of(details, SupplyState.SPENT)
        case PrinterNote.SUPPLY_LOW:
            pairs = _of(details, SupplyState.LOW, SupplyState.SPENT)
        case PrinterNote.OTHER | PrinterReason.STOPPED:
            told = details.unknown or ((details.message,) if details.message else ())
            pairs = [(word, word) for word in told]
        case _:
            words = [alert.words for alert in details.alerts if alert.critical and alert.words]
            pairs = [(word, word) for word in words[:1]]
    return "、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs)


def lines(details: PrinterDetails) -> Iterator[Pair]:
    """All that it tells of its parts, a line each."""
    if details.model:
        yield (f"型号：{details.model}", f"model: {details.model}")
    for tray in details.trays:
        zh, en = tray_words(tray)
        if tray.sheets is None:
            yield (f"{zh}：不报张数", f"{en}: does not count")
        else:
            yield (f"{zh}：{tray.sheets} 张", f"{en}: {tray.sheets} sheets")
    yield from map(supply_words, details.supplies)
    for alert in details.alerts:
        text = f"{alert.code} {alert.words}".strip()
        yield (f"告警：{text}", f"alert: {text}")
    for word in details.unknown:
        yield (f"打印机提示：{word}", f"the printer says: {word}")
    if details.impressions is not None:
        yield (f"累计 {details.impressions} 面", f"{details.impressions} sides printed in its life")


def tray_words(tray: Tray) -> Pair:
    """A tray and its paper."""
    size = "" if tray.size is None else f"{tray.size[0] / 100:g}×{tray.size[1] / 100:g} mm"
    name = f"{tray.name} {size}".strip()
    return f"纸盒 {name}", f"tray {name}"


def supply_words(supply: Supply) -> Pair:
    """A supply, and what is left of it."""
    zh, en = _KINDS[supply.kind]
    if supply.colour is not None:
        hue_zh, hue_en = _COLOURS[supply.colour]
        zh, en = f"{hue_zh}{zh}", f"{hue_en} {en}"
    elif supply.kind is SupplyKind.OTHER:
        zh, en = supply.name, supply.name
    if supply.percent is None:
        known = supply.state is not SupplyState.UNKNOWN
        return f"{zh}{'有' if known else '余量不明'}", f"{en} {'there' if known else 'unknown'}"
    if supply.kind is SupplyKind.WASTE:
        return f"{zh}剩余空间 {supply.percent}%", f"{en} {supply.percent}% free"
    return f"{zh} {supply.percent}%", f"{en} {supply.percent}%"


def _of(details: PrinterDetails, *states: SupplyState) -> list[Pair]:
    return [supply_words(supply) for supply in details.supplies if supply.state in states]
