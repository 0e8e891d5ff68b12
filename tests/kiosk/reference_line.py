"""Terminals of ours at the reference platform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hw_sim.platform.server import PlatformServer
from kiosk.keys import KeyStore, TerminalKeys
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.exchange import Exchange
from kiosk.platform.limits import LineLimits
from provisioning.enrol import Place, ask_platform, enrol

LIMITS = LineLimits(deadline=30, connect=10, retry_pause=0)


def enrolled(server: PlatformServer, folder: Path, machine: int = 3) -> TerminalKeys:
    """The keys of a terminal that was enrolled just now; they are in `folder`."""
    folder.mkdir(exist_ok=True)
    store = KeyStore(folder)
    ask = ask_platform(Exchange(server.url, LIMITS))
    enrol(store, Place("429900", machine, server.url), server.new_enrolment_code(), ask)
    return store.load()


@contextmanager
def client_of(server: PlatformServer, keys: TerminalKeys, **more: Any) -> Iterator[PlatformClient]:
    """This terminal's line to the platform."""
    identity = TerminalIdentity(keys.terminal_id, keys.private_key)
    made = PlatformClient(server.url, identity, keys.enrolment.platform_key, LIMITS, **more)
    yield made
    made.close()
