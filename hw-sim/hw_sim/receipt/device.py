"""The receipt printer (凭条打印机) on its serial line or on TCP, and the slips that came out of it.

What it does is in `hw_sim.receipt.machine`; how the slips look in `hw_sim.receipt.paper`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hw_sim.faults import Fault
from hw_sim.receipt.machine import Query, ReceiptMachine
from hw_sim.receipt.paper import Printed
from hw_sim.serial_device import SerialDevice
from hw_sim.serial_line import SerialLine
from hw_sim.socket_line import SocketLine

OWN_FAULTS = {
    "paper-out": False,  # the paper ends right before this answer
    "cover": False,  # the cover comes open right before this answer
}
_KEPT = 100


@dataclass(frozen=True)
class CutSlip:
    """A piece of paper that came out.

    Attributes:
        file: its picture, one pixel a dot.
        text: its lines, from left to right as they stand.
    """

    number: int
    file: Path
    text: tuple[str, ...] = field(repr=False)


class ReceiptDevice(SerialDevice[Query]):
    """A printer that can be plugged in and out.

    Args:
        link: points at its terminal while it is plugged in; with `network` a file that holds its
            ``host:port``.
        folder: pictures of the slips go there, ``slip-0001.png`` and so on.
        font, four_bytes, boot_seconds: as `hw_sim.receipt.machine.ReceiptMachine`.
    """

    def __init__(
        self,
        link: Path,
        folder: Path,
        *,
        network: bool = False,
        font: Path | None = None,
        four_bytes: bool = False,
        boot_seconds: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.machine = ReceiptMachine(
            self._keep, font=font, four_bytes=four_bytes, boot_seconds=boot_seconds, clock=clock
        )
        self._folder = folder
        self._network = network
        self._slips: list[CutSlip] = []
        self._count = 0
        super().__init__(
            link,
            "receipt printer",
            self.machine,
            faults=OWN_FAULTS,
            clock=clock,
            line=SocketLine if network else SerialLine,
        )

    @property
    def address(self) -> str:
        """Where a host finds it: the link, or ``tcp://host:port``."""
        return f"tcp://{self.link.read_text()}" if self._network else str(self.link)

    @property
    def slips(self) -> tuple[CutSlip, ...]:
        """What came out, the last 100."""
        return tuple(self._slips)

    def strike(self, fault: Fault, command: Query) -> bytes | None:
        match fault.name:
            case "paper-out":
                self.machine.load(0)
            case "cover":
                self.machine.set_cover(is_open=True)
        return None

    def _keep(self, printed: Printed) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._count += 1
        file = self._folder / f"slip-{self._count:04d}.png"
        printed.image.save(file)
        self._slips = [*self._slips, CutSlip(self._count, file, printed.text)][-_KEPT:]
