"""``yikatong card tree`` and ``card dump``: names beside tags, bytes beside meaning, and masked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from apdu.dictionary import FileKind
from apdu.files import StoredFile
from apdu.formats import Unreadable
from apdu.profile import shipped_profiles
from apdu.simple_tlv import Record
from hw_sim.cards.catalogue import holder
from hw_sim.population import DEMO_PIN
from kiosk.card import pin_entry
from kiosk.card.exits import CardExit
from kiosk.card.values import rows_of
from tests.kiosk.card_backends import PSAM
from tests.kiosk.card_cli import Desk, desk_for


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


def states(told: dict[str, Any]) -> dict[str, str]:
    return {
        file["name"]: file["readable"]
        for application in told["applications"]
        for file in application["files"]
    }


@pytest.mark.parametrize("profile", shipped_profiles().values(), ids=lambda each: each.name)
def test_the_tree_of_a_generation_needs_no_card(desk: Desk, profile: Any) -> None:
    answer = desk.card("tree", "--profile", profile.name, "--json")
    assert answer.code == 0
    told = answer.json
    names = [file["name"] for each in told["applications"] for file in each["files"]]
    assert names == list(profile.files)
    assert "readable" not in told["applications"][0]["files"][0]
    text = desk.card("tree", "--profile", profile.name).out
    for file in profile.files.values():
        for item in file.items:
            if item.zh and item.tag is not None:
                assert f"{item.tag:02X}  {item.zh}" in text


def test_records_that_are_alike_take_one_line(desk: Desk) -> None:
    text = desk.card("tree", "--profile", "v3").out
    degrees = text.partition("EF15 学历")[2].partition("EF16")[0]
    assert (degrees.count("b-tlv"), degrees.count("b-tlv 52  ×3")) == (1, 1)
    assert "EF07 就业记录 employment record  340 B  循环 cyclic ×4" in text


def test_the_tree_of_a_card_tells_what_is_readable_now(desk: Desk) -> None:
    desk.insert("v3")
    told = states(desk.card("tree", "--json").json)
    assert told["SSSEEF05"] == "read"
    assert told["SSSEEF06"] == "read"
    assert told["DF04EF08"] == "needs-pin"
    assert told["DF07EF05"] == "needs-key"


def test_of_a_photo_the_tree_reads_one_byte(desk: Desk) -> None:
    desk.insert("v3")
    files = shipped_profiles()["3"].files.values()
    transparent = [file for file in files if file.kind is FileKind.TRANSPARENT]
    assert desk.card("tree", "--trace").err.count("READ BINARY") == len(transparent)


@pytest.mark.parametrize("action", ["dump", "tree"])
@pytest.mark.parametrize("number", [2, 3, 4, 5, 9, 20, 40, 60])
def test_a_card_pulled_at_any_command_is_told(desk: Desk, action: str, number: int) -> None:
    desk.insert("v3", f"{number}:tear")
    answer = desk.card(action)
    assert (answer.code, answer.out) == (CardExit.TORN, "")
    assert desk.given_back == 1


def test_without_a_psam_nothing_behind_a_key_is_readable(desk: Desk) -> None:
    desk.insert("v3")
    desk.backend.remove(PSAM)
    told = states(desk.card("tree", "--json").json)
    assert told["SSSEEF05"] == "read"
    assert told["SSSEEF06"] == "needs-key"
    assert told["DF01EF05"] == "needs-pin"


@pytest.mark.parametrize("card", ["v1", "v2", "v3", "damaged"])
def test_a_dump_names_everything_and_nobody(desk: Desk, card: str) -> None:
    desk.insert(card)
    person = holder(card)
    assert person is not None
    for answer in (desk.card("dump"), desk.card("dump", "--json"), desk.card("dump", "--trace")):
        assert answer.code == 0
        said = answer.out + answer.err
        assert "社会保障号码" in said
        for secret in (person.number, person.name, person.card.card_number):
            assert secret not in said
        for hidden in (
            person.number.encode(),
            person.name.encode("gb18030"),
            person.born.strftime("%Y%m%d").encode(),
            person.card.card_id,
        ):
            assert hidden.hex().upper() not in said
        assert person.born.isoformat() not in said


def test_with_the_pin_files_that_want_it_are_read_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.insert("v3")
    typed = [bytearray(DEMO_PIN.encode()), bytearray(b"909090")]
    given = iter(typed)
    monkeypatch.setattr(pin_entry, "at_keyboard", lambda _prompt: next(given))
    words = ("dump", "--file", "DF04EF06", "--file", "DF04EF08", "--json")
    assert [each["state"] for each in desk.card(*words).json["files"]] == ["needs-pin"] * 2
    told = desk.card(*words, "--pin").json["files"]
    assert [each["state"] for each in told] == ["read", "read"]
    answer = desk.card(*words, "--pin")
    assert (answer.code, answer.out) == (CardExit.PIN_WRONG, "")
    assert not any(any(buffer) for buffer in typed)


def test_one_file_is_picked(desk: Desk) -> None:
    desk.insert("v3")
    told = desk.card("dump", "--file", "ssseef05", "--json").json
    assert [file["name"] for file in told["files"]] == ["SSSEEF05"]
    version = next(item for item in told["files"][0]["items"] if item["field"] == "version")
    assert (version["tag"], version["value"], version["hex"]) == ("03", "3.00", "332E3030")


def test_a_file_that_there_is_not(desk: Desk) -> None:
    desk.insert("v3")
    answer = desk.card("dump", "--file", "SSSEEF1F")
    assert (answer.code, answer.out) == (2, "")
    assert "SSSEEF1F" in answer.err


def test_in_full_only_in_a_demonstration_and_with_a_trace(desk: Desk) -> None:
    desk.insert("v3")
    person = holder("v3")
    assert person is not None
    assert desk.card("dump", "--full").code == 7
    audit = desk.demonstration()
    answer = desk.card("dump", "--full", "--file", "SSSEEF06")
    assert answer.code == 0
    shown = person.number in answer.out and person.name in answer.out
    assert shown
    assert "card.dumped" in (audit / "commands.jsonl").read_text(encoding="utf-8")


def test_what_cannot_be_audited_is_not_shown(desk: Desk) -> None:
    desk.insert("v3")
    audit = desk.demonstration()
    audit.parent.joinpath("keys").rename(audit.parent / "lost")
    answer = desk.card("dump", "--full")
    assert (answer.code, answer.out) == (4, "")


def test_a_locked_card(desk: Desk) -> None:
    desk.insert("blocked")
    assert desk.card("dump").code == CardExit.BLOCKED


def test_no_masked_row_shows_a_value() -> None:
    """Every item of every generation, filled with its vectors: what is masked differs from what
    is stored in the clear, and never holds it."""
    leaks = []
    for profile in shipped_profiles().values():
        for file in profile.files.values():
            for item in file.items:
                for vector in item.vectors:
                    stored = _stored(file.kind, item.tag, vector.record)
                    masked, clear = (
                        [row for row in rows_of(file, stored, full=full) if row.field == item.field]
                        for full in (False, True)
                    )
                    told = vector.value
                    if isinstance(told, str) and len(told) > 1:
                        leaks += [row.field for row in masked if row.text == told]
                    if isinstance(told, date):
                        leaks += [row.field for row in masked if told.isoformat() in row.text]
                    assert [row.name for row in masked] == [row.name for row in clear]
    open_fields = {"version", "card_class", "organisation", "issued", "expires"}
    assert set(leaks) == open_fields - {"card_class"}


def _stored(kind: FileKind, tag: int | None, record: bytes) -> StoredFile:
    match kind:
        case FileKind.RECORDS:
            assert tag is not None
            return StoredFile(records=(Record(tag, record[2:]),))
        case FileKind.CYCLIC:
            return StoredFile(entries=())
        case FileKind.TRANSPARENT:
            return StoredFile(content=record)


def test_what_nobody_can_read_is_raw_to_staff_only() -> None:
    file = shipped_profiles()["2"].holder_file
    stored = StoredFile(records=(Record(0x0D, b"2012"),))
    assert isinstance(file.decode(stored.records)["birth_date"], Unreadable)
    masked, clear = (
        next(row for row in rows_of(file, stored, full=full) if row.field == "birth_date")
        for full in (False, True)
    )
    assert "32303132" not in masked.text + masked.hex
    assert "2012" not in masked.text
    assert "“2012”" in clear.text
