"""Printers and spoolers that others wrote, each in a folder of its own: nothing of the machine's
is touched, nothing outlives its test.

Debian's ippeveprinter announces itself over D-Bus and Avahi and won't start without them: both
get private daemons, Avahi with a ``/run`` of its own (libraries of Debian 12: CUPS 2.4).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.programs import need

_SECONDS = 20.0
_POLICY = "printer-error-policy=stop-printer"

_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow eavesdrop="true"/>
  </policy>
</busconfig>
"""
_AVAHI = """[server]
use-ipv6=no
allow-interfaces=lo
enable-dbus=yes
[publish]
publish-workstation=no
"""
_PRESS = """#!{python}
# What ippeveprinter runs for a document: a sheet at a time, an obstacle for as long as its file is
# there. It says so in the language of ippeveprinter(1), "PRINT COMMANDS".
import os, sys, time
folder = {folder!r}
def say(words):
    print(words, file=sys.stderr, flush=True)
def there(name):
    return os.path.exists(os.path.join(folder, name))
with open(os.path.join(folder, "runs"), "a") as runs:
    runs.write(open(os.path.join(folder, "pages")).read() + "\\n")
pages = int(open(os.path.join(folder, "pages")).read())
say("ATTR: job-impressions-completed=0")
for page in range(1, pages + 1):
    stopped = ""
    while there("obstacle"):
        now = open(os.path.join(folder, "obstacle")).read()
        if now and now != stopped:
            stopped = now
            say("STATE: +" + stopped)
        time.sleep(0.02)
    if stopped:
        say("STATE: -" + stopped)
    while there("hold-%d" % page):
        time.sleep(0.02)
    with open(os.path.join(folder, "sheets"), "a") as sheets:
        sheets.write("%d\\n" % page)
    say("ATTR: job-impressions-completed=%d" % page)
    time.sleep(0.1)
"""


def until(condition: Callable[[], bool], seconds: float = _SECONDS) -> None:
    """Wait for something that a program of others does by itself."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@dataclass
class Press:
    """Debian's ippeveprinter, and the command that it prints with."""

    url: str
    folder: Path

    def expect(self, pages: int) -> None:
        """So many sheets the next document has."""
        (self.folder / "pages").write_text(str(pages))

    def obstacle(self, word: str) -> None:
        """From the next sheet on this is in its way; empty for nothing any more."""
        path = self.folder / "obstacle"
        if word:
            fresh = path.with_suffix(".new")
            fresh.write_text(word)
            fresh.replace(path)
        else:
            path.unlink(missing_ok=True)

    def hold(self, page: int) -> None:
        """Let the sheet not begin before `go_on`."""
        (self.folder / f"hold-{page}").touch()

    def go_on(self) -> None:
        """Let every sheet begin."""
        for held in self.folder.glob("hold-*"):
            held.unlink()

    @property
    def sheets(self) -> int:
        """Sheets that came out of all documents."""
        path = self.folder / "sheets"
        return len(path.read_text().split()) if path.exists() else 0

    @property
    def runs(self) -> int:
        """Documents that it began to print."""
        path = self.folder / "runs"
        return len(path.read_text().split()) if path.exists() else 0


@contextmanager
def ippeveprinter(folder: Path) -> Iterator[Press]:
    """Debian's printer, with daemons of its own."""
    program, space = need("ippeveprinter"), _namespace()
    folder.mkdir(parents=True)
    bus, port = folder / "bus", _free_port()
    (folder / "bus.conf").write_text(_BUS.format(socket=bus))
    (folder / "avahi.conf").write_text(_AVAHI)
    command = folder / "press"
    command.write_text(_PRESS.format(python=sys.executable, folder=str(folder)))
    command.chmod(0o755)
    private = 'mount -t tmpfs tmpfs /run && exec "$@"'
    environ = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}", "HOME": str(folder)}
    with (
        _running(folder, environ, *space, need("dbus-daemon"), "--nofork", "--nopidfile",
                 f"--config-file={folder / 'bus.conf'}"),
    ):  # fmt: skip
        until(bus.exists)
        with _running(folder, environ, *space, "sh", "-c", private, "sh", need("avahi-daemon"),
                      "--no-rlimits", "--no-drop-root", "--no-chroot", "-f",
                      str(folder / "avahi.conf")) as avahi:  # fmt: skip
            until(lambda: "startup complete" in avahi.read_text())
            with _running(folder, environ, *space, program, "-v", "-p", str(port), "-n",
                          "localhost", "-k", "-K", str(folder), "-d", str(folder), "-f",
                          "application/pdf", "-c", str(command), "Eve") as log:  # fmt: skip
                until(lambda: _listens(port) or "Unable" in log.read_text())
                assert _listens(port), log.read_text()
                yield Press(f"ipp://localhost:{port}/ipp/print", folder)


