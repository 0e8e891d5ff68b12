"""Reads ``envelope.toml`` of a data pack: a province's envelope (`kiosk.platform.envelope`).

All of it is optional but mark and source::

    mark = "I"                      # A several sources .. I our assumption, as everywhere in a pack
    source = "interface description of the province, chapter 3"
    path_prefix = "/gateway"        # before the contract's paths

    [request]
    body = "ROOT.BODY"              # where the contract's document stands in a request
    operation = "ROOT.HEAD.JYDM"    # where the operation's code stands

    [request.constants]
    "ROOT.HEAD.VERSION" = "1.0"     # a text or a whole number

    [answer]
    status = 200                    # HTTP status of every answer with a result code
    body = "ROOT.BODY"
    result = "ROOT.HEAD.CODE"
    ignored = ["ROOT.HEAD.MSG"]     # what else may come; nobody reads it
    successes = ["0"]

    [answer.refusals]               # result code = problem of docs/platform.md
    "1003" = "forbidden"
    "9*" = "unavailable"            # every code that begins so

    [fields]                        # our name = their name, at whatever depth
    aac002 = "sfzh"

    [codes.state]                   # our value = their code; of several the first is sent
    normal = "1"
    locked = ["4", "7"]

    [operations.overview]           # its words stand in `kiosk.platform.operations`
    path = "/person/overview"       # instead of the contract's, behind the prefix
    code = "YW01"

    [operations.overview.fields]    # beside the general ones, or instead of them
    [operations.overview.codes.state]

Values that are true or false get codes under ``true`` and ``false``. Not translated are texts that
hold JSON themselves: a certificate's content, lines of the audit log, an event inside a batch.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from kiosk.confidence import Confidence
from kiosk.platform.envelope import Codes, Envelope, Path, Vocabulary, Wrapping
from kiosk.platform.errors import Problem
from kiosk.platform.operations import Operation
from kiosk.toml_tables import Table

_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_URL_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*(/\{key\})?")
_URL_PREFIX: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_RESULT: Final = re.compile(r"[0-9A-Za-z._-]{0,40}\*?")
_TRUTH: Final = {"true": True, "false": False}


def read_envelope(table: Table) -> Envelope:
    """Read and check a file. Raises the table's error."""
    table.choice("mark", Confidence)
    table.text("source")
    prefix = ""
    if "path_prefix" in table:
        prefix = table.matching("path_prefix", _URL_PREFIX, "a path like /gateway")
    wrapping = _wrapping(table.optional_table("request"), table.optional_table("answer"))
    general = _vocabulary(table, Vocabulary())
    vocabularies, paths, codes = {}, {}, {}
    operations = table.optional_table("operations")
    for operation in Operation:
        entry = operations.optional_table(operation.word)
        vocabularies[operation] = _vocabulary(entry, general)
        paths[operation] = prefix + _url_path(entry, operation)
        if wrapping.operation is not None and operation.method == "POST":
            codes[operation] = entry.text("code")
        entry.finish()
    operations.finish()
    table.finish()
    envelope = Envelope(
        wrapping,
        general,
        MappingProxyType(vocabularies),
        MappingProxyType(paths),
        MappingProxyType(codes),
    )
    try:
        envelope.wrap(Operation.ALARM, {})
    except ValueError as problem:
        raise table.problem("request", str(problem)) from None
    return envelope


def _wrapping(request: Table, answer: Table) -> Wrapping:
    constants: dict[Path, str | int] = {}
    constant_table = request.optional_table("constants")
    for name in constant_table:
        value, *more = constant_table.scalars(name)
        if more or not _PATH.fullmatch(name):
            raise constant_table.problem(name, "expected one value for a path like HEAD.VERSION")
        constants[tuple(name.split("."))] = value
    successes = answer.texts("successes", ())
    refusals = _refusals(answer.optional_table("refusals"), successes)
    result = _place(answer, "result")
    if (result is None) != (not successes) or (result is None and refusals):
        raise answer.problem("result", "expected with successes, and successes with it")
    wrapping = Wrapping(
        request_body=_place(request, "body") or (),
        answer_body=_place(answer, "body") or (),
        constants=MappingProxyType(constants),
        operation=_place(request, "operation"),
        result=result,
        ignored=tuple(_path_of(answer, "ignored", text) for text in answer.texts("ignored", ())),
        successes=frozenset(successes),
        refusals=MappingProxyType(refusals),
        status=answer.integer("status", 200, 299) if "status" in answer else None,
    )
    request.finish()
    answer.finish()
    return wrapping


def _refusals(table: Table, successes: tuple[str, ...]) -> dict[str, Problem]:
    refusals = {}
    for code in table:
        if not _RESULT.fullmatch(code) or code in successes:
            raise table.problem(code, "expected a result code that is no success")
        refusals[code] = table.choice(code, Problem)
        if refusals[code] is Problem.CLOCK:
            raise table.problem(code, "the clock is told by the contract's own problem only")
    return refusals


def _vocabulary(table: Table, general: Vocabulary) -> Vocabulary:
    names = table.optional_table("fields")
    fields = {**general.fields, **{ours: names.matching(ours, _NAME, "a name") for ours in names}}
    if len(set(fields.values())) != len(fields):
        raise table.problem("fields", "two fields have one name")
    tables = table.optional_table("codes")
    codes = {**general.codes, **{ours: _codes(tables.table(ours)) for ours in tables}}
    return Vocabulary(MappingProxyType(fields), MappingProxyType(codes))


def _codes(table: Table) -> Codes:
    truth = set(table) == set(_TRUTH)
    sent: dict[str | bool, str | int] = {}
    understood: dict[str | int, str | bool] = {}
    for word in table:
        ours = _TRUTH[word] if truth else word
        theirs = table.scalars(word)
        sent[ours] = theirs[0]
        for code in theirs:
            if code in understood:
                raise table.problem(word, "has a code that stands for another value too")
            understood[code] = ours
    return Codes(MappingProxyType(sent), MappingProxyType(understood))


def _url_path(table: Table, operation: Operation) -> str:
    if "path" not in table:
        return operation.path
    path = table.matching("path", _URL_PATH, "a path like /person/overview")
    if ("{key}" in path) != ("{key}" in operation.path) or not path:
        raise table.problem("path", "expected {key} exactly where the contract has it")
    return path


def _place(table: Table, key: str) -> Path | None:
    return _path_of(table, key, table.text(key)) if key in table else None


def _path_of(table: Table, key: str, text: str) -> Path:
    if not _PATH.fullmatch(text):
        raise table.problem(key, "expected a path like ROOT.HEAD.CODE")
    return tuple(text.split("."))
