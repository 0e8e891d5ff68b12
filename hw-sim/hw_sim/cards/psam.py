"""The terminal security module (终端安全模块, PSAM) of the demo city (domain facts §4.4)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.iso7816 import CardSystem, Command, SwError
from hw_sim.cards.keys import Algorithm, city_key, diversify, process_key, seal

DF01_FID = 0xDF01
DF01_AID = bytes.fromhex("D15600000590")
UNKNOWN_KEY_INDEX = 0x9403
_MASTER_FID = 0x3F00


@cache
def _image() -> Mapping[str, Any]:
    text = files("hw_sim.cards").joinpath("images", "psam.toml").read_text("utf-8")
    return tomllib.loads(text)


class Psam(CardSystem):
    """Holds city-level keys and derives from them; it never gives a key away."""

    def __init__(self) -> None:
        image = _image()
        super().__init__(bytes.fromhex("3B6D0000" + image["atr_history"]), t0=True)
        self._terminal_number = bytes.fromhex(image["terminal_number"])
        self._terminal_file = int(image["terminal_file"], 16)
        self._keys: dict[tuple[int, int], tuple[bytes, Algorithm]] = {}
        for entry in image["key"]:
            algorithm = Algorithm(entry["algorithm"])
            key = city_key(entry["name"], algorithm, image["region"])
            self._keys[int(entry["usage"], 16), int(entry["index"], 16)] = key, algorithm
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
        self._process: tuple[bytes, Algorithm] | None = None

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
        self._process = process_key(key, command.data[-8:], algorithm), algorithm
        return b""

    def _compute(self, command: Command) -> bytes:
        """80 FA 00 00: the authenticator of 8 bytes; spends the process key."""
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if self._process is None:
            raise SwError(iso.CONDITIONS)
        if len(command.data) != 8:
            raise SwError(iso.WRONG_LENGTH)
        (process, algorithm), self._process = self._process, None
        return seal(process, command.data, algorithm)
