"""Bundles and receipts by hand, from docs/platform.md alone and with gmalg: a third encoder."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import gmalg
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.hw_sim.platform_terminal import Terminal, sign, verify

EVENTS, ALARMS = 1, 2


class Part(NamedTuple):
    """A message of a bundle."""

    seq: int
    endpoint: int
    key: str
    body: bytes


class Receipt(NamedTuple):
    """A receipt of a file of receipts."""

    seq: int
    key: str
    digest: bytes
    status: int
    word: str


def sm3(text: bytes) -> bytes:
    hashed = gmalg.SM3()
    hashed.update(text)
    return bytes(hashed.value())


def gcm(key: bytes, number: int, text: bytes, context: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(struct.pack(">8xI", number))).encryptor()
    encryptor.authenticate_additional_data(context)
    return encryptor.update(text) + encryptor.finalize() + encryptor.tag


def record(part: Part) -> bytes:
    key = part.key.encode()
    return (
        struct.pack(">QBB", part.seq, part.endpoint, len(key))
        + key
        + struct.pack(">I", len(part.body))
        + part.body
    )


@dataclass(frozen=True)
class BundleText:
    """A bundle before it is signed; tests change what they like.

    Attributes:
        chunks: plain texts.
        claimed: first, last, messages and chunks as the end says; None for the truth.
    """

    terminal: Terminal
    to: bytes
    chunks: Sequence[bytes]
    seqs: Sequence[int]
    magic: bytes = b"YKTB"
    version: int = 1
    name: bytes | None = None
    key: bytes = bytes(range(16))
    sealed_key: bytes | None = None
    claimed: tuple[int, int, int, int] | None = None
    lengths: Sequence[int] = field(default=())

    def unsigned(self) -> bytes:
        name = self.terminal.terminal_id.encode() if self.name is None else self.name
        sealed_key = self.sealed_key
        if sealed_key is None:
            sealed_key = gmalg.SM2(None, None, b"\x04" + self.to).encrypt(self.key)
        head = struct.pack(
            ">4sH16s16sQ8s113s",
            self.magic, self.version, name, bytes(16), 1_795_000_000, sm3(self.to)[:8], sealed_key,
        )  # fmt: skip
        context = sm3(head)
        text = head
        for number, chunk in enumerate(self.chunks):
            sealed = gcm(self.key, number, chunk, context + struct.pack(">I", number))
            length = self.lengths[number] if number < len(self.lengths) else len(sealed)
            text += struct.pack(">I", length) + sealed
        count = len(self.chunks)
        truth = (self.seqs[0], self.seqs[-1], len(self.seqs), count) if self.seqs else (0, 0, 0, 0)
        closing = struct.pack(">QQII", *(self.claimed or truth))
        end = gcm(self.key, count, closing, context + struct.pack(">I", count) + b"end")
        return text + bytes(4) + end

    def signed(self) -> bytes:
        text, terminal = self.unsigned(), self.terminal
        message = b"yikatong bundle 1\0" + sm3(text)
        return text + sign(terminal.private, terminal.public, message)


def bundle_text(terminal: Terminal, parts: Sequence[Part], *, chunk: int = 3) -> BundleText:
    """A good one, with so many messages in a chunk."""
    texts = [
        b"".join(record(part) for part in parts[at : at + chunk])
        for at in range(0, len(parts), chunk)
    ]
    return BundleText(terminal, terminal.encryption_key, texts, [part.seq for part in parts])


def changed(text: BundleText, **changes: object) -> bytes:
    """Another bundle, signed all the same."""
    return replace(text, **changes).signed()  # type: ignore[arg-type]


def receipts_of(terminal: Terminal, content: bytes) -> tuple[bytes, int, list[Receipt]]:
    """The bundle's digest, the platform's time, and the receipts; everything is checked."""
    text, signature = content[:-64], content[-64:]
    assert verify(terminal.platform_key, b"yikatong receipts 1\0" + sm3(text), signature)
    magic, version, name, bundle, created, count = struct.unpack_from(">4sH16s32sQI", text)
    assert (magic, version) == (b"YKTR", 1)
    assert name == terminal.terminal_id.encode().ljust(16, b"\0")
    at, found = 66, []
    for _ in range(count):
        seq, length = struct.unpack_from(">QB", text, at)
        key = text[at + 9 : at + 9 + length].decode()
        at += 9 + length
        digest, status, length = struct.unpack_from(">32sHH", text, at)
        found.append(Receipt(seq, key, digest, status, text[at + 36 : at + 36 + length].decode()))
        at += 36 + length
    assert at == len(text)
    return bundle, created, found
