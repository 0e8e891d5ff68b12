"""What this room may use, and what it must not."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ui

ROOM = Path(ui.__file__).parent
MODULES = sorted(ROOM.glob("*.py"))
PICTURES = sorted((ROOM / "pictures").glob("*.svg"))
ONLY_IN_PYGAME_CE = {
    "wraplength",
    "aacircle",
    "aaline_width",
    "load_sized_svg",
    "set_direction",
    "align",
    "outline",
    "fblits",
    "premul_alpha",
    "box_blur",
    "gaussian_blur",
    "Window",
    "FRect",
    "is_ce",
}
TRADE = re.compile("社保|社会保障|社会保险|参保|养老|12333|social insurance|pension", re.IGNORECASE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_only_what_both_pygames_have(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(value=ast.Name(id="pygame"), attr=name):
                assert name not in ONLY_IN_PYGAME_CE | {"init", "quit"}, f"pygame.{name}"
            case ast.Attribute(attr=name):
                assert name not in ONLY_IN_PYGAME_CE, name
            case ast.keyword(arg="wraplength"):
                pytest.fail("wraplength is known to pygame-ce only")
            case ast.Import(names=names):
                imported = {alias.name.partition(".")[0] for alias in names}
                assert path.stem == "sdl" or "pygame" not in imported, "import it from ui.sdl"
            case ast.ImportFrom(module=str(module)):
                assert module.partition(".")[0] != "pygame", "import it from ui.sdl"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_word_of_any_trade(path: Path) -> None:
    assert TRADE.search(path.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("module", ["ui.views", "ui.inputs", "ui.theme", "ui.scene"])
def test_views_can_be_imported_without_pygame(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pygame' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_sdl_is_told_before_it_starts() -> None:
    """Software OpenGL would cost 20-40 ms a frame; a finger must not come twice."""
    code = (
        "import os, ui.window; print(*(os.environ[name] for name in ("
        "'SDL_FRAMEBUFFER_ACCELERATION', 'SDL_TOUCH_MOUSE_EVENTS', 'SDL_MOUSE_TOUCH_EVENTS')))"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout == "0 0 0\n"  # and no greeting of pygame


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_use_only_what_sdl_draws(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"<(text|image|style|use|filter|mask|clipPath)\b", text) is None
    assert re.search(r'<svg\b[^>]* width="\d+" height="\d+" viewBox="', text)


def test_every_picture_has_its_drawing() -> None:
    from ui.views import Picture

    assert {picture.value for picture in Picture} <= {path.stem for path in PICTURES}
