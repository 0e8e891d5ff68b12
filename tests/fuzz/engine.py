"""``python -m tests.fuzz.engine TARGET SECONDS FOLDER``: one target in this process, which atheris
ends. New inputs and findings go into the folder."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

# Not all of kiosk: its other rooms import half of the world.
_OURS = ["apdu", "drivers", "kiosk.codes", "kiosk.code_patterns", "kiosk.person_numbers"]
with atheris.instrument_imports(include=_OURS):
    from tests.fuzz.targets import CORPUS, TARGETS

_HANGS = 10
"""Seconds after which an input counts as one that never ends."""


def main() -> None:
    name, seconds, folder = sys.argv[1:]
    target = TARGETS[name]
    grown = Path(folder) / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.longest}",
        f"-timeout={_HANGS}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(grown), str(CORPUS / name)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
