"""What printers say: answers to IPP requests, status bytes of ESC/POS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drivers.cups.queue import queue_of
from drivers.document_printer import PrintEnd
from drivers.escpos.status import Answer, Question, findings, kind_of, paper_end, status_of
from drivers.ipp.answers import ExchangeFailed, IppAnswer, Span, read_answer
from drivers.ipp.details import details_of, printer_details
from drivers.ipp.job import job_view, judge
from drivers.ipp.reasons import printer_status
from drivers.ipp.submission import Lookup, look_up
from drivers.receipt_printer import ReceiptStatus
from hw_sim.printer.ipp import GroupTag, Message, Tag, Value
from hw_sim.printer.ipp_decoding import Malformed, decode

LONGEST_SHOWN = 60
"""Characters of a printer's words as staff see them."""
_SHORTEST_VALUE = 5
"""Bytes of a value: its tag and two lengths."""
_TEXTS = (
    Tag.TEXT, Tag.NAME, Tag.KEYWORD, Tag.URI, Tag.URI_SCHEME, Tag.CHARSET, Tag.LANGUAGE,
    Tag.MIME_TYPE,
)  # fmt: skip


def ipp(data: bytes) -> None:
    """An IPP printer's answer, and all that is made of it.

    Where the strict decoder of the simulated printer takes it, ours reads the same.
    """
    strict = _strictly(data)
    try:
        answer = read_answer(data)
    except ExchangeFailed:
        assert strict is None or strict.version[0] not in (1, 2), "the strict decoder takes it"
        return
    groups = (answer.printer, *answer.jobs)
    assert sum(map(_values, groups)) <= len(data) // _SHORTEST_VALUE
    if strict is not None:
        assert (answer.status, answer.request) == (strict.code, strict.request_id)
        printers = _groups(strict, GroupTag.PRINTER)
        assert answer.printer == (printers[-1] if printers else {})
        assert list(answer.jobs) == [job for job in _groups(strict, GroupTag.JOB) if job]
    _made_of(answer)


def _made_of(answer: IppAnswer) -> None:
    for details in (
        details_of(answer),
        printer_details(answer.printer),
        queue_of(answer.printer).details,
    ):
        said = [details.model, details.message, *details.unknown]
        said += [supply.name for supply in details.supplies]
        said += [tray.name for tray in details.trays]
        said += [text for alert in details.alerts for text in (alert.code, alert.words)]
        assert all(len(text) <= LONGEST_SHOWN and (text + "x").isprintable() for text in said)
        assert details.copies >= 1
        assert all(
            supply.percent is None or 0 <= supply.percent <= 100 for supply in details.supplies
        )
    # There is one judgement only, whoever asks.
    assert printer_status(answer.printer).reason is printer_details(answer.printer).status.reason
    for job in answer.jobs:
        view = job_view(job)
        if view is not None:
            assert judge(view, 1, untouched=True) in (*PrintEnd, None)
            assert view.pages is None or view.pages >= 0
    found = look_up(_Jobs(answer), "S-1")
    assert isinstance(found, int | Lookup)


class _Jobs:
    def __init__(self, answer: IppAnswer) -> None:
        self._answer = answer

    def jobs(self, which: str) -> IppAnswer:
        return self._answer


def _values(group: Mapping[str, Sequence[Any]]) -> int:
    waiting, count = [group], 0
    while waiting:
        for values in waiting.pop().values():
            count += len(values)
            waiting += [value for value in values if isinstance(value, Mapping)]
    return count


# --- the strict decoder's reading -----------------------------------------------------------------


def _strictly(data: bytes) -> Message | None:
    try:
        return decode(data)
    except Malformed:
        return None


def _groups(message: Message, tag: GroupTag) -> list[Mapping[str, tuple[Any, ...]]]:
    return [_ours(group.attributes) for group in message.groups if group.tag is tag]


def _ours(attributes: Mapping[str, Iterable[Value]]) -> Mapping[str, tuple[Any, ...]]:
    """Without the values of syntaxes that nobody asks for."""
    found = {
        name: tuple(each for value in values for each in _value(value))
        for name, values in attributes.items()
    }
    return {name: values for name, values in found.items() if values}


def _value(value: Value) -> tuple[Any, ...]:
    match value.tag:
        case Tag.INTEGER | Tag.ENUM | Tag.BOOLEAN | Tag.OCTETS:
            return (value.content,)
        case Tag.RANGE:
            return (Span(*value.content),)
        case Tag.TEXT_WITH_LANGUAGE | Tag.NAME_WITH_LANGUAGE:
            return (value.content[1],)
        case Tag.COLLECTION:
            return (_ours(value.content),)
        case tag if tag in _TEXTS:
            return (value.content,)
        case _:
            return ()


# --- receipts -------------------------------------------------------------------------------------


def escpos(data: bytes) -> None:
    """Status bytes: four at a time answer the four questions."""
    for octet in data:
        kind = kind_of(octet)
        # Bits 1 and 4 are always one, bits 0 and 7 always zero.
        bits = f"{octet:08b}"
        fixed = bits[0] + bits[3] + bits[6] + bits[7]
        assert (kind is Answer.STATUS) == (fixed == "0110")
        found = [findings(question, octet) for question in Question]
        assert all((each is not None) == (kind is Answer.STATUS) for each in found)
        paper_end(octet)
    for start in range(0, len(data) - 3, 4):
        answers = dict(zip(Question, data[start : start + 4], strict=True))
        status = status_of(answers)
        readable = all(kind_of(octet) is Answer.STATUS for octet in answers.values())
        assert isinstance(status, ReceiptStatus) == readable
        if status is not None:
            reasons = {
                reason
                for question, octet in answers.items()
                for reason in _reasons(question, octet)
            }
            assert (status.reason is None) == (not reasons)
            assert status.reason is None or status.reason in reasons


def _reasons(question: Question, octet: int) -> Iterable[object]:
    found = findings(question, octet)
    return () if found is None else found.reasons
