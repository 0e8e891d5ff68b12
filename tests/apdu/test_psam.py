"""A PSAM, command by command."""

from dataclasses import replace
from typing import Any

import pytest

from apdu.custodian import Algorithm, AuthenticationRequest, KeyReference, ProtectionRequest
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


STK = KeyReference("STK", None, 0x48, 0x09, "0173")
DERIVE_STK = f"BFDE480918{FACTOR}{CITY}{CHALLENGE}"
BLOCK_3DES, BLOCK_SM4 = "0312345680000000", "03123456800000000000000000000000"
ENCRYPTED, MAC = "E0E1E2E3E4E5E6E7", "A0A1A2A3"
MAC_3DES = f"80FA050018{'00' * 8}842400010C{ENCRYPTED}80000008"


def protection(algorithm: Algorithm, header: str, block: str) -> ProtectionRequest:
    factor, challenge = bytes.fromhex(FACTOR), bytes.fromhex(CHALLENGE)
    plain = bytearray.fromhex(block)
    return ProtectionRequest(
        algorithm, STK, factor, "429900", challenge, bytes.fromhex(header), plain
    )


@pytest.mark.parametrize("mac", [MAC, MAC + "FFFFFFFF"])
def test_a_reload_of_a_3des_card_is_encrypted_then_macced(scripted: Any, mac: str) -> None:
    card = scripted(
        (SELECT, "9000"),
        (DERIVE_STK, "9000"),
        (f"80FA000008{BLOCK_3DES}08", f"{ENCRYPTED}9000"),
        (DERIVE_STK, "9000"),
        (MAC_3DES, f"{mac}9000"),
    )
    asked = protection(Algorithm.TDES, "84240001", BLOCK_3DES)
    assert PsamCustodian(card).protect(asked) == bytes.fromhex(ENCRYPTED + MAC)


def test_a_reload_of_an_sm4_card_has_blocks_of_16_bytes(scripted: Any) -> None:
    card = scripted(
        (SELECT, "9000"),
        (DERIVE_STK, "9000"),
        (f"80FA000010{BLOCK_SM4}10", f"{ENCRYPTED * 2}9000"),
        (DERIVE_STK, "9000"),
        (f"80FA050030{'00' * 16}8424000114{ENCRYPTED * 2}80{'00' * 10}10", f"{MAC}9000"),
    )
    asked = protection(Algorithm.SM4, "84240001", BLOCK_SM4)
    assert PsamCustodian(card).protect(asked) == bytes.fromhex(ENCRYPTED * 2 + MAC)


def test_a_command_without_data_is_only_macced(scripted: Any) -> None:
    card = scripted(
        (SELECT, "9000"),
        (DERIVE_STK, "9000"),
        (f"80FA050010{'00' * 8}842400000480000008", "6104"),
        ("00C0000004", f"{MAC}9000"),
    )
    asked = protection(Algorithm.TDES, "84240000", "")
    assert PsamCustodian(card).protect(asked) == bytes.fromhex(MAC)


@pytest.mark.parametrize("block", ["", BLOCK_3DES])
def test_a_psam_without_the_transport_key_cannot_protect(scripted: Any, block: str) -> None:
    card = scripted((SELECT, "9000"), (DERIVE_STK, "9403"))
    asked = protection(Algorithm.TDES, "84240001", block)
    assert PsamCustodian(card).protect(asked) is None


def test_a_reset_within_a_protection_repeats_all_of_it(scripted: Any) -> None:
    encrypt = f"80FA000008{BLOCK_3DES}08"
    card = scripted(
        (SELECT, "9000"),
        (DERIVE_STK, "9000"),
        (encrypt, f"{ENCRYPTED}9000"),
        (DERIVE_STK, CardReset()),
        (SELECT, "9000"),
        (DERIVE_STK, "9000"),
        (encrypt, f"{ENCRYPTED}9000"),
        (DERIVE_STK, "9000"),
        (MAC_3DES, f"{MAC}9000"),
    )
    asked = protection(Algorithm.TDES, "84240001", BLOCK_3DES)
    assert PsamCustodian(card).protect(asked) == bytes.fromhex(ENCRYPTED + MAC)


@pytest.mark.parametrize(
    "answers",
    [("6985",), ("E0E19000",), (f"{ENCRYPTED}9000", "6985"), (f"{ENCRYPTED}9000", "A0A1A29000")],
)
def test_a_psam_that_fails_to_protect_is_unavailable(
    scripted: Any, answers: tuple[str, ...]
) -> None:
    commands = (f"80FA000008{BLOCK_3DES}08", MAC_3DES)
    script = [(SELECT, "9000")]
    for command, answer in zip(commands, answers, strict=False):
        script += [(DERIVE_STK, "9000"), (command, answer)]
    with pytest.raises(PsamUnavailable) as caught:
        PsamCustodian(scripted(*script)).protect(protection(Algorithm.TDES, "84240001", BLOCK_3DES))
    assert BLOCK_3DES not in f"{caught.value} {caught.value.__cause__}"


def test_the_plain_block_is_wiped_on_its_way(scripted: Any) -> None:
    lines: list[object] = []
    card = scripted(
        (SELECT, "9000"),
        (DERIVE_STK, "9000"),
        (f"80FA000008{BLOCK_3DES}08", f"{ENCRYPTED}9000"),
        (DERIVE_STK, "9000"),
        (MAC_3DES, f"{MAC}9000"),
    )
    asked = protection(Algorithm.TDES, "84240001", BLOCK_3DES)
    PsamCustodian(card, trace=lines.append).protect(asked)
    assert all(bytes.fromhex(BLOCK_3DES) not in sent for sent in card.buffers)
    text = "\n".join(f"{line} {line!r}" for line in lines).upper()
    assert len(lines) == 5
    for secret in (BLOCK_3DES, ENCRYPTED, MAC, FACTOR, CHALLENGE):
        assert secret not in text


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


def test_a_key_whose_usage_nobody_knows_is_not_asked_for(scripted: Any) -> None:
    unknown = KeyReference("RK1_DF07", None, None, 0x3D, "007A")
    assert PsamCustodian(scripted()).cryptogram(replace(request(), key=unknown)) is None


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
