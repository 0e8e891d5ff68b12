"""The SM2 key pairs of the PKI application: making, exporting, importing and signing with them."""

from __future__ import annotations

from enum import IntEnum

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.iso7816 import Command, Handler, SwError
from hw_sim.cards.pki_crypto import (
    COORDINATE,
    KEY_LENGTH,
    generate_pair,
    is_pair,
    open_envelope,
    sign_digest,
    sm4_decrypt,
)
from hw_sim.cards.pki_files import Rights, TransparentFiles
from hw_sim.cards.pki_image import KeyPair, KeyUse, PkiImage, Right

_ENVELOPE = 2 * COORDINATE + 32 + KEY_LENGTH


class Tag(IntEnum):
    """Data objects of the application's own commands (domain facts §4.6, B)."""

    KEY_REFERENCE = 0x84
    PUBLIC_FILE = 0xC0
    TEXT = 0xC1
    PRIVATE_FILE = 0xC2
    PUBLIC_KEY = 0xCA
    PRIVATE_KEY = 0xCB


def data_objects(data: bytes) -> list[tuple[int, bytes]]:
    """Tag (one byte) and value of each data object.

    Raises SwError: 6700 where there is none, 6A80 where they do not fill the data.
    """
    if not data:
        raise SwError(iso.WRONG_LENGTH)
    objects = []
    while data:
        size = 2
        length = int.from_bytes(data[1:2], "big")
        if length & 0x80:
            size += length & 0x7F
            length = int.from_bytes(data[2:size], "big")
        value = data[size : size + length]
        if len(data) < size or len(value) != length:
            raise SwError(iso.WRONG_DATA)
        objects.append((data[0], value))
        data = data[size + length :]
    return objects


