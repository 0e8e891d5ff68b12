"""``python -m hw_sim.platform``: the reference platform by itself."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from datetime import date
from pathlib import Path

from hw_sim.platform.faults import FaultPlan, FaultScriptError
from hw_sim.platform.server import PlatformServer


def _script(text: str) -> str:
    try:
        FaultPlan(text)
    except FaultScriptError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; prints the URL and a one-time enrolment code."""
    parser = argparse.ArgumentParser(prog="python -m hw_sim.platform", description=__doc__)
    parser.add_argument("--database", type=Path, required=True, metavar="FILE")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="YYYY-MM-DD")
    parser.add_argument("--faults", type=_script, default="", metavar="SCRIPT")
    parser.add_argument(
        "--public-origin", metavar="URL", help="as terminals see it, behind a proxy"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO)
    # Blocked before the server's threads start, so that only this thread takes them.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    server = PlatformServer(
        options.database,
        options.host,
        options.port,
        as_of=options.as_of,
        faults=options.faults,
        public_origin=options.public_origin,
    )
    with server:
        sys.stdout.write(f"platform {server.url}\nenrolment code {server.enrolment_code}\n")
        sys.stdout.flush()
        signal.sigwait(ends)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
