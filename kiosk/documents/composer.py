"""Certificates become sheets: the kiosk's end of the composing process.

typst lives in a child process: its memory is not the terminal's, a crash of native code ends only
the child, and what it has seen of a resident ends with it. Documents travel through a socket and
never touch a disk.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.documents import frames
from kiosk.documents.certificate import Certificate
from kiosk.documents.child import COMMAND, GRACE_SECONDS, Child
from kiosk.documents.child import ComposeFailed as ComposeFailed
from kiosk.documents.child import ComposeProblem as ComposeProblem
from kiosk.documents.layout import PrintStamp as PrintStamp
from kiosk.documents.layout import lay_out
from kiosk.documents.templates import CertificateBook
from kiosk.documents.typefaces import RARE_FONTS, RareFont
from kiosk.platform.models import Personal

START_SECONDS = 8.0
"""For the child's start, which reads 84 MB of typst from a disk that may be slow."""
DEADLINE_SECONDS = 6.0
"""For one document; a warm one takes some hundredths of a second."""


class CannotShow(Exception):
    """The certificate has characters that no font of this terminal can draw (DESIGN §4.9)."""

    def __init__(self) -> None:
        super().__init__("the certificate has characters that no font here can draw")


@dataclass(frozen=True, repr=False)
class Document(Personal):
    """A finished certificate.

    Attributes:
        pdf: PDF/A-2b, A4, all fonts embedded.
        pages: the same as PNG pictures, one a page, 910 pixels wide.
        serial: of the print job; it stands on every page.
        code: of the certificate, 16 characters.
    """

    pdf: bytes
    pages: tuple[bytes, ...]
    serial: str
    code: str


class Composer:
    """Starts the composing process when it is first needed, and anew when it failed.

    `warm_up`, `compose` and `pdf` belong to one worker; all others may come from any thread.

    Args:
        start_deadline: seconds for the start of the process.
        deadline: seconds for each document.
        rare_fonts: where to look for a full font with rare characters.
        command: how the composing process is started; its standard input is the socket.
    """

    lane = "composer"

    def __init__(
        self,
        book: CertificateBook,
        *,
        start_deadline: float = START_SECONDS,
        deadline: float = DEADLINE_SECONDS,
        rare_fonts: Sequence[RareFont] = RARE_FONTS,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._book = book
        self._start_deadline = start_deadline
        self._deadline = deadline
        self._rare_fonts = tuple(rare_fonts)
        self._command = tuple(command)
        self._gate = threading.Lock()
        self._child: Child | None = None
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """The composing process that runs now, None for none."""
        child = self._child
        return None if child is None or not child.alive else child.process_id

    def warm_up(self) -> None:
        """Start the composing process unless it runs. Raises ComposeFailed."""
        self._running()

    def compose(self, certificate: Certificate, stamp: PrintStamp) -> Document:
        """Make the sheets and their pictures.

        Raises:
            ComposeFailed: the next call starts a fresh process.
            CannotShow
        """
        pdf, *pages = self._make(certificate, stamp, previews=True)
        return Document(pdf, tuple(pages), stamp.serial, certificate.code)

    def pdf(self, certificate: Certificate, stamp: PrintStamp) -> bytes:
        """The sheets alone, the same bytes as `Document.pdf`. Raises as `compose`."""
        return self._make(certificate, stamp, previews=False)[0]

    def forget(self) -> None:
        """End the process and with it all that it has seen; the next call starts another.

        A document that is being composed fails with ComposeFailed.
        """
        with self._gate:
            if self._child is not None:
                self._child.end()
                self._child = None

    def close(self) -> None:
        """End the process for good, as `forget`."""
        self._closed = True
        self.forget()

    def _make(
        self, certificate: Certificate, stamp: PrintStamp, *, previews: bool
    ) -> tuple[bytes, ...]:
        """PDF, then the pictures asked for."""
        template = self._book.templates[certificate.kind]
        order: dict[str, object] = {
            "kind": certificate.kind.value,
            "certificate": lay_out(certificate, stamp, template),
            "qr": certificate.qr,
            "printed_at": int(stamp.printed_at.timestamp()),
            "previews": previews,
        }
        child = self._running()
        answer = self._ask(child, order, (certificate.seal_png,), self._deadline)
        match answer.header:
            case {"answer": "document"} if len(answer.blobs) > previews:
                return answer.blobs
            case {"answer": "cannot-show"}:
                raise CannotShow
            case {"answer": "template-fault", "where": str(where)}:
                raise ComposeFailed(ComposeProblem.TEMPLATE, where)
            case _:
                self._drop(child)
                raise ComposeFailed(ComposeProblem.GARBAGE)

    def _running(self) -> Child:
        with self._gate:
            if self._closed:
                raise ComposeFailed(ComposeProblem.CLOSED)
            if self._child is not None and not self._child.alive:
                self._child.end()
                self._child = None
            if self._child is None:
                self._child = Child(self._command)
            child = self._child
        if not child.ready:
            self._open(child)
        return child

    def _open(self, child: Child) -> None:
        templates = self._book.templates
        header: dict[str, object] = {
            "kinds": [kind.value for kind in templates],
            "rare_fonts": [[str(f.path), f.face, f.family] for f in self._rare_fonts],
            "seconds": self._deadline + GRACE_SECONDS,
        }
        sources = [template.source for template in templates.values()]
        try:
            answer = self._ask(child, header, sources, self._start_deadline)
        except ComposeFailed as failure:
            if failure.problem is ComposeProblem.CRASHED:
                raise ComposeFailed(ComposeProblem.NO_START) from None
            raise
        if answer.header != {"answer": "ready"}:
            self._drop(child)
            raise ComposeFailed(ComposeProblem.GARBAGE)
        child.ready = True

    def _ask(
        self, child: Child, header: dict[str, object], blobs: Sequence[bytes], deadline: float
    ) -> frames.Frame:
        """`Child.ask`; a process that failed once is not asked again."""
        try:
            return child.ask(header, blobs, deadline)
        except ComposeFailed:
            self._drop(child)
            if self._closed:
                raise ComposeFailed(ComposeProblem.CLOSED) from None
            raise

    def _drop(self, child: Child) -> None:
        with self._gate:
            child.end()
            if self._child is child:
                self._child = None
