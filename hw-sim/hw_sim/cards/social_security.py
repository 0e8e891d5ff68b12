"""The social security card (社会保障卡) of three generations (domain facts §1 to §4)."""

from __future__ import annotations

import hmac
import random
import secrets
from collections.abc import Callable, Mapping
from enum import Enum

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.access import Access
from hw_sim.cards.image import FileLayout, Image, KeySlot
from hw_sim.cards.iso7816 import CardSystem, Command, SwError
from hw_sim.cards.keys import authenticator, card_keys
from hw_sim.population import Resident

SSSE_AID = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
MASTER_NAME = b"1PAY.SYS.DDF01"
MASTER_FID = 0x3F00
SSSE_FID = 0xDDF1

RandomSource = Callable[[int], bytes]


class Directory(Enum):
    MASTER = "MF"
    SSSE = "SSSE"


def ber(tag: str, value: bytes) -> bytes:
    """One TLV element with a length of one byte; ``tag`` in hex."""
    return bytes.fromhex(tag) + bytes([len(value)]) + value


class SocialSecurityCard(CardSystem):
    """One issued card.

    Args:
        image: its generation.
        resident: the holder.
        challenge_seed: the same challenges after each power-on, for benchmarks.
        random_bytes: source of the challenges without a seed; takes a length.
    """

    def __init__(
        self,
        image: Image,
        resident: Resident,
        *,
        challenge_seed: int | None = None,
        random_bytes: RandomSource = secrets.token_bytes,
    ) -> None:
        super().__init__(image.atr(resident), t0=image.t0)
        self.image = image
        self.challenge_seed = challenge_seed
        self._source = random_bytes
        self._keys = card_keys(image.algorithm, resident.card.card_id[:3].hex(), self.atr[-8:])
        self._slots: Mapping[int, KeySlot] = {slot.kid: slot for slot in image.keys}
        self._files: Mapping[int, FileLayout] = {layout.fid: layout for layout in image.files}
        self._counts: dict[int, int] = {}
        for layout in image.files:
            records = image.records(layout, resident)
            self._counts[layout.fid] = len(records)
            for number, record in enumerate(records, 1):
                self.memory.write(_record_key(layout, number), record)
        for slot in image.keys:
            if slot.tries is not None:
                self.memory.write(_key_tries(slot), slot.tries)
        self.memory.write("pin", _packed(image.default_pin))
        self.memory.write("pin.tries", image.pin_tries)
        self.memory.commit()
        self._handlers: Mapping[tuple[int, int], Callable[[Command], bytes]] = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB2): self._read_record,
            (0x00, 0xDC): self._update_record,
            (0x00, 0x20): self._verify,
            (0x80, 0x5E): self._change_pin,
            (0x00, 0x84): self._get_challenge,
            (0x00, 0x88): self._internal_authenticate,
            (0x00, 0x82): self._external_authenticate,
        }
        self.drop_volatile_state()

    @property
    def handlers(self) -> Mapping[tuple[int, int], Callable[[Command], bytes]]:
        return self._handlers

    @property
    def pin_tries(self) -> int:
        """Tries left before the PIN is locked."""
        return self.memory.count("pin.tries")

    def set_pin_tries(self, tries: int) -> None:
        """As if the PIN had been tried before; 0 is a locked PIN. Raises ValueError."""
        if not 0 <= tries <= self.image.pin_tries:
            raise ValueError(f"tries are 0..{self.image.pin_tries}")
        self.memory.write("pin.tries", tries)
        self.memory.commit()

    def drop_volatile_state(self) -> None:
        self._directory = Directory.MASTER
        self._file: FileLayout | None = None
        self._challenge: bytes | None = None
        self._pin_verified = False
        self._authenticated: set[int] = set()
        seed = self.challenge_seed
        self._random_bytes = self._source if seed is None else random.Random(seed).randbytes

    # --- files ---------------------------------------------------------------------------------

    def _select(self, command: Command) -> bytes:
        if command.p2 not in (0x00, 0x0C):
            raise SwError(iso.WRONG_P1_P2)
        match command.p1:
            case 0x04:
                self._select_name(command.data)
            case 0x00 | 0x02:
                if len(command.data) != 2:
                    raise SwError(iso.WRONG_LENGTH)
                fid = int.from_bytes(command.data, "big")
                if command.p1 == 0x00 and fid in (MASTER_FID, SSSE_FID):
                    self._enter(Directory.MASTER if fid == MASTER_FID else Directory.SSSE)
                else:
                    self._file = self._file_here(fid)
                    return b""
            case _:
                raise SwError(iso.WRONG_P1_P2)
        return b"" if command.p2 == 0x0C else self._control_information()

    def _select_name(self, name: bytes) -> None:
        if not 1 <= len(name) <= 16:
            raise SwError(iso.WRONG_LENGTH)
        if name == SSSE_AID:
            self._enter(Directory.SSSE)
        elif name == MASTER_NAME:
            self._enter(Directory.MASTER)
        else:
            raise SwError(iso.FILE_NOT_FOUND)

    def _enter(self, directory: Directory) -> None:
        """Selecting a directory ends the keys' authentications; the PIN is the whole card's."""
        self._directory = directory
        self._file = None
        self._authenticated.clear()

    def _file_here(self, fid: int) -> FileLayout:
        layout = self._files.get(fid)
        if self._directory is not Directory.SSSE or layout is None:
            raise SwError(iso.FILE_NOT_FOUND)
        return layout

    def _control_information(self) -> bytes:
        if self._directory is Directory.MASTER:
            return ber("6F", ber("84", MASTER_NAME) + ber("A5", ber("88", b"\x01")))
        proprietary = ber("88", bytes([self.image.directory_sfi]))
        if self.image.algorithm_in_fci:
            flag = bytes.fromhex(self.image.algorithm.value)
            proprietary += ber("9F0C", ber("86", flag))
        return ber("6F", ber("84", SSSE_AID) + ber("A5", proprietary))

    def _addressed_file(self, command: Command) -> FileLayout:
        """The file of the SFI in P2, which becomes the current one; SFI 0 is the current file."""
        sfi = command.p2 >> 3
        if sfi:
            self._file = self._file_here(0xEF00 | sfi)
        if self._file is None:
            raise SwError(iso.NO_CURRENT_FILE)
        return self._file

    def _read_record(self, command: Command) -> bytes:
        mode = command.p2 & 0x07
        if mode not in (0, 4, 5) or (mode == 5 and not self.image.reads_all_records):
            raise SwError(iso.WRONG_P1_P2)
        if command.data:
            raise SwError(iso.WRONG_LENGTH)
        layout = self._addressed_file(command)
        if not self.may(layout.read):
            raise SwError(iso.SECURITY_STATUS)
        records = [
            self.memory.read(_record_key(layout, number))
            for number in range(1, self._counts[layout.fid] + 1)
        ]
        if mode == 0:
            for record in records:
                if record[0] == command.p1:
                    return record
            raise SwError(iso.RECORD_NOT_FOUND)
        if not 1 <= command.p1 <= len(records):
            raise SwError(iso.RECORD_NOT_FOUND)
        return records[command.p1 - 1] if mode == 4 else b"".join(records[command.p1 - 1 :])

    def may(self, access: Access) -> bool:
        """Whether the session's PIN check and authentications give this right."""
        return access.granted(pin=self._pin_verified, keys=self._authenticated)

    def _update_record(self, command: Command) -> bytes:
        if command.p2 & 0x07 != 4:
            raise SwError(iso.WRONG_P1_P2)
        layout = self._addressed_file(command)
        if not self.may(layout.write):
            raise SwError(iso.SECURITY_STATUS)
        if not 1 <= command.p1 <= self._counts[layout.fid]:
            raise SwError(iso.RECORD_NOT_FOUND)
        key = _record_key(layout, command.p1)
        old = self.memory.read(key)
        if len(command.data) != len(old):
            raise SwError(iso.WRONG_LENGTH)
        if command.data[:2] != old[:2]:
            raise SwError(iso.WRONG_DATA)
        self.memory.write(key, command.data)
        return b""

    # --- PIN -----------------------------------------------------------------------------------

    def _verify(self, command: Command) -> bytes:
        self._need_application()
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if not command.data and self.image.empty_verify:
            raise iso.tries_left(self.pin_tries) if self.pin_tries else SwError(iso.BLOCKED)
        if not 2 <= len(command.data) <= 8:
            raise SwError(iso.WRONG_LENGTH)
        self._compare_pin(command.data)
        self._pin_verified = True
        return b""

    def _change_pin(self, command: Command) -> bytes:
        self._need_application()
        if (command.p1, command.p2) != (0x01, 0x00):
            raise SwError(iso.WRONG_P1_P2)
        old, separator, new = command.data.partition(b"\xff")
        if not separator or not 2 <= len(old) <= 8 or not 2 <= len(new) <= 8:
            raise SwError(iso.WRONG_LENGTH)
        if not new.hex().removesuffix("f").isdecimal():
            raise SwError(iso.WRONG_DATA)
        self._compare_pin(old)
        self.memory.write("pin", new)
        return b""

    def _compare_pin(self, packed: bytes) -> None:
        """The try is spent, for good, before the comparison: a tear cannot save it."""
        tries = self.pin_tries
        if tries == 0:
            raise SwError(iso.BLOCKED)
        self._pin_verified = False
        self.memory.write("pin.tries", tries - 1)
        self.memory.commit()
        if not hmac.compare_digest(packed, self.memory.read("pin")):
            raise iso.tries_left(tries - 1)
        self.memory.write("pin.tries", self.image.pin_tries)

    # --- authentication ------------------------------------------------------------------------

    def _get_challenge(self, command: Command) -> bytes:
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if command.data or command.ne not in (4, 8, 16):
            raise SwError(iso.WRONG_LENGTH)
        self._challenge = self._random_bytes(command.ne)
        return self._challenge

    def _internal_authenticate(self, command: Command) -> bytes:
        """Data: factor(8), data(8) and optionally a key version."""
        self._need_application()
        if command.p1:
            raise SwError(iso.WRONG_P1_P2)
        slot = self._slots.get(command.p2)
        if slot is None or slot.tries is not None:
            raise SwError(iso.REFERENCE_NOT_FOUND)
        if len(command.data) not in (16, 17):
            raise SwError(iso.WRONG_LENGTH)
        factor, data = command.data[:8], command.data[8:16]
        return authenticator(self._keys[slot.name], factor, data, self.image.algorithm)

    def _external_authenticate(self, command: Command) -> bytes:
        """Data: cryptogram(8), original data(8); spends the latest challenge, right or wrong."""
        self._need_application()
        if command.p1:
            raise SwError(iso.WRONG_P1_P2)
        slot = self._slots.get(command.p2)
        if slot is None or slot.tries is None:
            raise SwError(iso.REFERENCE_NOT_FOUND)
        if len(command.data) != 16:
            raise SwError(iso.WRONG_LENGTH)
        tries = self.memory.count(_key_tries(slot))
        if tries == 0:
            raise SwError(iso.BLOCKED)
        challenge, self._challenge = self._challenge, None
        if challenge is None or len(challenge) != 8:
            raise SwError(iso.CHALLENGE_MISSING)
        self._authenticated.discard(slot.kid)
        self.memory.write(_key_tries(slot), tries - 1)
        self.memory.commit()
        key = self._keys[slot.name]
        expected = authenticator(key, challenge, command.data[8:], self.image.algorithm)
        if not hmac.compare_digest(expected, command.data[:8]):
            raise iso.tries_left(tries - 1)
        self.memory.write(_key_tries(slot), slot.tries)
        self._authenticated.add(slot.kid)
        return b""

    def _need_application(self) -> None:
        """PIN and keys belong to the SSSE; a prober in the MF must not spend their tries."""
        if self._directory is not Directory.SSSE:
            raise SwError(iso.CONDITIONS)


def _packed(pin: str) -> bytes:
    """PIN digits in BCD, an odd one filled up with F (domain facts §3)."""
    return bytes.fromhex(pin + "f" * (len(pin) % 2))


def _record_key(layout: FileLayout, number: int) -> str:
    return f"{layout.fid:04X}.{number}"


def _key_tries(slot: KeySlot) -> str:
    return f"key.{slot.kid:02X}.tries"
