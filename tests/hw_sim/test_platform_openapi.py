"""docs/platform-openapi.json: what the reference platform implements, whole and bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis.openapi
from fastapi.routing import APIRoute

from hw_sim.platform.__main__ import main
from hw_sim.platform.openapi import document
from hw_sim.platform.problems import URN, ProblemKind
from tests.hw_sim.platform_terminal import Terminal, running

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "platform-openapi.json"
EVERY = {400, 413, 429, 500, 503}
"""What any operation can answer."""
REFUSALS: Mapping[str, set[int]] = {
    "post /v1/enrolments": {403, 422},
    "get /v1/status": {401},
    "get /v1/catalogue": {401},
    "post /v1/card-verdicts": {401, 409, 422},
    "post /v1/overviews": {401, 403, 404, 409, 422},
    "post /v1/hsm/cryptograms": {401, 404, 409, 422},
    "get /v1/hsm/encryption-key": {401},
    "post /v1/hsm/protected-commands": {401, 404, 409, 422},
    "post /v1/alarms": {401, 409, 422},
    "post /v1/ecard-verifications": {401, 403, 409, 422},
    "post /v1/risk-verdicts": {401, 403, 404, 409, 422},
    "post /v1/certificates": {401, 403, 404, 409, 422},
    "post /v1/certificate-verifications": {401, 409, 422},
    "post /v1/events": {401, 403, 409, 422},
    "post /v1/event-batches": {401, 422},
    "get /v1/submissions/{idempotency_key}": {401, 404},
}


@cache
def page() -> Any:
    return json.loads(document())


def operations() -> Mapping[str, Any]:
    return {
        f"{method} {path}": operation
        for path, methods in page()["paths"].items()
        for method, operation in methods.items()
    }


def resolved(reference: str) -> Any:
    place = page()
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    return place


def test_the_committed_document_is_the_generated_one(regenerate: bool) -> None:
    if regenerate:
        FILE.write_text(document())
    assert document() == FILE.read_text()


def test_one_command_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi"]) == 0
    assert capsys.readouterr().out == document()


def test_the_page_for_people_names_every_operation_and_problem() -> None:
    """And no other operation: what is not implemented has no path there."""
    text = (DOCS / "platform.md").read_text()
    named = re.findall(r"`(GET|POST) (/v1/[^`? ]+)`", text)
    assert {f"{method.lower()} {path}" for method, path in named} == set(operations())
    problems = text[text.index("## Problems") : text.index("## Endpoints")]
    told = {(slug, int(status)) for slug, status in re.findall(r"`([a-z-]+)` (\d{3})\b", problems)}
    assert told == {(kind.slug, kind.status) for kind in ProblemKind}


def test_it_is_openapi_3_1() -> None:
    assert page()["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(page()).validate()


def test_the_platform_serves_it(tmp_path: Path) -> None:
    with running(tmp_path) as (server, _terminal):
        reply = Terminal(server.url, b"", b"").send("GET", "/openapi.json", b"", {})
        assert reply.document == page()
        served = {
            f"{method.lower()} {route.path.replace(':path', '')}"
            for route in server.app.routes
            if isinstance(route, APIRoute) and route.path.startswith("/v1/")
            for method in route.methods or ()
        }
    assert served == set(operations())


def test_every_refusal_is_declared() -> None:
    declared = {
        name: {int(status) for status in operation["responses"] if status >= "300"}
        for name, operation in operations().items()
    }
    assert declared == {name: EVERY | statuses for name, statuses in REFUSALS.items()}


def test_a_refusal_is_a_problem_of_its_status() -> None:
    seen: set[str] = set()
    for name, response in page()["components"]["responses"].items():
        status = int(name.removeprefix("Problem"))
        assert set(response["content"]) == {"application/problem+json"}
        whole, narrowed = response["content"]["application/problem+json"]["schema"]["allOf"]
        assert whole == {"$ref": "#/components/schemas/ProblemDocument"}
        assert narrowed["properties"]["status"] == {"const": status}
        names = narrowed["properties"]["type"]["enum"]
        assert set(names) == {URN + kind.slug for kind in ProblemKind if kind.status == status}
        seen |= set(names)
        assert ("Retry-After" in response.get("headers", {})) == (status in (429, 503))
    assert seen == {URN + kind.slug for kind in ProblemKind}
    for operation in operations().values():
        for status, response in operation["responses"].items():
            if status >= "300":
                assert response == {"$ref": f"#/components/responses/Problem{status}"}


def test_all_but_the_enrolment_is_signed_both_ways() -> None:
    for name, operation in operations().items():
        answers = [answer for status, answer in operation["responses"].items() if status < "300"]
        signed = name != "post /v1/enrolments"
        assert operation["security"] == ([{"signature": []}] if signed else []), name
        assert [("Signature" in answer["headers"]) for answer in answers] == [signed], name
        headers = {
            resolved(parameter["$ref"])["name"]
            for parameter in operation["parameters"]
            if "$ref" in parameter
        }
        digest = {"Content-Digest", "Signature-Input"} if signed else set()
        assert headers == {"Idempotency-Key"} | digest, name


def test_no_object_takes_a_field_that_it_does_not_name() -> None:
    for name, schema in page()["components"]["schemas"].items():
        assert schema["additionalProperties"] is False, name


def values(schema: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every schema of a single value in it, with its place."""
    if isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from values(part, f"{where}/{number}")
    elif isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield where, schema
        for name, part in schema.items():
            yield from values(part, f"{where}/{name}")


def bounded(schema: Mapping[str, Any]) -> bool:
    if "enum" in schema or "const" in schema:
        return True
    match schema["type"]:
        case "string":
            return "maxLength" in schema or _ends(schema.get("pattern", ""))
        case "array":
            return "maxItems" in schema
        case "integer":
            return "minimum" in schema and bool({"maximum", "exclusiveMaximum"} & set(schema))
        case "object" | "boolean" | "null":
            return True
        case _:
            return False


def _ends(pattern: str) -> bool:
    # Without classes of characters and what is escaped.
    frame = re.sub(r"\[(\\.|[^\]\\])*\]|\\.", "", pattern)
    return frame.startswith("^") and frame.endswith("$") and not {"*", "+"} & set(frame)


def test_every_text_list_and_number_has_a_bound() -> None:
    components = page()["components"]
    everything = list(values(page()["paths"], "paths"))
    for name in ("schemas", "responses", "parameters", "headers"):
        everything += values(components[name], name)
    assert len(everything) > 100
    assert [where for where, schema in everything if not bounded(schema)] == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"type": "string", "pattern": "^[0-9]+$"},
        {"type": "string", "pattern": "[0-9]{6}"},
        {"type": "array", "items": {}},
        {"type": "integer", "minimum": 0},
        {"type": "number"},
    ],
    ids=str,
)
def test_what_has_no_bound_is_found(schema: dict[str, Any]) -> None:
    assert not bounded(schema)
