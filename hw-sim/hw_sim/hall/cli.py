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

from hw_sim.hall.arguments import parser
from hw_sim.hall.client import Answer, HallClient, HallNotRunning, HallRefused

DONE, REFUSED, USAGE, NOT_RUNNING = 0, 1, 2, 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = parser().parse_args(argv)
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
        case "reader" | "pad" | "scanner":
            question = {"state": f"{arguments.state}ged"}
        case "scan":
            question = _scan(arguments)
        case "ecard":
            question = {"card": arguments.card, "state": arguments.state}
        case "paper":
            sheets = {} if arguments.sheets is None else {"sheets": arguments.sheets}
            question = {"state": arguments.state, **sheets}
        case "printer" | "toner":
            question = {"state": arguments.state}
        case "jam":
            question = {"state": "clear" if arguments.clear else "on"}
        case "door":
            question = {"state": "open" if arguments.state == "open" else "closed"}
        case "pcscd":
            question = {"do2": arguments.what}
        case "fault":
            question = {"where": arguments.where, "what": arguments.what}
        case _ if hasattr(arguments, "words_of"):
            typed = {name: getattr(arguments, name) for name in arguments.words_of}
            question = {name: value for name, value in typed.items() if value is not None}
    answer = hall.ask(arguments.command, **question)
    if arguments.json:
        _print(json.dumps(answer, ensure_ascii=False))
    else:
        _tell(arguments.command, answer)
    return DONE


_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}
"""What ends so is a picture, though it is misspelt and no file has that name."""

_WHOLE_PIN = re.compile(r"[0-9]{4,}")


def _keys(typed: str, *, enter: bool) -> str:
    # From standard input they are in nobody's list of processes or history.
    keys = sys.stdin.readline().strip() if typed == "-" else typed
    return f"{keys}#" if enter and _WHOLE_PIN.fullmatch(keys) else keys


def _scan(arguments: argparse.Namespace) -> dict[str, object]:
    hold = {"hold": True} if arguments.hold else {}
    if arguments.code == "-":
        return {"text": sys.stdin.read().rstrip("\r\n"), **hold}
    picture = Path(arguments.code)
    if arguments.text or not (picture.is_file() or picture.suffix.lower() in _PICTURES):
        return {"text": arguments.code, **hold}
    # The hall may have another working directory.
    return {"image": str(picture.absolute()), **hold}


def _tell(command: str, answer: Answer) -> None:
    match command:
        case "status":
            from hw_sim.hall.telling import status_table

            status_table(answer)
        case "cards":
            from hw_sim.hall.telling import cards_table

            cards_table(answer)
        case "prints":
            from hw_sim.hall.telling import prints_table

            prints_table(answer)
        case "ecard":
            _print(f"{answer['text']}\nheld to the scanner for {answer['seconds']:g} s")
        case "scan":
            _print(f"{answer['bytes']} bytes, held to the scanner for {answer['seconds']:g} s")
        case "press":
            if answer["sent"] == 0:
                _complain("the pad takes no keys now: nobody is asked for a PIN")
        case _:
            told = {name: value for name, value in answer.items() if name != "ok"}
            _print("\n".join(f"{name}  {value}" for name, value in told.items()) or "done")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _complain(text: str) -> None:
    sys.stderr.write(f"yikatong-sim: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
