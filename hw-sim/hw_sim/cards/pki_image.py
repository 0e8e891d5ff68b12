"""What issuance makes of a PKI application, declared in images/pki.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any


class Right(Enum):
    """What a file asks for."""

    FREE = ""
    USER = "USER"
    ADMIN = "ADMIN"
    NEVER = "FF"


class KeyUse(Enum):
    SIGNATURE = "signature"
    DECRYPTION = "decryption"


@dataclass(frozen=True)
class PkiFile:
    """One transparent file of ``size`` bytes."""

    fid: int
    size: int
    read: Right
    write: Right


@dataclass(frozen=True)
class KeyPair:
    """The files of one SM2 key pair."""

    use: KeyUse
    public: int
    private: int


@dataclass(frozen=True)
class PinSlot:
    """``reference`` is P2 of VERIFY."""

    reference: int
    default: str
    tries: int


@dataclass(frozen=True)
class PkiImage:
    """The fields are those of the TOML file.

    Attributes:
        directory_information: what follows the name in the directory's FCI.
        public_key_header: stands before X and Y in a public key file.
        admin_pin_digits: the least and the most that a new one may have.
    """

    directory_name: bytes
    directory_information: bytes
    application_name: bytes
    application_fid: int
    public_key_header: bytes
    admin_pin_digits: tuple[int, int]
    user_pin: PinSlot
    admin_pin: PinSlot
    master_key: bytes
    master_key_tries: int
    pairs: Sequence[KeyPair]
    files: Mapping[int, PkiFile]

    def pair(self, use: KeyUse) -> KeyPair:
        return next(pair for pair in self.pairs if pair.use is use)


@cache
def load_pki_image() -> PkiImage:
    """The image in the package. Raises KeyError or ValueError: it is wrong."""
    text = files("hw_sim.cards").joinpath("images", "pki.toml").read_text("utf-8")
    table = tomllib.loads(text)
    least, most = table["admin_pin_digits"]
    layouts = [_file(entry) for entry in table["file"]]
    return PkiImage(
        directory_name=bytes.fromhex(table["directory"]["name"]),
        directory_information=bytes.fromhex(table["directory"]["information"]),
        application_name=bytes.fromhex(table["application"]["name"]),
        application_fid=_number(table["application"]["fid"]),
        public_key_header=bytes.fromhex(table["public_key_header"]),
        admin_pin_digits=(least, most),
        user_pin=_pin(table["user_pin"]),
        admin_pin=_pin(table["admin_pin"]),
        master_key=bytes.fromhex(table["master_key"]["initial"]),
        master_key_tries=table["master_key"]["tries"],
        pairs=tuple(
            KeyPair(KeyUse(entry["use"]), _number(entry["public"]), _number(entry["private"]))
            for entry in table["pair"]
        ),
        files={layout.fid: layout for layout in layouts},
    )


def _number(text: str) -> int:
    return int(text, 16)


def _pin(entry: Mapping[str, Any]) -> PinSlot:
    return PinSlot(_number(entry["reference"]), entry["default"], entry["tries"])


def _file(entry: Mapping[str, Any]) -> PkiFile:
    return PkiFile(
        _number(entry["fid"]), entry["size"], Right(entry["read"]), Right(entry["write"])
    )
