"""``yikatong-sim demo``: the hall, a terminal in it, and either the dock or the autopilot."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from hw_sim.hall.children import Child, ChildEnded
from hw_sim.hall.client import (
    ANNOUNCEMENT_NAME,
    Answer,
    HallClient,
    HallNotRunning,
    announcement,
    default_run_directory,
)
from hw_sim.hall.display import DisplayUnusable, VirtualDisplay, room_of
from hw_sim.hall.panel import WIDTH as DOCK_WIDTH
from hw_sim.hall.steps import Visit
from hw_sim.hall.terminal import (
    LANDSCAPE,
    PORTRAIT,
    DemoState,
    NotDemoState,
    TerminalScreen,
    environment,
    write_configuration,
)

_OPENING_SECONDS = 60.0
_PREPARATION_SECONDS = 60.0
_POLL = 0.01
_LOOK = 0.2
_OF_A_WALK = ("[0-9][0-9][0-9][0-9]-*.png", "print-*.pdf", "report.json", "observe.jsonl")
"""What an earlier walk left in its folder."""
_BESIDE = DOCK_WIDTH + 20
_SMALLEST = 0.4
"""Below it the terminal would have fewer pixels an inch than it accepts."""

_WHAT_TO_TRY = """\
大厅已开门 / the hall is open. Ctrl-C 结束 / ends everything.
 1  终端上点一项业务，控制台上“插卡”，密码键盘按 123456 确认
    touch a service, insert a card from the dock, press 123456 and Enter
 2  控制台上“出示电子社保卡”代替插卡；缺纸、卡纸、开门看打印怎样继续
    show an e-card instead of a card; empty the tray or jam a sheet
 3  换别的卡：假卡、挂失卡、不应答的卡；办理中把卡拔出，断开平台或读卡器
    other cards: clone, lost, silent; tear one out, cut platform or reader
 4  另一个窗口里 / in another terminal:
    yikatong-sim status | cards | fault card 3:tear
"""


class DemoFailed(Exception):
    """The demonstration could not start; the text says what is missing."""


class _Ended(BaseException):
    """A signal asked us to end."""


def run(arguments: argparse.Namespace) -> int:
    """Returns 0; of a walk, 1 when a visit did not end as it must or nothing could start."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    headless = arguments.headless or not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    try:
        with ExitStack() as stack:
            return _Demo(arguments, stack, headless=headless).run()
    except _Ended:
        return 0 if not headless else 1
    except (DemoFailed, NotDemoState, ChildEnded, DisplayUnusable, HallNotRunning) as error:
        sys.stderr.write(f"yikatong-sim: {error}\n")
        return 1


def _end(number: int, _frame: FrameType | None) -> None:
    # A second Ctrl-C must not interrupt the ending.
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise _Ended(number)


