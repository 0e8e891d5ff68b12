"""What can be typed after ``yikatong-sim``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from textwrap import wrap

from hw_sim.hall.client import default_run_directory
from hw_sim.hall.desk import Desk, Verb
from hw_sim.hall.desks import desks
from hw_sim.hall.prints import PrintDesk

_TRY = """\
examples:
  yikatong-sim demo               the hall, the terminal and the dock in one go
  yikatong-sim cards              what can be put into the slot
  yikatong-sim insert v3          a third-generation card; remove takes it out
  yikatong-sim press 123456       a PIN on the pad, and enter; keys: 1 # C < X
  yikatong-sim ecard v3           its holder's phone, held to the scanner
  yikatong-sim scan slip.png      any other code, from a picture or as a text
  yikatong-sim paper out          the tray is empty; paper in fills it
  yikatong-sim prints             what came out of the printer
  yikatong-sim fault card 3:tear  the card is torn out at the third command
"""

_FAULTY = ("card", "pad", "scanner", "printer", "line", "platform", "all")
_FAULTS = """\
N counts from now on; several are separated by commas.
  card      commands (*: all of them)
            tear tear=N (at its N-th write) tear-after silent delay=MS
            garbage short less more 61-loop 6A82 (any status word)
            swap=CARD (another card answers, and the reader notices nothing)
  pad       answers
            bad-xor short=N half noise-stx key-inside error=E0..EF
            opened mended (its housing, right before the command)
  scanner   answers
            drop bad-check truncate=N corrupt=N split noise delay=MS nak busy
            stuck unplug power-cycle
            codes that it reads
            garble code-truncate code-drop code-split code-delay=MS
  printer   requests
            drop drop-after half garbage 500 delay=MS status=0x0507
            requests that bring a document
            the same with job- before, 1:job-drop-after
  line      exchanges of terminal and platform (2-4: several, *: until none)
            latency=MS latency=MS~CHANCE drip=BYTES (a second)
            cut-request=N cut-answer=N fin-request=N fin-answer=N (bytes)
            reset reset-after-commit refuse black-hole
            duplicate-answer stale-answer duplicate-request
  platform  requests
            503 drop drop-after-commit half delay=MS …
            events@1:503 (of one endpoint)
  on every serial line (pad, id_reader, dispenser …), answers
            drop delay=MS truncate=N corrupt=N (byte N) bad-check split noise
            nak busy stuck unplug power-cycle
  all       none, to forget everything that was scheduled
