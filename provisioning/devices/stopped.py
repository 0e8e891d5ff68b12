"""The state of a terminal whose kiosk does not run, for what must not be changed under it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kiosk.commands import CommandFailed, Exit

if TYPE_CHECKING:
    from kiosk.config import TerminalConfig
    from kiosk.state import StateDirectory


@contextmanager
def stopped(
    arguments: argparse.Namespace, config: TerminalConfig
) -> Iterator[tuple[StateDirectory, str]]:
    """The state directory, held, and the terminal's id.

    Raises:
        CommandFailed: the kiosk runs, the terminal is not enrolled, or the disk, also within the
            block.
    """
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.state import StateDirectory, StateError

    try:
        state = StateDirectory(arguments.state or config.state)
        terminal_id = KeyStore(state.keys).enrolment().terminal_id
        with state.lock():
            yield state, terminal_id
    except StateError as problem:
        text = f"请先停止自助程序 stop the kiosk first: {problem}"
        raise CommandFailed(Exit.STATE, text) from None
    except (KeyStoreError, OSError) as problem:
        raise CommandFailed(Exit.STATE, str(problem)) from None
