"""The technical log: JSON lines for engineers, with nothing of a resident in them (DESIGN §4.7).

Three guards: only listed extra fields are written; numbers long enough to be a person's or a
card's, digits after "pin" and long hex are blotted out of every text; an exception is told by its
type and place, its message only when the class is ours. Audit is another file (`kiosk.audit`).
"""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

EXTRAS = frozenset(
    {"visit", "device", "lane", "step", "service", "failure", "attempt", "seconds", "sw"}
)
"""Names of the extra fields that a log call may carry; all others are dropped."""

OUR_ROOMS = frozenset({"apdu", "drivers", "kiosk", "offline_queue", "provisioning", "ui"})
"""Packages whose exception texts are written without personal data (house rule)."""

FILE_NAME = "terminal.log"
_MAXIMUM_BYTES = 5_000_000
_KEPT_FILES = 5

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A person's number (18), an old one (15), bank and card numbers, also written in groups and
    # also in full-width digits, which \d knows.
    (re.compile(r"\d(?:[ \-]?\d){13,}[\dXxＸｘ]?"), "[number]"),
    (re.compile(r"(?i)(pin|password|密码|口令)(\W{0,4})\d+"), r"\1\2[pin]"),
    # Keys, PIN blocks, cryptograms: 8 bytes and more in hex.
    (re.compile(r"(?i)\b(?:[0-9a-f]{2}[ :]?){8,}\b"), "[hex]"),
)


def redact(text: str) -> str:
    """The text with everything blotted out that could be a number of a person, a PIN or a key."""
    for pattern, stand_in in _RULES:
        text = pattern.sub(stand_in, text)
    return text


def describe(problem: BaseException) -> str:
    """One line: the exception's type, its text when the class is ours, and where it was raised.

    Texts of other libraries' exceptions are left out: they quote what they were given.
    """
    kind = type(problem)
    name = kind.__qualname__
    if kind.__module__.split(".")[0] in OUR_ROOMS:
        text = f"{name}: {redact(str(problem))}"
    elif isinstance(problem, OSError) and problem.errno is not None:
        text = f"{name}: errno {problem.errno}"
    elif isinstance(problem, ImportError) and problem.name:
        text = f"{name}: {redact(problem.name)}"
    else:
        text = name
    frames = traceback.extract_tb(problem.__traceback__)
    return f"{text} ({_place(frames[-1])})" if frames else text


class JsonFormatter(logging.Formatter):
    """One JSON object a record: time, level, logger, text, listed extras, exception's places."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": _text(record),
        }
        for name in sorted(EXTRAS & record.__dict__.keys()):
            value = record.__dict__[name]
            entry[name] = value if _is_small_number(value) else redact(str(value))
        problem = record.exc_info[1] if record.exc_info else None
        if problem is not None:
            entry["error"] = describe(problem)
            entry["trace"] = [_place(f) for f in traceback.extract_tb(problem.__traceback__)]
        return json.dumps(entry, ensure_ascii=False)


class _File(logging.handlers.RotatingFileHandler):
    """Readable by its owner alone; a full disk loses a line and never stops the terminal."""

    def _open(self):  # type: ignore[no-untyped-def]
        stream = super()._open()
        with contextlib.suppress(OSError):
            Path(self.baseFilename).chmod(0o600)
        return stream

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """The stock one prints the record's arguments to standard error."""


def start(folder: Path, *, level: int = logging.INFO, to_stderr: bool = False) -> None:
    """Send all logging of this process to ``folder/terminal.log`` and catch uncaught exceptions.

    The file is rotated at 5 MB, five old ones are kept. Called again, it replaces the earlier
    target.

    Raises:
        OSError: the file cannot be opened.
    """
    handlers: list[logging.Handler] = [
        _File(
            folder / FILE_NAME,
            maxBytes=_MAXIMUM_BYTES,
            backupCount=_KEPT_FILES,
            encoding="utf-8",
        )
    ]
    if to_stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger()
    stop()
    for handler in handlers:
        handler.setFormatter(JsonFormatter())
        root.addHandler(handler)
    root.setLevel(level)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def stop() -> None:
    """Take the handlers of `start` away and close the file."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h.formatter, JsonFormatter)]:
        root.removeHandler(handler)
        handler.close()
    sys.excepthook = sys.__excepthook__
    threading.excepthook = threading.__excepthook__


def _uncaught(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("kiosk").critical("uncaught exception", exc_info=(kind, problem, trace))
    sys.stderr.write(f"uncaught exception: {describe(problem)}\n")


def _uncaught_in_thread(details: threading.ExceptHookArgs) -> None:
    if details.exc_value is not None:
        _uncaught(details.exc_type, details.exc_value, details.exc_traceback)


def _place(frame: traceback.FrameSummary) -> str:
    parts = Path(frame.filename).parts[-2:]
    return f"{'/'.join(parts)}:{frame.lineno} {frame.name}"


def _text(record: logging.LogRecord) -> str:
    try:
        return redact(record.getMessage())
    except Exception as bug:
        # Losing the line would hide the bug; the stock handler would print the arguments.
        place = f"{Path(record.pathname).name}:{record.lineno}"
        return f"malformed log call, {type(bug).__name__}, {place}"


def _is_small_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and abs(value) < 1e12)
