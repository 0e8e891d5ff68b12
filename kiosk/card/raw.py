"""``yikatong card apdu``: commands as bytes, and what the answers mean."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apdu.command import Layout
from apdu.status import Outcome, meaning
from kiosk.card.options import Actions, add_action, add_card_options, leave_trace, wanted
from kiosk.commands import CommandFailed, Exit, say_json

if TYPE_CHECKING:
    from apdu.status import StatusMeaning
    from apdu.trace import Sink, TraceLine
    from apdu.transport import Transport
    from kiosk.card.session import Hand

_EXAMPLES = """  yikatong card apdu 00A404000F7378312E73682EC9E7BBE1B1A3D5CF 00B2032C00
  yikatong card apdu "00 A4 00 00 02 3F 00"
"""
_PIN_INSTRUCTIONS = {
    0x20: "VERIFY",
    0x21: "VERIFY",
    0x24: "CHANGE / UNBLOCK / RELOAD PIN",
    0x2C: "RESET RETRY COUNTER",
    0x5E: "CHANGE PIN",
}
_PIN_DIGEST = (0x80, 0xC4)
_SECURE, _CHAINED = 0x0C, 0x10
_OK = 0x9000
_GET_RESPONSE = bytes.fromhex("00C00000")
_MOST_PARTS = 64
_FCI = b"\x6f"
_GOOD = (Outcome.SUCCESS, Outcome.WARNING, Outcome.MORE_DATA)


@dataclass(frozen=True, repr=False)
class Exchanged:
    """One command and its answer.

    Attributes:
        line: as a trace shows it: redacted.
        answer: the data that came back, in the clear.
        meaning: of the status word.
    """

    line: TraceLine
    answer: bytes
    meaning: StatusMeaning


def add_to(actions: Actions) -> None:
    """Declare ``apdu``."""
    parser = add_action(
        actions,
        "apdu",
        _run,
        summary="直接发送指令 send commands as they are",
        description="直接发送指令，并解释状态字；带密码的指令不发送。\n"
        "Send commands as they are and explain the answers; none that carries a PIN.",
        examples=_EXAMPLES,
    )
    parser.add_argument("commands", nargs="+", metavar="HEX", help="一条指令 one command each")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="不自动处理 61xx 和 6Cxx do not follow what 61xx and 6Cxx ask for",
    )
    add_card_options(parser, full=True)


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession

    call = wanted(arguments)
    commands = [parse(text) for text in arguments.commands]

    def send_all(hand: Hand) -> list[Exchanged]:
        card = RawCard(hand.line, hand.trace)
        return [done for each in commands for done in card.send(each, exact=arguments.exact)]

    with CardSession(call) as session:
        done = session.step(send_all)
    if call.full:
        leave_trace(call.config, arguments.state)
    if call.json:
        say_json({"exchanges": [describe(each, full=call.full) for each in done]})
    else:
        for each in done:
            tell(each, full=call.full)
    return Exit.OK if done[-1].meaning.outcome in _GOOD else Exit.FAILED


def parse(text: str) -> bytes:
    """A command from hexadecimal digits, blanks between them or not.

    Raises:
        CommandFailed: it is none, or one that carries a PIN.
    """
    try:
        command = bytes.fromhex(text)
        Layout.of(command)
    except ValueError:
        # Not shown: what was meant for a card may hold anything.
        raise CommandFailed(
            Exit.USAGE,
            "不是完整的指令：CLA INS P1 P2 [Lc 数据] [Le]，十六进制 "
            "no command: hexadecimal CLA INS P1 P2 [Lc data] [Le]",
        ) from None
    name = _PIN_INSTRUCTIONS.get(command[1])
    cla, ins = command[0] & ~(_SECURE | _CHAINED), command[1]
    if name is None and (cla, ins) == _PIN_DIGEST:
        name = "DIGEST PIN"
    if name is not None:
        raise CommandFailed(
            Exit.REFUSED,
            f"{name} 会带密码：命令行会留在历史里，请用 card pin，或 card shell 的 pin "
            "may carry a PIN, and a command line is kept in the history: use card pin",
        )
    return command


class RawCard:
    """A card that is sent commands exactly as they are; its redaction follows what is selected.

    Args:
        transport: the card.
        sink: is told of each exchange too, or None.
    """

    def __init__(self, transport: Transport, sink: Sink | None = None) -> None:
        from apdu.trace import TracingTransport

        self._sink = sink
        self._last: list[TraceLine] = []
        self._traced = TracingTransport(transport, self._note)

    def _note(self, line: TraceLine) -> None:
        self._last = [line]
        if self._sink is not None:
            self._sink(line)

    def send(self, command: bytes, *, exact: bool = False) -> list[Exchanged]:
        """Send it, and unless `exact` what an answer 61xx or 6Cxx asks for behind it, each an
        exchange of its own. Raises CardError."""
        done = [self._once(command)]
        if exact:
            return done
        if done[-1].meaning.outcome is Outcome.WRONG_LE and Layout.of(command).ne is not None:
            done.append(self._once(command[:-1] + bytes((done[-1].meaning.sw & 0xFF,))))
        while done[-1].meaning.outcome is Outcome.MORE_DATA and len(done) < _MOST_PARTS:
            done.append(self._once(_GET_RESPONSE + bytes((done[-1].meaning.sw & 0xFF,))))
        return done

    def _once(self, command: bytes) -> Exchanged:
        from apdu.response import Response

        response = Response.parse(self._traced.transmit(command))
        line = self._last[0]
        return Exchanged(line, response.data, meaning(response.sw, line.name))

    def reset(self) -> bytes:
        """Reset the card: nothing is selected. Raises CardError."""
        return self._traced.reset()


def describe(done: Exchanged, *, full: bool) -> dict[str, Any]:
    """One exchange as JSON values; the answer redacted unless ``full``."""
    line, told = done.line, done.meaning
    return {
        "header": line.header.hex().upper(),
        "name": line.name,
        "sw": f"{told.sw:04X}",
        "meaning": told.name,
        "zh": told.staff_zh,
        "en": told.staff_en,
        "length": len(done.answer),
        "answer": done.answer.hex().upper() if full else line.received,
        "milliseconds": round(line.microseconds / 1000, 1),
    }


def tell(done: Exchanged, *, full: bool) -> None:
    """The same for people."""
    from kiosk.card.info import objects
    from kiosk.card.showing import QUIET, WARN, show, text

    line, told = done.line, done.meaning
    sent = text(f"> {line.header.hex().upper()} {line.name}")
    if line.nc:
        sent.append(f" [{line.nc}] {line.sent}", QUIET)
    show(sent)
    answer = text(f"< {told.sw:04X}", "" if told.sw == _OK else WARN)
    answer.append(f" {told.staff_zh} {told.staff_en}")
    answer.append(f"  {line.microseconds / 1000:.1f} ms", QUIET)
    show(answer)
    if done.answer:
        show(text(f"  [{len(done.answer)}] {done.answer.hex().upper() if full else line.received}"))
    if done.answer[:1] == _FCI and line.received == done.answer.hex().upper():
        # SELECT's, or what was fetched behind it; whatever is hidden is not taken apart either.
        show(objects(done.answer))
