"""A province's own form of the wire, and what it may not be."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apdu.crypto import sm2
from kiosk.config import DEMO_ROOT_KEY
from kiosk.pack import PackError, load, read_root
from kiosk.pack_signature import sign
from kiosk.platform import wire
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.envelope import CONTRACT, Codes, Envelope, Vocabulary, Wrapping
from kiosk.platform.envelope_file import read_envelope
from kiosk.platform.errors import (
    FailureKind,
    PlatformAnswerMalformed,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
    Problem,
)
from kiosk.platform.events import Event
from kiosk.platform.limits import REQUEST_BYTES
from kiosk.platform.models import AlarmKind, AlarmSeverity, CardVerdict
from kiosk.platform.operations import Operation
from kiosk.platform.questions import for_event_batch
from kiosk.toml_tables import Table
from tests.kiosk.platform_double import TERMINAL, Reply, problem
from tests.kiosk.platform_line import BY_CARD, BY_TICKET, CARD_ID, NAME, STATUS, Line, resign
from tests.kiosk.platform_samples import (
    CERTIFICATE,
    ECARD,
    JSON,
    OVERVIEW,
    RISK,
    VERIFICATION,
)
from tests.kiosk.province_double import ProvinceDouble
from tests.kiosk.test_platform_custodian import asked, reload

FILE = Path(__file__).parent / "province_envelope.toml"
TEXT = FILE.read_text("utf-8")
DEMO_ROOT_PRIVATE = Path(__file__).parent / "demo-root.key"


def read(text: str = TEXT) -> Envelope:
    return read_envelope(Table(tomllib.loads(text), FILE, PackError))


@pytest.fixture
def province() -> Iterator[Line]:
    """A line to the second province's platform."""
    double = ProvinceDouble()
    key = sm2.generate()
    double.terminal_public = key.public_key().xy
    try:
        yield Line(double, TerminalIdentity(TERMINAL, key), [])
    finally:
        double.close()


Ask = Callable[[PlatformClient], object]
CATALOGUE = {"version": "7", "items": [{"code": "a", "available": False, "reason": "维护中"}]}
DONE = {"state": "done", "status": 201, "response": {"alarm_no": "A-1"}}
TAKEN = {"results": [{"key": "e-1", "status": 201, "response": {"event_no": "E-1"}}]}
VISIT: dict[str, object] = {"item": "429900-QUERY-ALL", "grade": 5, "visit": "v-1"}
CALLS: dict[Operation, tuple[str, int, dict[str, Any], Ask]] = {
    Operation.STATUS: ("GET /v1/status", 200, STATUS, lambda c: c.status()),
    Operation.CATALOGUE: ("GET /v1/catalogue", 200, CATALOGUE, lambda c: c.catalogue()),
    Operation.CARD_VERDICT: (
        "POST /v1/card-verdicts",
        200,
        {"state": "lost"},
        lambda c: c.card_verdict(CARD_ID, "B00000001"),
    ),
    Operation.ECARD_VERIFICATION: (
        "POST /v1/ecard-verifications",
        200,
        ECARD,
        lambda c: c.verify_ecard("code", "429900"),
    ),
    Operation.OVERVIEW: ("POST /v1/overviews", 200, OVERVIEW, lambda c: vars(c.overview(BY_CARD))),
    Operation.RISK_VERDICT: (
        "POST /v1/risk-verdicts",
        200,
        RISK,
        lambda c: c.risk("429900-QUERY-ALL", BY_TICKET),
    ),
    Operation.CERTIFICATE: (
        "POST /v1/certificates",
        201,
        CERTIFICATE,
        lambda c: c.certificate(BY_CARD, "participation", 24),
    ),
    Operation.CERTIFICATE_VERIFICATION: (
        "POST /v1/certificate-verifications",
        200,
        VERIFICATION,
        lambda c: c.verify_certificate("23456789ABCDEFGH"),
    ),
    Operation.CRYPTOGRAM: (
        "POST /v1/hsm/cryptograms",
        200,
        {"cryptogram": "0011223344556677"},
        lambda c: c.cryptogram(asked()),
    ),
    Operation.ENCRYPTION_KEY: (
        "GET /v1/hsm/encryption-key",
        200,
        {"public_key": sm2.generate().public_key().xy.hex()},
        lambda c: c.encryption_key(),
    ),
    Operation.PROTECTED_COMMAND: (
        "POST /v1/hsm/protected-commands",
        200,
        {"data": "00" * 20},
        lambda c: c.protected(reload(), b"\x04" + bytes(112)),
    ),
    Operation.ALARM: (
        "POST /v1/alarms",
        201,
        {"alarm_no": "A-1"},
        lambda c: c.raise_alarm(AlarmKind.TAMPER, AlarmSeverity.SECURITY, "device.tamper", "", 1),
    ),
    Operation.EVENT: (
        "POST /v1/events",
        201,
        {"event_no": "E-1"},
        lambda c: c.send_event("evaluation", 1, VISIT, key="e-1"),
    ),
    Operation.EVENT_BATCH: (
        "POST /v1/event-batches",
        200,
        TAKEN,
        lambda c: c.send_events([Event("e-1", "evaluation", 1, VISIT)]),
    ),
    Operation.SUBMISSION: ("GET /v1/submissions/a%2F1", 200, DONE, lambda c: c.submission("a/1")),
}


