"""A province's envelope (报文): its names, codes and wrapping around the contract's documents.

The terminal speaks docs/platform.md. Where a province's platform wants other names of fields, other
codes for values, a head around the body and result codes in place of HTTP statuses, the signed data
pack says so (`kiosk.platform.envelope_file`), and documents pass through here before they are
signed and after the answer's signature was checked. Signatures, keys and nonces stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.platform.errors import (
    Outage,
    PlatformAnswerMalformed,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
    Problem,
)
from kiosk.platform.operations import Operation

Document = dict[str, object]
Path = tuple[str, ...]
"""Names from the outermost object inwards; empty: the message itself."""

_RESULT_CODE = re.compile(r"[0-9A-Za-z._-]{1,40}")


@dataclass(frozen=True)
class Codes:
    """What stands for the values of one field.

    Attributes:
        sent: their code for each value of ours.
        understood: our value for each code of theirs; several codes may mean the same.
    """

    sent: Mapping[str | bool, str | int]
    understood: Mapping[str | int, str | bool]

    def theirs(self, value: object, name: str) -> object:
        """Raises ValueError: the value has no code."""
        if not isinstance(value, str | bool) or value not in self.sent:
            raise ValueError(f"the envelope has no code for a value of {name}")
        return self.sent[value]

    def ours(self, code: object, name: str) -> object:
        """Raises PlatformAnswerMalformed: nobody knows this code."""
        # To a dict True is 1; as codes they are two.
        if isinstance(code, bool) or not isinstance(code, str | int) or code not in self.understood:
            raise PlatformAnswerMalformed(name, "is no code of the envelope")
        return self.understood[code]


@dataclass(frozen=True)
class Vocabulary:
    """Names of fields, at whatever depth they stand, and codes of their values.

    Attributes:
        fields: their name for each name of ours that differs; no two share one.
        codes: by our name of the field.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Codes] = field(default_factory=dict)

    def theirs(self, document: Document) -> Document:
        """Raises ValueError: a value without a code, or a name that means another field there."""
        taken = self.fields.values()
        if any(name in taken and name not in self.fields for name in document):
            raise ValueError("a field has the name that the envelope gives to another one")
        return {
            self.fields.get(name, name): self._their_value(value, name)
            for name, value in document.items()
        }

    def ours(self, document: Document) -> Document:
        """Raises PlatformAnswerMalformed: an unknown code, or a field under a name of ours."""
        back = {theirs: ours for ours, theirs in self.fields.items()}
        result: Document = {}
        for theirs, inner in document.items():
            name = back.get(theirs, theirs)
            if theirs in self.fields and theirs not in back:
                raise PlatformAnswerMalformed("body", "has a field that the envelope lacks")
            result[name] = self._our_value(inner, name)
        return result

    def _their_value(self, value: object, name: str) -> object:
        match value:
            case dict():
                return self.theirs(value)
            case list():
                return [self._their_value(item, name) for item in value]
            case None:
                return None
        return self.codes[name].theirs(value, name) if name in self.codes else value

    def _our_value(self, value: object, name: str) -> object:
        match value:
            case dict():
                return self.ours(value)
            case list():
                return [self._our_value(item, name) for item in value]
            case None:
                return None
        return self.codes[name].ours(value, name) if name in self.codes else value


@dataclass(frozen=True)
class Wrapping:
    """Where things stand in a message.

    Attributes:
        request_body, answer_body: where the contract's document stands.
        constants: what every request with a body carries.
        operation: where the operation's code stands, None where nowhere.
        result: where an answer's result code stands; None where HTTP statuses alone tell.
        ignored: what else an answer may carry, which nobody here reads.
        successes: result codes that mean success.
        refusals: the problem that a result code means; one that ends in ``*`` is for all codes
            that begin so, the longest first.
        status: the HTTP status of every answer that carries a result code; None: the contract's.
    """

    request_body: Path = ()
    answer_body: Path = ()
    constants: Mapping[Path, str | int] = field(default_factory=dict)
    operation: Path | None = None
    result: Path | None = None
    ignored: tuple[Path, ...] = ()
    successes: frozenset[str] = frozenset()
    refusals: Mapping[str, Problem] = field(default_factory=dict)
    status: int | None = None


