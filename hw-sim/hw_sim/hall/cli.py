"""``yikatong-sim``: drives the simulated hall (模拟大厅) from a terminal or a script.

Exit codes: 0 done, 1 the hall refused or a visit failed, 2 usage, 3 no hall is running.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from hw_sim.hall.client import (
    Answer,
    HallClient,
    HallNotRunning,
    HallRefused,
    default_run_directory,
)

DONE, REFUSED, USAGE, NOT_RUNNING = 0, 1, 2, 3

_TRY = """\
examples:
  yikatong-sim demo                 the hall, the terminal and the dock in one go
  yikatong-sim cards                what can be put into the slot
  yikatong-sim insert v3            put a third-generation card in; remove takes it out
  yikatong-sim press 123456         a PIN on the pad, and enter; single keys: 1 # C < X
  yikatong-sim fault card 3:tear    the card is torn out at the third command
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    command: str = arguments.command
    try:
        match command:
            case "start":
                from hw_sim.hall import foreground

                return foreground.run(arguments)
            case "demo":
                from hw_sim.hall import demo

                return demo.run(arguments)
            case "autopilot":
                from hw_sim.hall import walk

                return walk.run(arguments)
            case "dock":
                from hw_sim.hall import dock

                return dock.run(arguments)
            case _:
                return _ask(arguments)
    except HallNotRunning as error:
        _complain(f"{error}; start one with: yikatong-sim start --run {arguments.run}")
        return NOT_RUNNING
    except HallRefused as refusal:
        if getattr(arguments, "json", False):
            _print(json.dumps({"ok": False, "error": str(refusal)}, ensure_ascii=False))
        else:
            _complain(f"refused: {refusal}")
        return REFUSED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return DONE


def _ask(arguments: argparse.Namespace) -> int:
    hall = HallClient(arguments.run)
    question: dict[str, object] = {}
    match arguments.command:
        case "insert":
            question = {"card": arguments.card}
        case "press":
            question = {"keys": _keys(arguments.keys, enter=not arguments.no_enter)}
        case "platform":
            question = {"state": arguments.state}
        case "reader" | "pad":
            question = {"state": f"{arguments.state}ged"}
        case "pcscd":
            question = {"do2": arguments.what}
        case "fault":
            question = {"where": arguments.where, "what": arguments.what}
    answer = hall.ask(arguments.command, **question)
    if arguments.json:
        _print(json.dumps(answer, ensure_ascii=False))
    else:
        _tell(arguments.command, answer)
    return DONE


_WHOLE_PIN = re.compile(r"[0-9]{4,}")


def _keys(typed: str, *, enter: bool) -> str:
    # From standard input they are in nobody's list of processes or history.
    keys = sys.stdin.readline().strip() if typed == "-" else typed
    return f"{keys}#" if enter and _WHOLE_PIN.fullmatch(keys) else keys


def _tell(command: str, answer: Answer) -> None:
    match command:
        case "status":
            from hw_sim.hall.telling import status_table

            status_table(answer)
        case "cards":
            from hw_sim.hall.telling import cards_table

            cards_table(answer)
        case "press":
            if answer["sent"] == 0:
                _complain("the pad takes no keys now: nobody is asked for a PIN")
        case _:
            _print("done")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"yikatong-sim: {text}\n")


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        default=default_run_directory(),
        help="run directory of the hall (%(default)s)",
    )
    machine = argparse.ArgumentParser(add_help=False)
    machine.add_argument("--json", action="store_true", help="the answer as one line of JSON")
    parser = argparse.ArgumentParser(
        prog="yikatong-sim",
        description="The simulated social-insurance hall: cards, PIN pad, readers, platform.",
        epilog=_TRY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str, *, asks: bool = True) -> argparse.ArgumentParser:
        parents = [shared, machine] if asks else [shared]
        return commands.add_parser(name, help=words, description=words, parents=parents)

    start = command("start", "run a hall in the foreground until Ctrl-C", asks=False)
    _state_option(start)
    start.add_argument(
        "--seed", type=int, help="of the cards' challenges; without it they are random"
    )
    start.add_argument("--port", type=int, default=0, help="of the platform; 0: any free one")
    _direct_option(start)

    insert = command("insert", "put a card into the slot")
    insert.add_argument("card", help="a name from: yikatong-sim cards")
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
    fault.add_argument("where", choices=("card", "pad", "platform"))
    fault.add_argument(
        "what", help="N:WHAT, for example 3:tear, 1:bad-xor, 2:503; none forgets all"
    )
    for device, words in (("reader", "the card reader's plug"), ("pad", "the PIN pad's plug")):
        command(device, words).add_argument("state", choices=("unplug", "plug"))
    command("pcscd", "the smart card service").add_argument("what", choices=("restart",))
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
    demo.set_defaults(run=None)
    demo.add_argument("--headless", action="store_true", help="walk the visits under Xvfb")
    demo.add_argument("--out", type=Path, default=Path("demo-out"), help="of a walk (%(default)s)")
    demo.add_argument("--kiosk", type=Path, help="the command yikatong, when not on the path")
    demo.add_argument("--landscape", action="store_true", help="1920x1080 instead of 1080x1920")
    _state_option(demo)
    _direct_option(demo)
    _visit_option(demo)
    return parser


def _state_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="what outlives a start (below .state)"
    )


def _direct_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--direct",
        action="store_true",
        help="no pcscd: cards connect to the terminal's own sockets",
    )


def _visit_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--visit",
        action="append",
        metavar="PART",
        help="only visits whose name has this; repeatable",
    )


if __name__ == "__main__":
    sys.exit(main())
