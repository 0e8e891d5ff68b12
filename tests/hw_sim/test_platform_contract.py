"""docs/platform.md, endpoint by endpoint, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hw_sim.platform.server import PlatformServer
from hw_sim.population import CardState, population
from tests.hw_sim.platform_terminal import NOW, Terminal, alarm, new_key, running

PERSON = population()[0]
CARD_ID = PERSON.card.card_id.hex()
OVERVIEW = {
    "aac002": PERSON.number,
    "aaz501": CARD_ID,
    "purpose": "self-query",
    "evidence": ["card-genuine", "pin-verified"],
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PlatformServer, Terminal]]:
    with running(tmp_path_factory.mktemp("platform")) as pair:
        yield pair


@pytest.fixture
def server(platform: tuple[PlatformServer, Terminal]) -> Iterator[PlatformServer]:
    yield platform[0]
    platform[0].faults.clear()


@pytest.fixture
def terminal(platform: tuple[PlatformServer, Terminal]) -> Terminal:
    return platform[1]


class TestEnrolment:
    def test_a_code_binds_a_key_to_an_id(self, server: PlatformServer) -> None:
        new = Terminal(server.url, *new_key())
        reply = new.enrol(server.new_enrolment_code(), "SN-0002")
        assert reply.status == 201
        keys = {"platform_public_key", "platform_encryption_key"}
        assert reply.document.keys() == {"terminal_id", "server_time", *keys}
        assert new.terminal_id == "T429900-0002"
        assert {len(reply.document[name]) for name in keys} == {128}
        assert len({reply.document[name] for name in keys}) == 2
        assert reply.document["server_time"] == NOW
        assert new.call("GET", "/v1/status").status == 200

    def test_a_repetition_gets_the_same_answer(self, server: PlatformServer) -> None:
        new = Terminal(server.url, *new_key())
        code = server.new_enrolment_code()
        first, second = new.enrol(code, "SN-0003"), new.enrol(code, "SN-0003")
        assert (first.status, first.body) == (second.status, second.body)

    def test_a_code_is_read_as_a_person_types_it(self, server: PlatformServer) -> None:
        new = Terminal(server.url, *new_key())
        code = server.new_enrolment_code().lower().replace("-", " ")
        assert new.enrol(code, "SN-0004").status == 201

    def test_a_used_code_is_good_for_no_other_key(self, server: PlatformServer) -> None:
        code = server.new_enrolment_code()
        assert Terminal(server.url, *new_key()).enrol(code, "SN-0005").status == 201
        assert Terminal(server.url, *new_key()).enrol(code, "SN-0005").problem == "forbidden"

    def test_a_wrong_code_is_refused(self, server: PlatformServer) -> None:
        assert Terminal(server.url, *new_key()).enrol("AAAA-AAAA").problem == "forbidden"

    def test_another_division_is_refused_and_keeps_the_code(self, server: PlatformServer) -> None:
        code = server.new_enrolment_code()
        new = Terminal(server.url, *new_key())
        assert new.enrol(code, "SN-0006", aab301="110000").problem == "forbidden"
        assert new.enrol(code, "SN-0006").status == 201

    def test_a_key_off_the_curve_is_invalid_and_keeps_the_code(
        self, server: PlatformServer
    ) -> None:
        code = server.new_enrolment_code()
        new = Terminal(server.url, *new_key())
        assert new.enrol(code, "SN-0007", public_key="11" * 64).problem == "invalid"
        assert new.enrol(code, "SN-0007").status == 201

    def test_a_repaired_terminal_keeps_its_id_and_loses_its_old_key(
        self, server: PlatformServer
    ) -> None:
        old, new = Terminal(server.url, *new_key()), Terminal(server.url, *new_key())
        old.enrol(server.new_enrolment_code(), "SN-0008")
        new.enrol(server.new_enrolment_code(), "SN-0008")
        assert new.terminal_id == old.terminal_id
        assert new.call("GET", "/v1/status").status == 200
        assert old.call("GET", "/v1/status").problem == "signature"


def test_status(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/status").document == {
        "server_time": NOW,
        "catalogue_version": "2026.11",
    }


def test_the_catalogue_says_what_is_open(server: PlatformServer, terminal: Terminal) -> None:
    server.set_catalogue_item("429900-CERTIFICATE", available=False, reason="年度结转")
    document = terminal.call("GET", "/v1/catalogue").document
    assert document["version"] == "2026.11"
    items = {item["code"]: item for item in document["items"]}
    assert items["429900-QUERY-ALL"] == {
        "code": "429900-QUERY-ALL",
        "available": True,
        "reason": "",
    }
    assert items["429900-CERTIFICATE"]["available"] is False
    assert items["429900-CERTIFICATE"]["reason"] == "年度结转"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (CardState.SEALED, "sealed"),
        (CardState.NORMAL, "normal"),
        (CardState.LOST, "lost"),
        (CardState.LOCKED, "locked"),
        (CardState.TEMPORARILY_LOST, "temporarily-lost"),
        (CardState.CANCELLED, "cancelled"),
    ],
)
def test_card_verdicts(
    server: PlatformServer, terminal: Terminal, state: CardState, word: str
) -> None:
    card = population()[9].card
    server.set_card_state(card.card_number, state)
    request = {"aaz501": card.card_id.hex(), "aaz500": card.card_number}
    assert terminal.call("POST", "/v1/card-verdicts", request).document == {"state": word}


@pytest.mark.parametrize(
    "request_",
    [
        {"aaz501": "00" * 16, "aaz500": PERSON.card.card_number},
        {"aaz501": CARD_ID, "aaz500": population()[1].card.card_number},
    ],
)
def test_a_card_that_is_not_ours_is_unknown(terminal: Terminal, request_: object) -> None:
    assert terminal.call("POST", "/v1/card-verdicts", request_).document == {"state": "unknown"}


def test_a_state_of_a_card_that_does_not_exist_cannot_be_set(server: PlatformServer) -> None:
    with pytest.raises(LookupError):
        server.set_card_state("Z99999999", CardState.LOST)


def test_the_overview_of_the_reference_screen(terminal: Terminal) -> None:
    document = terminal.call("POST", "/v1/overviews", OVERVIEW).document
    assert document.keys() == {"aac003", "as_of", "blocks"}
    assert (document["aac003"], document["as_of"]) == (PERSON.name, "2026-11-21")
    blocks = document["blocks"]
    pension = blocks.pop("pension")
    recent = pension.pop("recent")
    assert pension == {
        "available": True,
        "months": 186,
        "account_fen": 8421356,
        "retirement": "2029-08",
        "state": "paying",
    }
    assert [month["month"] for month in recent] == [
        "2025-12",
        *(f"2026-{month:02d}" for month in range(1, 12)),
    ]
    assert [month["settled"] for month in recent] == [True] * 10 + [False] * 2
    assert all(month["base_fen"] > 0 for month in recent)
    assert blocks == {
        "unemployment": {"available": True, "months": 152, "state": "paying"},
        "work_injury": {"available": True, "state": "paying", "employer": "江城精工有限公司"},
        "annuity": {"available": True, "balance_fen": 1200640, "as_of": "2026-10"},
        "personal_pension": {
            "available": True,
            "state": "none",
            "year_paid_fen": 0,
            "year_limit_fen": 1200000,
        },
    }


def test_a_block_can_be_out_of_order_for_everybody(
    server: PlatformServer, terminal: Terminal
) -> None:
    server.faults.add("block:annuity=maintenance")
    blocks = terminal.call("POST", "/v1/overviews", OVERVIEW).document["blocks"]
    assert blocks["annuity"] == {"available": False, "reason": "maintenance"}
    assert blocks["pension"]["available"] is True


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"aaz501": population()[1].card.card_id.hex()}, "forbidden"),
        ({"aaz501": "00" * 16}, "forbidden"),
        ({"evidence": ["pin-verified"]}, "forbidden"),
        ({"aac002": "42990019000101999X"}, "not-found"),
        ({"evidence": []}, "invalid"),
        ({"evidence": ["face"]}, "invalid"),
        ({"purpose": "curiosity"}, "invalid"),
        ({"aac002": "4299001900010199"}, "invalid"),
        ({"aaz501": CARD_ID + "\n"}, "invalid"),
        ({"aaz501": ""}, "invalid"),
        ({"evidence": ["card-genuine", "card-genuine"]}, "invalid"),
    ],
)
def test_an_overview_is_for_the_holder_only(
    terminal: Terminal, changes: dict[str, object], problem: str
) -> None:
    reply = terminal.call("POST", "/v1/overviews", OVERVIEW | changes)
    assert reply.problem == problem
    assert PERSON.number not in reply.body.decode()
    assert "1900" not in reply.body.decode()


def test_alarms_are_numbered(server: PlatformServer, terminal: Terminal) -> None:
    before = len(server.alarms())
    first = terminal.call("POST", "/v1/alarms", alarm("card.not-genuine"))
    second = terminal.call("POST", "/v1/alarms", alarm())
    assert first.status == 201
    assert first.document.keys() == {"alarm_no"}
    numbers = [int(reply.document["alarm_no"].removeprefix("A-")) for reply in (first, second)]
    assert numbers == [2031 + before, 2032 + before]
    recorded = server.alarms()[before]
    assert (recorded.alarm_no, recorded.detail) == (f"A-{numbers[0]}", "card.not-genuine")
    assert recorded.terminal_id == terminal.terminal_id


@pytest.mark.parametrize(
    "changes",
    [
        {"occurred_at": -1},
        {"occurred_at": "now"},
        {"occurred_at": True},
        {"subject": "ab"},
        {"detail": "a sentence about a person"},
        {"detail": ""},
        {"severity": "info"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_an_alarm_has_a_form(terminal: Terminal, changes: dict[str, object]) -> None:
    assert terminal.call("POST", "/v1/alarms", alarm() | changes).problem == "invalid"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "invalid"),
        (b"[]", "invalid"),
        (b"null", "invalid"),
        (b"{", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 60_000, "malformed"),
        (b"9" * 10_000, "malformed"),
        (b'{"detail": "' + b"x" * 140_000 + b'"}', "too-large"),
    ],
    ids=lambda raw: str(raw[:16]),
)
def test_a_body_that_is_no_object(terminal: Terminal, raw: bytes, problem: str) -> None:
    assert terminal.call("POST", "/v1/alarms", raw=raw).problem == problem


def test_a_body_of_exactly_the_limit_is_read(terminal: Terminal) -> None:
    frame = b'{"detail": ""}'
    for length, problem in ((131_072, "invalid"), (131_073, "too-large")):
        raw = frame.replace(b'""', b'"' + b"x" * (length - len(frame)) + b'"')
        assert len(raw) == length
        assert terminal.call("POST", "/v1/alarms", raw=raw).problem == problem


@pytest.mark.parametrize(
    ("path", "document", "detail"),
    [
        ("alarms", alarm() | {"kind": 1}, "kind"),
        ("alarms", alarm() | {"x": 1}, "a field that the endpoint doesn't have"),
        ("alarms", [], "the body must be a JSON object"),
        ("events", {"kind": "evaluation", "occurred_at": 0, "body": {}}, "body.grade; "),
        ("events", {"kind": "x"}, "kind"),
        ("events", {}, "kind"),
        ("certificates", OVERVIEW, "a field that the endpoint doesn't have; kind; months"),
    ],
)
def test_a_refusal_names_the_fields(
    terminal: Terminal, path: str, document: object, detail: str
) -> None:
    reply = terminal.call("POST", f"/v1/{path}", document)
    assert reply.problem == "invalid"
    assert str(reply.document["detail"]).startswith(detail)


def test_a_refusal_never_repeats_what_was_sent(terminal: Terminal) -> None:
    secret = "429900194001010017"
    for document in (
        alarm() | {secret: secret},
        alarm() | {"kind": secret},
        alarm() | {"subject": [secret]},
    ):
        reply = terminal.call("POST", "/v1/alarms", document)
        assert reply.problem == "invalid"
        assert secret not in reply.body.decode()


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("DELETE", "/v1/alarms", "POST"), ("POST", "/v1/submissions/k", "GET")],
)
def test_a_method_that_an_endpoint_does_not_have(
    terminal: Terminal, method: str, path: str, allow: str
) -> None:
    reply = terminal.call(method, path)
    assert (reply.status, reply.problem, reply.headers["allow"]) == (405, "method", allow)


def test_an_endpoint_that_is_not_there(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/alarm").problem == "not-found"
