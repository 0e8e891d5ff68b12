"""A PSAM, command by command."""

from dataclasses import replace
from typing import Any

import pytest

from apdu.custodian import Algorithm, AuthenticationRequest, KeyReference
from apdu.errors import CardMute, CardRemoved, CardReset, PsamUnavailable, ReaderGone
from apdu.psam import PsamCustodian, is_psam

FACTOR, CHALLENGE, DATA = "8638429900000A17", "C0C1C2C3C4C5C6C7", "D0D1D2D3D4D5D6D7"
CITY, PROVINCE = b"429900sx".hex(), b"420000sh".hex()
SELECT, SELECT_NAME = "00A4000002DF0100", "00A4040006D1560000059000"
SELECT_MF, SELECT_SSF33 = "00A40000023F0000", "00A404000F7378322E73682EC9E7BBE1B1A3D5CF00"
DERIVE = f"BFDE280A10{FACTOR}{CHALLENGE}"
ENCRYPT = f"80FA000008{DATA}08"
RESULT = "E0E1E2E3E4E5E6E7"


def request(
    algorithm: Algorithm = Algorithm.SM4, usage: int = 0x28, index: int = 0x0A
) -> AuthenticationRequest:
    key = KeyReference("RK", 0x0A, usage, index, "004C")
    parts = [bytes.fromhex(part) for part in (FACTOR, CHALLENGE, DATA)]
    return AuthenticationRequest(algorithm, key, parts[0], "429900", parts[1], parts[2])


def test_one_result_and_the_next_without_selecting_again(scripted: Any) -> None:
    psam = PsamCustodian(
        scripted(
            (SELECT, "9000"),
            (DERIVE, "9000"),
            (ENCRYPT, f"{RESULT}9000"),
            (DERIVE, "9000"),
            (ENCRYPT, "6108"),
            ("00C0000008", f"{RESULT}9000"),
        )
    )
    for _ in range(2):
        assert psam.cryptogram(request()) == bytes.fromhex(RESULT)


@pytest.mark.parametrize(
    ("usage", "length", "factors"),
    [
        (0x08, "08", ""),
        (0x28, "10", FACTOR),
        (0x48, "18", FACTOR + CITY),
        (0x67, "20", FACTOR + CITY + PROVINCE),
    ],
)
def test_the_usage_tells_how_many_factors(
    scripted: Any, usage: int, length: str, factors: str
) -> None:
    derive = f"BFDE{usage:02X}12{length}{factors}{CHALLENGE}"
    card = scripted((SELECT, "9000"), (derive, "9000"), (ENCRYPT, f"{RESULT}9000"))
    assert PsamCustodian(card).cryptogram(request(usage=usage, index=0x12)) is not None


@pytest.mark.parametrize(("algorithm", "index"), [(Algorithm.TDES, "0A"), (Algorithm.SM4, "4A")])
def test_the_sm4_key_may_have_an_index_of_its_own(
    scripted: Any, algorithm: Algorithm, index: str
) -> None:
    key = KeyReference("RK", 0x0A, 0x28, 0x0A, "004C", sm4_index=0x4A)
    derive = f"BFDE28{index}10{FACTOR}{CHALLENGE}"
    card = scripted((SELECT, "9000"), (derive, "9000"), (ENCRYPT, f"{RESULT}9000"))
    asked = replace(request(algorithm), key=key)
    assert PsamCustodian(card).cryptogram(asked) == bytes.fromhex(RESULT)


@pytest.mark.parametrize("refusal", ["6A82", "6D00"])
def test_the_application_is_also_found_by_name(scripted: Any, refusal: str) -> None:
    card = scripted(
        (SELECT, refusal),
        (SELECT_NAME, "9000"),
        (DERIVE, "9000"),
        (ENCRYPT, f"{RESULT}9000"),
    )
    assert PsamCustodian(card).cryptogram(request()) == bytes.fromhex(RESULT)


@pytest.mark.parametrize("sw", ["6A88", "9403", "6A82"])
def test_a_missing_key_is_none(scripted: Any, sw: str) -> None:
    assert PsamCustodian(scripted((SELECT, "9000"), (DERIVE, sw))).cryptogram(request()) is None


