"""What a check of `yikatong doctor` finds, and how checks run: at once, each with its deadline."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from provisioning.machine import Machine

_LOG = logging.getLogger(__name__)


class Severity(Enum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """The terminal works, but somebody should look at it."""
    FAIL = "fail"
    """The terminal must not go into service."""
    SKIPPED = "skipped"
    """Could not or need not be checked."""


@dataclass(frozen=True)
class Words:
    """One text, Chinese first."""

    zh: str
    en: str


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        name: the check, for machines; see `TITLES` of `provisioning.inspections`.
        told: what was found.
        advice: what to do next; None where there is nothing to do.
        facts: numbers and words for machines, nothing secret and nobody's data.
    """

    name: str
    severity: Severity
    told: Words
    advice: Words | None = None
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)


def ok(name: str, zh: str, en: str, **facts: str | int | float | bool) -> Finding:
    """All is well."""
    return Finding(name, Severity.OK, Words(zh, en), None, facts)


def warn(
    name: str, told: tuple[str, str], advice: tuple[str, str], **facts: str | int | float | bool
) -> Finding:
    """See `Severity.WARN`; the pairs are Chinese and English."""
    return Finding(name, Severity.WARN, Words(*told), Words(*advice), facts)


def fail(
    name: str, told: tuple[str, str], advice: tuple[str, str], **facts: str | int | float | bool
) -> Finding:
    """See `Severity.FAIL`; the pairs are Chinese and English."""
    return Finding(name, Severity.FAIL, Words(*told), Words(*advice), facts)


def skipped(name: str, zh: str, en: str) -> Finding:
    """See `Severity.SKIPPED`."""
    return Finding(name, Severity.SKIPPED, Words(zh, en))


@dataclass(frozen=True)
class Inspection:
    """Checks that visit the same thing, one after the other on one thread.

    Attributes:
        names: every finding it gives, in this order.
        deadline: seconds for all of them.
        visit: yields the findings as it goes.
    """

    names: tuple[str, ...]
    deadline: float
    visit: Callable[[Machine], Iterator[Finding]]


def inspect(
    inspections: Sequence[Inspection],
    machine: Machine,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> list[Finding]:
    """Run all at once; what is not found by its deadline is a failure of its own.

    A thread that a device holds is left behind: it is a daemon and ends with the process.
    """
    began = monotonic()
    running = [(inspection, _start(inspection, machine)) for inspection in inspections]
    findings: list[Finding] = []
    for inspection, found in running:
        findings += _collect(inspection, found, began + inspection.deadline, monotonic)
    return findings


_Found = queue.SimpleQueue[Finding | None]


def _start(inspection: Inspection, machine: Machine) -> _Found:
    found: _Found = queue.SimpleQueue()

    def run() -> None:
        try:
            for finding in inspection.visit(machine):
                found.put(finding)
        except Exception as bug:
            _LOG.exception("inspection %s", inspection.names[0])
            found.put(_bug(inspection.names[0], bug))
        found.put(None)

    threading.Thread(target=run, name=f"doctor-{inspection.names[0]}", daemon=True).start()
    return found


def _collect(
    inspection: Inspection, found: _Found, end: float, monotonic: Callable[[], float]
) -> Iterator[Finding]:
    missing = list(inspection.names)
    while True:
        try:
            finding = found.get(timeout=max(0.0, end - monotonic()))
        except queue.Empty:
            yield from (_stuck(name, inspection.deadline) for name in missing)
            return
        if finding is None:
            yield from (_untold(name) for name in missing)
            return
        if finding.name in missing:
            missing.remove(finding.name)
        yield finding


def _stuck(name: str, deadline: float) -> Finding:
    return fail(
        name,
        (f"{deadline:g} 秒内没有结果", f"no result within {deadline:g} s"),
        ("检查设备的电源和连线，必要时重启本机", "check power and cable of the device, or reboot"),
    )


def _untold(name: str) -> Finding:
    return skipped(name, "取决于前一项，未检查", "depends on the check before")


def _bug(name: str, bug: Exception) -> Finding:
    kind = type(bug).__name__
    return fail(
        name,
        (f"检查程序自身出错（{kind}）", f"the check itself failed ({kind})"),
        ("请将日志交给开发人员", "hand the log to the developers"),
    )
