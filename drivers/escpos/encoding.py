"""From a slip to the bytes of an ESC/POS printer, by python-escpos.

Each line says all that it needs of size, weight and place, so that nothing a printer forgets with
its power, or kept from another program, changes the look of the next.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from functools import cache
from typing import Any, assert_never

from drivers.escpos.layout import encoded, row, wrapped
from drivers.receipt_printer import Align, Code, Cut, Feed, Row, Rule, Size, Slip, Text

_ALIGN = {Align.LEFT: "left", Align.CENTRE: "center", Align.RIGHT: "right"}
_CORRECTION = "LMQH"


def parts(slip: Slip, facts: dict[str, Any]) -> tuple[bytes, ...]:
    """The slip in parts of about `part.bytes` bytes; no command is cut in two.

    Args:
        facts: as in `escpos.toml`.

    Raises:
        Unprintable: the printer lacks some characters.
    """
    made: list[bytes] = []
    part = b""
    for command in _commands(slip, facts):
        if part and len(part) + len(command) > facts["part"]["bytes"]:
            made.append(part)
            part = b""
        part += command
    return (*made, part)


def _commands(slip: Slip, facts: dict[str, Any]) -> Iterator[bytes]:
    pen = _pen(facts["paper"]["dots"])
    pen.hw("INIT")
    pen._raw(b"\x1b3" + bytes([facts["paper"]["spacing"]]))
    yield pen.taken()
    width = facts["paper"]["columns"]
    for line in slip.lines:
        match line:
            case Text(text, size, bold, align):
                for shown in wrapped(text, width // size.value[0]):
                    yield _text(pen, facts, shown, size, bold, align)
            case Row(label, value, bold):
                for shown in row(label, value, width):
                    yield _text(pen, facts, shown, Size.NORMAL, bold, Align.LEFT)
            case Rule():
                yield _text(pen, facts, "-" * width, Size.NORMAL, False, Align.LEFT)
            case Feed(lines):
                pen.print_and_feed(lines)
                yield pen.taken()
            case Code(text):
                yield from _code(pen, facts, text)
            case Cut():
                pen.cut(facts["cut"]["mode"])
                yield pen.taken()
            case _:
                assert_never(line)


def _text(
    pen: Any, facts: dict[str, Any], text: str, size: Size, bold: bool, align: Align
) -> bytes:
    pen.set(
        align=_ALIGN[align],
        bold=bold,
        custom_size=True,
        width=size.value[0],
        height=size.value[1],
    )
    # The library would send a text without a Chinese character in code pages, and a question mark
    # for what they lack.
    words = facts["text"]
    begin, end = bytes.fromhex(words["begin"]), bytes.fromhex(words["end"])
    pen._raw(begin + encoded(text, words["four_bytes"]) + end + b"\n")
    return bytes(pen.taken())


def _code(pen: Any, facts: dict[str, Any], text: str) -> Iterator[bytes]:
    wanted = facts["code"]
    module = min(wanted["size"], facts["paper"]["dots"] // _modules(text, wanted["correction"]))
    # The clear margin of four modules that a code needs; the library gives it to pictures alone.
    margin = b"\x1bJ" + bytes([4 * module]) if wanted["native"] else b""
    pen.set(align="center")
    pen._raw(margin)
    pen.qr(
        text,
        ec=_CORRECTION.index(wanted["correction"]),
        size=module,
        native=wanted["native"],
        image_arguments={"fragment_height": facts["part"]["picture_lines"]},
    )
    pen._raw(margin)
    # Parameters of a native code mean nothing without its last command.
    yield from (b"".join(pen.pieces()),) if wanted["native"] else pen.pieces()


def _modules(text: str, correction: str) -> int:
    """Modules across a code, its clear margin among them."""
    import qrcode

    # Their levels count L 1, M 0, Q 3, H 2.
    made = qrcode.QRCode(error_correction=(1, 0, 3, 2)[_CORRECTION.index(correction)])
    made.add_data(text)
    return int(made.best_fit()) * 4 + 17 + 8


def _pen(dots: int) -> Any:
    return _library()(dots)


@cache
def _library() -> Any:
    """The library's encoder, writing into a list. Its import sets up the root logger and leaves
    a folder in /tmp: both are undone."""
    root = logging.getLogger()
    before = list(root.handlers)
    from escpos import capabilities
    from escpos.escpos import Escpos

    for handler in root.handlers[:]:
        if handler not in before:
            root.removeHandler(handler)
    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)

    class Pen(Escpos):  # type: ignore[misc]
        """Keeps what was written until it is taken."""

        def __init__(self, dots: int) -> None:
            profile = capabilities.Profile(features={"paperFullCut": True, "paperPartCut": True})
            # Without a width the library prints a complaint.
            profile.profile_data = profile.profile_data | {
                "media": {"dpi": 203, "width": {"mm": 80, "pixels": dots}}
            }
            super().__init__(profile)
            self._written: list[bytes] = []

        def _raw(self, msg: bytes) -> None:
            self._written.append(msg)

        def pieces(self) -> list[bytes]:
            written, self._written = self._written, []
            return written

        def taken(self) -> bytes:
            return b"".join(self.pieces())

    return Pen
