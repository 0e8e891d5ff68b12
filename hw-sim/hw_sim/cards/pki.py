"""The PKI application of the third generation: a directory and, below it, the certificates'
application (domain facts §4.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.application import Application, Challenges
from hw_sim.cards.ber import ber
from hw_sim.cards.iso7816 import Command, Handler, SwError
from hw_sim.cards.memory import Memory
from hw_sim.cards.pki_crypto import KEY_LENGTH, pin_key, sm3
from hw_sim.cards.pki_files import Rights, TransparentFiles
from hw_sim.cards.pki_image import PinSlot, PkiImage, load_pki_image
from hw_sim.cards.pki_key_pairs import KeyPairs, Tag, data_objects
from hw_sim.cards.pki_secret import Secret

_KEY_HEADER = bytes.fromhex("13000000")


class PkiDirectory:
    """The DDF PKI.社会保障, which holds nothing but its master key."""

    def __init__(
        self, memory: Memory, challenges: Challenges, image: PkiImage | None = None
    ) -> None:
        self._image = image or load_pki_image()
        self._master_key = _master_key(memory, challenges, self._image, "pki.ddf")

    @property
    def aid(self) -> bytes:
        return self._image.directory_name

    @property
    def fid(self) -> int | None:
        return None

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return _master_key_handlers(self._master_key)

    def select(self) -> bytes:
        self.drop_volatile_state()
        return _information(self.aid, self._image.directory_information)

    def drop_volatile_state(self) -> None:
        self._master_key.proven = False


class PkiApplication:
    """The ADF SS.CERT.ADF1: two PINs, a master key, two key pairs, two certificates.

    Args:
        directory: what it can be selected from.
        current: the card's current application.
    """

    def __init__(
        self,
        memory: Memory,
        challenges: Challenges,
        directory: PkiDirectory,
        current: Callable[[], Application],
        image: PkiImage | None = None,
    ) -> None:
        self._image = image or load_pki_image()
        self._directory = directory
        self._current = current
        self._master_key = _master_key(memory, challenges, self._image, "pki.adf")
        self.user_pin = _pin(memory, challenges, self._image.user_pin, "pki.user")
        self.admin_pin = _pin(memory, challenges, self._image.admin_pin, "pki.admin")
        rights = Rights(lambda: self.user_pin.proven, lambda: self.admin_pin.proven)
        self._files = TransparentFiles(memory, rights, self._image.files, name="pki.file")
        self._key_pairs = KeyPairs(self._image, self._files, rights)
        self._handlers: Mapping[tuple[int, int], Handler] = {
            (0x00, 0xA4): self._files.select,
            (0x00, 0xB0): self._files.read_binary,
            (0x00, 0xD6): self._files.update_binary,
            (0x80, 0xC4): self._digest,
            (0x00, 0x20): self._verify,
            (0x84, 0x5E): self._change_admin_pin,
            **_master_key_handlers(self._master_key),
            **self._key_pairs.handlers,
        }

    @property
    def aid(self) -> bytes:
        return self._image.application_name

    @property
    def fid(self) -> int | None:
        return self._image.application_fid

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return self._handlers

    def select(self) -> bytes:
        """Ends what both PINs and the master key allowed [I]. Raises SwError(6A82): the directory
        is not selected."""
        if self._current() not in (self._directory, self):
            raise SwError(iso.FILE_NOT_FOUND)
        self.drop_volatile_state()
        return _information(self.aid, b"")

    def drop_volatile_state(self) -> None:
        for secret in (self.user_pin, self.admin_pin, self._master_key):
            secret.proven = False
        self._files.drop_selection()
        self._key_pairs.drop_session()

    def _digest(self, command: Command) -> bytes:
        """80 C4: SM3 of the digits it is given, which tells nothing about the card's own PIN."""
        if (command.p1, command.p2) != (0x01, 0x03):
            raise SwError(iso.WRONG_P1_P2)
        match data_objects(command.data):
            case [(Tag.TEXT, text)] if text:
                return sm3(text)
            case _:
                raise SwError(iso.WRONG_DATA)

    def _verify(self, command: Command) -> bytes:
        if command.p1 != 0x01:
            raise SwError(iso.WRONG_P1_P2)
        pins = {
            self._image.user_pin.reference: self.user_pin,
            self._image.admin_pin.reference: self.admin_pin,
        }
        if command.p2 not in pins:
            raise SwError(iso.REFERENCE_NOT_FOUND)
        return pins[command.p2].prove(command)

    def _change_admin_pin(self, command: Command) -> bytes:
        """84 5E: length, digits in BCD, 80 00.. under the key of the old PIN."""
        if (command.p1, command.p2) != (0x01, self._image.admin_pin.reference):
            raise SwError(iso.WRONG_P1_P2)
        block = self.admin_pin.unwrap(command, blocks=1)
        digits = block[1 : 1 + block[0]]
        least, most = self._image.admin_pin_digits
        number = digits.hex().removesuffix("f")
        if not least <= len(number) <= most or not number.isdecimal():
            raise SwError(iso.WRONG_DATA)
        _need_padding(block[1 + block[0] :])
        self.admin_pin.replace(digits)
        return b""


def _master_key_handlers(key: Secret) -> Mapping[tuple[int, int], Handler]:
    def authenticate(command: Command) -> bytes:
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        return key.prove(command)

    def replace(command: Command) -> bytes:
        """84 D4: 13 00 00 00, the new key, 80 00.. under the old key."""
        if (command.p1, command.p2) != (0x01, 0x00):
            raise SwError(iso.WRONG_P1_P2)
        block = key.unwrap(command, blocks=2)
        if not block.startswith(_KEY_HEADER):
            raise SwError(iso.WRONG_DATA)
        end = len(_KEY_HEADER) + KEY_LENGTH
        _need_padding(block[end:])
        key.replace(block[len(_KEY_HEADER) : end])
        return b""

    return {(0x00, 0x82): authenticate, (0x84, 0xD4): replace}


def _need_padding(rest: bytes) -> None:
    if rest != b"\x80".ljust(len(rest), b"\x00"):
        raise SwError(iso.WRONG_DATA)


def _master_key(memory: Memory, challenges: Challenges, image: PkiImage, name: str) -> Secret:
    return Secret(
        memory,
        challenges,
        name=f"{name}.master",
        value=image.master_key,
        tries=image.master_key_tries,
    )


def _pin(memory: Memory, challenges: Challenges, slot: PinSlot, name: str) -> Secret:
    return Secret(
        memory,
        challenges,
        name=name,
        value=bytes.fromhex(slot.default),
        tries=slot.tries,
        to_key=pin_key,
    )


def _information(name: bytes, more: bytes) -> bytes:
    """FCI of a directory; ``more`` follows its name."""
    return ber("6F", ber("84", name) + more)
