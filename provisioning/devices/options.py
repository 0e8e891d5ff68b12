"""Which terminal's devices are meant, and which of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.commands import CommandFailed, Exit
from kiosk.places import DEMO_CONFIG, FIELD_CONFIG, usual_config

if TYPE_CHECKING:
    from kiosk.config import TerminalConfig
    from kiosk.configured_devices import ConfiguredDevice, ConfiguredDevices


def add_terminal(parser: argparse.ArgumentParser) -> None:
    """Options that name the terminal."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"终端配置 configuration ({FIELD_CONFIG} or {DEMO_CONFIG} where they exist)",
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
    parser.add_argument("--json", action="store_true", help="输出 JSON for machines")


def add_kind(parser: argparse.ArgumentParser) -> None:
    """The kind of device, as the table of the configuration is called; none for all."""
    from drivers.device import DeviceKind

    names = ", ".join(kind.value for kind in DeviceKind)
    parser.add_argument(
        "kind",
        nargs="?",
        choices=[kind.value for kind in DeviceKind],
        metavar="KIND",
        help=f"设备种类，不填为全部 one kind, all where it is left out: {names}",
    )


def terminal(arguments: argparse.Namespace) -> TerminalConfig:
    """The configuration that is meant.

    Raises:
        CommandFailed: none is named, or it is refused.
    """
    from kiosk.config import ConfigError, load

    file = arguments.config or usual_config()
    if file is None:
        raise CommandFailed(Exit.USAGE, "请用 --config 指定终端配置：name a configuration")
    try:
        return load(file)
    except ConfigError as problem:
        raise CommandFailed(Exit.CONFIG, str(problem)) from None


def chosen(devices: ConfiguredDevices, kind: str | None) -> tuple[ConfiguredDevice, ...]:
    """The devices that are meant.

    Raises:
        CommandFailed: the configuration has none of that kind.
    """
    found = tuple(device for device in devices.values() if kind in (None, device.kind.value))
    if not found:
        text = f"配置中没有这种设备：the configuration has no {kind}"
        raise CommandFailed(Exit.USAGE, text)
    return found
