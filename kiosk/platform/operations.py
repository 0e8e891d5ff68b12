"""The contract's operations (docs/platform.md, Endpoints) by name."""

from __future__ import annotations

from enum import Enum


class Operation(Enum):
    """What a terminal asks of its platform.

    Attributes:
        word: its name in data files.
        method, path: of HTTP; ``{key}`` in a path stands for an Idempotency-Key.
        success: the one HTTP status of an answer that is no problem.
    """

    STATUS = ("status", "GET", "/v1/status", 200)
    CATALOGUE = ("catalogue", "GET", "/v1/catalogue", 200)
    CARD_VERDICT = ("card-verdict", "POST", "/v1/card-verdicts", 200)
    ECARD_VERIFICATION = ("ecard-verification", "POST", "/v1/ecard-verifications", 200)
    OVERVIEW = ("overview", "POST", "/v1/overviews", 200)
    RISK_VERDICT = ("risk-verdict", "POST", "/v1/risk-verdicts", 200)
    CERTIFICATE = ("certificate", "POST", "/v1/certificates", 201)
    CERTIFICATE_VERIFICATION = (
        "certificate-verification",
        "POST",
        "/v1/certificate-verifications",
        200,
    )
    CRYPTOGRAM = ("cryptogram", "POST", "/v1/hsm/cryptograms", 200)
    ENCRYPTION_KEY = ("encryption-key", "GET", "/v1/hsm/encryption-key", 200)
    PROTECTED_COMMAND = ("protected-command", "POST", "/v1/hsm/protected-commands", 200)
    ALARM = ("alarm", "POST", "/v1/alarms", 201)
    EVENT = ("event", "POST", "/v1/events", 201)
    EVENT_BATCH = ("event-batch", "POST", "/v1/event-batches", 200)
    SUBMISSION = ("submission", "GET", "/v1/submissions/{key}", 200)

    def __init__(self, word: str, method: str, path: str, success: int) -> None:
        self.word = word
        self.method = method
        self.path = path
        self.success = success