class _Demo:
    """One demonstration; everything it starts is on the stack that ends it."""

    def __init__(self, arguments: argparse.Namespace, stack: ExitStack, *, headless: bool) -> None:
        self._arguments = arguments
        self._stack = stack
        self._headless = headless
        kind = "demo-headless" if headless else "demo"
        self._state = DemoState((arguments.state or Path(".state") / kind).absolute())
        self._out: Path = arguments.out.absolute()
        self._logs = (self._out if headless else self._state.folder) / "logs"
        self._yikatong = self._find_yikatong()
        self._run_directory = self._choose_run_directory()

    def run(self) -> int:
        """Start everything, then walk or wait."""
        visits: tuple[Visit, ...] = ()
        if self._headless:
            from hw_sim.hall.walk import NoSuchVisit, chosen

            try:
                visits = chosen(self._arguments.visit)
            except NoSuchVisit as error:
                raise DemoFailed(str(error)) from None
            self._clean_out()
        self._logs.mkdir(parents=True, exist_ok=True)
        for old in self._logs.glob("*.log"):
            old.unlink()
        landscape = self._arguments.landscape
        size = LANDSCAPE if landscape else PORTRAIT
        hall = self._start_hall()
        if self._headless:
            display = VirtualDisplay(size, self._logs)
            self._stack.callback(display.close)
            screen = TerminalScreen(size, fullscreen=True)
            found = self._wait_for_hall(hall)
            observe = self._out / "observe.jsonl"
            kiosk = self._start_kiosk(found, screen, display.name, observe)
            return self._walk(visits, (hall, kiosk), display.name, observe)
        screen = self._fitting(size)
        found = self._wait_for_hall(hall)
        kiosk = self._start_kiosk(found, screen, None, None)
        self._start_dock(screen)
        sys.stdout.write(_WHAT_TO_TRY)
        sys.stdout.flush()
        while not kiosk.ended:
            hall.check()
            time.sleep(_LOOK)
        if not kiosk.ended_well:
            kiosk.check()
        return 0

    # --- where things are ----------------------------------------------------------------------

    def _find_yikatong(self) -> Path:
        given: Path | None = self._arguments.kiosk
        beside = Path(sys.executable).with_name("yikatong")
        on_path = shutil.which("yikatong")
        for candidate in (given, beside, Path(on_path) if on_path else None):
            if candidate is not None and candidate.is_file():
                return candidate.absolute()
            if candidate is given and given is not None:
                raise DemoFailed(f"there is no command {given}")
        raise DemoFailed("the command yikatong is not on the path; name it with --kiosk")

    def _choose_run_directory(self) -> Path:
        if self._arguments.run is not None:
            return Path(self._arguments.run).absolute()
        if not self._headless:
            return default_run_directory()
        # A walk of its own beside whatever else runs; short, for the socket's sake. The hall
        # makes the directory, refuses one that is not its user's, and removes it.
        return Path(tempfile.gettempdir()) / f"yikatong-walk-{os.getpid()}"

    def _clean_out(self) -> None:
        self._out.mkdir(parents=True, exist_ok=True)
        for pattern in _OF_A_WALK:
            for old in self._out.glob(pattern):
                old.unlink()

    def _fitting(self, size: tuple[int, int]) -> TerminalScreen:
        room = room_of(os.environ.get("DISPLAY", ""))
        if room is None:
            return TerminalScreen(size, 0.5)
        scale = min(1.0, 0.92 * room[1] / size[1], (room[0] - _BESIDE) / size[0])
        return TerminalScreen(size, max(_SMALLEST, round(scale, 3)))

    # --- what is started -----------------------------------------------------------------------

    def _child(
        self, name: str, *command: str | Path, environment: dict[str, str] | None = None
    ) -> Child:
        child = Child(name, [str(word) for word in command], self._logs, environment)
        self._stack.callback(child.end)
        return child

    def _start_hall(self) -> Child:
        if HallClient(self._run_directory).alive():
            raise DemoFailed(
                f"a hall is already running in {self._run_directory}: end it with "
                "yikatong-sim stop, or choose another --run DIR"
            )
        if not self._state.open():
            sys.stderr.write("yikatong-sim: the demo province has changed; its state begins anew\n")
        (self._run_directory / ANNOUNCEMENT_NAME).unlink(missing_ok=True)
        python = (sys.executable, "-m", "hw_sim.hall.cli", "start")
        ways = {"--direct": self._arguments.direct, "--dispenser": self._arguments.dispenser}
        way = [option for option, wanted in ways.items() if wanted]
        return self._child(
            "hall", *python, "--run", self._run_directory, "--state", self._state.hall, *way
        )

    def _wait_for_hall(self, hall: Child) -> Answer:
        deadline = time.monotonic() + _OPENING_SECONDS
        while not (self._run_directory / ANNOUNCEMENT_NAME).exists():
            hall.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"the hall did not open; its log is {hall.log}")
            time.sleep(_POLL)
        found = announcement(self._run_directory)
        if found["way"] == "direct":
            sys.stderr.write("yikatong-sim: without pcscd; cards connect directly (see the log)\n")
        return found

    def _start_kiosk(
        self, found: Answer, screen: TerminalScreen, display: str | None, observe: Path | None
    ) -> Child:
        configuration = self._state.configuration
        write_configuration(configuration, found, screen, walk=self._headless)
        surroundings = dict(environment(found))
        common = ("--config", configuration, "--state", self._state.terminal)
        if not self._state.enrolled:
            code = ("--code", found["enrolment_code"])
            self._prepare("enrol", "provision", "enrol", *common, *code, environment=surroundings)
            self._state.remember()
        elif (self._state.terminal / "tampered").exists():
            # The case of a new hall is closed; somebody opened it in the last one.
            self._prepare("unlock", "devices", "unlock", *common, environment=surroundings)
        if display is not None:
            surroundings |= {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
        else:
            surroundings["SDL_VIDEO_WINDOW_POS"] = "0,0"
        watched = ("--observe", observe) if observe is not None else ()
        return self._child(
            "kiosk", self._yikatong, "kiosk", *common, *watched, environment=surroundings
        )

    def _prepare(self, name: str, *command: str | Path, environment: dict[str, str]) -> None:
        """Run one of the terminal's own commands to its end; `name` is its log's."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as file:
            try:
                subprocess.run(
                    list(map(str, (self._yikatong, *command))),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **environment},
                    timeout=_PREPARATION_SECONDS,
                    check=True,
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                told = log.read_text(errors="replace").strip()
                raise DemoFailed(f"yikatong {' '.join(map(str, command[:2]))}:\n{told}") from error

    def _start_dock(self, screen: TerminalScreen) -> Child:
        fonts = Path(__file__).parents[3] / "ui" / "fonts" / "YikatongSans-Regular.otf"
        font = ("--font", fonts) if fonts.is_file() else ()
        python = (sys.executable, "-m", "hw_sim.hall.cli", "dock")
        position = ("--position", f"{screen.pixels[0] + 16},0")
        return self._child("dock", *python, "--run", self._run_directory, *font, *position)

    def _walk(
        self, visits: tuple[Visit, ...], children: tuple[Child, ...], display: str, observe: Path
    ) -> int:
        from hw_sim.hall.walk import summarise, walk
        from hw_sim.hall.window import XWindow

        def check() -> None:
            for child in children:
                child.check()

        report = walk(
            visits,
            observe=observe,
            out=self._out,
            run_directory=self._run_directory,
            window=XWindow(display),
            watch=check,
        )
        self._collect_prints()
        summarise(report, self._out)
        return 0 if report.ok else 1

    def _collect_prints(self) -> None:
        """Copy what came out of the printer as ``print-NN-<name>.pdf``."""
        prints = HallClient(self._run_directory).ask("prints")["prints"]
        printed = [Path(job["file"]) for job in prints if job["state"] == "completed"]
        for place, file in enumerate(printed, start=1):
            name = file.name.partition("-")[2]
            shutil.copyfile(file, self._out / f"print-{place:02}-{name}")
