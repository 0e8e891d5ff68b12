"""``yikatong card read``: what one card says of itself, for people and other programs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.commands import Command, CommandFailed, Exit, complain, say, say_json
from kiosk.places import DEMO_CONFIG, FIELD_CONFIG, usual_config

if TYPE_CHECKING:
    from apdu.custodian import Custodian
    from apdu.reading import CardReading
    from apdu.trace import Sink
    from drivers.card_service import CardConnection, CardService, ReaderState
    from kiosk.config import TerminalConfig

DEADLINE_SECONDS = 9.0
"""The whole command answers within ten seconds, also on a card that never does."""
_FIRST_LOOK_SECONDS = 1.0


class CardExit(IntEnum):
    """Exit codes of ``card`` beside the common ones."""

    NO_CARD = 10
    UNKNOWN_CARD = 11
    MUTE = 12
    TORN = 13
    DAMAGED = 14


_EPILOG = """退出码 exit codes:
   0  已读取 read               5  没有读卡器或服务 no reader or no smart card service
  10  没有卡 no card           11  不是社会保障卡 no social security card
  12  卡无应答 mute card       13  读取中被拔出 pulled while reading
  14  数据损坏 damaged card     7  无权显示完整信息 --full not allowed here
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    read = actions.add_parser(
        "read",
        help="读卡并核验真伪 read a card and let it prove itself",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    read.add_argument("--reader", metavar="NAME-PART", help="读卡器名称的一部分 part of its name")
    read.add_argument(
        "--full",
        action="store_true",
        help="显示完整信息（仅演示配置，会留痕）unmasked; demo configuration only, audited",
    )
    read.add_argument("--json", action="store_true", help="输出 JSON for machines")
    read.add_argument(
        "--trace",
        action="store_true",
        help="逐条显示指令（已脱敏）show each command, nothing personal in it",
    )
    read.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"终端配置 configuration ({FIELD_CONFIG} or {DEMO_CONFIG} where they exist)",
    )
    read.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.config import ConfigError
    from kiosk.config import load as load_config

    file = arguments.config or usual_config()
    try:
        config = load_config(file) if file is not None else None
    except ConfigError as problem:
        raise CommandFailed(Exit.CONFIG, str(problem)) from None
    if arguments.full:
        _allow_full(config)
    trace: Sink | None = (lambda line: complain(str(line))) if arguments.trace else None
    reading, duration = _within_deadline(arguments.reader, config, trace)
    if arguments.full and config is not None:
        _leave_trace(config, arguments.state or config.state)
    shown = describe(reading, duration, full=arguments.full)
    if arguments.json:
        say_json(shown)
    else:
        _print(shown)
    return Exit.OK


def _allow_full(config: TerminalConfig | None) -> None:
    from kiosk.config import Kind

    if config is None or config.kind is not Kind.DEMO:
        raise CommandFailed(
            Exit.REFUSED,
            "完整信息只有业务员登录或演示配置可以显示："
            "--full needs the clerk role or a demo configuration",
        )


def _leave_trace(config: TerminalConfig, state_path: Path) -> None:
    """Showing a resident in full on a command line is audited, in a log of its own (DESIGN §9)."""
    from kiosk.audit.log import AuditLog, AuditUnavailable
    from kiosk.clock import SystemClock
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.state import StateDirectory, StateError

    try:
        state = StateDirectory(state_path)
        terminal = KeyStore(state.keys).enrolment().terminal_id
        log = AuditLog(state.audit / "commands.jsonl", terminal, SystemClock())
        log.write("card.dumped", actor="engineer")
        log.close()
    except (AuditUnavailable, KeyStoreError, StateError) as problem:
        raise CommandFailed(Exit.STATE, f"无法留痕，不显示：not shown, {problem}") from None


def _within_deadline(
    name_part: str | None, config: TerminalConfig | None, trace: Sink | None
) -> tuple[CardReading, float]:
    """Read on a worker; a card that never answers is left to it when the time is up."""
    import threading

    from apdu.errors import CardMute
    from drivers.worker import Done, Worker

    over = threading.Event()
    outcome: list[Done[tuple[CardReading, float]]] = []

    def done(result: Done[tuple[CardReading, float]]) -> None:
        outcome.append(result)
        over.set()

    worker = Worker("card")
    worker.submit(lambda: _read(name_part, config, trace), done)
    try:
        if not over.wait(DEADLINE_SECONDS):
            raise CardMute("no answer in time")
        return outcome[0].result()
    except Exception as error:
        raise _explained(error) from None
    finally:
        worker.close(timeout=0.1)


def _explained(error: Exception) -> Exception:
    from apdu import errors as card
    from kiosk.logs import describe as describe_error

    known: tuple[tuple[type[Exception], int, str], ...] = (
        (card.CardAbsent, CardExit.NO_CARD, "读卡器里没有卡 no card in the reader"),
        (card.CardRemoved, CardExit.TORN, "读取过程中卡被拔出 the card was pulled while reading"),
        (card.CardMute, CardExit.MUTE, "卡片没有应答 the card does not answer"),
        (card.UnknownCard, CardExit.UNKNOWN_CARD, "不是社会保障卡 not a social security card"),
        (card.ReaderGone, Exit.DEVICE, "没有可用的读卡器 no reader, or no smart card service"),
        (card.ReaderBusy, Exit.DEVICE, "读卡器被其他程序占用 another program holds the reader"),
        (card.CardReset, Exit.DEVICE, "卡被其他程序复位 another program reset the card"),
        (card.CardError, CardExit.DAMAGED, "卡片数据异常 the card's answers make no sense"),
    )
    for kind, code, text in known:
        if isinstance(error, kind):
            detail = f"（{describe_error(error)}）" if kind is card.CardError else ""
            return CommandFailed(code, text + detail)
    return error


