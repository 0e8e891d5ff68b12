"""``./run fuzz [SECONDS]``: atheris against the reading stack, from the committed corpus on.

What it finds is left as ``crash-*`` in the folder ``.state/fuzz``; put it into the corpus with a
name that says what it is, and the test of the corpus keeps it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["apdu"]):
    from tests.fuzz.hostile_card import one_input

CORPUS = Path(__file__).parent / "corpus"
FOUND = Path(".state/fuzz")


def fuzzed(data: bytes) -> None:
    """The engine wants nothing back."""
    one_input(data)


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "60"
    if not seconds.isdecimal():
        raise SystemExit("usage: ./run fuzz [SECONDS]")
    grown = FOUND / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-max_len=16384", f"-artifact_prefix={FOUND}/"]
    atheris.Setup([sys.argv[0], *options, str(grown), str(CORPUS)], fuzzed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
