"""The receipt printer (凭条打印机) as the terminal uses it: one slip a call, on its worker."""

from __future__ import annotations

from drivers.device import DeviceKind
from drivers.document_printer import PrintEnd
from drivers.receipt_printer import ReceiptPrinter, SlipOutcome
from kiosk.audit.recorder import Recorder
from kiosk.device_watch import DeviceLane
from kiosk.slips import Business, compose, print_slip
from kiosk.texts import Texts


class ReceiptStation:
    """Prints slips in the terminal's own language.

    Args:
        printer: its lane, which is watched too.
        place: the hall and the machine.

    Attributes:
        failed: it could not print when it was looked at last.
    """

    lane = DeviceKind.RECEIPT.value

    def __init__(
        self,
        printer: DeviceLane[ReceiptPrinter],
        texts: Texts,
        *,
        place: str,
        hotline: str,
        record: Recorder,
    ) -> None:
        self._printer = printer
        self._texts = texts
        self._place = place
        self._hotline = hotline
        self._record = record
        self.failed = False

    def print_slip(self, business: Business) -> SlipOutcome:
        """Print once, whatever comes of it; a slip is never printed again by itself."""
        slip = compose(business, self._texts, place=self._place, hotline=self._hotline)
        outcome = print_slip(self._printer.device, slip, self._texts)
        self._record(
            "slip.ended",
            outcome="ok" if outcome.end is PrintEnd.DONE else "fault",
            detail={
                "serial": business.serial,
                "result": outcome.end.value,
                "reason": "none" if outcome.reason is None else outcome.reason.value,
            },
        )
        return outcome
