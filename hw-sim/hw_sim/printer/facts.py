"""What never changes about the document printer: ``printer.toml`` as IPP attributes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.printer.ipp import Attributes, Tag, Value, Values

_SYNTAX: Mapping[str, Tag] = {
    **{tag.name.lower(): tag for tag in Tag},
    "mime-type": Tag.MIME_TYPE,
}


@cache
def facts() -> dict[str, Any]:
    """The printer's data."""
    return tomllib.loads(
        files("hw_sim.printer").joinpath("printer.toml").read_text(encoding="utf-8")
    )


@cache
def description() -> Attributes:
    """Printer description attributes that are always the same (RFC 8011 §5.4)."""
    found = {name: _declared(table) for name, table in facts()["printer-description"].items()}
    margins_and_more = found["media-col-database"][0].content
    for name, given in margins_and_more.items():
        if name != "media-size":
            found[f"{name}-supported"] = given
    found["job-creation-attributes-supported"] = tuple(
        Value(Tag.KEYWORD, name)
        for name in (
            "job-name",
            "document-name",
            "ipp-attribute-fidelity",
            *facts()["job-template"],
        )
    )
    return found


@cache
def template() -> Attributes:
    """Job template attributes of the printer: ``…-default``, ``…-supported``."""
    found: dict[str, Values] = {}
    for name, fact in facts()["job-template"].items():
        found[f"{name}-default"] = tuple(_value(fact["syntax"], each) for each in fact["default"])
        found[f"{name}-supported"] = _declared(fact["supported"])
    return found


def supports(name: str, given: Values) -> bool:
    """True when a job may have this job template attribute with these values."""
    fact = facts()["job-template"].get(name)
    if fact is None:
        return False
    syntaxes = {_SYNTAX[fact["syntax"]], *(_SYNTAX[other] for other in fact.get("also", ()))}
    if any(value.tag not in syntaxes for value in given):
        return False
    allowed = [value.content for value in template()[f"{name}-supported"]]
    for value in given:
        match value.tag:
            case Tag.INTEGER:
                fits = allowed[0][0] <= value.content <= allowed[0][1]
            case Tag.COLLECTION:
                fits = set(value.content) <= set(allowed)
            case _:
                fits = value.content in allowed
        if not fits:
            return False
    return True


def _declared(table: Mapping[str, Sequence[Any]]) -> Values:
    return tuple(_value(syntax, each) for syntax, contents in table.items() for each in contents)


def _value(syntax: str, content: Any) -> Value:
    tag = _SYNTAX[syntax]
    if tag is Tag.COLLECTION:
        return Value(tag, {member: _declared(inner) for member, inner in content.items()})
    return Value(tag, tuple(content) if isinstance(content, list) else content)
