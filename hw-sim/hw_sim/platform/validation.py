"""How the refusal of a body is told: by the contract's names, never by what was sent."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from hw_sim.platform.problems import Problem, ProblemKind
from hw_sim.platform.wire import Wire


def invalid(errors: Sequence[Mapping[str, Any]], *, below: int = 0) -> Problem:
    """The problem of a body that isn't what the endpoint wants.

    Names only fields of the contract: everything else in the errors came from the request.

    Args:
        errors: pydantic's.
        below: how many parts of each error's place come before the body itself.
    """
    declared = {name for model in _models(Wire) for name in model.model_fields}
    where = sorted({_place(error, below, declared) for error in errors} - {""})
    return Problem(ProblemKind.INVALID, "; ".join(where) or "the body must be a JSON object")


def _models(model: type[Wire]) -> Iterator[type[Wire]]:
    for derived in model.__subclasses__():
        yield derived
        yield from _models(derived)


def _place(error: Mapping[str, Any], below: int, declared: Container[str]) -> str:
    if error["type"].startswith("union_tag"):
        return "kind"
    if error["type"] == "extra_forbidden":
        return "a field that the endpoint doesn't have"
    return ".".join(part for part in error["loc"][below:] if part in declared)
