"""The machine under examination: where its things are, and how its devices are opened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.config import Kind, TerminalConfig

if TYPE_CHECKING:
    from drivers.card_service import CardService
    from drivers.code_scanner import CodeScanner
    from drivers.document_printer import DocumentPrinter
    from drivers.pin_pad import PinPad


def _card_service() -> CardService:
    from drivers.pcsc.service import PcscService

    return PcscService()


def _open_pad(config: TerminalConfig) -> PinPad:
    from kiosk.devices import open_pad

    assert config.pad is not None
    return open_pad(config.pad)


def _open_scanner(config: TerminalConfig) -> CodeScanner:
    from kiosk.devices import open_camera, open_scanner

    assert config.scanner is not None
    camera = config.camera
    return open_scanner(config.scanner, None if camera is None else lambda: open_camera(camera))


def _open_printer(config: TerminalConfig) -> DocumentPrinter:
    from kiosk.devices import open_printer

    assert config.printer is not None
    return open_printer(config.printer)


def _local_now() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True)
class Machine:
    """What the checks look at. The defaults are this machine; tests hand in others.

    Attributes:
        config: None when there is none or it cannot be read (`config_error` then says why).
        state: the state directory, None when nobody named one.
        root: where ``/proc`` and ``/usr`` hang.
    """

    config: TerminalConfig | None = None
    config_error: str = ""
    state: Path | None = None
    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    card_service: Callable[[], CardService] = _card_service
    open_pad: Callable[[TerminalConfig], PinPad] = _open_pad
    open_scanner: Callable[[TerminalConfig], CodeScanner] = _open_scanner
    open_printer: Callable[[TerminalConfig], DocumentPrinter] = _open_printer
    clock: Callable[[], float] = time.time
    local_now: Callable[[], datetime] = _local_now

    @property
    def in_field(self) -> bool:
        """A field configuration: what a demonstration may lack, it may not."""
        return self.config is not None and self.config.kind is Kind.FIELD
