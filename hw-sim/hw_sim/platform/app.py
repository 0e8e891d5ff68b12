"""The platform's HTTP application: endpoints, and how every refusal becomes a problem."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hw_sim.platform import operations, wire
from hw_sim.platform.app_hsm import add_hsm
from hw_sim.platform.app_services import add_services
from hw_sim.platform.blocks import overview
from hw_sim.platform.connections import Connections
from hw_sim.platform.contract import SIGNED, SUBMISSION, UNSIGNED, Contract, refusals
from hw_sim.platform.declarations import Asked, ok, response
from hw_sim.platform.faults import FaultPlan
from hw_sim.platform.gate import Gate, GateSettings
from hw_sim.platform.hsm import DemoHsm, Hsm
from hw_sim.platform.idempotency import Submissions
from hw_sim.platform.intake import Intake, IntakeLimits
from hw_sim.platform.problems import Problem, ProblemKind, problem_for_status
from hw_sim.platform.store import Store
from hw_sim.platform.validation import invalid
from hw_sim.platform.verification_page import add_verification_page

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """What an application is made of; the defaults are the demo's.

    Attributes:
        clock: Unix seconds.
        window_s: largest difference between ``created`` and the clock.
        body_limit: bytes of a request body.
        public_origin: ``scheme://host[:port]`` as terminals see it behind a proxy.
        intake: how much is taken in; without limits in the demo.
    """

    store: Store
    faults: FaultPlan = field(default_factory=FaultPlan)
    connections: Connections = field(default_factory=Connections)
    hsm: Hsm = field(default_factory=DemoHsm)
    clock: Callable[[], float] = time.time
    window_s: int = 300
    body_limit: int = 131_072
    public_origin: str | None = None
    intake: IntakeLimits = field(default_factory=IntakeLimits)


def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return response(error.answer())


def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return response(Problem(ProblemKind.MALFORMED, "the body is not JSON").answer())
    return response(invalid(error.errors(), below=1).answer())


def _on_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404:
            problem = Problem(ProblemKind.NOT_FOUND, "no such endpoint")
        case 405:
            allow = (error.headers or {})["Allow"]
            problem = Problem(ProblemKind.METHOD, f"the methods are {allow}", allow=allow)
        case status:
            problem = problem_for_status(status, "the body is not JSON")
    return response(problem.answer())


def create_app(settings: Settings) -> FastAPI:
    """The application over an open store. Handlers are plain functions on a thread pool."""
    app = Contract()
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(
        Gate,
        store=settings.store,
        settings=GateSettings(
            clock=settings.clock,
            window_s=settings.window_s,
            body_limit=settings.body_limit,
            public_origin=settings.public_origin,
        ),
        intake=Intake(settings.intake),
        faults=settings.faults,
        connections=settings.connections,
    )
    _add_open_endpoints(app, settings)
    submissions = Submissions(settings.store.sessions)
    _add_submissions(app, settings, submissions)
    add_hsm(app, settings.hsm, submissions)
    add_services(app, settings.store, submissions)
    add_verification_page(app, settings.store, settings.clock)
    return app


def _add_open_endpoints(app: FastAPI, settings: Settings) -> None:
    store = settings.store

    @app.post(
        "/v1/enrolments", status_code=201, response_model=wire.EnrolmentAnswer,
        responses=refusals(403, 422), openapi_extra=UNSIGNED,
    )  # fmt: skip
    def enrolments(body: wire.EnrolmentRequest, asked: Asked) -> Response:
        """Bind a terminal's key to an id with a one-time code."""
        with store.sessions.begin() as session:
            answer = operations.enrol(session, store, body, asked.now)
        LOG.info("a terminal enrolled")
        return response(answer)

    @app.get(
        "/v1/status", response_model=wire.StatusAnswer,
        responses=refusals(401), openapi_extra=SIGNED,
    )  # fmt: skip
    def status(asked: Asked) -> Response:
        """The platform's clock and the version of its catalogue."""
        return ok(
            wire.StatusAnswer(server_time=asked.now, catalogue_version=store.catalogue_version)
        )

    @app.get(
        "/v1/catalogue", response_model=wire.CatalogueAnswer,
        responses=refusals(401), openapi_extra=SIGNED,
    )  # fmt: skip
    def catalogue(_asked: Asked) -> Response:
        """Which service items are open."""
        with store.sessions() as session:
            return ok(operations.catalogue(session, store))


def _add_submissions(app: FastAPI, settings: Settings, submissions: Submissions) -> None:
    store = settings.store

    @app.post(
        "/v1/card-verdicts", response_model=wire.VerdictAnswer,
        responses=refusals(401, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def card_verdicts(body: wire.VerdictRequest, asked: Asked) -> Response:
        """The state of a card by its two numbers; one that isn't of ours is unknown."""
        return response(submissions.once(asked, operations.verdict(body)))

    @app.post(
        "/v1/overviews", response_model=wire.OverviewAnswer,
        responses=refusals(401, 403, 404, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def overviews(body: wire.OverviewRequest, asked: Asked) -> Response:
        """社保查询一件事: the five blocks of whoever asks."""
        effect = overview(body, asked, store.as_of, settings.faults.block_gaps())
        return response(submissions.once(asked, effect))

    @app.post(
        "/v1/alarms", status_code=201, response_model=wire.AlarmAnswer,
        responses=refusals(401, 409, 422), openapi_extra=SIGNED,
    )  # fmt: skip
    def alarms(body: wire.AlarmRequest, asked: Asked) -> Response:
        """Report an alarm."""
        return response(submissions.once(asked, operations.alarm(body, asked)))

    # A key may hold any visible character, a slash too.
    @app.get(
        "/v1/submissions/{idempotency_key:path}", response_model=wire.SubmissionAnswer,
        responses=refusals(401, 404), openapi_extra=SUBMISSION,
    )  # fmt: skip
    def submission(request: Request, asked: Asked) -> Response:
        """What was committed under a key of this terminal, an event of a batch too."""
        # Not a declared parameter: FastAPI would promise a 422 that no path can cause.
        found = submissions.find(asked.terminal_id, request.path_params["idempotency_key"])
        if found is None:
            raise Problem(ProblemKind.NOT_FOUND, "nothing was committed under this key")
        return ok(wire.SubmissionAnswer(status=found.status, response=json.loads(found.body)))
