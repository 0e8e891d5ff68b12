"""The platform and the clock, which only the platform can judge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine

_OLDEST_YEAR = 2026
"""This software did not exist before."""
_LAST_YEAR = 2099
_TOLERABLE_OFFSET = 30
_NTP = ("timedatectl set-ntp true，或手动校时", "timedatectl set-ntp true, or set the time")


def visit(machine: Machine) -> Iterator[Finding]:
    """platform, clock."""
    finding, offset = _platform(machine)
    yield finding
    yield _clock(machine, offset)


def _platform(machine: Machine) -> tuple[Finding, float | None]:
    """How the platform answers, and how far its clock is ahead of ours, in seconds."""
    from kiosk.keys import KeyStore, KeyStoreError

    if machine.config is None:
        return skipped("platform", "未指定 --config", "no --config given"), None
    keys = None
    if machine.state is not None:
        try:
            keys = KeyStore(machine.state / "keys").load()
        except KeyStoreError:
            # Told by the check of the keys; the line can be tried all the same.
            keys = None
    if keys is None:
        return _unsigned(machine), None

    from kiosk.line import open_line
    from kiosk.pack import PackError, read_root
    from kiosk.pack import load as load_pack
    from kiosk.platform.envelope import CONTRACT
    from kiosk.platform.errors import ClockWrong, PlatformError
    from kiosk.platform.outcome import Outcome, Reached

    config = machine.config
    outcomes: list[Outcome] = []
    today = date.fromtimestamp(machine.clock())
    try:
        root = read_root(config.pack.root_key)
        envelope = load_pack(config.pack.folder, root, today=today).envelope
    except PackError:
        # Told by the check of the pack; without it one still sees whether anybody answers.
        envelope = CONTRACT
    client = open_line(config, keys, envelope, clock=machine.clock, observe=outcomes.append)
    error: PlatformError | None = None
    version = ""
    try:
        version = client.status().catalogue_version
    except PlatformError as problem:
        error = problem
    finally:
        client.close()
    offset = None
    if outcomes and isinstance(outcomes[0], Reached):
        offset = outcomes[0].server_time - machine.clock()
    if isinstance(error, ClockWrong):
        offset = error.server_time - machine.clock()
    if error is not None:
        return _refused(config.platform.url, error), offset
    return (
        ok(
            "platform",
            f"{config.platform.url} 应答，签名成立",
            f"{config.platform.url} answers, its signature holds",
            url=config.platform.url,
            catalogue_version=version,
        ),
        offset,
    )


def _refused(url: str, error: Exception) -> Finding:
    from kiosk.platform.errors import (
        ClockWrong,
        NotAdmitted,
        PlatformRefused,
        PlatformUnavailable,
        PlatformUntrusted,
        Problem,
    )

    match error:
        case PlatformUnavailable():
            reason = error.outage.value
            return fail(
                "platform",
                (f"{url} 没有应答（{reason}）", f"{url} does not answer ({reason})"),
                ("检查网线、专网路由、地址和防火墙", "check cable, routes, address and firewall"),
                reason=reason,
            )
        case PlatformUntrusted():
            reason = error.distrust.value
            return fail(
                "platform",
                (f"{url} 的应答不可信（{reason}）", f"{url} is not believed ({reason})"),
                (
                    "核对平台地址和证书；平台换过密钥时需重新登记",
                    "check address and certificate; enrol again if the platform changed its key",
                ),
                reason=reason,
            )
        case NotAdmitted():
            return fail(
                "platform",
                (f"{url} 不接受本机的证书", f"{url} does not accept this machine's certificate"),
                (
                    "核对 [platform] 的 client_certificate 与 client_key，必要时换发证书",
                    "check client_certificate and client_key of [platform]; renew the certificate",
                ),
                reason=error.reason,
            )
        case ClockWrong():
            return fail(
                "platform",
                ("平台因本机时钟不准而拒绝", "the platform refuses this machine's clock"),
                _NTP,
                reason="clock",
            )
        case PlatformRefused(problem=Problem.UNKNOWN_TERMINAL | Problem.SIGNATURE):
            return fail(
                "platform",
                ("平台不认识本机", "the platform does not know this machine"),
                ("用新的登记码执行 yikatong provision enrol", "enrol again with a new code"),
                reason=error.problem.value,
            )
        case PlatformRefused():
            reason = error.problem.value
            return fail(
                "platform",
                (f"平台拒绝（{reason}）", f"the platform refused ({reason})"),
                ("请联系平台管理员", "ask the platform's staff"),
                reason=reason,
            )
        case _:
            return fail(
                "platform",
                ("平台的应答不符合接口约定", "the platform's answer is against the contract"),
                ("核对双方的软件版本", "compare the versions of both sides"),
                reason="malformed",
            )


def _unsigned(machine: Machine) -> Finding:
    """Before the enrolment: whether anything answers at the address, TLS included."""
    from kiosk.platform.errors import PlatformError
    from kiosk.platform.exchange import Exchange, Outgoing, new_session
    from kiosk.platform.limits import LineLimits

    assert machine.config is not None
    config = machine.config
    exchange = Exchange(
        config.platform.url,
        LineLimits.of(config.limits),
        lambda: new_session(config.platform.tls),
    )
    problem: PlatformError | None = None
    try:
        exchange.send(Outgoing("GET", "/v1/status", {}, b""), lambda _request: None)
    except PlatformError as error:
        problem = error
    finally:
        exchange.close()
    if problem is not None:
        return _refused(config.platform.url, problem)
    url = config.platform.url
    return warn(
        "platform",
        (f"{url} 可达，本机尚未登记", f"{url} answers; this machine is not enrolled"),
        ("请执行 yikatong provision enrol", "run yikatong provision enrol"),
        url=url,
    )


def _clock(machine: Machine, offset: float | None) -> Finding:
    from kiosk.platform.limits import CLOCK_WINDOW_SECONDS

    now = machine.clock()
    year = datetime.fromtimestamp(now, tz=UTC).year
    if not _OLDEST_YEAR <= year <= _LAST_YEAR:
        return fail("clock", (f"年份是 {year}", f"the year is {year}"), _NTP, year=year)
    if offset is None:
        return ok(
            "clock",
            "年份合理（未能与平台比对）",
            "the year is sane (not compared with the platform)",
            year=year,
        )
    told = (
        f"与平台相差 {abs(offset):.0f} 秒",
        f"{abs(offset):.0f} s away from the platform",
    )
    if abs(offset) > CLOCK_WINDOW_SECONDS:
        return fail("clock", told, _NTP, offset_seconds=round(offset, 1))
    if abs(offset) > _TOLERABLE_OFFSET:
        return warn("clock", told, _NTP, offset_seconds=round(offset, 1))
    return ok("clock", *told, offset_seconds=round(offset, 1))
