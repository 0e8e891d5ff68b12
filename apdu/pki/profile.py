"""How the PKI application of third-generation cards is spoken to: ``profiles/pki.toml``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from types import MappingProxyType


class KeyUse(Enum):
    """The two key pairs of a card."""

    SIGNATURE = "signature"
    """签名: made by the card; its private half never existed elsewhere."""
    ENCRYPTION = "encryption"
    """加密: made by the CA, which can restore it."""


class Step(Enum):
    """The application's own commands."""

    DIGEST = "digest"
    VERIFY_USER = "verify-user"
    VERIFY_ADMIN = "verify-admin"
    GENERATE = "generate"
    CHOOSE_KEY = "choose-key"
    SIGN = "sign"
    CHANGE_ADMIN_PIN = "change-admin-pin"
    PROVE_MASTER_KEY = "prove-master-key"
    CHANGE_MASTER_KEY = "change-master-key"
    OPEN_ENVELOPE = "open-envelope"
    LOAD_SESSION_KEY = "load-session-key"
    IMPORT_PUBLIC_KEY = "import-public-key"
    IMPORT_PRIVATE_KEY = "import-private-key"


_LABELS: Mapping[Step, str] = MappingProxyType(
    {
        Step.DIGEST: "DIGEST PIN",
        Step.VERIFY_USER: "VERIFY",
        Step.VERIFY_ADMIN: "VERIFY",
        Step.GENERATE: "GENERATE KEY PAIR",
        Step.CHOOSE_KEY: "MANAGE SECURITY ENVIRONMENT",
        Step.SIGN: "COMPUTE DIGITAL SIGNATURE",
        Step.CHANGE_ADMIN_PIN: "CHANGE ADMIN PIN",
        Step.PROVE_MASTER_KEY: "EXTERNAL AUTHENTICATE",
        Step.CHANGE_MASTER_KEY: "WRITE KEY",
        Step.OPEN_ENVELOPE: "OPEN ENVELOPE",
        Step.LOAD_SESSION_KEY: "LOAD SESSION KEY",
        Step.IMPORT_PUBLIC_KEY: "IMPORT KEY",
        Step.IMPORT_PRIVATE_KEY: "IMPORT KEY",
    }
)


@dataclass(frozen=True)
class CommandForm:
    """How one command begins.

    Attributes:
        label: for messages, such as ``VERIFY``.
        header: CLA INS P1 P2.
        mark, source: how sure this is, and from where.
    """

    label: str
    header: bytes
    mark: str
    source: str


@dataclass(frozen=True)
class KeyFiles:
    """File identifiers of one key pair."""

    public_key: int
    private_key: int
    certificate: int


@dataclass(frozen=True)
class PinForm:
    """The application's PINs: who computes the digest, and legal numbers of digits."""

    digest_by_card: bool
    digits_min: int
    digits_max: int


@dataclass(frozen=True)
class PublicKeyForm:
    """A public key file: its size, and how many bytes stand before X and Y."""

    size: int
    header: int


@dataclass(frozen=True)
class CertificateForm:
    """Certificate files: bytes that one command writes, and of the longest certificate."""

    piece: int
    most: int


@dataclass(frozen=True)
class PkiProfile:
    """One way of speaking to the application.

    Attributes:
        master_file: selected first.
        directory, application: names (AID) of the DDF and of the ADF below it.
        challenge: bytes of one, filled up with zeros to 16.
        files: by key pair.
        commands: by step, all of them.
    """

    master_file: int
    directory: bytes
    application: bytes
    challenge: int
    pin: PinForm
    public_key: PublicKeyForm
    certificate: CertificateForm
    files: Mapping[KeyUse, KeyFiles]
    commands: Mapping[Step, CommandForm]

    @classmethod
    def from_toml(cls, text: str) -> PkiProfile:
        """Read a declaration.

        Raises:
            ValueError, KeyError, TypeError: it is not of the form of ``profiles/pki.toml``.
        """
        table = tomllib.loads(text)
        files = {KeyUse(entry.pop("name")): KeyFiles(**entry) for entry in table["file"]}
        commands = {Step(entry["name"]): _form(entry) for entry in table["command"]}
        if set(files) != set(KeyUse) or set(commands) != set(Step):
            raise ValueError("a key pair or a command of the PKI application is not declared")
        public_key = PublicKeyForm(**table["public_key"])
        if public_key.size != public_key.header + 64:
            raise ValueError("a public key has 64 bytes behind its header")
        return cls(
            master_file=table["master_file"],
            directory=bytes.fromhex(table["directory"]),
            application=bytes.fromhex(table["application"]),
            challenge=table["challenge"],
            pin=PinForm(**table["pin"]),
            public_key=public_key,
            certificate=CertificateForm(**table["certificate"]),
            files=MappingProxyType(files),
            commands=MappingProxyType(commands),
        )


@functools.cache
def shipped_pki_profile() -> PkiProfile:
    """The profile that comes with this package."""
    path = resources.files("apdu").joinpath("profiles", "pki.toml")
    return PkiProfile.from_toml(path.read_text(encoding="utf-8"))


def _form(entry: Mapping[str, str]) -> CommandForm:
    header = bytes.fromhex(entry["header"])
    if len(header) != 4:
        raise ValueError(f"{entry['name']}: a header has 4 bytes")
    return CommandForm(_LABELS[Step(entry["name"])], header, entry["mark"], entry["source"])
