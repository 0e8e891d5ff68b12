"""The terminal's keys: made once, closed to others, never shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from apdu.crypto import sm2, sm3
from kiosk.keys import Enrolment, KeyFileRefused, KeyStore, NotEnrolled

NUMBER = "429900196001010018"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    return keys


@pytest.fixture
def enrolment() -> Enrolment:
    return Enrolment(
        terminal_id="T429900-0003",
        division="429900",
        platform_url="http://127.0.0.1:8080",
        platform_key=sm2.generate().public_key(),
        enrolled_at=1_795_000_000,
        encryption_key=sm2.generate().public_key(),
    )


def test_prepare_enrol_load(folder: Path, enrolment: Enrolment) -> None:
    store = KeyStore(folder)
    public = store.prepare()
    store.enrol(enrolment)
    keys = KeyStore(folder).load()
    assert keys.enrolment == enrolment
    assert keys.terminal_id == "T429900-0003"
    assert keys.private_key.public_key() == public
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_an_enrolment_of_before_has_no_encryption_key(folder: Path, enrolment: Enrolment) -> None:
    store = KeyStore(folder)
    store.prepare()
    store.enrol(enrolment)
    file = folder / "enrolment.json"
    record = json.loads(file.read_text())
    del record["encryption_key"]
    file.write_text(json.dumps(record))
    assert store.load().enrolment == replace(enrolment, encryption_key=None)


def test_preparing_again_keeps_the_keys(folder: Path, enrolment: Enrolment) -> None:
    store = KeyStore(folder)
    first = store.prepare()
    store.enrol(enrolment)
    tag = store.load().subject_tag(NUMBER)
    assert store.prepare() == first
    assert store.load().subject_tag(NUMBER) == tag


def test_the_tag_is_a_keyed_hash(folder: Path, enrolment: Enrolment) -> None:
    store = KeyStore(folder)
    store.prepare(random_bytes=lambda size: b"\x07" * size)
    store.enrol(enrolment)
    tag = store.load().subject_tag(NUMBER)
    message = b"yikatong subject 1\0" + NUMBER.encode()
    assert tag == sm3.hmac_digest(b"\x07" * 32, message).hex()
    assert NUMBER not in tag
    assert tag != store.load().subject_tag("429900196001010026")


@pytest.mark.parametrize("name", ["terminal-sm2.pem", "device-hmac.key", "enrolment.json"])
def test_what_others_can_read_is_refused(folder: Path, enrolment: Enrolment, name: str) -> None:
    store = KeyStore(folder)
    store.prepare()
    store.enrol(enrolment)
    (folder / name).chmod(0o640)
    with pytest.raises(KeyFileRefused, match="0640"):
        store.load()


@pytest.mark.parametrize("name", ["terminal-sm2.pem", "device-hmac.key", "enrolment.json"])
def test_what_is_missing_or_damaged_is_told(folder: Path, enrolment: Enrolment, name: str) -> None:
    store = KeyStore(folder)
    store.prepare()
    store.enrol(enrolment)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(KeyFileRefused) as caught:
        store.load()
    assert content.decode().strip() not in str(caught.value)
    (folder / name).unlink()
    with pytest.raises(NotEnrolled):
        store.load()


@pytest.mark.parametrize(
    "change",
    [
        {"terminal_id": "K1"},
        {"platform_key": "00"},
        {"encryption_key": "00"},
        {"encryption_key": None},
        {"enrolled_at": "yesterday"},
        {"extra": 1},
        {"division": None},
    ],
)
def test_a_changed_enrolment_is_refused(
    folder: Path, enrolment: Enrolment, change: dict[str, object]
) -> None:
    store = KeyStore(folder)
    store.prepare()
    store.enrol(enrolment)
    file = folder / "enrolment.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(KeyFileRefused):
        store.load()


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.pem"
    elsewhere.write_text(sm2.generate().to_pem())
    elsewhere.chmod(0o600)
    (folder / "terminal-sm2.pem").symlink_to(elsewhere)
    with pytest.raises(KeyFileRefused):
        KeyStore(folder).prepare()


def test_secrets_are_not_in_a_repr(folder: Path, enrolment: Enrolment) -> None:
    store = KeyStore(folder)
    store.prepare()
    store.enrol(enrolment)
    keys = store.load()
    assert keys.device_key.hex() not in repr(keys)
    assert repr(keys.device_key) not in repr(keys)
    assert keys.private_key.d.hex() not in repr(keys)


def test_enrolling_needs_keys_and_a_good_id(folder: Path, enrolment: Enrolment) -> None:
    with pytest.raises(NotEnrolled):
        KeyStore(folder).enrol(enrolment)
    KeyStore(folder).prepare()
    with pytest.raises(ValueError, match="terminal id"):
        KeyStore(folder).enrol(
            Enrolment("x", "429900", "http://127.0.0.1", enrolment.platform_key, 0)
        )