@contextmanager
def cupsd() -> Iterator[Spooler]:
    """Debian's cupsd without a queue yet. Run by root it gives its filters to another user, who
    must be able to look into its folder."""
    program = need("cupsd")
    need("lpadmin")
    with tempfile.TemporaryDirectory(prefix="cups-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("spool/tmp", "cache", "state", "root"):
            (folder / part).mkdir(parents=True)
        at = folder / "socket"
        (folder / "cupsd.conf").write_text(_CUPSD.format(socket=at))
        (folder / "files.conf").write_text(_FILES.format(folder=folder))
        with _running(folder, {}, program, "-f", "-c", str(folder / "cupsd.conf"), "-s",
                      str(folder / "files.conf")):  # fmt: skip
            until(at.exists)
            yield Spooler(at)


_CUPSD = """LogLevel warn
Listen {socket}
Browsing No
WebInterface No
PreserveJobHistory Yes
<Location />
  Allow all
</Location>
<Policy default>
  <Limit Create-Job Print-Job Validate-Job>
    Order deny,allow
  </Limit>
  <Limit Send-Document Cancel-Job>
    Require user @OWNER @SYSTEM
    Order deny,allow
  </Limit>
  <Limit CUPS-Add-Modify-Printer Resume-Printer Enable-Printer Pause-Printer CUPS-Reject-Jobs>
    AuthType Default
    Require user @SYSTEM
    Order deny,allow
  </Limit>
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
"""
_FILES = """SystemGroup root
AccessLog {folder}/access
ErrorLog {folder}/error
PageLog {folder}/page
RequestRoot {folder}/spool
CacheDir {folder}/cache
StateDir {folder}/state
TempDir {folder}/spool/tmp
ServerRoot {folder}/root
FileDevice Yes
"""


@dataclass
class Spooler:
    """Debian's cupsd, by its socket."""

    socket: Path

    def add(self, queue: str, uri: str, options: str = "") -> None:
        """A queue for a driverless printer; `options` go to the backend."""
        self.run("lpadmin", "-p", queue, "-E", "-v", uri, "-m", "everywhere")
        # The printer itself would be asked under its address with the options.
        self.run("lpadmin", "-p", queue, "-v", uri + options, "-o", _POLICY)

    def run(self, program: str, *arguments: str) -> str:
        """What one of CUPS' own programs says; it must succeed."""
        done = subprocess.run(
            [need(program), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "CUPS_SERVER": str(self.socket), "LC_ALL": "C"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _namespace() -> tuple[str, ...]:
    as_user = () if os.geteuid() == 0 else ("--map-root-user",)
    prefix = ("unshare", *as_user, "--mount", "--")
    probe = [*prefix, "mount", "-t", "tmpfs", "tmpfs", "/run"]
    allowed = (
        shutil.which("unshare")
        and not subprocess.run(probe, capture_output=True, check=False).returncode
    )
    if not allowed:
        pytest.skip("no private /run here, and Avahi would use the machine's")
    return prefix


@contextmanager
def _running(folder: Path, environ: dict[str, str], *command: str) -> Iterator[Path]:
    """A program that goes on; yields what it writes."""
    log = folder / f"log-{time.monotonic_ns()}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environ},
            start_new_session=True,
        )
    try:
        yield log
    finally:
        # The whole session: a spooler has backends and filters of its own.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
