"""Code families: told apart by form alone, whatever is shown; a pack where two meet is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.codes import CodeFamily, CodePatterns, read_codes
from kiosk.pack_signature import PackError
from kiosk.toml_tables import Table
from tests.kiosk.code_examples import TABLES, example
from tests.kiosk.terminal_double import _PACK, ECARD_CODE

PATTERNS: CodePatterns = _PACK.codes
URL = "https://zm.jiangcheng.example/v"
DECLARED = [family for family in CodeFamily if family is not CodeFamily.UNKNOWN]


@pytest.mark.parametrize(
    ("payload", "family"),
    [
        (ECARD_CODE, CodeFamily.ECARD),
        (b"https://zm.jiangcheng.example/v?c=1", CodeFamily.CERTIFICATE),
        (b"https://zm.jiangcheng.example/v", CodeFamily.UNKNOWN),
        (b"https://zm.jiangcheng.example.evil/v?c=1", CodeFamily.UNKNOWN),
        (b"https://zmxjiangcheng.example/v?c=1", CodeFamily.UNKNOWN),
        (b"http://zm.jiangcheng.example/v?c=1", CodeFamily.UNKNOWN),
        (ECARD_CODE + b"\n", CodeFamily.UNKNOWN),
        (ECARD_CODE.lower(), CodeFamily.UNKNOWN),
        (b"https://zm.jiangcheng.example/v?c=" + b"A" * 600, CodeFamily.UNKNOWN),
        ("https://zm.jiangcheng.example/v?c=社".encode(), CodeFamily.UNKNOWN),
        (b"\xef\xbb\xbf" + ECARD_CODE, CodeFamily.UNKNOWN),
        (b"", CodeFamily.UNKNOWN),
    ],
)
def test_families_are_told_apart_by_their_form_alone(payload: bytes, family: CodeFamily) -> None:
    found = PATTERNS.recognise(payload)
    assert found.family is family
    assert found.text == ("" if family is CodeFamily.UNKNOWN else payload.decode("ascii"))
    assert "SSC1" not in repr(found)


@pytest.mark.parametrize("family", DECLARED, ids=lambda family: family.value)
def test_every_example_is_of_its_family_and_a_changed_one_of_none_else(family: CodeFamily) -> None:
    payload = example(family)
    assert PATTERNS.recognise(payload).family is family
    for place in range(len(payload)):
        for octet in b"\x00 \x7f\xe7":
            changed = payload[:place] + bytes([octet]) + payload[place + 1 :]
            assert PATTERNS.recognise(changed).family is CodeFamily.UNKNOWN


@given(st.binary(max_size=700))
def test_any_bytes_have_a_family(payload: bytes) -> None:
    assert PATTERNS.recognise(payload).family in CodeFamily


@given(st.data())
def test_no_text_has_two_families(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(PATTERNS.forms))
    start = example(form.family).decode()
    cut = data.draw(st.integers(0, len(start)))
    text = start[:cut] + data.draw(st.text(st.characters(codec="ascii"), max_size=120))
    fitting = [each for each in PATTERNS.forms if each.text_of(text.encode()) is not None]
    assert len(fitting) <= 1


def read(changes: dict[str, dict[str, Any]]) -> CodePatterns:
    values = {name: {**TABLES.get(name, {}), **change} for name, change in changes.items()}
    table = Table({**TABLES, **values}, Path("pack.toml"), PackError)
    return read_codes(table, URL)


def test_a_family_of_another_script_says_so() -> None:
    form = {"patterns": ["码[一-龥]{2,8}"], "examples": ["码政务服务"], "characters": "utf-8"}
    codes = read({"government-service": form})
    found = codes.recognise("码政务服务".encode())
    assert (found.family, found.text) == (CodeFamily.GOVERNMENT_SERVICE, "码政务服务")
    assert codes.recognise("码政务服务".encode("gb18030")).family is CodeFamily.UNKNOWN
    assert codes.recognise(example(CodeFamily.GOVERNMENT_SERVICE)).family is CodeFamily.UNKNOWN


def test_what_cannot_be_printed_is_of_no_family() -> None:
    form = {"patterns": ["X[!-龥]{1,8}"], "examples": ["Xa"], "characters": "utf-8"}
    codes = read({"government-service": form})
    assert codes.recognise("X\u202eabc".encode()).family is CodeFamily.UNKNOWN
    assert codes.recognise(b"X\x7fabc").family is CodeFamily.UNKNOWN
    assert codes.recognise(b"Xabc").family is CodeFamily.GOVERNMENT_SERVICE


def test_a_province_may_lack_a_family() -> None:
    tables = {name: TABLES[name] for name in ("ecard", "certificate")}
    codes = read_codes(Table(tables, Path("pack.toml"), PackError), URL)
    assert codes.recognise(example(CodeFamily.CARD_PLATFORM)).family is CodeFamily.UNKNOWN


@pytest.mark.parametrize(
    ("family", "change", "key", "expected"),
    [
        ("card-platform", {"patterns": ["SSC1[0-9A-Z]{2,99}"], "examples": ["SSC1AB"]},
         "ecard.patterns", 'fits codes that "card-platform" fits too'),
        ("government-service", {"patterns": ["[!-~]{60}"], "examples": ["a" * 60]},
         "certificate.patterns", 'fits codes that "government-service" fits too'),
        ("ecard", {"examples": ["SSC1x"]}, "examples", "one example for each"),
        ("ecard", {"examples": [*TABLES["ecard"]["examples"], "SSC1x"]}, "examples", "every"),
        ("ecard", {"patterns": ["A{9}", *TABLES["ecard"]["patterns"]]}, "examples", "one example"),
        ("ecard", {"patterns": []}, "examples", "none of the patterns"),
        ("ecard", {"patterns": ["(a+)+"]}, "patterns", "character 1"),
        ("ecard", {"patterns": ["社{9}"], "examples": ["社" * 9]}, "patterns", "visible ASCII"),
        ("ecard", {"patterns": ["[ -~]{9}"], "examples": ["a" * 9]}, "patterns", "visible ASCII"),
        ("ecard", {"mark": "Z"}, "mark", "one of"),
        ("ecard", {"more": 1}, "more", "unknown key"),
        ("certificate", {"patterns": ["https://other/v[!-~]{9}"],
         "examples": ["https://other/v?23456789"]}, "examples", "begin with"),
        ("health", {"patterns": ["x"]}, "health", "unknown key"),
    ],
)  # fmt: skip
def test_a_pack_that_is_not_clear_is_refused(
    family: str, change: dict[str, Any], key: str, expected: str
) -> None:
    with pytest.raises(PackError, match=expected) as caught:
        read({family: change})
    assert caught.value.key.endswith(key)


@pytest.mark.parametrize("family", ["ecard", "certificate"])
def test_what_every_terminal_reads_must_be_there(family: str) -> None:
    tables = {name: table for name, table in TABLES.items() if name != family}
    with pytest.raises(PackError, match="missing"):
        read_codes(Table(tables, Path("pack.toml"), PackError), URL)
