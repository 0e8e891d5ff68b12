"""Checking a certificate: over the terminals' wire, and as the page that its QR opens."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.platform.certificate_codes import check_character
from hw_sim.population import population
from tests.hw_sim.platform_terminal import Reply, Stage, Terminal, by_card, staged

DAY = 86_400
PERSON = population()[0]
UNKNOWN_CODE = "2" * 16
WORDS = {
    "genuine": "真实有效",
    "altered": "内容不符",
    "expired": "已过有效期",
    "revoked": "已撤销",
    "unknown": "查无此证明",
}


@dataclass(frozen=True)
class Issued:
    code: str
    digest: bytes
    said: dict[str, Any]
    qr: str


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("platform")) as stage:
        yield stage


def issue(stage: Stage, index: int = 0) -> Issued:
    request = by_card(index) | {"kind": "participation", "months": 24}
    document = stage.terminal.call("POST", "/v1/certificates", request).document
    said = json.loads(document["content"])
    digest = hashlib.new("sm3", document["content"].encode()).digest()
    return Issued(said["code"], digest, said, document["qr"])


@pytest.fixture
def issued(stage: Stage) -> Issued:
    return issue(stage)


def verify(stage: Stage, code: str, digest: str = "") -> Any:
    request = {"code": code, "digest": digest}
    reply = stage.terminal.call("POST", "/v1/certificate-verifications", request)
    assert reply.status == 200, reply.problem
    return reply.document


def page(stage: Stage, query: str) -> Reply:
    """As a phone asks: nothing signed, no header of the contract."""
    return Terminal(stage.server.url, b"", b"").send("GET", f"/v{query}", b"", {})


class Seen(HTMLParser):
    """What a page says, and what it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _value in attrs}

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.text += data


def seen(reply: Reply) -> Seen:
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return Seen(reply.body.decode())


def test_a_genuine_certificate(stage: Stage, issued: Issued) -> None:
    expected = {
        "result": "genuine",
        "shown": {
            "kind": "participation",
            "number": issued.said["number"],
            "agency": issued.said["agency"],
            "issued_at": "2026-11-21T10:02:00+08:00",
            "valid_until": "2027-02-19",
            "name": "王*芳",
            "holder_number": issued.said["holder"]["number"],
        },
    }
    assert verify(stage, issued.code, issued.digest.hex()) == expected
    assert verify(stage, issued.code, issued.digest.hex().upper()) == expected
    assert verify(stage, issued.code) == expected
    assert verify(stage, issued.code.lower()) == expected


def test_another_content_is_altered(stage: Stage, issued: Issued) -> None:
    other = issue(stage, 1)
    answer = verify(stage, issued.code, other.digest.hex())
    assert answer["result"] == "altered"
    assert answer["shown"]["number"] == issued.said["number"]


@pytest.mark.parametrize("code", [UNKNOWN_CODE, "2" * 15 + "3", "0" * 16, "O" * 16])
def test_a_code_that_no_certificate_has(stage: Stage, code: str) -> None:
    assert verify(stage, code, "00" * 32) == {"result": "unknown", "shown": None}


def test_a_certificate_expires_after_its_last_day(stage: Stage, issued: Issued) -> None:
    # Issued at 10:02; 13 h 58 min later the day is over in China.
    until_midnight = 13 * 3600 + 58 * 60
    stage.pass_time(90 * DAY + until_midnight - 1)
    last = verify(stage, issued.code)["result"]
    stage.pass_time(1)
    over = verify(stage, issued.code)
    shown = seen(page(stage, f"?c={issued.code}")).text
    stage.pass_time(-90 * DAY - until_midnight)
    assert (last, over["result"]) == ("genuine", "expired")
    assert over["shown"]["valid_until"] == "2027-02-19"
    assert WORDS["expired"] in shown


def test_a_certificate_can_be_revoked(stage: Stage, issued: Issued) -> None:
    other = issue(stage)
    stage.server.revoke_certificate(issued.code)
    assert verify(stage, issued.code, issued.digest.hex())["result"] == "revoked"
    assert verify(stage, issued.code, "00" * 32)["result"] == "altered"
    assert verify(stage, other.code)["result"] == "genuine"
    assert WORDS["revoked"] in seen(page(stage, f"?c={issued.code}")).text


def test_a_revoked_one_does_not_become_an_expired_one(stage: Stage, issued: Issued) -> None:
    stage.server.revoke_certificate(issued.code)
    stage.pass_time(100 * DAY)
    result = verify(stage, issued.code)["result"]
    stage.pass_time(-100 * DAY)
    assert result == "revoked"


def test_what_was_never_issued_cannot_be_revoked(stage: Stage) -> None:
    with pytest.raises(LookupError):
        stage.server.revoke_certificate(UNKNOWN_CODE)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "2" * 15},
        {"code": "2" * 17},
        {"code": "2222-2222-2222-2"},
        {"code": 2},
        {"digest": "00"},
        {"digest": "g" * 64},
        {"digest": None},
        {"d": ""},
    ],
    ids=str,
)
def test_a_verification_has_a_form(stage: Stage, changes: dict[str, object]) -> None:
    request = {"code": UNKNOWN_CODE, "digest": ""} | changes
    reply = stage.terminal.call("POST", "/v1/certificate-verifications", request)
    assert reply.problem == "invalid"


