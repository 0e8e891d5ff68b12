"""The head anchor: a small file beside the log that says how far the log went.

It shows that lines were cut off the end, which the chain alone cannot. It is replaced after each
line and not fsynced: a power cut may leave an older anchor, never one ahead of the log. Whoever
can write the folder can also forge it; proof against that is the copy that the platform keeps.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Anchor:
    """The newest line when the anchor was written.

    Attributes:
        digest: hex SM3 of that line.
    """

    seq: int
    digest: str


def beside(log: Path) -> Path:
    """Where the anchor of a log is."""
    return log.with_name(log.name + ".head")


def read(file: Path) -> Anchor | None:
    """The anchor, or None when there is none or a power cut left it unreadable."""
    try:
        record = json.loads(file.read_bytes())
        anchor = Anchor(record["seq"], record["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if type(anchor.seq) is not int or not isinstance(anchor.digest, str):
        return None
    return anchor


def write(file: Path, anchor: Anchor) -> None:
    """Replace the anchor atomically. Raises OSError."""
    draft = file.with_name(file.name + ".new")
    text = json.dumps({"digest": anchor.digest, "seq": anchor.seq}, sort_keys=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text.encode("ascii") + b"\n")
    finally:
        os.close(descriptor)
    draft.replace(file)
