"""The process that holds the card slots, and its client.

``python -m hw_sim.cards.host --control PATH --contact HOST:PORT --psam HOST:PORT``

It listens on a Unix socket for one JSON object a line and answers each with one:
``{"do": "insert", "card": "v3", "slot": "contact", "challenge_seed": 7, "strict_t0": true}``
(all but the card may be missing), ``remove``,
``faults`` (``text``), ``pin`` (``card``, ``tries``), ``memory`` (``card``), ``renew``,
``status``, ``stop``;
``{"ok": true, ...}`` or ``{"ok": false, "error": "..."}``. The PSAM is in its slot at the start.
A card keeps its memory (PIN tries, records) from one insertion to the next until ``renew``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hw_sim.cards.slots import CONTACT, PSAM, SlotError, Slots

__all__ = ["SlotError", "Slots", "SlotsClient", "SlotsProcess", "main"]

_STOP_SECONDS = 3.0


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, slots: Slots) -> None:
        super().__init__(str(path), _Session)
        self.slots = slots

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request. Raises SlotError, ValueError or TypeError for a wrong one."""
        arguments = {key: value for key, value in request.items() if key != "do"}
        actions: Mapping[str, Callable[..., Any]] = {
            "insert": self.slots.insert,
            "remove": lambda **where: {"card": self.slots.remove(**where)},
            "faults": self.slots.set_faults,
            "pin": self.slots.set_pin_tries,
            "memory": lambda card: {"words": self.slots.memory(card)},
            "renew": self.slots.renew,
            "status": self.slots.status,
            "stop": lambda: threading.Thread(target=self.shutdown).start(),
        }
        action = actions.get(request.get("do", ""))
        if action is None:
            raise SlotError(f"unknown request; known are {', '.join(actions)}")
        return action(**arguments) or {}


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        for line in self.rfile:
            reply: dict[str, Any]
            try:
                request = json.loads(line)
                if not isinstance(request, dict):
                    raise SlotError("a request is a JSON object")
                reply = {"ok": True, **self.server.answer(request)}
            except (SlotError, ValueError, TypeError) as error:
                reply = {"ok": False, "error": str(error)}
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(json.dumps(reply).encode() + b"\n")


class SlotsClient:
    """Asks the process that holds the slots. Every method raises SlotError when it refuses and
    OSError when it is not there.

    Args:
        path: its control socket.
        timeout: seconds for one answer.
    """

    def __init__(self, path: Path | str, timeout: float = 5.0) -> None:
        self._path = str(path)
        self._timeout = timeout

    def insert(
        self,
        name: str,
        slot: str = CONTACT,
        challenge_seed: int | None = None,
        strict_t0: bool | None = None,
    ) -> None:
        """Puts a card of the catalogue in; the reader notices within 0.4 s. See Slots.insert."""
        self._ask(
            do="insert",
            card=name,
            slot=slot,
            challenge_seed=challenge_seed,
            strict_t0=strict_t0,
        )

    def remove(self, slot: str = CONTACT) -> str:
        """Pulls the card; its name."""
        return str(self._ask(do="remove", slot=slot)["card"])

    def fault(self, text: str, slot: str = CONTACT) -> None:
        """Sets the schedule of faults (hw_sim.cards.faults); an empty text clears it."""
        self._ask(do="faults", text=text, slot=slot)

    def set_pin_tries(self, name: str, tries: int) -> None:
        """Sets the tries left of a card, in a slot or not."""
        self._ask(do="pin", card=name, tries=tries)

    def memory(self, name: str) -> dict[str, bytes]:
        """What a social security card holds, by word: for a look after a tear."""
        words = self._ask(do="memory", card=name)["words"]
        return {word: bytes.fromhex(value) for word, value in words.items()}

    def renew(self) -> None:
        """Empties the contact slot, clears its faults, and issues every card anew."""
        self._ask(do="renew")

    def status(self) -> dict[str, Any]:
        """``slots`` (card, connected, noticed, apdus, faults of each), ``pin_tries``, ``bugs``."""
        return self._ask(do="status")

    def wait(self, seconds: float = 5.0) -> None:
        """Until the process answers. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.status()
                return
            time.sleep(0.01)
        raise TimeoutError("the card slots did not start")

    def stop(self) -> None:
        """Pulls all cards and ends the process."""
        self._ask(do="stop")

    def _ask(self, **request: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(self._timeout)
            link.connect(self._path)
            link.sendall(json.dumps(request).encode() + b"\n")
            with link.makefile("rb") as answers:
                line = answers.readline()
        if not line:
            raise ConnectionError("the card slots gave no answer")
        reply: dict[str, Any] = json.loads(line)
        if not reply.pop("ok"):
            raise SlotError(reply["error"])
        return reply


class SlotsProcess:
    """The slots in a process of their own, for readers that listen somewhere already.

    Where pcscd cannot run, the terminal's direct-socket driver listens like vpcd and this puts
    cards in; the process ends with the one that started it.

    Args:
        control: its control socket, a short path that does not exist.
        contact: host and port of the contact reader.
        psam: host and port of the PSAM slot.
    """

    def __init__(self, control: Path, *, contact: tuple[str, int], psam: tuple[str, int]) -> None:
        self.slots = SlotsClient(control)
        where = [
            f"--{name}={host}:{port}" for name, (host, port) in ((CONTACT, contact), (PSAM, psam))
        ]
        self._command = [
            sys.executable,
            "-m",
            "hw_sim.cards.host",
            "--lifeline",
            f"--control={control}",
            *where,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises TimeoutError."""
        modules = os.pathsep.join(entry for entry in sys.path if entry)
        environment = {**os.environ, "PYTHONPATH": modules}
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environment)
        try:
            self.slots.wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Pulls the cards and ends the process; harmless when it does not run."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> SlotsProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise argparse.ArgumentTypeError("expected HOST:PORT")
    return host, int(port)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until ``stop``, SIGTERM, or the end of standard input with ``--lifeline``."""
    parser = argparse.ArgumentParser(prog="python -m hw_sim.cards.host", description=__doc__)
    parser.add_argument("--control", type=Path, required=True, help="Unix socket to listen on")
    parser.add_argument("--contact", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--psam", type=_address, required=True, metavar="HOST:PORT")
    parser.add_argument("--lifeline", action="store_true", help="end with standard input")
    options = parser.parse_args(arguments)

    slots = Slots({CONTACT: options.contact, PSAM: options.psam})
    server = _Server(options.control, slots)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    if options.lifeline:
        threading.Thread(target=_follow_lifeline, args=(server,), daemon=True).start()
    slots.insert("psam", PSAM)
    try:
        with server:
            server.serve_forever(poll_interval=0.05)
    finally:
        slots.close()
        options.control.unlink(missing_ok=True)
    return 0


def _follow_lifeline(server: _Server) -> None:
    sys.stdin.buffer.read()
    server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
