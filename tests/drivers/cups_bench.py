"""A CUPS queue and the device behind it for tests of our driver, in a time of the test's own."""

import contextlib

from drivers.cups.printer import CupsPrinter
from drivers.ipp.watch import IppPatience
from tests.drivers import printer_double as far
from tests.drivers.printer_double import Job, PrinterDouble
from tests.drivers.printing_bench import NAME, PATIENCE, Bench


class CupsBench(Bench):
    """`printer` is the spooler, `device` the printer behind it; `job` is the spooler's, `own` what
    became of it at the device."""

    def __init__(self):
        self.device = PrinterDouble(next_job=40)
        super().__init__()
        self.printer.template = Job(NAME, far.PROCESSING, impressions=3, begun=5)
        self.queue()

    def another(self, **changes):
        patience = IppPatience(**{**vars(PATIENCE), **changes})
        server = f"127.0.0.1:{self.printer.port}"
        return CupsPrinter("Sim", patience, server, clock=lambda: self.now, sleep=self.sleep)

    def queue(self, uri=None, policy="stop-printer"):
        uri = self.device.url + "?waitjob=false" if uri is None else uri
        self.printer.more = far.attribute(0x45, "device-uri", uri.encode())
        self.printer.more += far.titled("printer-error-policy", policy)

    @property
    def own(self):
        return self.device.jobs[40]

    def arrives(self, **job):
        """A step: the spooler's backend hands the job to the device."""

        def step():
            self.device.jobs[40] = Job(NAME, **{"impressions": 0, **job})

        return step

    def at_device(self, *reasons, **job):
        """A step: the device's reasons and its job's attributes."""

        def step():
            if reasons:
                self.device.reasons = reasons
            for name, value in job.items():
                setattr(self.own, name, value)

        return step

    def close(self):
        for each in (self.printer, self.device):
            with contextlib.suppress(OSError):
                each.close()


def asked(double, *operations):
    return [operation for operation in double.operations() if operation in operations]


def stop(bench, accepting=True):
    """CUPS stops the queue."""
    bench.printer.state, bench.printer.reasons = 5, ("paused",)
    bench.printer.accepting = accepting
