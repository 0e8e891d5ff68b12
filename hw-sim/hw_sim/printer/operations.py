"""The document printer's answers to IPP requests (RFC 8011 §4.2, §4.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from hw_sim.printer.attributes import job_attributes, job_summary, printer_attributes, selected
from hw_sim.printer.facts import facts
from hw_sim.printer.ipp import Attributes, Group, GroupTag, Message, Tag, Value, encode
from hw_sim.printer.ipp_decoding import Malformed, ValueTooLong, decode
from hw_sim.printer.jobs import Job, JobState, PrintFolder
from hw_sim.printer.machine import NotNow, PrintingMachine
from hw_sim.printer.pdf_pages import NotAPdf, count_pages
from hw_sim.printer.requests import (
    Operation,
    Refusal,
    Request,
    Status,
    check_document_attributes,
    check_fidelity,
    checked,
)

_KEPT = 50
_WITH_DOCUMENT = (Operation.PRINT_JOB, Operation.SEND_DOCUMENT)


class IppPrinter:
    """Answers requests; knows no connection.

    Args:
        machine: what prints.
        folder: where received documents go.
        uri: ``ipp`` URI under which clients reach it.
    """

    def __init__(self, machine: PrintingMachine, folder: PrintFolder, uri: str) -> None:
        self._machine = machine
        self._folder = folder
        self._uri = uri
        self._illegal: deque[str] = deque(maxlen=_KEPT)

    @property
    def illegal(self) -> Sequence[str]:
        """What came that no correct client sends, at most the last 50; no values."""
        return tuple(self._illegal)

    def record(self, words: str) -> None:
        """Record something illegal that is not the request itself."""
        self._illegal.append(words)

    def serve(self, body: bytes, forced: int | None = None) -> bytes:
        """The answer to a request.

        Args:
            forced: this ``status-code`` instead of doing what is asked.
        """
        try:
            message = decode(body)
        except Malformed as error:
            self.record(f"malformed: {error}")
            status = Status.VALUE_TOO_LONG if isinstance(error, ValueTooLong) else None
            return _answer(None, error.request_id, status or Status.BAD_REQUEST, str(error))
        if forced is not None:
            return _answer(message, message.request_id, forced, "as scheduled")
        try:
            request = checked(message)
            groups = self._do(request)
        except Refusal as refusal:
            if refusal.illegal:
                self.record(f"{_name(message.code)}: {refusal}")
            groups = _unsupported(refusal.unsupported)
            return _answer(message, message.request_id, refusal.status, str(refusal), groups)
        ignored = _unsupported(request.unsupported)
        status = Status.OK_SUBSTITUTED if ignored else Status.OK
        return _answer(message, message.request_id, status, "", [*ignored, *groups])

    def _do(self, request: Request) -> Sequence[Group]:
        self._drop_stale_jobs()
        match request.operation:
            case Operation.GET_PRINTER_ATTRIBUTES:
                check_document_attributes(request)
                found = printer_attributes(self._machine, self._uri, list(Operation))
                return [Group(GroupTag.PRINTER, selected(found, request.requested("all")))]
            case Operation.VALIDATE_JOB:
                self._check_job(request)
                return []
            case Operation.PRINT_JOB:
                self._check_job(request)
                pages = _pages(request)
                job = self._create(request)
                self._begin(job, request.data, pages)
                return self._summary(job)
            case Operation.CREATE_JOB:
                self._check_job(request)
                return self._summary(self._create(request))
            case Operation.SEND_DOCUMENT:
                return self._summary(self._send_document(request))
            case Operation.CANCEL_JOB:
                if not self._machine.cancel(self._job(request)):
                    raise Refusal(Status.NOT_POSSIBLE, "the job is over")
                return []
            case Operation.GET_JOB_ATTRIBUTES:
                return [self._told(self._job(request), request.requested("all"))]
            case Operation.GET_JOBS:
                wanted = request.requested("job-uri", "job-id")
                return [self._told(job, wanted) for job in self._jobs(request)]

    # --- jobs ----------------------------------------------------------------------------------

    def _check_job(self, request: Request) -> None:
        if not self._machine.accepting:
            raise Refusal(Status.NOT_ACCEPTING, "the printer takes no jobs now")
        check_document_attributes(request)
        check_fidelity(request)

    def _create(self, request: Request) -> Job:
        number = self._folder.next_number()
        copies = request.wishes.get("copies", (Value(Tag.INTEGER, 1),))[0].content
        sides = request.wishes.get("sides", (Value(Tag.KEYWORD, "one-sided"),))[0].content
        name = request.one("job-name") or request.one("document-name") or f"job {number}"
        user = request.one("requesting-user-name", "anonymous")
        try:
            return self._machine.create(
                number, name, user, copies=copies, two_sided=sides != "one-sided"
            )
        except NotNow:
            raise Refusal(Status.NOT_ACCEPTING, "the printer takes no jobs now") from None

    def _begin(self, job: Job, document: bytes, pages: int) -> None:
        file = self._folder.keep(job.number, job.name, document)
        self._machine.begin(job, file, len(document), pages)

    def _send_document(self, request: Request) -> Job:
        last = request.one("last-document")
        if last is None:
            raise Refusal(Status.BAD_REQUEST, "last-document is missing")
        job = self._job(request)
        check_document_attributes(request)
        if job.file is not None and request.data:
            raise Refusal(Status.ONE_DOCUMENT_ONLY, "a job has one document")
        if job.over:
            raise Refusal(Status.NOT_POSSIBLE, "the job is over")
        if request.data:
            self._begin(job, request.data, _pages(request))
        elif not last:
            raise Refusal(Status.BAD_REQUEST, "no document, and it is not the last one")
        elif job.file is None:
            self._machine.abort(job, "job-data-insufficient")
        return job

    def _job(self, request: Request) -> Job:
        job = self._machine.job(request.job or 0)
        if job is None:
            raise Refusal(Status.NOT_FOUND, "there is no such job")
        return job

    def _jobs(self, request: Request) -> Sequence[Job]:
        which = request.one("which-jobs", "not-completed")
        limit = request.one("limit", len(self._machine.jobs) or 1)
        if limit < 1:
            raise Refusal(Status.BAD_REQUEST, "limit must be 1 or more")
        jobs: Iterable[Job] = self._machine.jobs
        match which:
            case "all":
                pass
            case "not-completed":
                jobs = [job for job in jobs if not job.over]
            case "completed":
                over = [job for job in jobs if job.over]
                jobs = sorted(over, key=lambda job: (job.ended, job.identity), reverse=True)
            case _:
                raise Refusal(
                    Status.ATTRIBUTES_NOT_SUPPORTED,
                    "which-jobs is not supported",
                    {"which-jobs": request.attributes["which-jobs"]},
                )
        if request.one("my-jobs", False):
            user = request.one("requesting-user-name", "anonymous")
            jobs = [job for job in jobs if job.user == user]
        return list(jobs)[:limit]

    def _drop_stale_jobs(self) -> None:
        for job in self._machine.jobs:
            waited = self._machine.up_time - job.created
            if job.state is JobState.HELD and waited > facts()["incoming-seconds"]:
                self._machine.abort(job, "aborted-by-system")

    def _summary(self, job: Job) -> Sequence[Group]:
        return [Group(GroupTag.JOB, job_summary(job, self._machine, self._uri))]

    def _told(self, job: Job, wanted: Iterable[str]) -> Group:
        found = job_attributes(job, self._machine, self._uri)
        return Group(GroupTag.JOB, selected(found, wanted))


def brings_document(body: bytes) -> bool:
    """True when a request is one that may begin a print (Print-Job, Send-Document)."""
    return len(body) >= 4 and int.from_bytes(body[2:4], "big") in _WITH_DOCUMENT


def _pages(request: Request) -> int:
    if not request.data:
        raise Refusal(Status.BAD_REQUEST, "there is no document")
    try:
        return count_pages(request.data)
    except NotAPdf as error:
        raise Refusal(Status.DOCUMENT_FORMAT_ERROR, str(error)) from None


def _name(code: int) -> str:
    try:
        return Operation(code).name.replace("_", " ").title().replace(" ", "-")
    except ValueError:
        return "unknown operation"


def _unsupported(attributes: Attributes) -> Sequence[Group]:
    return [Group(GroupTag.UNSUPPORTED, attributes)] if attributes else []


def _answer(
    to: Message | None,
    request_id: int,
    status: int,
    words: str,
    groups: Sequence[Group] = (),
) -> bytes:
    head = {
        "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),
        "attributes-natural-language": (Value(Tag.LANGUAGE, "en"),),
    }
    if words:
        head["status-message"] = (Value(Tag.TEXT, words),)
    version = to.version if to is not None and to.version in ((1, 0), (1, 1)) else (2, 0)
    return encode(Message(version, status, request_id, (Group(GroupTag.OPERATION, head), *groups)))
