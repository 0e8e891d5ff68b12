"""``yikatong devices udev``: stable names for the devices' ports."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kiosk.commands import CommandFailed, Exit, complain, say

_DESCRIPTION = """\
生成 udev 规则，给外设固定名称 /dev/yikatong/…；不指定 --write 时输出到屏幕。
Renders udev rules that give devices stable names below /dev/yikatong; to standard output where
no --write is given.

接在 USB 转串口线或主板串口上的设备只能按插口识别，用 --at 指定：
What hangs on a USB serial converter or a soldered line is known by its place alone. To find it:
  udevadm info -q property -n /dev/ttyUSB0 | grep ID_PATH=
  yikatong devices udev --at id-reader=pci-0000:00:14.0-usb-0:3:1.0 --at pad=ttyS1"""
_AFTER = "udevadm control --reload && udevadm trigger"


def add_to(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "udev",
        help="生成固定名称的 udev 规则 rules that give stable names",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="NAME=PLACE",
        help="按插口识别 by its place: ID_PATH, or ttyS1",
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="写入文件 for example /etc/udev/rules.d/70-yikatong.rules",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Render, and write and verify where a file is named."""
    from provisioning.devices.udev import known_links, render

    links = known_links()
    rules = render(links, _places(arguments.at, {link.name for link in links}))
    if arguments.write is None:
        say(rules.rstrip("\n"))
        return Exit.OK
    file: Path = arguments.write
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_text(rules, "utf-8")
        fresh.chmod(0o644)
        fresh.replace(file)
    except OSError as problem:
        text = f"无法写入 cannot be written: {file} ({problem.strerror})"
        raise CommandFailed(Exit.FAILED, text) from None
    if not _verified(file):
        return Exit.FAILED
    say(f"已写入 written: {file}")
    say(f"请执行 next: {_AFTER}")
    return Exit.OK


def _places(given: list[str], names: set[str]) -> dict[str, str]:
    from provisioning.devices.udev import is_place

    places: dict[str, str] = {}
    for text in given:
        name, equals, place = text.partition("=")
        if not equals or name not in names or not is_place(place):
            known = ", ".join(sorted(names))
            raise CommandFailed(
                Exit.USAGE, f"--at 应为 名称=插口 expected NAME=PLACE, NAME one of {known}: {text}"
            )
        if name in places or place in places.values():
            raise CommandFailed(Exit.USAGE, f"--at 重复 named twice: {text}")
        places[name] = place
    return places


def _verified(file: Path) -> bool:
    """What udev itself says of the file; true where it has no word for it."""
    import shutil
    import subprocess

    udevadm = shutil.which("udevadm")
    if udevadm is None:
        return True
    done = subprocess.run(
        [udevadm, "verify", "--no-summary", str(file)], capture_output=True, text=True, check=False
    )
    said = done.stderr.strip()
    # systemd before 254 knows no such word, and says so.
    if done.returncode == 0 or "unknown" in said.lower():
        return True
    complain(said)
    return False
