"""``yikatong card trace`` and ``card replay``: a session kept as a transcript, and read again."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.card import read
from kiosk.card.exits import CardExit, explained
from kiosk.card.line import psam_file
from kiosk.card.options import Actions, add_action, add_card_options, wanted
from kiosk.commands import CommandFailed, Exit, complain, say_json

if TYPE_CHECKING:
    from apdu.recording.replay import ReplayTransport

_TRACE_EXAMPLES = """  yikatong card trace card.txt
  yikatong card replay card.txt
"""
_REPLAY_EXAMPLES = """  yikatong card replay card.txt
  yikatong card replay card.txt --mode forward   # 别的程序的记录 another program's
"""
_NOTE = "重放，没有用卡 replayed without a card"


def add_to(actions: Actions) -> None:
    """Declare ``trace`` and ``replay``."""
    trace = add_action(
        actions,
        "trace",
        _trace,
        summary="读一次卡并存成脱敏记录 read a card, keep a redacted transcript",
        description="读一次卡，逐条显示指令，并存成脱敏记录；PSAM 的记录存在旁边的 …-psam 文件。\n"
        "Read a card, show each command, and keep a redacted transcript; what the PSAM was asked\n"
        "is kept beside it in a file …-psam.",
        examples=_TRACE_EXAMPLES,
    )
    trace.add_argument("file", type=Path, metavar="FILE", help="新文件 a new file")
    add_card_options(trace)
    replay = add_action(
        actions,
        "replay",
        _replay,
        summary="不用卡，按记录重读 read a transcript again, without any card",
        examples=_REPLAY_EXAMPLES,
    )
    replay.add_argument("file", type=Path, metavar="FILE")
    replay.add_argument(
        "--psam", type=Path, metavar="FILE", help="PSAM 的记录 (…-psam where it exists)"
    )
    replay.add_argument(
        "--mode",
        choices=("strict", "answers", "forward"),
        default="strict",
        help="指令须相同；只看应答；可跳过 same commands; answers in order; skip ahead",
    )
    replay.add_argument(
        "--trace", action="store_true", help="逐条显示指令 show each command, redacted"
    )


def _trace(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession

    if arguments.record is not None:
        raise CommandFailed(Exit.USAGE, "trace 已有文件名 trace has its file; leave --record out")
    arguments.record = arguments.file
    call = replace(wanted(arguments), trace=not arguments.json)
    with CardSession(call) as session:
        reading, duration = session.step(read.read)
    shown = read.describe(reading, duration, full=False)
    if call.json:
        say_json(shown)
    else:
        read.tell(shown)
    return Exit.OK


def _replay(arguments: argparse.Namespace) -> int:
    from apdu.custodian import Custodian, FirstThatCan
    from apdu.psam import PsamCustodian
    from apdu.reading import read_card

    file: Path = arguments.file
    beside: Path = arguments.psam or psam_file(file)
    card = _transport(file, arguments.mode)
    psams: list[Custodian] = []
    if arguments.psam is not None or beside.is_file():
        psams.append(PsamCustodian(_transport(beside, arguments.mode)))
    sink = (lambda line: complain(str(line))) if arguments.trace else None
    try:
        reading = read_card(card, FirstThatCan(psams), trace=sink)
    except Exception as error:
        raise explained(error) from None
    # Ours names nobody; what another program wrote may name somebody.
    shown = read.describe(reading, 0.0, full=False)
    if arguments.json:
        say_json(shown)
    else:
        complain(_NOTE)
        read.tell(shown)
    if not card.depleted and arguments.mode == "strict":
        raise CommandFailed(
            CardExit.TRANSCRIPT,
            "记录里还有没用到的指令 the transcript goes on after the reading",
        )
    return Exit.OK


def _transport(file: Path, mode: str) -> ReplayTransport:
    from apdu.recording.replay import Mode, ReplayTransport
    from apdu.recording.transcript import Transcript, TranscriptError

    try:
        transcript = Transcript.parse(file.read_text(encoding="utf-8"))
        return ReplayTransport(transcript, mode=Mode(mode))
    except OSError as problem:
        raise CommandFailed(Exit.USAGE, f"{file}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise CommandFailed(CardExit.TRANSCRIPT, f"{file}: 不是文本 is no text") from None
    except TranscriptError as problem:
        raise CommandFailed(
            CardExit.TRANSCRIPT, f"{file}: 第 {problem.line} 行有误 {problem}"
        ) from None
