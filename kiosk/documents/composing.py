"""The composing process: typst and the QR encoder, fed through one socket.

Started by `kiosk.documents.composer` with the socket as standard input. First comes a frame with
the templates and fonts, then one frame a certificate; each is answered by one frame. It ends when
the kiosk hangs up, or by SIGALRM when it works on one certificate for longer than agreed, even in
native code. It can't write any file.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import socket
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import qrcode
import typst

from kiosk import process
from kiosk.documents import frames
from kiosk.documents.coverage import NoFont, choose, committed_folder
from kiosk.documents.typefaces import FAMILY, RareFont

READY = "ready"
DOCUMENT = "document"
CANNOT_SHOW = "cannot-show"
TEMPLATE_FAULT = "template-fault"

_PDF_STANDARD = "a-2b"
_QUIET_MODULES = 4
"""ISO/IEC 18004 §5.3.8."""
_MASK = 4
_PREVIEW_PPI = 110
"""An A4 page becomes 910 x 1287 pixels."""
_MOST_PAGES = frames.MOST_BLOBS - 1
_PLACE = re.compile(r"\.typ:(\d+:\d+)")


class TemplateFault(Exception):
    """typst refused, or had a warning; ``where`` is line and column in the template."""

    def __init__(self, diagnostic: str) -> None:
        # The diagnostic itself may quote the certificate.
        place = _PLACE.search(diagnostic)
        self.where = place[1] if place else ""
        super().__init__(self.where)


class Workshop:
    """Templates and fonts, opened once; `make` uses them for one certificate after the other."""

    def __init__(self, header: dict[str, Any], templates: tuple[bytes, ...]) -> None:
        self._templates = dict(zip(header["kinds"], templates, strict=True))
        self._rare_fonts = [
            RareFont(Path(path), face, family) for path, face, family in header["rare_fonts"]
        ]
        self._compilers: dict[RareFont | None, Any] = {}
        self._compiler(None)

    def make(self, order: dict[str, Any], seal_png: bytes) -> tuple[bytes, ...]:
        """PDF, then a PNG for each page. Raises TemplateFault, NoFont."""
        data = order["certificate"]
        font = choose(data, self._rare_fonts)
        families = [FAMILY] + ([font.family] if font else [])
        work = {
            "input": self._templates[order["kind"]],
            "sys_inputs": {
                "certificate": json.dumps({**data, "fonts": families}, ensure_ascii=False),
                "seal": seal_bytes(seal_png),
                "qr": qr_picture(order["qr"]),
            },
        }
        compiler = self._compiler(font)
        pdf = self._compile(
            compiler,
            format="pdf",
            pdf_standards=[_PDF_STANDARD],
            pdf_tags=False,
            timestamp=order["printed_at"],
            **work,
        )
        if not order["previews"]:
            return (pdf,)
        pages = self._compile(compiler, format="png", ppi=_PREVIEW_PPI, **work)
        if isinstance(pages, bytes):  # typst makes no list of a single page
            pages = [pages]
        if len(pages) > _MOST_PAGES:
            raise TemplateFault("")
        return (pdf, *pages)

    def _compile(self, compiler: Any, **work: Any) -> Any:
        try:
            made, warnings = compiler.compile_with_warnings(**work)
        except typst.TypstError as error:
            raise TemplateFault(error.diagnostic) from None
        if warnings:
            raise TemplateFault(warnings[0].diagnostic)
        return made

    def _compiler(self, font: RareFont | None) -> Any:
        if font not in self._compilers:
            committed = committed_folder()
            folders = [committed] + ([font.path.parent] if font else [])
            fonts = typst.Fonts(
                include_system_fonts=False,
                include_embedded_fonts=False,
                font_paths=[str(folder) for folder in folders],
            )
            # A template can read files below the root only; that of the fonts holds no secret.
            self._compilers[font] = typst.Compiler(font_paths=fonts, root=str(committed))
        return self._compilers[font]


@lru_cache(maxsize=8)
def seal_bytes(png: bytes) -> str:
    """A PNG as a JSON list of its bytes.

    From this typst makes a picture that it keeps for the next certificate; with an SVG around the
    PNG it would decode and deflate the pixels each time.
    """
    return json.dumps([*png], separators=(",", ":"))


def qr_picture(text: str) -> str:
    """The QR of an ASCII text as SVG: one path, with its quiet zone."""
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M,
        border=_QUIET_MODULES,
        # Readers take any mask. To look for the best of eight costs five times as much as all
        # else, and gains nothing with digests and signatures, which are random anyway.
        mask_pattern=_MASK,
    )
    code.add_data(text.encode("ascii"), optimize=0)
    code.make(fit=True)
    rows = code.get_matrix()
    strokes = [
        f"M{x} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for x, length in _runs(row)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}">'
        f'<path d="{"".join(strokes)}"/></svg>'
    )


def _runs(row: list[bool]) -> Iterator[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    start = 0
    for dark, group in groupby(row):
        length = len(list(group))
        if dark:
            yield start, length
        start += length


def _serve(line: socket.socket) -> None:
    opening = frames.receive(line)
    if opening is None:
        return
    header: dict[str, Any] = opening.header
    seconds = float(header["seconds"])
    workshop = Workshop(header, opening.blobs)
    frames.send(line, {"answer": READY})
    while (order := frames.receive(line)) is not None:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        answer, blobs = _answer(workshop, order)
        frames.send(line, answer, blobs)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answer(workshop: Workshop, order: frames.Frame) -> tuple[dict[str, object], tuple[bytes, ...]]:
    try:
        (seal_png,) = order.blobs
        return {"answer": DOCUMENT}, workshop.make(order.header, seal_png)
    except NoFont:
        return {"answer": CANNOT_SHOW}, ()
    except TemplateFault as fault:
        return {"answer": TEMPLATE_FAULT, "where": fault.where}, ()


def main() -> None:
    """Serve until the kiosk hangs up."""
    process.harden()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with socket.socket(fileno=0) as line:
        _serve(line)


if __name__ == "__main__":
    main()
