"""Requests to the document printer, put together byte by byte, and a printer without a wire."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_sim.printer.ipp import GroupTag
from hw_sim.printer.ipp_decoding import decode
from hw_sim.printer.jobs import PrintFolder
from hw_sim.printer.machine import PrintingMachine
from hw_sim.printer.operations import IppPrinter

URI = "ipp://127.0.0.1:631/ipp/print"
CHARSET = (0x47, "attributes-charset", b"utf-8")
LANGUAGE = (0x48, "attributes-natural-language", b"en")

Field = tuple[int, str, bytes]


def field(tag: int, name: str, value: bytes) -> bytes:
    return (
        struct.pack(">BH", tag, len(name)) + name.encode() + struct.pack(">H", len(value)) + value
    )


def pdf(pages: int) -> bytes:
    """A PDF with nothing on its pages."""
    kids = " ".join(f"{3 + n} 0 R" for n in range(pages))
    body = "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    body += f"2 0 obj\n<</Type/Pages/Count {pages}/Kids[{kids}]>>\nendobj\n"
    for n in range(pages):
        body += f"{3 + n} 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\n"
    return (body + "trailer\n<</Root 1 0 R>>\n%%EOF\n").encode()


def request(
    operation: int,
    *fields: Field,
    job: Sequence[Field] = (),
    data: bytes = b"",
    head: Sequence[Field] = (CHARSET, LANGUAGE),
    target: Sequence[Field] = ((0x45, "printer-uri", URI.encode()),),
    request_id: int = 1,
    version: tuple[int, int] = (2, 0),
) -> bytes:
    out = struct.pack(">BBHI", *version, operation, request_id) + b"\x01"
    out += b"".join(field(*each) for each in (*head, *target, *fields))
    if job:
        out += b"\x02" + b"".join(field(*each) for each in job)
    return out + b"\x03" + data


def print_job(name: str = "S-1", pages: int = 1, **more: Any) -> bytes:
    return request(0x0002, (0x42, "job-name", name.encode()), data=pdf(pages), **more)


def of_job(operation: int, identity: int, *fields: Field, data: bytes = b"") -> bytes:
    return request(operation, (0x21, "job-id", struct.pack(">i", identity)), *fields, data=data)


class Answer:
    """A decoded answer: its status, and the values of each group by name."""

    def __init__(self, body: bytes) -> None:
        self.message = decode(body)
        self.status = self.message.code

    def groups(self, tag: GroupTag) -> list[Mapping[str, list[Any]]]:
        return [
            {name: [value.content for value in given] for name, given in group.attributes.items()}
            for group in self.message.groups
            if group.tag is tag
        ]

    @property
    def jobs(self) -> list[Mapping[str, list[Any]]]:
        return self.groups(GroupTag.JOB)

    @property
    def job(self) -> Mapping[str, list[Any]]:
        (found,) = self.jobs
        return found

    @property
    def printer(self) -> Mapping[str, list[Any]]:
        (found,) = self.groups(GroupTag.PRINTER)
        return found

    @property
    def unsupported(self) -> Mapping[str, list[Any]]:
        (found,) = self.groups(GroupTag.UNSUPPORTED)
        return found


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A printer whose pages come out when the test says so."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.machine = PrintingMachine(self.clock)
        self.folder = folder
        self.ipp = IppPrinter(self.machine, PrintFolder(folder), URI)

    def ask(self, body: bytes) -> Answer:
        return Answer(self.ipp.serve(body))

    def status(self, body: bytes) -> int:
        return self.ask(body).status

    def turn(self, turns: int = 1) -> None:
        for _ in range(turns):
            self.machine.turn()

    def job(self, identity: int = 1) -> Any:
        return self.ask(of_job(0x0009, identity)).job
