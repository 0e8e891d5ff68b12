"""Configuration, data pack, state directory and keys."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from kiosk.limits import Limits
from offline_queue.durable import sync_folder
from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine

_MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_ENROL = ("请执行 yikatong provision enrol", "run yikatong provision enrol")
_MEGABYTE = 1_000_000


def visit_config(machine: Machine) -> Iterator[Finding]:
    """config, pack."""
    config = machine.config
    if config is None and machine.config_error:
        yield fail(
            "config",
            (f"不能使用：{machine.config_error}", f"refused: {machine.config_error}"),
            ("按提示修改配置文件", "correct the file as told"),
        )
        return
    if config is None:
        yield skipped("config", "未指定 --config", "no --config given")
        return
    yield ok(
        "config",
        f"{config.file}（{'正式' if machine.in_field else '演示'}）",
        f"{config.file} ({config.kind.value})",
        kind=config.kind.value,
        division=config.division,
        machine=config.machine,
    )
    yield _pack(machine)


def _pack(machine: Machine) -> Finding:
    from kiosk.pack import PackError, load, read_root

    assert machine.config is not None
    place = machine.config.pack
    problem = ""
    try:
        pack = load(
            place.folder, read_root(place.root_key), today=date.fromtimestamp(machine.clock())
        )
    except PackError as refused:
        problem = str(refused)
    if problem:
        return fail(
            "pack",
            (f"签名或内容不成立：{problem}", f"signature or content refused: {problem}"),
            ("请重新安装由省级签发的数据包", "install the province's signed pack again"),
        )
    if pack.division != machine.config.division:
        return fail(
            "pack",
            (f"数据包属于 {pack.division}", f"the pack belongs to {pack.division}"),
            ("请安装本行政区划的数据包", "install the pack of this division"),
        )
    return ok(
        "pack",
        f"{pack.name} {pack.version}，签名成立，有效期至 {pack.valid_to}",
        f"{pack.name} {pack.version}, signed, valid to {pack.valid_to}",
        version=pack.version,
        digest=pack.digest,
    )


def visit_state(machine: Machine) -> Iterator[Finding]:
    """state, disk, keys, tamper-lock."""
    if machine.state is None:
        yield skipped("state", "未指定 --config 或 --state", "no --config or --state given")
        return
    if not machine.state.is_dir():
        yield warn(
            "state",
            (f"{machine.state} 尚不存在", f"{machine.state} is not there yet"),
            ("登记时会自动建立：yikatong provision enrol", "yikatong provision enrol makes it"),
        )
        yield _disk(machine, _existing(machine.state))
        yield fail("keys", ("本机尚未登记", "this machine is not enrolled"), _ENROL)
        return
    yield _state(machine, machine.state)
    yield _disk(machine, machine.state)
    yield _keys(machine, machine.state)
    yield _tamper_lock(machine.state)


def _existing(path: Path) -> Path:
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def _state(machine: Machine, folder: Path) -> Finding:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        return fail(
            "state",
            (f"{folder} 的权限是 {mode:04o}，他人可读", f"{folder} has mode {mode:04o}"),
            (f"chmod 700 {folder}", f"chmod 700 {folder}"),
            mode=f"{mode:04o}",
        )
    problem = _write_and_read_back(folder)
    if problem:
        return fail(
            "state",
            (f"{folder} 不能可靠写入（{problem}）", f"{folder} cannot be written ({problem})"),
            ("检查磁盘、只读挂载和所有者", "check disk, read-only mount and owner"),
        )
    kind = _file_system(machine, folder)
    if kind in _MEMORY_FILE_SYSTEMS:
        judge = fail if machine.in_field else warn
        return judge(
            "state",
            (f"{folder} 在内存里（{kind}），断电即失", f"{folder} is in memory ({kind})"),
            ("请将状态目录放到磁盘上", "put the state directory on a disk"),
            file_system=kind,
        )
    return ok(
        "state",
        f"{folder} 可写并已落盘（{kind or '未知文件系统'}）",
        f"{folder} is writable and durable ({kind or 'unknown file system'})",
        file_system=kind,
    )


def _write_and_read_back(folder: Path) -> str:
    """Empty when a file went to the disk and came back; else the reason."""
    trial = folder / f".doctor-{secrets.token_hex(8)}"
    content = secrets.token_bytes(4096)
    try:
        descriptor = os.open(trial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
            same = os.pread(descriptor, len(content) + 1, 0) == content
        finally:
            os.close(descriptor)
            trial.unlink()
        sync_folder(folder)
    except OSError as problem:
        return problem.strerror or type(problem).__name__
    return "" if same else "read back other bytes"


def _file_system(machine: Machine, folder: Path) -> str:
    """Type of the file system that holds the folder, from mountinfo (proc(5)); "" if unknown."""
    try:
        lines = (machine.root / "proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    real = folder.resolve()
    best, kind = -1, ""
    for line in lines:
        mount, _, rest = line.partition(" - ")
        fields = mount.split()
        if len(fields) < 5 or not rest:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        # Later lines cover earlier ones at the same point.
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), rest.split()[0]
    return kind


def _disk(machine: Machine, folder: Path) -> Finding:
    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize
    needed = (machine.config.limits if machine.config else Limits()).free_bytes
    told = (f"剩余 {free // _MEGABYTE} MB", f"{free // _MEGABYTE} MB free")
    advice = ("清理磁盘或更换更大的磁盘", "clear the disk or take a larger one")
    if free < needed:
        return fail("disk", told, advice, free_bytes=free, needed_bytes=needed)
    if free < 2 * needed:
        return warn("disk", told, advice, free_bytes=free, needed_bytes=needed)
    return ok("disk", *told, free_bytes=free, needed_bytes=needed)


def _keys(machine: Machine, state: Path) -> Finding:
    from kiosk.keys import KeyFileRefused, KeyStore, NotEnrolled

    problem, missing = "", False
    try:
        keys = KeyStore(state / "keys").load()
    except NotEnrolled:
        missing = True
    except KeyFileRefused as refused:
        problem = str(refused)
    if missing:
        return fail("keys", ("本机尚未登记", "this machine is not enrolled"), _ENROL)
    if problem:
        return fail(
            "keys",
            (f"密钥不可信：{problem}", f"the keys cannot be trusted: {problem}"),
            (
                "请删除该文件并用新的登记码重新登记",
                "remove the file and enrol again with a new code",
            ),
        )
    enrolment, config = keys.enrolment, machine.config
    if config is not None and (enrolment.division, enrolment.platform_url) != (
        config.division,
        config.platform.url,
    ):
        return fail(
            "keys",
            ("登记的平台或行政区划与配置不一致", "enrolled at another platform or division"),
            _ENROL,
            terminal_id=enrolment.terminal_id,
        )
    return ok(
        "keys",
        f"已登记为 {enrolment.terminal_id}，权限正确",
        f"enrolled as {enrolment.terminal_id}, modes are right",
        terminal_id=enrolment.terminal_id,
    )


def _tamper_lock(state: Path) -> Finding:
    from kiosk.clock import SystemClock
    from kiosk.tamper_lock import TamperLock

    if TamperLock(state, SystemClock()).locked:
        return fail(
            "tamper-lock",
            ("机身曾被打开，终端已锁定", "the case was opened: the terminal is locked"),
            (
                "查明原因、机箱复原后执行 yikatong devices unlock",
                "find the cause, close the case, then yikatong devices unlock",
            ),
        )
    return ok("tamper-lock", "未锁定", "not locked")
