"""The terminal security module (终端安全模块, PSAM) of the demo city (domain facts §4.4)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.iso7816 import CardSystem, Command, SwError
from hw_sim.cards.keys import (
    Algorithm,
    KeyName,
    block_size,
    city_key,
    diversify,
    encrypt,
    process_key,
    province_factor,
    root_key,
    seal,
)

DF01_FID = 0xDF01
DF01_AID = bytes.fromhex("D15600000590")
UNKNOWN_KEY_INDEX = 0x9403
_MASTER_FID = 0x3F00
_ENCRYPT, _MAC = 0x00, 0x05
_USES = {_ENCRYPT: (7, 8), _MAC: (6, 8)}
"""P1 of 80 FA, and the uses in a usage byte's low five bits that allow it."""


@cache
def _image() -> Mapping[str, Any]:
    text = files("hw_sim.cards").joinpath("images", "psam.toml").read_text("utf-8")
    return tomllib.loads(text)


def held_key(name: KeyName, algorithm: Algorithm, region: str, levels: int) -> bytes:
    """A key at the level from which so many factors lead to a card's: 1 city, 2 province, 3 nation.

    Raises:
        ValueError: another number of levels.
    """
    match levels:
        case 1:
            return city_key(name, algorithm, region)
        case 2:
            return diversify(root_key(name, algorithm), province_factor(region), algorithm)
        case 3:
            return root_key(name, algorithm)
        case _:
            raise ValueError("a key has one to three levels")


class Psam(CardSystem):
    """Holds a city's, a province's and the nation's keys, as their usage bytes say, and derives
    from them; it never gives a key away.

    A process key serves once: real PSAMs may keep it (not public, I), so a terminal that gets on
    with this one gets on with both.
    """

    def __init__(self) -> None:
        image = _image()
        super().__init__(bytes.fromhex("3B6D0000" + image["atr_history"]), t0=True)
        self._terminal_number = bytes.fromhex(image["terminal_number"])
        self._terminal_file = int(image["terminal_file"], 16)
        self._keys: dict[tuple[int, int], tuple[bytes, Algorithm]] = {}
        offsets = {Algorithm.TRIPLE_DES: 0, Algorithm.SM4: int(image["sm4_offset"], 16)}
        for entry in image["keys"]:
            usage, index = int(entry["usage"], 16), int(entry["index"], 16)
            for algorithm, offset in offsets.items():
                key = held_key(entry["name"], algorithm, image["region"], usage >> 5)
                self._keys[usage, index + offset] = key, algorithm
        self._handlers: Mapping[tuple[int, int], Callable[[Command], bytes]] = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB0): self._read_binary,
            (0xBF, 0xDE): self._derive,
            (0x80, 0xFA): self._compute,
        }
        self.drop_volatile_state()

    @property
    def handlers(self) -> Mapping[tuple[int, int], Callable[[Command], bytes]]:
        return self._handlers

    def drop_volatile_state(self) -> None:
        self._in_application = False
        self._terminal_file_selected = False
        self._process: tuple[bytes, Algorithm, int] | None = None

    def _select(self, command: Command) -> bytes:
        if command.p1 == 0x04:
            if command.data != DF01_AID:
                raise SwError(iso.FILE_NOT_FOUND)
            self._enter(application=True)
            return b"\x6f\x08\x84\x06" + DF01_AID
        if command.p1 not in (0x00, 0x02):
            raise SwError(iso.WRONG_P1_P2)
        if len(command.data) != 2:
            raise SwError(iso.WRONG_LENGTH)
        fid = int.from_bytes(command.data, "big")
        if fid == self._terminal_file:
            self._terminal_file_selected = True
            return b""
        if command.p1 == 0x00 and fid in (_MASTER_FID, DF01_FID):
            self._enter(application=fid == DF01_FID)
            return b"\x6f\x08\x84\x06" + DF01_AID if fid == DF01_FID else b""
        raise SwError(iso.FILE_NOT_FOUND)

    def _enter(self, *, application: bool) -> None:
        self._in_application = application
        self._terminal_file_selected = False
        self._process = None

    def _read_binary(self, command: Command) -> bytes:
        """终端机编号, readable anywhere by its short identifier or after SELECT."""
        if command.data:
            raise SwError(iso.WRONG_LENGTH)
        if command.p1 & 0x80:
            if command.p1 & 0x1F != self._terminal_file & 0x1F:
                raise SwError(iso.FILE_NOT_FOUND)
            offset = command.p2
        elif self._terminal_file_selected:
            offset = command.p1 << 8 | command.p2
        else:
            raise SwError(iso.NO_CURRENT_FILE)
        if offset >= len(self._terminal_number):
            raise SwError(iso.WRONG_OFFSET)
        rest = self._terminal_number[offset:]
        return rest[: command.ne] if command.ne is not None else rest

    def _derive(self, command: Command) -> bytes:
        """BF DE usage index: factors from the card outwards, then the challenge."""
        if not self._in_application:
            raise SwError(iso.CONDITIONS)
        self._process = None
        held = self._keys.get((command.p1, command.p2))
        if held is None:
            same_usage = any(usage == command.p1 for usage, _ in self._keys)
            raise SwError(UNKNOWN_KEY_INDEX if same_usage else iso.REFERENCE_NOT_FOUND)
        levels = command.p1 >> 5
        if len(command.data) != 8 * (levels + 1):
            raise SwError(iso.WRONG_LENGTH)
        key, algorithm = held
        for level in reversed(range(levels)):
            key = diversify(key, command.data[8 * level : 8 * level + 8], algorithm)
        process = process_key(key, command.data[-8:], algorithm)
        self._process = process, algorithm, command.p1 & 0x1F
        return b""

    def _compute(self, command: Command) -> bytes:
        """80 FA: P1 00 encrypts, or answers for 8 bytes; P1 05 takes a MAC over whole blocks that
        follow an initial vector. Spends the process key."""
        allowed = _USES.get(command.p1)
        if allowed is None or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if self._process is None or self._process[2] not in allowed:
            raise SwError(iso.CONDITIONS)
        process, algorithm, _ = self._process
        data, size = command.data, block_size(algorithm)
        if command.p1 == _ENCRYPT and len(data) == 8:
            answer = seal(process, data, algorithm)
        elif len(data) % size or len(data) < (size if command.p1 == _ENCRYPT else 2 * size):
            raise SwError(iso.WRONG_LENGTH)
        elif command.p1 == _ENCRYPT:
            answer = encrypt(process, data, algorithm)
        else:
            answer = _chained(process, data, algorithm)[:4]
        self._process = None
        return answer


def _chained(process: bytes, data: bytes, algorithm: Algorithm) -> bytes:
    """The last block of CBC over ``data``, whose first block is the initial vector."""
    size = block_size(algorithm)
    state = int.from_bytes(data[:size], "big")
    for start in range(size, len(data), size):
        mixed = state ^ int.from_bytes(data[start : start + size], "big")
        state = int.from_bytes(encrypt(process, mixed.to_bytes(size, "big"), algorithm), "big")
    return state.to_bytes(size, "big")
