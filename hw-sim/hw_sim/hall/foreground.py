"""``yikatong-sim start``: a hall in the foreground, until it is told to end."""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import stat
import sys
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import AlreadyRunning
from hw_sim.hall.hall import Hall, HallSettings
from hw_sim.platform.server import PlatformServerError

_DEFAULT_STATE = Path(".state") / "hall"
_LOOK = 0.2


def run(arguments: argparse.Namespace) -> int:
    """Open the hall; close it on SIGTERM, SIGINT, SIGHUP, ``stop`` or the end of a piped stdin.

    Returns 0 after a clean end, 1 when it could not open.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    hall = Hall(
        HallSettings(
            run=arguments.run,
            state=arguments.state or _DEFAULT_STATE,
            seed=arguments.seed,
            port=arguments.port,
            direct=arguments.direct,
            dispenser=arguments.dispenser,
        )
    )
    # A self-pipe: the signal only makes the waiting below return; no work in a handler.
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        _greet(arguments.run, hall.open())
        _wait(hall, wake)
    except (AlreadyRunning, PermissionError, PlatformServerError, ValueError) as e:
        sys.stderr.write(f"yikatong-sim: {e}\n")
        return 1
    finally:
        hall.close()
    return 0


def _greet(run: Path, found: Answer) -> None:
    sys.stdout.write(
        f"The hall is open in {run}\n"
        f"  platform {found['platform']}   enrolment code {found['enrolment_code']}\n"
        f"  pad      {found['pad']}\n"
        f"  scanner  {found['scanner']}\n"
        f"  printer  {found['printer']}\n"
        f"  pcscd    PCSCLITE_CSOCK_NAME={found['csock_name']}\n"
    )
    sys.stdout.flush()


def _wait(hall: Hall, wake: int) -> None:
    # Only a pipe is watched for its end: whoever started us holds it. /dev/null of a background
    # job is at its end from the start, and reading a terminal would stop that job.
    watched = [wake]
    try:
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            watched.append(0)
    except OSError:
        pass
    while not hall.closing.is_set():
        readable, _, _ = select.select(watched, [], [], _LOOK)
        if wake in readable:
            return
        if 0 in readable and not os.read(0, 4096):
            return
