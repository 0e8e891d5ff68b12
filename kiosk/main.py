"""``yikatong kiosk``: the terminal itself, from the first screen to the last."""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kiosk.commands import Command, CommandFailed, Exit
from kiosk.places import DEMO_CONFIG, FIELD_CONFIG, usual_config

if TYPE_CHECKING:
    from kiosk.assembly import Terminal
    from kiosk.config import TerminalConfig
    from kiosk.state import StateDirectory

_LONGEST_SLEEP = 5.0
_FIRST_LOOK_SECONDS = 0.5
"""So long the start waits for the monitor's first look at the readers."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"终端配置 configuration ({FIELD_CONFIG} or {DEMO_CONFIG} where they exist)",
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
    parser.add_argument(
        "--observe",
        type=Path,
        metavar="FILE",
        help="把可触摸处写入文件（不含内容）write what can be touched, never any content",
    )


def _run(arguments: argparse.Namespace) -> int:
    from apdu.crypto.errors import BackendRefused
    from kiosk import logs, process
    from kiosk.audit.log import AuditUnavailable
    from kiosk.config import ConfigError
    from kiosk.config import load as load_config
    from kiosk.keys import KeyStoreError, NotEnrolled
    from kiosk.pack import PackError
    from kiosk.state import StateDirectory, StateError
    from offline_queue.database import DatabaseError
    from offline_queue.errors import QueueError
    from ui.window import NoDisplay

    file = arguments.config or usual_config()
    if file is None:
        raise CommandFailed(Exit.USAGE, "请用 --config 指定终端配置：name a configuration")
    try:
        config = load_config(file)
        state = StateDirectory(arguments.state or config.state)
        with state.lock():
            process.keep_small()
            process.harden()
            logs.start(state.logs)
            try:
                _serve(config, state, arguments.observe)
            finally:
                logs.stop()
    except (ConfigError, PackError) as problem:
        raise CommandFailed(Exit.CONFIG, str(problem)) from None
    except NotEnrolled as problem:
        text = f"本机尚未登记，请先执行 yikatong provision enrol：enrol first ({problem})"
        raise CommandFailed(Exit.STATE, text) from None
    except (
        StateError,
        KeyStoreError,
        AuditUnavailable,
        DatabaseError,
        QueueError,
        BackendRefused,
    ) as problem:
        raise CommandFailed(Exit.STATE, str(problem)) from None
    except NoDisplay as problem:
        text = f"没有可用的显示器，请检查连接和 DISPLAY：no display ({problem})"
        raise CommandFailed(Exit.DEVICE, text) from None
    return Exit.OK


def _serve(config: TerminalConfig, state: StateDirectory, observe: Path | None) -> None:
    """Assemble, check, show the first screen, serve until asked to stop."""
    from kiosk.assembly import assemble
    from kiosk.clock import SystemClock

    with contextlib.ExitStack() as stack:
        watching = None
        if observe is not None:
            watching = stack.enter_context(observe.open("a", encoding="utf-8"))
        terminal = assemble(config, state, SystemClock())
        stack.callback(terminal.close)
        _loop(config, state, terminal, watching)
        terminal.station.record("terminal.stopped", outcome="ok", detail={"reason": "asked"})


def _loop(
    config: TerminalConfig, state: StateDirectory, terminal: Terminal, observe: TextIO | None
) -> None:
    from kiosk.events import Touch
    from kiosk.executor import ThreadedExecutor
    from kiosk.platform.limits import LineLimits
    from kiosk.platform.link import PlatformLink
    from kiosk.process import ServiceWatchdog
    from kiosk.runner import Runner
    from kiosk.services.hall import hall
    from ui.inputs import Closed, Touched, TouchedNothing
    from ui.theme import Theme
    from ui.window import Window

    station = terminal.station
    watchdog = ServiceWatchdog()
    executor = ThreadedExecutor()
    screen = config.screen
    window = Window(
        (screen.width, screen.height),
        theme=Theme.make(density=screen.density_ppi),
        fullscreen=screen.fullscreen,
        observe=observe,
    )
    runner = Runner(
        station=station,
        executor=executor,
        hall=hall,
        show=lambda moment: window.show(terminal.presenter.screen(moment)),
        wipe=window.forget,
        wake=window.wake,
    )
    link = PlatformLink(
        station.platform, LineLimits.of(config.limits), runner.post, clock=station.clock.time
    )
    with _stopped_by_signals() as stopping:
        try:
            if terminal.card_return is not None:
                terminal.card_return.post = runner.post
            terminal.readers.service.start(runner.post)
            _check(terminal, state)
            if station.printer is not None:
                station.printer.settle_open()
            runner.pump()
            watchdog.ready()
            link.start()
            terminal.courier.post = runner.post
            terminal.courier.start()
            while not stopping:
                due = runner.next_wake()
                wait = _LONGEST_SLEEP if due is None else min(due, _LONGEST_SLEEP)
                if watchdog.interval is not None:
                    wait = min(wait, watchdog.interval)
                for done in window.wait(wait):
                    match done:
                        case Touched(id=touched):
                            runner.post(Touch(touched))
                        case TouchedNothing():
                            runner.post(Touch(""))
                        case Closed():
                            stopping.append(signal.SIGTERM)
                runner.pump()
                watchdog.beat()
        finally:
            watchdog.stopping()
            runner.stop()
            link.stop()
            terminal.courier.stop()
            executor.close()
            station.put_card_down()
            window.close()


def _check(terminal: Terminal, state: StateDirectory) -> None:
    """The self-check, recorded; what it finds is seen again by the runner."""
    import time

    from kiosk.health import Severity, self_check

    station, readers = terminal.station, terminal.readers
    until = time.monotonic() + _FIRST_LOOK_SECONDS
    while not readers.service.readers() and time.monotonic() < until:
        time.sleep(0.005)
    findings = self_check(state, station.limits, readers.service, readers.contact, readers.psam)
    for finding in findings:
        if not finding.passed:
            station.record(
                "self-check.failed",
                outcome="refused" if finding.severity is Severity.REFUSES else "fault",
                detail={"check": finding.check, "reason": finding.reason},
            )
    if all(finding.passed for finding in findings):
        station.record("self-check.passed", outcome="ok", detail={"checks": len(findings)})


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[list[int]]:
    """A list that is no longer empty once somebody asked the process to end."""
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: asked.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


COMMAND = Command(
    name="kiosk",
    zh="运行自助终端",
    en="run the terminal",
    add_arguments=_add_arguments,
    run=_run,
)