def test_ssf33_lives_in_an_environment_of_its_own(scripted: Any) -> None:
    result = f"{RESULT}9000"
    psam = PsamCustodian(
        scripted(
            (SELECT, "9000"),
            (DERIVE, "9000"),
            (ENCRYPT, result),
            (SELECT_MF, "9000"),
            (SELECT_SSF33, "9000"),
            (SELECT, "9000"),
            (DERIVE, "9000"),
            (ENCRYPT, result),
        )
    )
    assert psam.cryptogram(request(Algorithm.TDES)) is not None
    assert psam.cryptogram(request(Algorithm.SSF33)) is not None


def test_a_psam_without_ssf33_cannot_tell(scripted: Any) -> None:
    card = scripted((SELECT_SSF33, "6A82"))
    assert PsamCustodian(card).cryptogram(request(Algorithm.SSF33)) is None


def test_after_a_foreign_reset_the_whole_step_is_repeated_once(scripted: Any) -> None:
    card = scripted(
        (SELECT, "9000"),
        (DERIVE, CardReset()),
        (SELECT, "9000"),
        (DERIVE, "9000"),
        (ENCRYPT, f"{RESULT}9000"),
    )
    assert PsamCustodian(card).cryptogram(request()) == bytes.fromhex(RESULT)
    twice = scripted((SELECT, CardReset()), (SELECT, CardReset()))
    with pytest.raises(PsamUnavailable):
        PsamCustodian(twice).cryptogram(request())


@pytest.mark.parametrize(
    "script",
    [
        [(SELECT, CardRemoved())],
        [(SELECT, ReaderGone())],
        [(SELECT, "6A82"), (SELECT_NAME, "6A82")],
        [(SELECT, "9000"), (DERIVE, CardMute())],
        [(SELECT, "9000"), (DERIVE, "6985")],
        [(SELECT, "9000"), (DERIVE, "CAFE9000")],
        [(SELECT, "9000"), (DERIVE, "9000"), (ENCRYPT, "6F00")],
        [(SELECT, "9000"), (DERIVE, "9000"), (ENCRYPT, "E0E19000")],
        [(SELECT, "9000"), (DERIVE, "9000"), (ENCRYPT, "")],
    ],
)
def test_a_failing_psam_is_unavailable_and_selected_afresh(scripted: Any, script: Any) -> None:
    again = [(SELECT, "9000"), (DERIVE, "9000"), (ENCRYPT, f"{RESULT}9000")]
    psam = PsamCustodian(scripted(*script, *again))
    with pytest.raises(PsamUnavailable) as caught:
        psam.cryptogram(request())
    assert FACTOR not in str(caught.value)
    assert psam.cryptogram(request()) == bytes.fromhex(RESULT)


@pytest.mark.parametrize(
    ("answer", "number"),
    [("4299000000019000", "429900000001"), ("42990000000A9000", None), ("6A82", None)],
)
def test_the_terminal_number(scripted: Any, answer: str, number: str | None) -> None:
    card = scripted((SELECT_MF, "9000"), ("00B0960006", answer))
    assert PsamCustodian(card).terminal_number() == number


def test_the_terminal_number_of_an_absent_psam(scripted: Any) -> None:
    with pytest.raises(PsamUnavailable):
        PsamCustodian(scripted((SELECT_MF, CardRemoved()))).terminal_number()


def test_its_trace_shows_no_factor_challenge_data_or_result(scripted: Any) -> None:
    lines: list[object] = []
    card = scripted((SELECT, "9000"), (DERIVE, "9000"), (ENCRYPT, f"{RESULT}9000"))
    PsamCustodian(card, trace=lines.append).cryptogram(request())
    text = "\n".join(f"{line} {line!r}" for line in lines).upper()
    assert len(lines) == 3
    for secret in (FACTOR, CHALLENGE, DATA, RESULT):
        assert secret not in text


@pytest.mark.parametrize(("answer", "known"), [("9000", True), ("6A82", False), ("6E00", False)])
def test_a_psam_is_known_by_its_application(scripted: Any, answer: str, known: bool) -> None:
    assert is_psam(scripted((SELECT_NAME, answer))) is known
