"""Bodies of the key service, as docs/platform.md (Key service) lists them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from hw_sim.platform.hsm import AlgorithmId
from hw_sim.platform.wire import Division, Hex8, PublicKey, Wire

KeyAddress = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{4}$")]
ProtectedHeader = Literal["84240000", "84240001", "841E0000", "841E0001", "84180000", "84160000"]
"""PIN unblock and reload, application block (for a time, for ever) and unblock, card block."""
RELOAD: ProtectedHeader = "84240001"
# A block of 8 or 16 bytes and what SM2 adds; 113 bytes at most.
SealedBlock = Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{210}|[0-9A-Fa-f]{226})?$")]


class _KeyRequest(Wire):
    key: KeyAddress
    algorithm: AlgorithmId
    card_factor: Hex8
    aab301: Division
    challenge: Hex8


class CryptogramRequest(_KeyRequest):
    data: Hex8


class CryptogramAnswer(Wire):
    cryptogram: Hex8


class EncryptionKeyAnswer(Wire):
    public_key: PublicKey


class ProtectionRequest(_KeyRequest):
    """A PIN reload has a block; nothing else has one."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"command": {"const": RELOAD}}},
            "then": {"properties": {"block": {"minLength": 1}}},
            "else": {"properties": {"block": {"const": ""}}},
        }
    )

    command: ProtectedHeader
    block: SealedBlock


class ProtectionAnswer(Wire):
    data: Annotated[str, Field(pattern=r"^[0-9A-F]{8,40}$")]
