"""Sealed certificates: what they say, and that the seal's key stands behind every word."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from apdu.crypto import sm2
from hw_sim.platform.certificate_codes import ALPHABET, check_character, is_code, new_code
from hw_sim.platform.masking import masked_name, masked_number
from hw_sim.population import population
from tests.hw_sim.platform_terminal import (
    NewDatabase,
    Reply,
    Stage,
    by_card,
    new_idempotency_key,
    staged,
)

REQUEST = {"kind": "participation", "months": 24}
SEAL = tomllib.loads(files("hw_sim.platform").joinpath("seal.toml").read_text("utf-8"))
SEAL_KEY = bytes.fromhex(SEAL["public_key"])
FIRST_15 = "23456789ABCDEFG"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Iterator[Stage]:
    with staged(new_database(tmp_path_factory.mktemp("platform"))) as stage:
        yield stage


def issue(stage: Stage, index: int, months: int = 24) -> Reply:
    request = by_card(index) | REQUEST | {"months": months}
    reply = stage.terminal.call("POST", "/v1/certificates", request)
    assert reply.status == 201, reply.problem
    return reply


def content(reply: Reply) -> dict[str, Any]:
    return dict(json.loads(reply.document["content"]))


def sealed_by_the_key(message: bytes, signature: bytes) -> bool:
    """By GmSSL and by our own implementation; they must agree."""
    assert len(signature) == 64
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    theirs = gmssl_pyx.sm2_verify(SEAL_KEY, message, encode_dss_signature(r, s))
    ours = sm2.verify(
        sm2.PublicKey(SEAL_KEY), message, signature, encoding=sm2.SignatureEncoding.RAW
    )
    assert theirs == ours
    return bool(ours)


def test_the_content_is_canonical_and_complete(stage: Stage) -> None:
    reply = issue(stage, 0)
    assert reply.document.keys() == {"content", "signature", "key_id", "seal", "qr"}
    text = reply.document["content"]
    said = json.loads(text)
    again = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert again == text
    assert "\\u" not in text
    assert said.keys() == {
        *("kind", "code", "number", "agency", "aab301", "issued_at", "as_of", "valid_until"),
        *("holder", "period", "insurances", "units", "rows", "seal_sm3", "verify_url"),
    }


def test_what_the_first_resident_gets(stage: Stage) -> None:
    said = content(issue(stage, 0))
    rows = said.pop("rows")
    assert is_code(said.pop("code"))
    assert re.fullmatch(r"429900-2026-[0-9]{6}", said.pop("number"))
    assert re.fullmatch(r"[0-9a-f]{64}", said.pop("seal_sm3"))
    assert said == {
        "kind": "participation",
        "agency": "江城市社会保险事业管理中心（演示）",
        "aab301": "429900",
        "issued_at": "2026-11-21T10:02:00+08:00",
        "as_of": "2026-11-21",
        "valid_until": "2027-02-19",
        "holder": {"aac003": "王秀芳", "number": "429***********0029", "sex": "女"},
        "period": {"from": "2024-12", "to": "2026-11"},
        "insurances": [
            {
                "aae140": "110",
                "state": "paying",
                "from": "2011-04",
                "to": "2026-11",
                "months": 186,
            },
            {
                "aae140": "210",
                "state": "paying",
                "from": "2014-02",
                "to": "2026-11",
                "months": 152,
            },
            {
                "aae140": "410",
                "state": "paying",
                "from": "2011-04",
                "to": "2026-11",
                "months": None,
            },
        ],
        "units": [{"aab001": "4299000101", "aab004": "江城精工有限公司"}],
        "verify_url": "https://zm.jiangcheng.example/v",
    }
    assert len(rows) == 24
    assert rows[-12] == {
        "month": "2025-12",
        "aab001": "4299000101",
        "base_fen": 546000,
        "pension_fen": 43680,
        "unemployment_fen": 2730,
        "settled": True,
    }
    assert [row["settled"] for row in rows[-3:]] == [True, False, False]


@pytest.mark.parametrize("months", [1, 12, 60])
def test_rows_are_those_of_the_period(stage: Stage, months: int) -> None:
    said = content(issue(stage, 0, months))
    assert len(said["rows"]) == months
    assert said["rows"][0]["month"] == said["period"]["from"]
    assert said["rows"][-1]["month"] == said["period"]["to"] == "2026-11"
    assert said["rows"] == sorted(said["rows"], key=lambda row: row["month"])


def test_the_units_are_those_of_the_rows_in_their_order(stage: Stage) -> None:
    said = content(issue(stage, 0, 60))
    assert [unit["aab004"] for unit in said["units"]] == ["江城印刷厂", "江城精工有限公司"]
    numbers = [number for number, _rows in itertools.groupby(row["aab001"] for row in said["rows"])]
    assert numbers == [unit["aab001"] for unit in said["units"]]
    assert [row["month"] for row in said["rows"] if row["aab001"] == numbers[0]][-1] == "2023-08"


@pytest.mark.parametrize("resident", population()[:64:3], ids=lambda resident: resident.index)
def test_everybodys_certificate_is_consistent(stage: Stage, resident: Any) -> None:
    said = content(issue(stage, resident.index, 60))
    rows = said["rows"]
    kinds = [insurance["aae140"] for insurance in said["insurances"]]
    assert kinds == sorted(set(kinds))
    by_kind = {insurance["aae140"]: insurance for insurance in said["insurances"]}
    assert {unit["aab001"] for unit in said["units"]} == {row["aab001"] for row in rows}
    for row in rows:
        assert said["period"]["from"] <= row["month"] <= said["period"]["to"]
        assert by_kind["110"]["from"] <= row["month"] <= by_kind["110"]["to"]
        assert row["pension_fen"] * 100 == row["base_fen"] * 8
        insured = "210" in by_kind and row["month"] >= by_kind["210"]["from"]
        # 0.5 %, halves up.
        assert row["unemployment_fen"] == (insured and (row["base_fen"] + 100) // 200)


def test_a_pensioner_has_few_rows(stage: Stage) -> None:
    said = content(issue(stage, 37, 36))
    assert [row["month"] for row in said["rows"]] == ["2023-12", "2024-01", "2024-02", "2024-03"]
    assert said["insurances"][0] == {
        "aae140": "110",
        "state": "receiving",
        "from": "1998-01",
        "to": "2024-03",
        "months": 310,
    }


def test_an_insurance_without_a_record_is_left_out(stage: Stage) -> None:
    said = content(issue(stage, 39))
    assert [insurance["aae140"] for insurance in said["insurances"]] == ["110", "410"]
    assert {row["unemployment_fen"] for row in said["rows"]} == {0}
    said = content(issue(stage, 87))
    assert [insurance["aae140"] for insurance in said["insurances"]] == ["110", "210"]


def test_who_was_never_insured_gets_an_empty_certificate(stage: Stage) -> None:
    said = content(issue(stage, 54))
    assert (said["insurances"], said["units"], said["rows"]) == ([], [], [])


def test_the_seals_key_signed_the_content(stage: Stage) -> None:
    document = issue(stage, 0).document
    assert document["key_id"] == "seal-1"
    message, signature = document["content"].encode(), bytes.fromhex(document["signature"])
    assert sealed_by_the_key(message, signature)
    assert not sealed_by_the_key(message.replace("王".encode(), "李".encode()), signature)
    assert stage.terminal.platform_key != SEAL_KEY


def test_the_seal_is_the_one_that_the_content_names(stage: Stage) -> None:
    reply = issue(stage, 0)
    seal = base64.b64decode(reply.document["seal"], validate=True)
    assert hashlib.new("sm3", seal).hexdigest() == content(reply)["seal_sm3"]
    assert seal == files("hw_sim.platform").joinpath("seal.png").read_bytes()


def test_the_qr_stands_for_the_certificate(stage: Stage) -> None:
    reply = issue(stage, 0)
    said, text = content(reply), reply.document["qr"]
    signed, _, signature = text.partition("&s=")
    assert re.fullmatch(r"[A-Za-z0-9_-]{86}", signature)
    assert sealed_by_the_key(signed.encode(), base64.urlsafe_b64decode(signature + "=="))
    digest = hashlib.new("sm3", reply.document["content"].encode()).digest()
    encoded = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert len(encoded) == 43
    assert signed == (
        f"https://zm.jiangcheng.example/v?c={said['code']}&k=seal-1&t=participation"
        f"&i=20261121&e=20270219&d={encoded}"
    )


def test_nothing_personal_is_in_the_qr(stage: Stage) -> None:
    person = population()[0]
    text = issue(stage, 0).document["qr"]
    assert text.isascii()
    for secret in (person.number, person.number[-4:], f"{person.born:%Y%m%d}"):
        assert secret not in text.partition("&d=")[0].replace("20261121", "").replace(
            "20270219", ""
        )


def test_the_day_is_that_of_china(stage: Stage) -> None:
    before = content(issue(stage, 0))
    # 2026-11-21 16:30 UTC is the next day's first hour there.
    stage.pass_time(14 * 3600 + 28 * 60)
    after, document = content(reply := issue(stage, 0)), reply.document
    stage.pass_time(-14 * 3600 - 28 * 60)
    assert (before["issued_at"][:10], after["issued_at"]) == (
        "2026-11-21",
        "2026-11-22T00:30:00+08:00",
    )
    assert after["valid_until"] == "2027-02-20"
    assert "&i=20261122&e=20270220&" in document["qr"]


def test_two_requests_are_two_certificates(stage: Stage) -> None:
    first, second = content(issue(stage, 0)), content(issue(stage, 0))
    assert first["code"] != second["code"]
    numbers = [int(said["number"][-6:]) for said in (first, second)]
    assert numbers[1] == numbers[0] + 1


def test_the_same_request_is_one_certificate(stage: Stage) -> None:
    key, request = new_idempotency_key(), by_card(0) | REQUEST
    first = stage.terminal.call("POST", "/v1/certificates", request, key=key)
    again = stage.terminal.call("POST", "/v1/certificates", request, key=key)
    assert (first.status, first.body) == (again.status, again.body) == (201, first.body)
    asked = stage.terminal.call("GET", f"/v1/submissions/{key}").document
    assert (asked["status"], asked["response"]) == (201, first.document)
    reply = stage.terminal.call("POST", "/v1/certificates", request | {"months": 12}, key=key)
    assert reply.problem == "conflicting-reuse"


@pytest.mark.parametrize(
    "changes",
    [
        {"months": 0},
        {"months": 61},
        {"months": "24"},
        {"months": True},
        {"months": 24.5},
        {"kind": "pension"},
        {"kind": None},
        {"purpose": "self-query"},
    ],
    ids=str,
)
def test_a_request_has_a_form(stage: Stage, changes: dict[str, object]) -> None:
    reply = stage.terminal.call("POST", "/v1/certificates", by_card(0) | REQUEST | changes)
    assert reply.problem == "invalid"


# From python-stdnum 2.1, stdnum.iso7064.mod_37_36 with this alphabet.
@pytest.mark.parametrize(
    ("first_15", "character"),
    [("2" * 15, "2"), ("Z" * 15, "W"), ("7F3K92MDQ4TXB8A", "T"), (FIRST_15, "A")],
)
def test_check_characters(first_15: str, character: str) -> None:
    assert check_character(first_15) == character
    assert is_code(first_15 + character)


@given(
    st.text(ALPHABET, min_size=15, max_size=15),
    st.sampled_from(range(15)),
    st.sampled_from(ALPHABET),
)
def test_a_wrong_character_is_noticed(first_15: str, at: int, other: str) -> None:
    changed = first_15[:at] + other + first_15[at + 1 :]
    assert (check_character(changed) == check_character(first_15)) == (changed == first_15)


@pytest.mark.parametrize("text", ["", "2" * 15, "2" * 17, "2" * 15 + "3", "2" * 14 + "0" + "2"])
def test_what_is_no_code(text: str) -> None:
    assert not is_code(text)


def test_codes_are_random() -> None:
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(is_code(code) for code in codes)
    assert all(len({code[at] for code in codes}) > 10 for at in range(15))


@pytest.mark.parametrize(
    ("name", "masked"),
    [("王秀芳", "王*芳"), ("王芳", "*芳"), ("王", "*"), ("欧阳秀芳", "欧**芳"), ("", "")],
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert masked_name(name) == masked


def test_numbers_are_masked() -> None:
    assert masked_number("42990019780116002X") == "429***********002X"
