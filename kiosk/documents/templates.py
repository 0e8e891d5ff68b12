"""How the province's certificates look, and whose seals they bear: ``certificates.toml``.

    verify_url = "https://…"
    [[seal]]                 # see `kiosk.documents.seals`
    [participation]          # one table a kind: template file, picture sizes, name, words, …

The layout is a typst file beside it. It is read here once, so that what is printed is what the
pack's signature covered, whatever happens to the file later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TypeVar

from kiosk.bilingual import Bilingual, read_bilingual
from kiosk.confidence import Confidence
from kiosk.documents.content import CertificateKind, InsuranceKind
from kiosk.documents.seals import Seals, read_seals
from kiosk.platform.models import PaymentState
from kiosk.toml_tables import Table

WORDS = frozenset(
    {
        "title",
        "code",
        "number",
        "name",
        "holder_number",
        "sex",
        "insurances",
        "insurance",
        "state",
        "span",
        "months",
        "units",
        "unit_number",
        "unit_name",
        "rows",
        "amounts",
        "month",
        "base",
        "pension",
        "unemployment",
        "settled",
        "settled_yes",
        "settled_no",
        "no_rows",
        "none",
        "notes",
        "issued",
        "verify",
        "digest",
        "terminal",
        "printed",
        "serial",
        "page",
    }
)
"""What a template is given words for; `kiosk.documents.layout` and the template use them."""
PLACEHOLDERS = frozenset({"as_of", "valid_until", "verify_url"})
"""What a note may name in braces."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_FILE = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*\.typ")
_LARGEST_TEMPLATE = 65_536
_PACKAGE = re.compile(rb'"\s*@')

E = TypeVar("E", bound=Enum)


@dataclass(frozen=True)
class Note:
    """A sentence under the figures, with where it comes from."""

    text: str
    mark: Confidence
    source: str


@dataclass(frozen=True)
class CertificateTemplate:
    """One kind of certificate.

    Attributes:
        name: on screens, for example 参保证明.
        source: the typst file's bytes.
        seal_mm, qr_mm: printed sizes, the QR's with its quiet zone.
        words: all of `WORDS`, as printed.
    """

    name: Bilingual
    source: bytes
    seal_mm: float
    qr_mm: float
    words: Mapping[str, str]
    insurances: Mapping[InsuranceKind, str]
    states: Mapping[PaymentState, str]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class CertificateBook:
    """Everything of certificates.toml; every kind has its template."""

    seals: Seals
    templates: Mapping[CertificateKind, CertificateTemplate]


def read_book(top: Table) -> CertificateBook:
    """From ``certificates.toml``. Raises the table's error."""
    book = CertificateBook(
        seals=read_seals(top),
        templates=MappingProxyType(
            {kind: _template(top.table(kind.value)) for kind in CertificateKind}
        ),
    )
    top.finish()
    return book


def _template(table: Table) -> CertificateTemplate:
    template = CertificateTemplate(
        name=read_bilingual(table.table("name")),
        source=_source(table),
        seal_mm=table.number("seal_mm", 20, 50),
        qr_mm=table.number("qr_mm", 28, 60),
        words=MappingProxyType(_words(table.table("words"))),
        insurances=_labels(table.table("insurances"), InsuranceKind),
        states=_labels(table.table("states"), PaymentState),
        notes=tuple(_note(entry) for entry in table.tables("note")),
    )
    table.finish()
    return template


def _source(table: Table) -> bytes:
    name = table.matching("template", _FILE, "a .typ file of the pack, in small letters")
    file = table.folder / PurePosixPath(name)
    try:
        source = file.read_bytes()
        source.decode("utf-8")
    except OSError as problem:
        raise table.problem("template", f"{name} cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise table.problem("template", f"{name} is not UTF-8 text") from None
    if len(source) > _LARGEST_TEMPLATE:
        raise table.problem("template", f"{name} has more than {_LARGEST_TEMPLATE} bytes")
    # typst would fetch such a package from the network.
    if _PACKAGE.search(source):
        raise table.problem("template", f"{name} imports a package")
    return source


def _words(table: Table) -> dict[str, str]:
    words = {key: table.text(key) for key in sorted(WORDS)}
    table.finish()
    return words


def _labels(table: Table, vocabulary: type[E]) -> Mapping[E, str]:
    labels = {member: table.text(member.value) for member in vocabulary}
    table.finish()
    return MappingProxyType(labels)


def _note(table: Table) -> Note:
    note = Note(
        text=table.text("text"),
        mark=table.choice("mark", Confidence),
        source=table.text("source"),
    )
    table.finish()
    for name in _PLACEHOLDER.findall(note.text):
        if name not in PLACEHOLDERS:
            known = ", ".join(sorted(PLACEHOLDERS))
            raise table.problem("text", f"names {{{name}}}; known are {known}")
    return note
