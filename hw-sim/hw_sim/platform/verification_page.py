"""The public page that the QR on a certificate opens: ``GET /v?c=<code>&d=<digest>``.

For phones: Chinese first, no script, nothing loaded from elsewhere. What comes in the address is
never shown, save a code that has the form of one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template

from fastapi import FastAPI, Request, Response
from sqlalchemy.orm import Session

from hw_sim.platform.certificates import KIND_NAMES
from hw_sim.platform.gate import VERIFICATION_PAGE
from hw_sim.platform.store import Store
from hw_sim.platform.verifications import check
from hw_sim.platform.wire_certificates import Shown, VerificationResult

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
_LONGEST = 128
"""Characters of a value in the address that are looked at; a longer one is not of ours."""
_NOT_OURS = "-"
"""Stands for a digest that no certificate can have."""


@dataclass(frozen=True)
class _Words:
    """What the page says about a result. ``tone`` is the style's class."""

    tone: str
    sign: str
    zh: str
    en: str
    advice: str


_WORDS: Mapping[VerificationResult, _Words] = {
    "genuine": _Words(
        "good", "✓", "真实有效", "Genuine and valid", "请与纸面内容逐项核对，一致方可采信。"
    ),
    "altered": _Words(
        "bad", "✗", "内容不符", "Altered",
        "这张纸上的内容与本中心出具的证明不一致，请勿采信。下列为本中心的记录。",
    ),
    "expired": _Words(
        "warn", "!", "已过有效期", "Expired", "证明曾真实有效，现已过期，请持证人重新打印。"
    ),
    "revoked": _Words("bad", "✗", "已撤销", "Revoked", "本中心已撤销这份证明，请勿采信。"),
    "unknown": _Words(
        "bad", "?", "查无此证明", "Not found", "验证码有误，或证明不是本中心出具，请勿采信。"
    ),
}  # fmt: skip

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>证明验证 · $title</title>
<style>
*{box-sizing:border-box}
body{margin:0;background:#f2f5f9;color:#1b2733;font:17px/1.5 "PingFang SC","Noto Sans CJK SC",\
"Microsoft YaHei",sans-serif}
header{background:#005bac;color:#fff;padding:16px 20px;font-size:19px;font-weight:600}
header small{display:block;font-size:13px;font-weight:400}
main{max-width:560px;margin:16px auto;padding:0 16px}
section{background:#fff;border-radius:12px;padding:20px;margin-bottom:16px}
.verdict{text-align:center;border-top:8px solid}
.verdict b{display:block;font-size:30px;line-height:1.3}
.verdict i{font-style:normal;font-size:40px;line-height:1}
.verdict p{margin:12px 0 0;color:#1b2733}
.good{color:#0a7a43}.warn{color:#9a5b00}.bad{color:#b3261e}
dl{margin:0}
dl div{display:flex;padding:10px 0;border-bottom:1px solid #e3e8ee}
dl div:last-child{border:0}
dt{flex:0 0 6.5em;color:#51606f}
dd{margin:0;overflow-wrap:anywhere}
label{display:block;margin-bottom:8px}
input,button{font:inherit;width:100%;padding:12px;border-radius:8px;border:1px solid #8a98a8}
input{text-transform:uppercase;letter-spacing:.08em}
button{margin-top:12px;background:#005bac;color:#fff;border:0;font-weight:600}
footer{max-width:560px;margin:0 auto 24px;padding:0 20px;color:#51606f;font-size:14px}
</style>
</head>
<body>
<header>社会保险证明验证（演示）
<small>Verification of social insurance certificates (demonstration)</small></header>
<main>
$body
</main>
<footer>请核对网址是否与纸面印刷一致。姓名和号码已作遮挡。咨询电话 12333。<br>
Compare this page's address with the one printed on the sheet. Enquiries: 12333.</footer>
</body>
</html>
""")

_FORM = f"""\
<section><form action="{VERIFICATION_PAGE}" method="get">
<label for="c">验证码（16 位，印在证明上）<br>
<small>Code on the certificate, 16 characters</small></label>
<input id="c" name="c" maxlength="24" autocomplete="off" autocapitalize="characters" required>
<button type="submit">验证 Verify</button>
</form></section>"""


def _one(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 and len(values[0]) <= _LONGEST else ""


def _code(text: str) -> str:
    """As a person may type it: in groups, with dashes, in small letters."""
    return re.sub(r"[\s-]", "", text).upper()


def _digest(values: Sequence[str]) -> str:
    """Small hex of an SM3 in the QR's form (base64url) or in hex; "" where none is given."""
    if not values:
        return ""
    text = _one(values)
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return text.lower()
    if re.fullmatch(r"[0-9A-Za-z_-]{43}", text):
        try:
            return base64.b64decode(text + "=", altchars=b"-_", validate=True).hex()
        except binascii.Error:
            return _NOT_OURS
    return _NOT_OURS


def _verdict(result: VerificationResult) -> str:
    words = _WORDS[result]
    return (
        f'<section class="verdict {words.tone}" role="status"><i aria-hidden="true">{words.sign}'
        f"</i><b>{words.zh}</b>{words.en}<p>{words.advice}</p></section>"
    )


def _facts(code: str, shown: Shown) -> str:
    grouped = " ".join(code[at : at + 4] for at in range(0, len(code), 4))
    facts = {
        "证明": KIND_NAMES[shown.kind],
        "证明编号": shown.number,
        "验证码": grouped,
        "出具单位": shown.agency,
        "姓名": shown.name,
        "社会保障号码": shown.holder_number,
        "出具时间": shown.issued_at[:16].replace("T", " "),
        "有效期至": shown.valid_until,
    }
    lines = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in facts.items()
    )
    return f"<section><dl>{lines}</dl></section>"


def page(session: Session, codes: Sequence[str], digests: Sequence[str], now: int) -> str:
    """The page as HTML.

    Args:
        codes, digests: the values of ``c`` and ``d`` in the address, as they came.
        now: Unix seconds.
    """
    if not codes:
        return _PAGE.substitute(title="输入验证码", body=_FORM)
    code = _code(_one(codes))
    answer = check(session, code, _digest(digests), now)
    body = _verdict(answer.result)
    if answer.shown is not None:
        body += "\n" + _facts(code, answer.shown)
    else:
        body += "\n" + _FORM
    return _PAGE.substitute(title=_WORDS[answer.result].zh, body=body)


def add_verification_page(app: FastAPI, store: Store, clock: Callable[[], float]) -> None:
    """Declare it on ``app``; it is no part of the terminals' contract."""

    @app.get(VERIFICATION_PAGE, include_in_schema=False)
    def verification_page(request: Request) -> Response:
        query = request.query_params
        with store.sessions() as session:
            text = page(session, query.getlist("c"), query.getlist("d"), int(clock()))
        return Response(text, headers=_HEADERS, media_type="text/html")
