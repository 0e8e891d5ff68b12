"""``yikatong-sim dock``: a small window beside the kiosk's, with a button for everything.

It draws by itself and asks the hall over the control socket, on a thread of its own: a slow answer
(pcscd restarting) never freezes the buttons.
"""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
import pygame

from hw_sim.hall.client import Answer, HallClient, HallNotRunning, HallRefused
from hw_sim.hall.panel import HEIGHT, WIDTH, Button, Look, Panel, panel

_LOOK_SECONDS = 0.25
_BLUE, _DEEP, _TINT = (0x00, 0x5B, 0xAC), (0x00, 0x4A, 0x8C), (0xDC, 0xEA, 0xFA)
_INK, _INK_2, _FAINT = (0x12, 0x23, 0x3A), (0x4A, 0x5B, 0x72), (0x9A, 0xA7, 0xB6)
_LINE, _GROUND, _PAPER = (0xD5, 0xDF, 0xEA), (0xEE, 0xF3, 0xF9), (0xFF, 0xFF, 0xFF)
_OK, _WARN, _STOP = (0x0E, 0x7C, 0x4A), (0xA6, 0x5A, 0x00), (0xB3, 0x26, 0x1E)
_FILL = {
    Look.PLAIN: _PAPER,
    Look.CHOSEN: _BLUE,
    Look.KEY: _TINT,
    Look.ENTER: _OK,
    Look.CLEAR: _WARN,
    Look.CANCEL: _STOP,
    Look.SMALL: _PAPER,
    Look.SMALL_CHOSEN: _BLUE,
    Look.SMALL_WRONG: _STOP,
}
_CHOSEN = {Look.CHOSEN, Look.SMALL_CHOSEN}
_OUTLINED = {Look.PLAIN, Look.KEY, Look.SMALL}
_WHITE_ON = set(Look) - _OUTLINED
_SMALL = {Look.SMALL, Look.SMALL_CHOSEN, Look.SMALL_WRONG}


class _Asker:
    """Asks the hall on its own thread and wakes the window with what came of it."""

    def __init__(self, run: Path, changed: int) -> None:
        self._hall = HallClient(run, timeout=15.0)
        self._changed = changed
        self._wishes: queue.SimpleQueue[Button] = queue.SimpleQueue()
        self.status: Answer | None = None
        self.message = ""
        threading.Thread(target=self._serve, name="asker", daemon=True).start()

    def wish(self, button: Button) -> None:
        """Do what the button says, after what was wished before."""
        self._wishes.put(button)

    def _serve(self) -> None:
        before: tuple[Answer | None, str] = ({}, "")
        while True:
            try:
                button = self._wishes.get(timeout=_LOOK_SECONDS)
                self.message = self._ask(button)
            except queue.Empty:
                pass
            self.status = self._look()
            if (self.status, self.message) != before:
                before = (self.status, self.message)
                pygame.event.post(pygame.event.Event(self._changed))

    def _ask(self, button: Button) -> str:
        try:
            answer = self._hall.ask(button.do, **button.arguments)
        except HallRefused as refusal:
            return f"{button.label}：{refusal}"
        except HallNotRunning:
            return "大厅未开门 · hall not running"
        if answer.get("sent") == 0:
            return "键盘现在不收键 · the pad takes no keys now"
        return ""

    def _look(self) -> Answer | None:
        try:
            return self._hall.ask("status")
        except (HallNotRunning, HallRefused):
            return None


