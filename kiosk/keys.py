"""The terminal's own secrets: its SM2 key pair, the device key for subject tags, its enrolment.

Private halves never leave the ``keys`` folder of the state directory; every file there has mode
0600 and one that others can read is refused, because it may already be known.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apdu.crypto import sm2, sm3
from apdu.crypto.errors import MalformedKey
from offline_queue.durable import sync_folder

TERMINAL_ID = re.compile(r"T[0-9]{6}-[0-9]{4}")
"""``T`` + division code + ``-`` + 4 digits (docs/platform.md)."""

_KEY_FILE = "terminal-sm2.pem"
_DEVICE_KEY_FILE = "device-hmac.key"
_ENROLMENT_FILE = "enrolment.json"
_DEVICE_KEY_BYTES = 32


class KeyStoreError(Exception):
    """Base of what is wrong with the keys folder."""


class NotEnrolled(KeyStoreError):
    """There is no enrolment record or key: run ``yikatong provision`` first."""


class KeyFileRefused(KeyStoreError):
    """A file can be read by others, is damaged, or does not fit the enrolment."""


@dataclass(frozen=True)
class Enrolment:
    """What the platform told the terminal when it was enrolled.

    Attributes:
        terminal_id: for example ``T429900-0003``.
        division: 6 digits (行政区划代码).
        platform_url: where it was enrolled.
        platform_key: verifies every answer of the platform.
        enrolled_at: Unix seconds by the platform's clock.
        encryption_key: what a bundle is encrypted to when the line is down (`kiosk.transfer`): a
            key of its own, so that neither use can be turned against the other. None: enrolled
            before platforms gave one.
    """

    terminal_id: str
    division: str
    platform_url: str
    platform_key: sm2.PublicKey
    enrolled_at: int
    encryption_key: sm2.PublicKey | None = None


@dataclass(frozen=True)
class TerminalKeys:
    """Everything that an enrolled terminal signs and tags with."""

    enrolment: Enrolment
    private_key: sm2.PrivateKey = field(repr=False)
    device_key: bytes = field(repr=False)

    @property
    def terminal_id(self) -> str:
        """The terminal's name on the wire and in the audit log."""
        return self.enrolment.terminal_id

    def subject_tag(self, number: str) -> str:
        """64 hex digits that stand for a person in audit lines and alarms.

        An HMAC-SM3 under the device key: a bare hash of a number could be found by trying all
        numbers. The same number gives the same tag on this terminal only.
        """
        message = b"yikatong subject 1\0" + number.encode("utf-8")
        return sm3.hmac_digest(self.device_key, message).hex()

    @property
    def queue_key(self) -> bytes:
        """16 bytes that seal what waits for the platform, derived from the device key."""
        return sm3.hmac_digest(self.device_key, b"yikatong queue 1")[:16]


class KeyStore:
    """The ``keys`` folder of a state directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> sm2.PublicKey:
        """Make the key pair and the device key where missing, return the public key.

        Keys that are there are kept, so an enrolment that broke off repeats with the same key.

        Raises:
            KeyFileRefused: a key that is there cannot be trusted.
            apdu.crypto.errors.BackendRefused: this machine cannot make SM2 keys.
        """
        if not (self._folder / _DEVICE_KEY_FILE).exists():
            key = random_bytes(_DEVICE_KEY_BYTES)
            _write(self._folder / _DEVICE_KEY_FILE, key.hex().encode("ascii") + b"\n")
        if not (self._folder / _KEY_FILE).exists():
            _write(self._folder / _KEY_FILE, sm2.generate().to_pem().encode("ascii"))
        return self._private_key().public_key()

    def enrol(self, enrolment: Enrolment) -> None:
        """Record the enrolment; replaces an earlier one.

        Raises:
            NotEnrolled: `prepare` was never called.
            ValueError: the terminal id has another form.
        """
        if not TERMINAL_ID.fullmatch(enrolment.terminal_id):
            raise ValueError("a terminal id looks like T429900-0003")
        self._private_key()
        record = {
            "division": enrolment.division,
            "enrolled_at": enrolment.enrolled_at,
            "platform_key": enrolment.platform_key.xy.hex(),
            "platform_url": enrolment.platform_url,
            "terminal_id": enrolment.terminal_id,
        }
        if enrolment.encryption_key is not None:
            record["encryption_key"] = enrolment.encryption_key.xy.hex()
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        _write(self._folder / _ENROLMENT_FILE, text.encode("utf-8"))

    def load(self) -> TerminalKeys:
        """Everything, checked.

        Raises:
            NotEnrolled: something is missing.
            KeyFileRefused: something is readable by others or damaged.
        """
        return TerminalKeys(self.enrolment(), self._private_key(), self._device_key())

    def enrolment(self) -> Enrolment:
        """The enrolment record alone. Raises NotEnrolled, KeyFileRefused."""
        file = self._folder / _ENROLMENT_FILE
        try:
            record = json.loads(_read(file))
            return _enrolment(record)
        except (ValueError, KeyError, TypeError, MalformedKey):
            raise KeyFileRefused(f"{file} is damaged") from None

    def _private_key(self) -> sm2.PrivateKey:
        file = self._folder / _KEY_FILE
        try:
            return sm2.PrivateKey.from_pem(_read(file).decode("ascii"))
        except (UnicodeDecodeError, MalformedKey):
            raise KeyFileRefused(f"{file} holds no SM2 private key") from None

    def _device_key(self) -> bytes:
        file = self._folder / _DEVICE_KEY_FILE
        text = _read(file).strip()
        if not re.fullmatch(rb"[0-9a-f]{%d}" % (2 * _DEVICE_KEY_BYTES), text):
            raise KeyFileRefused(f"{file} holds no key of {_DEVICE_KEY_BYTES} bytes")
        return bytes.fromhex(text.decode("ascii"))


def _enrolment(record: dict[str, Any]) -> Enrolment:
    texts = {"terminal_id", "division", "platform_url", "platform_key"}
    if "encryption_key" in record:
        texts.add("encryption_key")
    if set(record) != {*texts, "enrolled_at"}:
        raise KeyError("enrolment")
    if not all(isinstance(record[name], str) for name in texts):
        raise TypeError("enrolment")
    if not isinstance(record["enrolled_at"], int) or not TERMINAL_ID.fullmatch(
        record["terminal_id"]
    ):
        raise ValueError("enrolment")
    return Enrolment(
        terminal_id=record["terminal_id"],
        division=record["division"],
        platform_url=record["platform_url"],
        platform_key=sm2.PublicKey(bytes.fromhex(record["platform_key"])),
        enrolled_at=record["enrolled_at"],
        encryption_key=(
            sm2.PublicKey(bytes.fromhex(record["encryption_key"]))
            if "encryption_key" in record
            else None
        ),
    )


def _read(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotEnrolled(f"{file} is missing") from None
    except OSError as problem:
        raise KeyFileRefused(f"{file} cannot be read ({problem.strerror})") from None
    with os.fdopen(descriptor, "rb") as stream:
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if mode & 0o077:
            raise KeyFileRefused(f"{file} has mode {mode:04o}; others may have read it")
        return stream.read()


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, also through a power cut."""
    draft = file.with_name(file.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    sync_folder(file.parent)
