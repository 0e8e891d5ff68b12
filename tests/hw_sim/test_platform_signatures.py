"""RFC 9421 with SM2 between the platform (GmSSL) and a terminal of its own making (gmalg)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_message_signatures import InvalidSignature

from hw_sim.platform.server import PlatformServer
from hw_sim.platform.signatures import (
    HeaderLines,
    SignedRequest,
    Sm2Key,
    Sm2Sm3,
    public_key_is_on_curve,
    verify_request,
)
from tests.hw_sim.platform_terminal import (
    COMPONENTS,
    NOW,
    NewDatabase,
    Terminal,
    alarm,
    new_idempotency_key,
    new_key,
    running,
    sign,
    verify,
)

# GB/T 32918.5 appendix A
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
MESSAGE = b"message digest"


@pytest.fixture(scope="module")
def platform(
    tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase
) -> Iterator[tuple[PlatformServer, Terminal]]:
    with running(new_database(tmp_path_factory.mktemp("platform"))) as pair:
        yield pair


@pytest.fixture
def terminal(platform: tuple[PlatformServer, Terminal]) -> Iterator[Terminal]:
    _server, terminal = platform
    yield terminal
    terminal.now = NOW


def test_the_published_vector_verifies() -> None:
    Sm2Sm3(public_key=PUBLIC).verify(SIGNATURE, MESSAGE)


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_a_spoilt_vector_does_not(at: int) -> None:
    spoilt = bytearray(SIGNATURE)
    spoilt[at] ^= 1
    with pytest.raises(InvalidSignature):
        Sm2Sm3(public_key=PUBLIC).verify(bytes(spoilt), MESSAGE)
    with pytest.raises(InvalidSignature):
        Sm2Sm3(public_key=PUBLIC).verify(SIGNATURE, MESSAGE[:-1] + b"T")


@pytest.mark.parametrize(
    "signature", [b"", SIGNATURE[:63], SIGNATURE[:32] + b"\0" + SIGNATURE[32:], bytes(64)]
)
def test_a_signature_of_another_shape_is_refused(signature: bytes) -> None:
    with pytest.raises(InvalidSignature):
        Sm2Sm3(public_key=PUBLIC).verify(signature, MESSAGE)


def test_both_implementations_accept_each_other() -> None:
    pair = Sm2Key(PRIVATE, PUBLIC)
    assert verify(PUBLIC, MESSAGE, Sm2Sm3(private_key=pair).sign(MESSAGE))
    Sm2Sm3(public_key=PUBLIC).verify(sign(PRIVATE, PUBLIC, MESSAGE), MESSAGE)


def test_a_point_off_the_curve_is_no_key() -> None:
    assert public_key_is_on_curve(PUBLIC)
    assert not public_key_is_on_curve(PUBLIC[:-1] + b"\0")
    assert not public_key_is_on_curve(bytes(64))


def test_the_key_pair_does_not_show_itself() -> None:
    assert PRIVATE.hex() not in repr(Sm2Key(PRIVATE, PUBLIC)).lower()


def test_a_signed_request_is_served_and_the_reply_is_signed(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/status").document["server_time"] == NOW


def test_the_alg_parameter_may_be_left_out(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/status", extra="").status == 200


def test_the_order_of_components_is_free(terminal: Terminal) -> None:
    shuffled = ("idempotency-key", "content-digest", "@target-uri", "@method")
    assert terminal.call("GET", "/v1/status", components=shuffled).status == 200


def test_an_error_is_signed_too(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/nothing").problem == "not-found"
    assert terminal.call("DELETE", "/v1/alarms").problem == "method"
    assert terminal.call("POST", "/v1/alarms", {"kind": 1}).problem == "invalid"


@pytest.mark.parametrize(
    "changes",
    [
        {"private": new_key()[0]},
        {"components": ("@method", "@target-uri", "content-digest")},
        {"components": ("@method", "@target-uri", "idempotency-key")},
        {"components": ("@target-uri", "content-digest", "idempotency-key")},
        {"components": ("@method", "content-digest", "idempotency-key")},
        {"components": (*COMPONENTS, "@path")},
        {"label": "sig2"},
        {"extra": ';alg="ecdsa-p256-sha256"'},
        {"extra": f";expires={NOW - 1}"},
        {"extra": ';tag="other"'},
    ],
    ids=lambda changes: " ".join(map(str, changes)),
)
def test_another_signature_is_refused(terminal: Terminal, changes: dict[str, object]) -> None:
    assert terminal.call("GET", "/v1/status", **changes).problem == "signature"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Digest", "sha-256=:AAAA:"),
        ("Idempotency-Key", '"other"'),
        ("Signature", "sig1=:AAAA:"),
        ("Signature", "sig1"),
        ("Signature-Input", "sig1=()"),
        ("Signature-Input", "\x7f"),
    ],
)
def test_a_changed_header_is_refused(terminal: Terminal, name: str, value: str) -> None:
    key = new_idempotency_key()
    headers = terminal.signed("GET", "/v1/status", b"", key) | {name: value}
    reply = terminal.send("GET", "/v1/status", b"", headers)
    assert reply.problem == "signature"


def test_a_request_cannot_be_sent_to_another_place(terminal: Terminal) -> None:
    headers = terminal.signed("GET", "/v1/status", b"", "k")
    assert terminal.send("GET", "/v1/catalogue", b"", headers).problem == "signature"
    headers = terminal.signed("GET", "/v1/status", b"", "k")
    assert terminal.send("GET", "/v1/status?x=1", b"", headers).problem == "signature"


def test_a_changed_body_is_refused(terminal: Terminal) -> None:
    body = json.dumps(alarm()).encode()
    key = new_idempotency_key()
    headers = terminal.signed("POST", "/v1/alarms", body, key)
    reply = terminal.send("POST", "/v1/alarms", body.replace(b"fault", b"faulT"), headers)
    assert reply.problem == "signature"
    assert reply.is_signed_by(terminal.platform_key, key)


def test_an_unsigned_request_is_refused(terminal: Terminal) -> None:
    reply = terminal.send("GET", "/v1/status", b"", {"Idempotency-Key": '"k"'})
    assert reply.problem == "signature"


def test_a_terminal_that_never_enrolled_is_unknown(terminal: Terminal) -> None:
    stranger = Terminal(terminal.url, *new_key(), "T429900-9999", terminal.platform_key)
    assert stranger.call("GET", "/v1/status").problem == "unknown-terminal"


def test_a_key_that_cannot_be_looked_up_is_no_wrong_signature(terminal: Terminal) -> None:
    # Else a database that is away would look to a terminal as if it were locked out.
    def away(_terminal_id: str) -> bytes | None:
        raise TimeoutError

    headers = terminal.signed("GET", "/v1/status", b"", "k")
    request = SignedRequest("GET", f"{terminal.url}/v1/status", HeaderLines(headers.items()), b"")
    assert verify_request(request, lambda _id: terminal.public).terminal_id == terminal.terminal_id
    with pytest.raises(TimeoutError):
        verify_request(request, away)


def test_a_nonce_is_good_for_one_request(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/status", nonce="once").status == 200
    assert terminal.call("GET", "/v1/status", nonce="once").problem == "replayed"


def test_a_recorded_request_cannot_be_sent_again(terminal: Terminal) -> None:
    headers = terminal.signed("GET", "/v1/status", b"", "k")
    assert terminal.send("GET", "/v1/status", b"", headers).status == 200
    assert terminal.send("GET", "/v1/status", b"", headers).problem == "replayed"


@pytest.mark.parametrize("off", [-300, 300])
def test_the_clock_may_be_off_by_five_minutes(terminal: Terminal, off: int) -> None:
    terminal.now = NOW + off
    assert terminal.call("GET", "/v1/status").status == 200


@pytest.mark.parametrize("off", [-301, 301, 10**12])
def test_a_clock_further_off_is_told_the_time(terminal: Terminal, off: int) -> None:
    terminal.now = NOW + off
    reply = terminal.call("GET", "/v1/status")
    assert reply.problem == "clock"
    assert reply.document["server_time"] == NOW


def test_a_nonce_from_the_future_is_remembered_as_long_as_it_could_be_replayed(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    clock = [NOW]
    database = new_database(tmp_path)
    with running(database, clock=lambda: float(clock[0])) as (_, terminal):
        terminal.now = NOW + 300
        headers = terminal.signed("GET", "/v1/status", b"", "k")
        assert terminal.send("GET", "/v1/status", b"", headers).status == 200
        clock[0] = NOW + 600
        assert terminal.send("GET", "/v1/status", b"", headers).problem == "replayed"


@pytest.mark.parametrize("value", [None, "plain", '""', '"a b"', f'"{"x" * 65}"', '"a", "b"'])
def test_the_idempotency_key_has_a_form(terminal: Terminal, value: str | None) -> None:
    headers = terminal.signed("GET", "/v1/status", b"", "k")
    if value is None:
        del headers["Idempotency-Key"]
    else:
        headers["Idempotency-Key"] = value
    assert terminal.send("GET", "/v1/status", b"", headers).problem == "malformed"


def test_the_longest_key_is_good(terminal: Terminal) -> None:
    assert terminal.call("GET", "/v1/status", key="!" + "~" * 63).status == 200
