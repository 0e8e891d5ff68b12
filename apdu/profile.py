"""Card profiles: what a card generation is, its keys, and its files.

The declarations are ``profiles/*.toml``; the files stand in the file dictionary
(`apdu.dictionary`). A province may ship its own in the same form.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from apdu.custodian import Algorithm, KeyReference
from apdu.dictionary import Application, CardFile
from apdu.dictionary_data import shipped_tree, tree
from apdu.errors import UnknownCard

_ISSUER_FILE, _HOLDER_FILE = "SSSEEF05", "SSSEEF06"


@dataclass(frozen=True)
class PinRules:
    """The holder's PIN: tries granted, legal numbers of digits, whether an empty VERIFY may ask
    for the tries left without costing one."""

    tries: int
    digits_min: int
    digits_max: int
    status_query: bool


@dataclass(frozen=True)
class Capabilities:
    """What cards of this kind are known to do. Hints: reading works without them.

    Attributes:
        read_all: READ RECORD mode 5 returns a whole file.
        get_response: the card may answer 61xx and 6Cxx (T=0).
    """

    read_all: bool
    get_response: bool


@dataclass(frozen=True)
class CardProfile:
    """One card generation.

    Attributes:
        name: ``v1``, ``v2``, ``v3``.
        version: first character of the specification version on its cards.
        algorithm: assumed where the card does not tell.
        internal_key: the key with which the card proves itself.
        holder_key: the key that opens EF06; None where EF06 wants none.
        keys: by name, such as ``UK_SSSE``; those that access rules name are among them.
        applications: by name, such as ``DF04``.
        files: by name, such as ``SSSEEF05``, in the order of the tree.
    """

    name: str
    version: str
    algorithm: Algorithm
    capabilities: Capabilities
    pin: PinRules
    internal_key: KeyReference
    holder_key: KeyReference | None
    keys: Mapping[str, KeyReference]
    applications: Mapping[str, Application]
    files: Mapping[str, CardFile]

    @property
    def issuer_file(self) -> CardFile:
        """EF05 发卡机构数据."""
        return self.files[_ISSUER_FILE]

    @property
    def holder_file(self) -> CardFile:
        """EF06 持卡人基本信息."""
        return self.files[_HOLDER_FILE]

    @classmethod
    def from_toml(
        cls,
        text: str,
        keys: Mapping[str, KeyReference],
        dictionary: Iterable[str] | None = None,
    ) -> CardProfile:
        """Read a declaration.

        Args:
            text: of the form of ``profiles/v3.toml``.
            keys: by name.
            dictionary: of the form of ``dictionary/ssse.toml``, one text an application; None
                takes those that come with this package.

        Raises:
            ValueError, KeyError, TypeError: a text is not of its form, or a file's access names
                a key that is not in `keys`.
        """
        table = tomllib.loads(text)
        version, access = table["version"], table.get("access")
        if dictionary is None:
            applications, files = shipped_tree(version, access)
        else:
            applications, files = tree(dictionary, version, access)
        named = {file.read.key for file in files.values()} | {f.write.key for f in files.values()}
        unknown = {name for name in named if name is not None} - keys.keys()
        if unknown:
            raise ValueError(f"keys that no table names: {', '.join(sorted(unknown))}")
        holder = files[_HOLDER_FILE].read.key
        if _ISSUER_FILE not in files:
            raise ValueError(f"profile {table['name']} lacks {_ISSUER_FILE}")
        return cls(
            name=table["name"],
            version=version,
            algorithm=Algorithm(table["algorithm"]),
            capabilities=Capabilities(**table["capabilities"]),
            pin=PinRules(**table["pin"]),
            internal_key=keys[table["authentication"]["internal"]],
            holder_key=None if holder is None else keys[holder],
            keys=keys,
            applications=applications,
            files=files,
        )


Profiles = Mapping[str, CardProfile]
"""Profiles by the first character of the specification version."""


def choose(profiles: Profiles, version: str) -> CardProfile:
    """The profile for a specification version such as ``3.00``; only its first character counts.

    Raises:
        UnknownCard: there is none.
    """
    found = profiles.get(version[:1])
    if found is None:
        raise UnknownCard("a card of a specification version that no profile describes")
    return found


@functools.cache
def shipped_keys() -> Mapping[str, KeyReference]:
    """The key references in ``profiles/keys.toml``, by name."""
    keys = {}
    for table in tomllib.loads(_shipped_text("keys.toml"))["key"]:
        keys[table["name"]] = KeyReference(
            name=table["name"],
            key_id=table.get("key_id"),
            usage=table.get("usage"),
            index=table["index"],
            hsm_address=table.get("hsm"),
            sm4_index=table.get("sm4_index"),
        )
    return MappingProxyType(keys)


@functools.cache
def shipped_profiles() -> Profiles:
    """The profiles that come with this package."""
    loaded = [
        CardProfile.from_toml(_shipped_text(f"{name}.toml"), shipped_keys())
        for name in ("v1", "v2", "v3")
    ]
    return MappingProxyType({profile.version: profile for profile in loaded})


def _shipped_text(name: str) -> str:
    return resources.files("apdu").joinpath("profiles", name).read_text(encoding="utf-8")
