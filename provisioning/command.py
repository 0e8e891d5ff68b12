"""``yikatong provision``: give a bare machine its identity, and show it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.commands import Command, CommandFailed, Exit, say, say_json

if TYPE_CHECKING:
    from kiosk.keys import TerminalKeys
    from kiosk.platform.errors import PlatformError
    from kiosk.state import StateDirectory

_REFUSALS = {
    "forbidden": (
        "登记码不对、已被使用，或不属于本机的行政区划",
        "the code is wrong, used, or of another division",
    ),
    "invalid": ("平台不接受本机的登记资料", "the platform does not accept this machine's data"),
    "too-many": ("登记过于频繁，请稍后再试", "too many attempts, try again later"),
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    enrolling = actions.add_parser("enrol", help="登记本机 enrol this machine at its platform")
    enrolling.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="终端配置 terminal configuration"
    )
    enrolling.add_argument(
        "--code", required=True, metavar="CODE", help="一次性登记码 one-time code, - for stdin"
    )
    showing = actions.add_parser("show", help="显示本机身份 show this machine's identity")
    showing.add_argument(
        "--config", type=Path, metavar="FILE", help="终端配置 terminal configuration"
    )
    for action in (enrolling, showing):
        action.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
        action.add_argument("--json", action="store_true", help="输出 JSON for machines")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.action == "enrol":
        return _enrol(arguments)
    return _show(arguments)


def _enrol(arguments: argparse.Namespace) -> int:
    from apdu.crypto.errors import BackendRefused
    from kiosk.config import ConfigError, load
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.platform.errors import PlatformError
    from kiosk.platform.exchange import Exchange, new_session
    from kiosk.platform.limits import LineLimits
    from kiosk.state import StateDirectory, StateError
    from provisioning.enrol import Place, ask_platform, enrol

    try:
        config = load(arguments.config)
    except ConfigError as problem:
        raise CommandFailed(Exit.CONFIG, f"配置有误 configuration refused: {problem}") from None
    code = sys.stdin.readline() if arguments.code == "-" else arguments.code
    code = code.strip()
    if not 1 <= len(code) <= 64 or not code.isprintable():
        raise CommandFailed(Exit.USAGE, "登记码应为 1 至 64 个字符 a code has 1 to 64 characters")
    exchange = Exchange(
        config.platform.url,
        LineLimits.of(config.limits),
        lambda: new_session(config.platform.tls),
    )
    place = Place(config.division, config.machine, config.platform.url)
    try:
        state = StateDirectory(arguments.state or config.state)
        store = KeyStore(state.keys)
        with state.lock():
            enrol(store, place, code, ask_platform(exchange))
        keys = store.load()
    except (StateError, KeyStoreError, OSError) as problem:
        raise CommandFailed(
            Exit.STATE, f"状态目录或密钥不可用 state directory or keys unusable: {problem}"
        ) from None
    except BackendRefused as problem:
        raise CommandFailed(
            Exit.FAILED,
            f"本机不能生成国密密钥，请安装 OpenSSL 3 no usable libcrypto for SM2: {problem}",
        ) from None
    except PlatformError as problem:
        raise CommandFailed(Exit.PLATFORM, _explain(problem, place.platform_url)) from None
    finally:
        exchange.close()
    _tell(state, keys, as_json=arguments.json, headline="登记完成 enrolled")
    return Exit.OK


def _explain(problem: PlatformError, url: str) -> str:
    from kiosk.platform.errors import PlatformRefused, PlatformUnavailable, PlatformUntrusted

    if isinstance(problem, PlatformUnavailable):
        return (
            f"连不上省级平台 {url}（{problem.outage.value}）。"
            "请检查网线、地址和防火墙后，用同一登记码再执行一次。 "
            "The platform does not answer; repeat with the same code."
        )
    if isinstance(problem, PlatformRefused):
        zh, en = _REFUSALS.get(
            problem.problem.value, ("平台拒绝登记", "the platform refused the enrolment")
        )
        return f"{zh}（{problem.problem.value}）。请向平台管理员索取新的登记码。 {en}."
    if isinstance(problem, PlatformUntrusted):
        return (
            f"{url} 的答复不可信（{problem.distrust.value}）。"
            "请核对平台地址和 CA 证书，不要继续。 Something else answers at this address."
        )
    return f"平台的答复不符合接口约定，请联系平台管理员。 {problem}"


def _show(arguments: argparse.Namespace) -> int:
    from kiosk.config import ConfigError, load
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.places import usual_state
    from kiosk.state import StateDirectory, StateError

    path = arguments.state
    if path is None and arguments.config is not None:
        try:
            path = load(arguments.config).state
        except ConfigError as problem:
            raise CommandFailed(Exit.CONFIG, f"配置有误 configuration refused: {problem}") from None
    path = path or usual_state()
    if not path.is_dir():
        raise CommandFailed(Exit.STATE, f"没有状态目录 there is no state directory {path}")
    try:
        state = StateDirectory(path)
        keys = KeyStore(state.keys).load()
    except (StateError, KeyStoreError) as problem:
        raise CommandFailed(
            Exit.STATE,
            f"本机尚未登记或密钥不可用，请执行 yikatong provision enrol: {problem}",
        ) from None
    _tell(state, keys, as_json=arguments.json, headline="本机身份 identity")
    return Exit.OK


def _tell(state: StateDirectory, keys: TerminalKeys, *, as_json: bool, headline: str) -> None:
    from datetime import datetime

    from provisioning.enrol import fingerprint

    enrolment = keys.enrolment
    key_print = fingerprint(keys.private_key.public_key())
    platform_print = fingerprint(enrolment.platform_key)
    when = datetime.fromtimestamp(enrolment.enrolled_at).astimezone().isoformat()
    if as_json:
        say_json(
            {
                "terminal_id": enrolment.terminal_id,
                "division": enrolment.division,
                "platform_url": enrolment.platform_url,
                "key_fingerprint": key_print,
                "platform_key_fingerprint": platform_print,
                "enrolled_at": enrolment.enrolled_at,
                "state": str(state.path),
            }
        )
        return
    say(headline)
    say(f"  终端编号 terminal id      {enrolment.terminal_id}")
    say(f"  行政区划 division         {enrolment.division}")
    say(f"  省级平台 platform         {enrolment.platform_url}")
    say(f"  终端公钥指纹 key          {key_print}")
    say(f"  平台公钥指纹 platform key {platform_print}")
    say(f"  登记时间 enrolled         {when}")
    say(f"  状态目录 state            {state.path}")


COMMAND = Command(
    name="provision",
    zh="登记本机，生成并查看终端身份",
    en="enrol this machine and show its identity",
    add_arguments=_add_arguments,
    run=_run,
)