@dataclass(frozen=True)
class Envelope:
    """How one province wraps the contract's documents. Without arguments: not at all.

    Attributes:
        paths: HTTP path of each operation that has another one.
        operation_codes: what stands at `Wrapping.operation`.
        vocabularies: by operation; the general one for all others.
    """

    wrapping: Wrapping = field(default_factory=Wrapping)
    general: Vocabulary = field(default_factory=Vocabulary)
    vocabularies: Mapping[Operation, Vocabulary] = field(default_factory=dict)
    paths: Mapping[Operation, str] = field(default_factory=dict)
    operation_codes: Mapping[Operation, str] = field(default_factory=dict)

    def path(self, operation: Operation) -> str:
        """The HTTP path; ``{key}`` stands where the contract has it."""
        return self.paths.get(operation, operation.path)

    def success(self, operation: Operation) -> int:
        """The one HTTP status of an answer that is no problem."""
        status = self.wrapping.status
        return operation.success if status is None else status

    def wrap(self, operation: Operation, document: Document) -> Document:
        """The message that carries this request.

        Raises:
            ValueError: a value without a code, or two things at one place.
        """
        theirs = self._vocabulary(operation).theirs(document)
        message = _placed({}, self.wrapping.request_body, theirs)
        for path, constant in self.wrapping.constants.items():
            message = _placed(message, path, constant)
        if self.wrapping.operation is not None:
            code = self.operation_codes[operation]
            message = _placed(message, self.wrapping.operation, code)
        return message

    def unwrap(
        self, operation: Operation, message: Document, retry_after: float | None = None
    ) -> Document:
        """The contract's document that an answer carries.

        Args:
            retry_after: seconds that the answer asked us to wait, for the failure that it may be.

        Raises:
            PlatformRefused: the result code says so; ``code`` tells it.
            PlatformUnavailable: it says "not now".
            PlatformAnswerMalformed: it is not of this envelope.
        """
        try:
            rest = self._successful(message, retry_after)
            if self.wrapping.answer_body:
                body, rest = _taken(rest, self.wrapping.answer_body)
                if rest:
                    raise PlatformAnswerMalformed("body", "has a part that the envelope lacks")
            else:
                body = rest
            if not isinstance(body, dict):
                raise PlatformAnswerMalformed(".".join(self.wrapping.answer_body), "is no object")
            return self._vocabulary(operation).ours(body)
        except RecursionError:
            pass
        raise PlatformAnswerMalformed("body", "is nested too deeply")

    def _successful(self, message: Document, retry_after: float | None) -> Document:
        """What is left of an answer beside its result code; refusals are raised."""
        wrapping = self.wrapping
        rest = message
        if wrapping.result is not None:
            told, rest = _taken(rest, wrapping.result)
            code = "" if isinstance(told, bool) else str(told)
            if not isinstance(told, str | int) or not _RESULT_CODE.fullmatch(code):
                raise PlatformAnswerMalformed(".".join(wrapping.result), "is no result code")
            if code not in wrapping.successes:
                raise _failure(_problem(wrapping.refusals, code), code, retry_after)
        for path in wrapping.ignored:
            if _holds(rest, path):
                _, rest = _taken(rest, path)
        return rest

    def _vocabulary(self, operation: Operation) -> Vocabulary:
        return self.vocabularies.get(operation, self.general)


CONTRACT = Envelope()
"""The contract as it is."""


def _problem(refusals: Mapping[str, Problem], code: str) -> Problem | None:
    if code in refusals:
        return refusals[code]
    for length in range(len(code), -1, -1):
        beginning = code[:length] + "*"
        if beginning in refusals:
            return refusals[beginning]
    return None


def _failure(problem: Problem | None, code: str, retry_after: float | None) -> PlatformError:
    if problem is None:
        return PlatformAnswerMalformed("result code", "is none of the envelope")
    if problem is Problem.UNAVAILABLE:
        return PlatformUnavailable(Outage.BUSY, retry_after)
    return PlatformRefused(problem, retry_after, code)


def _placed(message: Document, path: Path, part: object) -> Document:
    """The message with one part more. Raises ValueError: its place is taken."""
    if not path:
        if not isinstance(part, dict) or message:
            raise ValueError("two parts of the envelope stand at one place")
        return part
    name, *deeper = path
    inner = message.get(name)
    if not deeper and name not in message:
        return {**message, name: part}
    if not deeper or not isinstance(inner, dict | None):
        raise ValueError("two parts of the envelope stand at one place")
    return {**message, name: _placed(inner or {}, tuple(deeper), part)}


def _taken(message: Document, path: Path) -> tuple[object, Document]:
    """A part of a message and what is left; objects that hold nothing else go with it."""
    name, *deeper = path
    if name not in message:
        raise PlatformAnswerMalformed(name, "is missing")
    part = message[name]
    rest = {other: value for other, value in message.items() if other != name}
    if not deeper:
        return part, rest
    if not isinstance(part, dict):
        raise PlatformAnswerMalformed(name, "is no object")
    inner, left = _taken(part, tuple(deeper))
    return inner, {**rest, name: left} if left else rest


def _holds(message: Document, path: Path) -> bool:
    part: object = message
    for name in path:
        if not isinstance(part, dict) or name not in part:
            return False
        part = part[name]
    return True
