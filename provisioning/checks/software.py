"""Python, libraries, cryptography, and what the process may do."""

from __future__ import annotations

import locale
import os
import re
import resource
import sys
from collections.abc import Iterator
from importlib import metadata

from provisioning.findings import Finding, fail, ok, warn
from provisioning.machine import Machine

_DISTRIBUTION = "yikatong-terminal"
_OLDEST = (3, 11)


def visit(_machine: Machine) -> Iterator[Finding]:
    """python, libraries, sm2."""
    yield _python()
    yield _libraries()
    yield _sm2()


def visit_process(machine: Machine) -> Iterator[Finding]:
    """core-dumps, memory-lock, locale."""
    yield _core_dumps(machine)
    yield _memory_lock(machine)
    yield _locale(machine)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < _OLDEST:
        return fail(
            "python",
            (f"版本 {version} 过旧", f"version {version} is too old"),
            ("请安装 Python 3.11 或更新版本", "install Python 3.11 or newer"),
            version=version,
        )
    return ok("python", f"Python {version}", f"Python {version}", version=version)


def _libraries() -> Finding:
    try:
        requirements = metadata.requires(_DISTRIBUTION) or []
        own = metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return fail(
            "libraries",
            ("本程序未按安装包安装", "this program is not installed as a package"),
            ("请重新安装终端软件", "install the terminal software again"),
        )
    versions: dict[str, str] = {"yikatong": own}
    wrong: list[str] = []
    for requirement in requirements:
        name, ranges, marker = _parts(requirement)
        if "extra" in marker:
            continue
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name}（缺少 missing）")
            continue
        if not all(_fits(versions[name], bound) for bound in ranges):
            wrong.append(f"{name} {versions[name]}（需要 needs {','.join(ranges)}）")
    if wrong:
        return fail(
            "libraries",
            ("、".join(wrong), "missing or of another version: see left"),
            ("请重新安装终端软件", "install the terminal software again"),
            **versions,
        )
    count = len(versions) - 1
    return ok("libraries", f"{count} 个程序库齐全", f"all {count} libraries fit", **versions)


def _parts(requirement: str) -> tuple[str, list[str], str]:
    text, _, marker = requirement.partition(";")
    found = re.match(r"\s*([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(.*)", text)
    assert found is not None
    ranges = [bound.strip() for bound in found[2].strip("() ").split(",") if bound.strip()]
    return found[1], ranges, marker


def _fits(version: str, bound: str) -> bool:
    found = re.fullmatch(r"(>=|<=|==|!=|<|>)\s*([0-9.]+)", bound)
    if found is None:
        return True
    have, want = _numbers(version), _numbers(found[2])
    width = max(len(have), len(want))
    have += (0,) * (width - len(have))
    want += (0,) * (width - len(want))
    match found[1]:
        case ">=":
            return have >= want
        case "<=":
            return have <= want
        case "==":
            return have == want
        case "!=":
            return have != want
        case "<":
            return have < want
        case _:
            return have > want


def _numbers(version: str) -> tuple[int, ...]:
    release = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return tuple(int(part) for part in release[0].split(".")) if release else ()


def _sm2() -> Finding:
    from apdu.crypto import sm2
    from apdu.crypto.errors import BackendRefused

    reason = ""
    try:
        key = sm2.generate()
        signature = sm2.sign(key, b"doctor", encoding=sm2.SignatureEncoding.RAW)
    except BackendRefused as problem:
        reason = str(problem)
    if reason:
        return fail(
            "sm2",
            (f"系统的 libcrypto 不可用于 SM2：{reason}", f"libcrypto cannot do SM2: {reason}"),
            ("请安装 OpenSSL 3（libssl3）", "install OpenSSL 3 (libssl3)"),
        )
    whole = sm2.verify(key.public_key(), b"doctor", signature, encoding=sm2.SignatureEncoding.RAW)
    altered = sm2.verify(key.public_key(), b"Doctor", signature, encoding=sm2.SignatureEncoding.RAW)
    if not whole or altered:
        return fail(
            "sm2",
            ("SM2 签名自检失败", "the SM2 self-test failed"),
            ("请重新安装 OpenSSL 3", "install OpenSSL 3 again"),
        )
    return ok("sm2", "SM2 签名自检通过", "SM2 signs and verifies")


def _core_dumps(machine: Machine) -> Finding:
    pattern = _proc(machine, "sys/kernel/core_pattern").strip()
    if not pattern.startswith("|"):
        return ok("core-dumps", "自助程序启动时自行关闭", "the terminal turns them off itself")
    # core(5): the kernel does not heed a limit of 0 when it pipes the dump into a program.
    return warn(
        "core-dumps",
        ("系统把核心转储交给程序，进程的限制不起作用", "dumps are piped, past the process's limit"),
        ("将 kernel.core_pattern 设为 core", "set kernel.core_pattern=core"),
        pattern=pattern.split()[0],
    )


def _memory_lock(machine: Machine) -> Finding:
    soft, _hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    # As kiosk.process judges it: everything is locked, or nothing.
    if soft == resource.RLIM_INFINITY or os.geteuid() == 0:
        return ok("memory-lock", "允许锁定内存", "memory may be locked", limit=soft)
    swapping = len(_proc(machine, "swaps").splitlines()) > 1
    told = (
        f"只能锁定 {soft} 字节" + ("，且已启用交换分区" if swapping else ""),
        f"only {soft} bytes may be locked" + (" and swap is on" if swapping else ""),
    )
    advice = ("在服务单元中设 LimitMEMLOCK=infinity", "set LimitMEMLOCK=infinity in the unit")
    judge = fail if machine.in_field and swapping else warn
    return judge("memory-lock", told, advice, limit=soft, swap=swapping)


def _proc(machine: Machine, name: str) -> str:
    try:
        return (machine.root / "proc" / name).read_text("utf-8", "replace")
    except OSError:
        return ""


def _locale(machine: Machine) -> Finding:
    encoding = locale.getpreferredencoding(False).lower().replace("-", "")
    hours = machine.local_now().utcoffset()
    offset = hours.total_seconds() / 3600 if hours is not None else 0.0
    if encoding != "utf8":
        return fail(
            "locale",
            (f"字符编码是 {encoding}，不是 UTF-8", f"the encoding is {encoding}, not UTF-8"),
            ("设 LANG=zh_CN.UTF-8 或 C.UTF-8", "set LANG=zh_CN.UTF-8 or C.UTF-8"),
        )
    if machine.in_field and offset != 8:
        return warn(
            "locale",
            (f"时区为 UTC{offset:+g}，不是北京时间", f"the time zone is UTC{offset:+g}, not UTC+8"),
            ("timedatectl set-timezone Asia/Shanghai", "timedatectl set-timezone Asia/Shanghai"),
            utc_offset=offset,
        )
    return ok("locale", f"UTF-8，UTC{offset:+g}", f"UTF-8, UTC{offset:+g}", utc_offset=offset)
