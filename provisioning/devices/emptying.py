"""``yikatong devices bin-emptied``: staff took the kept cards out of the dispenser's bin."""

from __future__ import annotations

import argparse
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiosk.commands import CommandFailed, Exit, complain, say, say_json
from provisioning.devices.options import add_terminal, terminal
from provisioning.devices.stopped import stopped

if TYPE_CHECKING:
    from drivers.dispenser import Dispenser
    from kiosk.capture import Captured
    from kiosk.state import StateDirectory

_DESCRIPTION = """\
取空废卡箱后执行：说明箱里应有几张卡、何时收回，然后从零计数。先停止自助程序。
After the bin was emptied: tells how many cards should have been in it and when they were kept, then
counts from zero. Stop the kiosk first.

退出码 exit codes:  0 完成 done   2 用法有误 usage   4 状态目录不可用 state in use, not audited
                    5 本机已清零，设备没有应答 counted anew here, the device did not answer"""


def add_to(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "bin-emptied",
        help="废卡箱已取空 account for the dispenser's bin",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_terminal(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Tell the count and begin anew, here and in the device."""
    from kiosk.configured_devices import ConfiguredDevices

    config = terminal(arguments)
    if config.dispenser is None:
        text = "配置中没有发卡机：the configuration has no dispenser"
        raise CommandFailed(Exit.USAGE, text)
    # The kiosk keeps the count while it runs, and the device's port.
    with (
        stopped(arguments, config) as (state, terminal_id),
        contextlib.closing(ConfiguredDevices(config)) as devices,
    ):
        before, device = _empty(state, terminal_id, devices.dispenser())
    if arguments.json:
        say_json(
            {
                "captured": before.count,
                "times": list(before.times),
                "emptied_before": before.emptied,
                "device": device,
            }
        )
    else:
        _tell(before, device)
    return Exit.OK if device is not None else Exit.DEVICE


def _empty(
    state: StateDirectory, terminal_id: str, dispenser: Dispenser
) -> tuple[Captured, int | None]:
    """What was counted here, and by the device, None where it does not answer."""
    from drivers.dispenser import DispenserError
    from kiosk.capture import CaptureRecord
    from kiosk.clock import SystemClock
    from kiosk.queue_desk.trail import trail

    with trail(state.path, terminal_id) as commands:
        record = CaptureRecord(state.path, SystemClock())
        before = record.captured
        record.emptied()
        counted: int | None = None
        try:
            counted = dispenser.counters().captured
            dispenser.bin_was_emptied()
        except DispenserError:
            counted = None
        outcome = "ok" if counted is not None else "fault"
        commands.record("card.bin-emptied", outcome=outcome, detail={"count": before.count})
    return before, counted


def _tell(before: Captured, device: int | None) -> None:
    count = before.count
    say(f"✓ 已从零计数，箱中应有 {count} 张  {count} cards should have been in the bin")
    for moment in before.times:
        say(f"    {datetime.fromtimestamp(moment).astimezone():%Y-%m-%d %H:%M:%S}")
    if count > len(before.times):
        say(f"    此前 earlier: {count - len(before.times)}")
    if device is None:
        complain("发卡机没有应答，其计数未清零 the dispenser did not answer and counts on")
    elif device != count:
        say(f"  设备自计 {device} 张 by the device's own count: {device}")
