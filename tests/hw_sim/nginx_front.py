"""Debian's nginx with a generated configuration, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw_sim.platform.nginx import Front, configuration

_USER = "nobody"
_START_S = 30


class NginxUnavailable(Exception):
    """It isn't installed."""


def free_port() -> int:
    """One that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program() -> str:
    """Debian has it where only root looks.

    Raises:
        NginxUnavailable: see there.
    """
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise NginxUnavailable("nginx is not installed")
    return found


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder that nginx's user owns: it has no privileges here, whoever runs the tests."""
    # Not under pytest's folder, which that user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="yikatong-nginx-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def nginx(front: Front) -> Iterator[subprocess.Popen[bytes]]:
    """Runs it until the end of the ``with``; ready when it is entered."""
    folder = front.folder
    config, log = folder / "nginx.conf", folder / "log"
    config.write_text(configuration(front), "utf-8")
    user = None
    if os.geteuid() == 0:
        user = _USER
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, user)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [program(), "-e", "stderr", "-c", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            cwd=folder,
            user=user,
            extra_groups=None if user is None else [],
        )
    try:
        _wait(process, front.listen, log)
        yield process
    finally:
        process.terminate()
        process.wait(_START_S)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, port = address.rsplit(":", 1)
    end = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=_START_S).close()
        except ConnectionRefusedError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        else:
            return