@pytest.mark.parametrize("operation", Operation, ids=lambda operation: operation.word)
def test_a_province_is_told_and_asked_the_same_in_its_own_form(
    line: Line, province: Line, operation: Operation
) -> None:
    question, status, answer, ask = CALLS[operation]
    line.double.answers[question] = province.double.answers[question] = (status, answer)
    assert ask(province.client(envelope=read())) == ask(line.client())
    (theirs,), (ours,) = province.double.seen, line.double.seen
    assert theirs.problem == "", "what is signed is what is sent"
    assert theirs.path.startswith("/gw/")
    assert isinstance(province.double, ProvinceDouble)
    ((told, document),) = province.double.asked
    assert told == f"{ours.method} {ours.path}"
    assert document == (ours.document if ours.body else None)


def test_a_person_is_named_as_the_province_does(province: Line) -> None:
    province.double.answers["POST /v1/overviews"] = (200, OVERVIEW)
    province.client(envelope=read()).overview(BY_CARD)
    root = province.double.seen[0].document["ROOT"]
    assert root["HEAD"] == {"VERSION": "1.0", "CHANNEL": 7, "JYDM": "Q001"}
    assert root["BODY"]["sfzh"] == BY_CARD.number
    assert root["BODY"]["evidence"] == ["01", "02"]
    assert "aac002" not in root["BODY"]


@pytest.mark.parametrize(
    "name, code",
    [
        (Problem.FORBIDDEN, "40301"),
        (Problem.NOT_FOUND, "40417"),
        (Problem.INVALID, "42200"),
        (Problem.TOO_MANY, "49001"),
    ],
)
def test_a_result_code_is_a_refusal_with_its_problem_and_its_code(
    province: Line, name: Problem, code: str
) -> None:
    status = 403 if name is Problem.FORBIDDEN else 404
    province.double.answers["POST /v1/card-verdicts"] = problem(name.value, status)
    with pytest.raises(PlatformRefused) as caught:
        province.client(envelope=read()).card_verdict(CARD_ID, "B00000001")
    assert (caught.value.problem, caught.value.code) == (name, code)


def test_not_now_is_an_outage_that_tells_how_long(province: Line) -> None:
    province.double.answers["POST /v1/card-verdicts"] = problem("unavailable", 503)
    province.double.changes = [lambda r: replace(r, headers={**r.headers, "Retry-After": "7"})]
    with pytest.raises(PlatformUnavailable) as caught:
        province.client(envelope=read()).card_verdict(CARD_ID, "B00000001")
    assert (caught.value.kind, caught.value.retry_after) == (FailureKind.OVERLOADED, 7)


def test_whoever_is_not_let_in_is_told_by_the_contract(province: Line) -> None:
    province.double.answers["GET /v1/status"] = problem("unknown-terminal", 401)
    with pytest.raises(PlatformRefused) as caught:
        province.client(envelope=read()).status()
    assert (caught.value.problem, caught.value.code) == (Problem.UNKNOWN_TERMINAL, "")


def test_a_submission_that_never_was_is_none(province: Line) -> None:
    assert province.client(envelope=read()).submission("never-sent") is None


