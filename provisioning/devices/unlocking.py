"""``yikatong devices unlock``: an engineer has looked at a terminal whose case was opened."""

from __future__ import annotations

import argparse
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiosk.commands import CommandFailed, Exit, say, say_json
from provisioning.devices.options import add_terminal, terminal
from provisioning.devices.stopped import stopped

if TYPE_CHECKING:
    from drivers.sensors import SensorsStatus
    from kiosk.config import TerminalConfig
    from kiosk.state import StateDirectory

_DESCRIPTION = """\
机身被打开后，终端一直锁定，断电重启也不恢复。查明原因、机箱复原后执行，解除锁定。先停止自助程序。
A terminal whose case was opened stays locked, over restarts too. Unlocks it once the cause is known
and the case is closed again. Stop the kiosk first.

退出码 exit codes:  0 已解除或本未锁定 unlocked, or was not locked   2 用法有误 usage
                    4 状态目录不可用 state in use, not audited
                    5 机箱未复原或传感器无应答 the case is open, or the sensors can't tell"""


def add_to(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "unlock",
        help="机箱复原后解除防拆锁定 unlock a terminal whose case was opened",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_terminal(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Unlock it where it is locked and the case is closed."""
    config = terminal(arguments)
    # The kiosk owns the sensors while it runs, and would stay locked.
    with stopped(arguments, config) as (state, terminal_id):
        was_locked, since = _unlock(config, state, terminal_id)
    if arguments.json:
        say_json({"was_locked": was_locked, "since": since})
    elif was_locked:
        say("✓ 已解除锁定 unlocked")
        if since is not None:
            moment = datetime.fromtimestamp(since).astimezone()
            say(f"    锁定于 locked at {moment:%Y-%m-%d %H:%M:%S}")
    else:
        say("✓ 终端未锁定 the terminal was not locked")
    return Exit.OK


def _unlock(
    config: TerminalConfig, state: StateDirectory, terminal_id: str
) -> tuple[bool, int | None]:
    """Whether it was locked, and since when."""
    from kiosk.clock import SystemClock
    from kiosk.queue_desk.trail import trail
    from kiosk.tamper_lock import TamperLock

    lock = TamperLock(state.path, SystemClock())
    if not lock.locked:
        return False, None
    since = lock.since
    _check_case(config)
    with trail(state.path, terminal_id) as commands:
        commands.record("terminal.unlocked", actor="engineer", detail={})
        lock.unlock()
    return True, since


def _check_case(config: TerminalConfig) -> None:
    """Raises CommandFailed: the case is open, or nobody can tell. A terminal whose sensors were
    taken out of its configuration has no case to look at."""
    status = _look(config)
    if status is None or status.reason is None:
        return
    from drivers.device import DeviceKind
    from provisioning.devices.words import obstacle

    found = obstacle(DeviceKind.SENSORS, status.reason.value)
    told, advice = found.told, found.advice
    text = f"未解除锁定 still locked：{told.zh}，{advice.zh}。\n{told.en}: {advice.en}."
    raise CommandFailed(Exit.DEVICE, text)


def _look(config: TerminalConfig) -> SensorsStatus | None:
    from kiosk.devices import open_sensors

    if config.sensors is None:
        return None
    with contextlib.closing(open_sensors(config.sensors)) as sensors:
        # The first look also tells what was open at any moment before it.
        sensors.status()
        return sensors.status()
