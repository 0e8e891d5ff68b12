"""udev rules that give a terminal's devices stable names, from `udev.toml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.confidence import Confidence
from kiosk.toml_tables import FileProblem, Table

FOLDER = "yikatong"
"""Below /dev."""
KNOWN = Path(__file__).parent / "udev.toml"
_ID = re.compile("[0-9a-f]{4}:[0-9a-f]{4}")
_NAME = re.compile("[a-zA-Z][a-zA-Z0-9*]*")
_PLACE = re.compile(r"[A-Za-z0-9:._-]{3,120}")
_ON_BOARD = re.compile("tty[A-Z]+[0-9]+")


class UdevProblem(FileProblem):
    """udev.toml itself is wrong: a bug of this release."""


class Subsystem(Enum):
    """Where the kernel puts a device node."""

    TTY = "tty"
    INPUT = "input"
    USBMISC = "usbmisc"


@dataclass(frozen=True)
class UsbId:
    """One known device: vendor and product, 4 hex digits each, and how sure that is."""

    vendor: str
    product: str
    mark: Confidence
    source: str


@dataclass(frozen=True)
class Link:
    """A stable name and what gets it.

    Attributes:
        name: the node is ``/dev/yikatong/NAME``.
        kernel: pattern of the kernel's own name for the node.
        group: who may open it.
    """

    name: str
    subsystem: Subsystem
    kernel: str
    group: str
    ids: tuple[UsbId, ...]


def known_links(file: Path = KNOWN) -> tuple[Link, ...]:
    """What the file declares. Raises UdevProblem."""
    top = Table.read(file, UdevProblem)
    links = top.table("link")
    top.finish()
    return tuple(_link(name, links.table(name)) for name in links)


def _link(name: str, table: Table) -> Link:
    link = Link(
        name,
        table.choice("subsystem", Subsystem),
        table.matching("kernel", _NAME, "a pattern like ttyACM*"),
        table.matching("group", _NAME, "a group"),
        tuple(_usb_id(entry) for entry in table.tables("ids")),
    )
    table.finish()
    return link


def _usb_id(table: Table) -> UsbId:
    vendor, _, product = table.matching("id", _ID, "an id like 04b8:0202").partition(":")
    found = UsbId(
        vendor, product, table.choice("mark", Confidence), table.text("source", empty=True)
    )
    table.finish()
    return found


def is_place(text: str) -> bool:
    """Whether this names a place of a line: ``ttyS1``, or udev's ID_PATH of what is plugged in
    there."""
    return _PLACE.fullmatch(text) is not None


def render(links: tuple[Link, ...], places: Mapping[str, str]) -> str:
    """The rules file.

    Args:
        places: by name of a link, where it is plugged in or soldered; see `is_place`. Those links
            go by their place alone.
    """
    return "\n".join(_lines(links, places)) + "\n"


def _lines(links: tuple[Link, ...], places: Mapping[str, str]) -> Iterator[str]:
    yield "# Stable names of a terminal's devices. Written by `yikatong devices udev`."
    yield "# 一卡通终端外设的固定名称，由 yikatong devices udev 生成。"
    yield ""
    yield 'ACTION=="remove", GOTO="yikatong_end"'
    for link in links:
        yield ""
        place = places.get(link.name)
        if place is not None:
            yield f"# {link.name}: by its place"
            yield _rule(link, _at(place))
            continue
        if not link.ids:
            yield f"# {link.name}: nothing is known of its USB id; name its place by --at"
        for known in link.ids:
            source = known.source or "assumed, not seen"
            yield f"# {link.name}: mark {known.mark.value}, {source}"
            match = f'ATTRS{{idVendor}}=="{known.vendor}", ATTRS{{idProduct}}=="{known.product}"'
            yield _rule(link, f'KERNEL=="{link.kernel}", {match}')
    yield ""
    yield 'LABEL="yikatong_end"'


def _at(place: str) -> str:
    if _ON_BOARD.fullmatch(place):
        return f'KERNEL=="{place}"'
    return f'ENV{{ID_PATH}}=="{place}"'


def _rule(link: Link, match: str) -> str:
    rule = (
        f'SUBSYSTEM=="{link.subsystem.value}", {match}, '
        f'SYMLINK+="{FOLDER}/{link.name}", GROUP="{link.group}", MODE="0660"'
    )
    match link.subsystem:
        case Subsystem.TTY:
            # Where it is installed, ModemManager would type modem commands at every such line.
            return rule + ', ENV{ID_MM_DEVICE_IGNORE}="1"'
        case Subsystem.INPUT:
            # What a scanner types must reach no window, not even before it is grabbed.
            return rule + ', ENV{LIBINPUT_IGNORE_DEVICE}="1"'
        case Subsystem.USBMISC:
            return rule
