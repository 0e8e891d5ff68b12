"""A bundle taken in, and the receipts that go back to its terminal. docs/platform.md, USB."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import OperationalError

from hw_sim.platform.bundles import Bundle, Message
from hw_sim.platform.idempotency import Submissions
from hw_sim.platform.model import Terminal
from hw_sim.platform.parts import taken_in
from hw_sim.platform.problems import URN, Answer, ProblemKind
from hw_sim.platform.signatures import Sm2Key, Sm2Sm3
from hw_sim.platform.store import Store

_SIGNED_FOR = b"yikatong receipts 1\0"
_HEAD = struct.Struct(">4sH16s32sQI")
_RECORD = struct.Struct(">QB")
_RESULT = struct.Struct(">32sHH")


@dataclass
class Receipts:
    """What became of each message of one bundle, so far.

    Attributes:
        whole: False when a message could not be decided; it and those behind it have no receipt.
        accepted, refused: how many.
    """

    terminal_id: str
    bundle: bytes
    whole: bool = True
    accepted: int = 0
    refused: int = 0
    _records: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, message: Message, answer: Answer) -> None:
        """The answer to the next message."""
        document = json.loads(answer.body)
        if answer.status < 300:
            word = document["event_no"] if "event_no" in document else document["alarm_no"]
            self.accepted += 1
        else:
            word = document["type"].removeprefix(URN)
            self.refused += 1
        key = message.key.encode()
        digest = hashlib.new("sm3", message.body).digest()
        self._records += _RECORD.pack(message.seq, len(key)) + key
        self._records += _RESULT.pack(digest, answer.status, len(word)) + word.encode()

    def signed(self, key: Sm2Key, now: int) -> bytes:
        """The whole file."""
        head = _HEAD.pack(
            b"YKTR", 1, self.terminal_id.encode(), self.bundle, now, self.accepted + self.refused
        )
        text = head + self._records
        digest = hashlib.new("sm3", text).digest()
        return text + Sm2Sm3(private_key=key).sign(_SIGNED_FOR + digest)


def import_bundle(store: Store, file: Path, receipts: Path, now: int) -> Receipts:
    """Take every message of a bundle in, once, whichever way it came before or comes later; write
    the signed receipts.

    A bundle that was taken in before changes nothing and gets the same receipts again.

    Args:
        receipts: where they are written; replaces an older file, as a whole or not at all.
        now: the platform's clock, Unix seconds.

    Raises:
        BundleRefused: see ``bundles.Fault``. ``MALFORMED`` may come after messages were taken in.
        OSError: a file cannot be read or written.
    """

    def public_key_of(terminal_id: str) -> bytes | None:
        with store.sessions() as session:
            terminal = session.get(Terminal, terminal_id)
        return None if terminal is None else bytes.fromhex(terminal.public_key)

    with file.open("rb") as stream:
        bundle = Bundle(stream, public_key_of, store.encryption_key)
        taken = _take_in(store, bundle, now)
    _write(receipts, taken.signed(store.key, now))
    return taken


def _take_in(store: Store, bundle: Bundle, now: int) -> Receipts:
    submissions = Submissions(store.sessions)
    taken = Receipts(bundle.terminal_id, bundle.digest)
    for message in bundle.messages():
        try:
            answer = taken_in(
                message.endpoint,
                message.key,
                message.body,
                terminal_id=bundle.terminal_id,
                now=now,
                submissions=submissions,
            )
        except OperationalError:
            # Locked for too long: the same bundle is good later.
            taken.whole = False
            break
        if answer.status == ProblemKind.IN_PROGRESS.status:
            # What is behind it could depend on it, as a range of the audit log does.
            taken.whole = False
            break
        taken.add(message, answer)
    return taken


def _write(file: Path, content: bytes) -> None:
    draft = file.with_name(file.name + ".part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
