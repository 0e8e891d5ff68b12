"""A printed sheet as somebody sees who holds it in his hand: its picture, its code, its QR."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw_sim.hall.codes import payload_of

_GROUP = "([2-9A-HJ-NP-Z]{4})"
_CODE = re.compile(rf"\b{'-'.join([_GROUP] * 4)}\b")
_RESOLUTION = "200"
"""Dots per inch of the picture; a scanner's camera sees about as much."""
_SECONDS = 30


class SheetUnreadable(Exception):
    """poppler is missing, or the sheet has not what it must have."""


@contextmanager
def picture(pdf: Path) -> Iterator[Path]:
    """A PNG of the sheet's last page, where the code stands.

    Raises:
        SheetUnreadable: see there.
    """
    pages = re.findall(r"^Pages:\s+(\d+)$", _poppler("pdfinfo", pdf), re.MULTILINE)
    if not pages:
        raise SheetUnreadable(f"{pdf.name} tells no number of pages")
    with tempfile.TemporaryDirectory(prefix="yikatong-sheet-") as folder:
        target = Path(folder) / "sheet"
        last = ("-f", pages[0], "-l", pages[0], "-r", _RESOLUTION, "-png", "-singlefile")
        _poppler("pdftoppm", *last, pdf, target)
        yield target.with_suffix(".png")


def qr_text(pdf: Path) -> str:
    """What stands in the sheet's QR. Raises SheetUnreadable, `hw_sim.hall.control.Refused`."""
    with picture(pdf) as image:
        return payload_of(image).decode("ascii")


def forged(text: str) -> str:
    """The text of a QR with another signature."""
    signed, mark, signature = text.partition("&s=")
    return signed + mark + ("B" if signature[:1] == "A" else "A") + signature[1:]


def code(pdf: Path) -> str:
    """The sheet's code without its dashes, 16 characters. Raises SheetUnreadable."""
    found = {"".join(match.groups()) for match in _CODE.finditer(_poppler("pdftotext", pdf, "-"))}
    if len(found) != 1:
        raise SheetUnreadable(f"{pdf.name} has {len(found)} codes")
    return found.pop()


def _poppler(program: str, *arguments: str | Path) -> str:
    try:
        done = subprocess.run(
            [program, *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        raise SheetUnreadable(f"{program} is not installed (Debian: poppler-utils)") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise SheetUnreadable(f"{program} failed: {type(error).__name__}") from None
    return done.stdout