HEAD = {"code": "00000", "msg": "成功"}
HOSTILE: dict[str, object] = {
    "empty": {},
    "the contract's own form": {"state": "normal"},
    "no head": {"data": {"zt": "1"}},
    "no code": {"head": {"msg": ""}, "data": {"zt": "1"}},
    "head is no object": {"head": "00000", "data": {"zt": "1"}},
    "code is null": {"head": {"code": None}, "data": {"zt": "1"}},
    "code is true": {"head": {"code": True}, "data": {"zt": "1"}},
    "code is nobody's": {"head": {"code": "77"}, "data": {"zt": "1"}},
    "code is a name": {"head": {"code": NAME}, "data": {"zt": "1"}},
    "code is a sentence": {"head": {"code": "4" * 41}, "data": {"zt": "1"}},
    "no body": {"head": HEAD},
    "body is null": {"head": HEAD, "data": None},
    "body is a list": {"head": HEAD, "data": [{"zt": "1"}]},
    "more in the head": {"head": {**HEAD, "more": NAME}, "data": {"zt": "1"}},
    "more beside the body": {"head": HEAD, "data": {"zt": "1"}, NAME: NAME},
    "more in the body": {"head": HEAD, "data": {"zt": "1", NAME: NAME}},
    "unknown value": {"head": HEAD, "data": {"zt": NAME}},
    "our value": {"head": HEAD, "data": {"zt": "normal"}},
    "a number for a text": {"head": HEAD, "data": {"zt": 1}},
    "true for a code": {"head": HEAD, "data": {"zt": True}},
    "our name": {"head": HEAD, "data": {"state": "1"}},
    "both names": {"head": HEAD, "data": {"state": "1", "zt": "1"}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_answer_of_another_form_is_malformed(province: Line, name: str) -> None:
    body = json.dumps(HOSTILE[name], ensure_ascii=False).encode()
    province.double.changes = [
        lambda r: resign(
            province, Reply(200, body, {**r.headers, "Content-Type": "application/json"})
        )
    ]
    with pytest.raises(PlatformAnswerMalformed) as caught:
        province.client(envelope=read()).card_verdict(CARD_ID, "B00000001")
    assert caught.value.kind is FailureKind.INCOMPATIBLE
    assert NAME not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_the_sample_of_a_good_answer_is_good(province: Line) -> None:
    good = {"head": {"code": 0}, "data": {"zt": "2"}}
    assert read().unwrap(Operation.CARD_VERDICT, good) == {"state": CardVerdict.LOST.value}


@pytest.mark.parametrize("code", [True, "1", 3, 1.0])
def test_a_code_is_believed_in_its_own_type_only(code: object) -> None:
    message = {"head": HEAD, "data": {"verdict": code, "fxdm": "R-07"}}
    with pytest.raises(PlatformAnswerMalformed, match="verdict is no code"):
        read().unwrap(Operation.RISK_VERDICT, message)


def test_what_is_nested_without_end_is_malformed() -> None:
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(PlatformAnswerMalformed, match="too deeply"):
        CONTRACT.unwrap(Operation.STATUS, deep)


@given(st.dictionaries(st.sampled_from(["head", "data", "traceId", "zt"]), JSON))
def test_whatever_is_answered_is_a_document_or_a_failure(message: dict[str, object]) -> None:
    try:
        assert isinstance(read().unwrap(Operation.CARD_VERDICT, message), dict)
    except PlatformError as error:
        assert isinstance(error.kind, FailureKind)


OURS = ("aac002", "state", "kind", "code")
THEIRS = ("sfzh", "zt", "kind", "state", "dm")
VALUES = ("normal", "lost", True, False)
DOCUMENTS = st.recursive(
    st.none() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(OURS), inner),
    max_leaves=12,
)


@st.composite
def vocabularies(draw: st.DrawFn) -> Vocabulary:
    ours = draw(st.lists(st.sampled_from(OURS), unique=True))
    theirs = draw(st.permutations(THEIRS))
    codes = draw(st.permutations(["1", 1, "normal", 0]))
    table = Codes(dict(zip(VALUES, codes, strict=True)), dict(zip(codes, VALUES, strict=True)))
    coded = draw(st.lists(st.sampled_from(OURS), unique=True))
    return Vocabulary(dict(zip(ours, theirs, strict=False)), dict.fromkeys(coded, table))


@given(
    st.dictionaries(st.sampled_from(OURS), DOCUMENTS),
    vocabularies(),
    st.sampled_from([(), ("data",), ("ROOT", "BODY")]),
)
def test_what_is_wrapped_is_unwrapped_to_the_same(
    document: dict[str, object], vocabulary: Vocabulary, body: tuple[str, ...]
) -> None:
    result = ("ROOT", "HEAD", "CODE")
    wrapping = Wrapping(body, body, {result: "0"}, None, result, (), frozenset("0"))
    envelope = Envelope(wrapping, vocabulary)
    named_alike = (set(OURS) - set(vocabulary.fields)) & set(vocabulary.fields.values())
    try:
        message = envelope.wrap(Operation.ALARM, document)
    except ValueError:
        assume(not named_alike)
        raise
    assert envelope.unwrap(Operation.ALARM, message) == document


@given(st.dictionaries(st.text(max_size=5), JSON))
def test_the_contract_as_it_is_changes_nothing(document: dict[str, object]) -> None:
    for operation in Operation:
        assert CONTRACT.wrap(operation, document) == document
        assert CONTRACT.unwrap(operation, document) == document
        assert CONTRACT.path(operation) == operation.path
        assert CONTRACT.success(operation) == operation.success


@pytest.mark.parametrize(
    "old, new, key",
    [
        ('mark = "I"', 'mark = "Z"', "mark"),
        ('mark = "I"', 'mark = "I"\nmore = 1', "more"),
        ('source = "', 'sauce = "', "source"),
        ('path_prefix = "/gw"', 'path_prefix = "gw"', "path_prefix"),
        ('body = "ROOT.BODY"', 'body = "ROOT..BODY"', "request.body"),
        ('body = "ROOT.BODY"', 'body = "ROOT.HEAD.VERSION"', "request"),
        ('operation = "ROOT.HEAD.JYDM"', 'operation = "ROOT.HEAD.VERSION"', "request"),
        ('"ROOT.HEAD.CHANNEL" = 7', '"ROOT.HEAD" = 7', "request"),
        ('"ROOT.HEAD.CHANNEL" = 7', '"ROOT.HEAD.CHANNEL" = [7, 8]', "CHANNEL"),
        ('"ROOT.HEAD.CHANNEL" = 7', '"ROOT.HEAD.CHANNEL" = true', "CHANNEL"),
        ("status = 200", "status = 500", "answer.status"),
        ('result = "head.code"', "", "answer.result"),
        ('successes = ["00000", "0"]', "", "answer.result"),
        ('"40301" = "forbidden"', '"40301" = "no"', "40301"),
        ('"40301" = "forbidden"', '"40301" = "clock"', "40301"),
        ('"40301" = "forbidden"', '"00000" = "forbidden"', "00000"),
        ('"404*" = "not-found"', '"4*4" = "not-found"', "4*4"),
        ('aac003 = "xm"', 'aac003 = "sfzh"', "fields"),
        ('aac003 = "xm"', 'aac003 = "x m"', "fields.aac003"),
        ('sealed = "0"', 'sealed = "1"', "state.sealed"),
        ('sealed = "0"', "sealed = []", "state.sealed"),
        ('sealed = "0"', "sealed = 0.5", "state.sealed"),
        ('code = "K001"', "", "operations.card-verdict.code"),
        ('code = "K001"', 'code = "K001"\nmore = 1', "operations.card-verdict.more"),
        ("[operations.card-verdict]", "[operations.card]", "operations.card-verdict.code"),
        ('path = "/tj/{key}"', 'path = "/tj"', "operations.submission.path"),
        ('path = "/zt"', 'path = "/zt/{key}"', "operations.status.path"),
        ('path = "/zt"', 'path = "/zt?a=b"', "operations.status.path"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(old: str, new: str, key: str) -> None:
    assert old in TEXT
    with pytest.raises(PackError) as caught:
        read(TEXT.replace(old, new, 1))
    assert caught.value.key.endswith(key)


def test_a_name_that_means_another_field_there_is_not_sent() -> None:
    envelope = Envelope(general=Vocabulary({"aac002": "kind"}))
    with pytest.raises(ValueError, match="another one"):
        envelope.wrap(Operation.ALARM, {"kind": "tamper"})
    swapped = Envelope(general=Vocabulary({"aac002": "kind", "kind": "aac002"}))
    assert swapped.wrap(Operation.ALARM, {"kind": "tamper"}) == {"aac002": "tamper"}


@pytest.mark.parametrize("value", ["melted", 1, NAME])
def test_a_value_without_a_code_is_not_sent(value: object) -> None:
    with pytest.raises(ValueError, match="no code for a value of state") as caught:
        read().wrap(Operation.CARD_VERDICT, {"state": value})
    assert NAME not in str(caught.value)


def test_a_batch_leaves_room_for_the_envelope(province: Line) -> None:
    result = {"key": "a", "status": 201, "response": {"event_no": "E-1"}}
    province.double.answers["POST /v1/event-batches"] = (200, {"results": [result]})
    first, second = (Event(key, "evaluation", 1, {"item": ""}) for key in "ab")
    bare = len(wire.encode({"events": for_event_batch([first, second])}))
    fills = replace(second, body={"item": "x" * (REQUEST_BYTES - bare)})
    assert len(for_event_batch([first, fills])) == 2
    client = province.client(envelope=read())
    assert client.send_events([first, fills]) == ("E-1",)
    more = replace(second, body={"item": "x" * (REQUEST_BYTES - bare + 50)})
    assert len(for_event_batch([more])) == 1
    with pytest.raises(ValueError, match="no event"):
        client.send_events([more])


def test_a_pack_brings_its_envelope(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEMO_ROOT_KEY.parent / "demo", tmp_path / "pack"))
    root, today = read_root(DEMO_ROOT_KEY), date(2026, 11, 21)
    assert load(folder, root, today=today).envelope is CONTRACT
    shutil.copy(FILE, folder / "envelope.toml")
    with pytest.raises(PackError, match=r"envelope\.toml: was added"):
        load(folder, root, today=today)
    sign(folder, sm2.PrivateKey.from_pem(DEMO_ROOT_PRIVATE.read_text("ascii")))
    assert load(folder, root, today=today).envelope == read()
