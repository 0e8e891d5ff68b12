"""The data pack: signed, whole, and without dead ends."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from apdu.crypto import sm2
from apdu.ministry.conventions import shipped_conventions
from kiosk.config import DEMO_ROOT_KEY
from kiosk.identity import Leg
from kiosk.items import MAXIMUM_STEPS, OfflineClass
from kiosk.pack import MAXIMUM_LEVELS, Group, Pack, PackError, load, read_root
from kiosk.pack_signature import SIGNATURE_FILE, main, sign
from kiosk.services import ESTABLISHED

DEMO = DEMO_ROOT_KEY.parent / "demo"
DEMO_ROOT_PRIVATE = Path(__file__).parent / "demo-root.key"
TODAY = date(2026, 11, 21)

Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo pack."""
    return Path(shutil.copytree(DEMO, tmp_path / "pack"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Changes one text of one file and signs the pack anew, as its maker could."""

    def change(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")
        sign(folder, sm2.PrivateKey.from_pem(DEMO_ROOT_PRIVATE.read_text("ascii")))

    return change


def load_it(
    folder: Path, today: date = TODAY, services: dict[str, frozenset[Leg]] | None = None
) -> Pack:
    return load(folder, read_root(DEMO_ROOT_KEY), today=today, services=services)


def test_the_committed_signature_holds() -> None:
    pack = load_it(DEMO, services=ESTABLISHED)
    assert pack.name == "demo"
    assert pack.division == "429900"
    assert len(pack.digest) == 64


def test_the_public_and_private_demo_root_belong_together() -> None:
    private = sm2.PrivateKey.from_pem(DEMO_ROOT_PRIVATE.read_text("ascii"))
    assert private.public_key() == read_root(DEMO_ROOT_KEY)


def test_home_begins_with_the_overview() -> None:
    pack = load_it(DEMO)
    first = pack.menu.first
    assert first is not None
    assert first.title.zh == "社保查询一件事"
    assert first.service == "overview"
    assert first.legs == {Leg.REAL_NAME}
    assert first.offline is OfflineClass.REFUSE
    assert [entry.service for entry in pack.menu.entries if not isinstance(entry, Group)] == [
        "certificate",
        "verification",
        "card-status",
    ]


def test_levels_and_steps_keep_the_rule_of_three() -> None:
    for item in load_it(DEMO).items.values():
        assert 1 <= item.level <= MAXIMUM_LEVELS == 3
        assert 1 <= item.steps <= MAXIMUM_STEPS == 3


def test_every_item_has_the_ten_fields() -> None:
    for item in load_it(DEMO).items.values():
        fields = vars(item.guide)
        assert len(fields) == 10
        assert None not in fields.values()


def test_an_altered_file_is_named(folder: Path) -> None:
    for name in ("items.toml", "pack.toml", "texts.toml"):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(before + b"\n")
        with pytest.raises(PackError, match=f"{name}: was changed"):
            load_it(folder)
        (folder / name).write_bytes(before)
    load_it(folder)


def test_added_and_missing_files_are_named(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "extra.toml").write_text("")
    with pytest.raises(PackError, match=r"extra\.toml: was added"):
        load_it(folder)
    (folder / "more" / "extra.toml").unlink()
    (folder / "texts.toml").unlink()
    with pytest.raises(PackError, match=r"texts\.toml: is missing"):
        load_it(folder)


def test_links_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "texts.toml").rename(tmp_path / "texts.toml")
    (folder / "texts.toml").symlink_to(tmp_path / "texts.toml")
    with pytest.raises(PackError, match="link"):
        load_it(folder)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("signature ", "signature 00", "signature is wrong"),
        ("yikatong-pack 1", "yikatong-pack 2", "no signature of the form"),
        ("  items.toml", "  item.toml", "signature is wrong"),
        ("key ", "key 0", "not signed by the configured root"),
        ("signature ", "", "no signature of the form"),
    ],
)
def test_an_altered_signature_is_refused(folder: Path, old: str, new: str, expected: str) -> None:
    file = folder / SIGNATURE_FILE
    text = file.read_text("ascii")
    assert old in text
    file.write_text(text.replace(old, new, 1), "ascii")
    with pytest.raises(PackError, match=expected):
        load_it(folder)


def test_a_pack_of_another_root_is_refused(folder: Path) -> None:
    sign(folder, sm2.generate())
    with pytest.raises(PackError, match="not signed by the configured root"):
        load_it(folder)


def test_an_unsigned_pack_is_refused(folder: Path) -> None:
    (folder / SIGNATURE_FILE).unlink()
    with pytest.raises(PackError, match=r"pack\.sig: cannot be read"):
        load_it(folder)
    with pytest.raises(PackError, match="no such folder"):
        sign(folder / "nowhere", sm2.generate())


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2036, 1, 1)])
def test_outside_its_validity_it_is_refused(day: date) -> None:
    with pytest.raises(PackError, match="valid from"):
        load_it(DEMO, today=day)


@pytest.mark.parametrize(
    ("name", "old", "new", "key", "expected"),
    [
        ("items.toml", "risky = false", "risky = false\nrisk = 1", "risk", "unknown key"),
        ("items.toml", ', en = "Card status" }', " }", "title.en", "missing"),
        ("items.toml", '"429900-CARD-STATUS"', '"429900-QUERY-ALL"', "code", "twice"),
        ("items.toml", '"429900-CARD-STATUS"', '"429900-OTHER"', "code", "nowhere in the menu"),
        ("items.toml", '"429900-CARD-STATUS"', f'"{"X" * 41}"', "code", "at most 40"),
        ("items.toml", 'offline = "A"', 'offline = "F"', "offline", '"E"'),
        ("items.toml", '"card-genuine"]', '"pin"]', "legs", '"pin-verified"'),
        ("pack.toml", '["SSC1[', '["SSC1([', "codes.ecard.patterns", "character 5"),
        ("items.toml", "steps = 1", "steps = 4", "steps", "1..3"),
        ("items.toml", 'glyph = "查"', 'glyph = "查询"', "glyph", "one character"),
        ("items.toml", "fee = {", "fees = {", "guide.fees", "ten fields"),
        ("pack.toml", '[menu]\nfirst = "429900-QUERY-ALL"', "[menu]", "code", "nowhere"),
        ("pack.toml", '"429900-CARD-STATUS"', '"429900-QUERY-ALL"', "item", "stands twice"),
        ("pack.toml", '"429900-CARD-STATUS"', '"429900-GONE"', "code", "nowhere in the menu"),
        ("pack.toml", 'mark = "B"', 'mark = "X"', "mark", '"A"'),
        ("pack.toml", "value = 6", "value = 6.5", "value", "whole number"),
        ("pack.toml", "2026-01-01", '"2026-01-01"', "valid_from", "a date"),
        ("pack.toml", "2026-01-01", "2026-01-01T00:00:00", "valid_from", "without a time"),
        ("pack.toml", '"429900"', '"4299"', "division", "6 digits"),
        ("texts.toml", 'en = "12333"', "", "hotline.en", "missing"),
        ("texts.toml", "[hotline]", "[phone]", "hotline", "missing"),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path, edit: Edit, name: str, old: str, new: str, key: str, expected: str
) -> None:
    edit(name, old, new)
    with pytest.raises(PackError) as caught:
        load_it(folder)
    assert caught.value.key.endswith(key)
    assert expected in str(caught.value)


def group(id_: str, inner: str) -> str:
    words = 'title = { zh = "组", en = "Group" }, hint = { zh = "组", en = "Group" }, glyph = "组"'
    return f'{{ id = "{id_}", {words}, entry = [{inner}] }}'


LAST_ENTRY = '[[menu.entry]]\nitem = "429900-CARD-STATUS"'


def group_lines(id_: str) -> str:
    words = 'title = { zh = "组", en = "Group" }\nhint = { zh = "组", en = "Group" }\nglyph = "组"'
    return f'id = "{id_}"\n{words}'


def in_groups(depth: int) -> str:
    inner = '{ item = "429900-CARD-STATUS" }'
    for n in range(depth - 1):
        inner = group(f"g{n}", inner)
    return f"[[menu.entry]]\n{group_lines('outer')}\nentry = [{inner}]"


def test_groups_make_levels(folder: Path, edit: Edit) -> None:
    edit("pack.toml", LAST_ENTRY, in_groups(2))
    pack = load_it(folder)
    assert pack.items["429900-CARD-STATUS"].level == 3
    outer = pack.menu.entries[-1]
    assert isinstance(outer, Group)
    assert isinstance(outer.entries[0], Group)


def test_a_fourth_level_is_refused(folder: Path, edit: Edit) -> None:
    edit("pack.toml", LAST_ENTRY, in_groups(3))
    with pytest.raises(PackError, match="deeper than 3"):
        load_it(folder)


def test_an_empty_group_is_refused(folder: Path, edit: Edit) -> None:
    empty = f"[[menu.entry]]\n{group_lines('g')}\nentry = []\n\n"
    edit("pack.toml", LAST_ENTRY, empty + LAST_ENTRY)
    with pytest.raises(PackError, match="nothing in it"):
        load_it(folder)


def with_conventions(folder: Path, old: str, new: str) -> None:
    """Puts a province's own conventions of the ministry's calls into a pack and signs it."""
    text = resources.files("apdu.ministry").joinpath("conventions.toml").read_text("utf-8")
    assert old in text
    (folder / "ministry-calls.toml").write_text(text.replace(old, new, 1), "utf-8")
    sign(folder, sm2.PrivateKey.from_pem(DEMO_ROOT_PRIVATE.read_text("ascii")))


def test_a_province_has_its_own_conventions_of_the_ministry_s_calls(folder: Path) -> None:
    assert load_it(folder).conventions == shipped_conventions()
    with_conventions(folder, '2 = "key"', '0 = "key"')
    assert load_it(folder).conventions.read_authentication.keys() == {"0", "1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"factor", "original"', '"factor", "factor"'),
        ('2 = "key"', '2 = "eye"'),
        ("[pin]", "[pins]"),
        ("[pin]", "pin = 3\n[pins]"),
        ("[pin]", "[pin"),
    ],
)
def test_conventions_that_are_none_are_named(folder: Path, old: str, new: str) -> None:
    with_conventions(folder, old, new)
    with pytest.raises(PackError, match=r"ministry-calls\.toml"):
        load_it(folder)


def test_a_service_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PackError, match="no service certificate"):
        load_it(DEMO, services={"overview": frozenset(Leg)})


def test_an_item_that_needs_more_than_its_service_proves_is_refused() -> None:
    careless = {**ESTABLISHED, "overview": frozenset({Leg.GENUINE_CARD})}
    with pytest.raises(PackError, match="legs"):
        load_it(DEMO, services=careless)


def test_the_developers_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "texts.toml").open("a") as file:
        file.write("# changed\n")
    check = ["verify", str(folder), "--root", str(DEMO_ROOT_KEY)]
    assert main(check) == 1
    assert "was changed" in capsys.readouterr().err
    assert main(["sign", str(folder), "--key", str(DEMO_ROOT_PRIVATE)]) == 0
    assert main(check) == 0
    assert capsys.readouterr().out.strip() == load_it(folder).digest