"""
_INDENT = 12 * " "


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    others = desks()
    machine = argparse.ArgumentParser(add_help=False)
    machine.add_argument("--json", action="store_true", help="the answer as one line of JSON")
    whole = argparse.ArgumentParser(
        prog="yikatong-sim",
        description="The simulated social-insurance hall: cards, devices, platform.",
        epilog=_TRY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str, *, asks: bool = True) -> argparse.ArgumentParser:
        parents = [machine] if asks else []
        made = commands.add_parser(name, help=words, description=words, parents=parents)
        # One option each: a default changed for one command would change it for all.
        made.add_argument(
            "--run",
            type=Path,
            metavar="DIR",
            default=None if name == "demo" else default_run_directory(),
            help="run directory of the hall"
            + (" (a walk has its own)" if name == "demo" else " (%(default)s)"),
        )
        return made

    start = command("start", "run a hall in the foreground until Ctrl-C", asks=False)
    _state_option(start)
    start.add_argument(
        "--seed", type=int, help="of the cards' challenges; without it they are random"
    )
    start.add_argument("--port", type=int, default=0, help="of the platform; 0: any free one")
    _way_options(start)

    insert = command("insert", "put a card into the slot")
    insert.add_argument(
        "card", help="a name from: yikatong-sim cards; traps are added to it, v2+strict+no-sfi"
    )
    command("remove", "take the card out, or tear it out")
    press = command("press", "press keys of the PIN pad")
    press.add_argument(
        "keys", help="digits, D 00, # enter, C clear, < erase, X cancel; - reads them"
    )
    press.add_argument(
        "--no-enter",
        action="store_true",
        help="no enter after four digits or more",
    )
    platform = command("platform", "the line to the provincial platform")
    platform.add_argument("state", choices=("up", "down", "slow"))
    fault = command("fault", "schedule something that goes wrong")
    fault.epilog = _FAULTS + "".join(_faults_of(desk) for desk in others)
    fault.formatter_class = argparse.RawDescriptionHelpFormatter
    where = (*_FAULTY[:-1], *(desk.name for desk in others), "all")
    fault.add_argument("where", choices=where, metavar="WHERE", help="a device, or all; see below")
    fault.add_argument(
        "what", help="N:WHAT, for example 3:tear, 1:bad-xor, 2:503; none forgets all"
    )
    for device, words in (
        ("reader", "the card reader's plug"),
        ("pad", "the PIN pad's plug"),
        ("scanner", "the code scanner's plug"),
    ):
        command(device, words).add_argument("state", choices=("unplug", "plug"))
    command("pcscd", "the smart card service").add_argument("what", choices=("restart",))
    _add_codes(command)
    _add_printer(command)
    for verb in (*PrintDesk().verbs, *(verb for desk in others for verb in desk.verbs)):
        _add_verb(command, verb)
    command("cards", "what can be put into the slot")
    command("status", "everything about the hall")
    command("stop", "close the hall")

    dock = command("dock", "a window of buttons for all this", asks=False)
    dock.add_argument("--font", type=Path, help="font file with Chinese characters")
    dock.add_argument("--position", metavar="X,Y", help="where its window goes")

    autopilot = command("autopilot", "walk the visits through a running terminal", asks=False)
    autopilot.add_argument(
        "--observe", type=Path, required=True, help="the terminal's observe file"
    )
    autopilot.add_argument("--out", type=Path, default=Path("demo-out"), help="%(default)s")
    _visit_option(autopilot)

    demo = command("demo", "hall, terminal and dock; or a walk without a screen", asks=False)
    demo.add_argument("--headless", action="store_true", help="walk the visits under Xvfb")
    demo.add_argument("--out", type=Path, default=Path("demo-out"), help="of a walk (%(default)s)")
    demo.add_argument("--kiosk", type=Path, help="the command yikatong, when not on the path")
    demo.add_argument("--landscape", action="store_true", help="1920x1080 instead of 1080x1920")
    _state_option(demo)
    _way_options(demo)
    _visit_option(demo)
    return whole


def _add_codes(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    scan = command("scan", "hold a code to the scanner")
    scan.add_argument("code", help="a picture with one QR code, or the code's text; - reads it")
    scan.add_argument("--text", action="store_true", help="the text, though a file is called so")
    scan.add_argument("--hold", action="store_true", help="it stays there after it was read")
    ecard = command("ecard", "show an e-card (电子社保卡) to the scanner")
    ecard.add_argument("card", help="whose: a name from: yikatong-sim cards")
    states = ecard.add_mutually_exclusive_group()
    ecard.set_defaults(state="fresh")
    for state, words in (
        ("expired", "its 60 s are over"),
        ("used", "it was verified once already"),
        ("wrong-channel", "it was made for another use"),
    ):
        states.add_argument(
            f"--{state}", dest="state", action="store_const", const=state, help=words
        )


def _add_printer(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    paper = command("paper", "the tray of the document printer")
    paper.add_argument("state", choices=("in", "low", "out"))
    paper.add_argument("--sheets", type=int, metavar="N", help="with in: so many, not a full tray")
    jam = command("jam", "let a sheet jam in the printer")
    jam.add_argument("--clear", action="store_true", help="take it out; the page is printed again")
    command("door", "the printer's door").add_argument("state", choices=("open", "close"))
    command("toner", "the printer's toner").add_argument("state", choices=("full", "low", "empty"))
    power = command("printer", "the printer's power switch, and whether it takes jobs")
    power.add_argument("state", choices=("on", "off", "accepting", "refusing"))
    command("prints", "what the printer received, and how far it came")


def _faults_of(desk: Desk) -> str:
    lines = [wrap(line, width=80 - len(_INDENT)) for line in desk.faults.splitlines()]
    return f"  {desk.name}\n" + "".join(f"{_INDENT}{part}\n" for line in lines for part in line)


def _add_verb(command: Callable[[str, str], argparse.ArgumentParser], verb: Verb) -> None:
    made = command(verb.name, verb.words)
    for word in verb.arguments:
        # Listed in the help: as argparse writes them they run over the line.
        choices, words = word.choices or None, ": ".join((word.words, " ".join(word.choices)))
        name, shown = (f"--{word.name}" if word.option else word.name), word.name.upper()
        made.add_argument(name, choices=choices, metavar=shown, help=words.removesuffix(": "))
    made.set_defaults(words_of=tuple(word.name for word in verb.arguments))


def _state_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="what outlives a start (below .state)"
    )


def _way_options(parser: argparse.ArgumentParser) -> None:
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument(
        "--direct",
        action="store_true",
        help="no pcscd: cards connect to the terminal's own sockets",
    )
    ways.add_argument(
        "--dispenser",
        action="store_true",
        help="no reader: the dispenser takes residents' cards in and gives them back",
    )


def _visit_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--visit",
        action="append",
        metavar="PART",
        help="only visits whose name has this; repeatable",
    )
