"""The agency's seal (电子印章): its picture, and the SM2 key that signs what it stands on."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hw_sim.platform.signatures import Sm2Key, Sm2Sm3


@dataclass(frozen=True)
class Seal:
    """A seal; its owner's key is not the platform's message key.

    Attributes:
        picture: PNG with transparency.
    """

    key_id: str
    agency: str
    key: Sm2Key
    picture: bytes

    @property
    def picture_sm3(self) -> str:
        """64 small hex digits."""
        return hashlib.new("sm3", self.picture).hexdigest()

    def sign(self, message: bytes) -> bytes:
        """SM2 with SM3, raw r‖s, 64 bytes."""
        return Sm2Sm3(private_key=self.key).sign(message)


@cache
def demo_seal() -> Seal:
    """The demo province's (``seal.toml``, ``seal.png``; see ``draw_seal``)."""
    folder = files("hw_sim.platform")
    facts = tomllib.loads(folder.joinpath("seal.toml").read_text("utf-8"))
    private, public = (bytes.fromhex(facts[name]) for name in ("private_key", "public_key"))
    return Seal(
        key_id=facts["key_id"],
        agency=facts["agency"],
        key=Sm2Key(private, public),
        picture=folder.joinpath("seal.png").read_bytes(),
    )