class KeyPairs:
    """Handlers of the commands that use key pairs; all but the export need the user PIN [I]."""

    def __init__(self, image: PkiImage, files: TransparentFiles, rights: Rights) -> None:
        self._header = image.public_key_header
        self._signing = image.pair(KeyUse.SIGNATURE)
        self._decryption = image.pair(KeyUse.DECRYPTION)
        self._files = files
        self._rights = rights
        self.handlers: dict[tuple[int, int], Handler] = {
            (0x80, 0x40): self._generate,
            (0x80, 0xC9): self._export,
            (0x00, 0x22): self._choose,
            (0x00, 0x2A): self._sign,
            (0x80, 0x4E): self._open_envelope,
            (0x80, 0x4A): self._load_session_key,
            (0x80, 0xC2): self._import,
        }
        self.drop_session()

    def drop_session(self) -> None:
        self._chosen: KeyPair | None = None
        self._exported: KeyPair | None = None
        self._session_key: bytes | None = None

    def _generate(self, command: Command) -> bytes:
        """80 40: a new signing pair; the old one is gone."""
        _need_parameters(command, 0x00, 0x00)
        self._rights.need(Right.USER)
        self._need_signing_files(command)
        public, private = generate_pair()
        self._files.put(self._signing.public, self._header + public)
        self._files.put(self._signing.private, private)
        return b""

    def _export(self, command: Command) -> bytes:
        """80 C9 82 00 names the pair, 80 C9 82 80 gives its public key behind the header."""
        if (command.p1, command.p2) == (0x82, 0x80):
            if self._exported is None:
                raise SwError(iso.CONDITIONS)
            return self._files.content(self._exported.public)
        _need_parameters(command, 0x82, 0x00)
        self._need_signing_files(command)
        self._need_key(self._signing)
        self._exported = self._signing
        return b""

    def _choose(self, command: Command) -> bytes:
        """00 22 41 B6: the key of the digital signature template, by its private file [I]."""
        _need_parameters(command, 0x41, 0xB6)
        match data_objects(command.data):
            case [(Tag.KEY_REFERENCE, private)]:
                _need_same(private, self._signing.private)
            case _:
                raise SwError(iso.WRONG_DATA)
        self._need_key(self._signing)
        self._chosen = self._signing
        return b""

    def _sign(self, command: Command) -> bytes:
        """00 2A 9E 9A: r‖s over a digest of 32 bytes that the terminal computed [I]."""
        _need_parameters(command, 0x9E, 0x9A)
        if len(command.data) != 32:
            raise SwError(iso.WRONG_LENGTH)
        if self._chosen is None:
            raise SwError(iso.CONDITIONS)
        self._rights.need(Right.USER)
        return sign_digest(self._files.content(self._chosen.private), command.data)

    def _open_envelope(self, command: Command) -> bytes:
        """80 4E: the CA's session key, 16 bytes, out of an envelope for the signing key."""
        _need_parameters(command, 0x00, 0x01)
        self._rights.need(Right.USER)
        match data_objects(command.data):
            case [(Tag.PRIVATE_FILE, private), (Tag.TEXT, envelope)] if len(envelope) == _ENVELOPE:
                _need_same(private, self._signing.private)
            case _:
                raise SwError(iso.WRONG_DATA)
        self._need_key(self._signing)
        key = open_envelope(self._files.content(self._signing.private), envelope)
        if key is None:
            raise SwError(iso.WRONG_DATA)
        return key

    def _load_session_key(self, command: Command) -> bytes:
        """80 4A: the SM4 key of the next private key import; gone with the session."""
        _need_parameters(command, 0x02, 0x10)
        self._rights.need(Right.USER)
        match data_objects(command.data):
            case [(Tag.TEXT, key)] if len(key) == KEY_LENGTH:
                self._session_key = key
            case _:
                raise SwError(iso.WRONG_DATA)
        return b""

    def _import(self, command: Command) -> bytes:
        """80 C2: the encryption pair, its public key first."""
        if (command.p1, command.p2) == (0x40, 0x00):
            return self._import_public(command)
        _need_parameters(command, 0xC0, 0x01)
        return self._import_private(command)

    def _import_public(self, command: Command) -> bytes:
        self._rights.need(Right.USER)
        match data_objects(command.data):
            case [(Tag.PUBLIC_FILE, fid), (Tag.PUBLIC_KEY, key)] if len(key) == 2 * COORDINATE:
                _need_same(fid, self._decryption.public)
            case _:
                raise SwError(iso.WRONG_DATA)
        self._files.put(self._decryption.public, self._header + key)
        return b""

    def _import_private(self, command: Command) -> bytes:
        """Refused where it does not belong to the public key; spends the session key."""
        self._rights.need(Right.USER)
        if self._session_key is None or not self._files.written(self._decryption.public):
            raise SwError(iso.CONDITIONS)
        match data_objects(command.data):
            case [(Tag.PRIVATE_FILE, fid), (Tag.PRIVATE_KEY, cipher)] if len(cipher) == COORDINATE:
                _need_same(fid, self._decryption.private)
            case _:
                raise SwError(iso.WRONG_DATA)
        session_key, self._session_key = self._session_key, None
        private = sm4_decrypt(session_key, cipher)
        public = self._files.content(self._decryption.public)[len(self._header) :]
        if not is_pair(public, private):
            raise SwError(iso.WRONG_DATA)
        self._files.put(self._decryption.private, private)
        return b""

    def _need_signing_files(self, command: Command) -> None:
        match data_objects(command.data):
            case [(Tag.PUBLIC_FILE, public), (Tag.PRIVATE_FILE, private)]:
                _need_same(public, self._signing.public)
                _need_same(private, self._signing.private)
            case _:
                raise SwError(iso.WRONG_DATA)

    def _need_key(self, pair: KeyPair) -> None:
        if not self._files.written(pair.private):
            raise SwError(iso.REFERENCE_NOT_FOUND)


def _need_same(given: bytes, fid: int) -> None:
    if given != fid.to_bytes(2, "big"):
        raise SwError(iso.REFERENCE_NOT_FOUND)


def _need_parameters(command: Command, p1: int, p2: int) -> None:
    if (command.p1, command.p2) != (p1, p2):
        raise SwError(iso.WRONG_P1_P2)
