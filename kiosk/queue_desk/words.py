"""The queue's vocabularies for people, Chinese first."""

from __future__ import annotations

from collections.abc import Mapping

STATES: Mapping[str, str] = {
    "ready": "待发送",
    "behind": "排队",
    "waiting": "等待重试",
    "leased": "发送中",
    "sent": "结果未知",
    "confirmed": "已确认",
    "dead": "被拒收",
}
KINDS: Mapping[str, str] = {
    "alarm": "报警",
    "audit-range": "审计日志",
    "evaluation": "服务评价",
    "print-outcome": "打印结果",
}
LANES: Mapping[str, str] = {
    "alarms": "报警",
    "audit": "审计",
    "events": "业务",
    "main": "旧版消息",
}
LEVELS: Mapping[str, str] = {
    "free": "充足 free",
    "warn": "偏紧 getting short",
    "critical_only": "紧张，只收重要消息 critical messages only",
    "reserved_only": "很紧张，只收审计日志 the audit log only",
    "full": "已满，不再收消息 full, nothing is stored",
}
TRUSTS: Mapping[str, str] = {
    "confirmed": "与平台一致 agrees with the platform",
    "wrong": "与平台不符 WRONG, differs from the platform",
    "behind": "曾倒退 WRONG, it went back",
    "unknown": "未与平台核对 not compared with the platform yet",
}

DEAD: Mapping[str, str] = {
    "malformed": "平台无法解读，多为程序版本不符 not understood; versions may differ",
    "forbidden": "平台不准许本终端办理 the platform does not allow it",
    "not-found": "所指事项在平台不存在 what it is about is not known there",
    "method": "平台没有此接口 the platform has no such operation",
    "too-large": "超过平台限长 too long for the platform",
    "conflicting-reuse": "同一编号已用于别的内容 its key stands for another message there",
    "invalid": "内容不合平台要求 the platform does not accept its content",
    "expired": "过了有效期仍未送达 not delivered in its time",
    "seal-broken": "封签不符，内容被改动或损坏 it was changed or damaged here",
    "key-unknown": "封存密钥已不存在 the key that sealed it is gone",
}
"""Why a message is dead; the platform's reasons are `kiosk.platform.errors.Problem`."""

NOT_REPLAYABLE = frozenset({"seal-broken", "key-unknown"})
"""What these hold cannot be read any more."""

TRIES: Mapping[str, str] = {
    "signature": "签名核验不通过 a signature does not hold, ours or theirs",
    "clock": "本机时钟与平台不符 this clock and theirs differ",
    "replayed": "重复的请求或应答 a request or answer came twice",
    "unknown-terminal": "平台不认识本终端 the platform does not know this terminal",
    "client-certificate": "平台不接受本机证书 the terminal's certificate is not accepted",
    "in-progress": "平台正在处理 the platform is still at it",
    "too-many": "发送过于频繁 too many at a time",
    "internal": "平台内部故障 a fault of the platform",
    "unavailable": "平台暂停服务 the platform is out of service",
    "no-connection": "连不上 no connection",
    "timeout": "超时无应答 no answer in time",
    "cut-short": "应答中断 the answer broke off",
    "turned-away": "被中间设备拒绝 turned away on the way",
    "busy": "平台繁忙 the platform is busy",
    "certificate": "平台证书不可信 the platform's certificate is not trusted",
    "expired": "平台证书过期或本机时钟有误 certificate expired, or our clock is wrong",
    "host-name": "平台证书属于别的主机 the certificate is of another host",
    "tls": "无法建立安全连接 no TLS with the platform",
    "unsigned": "应答未签名 the answer is not signed",
    "coverage": "签名范围不符 the answer's signature covers something else",
    "digest": "应答内容被改动 the answer was changed",
    "echo": "应答与请求不符 the answer is of another request",
    "stale": "应答不在有效时间内 the answer is too old or of the future",
    "headers": "应答头矛盾 the answer's headers contradict",
    "redirect": "应答要求转向 the answer redirects",
    "oversized": "应答过长 the answer is too long",
    "encoded": "应答编码不符 the answer is encoded, unasked",
    "malformed-answer": "平台应答不合约定 the answer is not what the contract says",
    "lease-over": "发送进程中途退出 the sender ended in the middle",
}
"""Why a try failed, or a lane rests: all other reasons of `kiosk.platform.errors`."""


def state(name: str) -> str:
    """A state in both languages."""
    return f"{STATES[name]} {name}"


def kind(name: str) -> str:
    """A kind of message in both languages."""
    return f"{KINDS.get(name, '')} {name}".lstrip()


def lane(name: str) -> str:
    """A lane in both languages."""
    return f"{LANES.get(name, '')} {name}".lstrip()


def reason(name: str | None, *, dead: bool) -> str:
    """What a reason means; the reason itself where nobody knows more."""
    if not name:
        return "-"
    return (DEAD if dead else TRIES).get(name) or name


def span(seconds: float) -> str:
    """A length of time in its two largest units, which is as long in both languages."""
    whole = max(0, int(seconds))
    for size, unit, smaller, rest in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {rest}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def size(count: int) -> str:
    """Bytes, rounded."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def short(key: str) -> str:
    """The end of a key: those of one terminal begin alike."""
    return key if len(key) <= 12 else "…" + key[-11:]


def gap(first: int, last: int) -> str:
    """A range of sequences."""
    return str(first) if first == last else f"{first}..{last}"
