"""A receipt printer on a pseudo-terminal, scripted by the test: it cuts the stream at questions."""

from __future__ import annotations

import re
from pathlib import Path

from drivers.escpos.printer import EscposTimes
from drivers.receipt_printer import Align, Code, Cut, Row, Rule, Size, Slip, Text
from tests.drivers.serial_double import SerialDouble

QUICK = EscposTimes(answer=0.3, connect=1, look=0.05, part=0.4, slip=5, write=1)
IDLE = b"\x12"
REACHED = b"\x00"
FORGET = bytes.fromhex("10140801031401060208")
RECOVER = b"\x10\x05\x02"

SLIP = Slip(
    (
        Text("江城市社会保障自助服务", Size.LARGE, bold=True, align=Align.CENTRE),
        Rule(),
        Row("业务", "养老金待遇资格认证"),
        Code("https://jc.example/q?c=JC-0007-261122-8K2MXA"),
        Text("咨询电话 12333", align=Align.CENTRE),
        Cut(),
    )
)
_ENDS = re.compile(rb"\x10\x04[\x01-\x04]|\x1d\x72\x01|\x10\x05\x02|" + re.escape(FORGET), re.S)


class ReceiptDouble(SerialDouble):
    """A command is all up to and with what is answered or obeyed at once.

    Attributes:
        status: what it answers to DLE EOT 1 to 4, by n.
    """

    def __init__(self, link: Path) -> None:
        self.status: dict[int, bytes] = {}
        super().__init__(link)

    def usual(self, command: bytes) -> bytes | None:
        if command[-3:-1] == b"\x10\x04":
            return self.status.get(command[-1], IDLE)
        return REACHED if command.endswith(b"\x1d\x72\x01") else None

    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        found = _ENDS.search(held)
        return None if found is None else (held[: found.end()], held[found.end() :])

    @property
    def printed(self) -> list[bytes]:
        """The parts that came."""
        return [each for each in self.commands if each.endswith(b"\x1d\x72\x01")]
