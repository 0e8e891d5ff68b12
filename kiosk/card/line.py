"""The way to one card or PSAM: it can be cut, and recorded while it is in use."""

from __future__ import annotations

import threading
from pathlib import Path

from apdu.errors import CardMute
from apdu.recording.recorder import RecordingTransport
from apdu.recording.stand_ins import StandIns
from drivers.card_service import CardConnection


class Line:
    """A transport over a connection.

    Args:
        connection: the card; closed by whoever opened it.
        cut: once set, nothing is sent any more.
    """

    def __init__(self, connection: CardConnection, cut: threading.Event) -> None:
        self.connection = connection
        self.recorder: RecordingTransport | None = None
        self._cut = cut

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self.connection.atr

    def record(self, stand_ins: StandIns) -> None:
        """Keep a redacted transcript from now on."""
        self.recorder = RecordingTransport(self.connection, stand_ins)

    def transmit(self, command: bytes | bytearray) -> bytes:
        """See `Transport.transmit`. Raises CardMute once the line is cut."""
        if self._cut.is_set():
            raise CardMute("given up")
        return (self.recorder or self.connection).transmit(command)

    def reset(self) -> bytes:
        """See `Transport.reset`. Raises CardMute once the line is cut."""
        if self._cut.is_set():
            raise CardMute("given up")
        return (self.recorder or self.connection).reset()

    def close(self) -> None:
        """See `Transport.close`."""
        self.connection.close()


def psam_file(file: Path) -> Path:
    """Where the PSAM's transcript is kept, beside the card's."""
    return file.with_name(f"{file.stem}-psam{file.suffix}")


def save(file: Path, card: Line, psams: tuple[Line, ...]) -> None:
    """Write what was recorded: the card's transcript, and that of a PSAM which was asked.

    Raises:
        OSError: a file cannot be written, or exists.
    """
    told = [line.recorder.transcript for line in psams if line.recorder is not None]
    asked = [transcript for transcript in told if transcript.events]
    if card.recorder is not None:
        _write(file, card.recorder.transcript.text())
    if asked:
        _write(psam_file(file), asked[0].text())


def _write(file: Path, text: str) -> None:
    with file.open("x", encoding="ascii") as opened:
        opened.write(text)
