"""``./run fuzz [SECONDS] [TARGET ...]``: atheris against our parsers, from the committed corpus on.

The time is divided over the targets, all of them where none is named. What is found is left as
``crash-*`` under ``.state/fuzz/TARGET``; put it into the target's corpus with a name that begins
with ``found-`` and says what it is, and the test of the corpus keeps it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

FOUND = Path(".state/fuzz")
SECONDS = 300
_SHOWN = 30
"""Lines of a finding."""
_RUNS = re.compile(r"number_of_executed_units:\s*(\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./run fuzz",
        usage="./run fuzz [-h] [--list] [SECONDS] [TARGET ...]",
        description="Fuzz our parsers, from the committed corpus on.",
        epilog=f"Targets: {', '.join(TARGETS)}.",
    )
    parser.add_argument("--list", action="store_true", help="the targets and what each is, and end")
    parser.add_argument(
        "words", nargs="*", metavar="SECONDS, TARGET", help=f"all together: {SECONDS}; all of them"
    )
    arguments = parser.parse_args()
    if arguments.list:
        for name, target in TARGETS.items():
            first = (target.run.__doc__ or "").partition("\n")[0]
            sys.stdout.write(f"{name:<16}{first}\n")
        return 0
    words = arguments.words
    seconds = int(words.pop(0)) if words and words[0].isdecimal() else SECONDS
    unknown = [word for word in words if word not in TARGETS]
    if unknown:
        parser.error(f"no target is named {unknown[0]}; there are {', '.join(TARGETS)}")
    names = words or list(TARGETS)
    each = max(1, seconds // len(names))
    found = [name for name in names if not _sound(name, each)]
    return 1 if found else 0


def _sound(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own, as the engine ends its process; False when it
    found something."""
    folder = FOUND / name
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.engine", name, str(seconds), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    runs = _RUNS.search(done.stdout)
    words = f"{int(runs[1]):,} inputs in {seconds} s" if runs else "no inputs"
    sys.stdout.write(f"{name:<16}{words}{'' if done.returncode == 0 else ', FOUND:'}\n")
    if done.returncode != 0:
        sys.stdout.write("\n".join(done.stdout.splitlines()[-_SHOWN:]) + "\n")
    sys.stdout.flush()
    return done.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
