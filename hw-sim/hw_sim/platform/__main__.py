"""The reference platform (省级平台) by itself.

Exit codes: 0 done, or ended by SIGTERM; 1 the database cannot be served; 2 usage.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import date

from hw_sim.platform.databases import UnusableDatabase, engine_for, exclusive
from hw_sim.platform.faults import FaultPlan, FaultScriptError

DONE, FAILED = 0, 1
_DATABASE = "a file (SQLite), or postgresql://user:password@host:port/name"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        done: int = options.run(options)
    except UnusableDatabase as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hw_sim.platform",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_migrate(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "serve",
        help="answer terminals until SIGTERM",
        description="Prints the URL and a one-time enrolment code, then answers terminals until "
        "SIGINT or SIGTERM; what is under way then is answered first. A new database is filled "
        "with the demo province's records, an older one brought up to date.",
    )
    parser.add_argument("--database", required=True, metavar="PLACE", help=_DATABASE)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    parser.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="the day that a new database's records show (today)",
    )
    parser.add_argument(
        "--faults", type=_script, default="", metavar="SCRIPT", help="what shall go wrong, when"
    )
    parser.add_argument(
        "--public-origin",
        metavar="URL",
        help="https://host[:port] as terminals see it, where a proxy stands in front",
    )
    parser.set_defaults(run=_serve)


def _script(text: str) -> str:
    try:
        FaultPlan(text)
    except FaultScriptError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _serve(options: argparse.Namespace) -> int:
    from hw_sim.platform.server import PlatformServer

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
        server.drain()
    return DONE


def _add_migrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "migrate",
        help="bring a database's tables up to date",
        description="Makes the tables of a new database, or brings an older one's up to date, as "
        "serve does when it starts. There is no way back: take a copy before.",
    )
    parser.add_argument("--database", required=True, metavar="PLACE", help=_DATABASE)
    parser.set_defaults(run=_migrate)


def _migrate(options: argparse.Namespace) -> int:
    from hw_sim.platform.schema import upgrade

    engine = engine_for(options.database)
    with exclusive(engine) as connection:
        before, now = upgrade(connection)
    engine.dispose()
    if before == now:
        sys.stdout.write(f"at revision {now} already\n")
    else:
        sys.stdout.write(f"revision {before or 'none'} -> {now}\n")
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
