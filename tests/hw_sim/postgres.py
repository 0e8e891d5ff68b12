"""Debian's PostgreSQL in a folder of its own, for tests and measurements: no system service.

with postgresql() as server:
    store = Store.open(server.new_database(), as_of)
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_PROGRAMS = Path("/usr/lib/postgresql")
_ROLE = "platform"
_USER = "postgres"
"""Of the machine, made by Debian's package: PostgreSQL refuses to run as root."""
_START_S = 60
_ATTEMPTS = 3


class PostgresqlUnavailable(Exception):
    """It isn't installed."""


class _PortTaken(Exception):
    """It ended before it was ready."""


class Postgresql:
    """A running server.

    Attributes:
        process: the server's first process.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, password: str) -> None:
        self.process = process
        self._port = port
        self._password = password
        self._numbers = itertools.count(1)

    def url(self, name: str) -> str:
        return f"postgresql://{_ROLE}:{self._password}@127.0.0.1:{self._port}/{name}"

    def new_database(self, template: str = "template0") -> str:
        """The URL of a database that nobody has; a copy of ``template``, which nobody uses."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """A server on a free port of 127.0.0.1, with ``fsync`` as in the field; ended on the way out.

    Raises:
        PostgresqlUnavailable: see there.
    """
    # Not under pytest's folder, which the server's user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="yikatong-pg-", dir="/tmp"))
    try:
        server = _started(folder)
        try:
            yield server
        finally:
            # At once, without writing what was committed: the folder goes too.
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(_START_S)
    finally:
        shutil.rmtree(folder)


def _started(folder: Path) -> Postgresql:
    password = secrets.token_hex(16)
    (folder / "password").write_text(password)
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, _USER, _USER)
    _initialise(folder)
    for _ in range(_ATTEMPTS - 1):
        try:
            return _listening(folder, password)
        except _PortTaken:
            continue
    return _listening(folder, password)


def _initialise(folder: Path) -> None:
    command = [
        *(_program("initdb"), "--pgdata", str(folder / "data"), "--no-sync"),
        *("--username", _ROLE, "--pwfile", str(folder / "password")),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
    ]
    done = subprocess.run(
        command, capture_output=True, cwd=folder, check=False, user=_user(), group=_user()
    )
    assert done.returncode == 0, done.stderr.decode()


def _listening(folder: Path, password: str) -> Postgresql:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [
                *(_program("postgres"), "-D", str(folder / "data"), "-p", str(port)),
                *("-h", "127.0.0.1", "-k", str(folder), "-c", "fsync=on"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            cwd=folder,
            user=_user(),
            group=_user(),
        )
    server = Postgresql(process, port, password)
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            if process.poll() is not None:
                raise _PortTaken(log.read_text()) from None
            time.sleep(0.05)
        else:
            return server
    process.kill()
    process.wait()
    raise AssertionError(log.read_text())


def _program(name: str) -> str:
    """The newest that is installed; Debian has them outside the PATH."""
    versions = [int(found.parts[-3]) for found in _PROGRAMS.glob(f"*/bin/{name}")]
    if versions:
        return str(_PROGRAMS / str(max(versions)) / "bin" / name)
    found = shutil.which(name)
    if found is None:
        raise PostgresqlUnavailable(f"{name} is not installed")
    return found


def _user() -> str | None:
    return _USER if os.geteuid() == 0 else None
