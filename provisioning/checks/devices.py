"""Card reader, PSAM and PIN pad, reached the way the terminal reaches them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.device import DeviceKind
from drivers.pin_pad import PadNote, PadReason
from kiosk.device_config import CardDriver, PadDriver
from provisioning.devices.words import Condition, note, obstacle
from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine

if TYPE_CHECKING:
    from drivers.card_service import CardService, ReaderState
    from drivers.events import DeviceEvent

_FIRST_LOOK = 3.0
"""Seconds for the smart card service to tell what readers it has."""
_SETTLE = 0.3
"""Seconds without a further reader after which the list counts as whole."""
_FREE = 2.0
"""Seconds for a slot to become free; a business step of the kiosk takes less."""
_CABLE = ("检查读卡器的电源和 USB 线", "check the reader's power and USB cable")
_RESTART = ("systemctl restart pcscd", "systemctl restart pcscd")
_PCSCD = ("systemctl enable --now pcscd.socket", "systemctl enable --now pcscd.socket")


_BY_DISPENSER = ("由发卡机读卡，见 dispenser 一项", "the dispenser reads cards: see dispenser")


def visit_readers(machine: Machine) -> Iterator[Finding]:
    """vpcd, pcsc, contact-reader, psam."""
    yield _vpcd(machine)
    config = machine.config
    if config is not None and config.card.driver is CardDriver.DIRECT:
        zh, en = "演示直连模式，不经读卡服务", "demonstration by socket, without the service"
        for name in ("pcsc", "contact-reader", "psam"):
            yield skipped(name, zh, en)
        return
    if config is not None and config.card.psam_in_dispenser:
        for name in ("pcsc", "contact-reader", "psam"):
            yield skipped(name, *_BY_DISPENSER)
        return
    missing = ""
    try:
        service = machine.card_service()
    except ImportError as error:
        missing = str(error)
    if missing:
        yield fail(
            "pcsc",
            ("缺少 pyscard 或 libpcsclite", "pyscard or libpcsclite is missing"),
            ("apt-get install pcscd libpcsclite1", "apt-get install pcscd libpcsclite1"),
        )
        return
    readers, lost = _first_look(service)
    try:
        if lost:
            yield fail("pcsc", ("读卡服务 pcscd 没有运行", "pcscd does not run"), _PCSCD)
            return
        if not readers and not service.answers("no reader", _FREE):
            yield fail("pcsc", ("读卡服务 pcscd 没有响应", "pcscd does not answer"), _RESTART)
            return
        names = "、".join(reader.name for reader in readers) or "无"
        yield ok("pcsc", f"读卡器：{names}", f"readers: {names}", readers=len(readers))
        yield _contact(machine, readers, service)
        yield _psam(machine, readers, service)
    finally:
        service.stop()


def _first_look(service: CardService) -> tuple[tuple[ReaderState, ...], bool]:
    """The readers, and whether the service is away."""
    from drivers.events import ServiceLost, ServiceRestored

    told: list[DeviceEvent] = []
    service.start(told.append)
    end = time.monotonic() + _FIRST_LOOK
    seen, seen_at = -1, time.monotonic()
    while (now := time.monotonic()) < end:
        if len(told) != seen:
            seen, seen_at = len(told), now
        # Nothing is posted when there is no reader; then only the time tells.
        if seen and now - seen_at >= _SETTLE:
            break
        time.sleep(0.02)
    lost = False
    for event in told:
        if isinstance(event, ServiceLost):
            lost = True
        elif isinstance(event, ServiceRestored):
            lost = False
    return service.readers(), lost


def _contact(machine: Machine, readers: tuple[ReaderState, ...], service: CardService) -> Finding:
    from apdu.errors import ReaderGone
    from drivers.card_service import find_reader

    if machine.config is not None and machine.config.card.driver is CardDriver.DISPENSER:
        return skipped("contact-reader", *_BY_DISPENSER)
    if not readers:
        return fail("contact-reader", ("没有读卡器", "there is no reader"), _CABLE)
    if machine.config is None:
        return skipped("contact-reader", "未指定 --config", "no --config given")
    part = machine.config.card.contact_reader
    reader = None
    with contextlib.suppress(ReaderGone):
        reader = find_reader(readers, part)
    if reader is None:
        return fail(
            "contact-reader",
            (f"没有名称含“{part}”的读卡器", f"no reader is named like {part!r}"),
            (
                "检查连线，或在配置中更正 card.contact_reader",
                "check the cable or card.contact_reader in the configuration",
            ),
        )
    held = _held("contact-reader", reader, service, ("取出卡片", "take the card out"))
    if held is not None:
        return held
    return ok("contact-reader", f"{reader.name}", f"{reader.name}", card_present=reader.present)


def _held(
    name: str, reader: ReaderState, service: CardService, first: tuple[str, str]
) -> Finding | None:
    """The finding for a slot that a call never comes back from: it is there, and of no use."""
    if service.answers(reader.name, _FREE):
        return None
    zh, en = first
    return fail(
        name,
        (f"{reader.name} 卡住：有一次读卡没有结束", f"{reader.name} is stuck in a call"),
        (
            f"{zh}；无效则重新插拔读卡器，再执行 systemctl restart pcscd",
            f"{en}; if that does not help, replug the reader, then systemctl restart pcscd",
        ),
        reader=reader.name,
        stuck=True,
    )


def _psam(machine: Machine, readers: tuple[ReaderState, ...], service: CardService) -> Finding:
    from apdu.errors import CardError, ReaderGone
    from drivers.card_service import find_reader

    if machine.config is None:
        return skipped("psam", "未指定 --config", "no --config given")
    part = machine.config.card.psam_reader
    if not part:
        return skipped("psam", "本机不配 PSAM，由平台验卡", "no PSAM: the platform holds the keys")
    reader = None
    with contextlib.suppress(ReaderGone):
        reader = find_reader(readers, part)
    if reader is None:
        return fail(
            "psam",
            (f"没有名称含“{part}”的卡槽", f"no slot is named like {part!r}"),
            ("检查连线，或在配置中更正 card.psam_reader", "check the cable or card.psam_reader"),
        )
    if not reader.present:
        return fail(
            "psam",
            (f"{reader.name} 中没有 PSAM 卡", f"no PSAM in {reader.name}"),
            ("断电后插入 PSAM 卡", "switch off and put the PSAM in"),
        )
    held = _held("psam", reader, service, ("停止自助程序", "stop the kiosk"))
    if held is not None:
        return held
    problem = ""
    try:
        connection = service.connect(reader.name)
        try:
            answer = connection.atr
        finally:
            connection.close()
    except CardError as error:
        problem = type(error).__name__
    if problem:
        return fail(
            "psam",
            (f"PSAM 卡没有应答（{problem}）", f"the PSAM does not answer ({problem})"),
            ("取出 PSAM 卡，检查方向后重新插入", "take the PSAM out and put it in the right way"),
        )
    return ok("psam", "已插入并应答", "present and answering", atr=answer.hex().upper())


def _vpcd(machine: Machine) -> Finding:
    found = sorted(_vpcd_files(machine.root))
    if not found:
        return ok("vpcd", "未安装", "not installed")
    if machine.in_field:
        return fail(
            "vpcd",
            ("正式终端上装有虚拟读卡器驱动，可伪造卡片", "installed: cards could be forged"),
            ("apt-get purge vsmartcard-vpcd", "apt-get purge vsmartcard-vpcd"),
            path=str(found[0]),
        )
    return ok(
        "vpcd", "已安装（仅限演示机）", "installed (fine for a demonstration)", path=str(found[0])
    )


def _vpcd_files(root: Path) -> Iterator[Path]:
    yield from (root / "etc/reader.conf.d").glob("vpcd*")
    for library in ("usr/lib", "usr/local/lib", "usr/lib64"):
        yield from (root / library).glob("pcsc/drivers/**/libifdvpcd.so*")
        yield from (root / library).glob("*/pcsc/drivers/**/libifdvpcd.so*")


def visit_pad(machine: Machine) -> Iterator[Finding]:
    """pad."""
    config = machine.config
    if config is None:
        yield skipped("pad", "未指定 --config", "no --config given")
        return
    if config.pad is None:
        yield skipped("pad", "配置中没有密码键盘", "the configuration has no pad")
        return
    if config.pad.driver is PadDriver.CCID:
        yield skipped(
            "pad", "用读卡器自带的键盘，插卡后才能检查", "a reader's keys: known with a card"
        )
        return
    pad = machine.open_pad(config)
    try:
        status = pad.status()
    finally:
        pad.close()
    facts: dict[str, str | int | float | bool] = {}
    name = config.pad.port
    if status.identity is not None:
        name = status.identity.model
        facts = {
            "model": name,
            "software": status.identity.software,
            "serial": status.identity.serial,
        }
    loaded_later = status.reason is PadReason.NO_KEY and config.pad.plain_key_load
    if status.reason is None or loaded_later:
        if PadNote.BATTERY_LOW in status.notes:
            told, advice = _in_words(name, note(DeviceKind.PAD, PadNote.BATTERY_LOW.value))
            yield warn("pad", told, advice, **facts)
        else:
            yield ok("pad", f"{name} 应答", f"{name} answers", **facts)
        return
    severity = warn if status.reason is PadReason.BUSY else fail
    told, advice = _in_words(name, obstacle(DeviceKind.PAD, status.reason.value))
    yield severity("pad", told, advice, reason=status.reason.value, **facts)


def _in_words(name: str, found: Condition) -> tuple[tuple[str, str], tuple[str, str]]:
    told, advice = found.told, found.advice
    return (f"{name} {told.zh}", f"{name} {told.en}"), (advice.zh, advice.en)
