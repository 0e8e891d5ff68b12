"""The reference platform does what docs/platform-openapi.json says, asked by schemathesis.

All its checks are on; every operation, by the examples in the document, by each bound of each field
(coverage), and by random requests, good and bad.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gmalg
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode

from hw_sim.platform.hsm import DemoHsm
from hw_sim.platform.server import PlatformServer
from hw_sim.platform.signatures import Sm2Key, Sm2Sm3
from tests.hw_sim.platform_terminal import (
    COMPONENTS,
    NOW,
    USER_ID,
    Terminal,
    by_card,
    digest,
    new_idempotency_key,
    new_key,
    running,
)

FILE = Path(__file__).parents[2] / "docs" / "platform-openapi.json"
EXAMPLES = 10
"""Random requests of each operation."""
CONTRACT = json.loads(FILE.read_text())
HEADERS: dict[str, re.Pattern[str]] = {}
for _name, _header in CONTRACT["components"]["parameters"].items():
    HEADERS[_name] = re.compile(_header["schema"]["pattern"])
    # Without a format of its own, coverage fills a header with letters and digits: all wrong.
    _header["schema"]["format"] = _name
    schemathesis.openapi.format(_name, st.from_regex(HEADERS[_name], fullmatch=True))
API = schemathesis.openapi.from_dict(CONTRACT)
# Signatures are made below; that nothing is told without one is a check of its own, ignored_auth.
API.config.generation.with_security_parameters = False
# A text over its bound may be over the bound of a whole body too: 413 refuses as 422 does, but is
# missing from schemathesis' list of refusals.
API.config.checks.negative_data_rejection.expected_statuses.append("413")


class Signed(AuthBase):
    """Signs a request as it goes out, with GmSSL: there are many.

    A header that is missing or doesn't follow the contract is what schemathesis asks about, and
    stays so; what does follow it is replaced by what belongs to this request.
    """

    terminal: Terminal
    nonces = itertools.count()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        values = {
            "@method": request.method,
            "@target-uri": request.url,
            "content-digest": digest(body.encode() if isinstance(body, str) else body),
            "idempotency-key": request.headers.get("Idempotency-Key"),
        }
        covered = " ".join(f'"{name}"' for name in COMPONENTS)
        parameters = (
            f'({covered});created={NOW};nonce="s{next(self.nonces)}"'
            f';keyid="{self.terminal.terminal_id}"'
        )
        lines = [f'"{name}": {values[name]}' for name in COMPONENTS]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        pair = Sm2Key(self.terminal.private, self.terminal.public)
        signature = base64.b64encode(Sm2Sm3(private_key=pair).sign(base.encode())).decode()
        for name, value in {
            "Content-Digest": str(values["content-digest"]),
            "Signature-Input": f"sig1={parameters}",
        }.items():
            if HEADERS[name].fullmatch(str(request.headers.get(name, ""))):
                request.headers[name] = value
        request.headers["Signature"] = f"sig1=:{signature}:"
        return request


SIGNED = Signed()
API.auth.set_from_requests(SIGNED).skip_for(path="/v1/enrolments")


@dataclass
class Hall:
    """A platform, and what only it or the holder of a key can know: no schema describes that."""

    server: PlatformServer
    hsm: DemoHsm
    certificate: str
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def enrolment(self, body: dict[str, Any]) -> None:
        """A point of SM2's curve, and a code that was given out."""
        body["public_key"], body["aab301"] = new_key()[1].hex(), "429900"
        body["code"] = self.server.new_enrolment_code()

    def person(self, body: dict[str, Any]) -> None:
        """A card and its holder; an e-card's ticket stays a guess."""
        if "aaz501" in body:
            body |= {name: by_card(0)[name] for name in ("aac002", "aaz501")}

    def ecard(self, body: dict[str, Any]) -> None:
        body["code"], body["aab301"] = self.server.issue_ecard("v3"), "429900"

    def verification(self, body: dict[str, Any]) -> None:
        body["code"] = self.certificate

    def event(self, body: dict[str, Any]) -> None:
        """A range of the audit log that didn't come before, as its key is made of its numbers."""
        if body["kind"] == "audit-range":
            body["body"]["first"] = body["body"]["last"] = next(self.numbers)

    def cryptogram(self, body: dict[str, Any]) -> None:
        body["key"] = "0000"

    def protected(self, body: dict[str, Any]) -> None:
        """A key that is held; a block that is encrypted to the key service."""
        body["key"] = "0173"
        if body["block"]:
            sealer = gmalg.SM2(None, USER_ID, b"\x04" + self.hsm.public_key)
            body["block"] = sealer.encrypt(bytes({"01": 8, "03": 16}[body["algorithm"]])).hex()


COMPLETED: Mapping[str, Callable[[Hall, dict[str, Any]], None]] = {
    "/v1/enrolments": Hall.enrolment,
    "/v1/overviews": Hall.person,
    "/v1/risk-verdicts": Hall.person,
    "/v1/certificates": Hall.person,
    "/v1/ecard-verifications": Hall.ecard,
    "/v1/certificate-verifications": Hall.verification,
    "/v1/events": Hall.event,
    "/v1/hsm/cryptograms": Hall.cryptogram,
    "/v1/hsm/protected-commands": Hall.protected,
}
KNOWN = "known"
"""A key under which something was committed."""


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    hsm = DemoHsm()
    with running(tmp_path_factory.mktemp("platform"), hsm=hsm) as (server, terminal):
        SIGNED.terminal = terminal
        wanted = {"kind": "participation", "months": 12} | by_card(0)
        issued = terminal.call("POST", "/v1/certificates", wanted, key=KNOWN).document
        hall = Hall(server, hsm, json.loads(issued["content"])["code"])
        yield hall
    # Else good requests would have been refused all the time, and nothing seen of good answers.
    assert [name for name, answers in hall.answered.items() if not answers & {200, 201}] == []


def prepare(case: Case[Any], hall: Hall) -> None:
    """Make a good request complete; what is wrong with a bad one stays."""
    good = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    body: Any = case.body
    if good and case.path in COMPLETED:
        COMPLETED[case.path](hall, body)
    if good and "idempotency_key" in case.path_parameters:
        case.path_parameters["idempotency_key"] = KNOWN
    if HEADERS["Idempotency-Key"].fullmatch(case.headers.get("Idempotency-Key", "")):
        # A new one, under which no other body came.
        key = new_idempotency_key()
        if good and isinstance(body, dict) and body.get("kind") == "audit-range":
            number = body["body"]["first"]
            key = f"{SIGNED.terminal.terminal_id}-audit-{number}-{number}"
        case.headers["Idempotency-Key"] = f'"{key}"'


@API.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_platform_keeps_its_contract(case: Case[Any], hall: Hall) -> None:
    prepare(case, hall)
    answer = case.call_and_validate(base_url=hall.server.url)
    hall.answered[case.operation.label].add(answer.status_code)
