"""``yikatong audit``: verify the log, show its end."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.commands import Command, CommandFailed, Exit, say, say_json

if TYPE_CHECKING:
    from kiosk.audit.verify import VerifyReport

_FAULTS_ZH = {
    "unreadable": "无法解读",
    "altered": "被改动",
    "gap": "缺行",
    "reordered": "次序错乱",
    "repeated": "重复",
    "foreign": "属于其他终端",
    "torn": "残缺",
    "truncated": "末尾被截断",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    check = actions.add_parser("verify", help="核验审计日志 verify the whole log")
    check.add_argument(
        "--anchor", type=Path, metavar="FILE", help="另存的日志头 head anchor kept elsewhere"
    )
    tail = actions.add_parser("tail", help="显示最后几行 show the last lines")
    tail.add_argument(
        "-n", "--lines", type=int, default=20, metavar="N", help="行数 number of lines (20)"
    )
    for parser_ in (check, tail):
        parser_.add_argument(
            "path", nargs="?", type=Path, metavar="PATH", help="日志文件 log file, else --state's"
        )
        parser_.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
        parser_.add_argument("--json", action="store_true", help="输出 JSON for machines")


def _run(arguments: argparse.Namespace) -> int:
    path = _log_path(arguments)
    try:
        if arguments.action == "verify":
            return _verify(path, arguments.anchor, arguments.json)
        return _tail(path, max(1, arguments.lines), arguments.json)
    except OSError as problem:
        raise CommandFailed(
            Exit.STATE, f"无法读取 {path}：cannot be read ({problem.strerror})"
        ) from None


def _log_path(arguments: argparse.Namespace) -> Path:
    if arguments.path is not None:
        return Path(arguments.path)
    from kiosk.places import usual_state

    # Only looks: asking for a log must not make a state directory.
    state = Path(arguments.state) if arguments.state else usual_state()
    return state / "audit" / "audit.jsonl"


def _verify(path: Path, anchor: Path | None, as_json: bool) -> int:
    from kiosk.audit.verify import verify

    report = verify(path, anchor)
    if as_json:
        say_json(_plain(report))
    else:
        say(f"{path}")
        say(f"行数 lines: {report.lines}  编号 numbers: {report.first_seq}..{report.last_seq}")
        say(f"SM3: {report.head or '-'}")
        if not report.anchored:
            say(
                "没有日志头可比对，无法发现末尾被截断  no head anchor: a cut-off end would not show"
            )
        for finding in report.findings:
            place = f"第 {finding.line} 行" + (f"（编号 {finding.seq}）" if finding.seq else "")
            say(f"✗ {place}{_FAULTS_ZH[finding.fault.value]}  {finding.text}")
        say("✓ 完整，未被改动  complete and unchanged" if report.ok else "✗ 核验未通过  failed")
    return Exit.OK if report.ok else Exit.FAILED


def _plain(report: VerifyReport) -> dict[str, Any]:
    findings = [
        {"fault": f.fault.value, "line": f.line, "seq": f.seq, "text": f.text}
        for f in report.findings
    ]
    return {
        "ok": report.ok,
        "lines": report.lines,
        "first_seq": report.first_seq,
        "last_seq": report.last_seq,
        "head": report.head,
        "anchored": report.anchored,
        "findings": findings,
    }


def _tail(path: Path, count: int, as_json: bool) -> int:
    from collections import deque

    from kiosk.audit.events import catalogue
    from kiosk.audit.lines import MalformedLine, decode

    code = Exit.OK
    records: list[dict[str, Any]] = []
    with path.open("rb") as file:
        last = deque(file, maxlen=count)
    for raw in last:
        try:
            records.append(decode(raw.rstrip(b"\n")).record)
        except MalformedLine:
            code = Exit.FAILED
            records.append({"unreadable": len(raw)})
    if as_json:
        say_json(records)
        return code
    for record in records:
        if "unreadable" in record:
            say(f"✗ 无法解读 unreadable, {record['unreadable']} bytes")
            continue
        kind = catalogue().get(record["event"])
        meaning = kind.zh if kind else "?"
        detail = " ".join(f"{key}={value}" for key, value in sorted(record["detail"].items()))
        visit = "-" if record["visit"] is None else record["visit"]
        say(
            f"{record['seq']:>8} {record['time']} #{visit} {record['actor']} "
            f"{record['outcome']} {record['event']} {meaning} {detail}".rstrip()
        )
    return code


COMMAND = Command(
    name="audit",
    zh="核验、查看审计日志",
    en="verify and show the audit log",
    add_arguments=_add_arguments,
    run=_run,
)