def test_the_page_of_the_qr(stage: Stage, issued: Issued) -> None:
    reply = page(stage, "?" + urlsplit(issued.qr).query)
    what = seen(reply)
    assert WORDS["genuine"] in what.text
    code = issued.code
    for told in (
        issued.said["number"],
        issued.said["agency"],
        "社会保险参保证明",
        "王*芳",
        issued.said["holder"]["number"],
        f"{code[:4]} {code[4:8]} {code[8:12]} {code[12:]}",
        "2026-11-21 10:02",
        "2027-02-19",
    ):
        assert told in what.text
    for secret in (PERSON.number, PERSON.name):
        assert secret not in reply.body.decode()


def test_the_page_runs_and_loads_nothing(stage: Stage, issued: Issued) -> None:
    for query in ("", f"?c={issued.code}", f"?c={UNKNOWN_CODE}"):
        reply = page(stage, query)
        what = seen(reply)
        assert not {"script", "img", "link", "iframe", "a"} & set(what.tags)
        assert not {"src", "href", "onload", "onclick", "style"} & what.attributes
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert "script" not in policy
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("form", "word"),
    [
        (lambda issued: base64.urlsafe_b64encode(issued.digest).decode().rstrip("="), "genuine"),
        (lambda issued: issued.digest.hex(), "genuine"),
        (lambda issued: issued.digest.hex().upper(), "genuine"),
        (lambda _issued: base64.urlsafe_b64encode(bytes(32)).decode().rstrip("="), "altered"),
        (lambda _issued: "00" * 32, "altered"),
        (lambda _issued: "", "altered"),
        (lambda _issued: "x" * 42, "altered"),
        (lambda _issued: "x" * 5000, "altered"),
        (lambda _issued: "文" * 43, "altered"),
    ],
)
def test_the_page_compares_the_digest(stage: Stage, issued: Issued, form: Any, word: str) -> None:
    what = seen(page(stage, f"?c={issued.code}&d={quote(form(issued))}"))
    assert WORDS[word] in what.text


def test_a_digest_that_is_there_twice_is_none(stage: Stage, issued: Issued) -> None:
    digest = issued.digest.hex()
    what = seen(page(stage, f"?c={issued.code}&d={digest}&d={digest}"))
    assert WORDS["altered"] in what.text


def test_a_code_may_be_typed(stage: Stage, issued: Issued) -> None:
    empty = seen(page(stage, ""))
    assert {"form", "input", "button"} <= set(empty.tags)
    assert not any(word in empty.text for word in WORDS.values())
    code = issued.code.lower()
    for typed in ("-".join((code[:4], code[4:8], code[8:])), f" {code[:9]} {code[9:]}"):
        assert WORDS["genuine"] in seen(page(stage, f"?c={quote(typed)}")).text


@pytest.mark.parametrize("query", ["?c=", "?c=x&c=y", "?d=x&c", "?c=" + "2" * 5000])
def test_a_wrong_code_offers_to_type_it(stage: Stage, query: str) -> None:
    what = seen(page(stage, query))
    if query != "?d=x&c":
        assert WORDS["unknown"] in what.text
    assert "form" in what.tags


@pytest.mark.parametrize("name", ["c", "d"])
@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' OR 1=1 --",
        "%00",
        "\0",
        "${title}",
        "{code}",
        "‮",
    ],
)
def test_nothing_of_the_address_is_shown(
    stage: Stage, issued: Issued, name: str, hostile: str
) -> None:
    plain = {"c": issued.code, "d": issued.digest.hex()}
    given_values = plain | {name: hostile}
    reply = page(
        stage, "?" + "&".join(f"{key}={quote(value)}" for key, value in given_values.items())
    )
    what = seen(reply)
    assert hostile not in reply.body.decode()
    assert "alert" not in reply.body.decode()
    assert WORDS["unknown" if name == "c" else "altered"] in what.text


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80))
def test_any_address_gets_a_page(stage: Stage, code: bytes, digest: bytes) -> None:
    reply = page(stage, f"?c={quote(code)}&d={quote(digest)}")
    assert WORDS["unknown"] in seen(reply).text
    assert len(reply.body) < 8000


def test_the_page_has_one_address(stage: Stage) -> None:
    asking = Terminal(stage.server.url, b"", b"")
    assert asking.send("POST", "/v", b"{}", {}).problem == "method"
    assert asking.send("GET", "/v/x", b"", {}).problem == "malformed"


def test_a_wrong_check_character_is_not_looked_up(stage: Stage, issued: Issued) -> None:
    wrong = "2" if issued.code[-1] != "2" else "3"
    assert check_character(issued.code[:-1]) == issued.code[-1]
    assert verify(stage, issued.code[:-1] + wrong)["result"] == "unknown"
    assert re.fullmatch("[2-9A-HJ-NP-Z]{16}", issued.code)