class _Painter:
    """Draws a panel on a surface."""

    def __init__(self, font: Path | None) -> None:
        name = str(font) if font is not None else None
        self._label = pygame.font.Font(name, 18)
        self._small = pygame.font.Font(name, 13)
        self._title = pygame.font.Font(name, 22)
        self._key = pygame.font.Font(name, 24)

    def draw(self, onto: pygame.Surface, shown: Panel, pressed: Button | None) -> None:
        """The whole dock."""
        onto.fill(_GROUND)
        pygame.draw.rect(onto, _DEEP, (0, 0, WIDTH, 60))
        self._text(onto, self._title, "模拟大厅 · dock", _PAPER, left=(20, 30))
        for caption in shown.captions:
            font = self._label if caption.strong else self._small
            colour = (
                _INK if caption.strong else {None: _INK_2, True: _OK, False: _STOP}[caption.good]
            )
            self._text(onto, font, caption.text, colour, left=(caption.at[0], caption.at[1] + 10))
        for button in shown.buttons:
            self._button(onto, button, down=button == pressed)
        if shown.message:
            self._text(onto, self._small, shown.message, _STOP, left=(20, HEIGHT - 14))

    def _button(self, onto: pygame.Surface, button: Button, *, down: bool) -> None:
        rect = pygame.Rect(button.rect)
        bright = button.enabled or button.look in _CHOSEN
        fill = _FILL[button.look] if bright else _GROUND
        if down:
            fill = (int(fill[0] * 0.88), int(fill[1] * 0.88), int(fill[2] * 0.88))
        radius = 8 if button.look in _SMALL else 12
        pygame.draw.rect(onto, fill, rect, border_radius=radius)
        if button.look in _OUTLINED or not button.enabled:
            pygame.draw.rect(onto, _LINE, rect, width=2, border_radius=radius)
        white = button.look in _WHITE_ON and bright
        ink = _PAPER if white else _INK if button.enabled else _FAINT
        font = self._key if button.look is Look.KEY else self._label
        if button.look in _SMALL:
            font = self._small
        centre = rect.center
        if button.note:
            self._text(onto, self._small, button.note, ink, centre=(centre[0], centre[1] + 14))
            centre = (centre[0], centre[1] - 9)
        self._text(onto, font, button.label, ink, centre=centre)

    @staticmethod
    def _text(
        onto: pygame.Surface,
        font: pygame.font.Font,
        text: str,
        colour: tuple[int, int, int],
        *,
        left: tuple[int, int] | None = None,
        centre: tuple[int, int] | None = None,
    ) -> None:
        drawn = font.render(text, True, colour)
        place = drawn.get_rect(midleft=left) if left is not None else drawn.get_rect(center=centre)
        onto.blit(drawn, place)


def run(arguments: argparse.Namespace) -> int:
    """Show the dock until its window is closed; 2 when no window can be shown."""
    if arguments.position:
        os.environ["SDL_VIDEO_WINDOW_POS"] = arguments.position
    os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
    try:
        pygame.display.init()
        _, room = pygame.display.get_desktop_sizes()[0]
        scale = min(1.0, 0.92 * room / HEIGHT)
        size = (round(WIDTH * scale), round(HEIGHT * scale))
        window = pygame.display.set_mode(size)
    except pygame.error as error:
        sys.stderr.write(f"yikatong-sim: no window can be shown: {error}\n")
        return 2
    pygame.display.set_caption("yikatong-sim dock")
    pygame.font.init()
    changed = pygame.event.custom_type()
    asker, painter = _Asker(arguments.run, changed), _Painter(arguments.font)
    drawn = pygame.Surface((WIDTH, HEIGHT))
    pressed: Button | None = None
    shown = panel(None)
    while True:
        painter.draw(drawn, shown, pressed)
        window.blit(drawn if scale == 1.0 else pygame.transform.smoothscale(drawn, size), (0, 0))
        pygame.display.flip()
        for event in [pygame.event.wait(), *pygame.event.get()]:
            if event.type == pygame.QUIT:
                pygame.quit()
                return 0
            if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
                pressed = shown.at(_unscaled(event.pos, scale))
            elif event.type == pygame.MOUSEBUTTONUP and event.button == 1:
                if pressed is not None and shown.at(_unscaled(event.pos, scale)) == pressed:
                    asker.wish(pressed)
                pressed = None
            elif event.type == pygame.KEYDOWN:
                _typed(event, asker, shown)
        shown = panel(asker.status, asker.message)


def _unscaled(point: tuple[int, int], scale: float) -> tuple[int, int]:
    return int(point[0] / scale), int(point[1] / scale)


def _typed(event: Any, asker: _Asker, shown: Panel) -> None:
    """The computer's own digits, Enter and Backspace press the pad's."""
    key = {"\r": "#", "\x08": "<"}.get(event.unicode, event.unicode)
    for button in shown.buttons:
        if button.do == "press" and button.arguments["keys"] == key and key:
            asker.wish(button)
