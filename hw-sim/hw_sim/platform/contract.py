"""The contract as an OpenAPI 3.1 document, from the endpoints that the application has.

``python -m hw_sim.platform openapi`` prints it; docs/platform-openapi.json is its output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from hw_sim.platform.problems import MEDIA_TYPE, URN, ProblemKind

_PARAMETERS = "#/components/parameters/"
_SCHEMAS = "#/components/schemas/"
_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "Idempotency-Key": {
        "description": "RFC 8941 string of 1..64 visible ASCII characters; the answer echoes it",
        "schema": {
            "type": "string",
            "pattern": r'^"([\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,64}"$',
        },
    },
    "Content-Digest": {
        "description": "RFC 9530, SHA-256 of the body, also of an empty one",
        "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    },
    "Signature-Input": {
        "description": "RFC 9421, one signature sig1: docs/platform.md, Signatures",
        "schema": {"type": "string", "pattern": r"^sig1=\([\x20-\x7e]{1,1000}$"},
    },
    "Signature": {
        "description": "SM2 with SM3, raw r‖s, 64 bytes",
        "schema": {"type": "string", "pattern": "^sig1=:[A-Za-z0-9+/]{86}==:$"},
    },
}
_SCHEME = {
    "type": "apiKey",
    "in": "header",
    "name": "Signature",
    "description": f"{_HEADERS['Signature']['description']}, by the key of an enrolled terminal",
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "seconds",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "maximum": 3600},
    }
}
_ALLOW = {"Allow": {"required": True, "schema": {"type": "string", "maxLength": 64}}}
_EXTRA_HEADERS: Mapping[int, Mapping[str, Any]] = {
    405: _ALLOW,
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}
_ABOUT = """\
The wire between terminals and the provincial platform; docs/platform.md tells the rules. Every
operation here is implemented. Signature and digest headers follow RFC 9421 and RFC 9530."""


def _named(*headers: str) -> list[dict[str, str]]:
    return [{"$ref": f"{_PARAMETERS}{name}"} for name in headers]


# The signature itself is the security scheme's.
SIGNED: dict[str, Any] = {
    "parameters": _named("Idempotency-Key", "Content-Digest", "Signature-Input"),
    "security": [{"signature": []}],
}
SUBMISSION: dict[str, Any] = SIGNED | {
    "parameters": [
        {
            "name": "idempotency_key",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,64}$"},
        },
        *SIGNED["parameters"],
    ]
}
UNSIGNED: dict[str, Any] = {"parameters": _named("Idempotency-Key"), "security": []}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint answers with, besides those of every one."""
    return {
        status: {"$ref": f"#/components/responses/Problem{status}"}
        for status in sorted({400, 413, 429, 500, 503, *statuses})
    }


class Contract(FastAPI):
    """An application whose ``/openapi.json`` is the contract."""

    def __init__(self) -> None:
        super().__init__(
            title="省级平台 Provincial platform",
            version="1",
            description=_ABOUT,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            generate_unique_id_function=_operation_id,
        )

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _operation_id(route: APIRoute) -> str:
    return route.name


def _completed(page: dict[str, Any]) -> dict[str, Any]:
    components = page["components"]
    components["responses"] = {
        f"Problem{status}": _problem(status)
        for status in sorted({kind.status for kind in ProblemKind})
    }
    components["parameters"] = {
        name: {"name": name, "in": "header", "required": True, **header}
        for name, header in _HEADERS.items()
        if name != _SCHEME["name"]
    }
    components["headers"] = {
        name: {"required": True, **header} for name, header in _HEADERS.items()
    }
    components["securitySchemes"] = {"signature": _SCHEME}
    for methods in page["paths"].values():
        for operation in methods.values():
            _complete_answers(operation)
    return {name: _with_whole_numbers(part) for name, part in page.items()}


def _with_whole_numbers(value: Any) -> Any:
    """FastAPI makes fractions of all bounds."""
    match value:
        case dict():
            return {name: _with_whole_numbers(part) for name, part in value.items()}
        case list():
            return [_with_whole_numbers(part) for part in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _problem(status: int) -> dict[str, Any]:
    kinds = [kind for kind in ProblemKind if kind.status == status]
    narrowed = {
        "type": {"enum": [URN + kind.slug for kind in kinds]},
        "status": {"const": status},
    }
    schema = {"allOf": [{"$ref": f"{_SCHEMAS}ProblemDocument"}, {"properties": narrowed}]}
    problem: dict[str, Any] = {
        "description": ", ".join(f"{kind.slug} ({kind.title})" for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
    if status in _EXTRA_HEADERS:
        problem["headers"] = _EXTRA_HEADERS[status]
    return problem


def _complete_answers(operation: dict[str, Any]) -> None:
    names = _HEADERS if operation["security"] else ("Idempotency-Key", "Content-Digest")
    for answer in operation["responses"].values():
        if "$ref" in answer:
            # FastAPI's words for a status, which change with Python's.
            del answer["description"]
        else:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
