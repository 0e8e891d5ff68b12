"""The endpoints of the key service (加密机)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Response
from sqlalchemy.orm import Session

from hw_sim.platform import operations
from hw_sim.platform.contract import SIGNED, refusals
from hw_sim.platform.declarations import Asked, ok, response
from hw_sim.platform.hsm import BlockRefused, CardKey, Hsm
from hw_sim.platform.idempotency import Submissions
from hw_sim.platform.problems import Answer, Problem, ProblemKind
from hw_sim.platform.wire_hsm import (
    RELOAD,
    CryptogramAnswer,
    CryptogramRequest,
    EncryptionKeyAnswer,
    ProtectionAnswer,
    ProtectionRequest,
)


def add_hsm(app: FastAPI, hsm: Hsm, submissions: Submissions) -> None:
    """Declare them on ``app``."""

    @app.post(
        "/v1/hsm/cryptograms", response_model=CryptogramAnswer,
        responses=refusals(401, 404, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def cryptograms(body: CryptogramRequest, asked: Asked) -> Response:
        """A card's cryptogram for an authentication."""
        return response(submissions.once(asked, _cryptogram(body, hsm)))

    @app.get(
        "/v1/hsm/encryption-key", response_model=EncryptionKeyAnswer,
        responses=refusals(401), openapi_extra=SIGNED,
    )  # fmt: skip
    def encryption_key(_asked: Asked) -> Response:
        """The key that a new PIN is encrypted to; ask before each reload."""
        return ok(EncryptionKeyAnswer(public_key=hsm.public_key.hex().upper()))

    @app.post(
        "/v1/hsm/protected-commands", response_model=ProtectionAnswer,
        responses=refusals(401, 404, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def protected_commands(body: ProtectionRequest, asked: Asked) -> Response:
        """Data and MAC of a command under secure messaging."""
        return response(submissions.once(asked, _protection(body, hsm)))


def _cryptogram(request: CryptogramRequest, hsm: Hsm) -> Callable[[Session], Answer]:
    """Raises of the effect: Problem ``not-found`` when the HSM doesn't hold the key."""

    def effect(_session: Session) -> Answer:
        try:
            value = hsm.cryptogram(_card_key(request), bytes.fromhex(request.data))
        except LookupError as error:
            raise _not_held() from error
        return operations.answer(CryptogramAnswer(cryptogram=value.hex().upper()))

    return effect


def _protection(request: ProtectionRequest, hsm: Hsm) -> Callable[[Session], Answer]:
    """Raises of the effect: Problem ``not-found`` as ``_cryptogram``, ``invalid`` for a block that
    is missing, too much, or not to be opened."""

    def effect(_session: Session) -> Answer:
        if bool(request.block) != (request.command == RELOAD):
            raise Problem(ProblemKind.INVALID, "a PIN reload has a block, nothing else has one")
        header, sealed = bytes.fromhex(request.command), bytes.fromhex(request.block)
        try:
            data = hsm.protect(_card_key(request), header, sealed)
        except LookupError as error:
            raise _not_held() from error
        except BlockRefused as error:
            raise Problem(ProblemKind.INVALID, "block cannot be opened, or is no block") from error
        return operations.answer(ProtectionAnswer(data=data.hex().upper()))

    return effect


def _card_key(request: CryptogramRequest | ProtectionRequest) -> CardKey:
    return CardKey(
        request.key.upper(),
        request.algorithm,
        bytes.fromhex(request.card_factor),
        request.aab301,
        bytes.fromhex(request.challenge),
    )


def _not_held() -> Problem:
    return Problem(ProblemKind.NOT_FOUND, "key or algorithm not held")
