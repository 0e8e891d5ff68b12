"""Codes in the hall: what a resident's phone shows to the terminal's scanner."""

from __future__ import annotations

from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.questions import Question, Questions, choice, here, text
from hw_sim.platform.server import PlatformServer
from hw_sim.scanner.device import SHOW_SECONDS, ScannerDevice

_ECARDS = "fresh expired used wrong-channel"


class CodeDesk:
    """The scanner, and the phones before it.

    Attributes:
        questions: what can be asked about them.
        scanner: None while the hall is closed.
    """

    def __init__(self) -> None:
        self.scanner: ScannerDevice | None = None
        self._platform: PlatformServer | None = None
        self.questions: Questions = {
            "scan": self._scan,
            "ecard": self._ecard,
            "scanner": self._switch,
        }

    def open(self, link: Path, platform: PlatformServer) -> None:
        """Plug the scanner in; the platform issues the e-cards."""
        self.scanner = ScannerDevice(link)
        self._platform = platform
        self.scanner.plug()

    def close(self) -> None:
        """Unplug it; safe to call twice."""
        if self.scanner is not None:
            self.scanner.unplug()
            self.scanner = None

    def status(self) -> Answer:
        """How the scanner stands."""
        scanner = here(self.scanner)
        return {
            "plugged": scanner.plugged,
            "triggered": scanner.triggered,
            "code_shown": scanner.shows,
            "codes_read": scanner.codes_read,
            "illegal": list(scanner.illegal),
        }

    def _scan(self, question: Question) -> Answer:
        if ("text" in question) == ("image" in question):
            raise Refused("scan needs either 'text' or 'image'")
        if "text" in question:
            payload = text(question, "text").encode()
        else:
            payload = payload_of(Path(text(question, "image")))
        hold = question.get("hold", False)
        if not isinstance(hold, bool):
            raise Refused("scan takes 'hold': true or false")
        return self._show(payload, hold=hold)

    def _ecard(self, question: Question) -> Answer:
        card, state = text(question, "card"), choice(question, "state", _ECARDS)
        self._plugged()
        try:
            code = here(self._platform).issue_ecard(card, state)
        except LookupError:
            raise Refused(f"{card!r} is no card of a resident; v3 is one") from None
        return {"text": code, **self._show(code.encode())}

    def _show(self, payload: bytes, *, hold: bool = False) -> Answer:
        try:
            self._plugged().show(payload, hold=hold)
        except ValueError as error:
            raise Refused(str(error)) from None
        return {"bytes": len(payload), "seconds": SHOW_SECONDS}

    def _switch(self, question: Question) -> Answer:
        scanner = here(self.scanner)
        if choice(question, "state", "plugged unplugged") == "plugged":
            scanner.plug()
        else:
            scanner.unplug()
        return {}

    def _plugged(self) -> ScannerDevice:
        scanner = here(self.scanner)
        if not scanner.plugged:
            raise Refused("the scanner is unplugged")
        return scanner


def payload_of(image: Path) -> bytes:
    """The payload of the only QR code in a picture.

    Raises:
        Refused: it is no picture, or has no code or several.
    """
    import zxingcpp
    from PIL import Image

    try:
        with Image.open(image) as picture:
            coloured = picture.convert("RGBA")
    except (OSError, ValueError, Image.DecompressionBombError):
        raise Refused(f"{image} is not a picture that can be read") from None
    paper = Image.new("RGBA", coloured.size, "white")
    paper.alpha_composite(coloured)
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(paper.convert("L"), formats=only_qr)
    if len(found) != 1:
        count = len(found) or "no"
        raise Refused(f"{image} has {count} QR code{'s' if found else ''}; one is needed")
    return found[0].bytes
