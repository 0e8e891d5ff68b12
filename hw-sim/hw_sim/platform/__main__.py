"""The reference platform (省级平台) by itself.

Exit codes: 0 done, or ended by SIGTERM; 1 the database cannot be served, the bundle is refused or
waits in part; 2 usage.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hw_sim.platform.databases import UnusableDatabase, engine_for, exclusive
from hw_sim.platform.faults import FaultPlan, FaultScriptError
from hw_sim.platform.intake import IntakeLimits

DONE, FAILED, USAGE = 0, 1, 2
_DATABASE = "a file (SQLite), or postgresql://user@host:port/name (password: PGPASSFILE)"


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
    _add_import_bundle(commands)
    _add_nginx(commands)
    _add_openapi(commands)
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
    parser.add_argument(
        "--rate",
        type=float,
        metavar="N",
        help="requests a second of one terminal, in the long run; more get 429 (no limit)",
    )
    parser.add_argument(
        "--burst",
        type=int,
        default=IntakeLimits.burst,
        metavar="N",
        help="with --rate: what one terminal may send at once (%(default)s)",
    )
    parser.add_argument(
        "--under-way",
        type=int,
        metavar="N",
        help="requests that are worked on at one time; more get 503 (no limit)",
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

    try:
        intake = IntakeLimits(options.under_way, options.rate, options.burst)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
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
        intake=intake,
    )
    with server:
        sys.stdout.write(f"platform {server.url}\nenrolment code {server.enrolment_code}\n")
        sys.stdout.flush()
        signal.sigwait(ends)
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


def _add_nginx(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "nginx",
        help="write the configuration of the proxy in front",
        description="Writes a configuration for nginx in front of one or more platforms: it lets "
        "in whoever has a terminal's certificate, and gives each terminal its share. The platforms "
        "behind it need --public-origin.",
    )
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="for terminals")
    parser.add_argument(
        "--upstream",
        required=True,
        action="append",
        metavar="HOST:PORT",
        help="a platform; several times for several on one database",
    )
    for name, told in (
        ("certificate", "the front's own (PEM)"),
        ("key", "its key (PEM)"),
        ("client-ca", "who issues the terminals' certificates (PEM)"),
    ):
        parser.add_argument(f"--{name}", required=True, type=Path, metavar="FILE", help=told)
    parser.add_argument(
        "--rate", default="5r/s", help="of one terminal: 5r/s, 30r/m, ... (%(default)s)"
    )
    parser.add_argument(
        "--burst", type=int, default=20, help="what one terminal may send at once (%(default)s)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="for nginx's pid and temporary files (the folder of --out)",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="to write")
    parser.set_defaults(run=_nginx)


def _nginx(options: argparse.Namespace) -> int:
    from hw_sim.platform.nginx import Front, FrontRefused, configuration

    out: Path = options.out
    front = Front(
        listen=options.listen,
        upstreams=options.upstream,
        certificate=options.certificate,
        key=options.key,
        client_ca=options.client_ca,
        folder=options.folder or out.parent,
        rate=options.rate,
        burst=options.burst,
    )
    try:
        text = configuration(front)
    except FrontRefused as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    out.write_text(text, "utf-8")
    sys.stdout.write(f"nginx -e stderr -c {out.absolute()}\n")
    return DONE


def _add_openapi(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "openapi",
        help="print the contract",
        description="Prints the contract as an OpenAPI 3.1 document: docs/platform-openapi.json.",
    )
    parser.set_defaults(run=_openapi)


def _openapi(_options: argparse.Namespace) -> int:
    from hw_sim.platform.openapi import document

    sys.stdout.write(document())
    return DONE


def _add_import_bundle(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "import-bundle",
        help="take in what a terminal wrote on a stick while its line was down",
        description="Every message has its effect once, also when the platform is serving, the "
        "message came before, or the bundle is imported again. Exit code 1: the bundle is refused, "
        "or some of it waits (import it again later).",
    )
    parser.add_argument("bundle", type=Path, metavar="FILE", help="the terminal's bundle")
    parser.add_argument(
        "--receipts", required=True, type=Path, metavar="FILE", help="written for the terminal"
    )
    parser.add_argument("--database", required=True, metavar="PLACE", help=_DATABASE)
    parser.set_defaults(run=_import_bundle)


def _import_bundle(options: argparse.Namespace) -> int:
    from hw_sim.platform.bundle_intake import import_bundle
    from hw_sim.platform.bundles import BundleRefused
    from hw_sim.platform.store import Store

    # A bundle is no reason to make a new platform.
    if "://" not in options.database and not Path(options.database).is_file():
        raise UnusableDatabase("there is no such database")
    store = Store.open(options.database, date.today())
    try:
        taken = import_bundle(store, options.bundle, options.receipts, int(time.time()))
    except (BundleRefused, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else f"the bundle is refused: {error}"
        sys.stderr.write(f"{why}\n")
        return FAILED
    finally:
        store.close()
    sys.stdout.write(
        f"{taken.terminal_id}: accepted {taken.accepted}, refused {taken.refused}"
        f"{'' if taken.whole else ', the rest waits'}\nbundle {taken.bundle.hex()}\n"
    )
    return DONE if taken.whole else FAILED


if __name__ == "__main__":
    raise SystemExit(main())