def _read(
    name_part: str | None, config: TerminalConfig | None, trace: Sink | None
) -> tuple[CardReading, float]:
    """The reading and how long it took in ms, the look at the readers not counted."""
    from apdu.custodian import FirstThatCan
    from apdu.errors import CardAbsent
    from apdu.reading import read_card

    with _started(config) as service:
        states = _first_look(service)
        chosen = [state for state in states if (name_part or "") in state.name]
        if not chosen:
            from apdu.errors import ReaderGone

            raise ReaderGone
        resident, psam = _tell_apart(service, states, chosen)
        try:
            if resident is None:
                raise CardAbsent
            started = time.perf_counter()
            with resident.transaction():
                reading = read_card(resident, FirstThatCan(psam), trace=trace)
            return reading, (time.perf_counter() - started) * 1000
        finally:
            if resident is not None:
                resident.close()


@contextmanager
def _started(config: TerminalConfig | None) -> Iterator[CardService]:
    from drivers.pcsc.service import PcscService
    from kiosk.devices import open_readers

    service = open_readers(config.card).service if config is not None else PcscService()
    service.start(lambda _event: None)
    try:
        yield service
    finally:
        service.stop()


def _first_look(service: CardService) -> tuple[ReaderState, ...]:
    until = time.monotonic() + _FIRST_LOOK_SECONDS
    while not (states := service.readers()) and time.monotonic() < until:
        time.sleep(0.005)
    return states


def _tell_apart(
    service: CardService, states: tuple[ReaderState, ...], chosen: list[ReaderState]
) -> tuple[CardConnection | None, tuple[Custodian, ...]]:
    """The resident's card, and the PSAMs found in any reader.

    A PSAM is known by its application; a mute card among those chosen is an error only when no
    other of them holds a resident's card.
    """
    from apdu.errors import CardAbsent, CardError, CardMute
    from apdu.psam import PsamCustodian, is_psam

    resident: CardConnection | None = None
    mute: CardError | None = None
    found: list[Custodian] = []
    for state in states:
        # The monitor may not have looked into the slots yet: connecting tells.
        try:
            connection = service.connect(state.name)
        except CardAbsent:
            continue
        except CardMute as error:
            mute = error if state in chosen else mute
            continue
        if is_psam(connection):
            found.append(PsamCustodian(connection))
        elif state in chosen and resident is None:
            resident = connection
        else:
            connection.close()
    if resident is None and mute is not None:
        raise mute
    return resident, tuple(found)


def describe(reading: CardReading, duration_ms: float, *, full: bool) -> dict[str, Any]:
    """The reading as JSON values; names and numbers masked unless ``full``."""
    from kiosk.masking import mask_name, mask_number, tail

    issuer, holder = reading.issuer, reading.holder
    person: dict[str, Any] | None = None
    if holder is not None:
        person = {
            "social_security_number": holder.social_security_number
            if full
            else mask_number(holder.social_security_number),
            "name": holder.name if full else mask_name(holder.name),
            "sex": holder.sex.value if holder.sex else None,
            "nation": holder.nation,
            "birthplace": holder.birthplace if full else None,
            "birth_date": holder.birth_date.isoformat() if full and holder.birth_date else None,
        }
    card_id = issuer.card_id.hex().upper()
    return {
        "profile": reading.profile,
        "atr": reading.atr.hex().upper() if full else reading.atr[:-4].hex().upper() + "…",
        "issuer": {
            "card_id": card_id if full else card_id[:16] + "…",
            "card_class": issuer.card_class,
            "version": issuer.version,
            "organisation": issuer.organisation,
            "issued": issuer.issued.isoformat() if issuer.issued else None,
            "expires": issuer.expires.isoformat() if issuer.expires else None,
            "card_number": issuer.card_number if full else "…" + tail(issuer.card_number),
        },
        "holder": person,
        "holder_unavailable": reading.holder_unavailable.value
        if reading.holder_unavailable
        else None,
        "genuine": reading.genuine,
        "consistent": reading.consistent,
        "apdus": reading.apdus,
        "duration_ms": round(duration_ms, 1),
    }


_GENUINE = {
    True: "真卡 genuine",
    False: "未通过核验 NOT genuine",
    None: "无法判断 nobody could tell",
}


def _print(shown: dict[str, Any]) -> None:
    from rich.cells import cell_len

    issuer, holder = shown["issuer"], shown["holder"]
    lines = [
        ("卡认证 genuine", _GENUINE[shown["genuine"]]),
        ("规范版本 version", f"{issuer['version']} ({shown['profile']})"),
        ("卡号 card number", issuer["card_number"]),
        ("卡识别码 card id", issuer["card_id"]),
        ("发卡日期 issued", issuer["issued"] or "-"),
        ("有效期至 expires", issuer["expires"] or "-"),
    ]
    if holder is None:
        lines.append(("持卡人 holder", f"未读取 not read: {shown['holder_unavailable']}"))
    else:
        lines.append(("姓名 name", holder["name"]))
        lines.append(("社会保障号码 number", holder["social_security_number"]))
    lines.append(("用时 time", f"{shown['duration_ms']} ms, {shown['apdus']} APDU"))
    for label, value in lines:
        # A Han character takes two columns.
        say(label + " " * max(1, 26 - cell_len(label)) + value)


COMMAND = Command(name="card", zh="读卡", en="read a card", add_arguments=_add_arguments, run=_run)
