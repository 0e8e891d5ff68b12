"""The endpoints of e-card, risk rules, certificates and events."""

from __future__ import annotations

from fastapi import FastAPI, Response

from hw_sim.platform import wire
from hw_sim.platform.batches import batch
from hw_sim.platform.certificates import certificate
from hw_sim.platform.contract import SIGNED, refusals
from hw_sim.platform.declarations import Asked, ok, response
from hw_sim.platform.ecards import verification
from hw_sim.platform.events import event
from hw_sim.platform.idempotency import Submissions
from hw_sim.platform.parts import Endpoint
from hw_sim.platform.risk import risk_verdict
from hw_sim.platform.seal import demo_seal
from hw_sim.platform.store import Store
from hw_sim.platform.verifications import certificate_verification
from hw_sim.platform.wire_certificates import (
    CertificateAnswer,
    CertificateRequest,
    VerificationAnswer,
    VerificationRequest,
)
from hw_sim.platform.wire_events import BatchAnswer, BatchRequest, EventAnswer, OneEvent


def add_services(app: FastAPI, store: Store, submissions: Submissions) -> None:
    """Declare them on ``app``."""
    seal = demo_seal()

    @app.post(
        "/v1/ecard-verifications", response_model=wire.EcardAnswer,
        responses=refusals(401, 403, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def ecard_verifications(body: wire.EcardRequest, asked: Asked) -> Response:
        """Whose e-card shows this code, with a ticket for them."""
        return response(submissions.once(asked, verification(body, asked)))

    @app.post(
        "/v1/risk-verdicts", response_model=wire.RiskAnswer,
        responses=refusals(401, 403, 404, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def risk_verdicts(body: wire.RiskRequest, asked: Asked) -> Response:
        """What the risk rules say to an item for this person (风险提示, 业务阻断)."""
        return response(submissions.once(asked, risk_verdict(body, asked)))

    @app.post(
        "/v1/certificates", status_code=201, response_model=CertificateAnswer,
        responses=refusals(401, 403, 404, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def certificates(body: CertificateRequest, asked: Asked) -> Response:
        """A sealed certificate of participation (参保证明)."""
        effect = certificate(body, asked, store.as_of, seal)
        return response(submissions.once(asked, effect))

    @app.post(
        "/v1/certificate-verifications", response_model=VerificationAnswer,
        responses=refusals(401, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def certificate_verifications(body: VerificationRequest, asked: Asked) -> Response:
        """Whether a certificate is genuine."""
        effect = certificate_verification(body, asked.now)
        return response(submissions.once(asked, effect))

    @app.post(
        Endpoint.EVENTS.value, status_code=201, response_model=EventAnswer,
        responses=refusals(401, 403, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def events(body: OneEvent, asked: Asked) -> Response:
        """Report one event."""
        return response(submissions.once(asked, event(body, asked)))

    @app.post(
        "/v1/event-batches", response_model=BatchAnswer,
        responses=refusals(401, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def event_batches(body: BatchRequest, asked: Asked) -> Response:
        """Report up to 100 events; each has its effect once, whichever way it comes."""
        return ok(batch(body, asked, submissions))
