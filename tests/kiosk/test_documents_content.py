"""What is sealed is read to the letter of the contract: form, types, and inner agreement."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.documents.certificate import CertificateRefused, Refusal, SealedCertificate, verify
from kiosk.platform.models import Month
from tests.kiosk.sealed_samples import NAME, TODAY, Document, Sealer, a_content, canonical

SEALER = Sealer()
SEALS = SEALER.seals()


def refusal(sealed: SealedCertificate) -> CertificateRefused:
    with pytest.raises(CertificateRefused) as caught:
        verify(sealed, SEALS, today=TODAY)
    assert NAME not in str(caught.value) and "429*" not in str(caught.value)
    return caught.value


def sealed(content: Document) -> SealedCertificate:
    return SEALER.seal(content)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for key, entry in value.items():
                yield from leaves(entry, (*path, key))
        case list():
            for index, entry in enumerate(value):
                yield from leaves(entry, (*path, index))
        case _:
            yield path


def put(content: Document, path: tuple[Any, ...], new: Any) -> Document:
    changed = copy.deepcopy(content)
    where: Any = changed
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] = new
    return changed


def value_at(content: Document, path: tuple[Any, ...]) -> Any:
    where: Any = content
    for step in path:
        where = where[step]
    return where


def altered(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case None:
            return 1
        case str():
            return value[:-1] + ("1" if value[-1] != "1" else "2")
        case _:
            raise AssertionError("no leaf")


PATHS = list(leaves(a_content(2)))


def dotted(path: tuple[Any, ...]) -> str:
    return ".".join(str(step) for step in path)


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_any_field_altered_after_sealing_breaks_the_signature(path: tuple[Any, ...]) -> None:
    content = a_content(2)
    changed = put(content, path, altered(value_at(content, path)))
    broken = replace(sealed(content), content=canonical(changed))
    assert refusal(broken).reason is Refusal.SIGNATURE


WRONG = [None, [], {}, 1.5, "", "x\ny", "\u202e王"]
MISTYPED = [(path, wrong) for path in PATHS for wrong in WRONG if path[-1] != "months" or wrong]


@pytest.mark.parametrize(("path", "wrong"), MISTYPED, ids=repr)
def test_a_field_of_another_type_is_refused_though_sealed(
    path: tuple[Any, ...], wrong: Any
) -> None:
    changed = put(a_content(2), path, wrong)
    bad = SEALER.seal(a_content(2), text=canonical(changed))
    expected = Refusal.NOT_CANONICAL if wrong == 1.5 else Refusal.CONTENT
    assert refusal(bad).reason is expected


@pytest.mark.parametrize("path", PATHS, ids=dotted)
def test_a_missing_field_is_refused_though_sealed(path: tuple[Any, ...]) -> None:
    changed = copy.deepcopy(a_content(2))
    where: Any = changed
    for step in path[:-1]:
        where = where[step]
    del where[path[-1]]
    assert refusal(SEALER.seal(a_content(2), text=canonical(changed))).reason is Refusal.CONTENT


@pytest.mark.parametrize("path", [(), ("holder",), ("period",), ("insurances", 0), ("rows", 0)])
def test_an_extra_field_is_refused_though_sealed(path: tuple[Any, ...]) -> None:
    changed = put(a_content(), (*path, "extra"), 1)
    assert refusal(sealed(changed)).reason is Refusal.CONTENT


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("kind",), "pension"),
        (("aab301",), "42990"),
        (("issued_at",), "2026-11-21T09:42:05+09:00"),
        (("issued_at",), "2026-11-21 09:42:05+08:00"),
        (("issued_at",), "2026-02-30T09:42:05+08:00"),
        (("as_of",), "2026-11-22"),
        (("as_of",), "20261120"),
        (("valid_until",), "2026-11-20"),
        (("holder", "number"), "429900196001010021"),
        (("holder", "number"), "429*********0021"),
        (("holder", "sex"), "F"),
        (("holder", "aac003"), "王" * 201),
        (("period", "from"), "2026-11"),
        (("period", "from"), "2021-10"),
        (("period", "to"), "2026-09"),
        (("insurances", 0, "aae140"), "310"),
        (("insurances", 1, "aae140"), "110"),
        (("insurances", 0, "from"), "2026-13"),
        (("insurances", 0, "from"), "2026-11"),
        (("insurances", 0, "state"), "dead"),
        (("insurances", 0, "months"), -1),
        (("insurances", 0, "months"), True),
        (("units", 0, "aab001"), "4299000067890"),
        (("units", 0, "aab001"), "4" * 41),
        (("rows", 3, "aab001"), "4299000067890"),
        (("rows", 3, "month"), "2026-01"),
        (("rows", 0, "month"), "2025-10"),
        (("rows", 3, "base_fen"), -1),
        (("rows", 3, "base_fen"), 10**13 + 1),
        (("rows", 3, "settled"), 1),
        (("seal_sm3",), "A" * 64),
        (("seal_sm3",), "a" * 63),
    ],
    ids=lambda value: dotted(value) if isinstance(value, tuple) else str(value)[:24],
)
def test_contradictions_are_refused_though_sealed(path: tuple[Any, ...], wrong: Any) -> None:
    changed = put(a_content(), path, wrong)
    assert refusal(SEALER.seal(a_content(), text=canonical(changed))).reason is Refusal.CONTENT


def test_an_insurance_twice_or_more_than_sixty_rows_are_refused() -> None:
    content = a_content()
    content["insurances"] = content["insurances"][:1] * 2
    assert refusal(sealed(content)).reason is Refusal.CONTENT
    assert verify(sealed(a_content(60)), SEALS, today=TODAY).rows[0].month == Month(2021, 11)
    assert refusal(sealed(a_content(61))).reason is Refusal.CONTENT


def test_a_unit_that_no_row_names_is_refused() -> None:
    content = a_content()
    content["units"] = [*content["units"], {"aab001": "1", "aab004": "江城市长江机械厂"}]
    refused = refusal(sealed(content))
    assert refused.reason is Refusal.CONTENT
    assert refused.where == "units"


def test_a_unit_that_stands_twice_is_refused() -> None:
    content = a_content()
    content["units"] = content["units"] * 2
    assert refusal(sealed(content)).where == "units"


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    content = a_content(0, period={"from": "2026-10", "to": "2026-09"})
    assert refusal(sealed(content)).where == "period"


def test_no_rows_and_no_units_are_fine() -> None:
    assert verify(sealed(a_content(0)), SEALS, today=TODAY).rows == ()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b'{"a":1}\n',
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":"\\u738b"}',
        b'{"a":"\\ud800"}',
        b'{"a":-0}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'{"a":' * 20_000,
        canonical(a_content()).replace(b'"as_of"', b' "as_of"'),
        json.dumps(a_content(), sort_keys=True, separators=(",", ":")).encode(),
        canonical(a_content(agency="江" * 30_000)),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_only_the_canonical_spelling_is_read(text: bytes) -> None:
    assert refusal(SEALER.seal(a_content(), text=text)).reason is Refusal.NOT_CANONICAL


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
SIGNED_FIELD = st.sampled_from(list(a_content()))


@given(SIGNED_FIELD, JSON)
def test_sealed_nonsense_is_refused_or_read_and_nothing_else(field: str, value: Any) -> None:
    text = canonical_or_empty(put(a_content(), (field,), value))
    with contextlib.suppress(CertificateRefused):
        verify(SEALER.seal(a_content(), text=text), SEALS, today=TODAY)


def canonical_or_empty(content: Document) -> bytes:
    try:
        return canonical(content)
    except UnicodeEncodeError:
        return b""
