"""The key service of docs/platform.md, over a real socket."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal

import gmalg
import pytest

from hw_sim.cards import keys
from hw_sim.cards.keys import Algorithm, KeyName
from hw_sim.platform.hsm import CardKey, DemoHsm
from hw_sim.platform.server import PlatformServer
from tests.hw_sim.platform_terminal import USER_ID, Reply, Terminal, running

FACTOR, CHALLENGE, DATA = "8631429901020304", "A1A2A3A4A5A6A7A8", "B1B2B3B4B5B6B7B8"
ASKED = {"card_factor": FACTOR, "aab301": "429900", "challenge": CHALLENGE}
CRYPTOGRAM = ASKED | {"key": "004C", "algorithm": "03", "data": DATA}
UNBLOCK = ASKED | {"key": "0173", "algorithm": "03", "command": "84240000", "block": ""}
BLOCKS = {"01": "0397531880000000", "03": "03975318800000000000000000000000"}
TABLE = tomllib.loads(files("hw_sim.platform").joinpath("hsm.toml").read_text("utf-8"))["keys"]
HEADERS = ("84240000", "841E0000", "841E0001", "84180000", "84160000")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PlatformServer, Terminal]]:
    with running(tmp_path_factory.mktemp("hsm")) as pair:
        yield pair


@pytest.fixture
def terminal(platform: tuple[PlatformServer, Terminal]) -> Terminal:
    return platform[1]


def cryptogram(terminal: Terminal, **changes: object) -> Reply:
    return terminal.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM | changes)


def protected(terminal: Terminal, **changes: object) -> Reply:
    return terminal.call("POST", "/v1/hsm/protected-commands", UNBLOCK | changes)


def sealed(terminal: Terminal, block: str) -> str:
    """A block as a terminal sends it."""
    document = terminal.call("GET", "/v1/hsm/encryption-key").document
    assert document.keys() == {"public_key"}
    public = b"\x04" + bytes.fromhex(document["public_key"])
    encrypted: bytes = gmalg.SM2(None, USER_ID, public).encrypt(bytes.fromhex(block))
    return encrypted.hex()


def reload(terminal: Terminal, algorithm: str, block: str) -> Reply:
    changes = {"algorithm": algorithm, "command": "84240001", "block": sealed(terminal, block)}
    return protected(terminal, **changes)


@pytest.mark.parametrize("flag", ["01", "03"])
@pytest.mark.parametrize(
    ("address", "name"),
    [(entry["address"], entry["name"]) for entry in TABLE if entry["use"] == "authentication"],
)
def test_every_key_answers_under_its_address(
    terminal: Terminal, address: str, name: KeyName, flag: Literal["01", "03"]
) -> None:
    parts = [bytes.fromhex(part) for part in (FACTOR, CHALLENGE, DATA)]
    expected = keys.hsm_cryptogram(name, flag, parts[0], "429900", parts[1], parts[2])
    reply = cryptogram(terminal, key=address, algorithm=flag)
    assert reply.document == {"cryptogram": expected.hex().upper()}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": "FFFF"}, "not-found"),
        ({"key": "0173"}, "not-found"),
        ({"key": "004"}, "invalid"),
        ({"key": "RK_SSSE"}, "invalid"),
        ({"algorithm": "02"}, "invalid"),
        ({"challenge": "00" * 7}, "invalid"),
        ({"data": "zz" * 8}, "invalid"),
        ({"aab301": "42990"}, "invalid"),
    ],
)
def test_what_gives_no_cryptogram(
    terminal: Terminal, changes: dict[str, object], problem: str
) -> None:
    assert cryptogram(terminal, **changes).problem == problem


def process_key(flag: str) -> bytes:
    algorithm = Algorithm(flag)
    key = keys.card_key("STK_SSSE", algorithm, "429900", bytes.fromhex(FACTOR))
    return keys.process_key(key, bytes.fromhex(CHALLENGE), algorithm)


@pytest.mark.parametrize("flag", ["01", "03"])
@pytest.mark.parametrize("header", HEADERS)
def test_commands_without_data_get_a_mac(terminal: Terminal, header: str, flag: str) -> None:
    algorithm = Algorithm(flag)
    vector = bytes(keys.block_size(algorithm))
    text = bytes.fromhex(header) + b"\x04"
    expected = keys.mac(process_key(flag), vector, text, algorithm)
    reply = protected(terminal, algorithm=flag, command=header)
    assert reply.document == {"data": expected.hex().upper()}


@pytest.mark.parametrize("flag", ["01", "03"])
def test_a_new_pin_goes_into_a_protected_reload(terminal: Terminal, flag: str) -> None:
    algorithm, process = Algorithm(flag), process_key(flag)
    data = bytes.fromhex(reload(terminal, flag, BLOCKS[flag]).document["data"])
    size = keys.block_size(algorithm)
    assert keys.decrypt(process, data[:size], algorithm) == bytes.fromhex(BLOCKS[flag])
    text = bytes.fromhex("84240001") + bytes((len(data),)) + data[:size]
    assert data[size:] == keys.mac(process, bytes(size), text, algorithm)


def test_a_block_of_another_cipher_is_refused(terminal: Terminal) -> None:
    assert reload(terminal, "01", BLOCKS["03"]).problem == "invalid"
    assert reload(terminal, "03", BLOCKS["01"]).problem == "invalid"
    assert reload(terminal, "03", BLOCKS["03"] + "00").problem == "invalid"


def test_a_block_that_cannot_be_opened_is_refused(terminal: Terminal) -> None:
    good = sealed(terminal, BLOCKS["03"])
    for bad in (
        good[:-2] + f"{int(good[-2:], 16) ^ 1:02x}",
        "03" + good[2:],
        "04" + "00" * 64 + good[130:],
        "04" + "FF" * 112,
    ):
        reply = protected(terminal, command="84240001", block=bad)
        assert (reply.status, reply.problem) == (422, "invalid")
        assert bad.lower() not in reply.body.decode().lower()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"key": "FFFF"}, "not-found"),
        ({"key": "004C"}, "not-found"),
        ({"command": "00200000"}, "invalid"),
        ({"command": "84D60000"}, "invalid"),
        ({"command": "84240001"}, "invalid"),
        ({"command": "84240001", "block": "04" + "00" * 111}, "invalid"),
        ({"algorithm": "02"}, "invalid"),
    ],
)
def test_what_is_not_protected(
    terminal: Terminal, changes: dict[str, object], problem: str
) -> None:
    assert protected(terminal, **changes).problem == problem


@pytest.mark.parametrize("header", HEADERS)
def test_a_block_is_for_a_reload_only(terminal: Terminal, header: str) -> None:
    block = sealed(terminal, BLOCKS["03"])
    assert protected(terminal, command=header, block=block).problem == "invalid"


def test_an_hsm_has_a_key_of_its_own(terminal: Terminal) -> None:
    document = terminal.call("GET", "/v1/hsm/encryption-key").document
    assert bytes.fromhex(document["public_key"]) != terminal.platform_key


def test_no_pin_is_logged_or_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    class Breaking(DemoHsm):
        def protect(self, key: CardKey, header: bytes, sealed: bytes) -> bytes:
            super().protect(key, header, sealed)
            raise RuntimeError("broken")

    with running(tmp_path) as (_server, terminal):
        assert reload(terminal, "03", BLOCKS["03"]).status == 200
        assert reload(terminal, "01", BLOCKS["03"]).status == 422
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    broken = tmp_path / "broken"
    broken.mkdir()
    with running(broken, hsm=Breaking()) as (_server, terminal):
        assert reload(terminal, "03", BLOCKS["03"]).status == 500
    out, err = capfd.readouterr()
    written = caplog.text + out + err
    assert "RuntimeError" in written
    assert "975318" not in written
    assert bytes.fromhex(BLOCKS["03"]) not in kept
    assert b"975318" not in kept
