"""``yikatong card shell`` in a process of its own, so that a test can type at it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from drivers.card_service import CardService
from kiosk.card import session
from kiosk.cli import main
from kiosk.config import TerminalConfig
from tests.kiosk.card_backends import InProcess


@contextmanager
def _started(_config: TerminalConfig | None) -> Iterator[CardService]:
    backend = InProcess()
    backend.insert("v3")
    yield backend.service
    sys.stdout.write("GIVEN BACK\n")


if __name__ == "__main__":
    setattr(session, session.started.__name__, _started)
    sys.exit(main(["card", "shell", *sys.argv[1:]]))
