"""Devices whose whole check is how they stand: ID reader, camera, dispenser, receipts, sensors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from drivers.device import DeviceKind
from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine


def visit(kind: DeviceKind) -> Callable[[Machine], Iterator[Finding]]:
    """The check of one kind, named like it."""
    return lambda machine: _visit(machine, kind)


def _visit(machine: Machine, kind: DeviceKind) -> Iterator[Finding]:
    from kiosk.configured_devices import ConfiguredDevices
    from provisioning.devices.asking import ask
    from provisioning.devices.standing import Verdict, standing
    from provisioning.devices.words import kind_name

    name = kind.value
    if machine.config is None:
        yield skipped(name, "未指定 --config", "no --config given")
        return
    with contextlib.closing(ConfiguredDevices(machine.config)) as devices:
        if kind not in devices:
            called = kind_name(kind)
            yield skipped(name, f"配置中没有{called.zh}", f"the configuration has no {called.en}")
            return
        (answer,) = ask([devices[kind]], machine.state)
    found, address = standing(answer), answer.device.address
    told = f"{address} {found.told.zh}", f"{address} {found.told.en}"
    if found.advice is None or (found.serves and found.verdict is Verdict.IN_USE):
        yield ok(name, *told)
        return
    severity = warn if found.serves or found.verdict is Verdict.IN_USE else fail
    advice = found.advice.zh, found.advice.en
    yield severity(name, told, advice, verdict=found.verdict.value, reason=found.reason or "")
