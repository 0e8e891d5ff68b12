"""A printer by IPP for the tests of our driver, in a time of the test's own."""

from drivers.document_printer import PrintEnd, PrinterReason
from drivers.ipp.printer import IppPrinter
from drivers.ipp.watch import IppPatience
from tests.drivers import printer_double as far
from tests.drivers.printer_double import PrinterDouble

R = PrinterReason
DONE, FAILED, UNKNOWN = PrintEnd.DONE, PrintEnd.FAILED, PrintEnd.UNKNOWN
PDF = b"%PDF-1.7 a certificate of 429900199001010011"
NAME = "4299-20250101-000001"
PATIENCE = IppPatience(connect=0.3, answer=0.3, submit=0.3, poll=1, obstacle=30, gone=10, sheet=20)


class Bench:
    """A printer, our driver on it, and a time that passes only where the driver sleeps: at each
    second of it the next step of the script is done, then `after`, as long as it takes."""

    def __init__(self):
        self.printer = PrinterDouble()
        self.now = 1000.0
        self.steps = []
        self.after = lambda: None
        self.told = []
        self.driver = self.another()

    def another(self, **changes):
        patience = IppPatience(**{**vars(PATIENCE), **changes})
        return IppPrinter(self.printer.url, patience, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        assert self.now < 10_000, "the driver would wait for ever"
        (self.steps.pop(0) if self.steps else self.after)()

    @property
    def job(self):
        return self.printer.jobs[7]

    def set(self, *reasons, **job):
        """A step: the printer's reasons and the job's attributes."""

        def step():
            if reasons:
                self.printer.reasons = reasons
            for name, value in job.items():
                setattr(self.job, name, value)

        return step

    def print(self, pages=3, driver=None, copies=1):
        printer = driver or self.driver
        return printer.print_document(PDF, NAME, pages, self.told.append, copies)


def finish(bench, pages=3):
    """A step: the job is done with so many sheets."""
    return bench.set("none", state=far.COMPLETED, impressions=pages)
