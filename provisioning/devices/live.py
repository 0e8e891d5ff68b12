"""The live table of ``yikatong devices watch``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from kiosk.bilingual import Bilingual
from provisioning.devices.rounds import Event, Rounds
from provisioning.devices.showing import both
from provisioning.devices.words import kind_name, note, obstacle

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

_KEPT = 8
_UNKNOWN = Bilingual("正在询问…", "asking…")
_SERVES = Bilingual("正常", "serves")


class Picture:
    """How all devices stand now, and the last changes below."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._events: deque[Event] = deque(maxlen=_KEPT)

    def add(self, events: Iterable[Event]) -> None:
        """Take in what changed."""
        self._events.extend(events)

    def line(self, event: Event) -> Text:
        """One change in one line."""
        from rich.text import Text

        name, told = kind_name(event.kind), event.told
        style = "red" if event.reason else "yellow" if event.word == "note-added" else "green"
        text = f"{event.at:%H:%M:%S}  {name.zh} {name.en}: {told.zh}  {told.en}"
        return Text(text, style=style)

    def table(self) -> Group:
        """The whole picture."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table(title="设备监视 yikatong devices watch   Ctrl-C")
        table.add_column("设备 device", no_wrap=True)
        table.add_column("位置 address")
        table.add_column("状态 how it stands", ratio=1)
        table.add_column("自 since", no_wrap=True)
        healths = self._rounds.healths()
        for device in self._rounds.devices:
            health, since = healths[device.kind], ""
            words, style = _UNKNOWN, "dim"
            if health is not None:
                since = f"{datetime.fromtimestamp(health.since.wall):%H:%M:%S}"
                if health.reason is not None:
                    words, style = obstacle(device.kind, str(health.reason.value)).told, "bold red"
                elif health.notes:
                    notes = [note(device.kind, str(each.value)).told for each in health.notes]
                    words = Bilingual(
                        "；".join(n.zh for n in notes), "; ".join(n.en for n in notes)
                    )
                    style = "yellow"
                else:
                    words, style = _SERVES, "green"
            table.add_row(
                Text(both(kind_name(device.kind))),
                Text(device.address),
                Text(both(words), style=style),
                Text(since),
            )
        return Group(table, *(self.line(event) for event in self._events))
