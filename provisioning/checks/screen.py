"""Fonts and display, without the screen's own code."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont

from provisioning.findings import Finding, fail, ok, warn
from provisioning.machine import Machine

_REINSTALL = ("请重新安装终端软件", "install the terminal software again")
_PROBE_SECONDS = 6
_PROBE = """
import json, pygame
pygame.display.init()
driver, sizes = pygame.display.get_driver(), pygame.display.get_desktop_sizes()
print(json.dumps({"driver": driver, "sizes": sizes}))
"""
_BLIND_DRIVERS = frozenset({"dummy", "offscreen", "evdev"})


@cache
def required_characters() -> frozenset[int]:
    """ASCII and all of GB 2312 (6,763 hanzi in rows 16..87), as code points."""
    codes = set(range(0x20, 0x7F))
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            with contextlib.suppress(UnicodeDecodeError):
                codes.add(ord(bytes((row, cell)).decode("gb2312")))
    return frozenset(codes | {ord(mark) for mark in "，。、；：？！“”《》（）￥·—"})


def font_folder() -> Path | None:
    """Where the screen's fonts lie; found without importing the screen."""
    spec = find_spec("ui")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    return next((Path(place) / "fonts" for place in places), None)


def visit_fonts(_machine: Machine) -> Iterator[Finding]:
    """fonts."""
    yield judge_fonts(font_folder())


def judge_fonts(folder: Path | None) -> Finding:
    """Whether every font of the folder loads and covers GB 2312."""
    files = sorted(folder.glob("*.[ot]tf")) if folder is not None else []
    if not files:
        return fail("fonts", ("没有字体文件", "there are no fonts"), _REINSTALL)
    for file in files:
        try:
            with TTFont(file, lazy=True) as font:
                lacking = required_characters() - set(font.getBestCmap() or {})
        except Exception:  # a damaged table raises whatever its decoder stumbles over
            return fail("fonts", (f"{file.name} 损坏", f"{file.name} is damaged"), _REINSTALL)
        if lacking:
            sample = "".join(chr(code) for code in sorted(lacking)[:8])
            return fail(
                "fonts",
                (
                    f"{file.name} 缺 {len(lacking)} 个字，例如 {sample}",
                    f"{file.name} lacks {len(lacking)} characters, such as {sample}",
                ),
                _REINSTALL,
                lacking=len(lacking),
            )
    return ok(
        "fonts",
        f"{len(files)} 个字体覆盖 GB 2312",
        f"{len(files)} fonts cover GB 2312",
        fonts=len(files),
    )


def visit_screen(machine: Machine) -> Iterator[Finding]:
    """screen: asked in a process of its own, because a display can hold a caller for ever."""
    environ = {**machine.environ, "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    answer: dict[str, object] = {}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE],
            env=environ,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout.decode("utf-8").splitlines()[-1])
    except (subprocess.TimeoutExpired, OSError, ValueError, IndexError):
        answer = {}
    yield _judge_screen(machine, answer)


def _judge_screen(machine: Machine, answer: dict[str, object]) -> Finding:
    driver, sizes = answer.get("driver"), answer.get("sizes")
    if not isinstance(driver, str) or not isinstance(sizes, list) or not sizes:
        return fail(
            "screen",
            ("打不开显示器", "no display can be opened"),
            (
                "检查显示器、DISPLAY 变量和图形会话",
                "check the monitor, DISPLAY and the graphical session",
            ),
        )
    width, height = sizes[0]
    shown = f"{width}×{height}（{driver}）"
    if driver in _BLIND_DRIVERS:
        judge = fail if machine.in_field else warn
        return judge(
            "screen",
            (f"没有真实显示器（{driver}）", f"there is no real display ({driver})"),
            ("取消 SDL_VIDEODRIVER，连接显示器", "unset SDL_VIDEODRIVER and connect a monitor"),
            driver=driver,
        )
    wanted = machine.config.screen if machine.config is not None else None
    if wanted is not None and (width < wanted.width or height < wanted.height):
        return warn(
            "screen",
            (
                f"{shown}，小于配置的 {wanted.width}×{wanted.height}",
                f"{shown}, smaller than {wanted.width}×{wanted.height}",
            ),
            ("检查屏幕方向和分辨率", "check rotation and resolution"),
            driver=driver,
            width=width,
            height=height,
        )
    return ok("screen", shown, shown, driver=driver, width=width, height=height)
