"""udev rules: what is known, what goes by its place, what udev itself says of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.commands import Exit
from provisioning.devices.command import COMMAND
from provisioning.devices.udev import Subsystem, UdevProblem, known_links, render

LINKS = known_links()
NAMES = {"scanner", "hid-scanner", "id-reader", "pad", "dispenser", "receipt", "sensors"}
_TERM = re.compile(r'[A-Z]+(\{[A-Za-z_]+\})?(==|\+=|=)"[^"]*"')


def yikatong(*words: str) -> int:
    return main(["devices", *words], {"devices": lambda: COMMAND})


def rules_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_every_device_has_a_name() -> None:
    assert {link.name for link in LINKS} == NAMES


def test_every_known_id_has_a_mark_and_every_certain_one_a_source() -> None:
    for link in LINKS:
        for known in link.ids:
            assert known.source or known.mark.value in "IM", known


def test_every_line_is_a_rule() -> None:
    places = {"pad": "ttyS1", "id-reader": "pci-0000:00:14.0-usb-0:3:1.0"}
    lines = rules_of(render(LINKS, places))
    for line in lines:
        for term in line.split(", "):
            assert _TERM.fullmatch(term), line
    assert lines[0] == 'ACTION=="remove", GOTO="yikatong_end"'
    assert lines[-1] == 'LABEL="yikatong_end"'


def test_an_id_gives_a_name_to_its_node_alone() -> None:
    (rule,) = [line for line in rules_of(render(LINKS, {})) if '"0416"' in line]
    assert rule == (
        'SUBSYSTEM=="usbmisc", KERNEL=="lp*", ATTRS{idVendor}=="0416", '
        'ATTRS{idProduct}=="5011", SYMLINK+="yikatong/receipt", GROUP="lp", MODE="0660"'
    )


def test_a_place_takes_the_place_of_ids() -> None:
    places = {"receipt": "pci-0000:00:14.0-usb-0:3:1.0", "pad": "ttyS1"}
    text = render(LINKS, places)
    assert '"0416"' not in text
    (receipt,) = [line for line in rules_of(text) if "yikatong/receipt" in line]
    assert 'ENV{ID_PATH}=="pci-0000:00:14.0-usb-0:3:1.0"' in receipt
    (pad,) = [line for line in rules_of(text) if "yikatong/pad" in line]
    assert 'SUBSYSTEM=="tty", KERNEL=="ttyS1", SYMLINK+="yikatong/pad"' in pad


def test_nobody_else_types_into_a_line_or_reads_a_scanner() -> None:
    for line in rules_of(render(LINKS, {"pad": "ttyS1"})):
        if "SYMLINK" in line:
            assert ('SUBSYSTEM=="tty"' in line) == ('ENV{ID_MM_DEVICE_IGNORE}="1"' in line)
            assert ('SUBSYSTEM=="input"' in line) == ('ENV{LIBINPUT_IGNORE_DEVICE}="1"' in line)
    assert {link.subsystem for link in LINKS} == set(Subsystem)


def test_marks_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert yikatong("udev") == Exit.OK
    shown = capsys.readouterr().out
    assert "# receipt: mark C, udev rule of a thermal printer service" in shown
    assert "# pad: nothing is known of its USB id; name its place by --at" in shown


def test_the_file_is_written_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "70-yikatong.rules"
    assert yikatong("udev", "--write", str(file), "--at", "pad=ttyS1") == Exit.OK
    assert file.read_text("utf-8") == render(LINKS, {"pad": "ttyS1"})
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]
    assert "udevadm control --reload" in capsys.readouterr().out
    assert yikatong("udev", "--write", str(tmp_path / "none" / "x.rules")) == Exit.FAILED
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        ["pad"],
        ["tray=ttyS1"],
        ["pad=a b"],
        ['pad="'],
        ["pad="],
        ["pad=ttyS1", "pad=ttyS2"],
        ["pad=ttyS1", "dispenser=ttyS1"],
    ],
)
def test_wrong_places_are_usage(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for text in given for word in ("--at", text)]
    assert yikatong("udev", *words) == Exit.USAGE
    assert "--at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [('"04b8:0202"', '"04B8:0202"'), ('mark = "B"', 'mark = "D"'), ('"lp*"', '"lp* "')],
)
def test_wrong_data_is_a_bug_that_is_named(tmp_path: Path, old: str, new: str) -> None:
    import provisioning.devices.udev as module

    text = module.KNOWN.read_text("utf-8")
    assert old in text
    file = tmp_path / "udev.toml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(UdevProblem):
        known_links(file)


def test_what_udev_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = tmp_path / "bin" / "udevadm"
    fake.parent.mkdir()
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    file = str(tmp_path / "x.rules")
    for says, exit_code in (
        ("exit 0", Exit.OK),
        ("echo 'x.rules:4 Invalid operator' >&2; exit 1", Exit.FAILED),
        ("echo 'Unknown command verb verify.' >&2; exit 1", Exit.OK),
    ):
        fake.write_text(f"#!/bin/sh\n{says}\n")
        fake.chmod(0o755)
        assert yikatong("udev", "--write", file) == exit_code, says
    assert "Invalid operator" in capsys.readouterr().err


@pytest.mark.peer
def test_udev_itself_takes_the_rules(tmp_path: Path) -> None:
    if shutil.which("udevadm") is None:
        pytest.skip("no udevadm here")
    assert yikatong("udev", "--write", str(tmp_path / "x.rules"), "--at", "pad=ttyS1") == Exit.OK
