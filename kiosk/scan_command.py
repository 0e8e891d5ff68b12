"""``yikatong scan``: which codes are in pictures, which decoder read them, and how long it took."""

from __future__ import annotations

import argparse
import json
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kiosk import scan_files
from kiosk.commands import Command, Exit, say

if TYPE_CHECKING:
    from drivers.decoding import Decoder
    from drivers.frames import Picture

_DECODERS = ("zxing-cpp", "pyzbar", "wechat")
_SHOWN = 60
"""Characters of a text on a line for people."""

_TWO_CODES = "two-codes"
_NOT_EXACT = "not-exact"

_WORDS = {
    scan_files.MISSING: "没有此文件 no such file",
    scan_files.DIRECTORY: "是目录 a directory",
    scan_files.FORBIDDEN: "无权读取 may not be read",
    scan_files.UNREADABLE: "无法读取 can't be read",
    scan_files.EMPTY: "文件为空 empty",
    scan_files.TOO_LARGE: "图像过大 too large",
    scan_files.NO_PICTURE: "不是图像 no picture of a known format",
    scan_files.DAMAGED: "图像损坏 damaged picture",
    _TWO_CODES: "有两个不同的码 two different codes",
    _NOT_EXACT: "有码，但无法准确读出 a code that no decoder reads exactly",
}
_NO_CODE = "没有二维码 no code"

_EPILOG = f"""例 examples
  yikatong scan photo.jpg slip.png
  yikatong scan --json *.png | jq -r .text
  curl -s http://camera/still.jpg | yikatong scan -

--json 每个文件一行一个 JSON 对象 gives one JSON object a line, for each file:
  file         文件名 as it was given
  text         码的内容，没有则为 null  what the code says; null without one
  decoder      解码库 {", ".join(_DECODERS)}; null
  duration_ms  解码用时 time to decode, without reading the file; null without a picture
  error        null, {", ".join(_WORDS)}
  hex          仅当内容不是 UTF-8 文本时 only where the code's bytes are no UTF-8 text: its bytes

退出码 exit codes
  0 每个文件都读出 every file gave a code, 1 有的没有 some did not, 2 用法有误 wrong usage
"""


@dataclass(frozen=True)
class Scanned:
    """What came of one file; its code may name a resident, so it never shows in a repr.

    Attributes:
        payload: None without a code.
        decoder: who read it, None without a code.
        milliseconds: that decoding took, None without a picture.
        error: a word of `_WORDS`, None where a picture was read and has one code or none.
    """

    file: str
    payload: bytes | None = field(default=None, repr=False)
    decoder: str | None = None
    milliseconds: float | None = None
    error: str | None = None


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"{_EPILOG}\n{parser.epilog or ''}"
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="图像文件，- 为标准输入 pictures, - for standard input",
    )
    parser.add_argument("--json", action="store_true", help="每行一个 JSON 对象 one object a line")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--only",
        choices=_DECODERS,
        metavar="DECODER",
        help=f"只用一个解码库 ask no other than {', '.join(_DECODERS)}",
    )
    choice.add_argument(
        "--no-wechat", action="store_true", help="不用微信解码库 never ask WeChat's, which is slow"
    )


def _run(arguments: argparse.Namespace) -> int:
    from drivers.decoding import Decoder

    decoders = tuple(
        each
        for each in Decoder
        if arguments.only in (None, each.value)
        and not (arguments.no_wechat and each is Decoder.WECHAT)
    )
    results = (scan(name, decoders) for name in arguments.files)
    complete = _tell_json(results) if arguments.json else _tell(results)
    return Exit.OK if complete else Exit.FAILED


def scan(name: str, decoders: Iterable[Decoder]) -> Scanned:
    """What is in one file."""
    try:
        image = scan_files.grey_picture(name)
    except scan_files.Unreadable as reason:
        return Scanned(name, error=reason.word)
    return _decoded(name, image, tuple(decoders))


def _decoded(name: str, image: Picture, decoders: tuple[Decoder, ...]) -> Scanned:
    from drivers.decoding import NotExact, TwoCodes, decode

    began = time.perf_counter()
    found, error = None, None
    try:
        found = decode(image, still=True, decoders=decoders)
    except TwoCodes:
        error = _TWO_CODES
    except NotExact:
        error = _NOT_EXACT
    took = round((time.perf_counter() - began) * 1000, 3)
    if found is None:
        return Scanned(name, milliseconds=took, error=error)
    return Scanned(name, found.payload, found.decoder.value, took)


def _json(scanned: Scanned) -> str:
    """One object, in one line."""
    said: dict[str, object] = {
        "file": scanned.file,
        "text": None,
        "decoder": scanned.decoder,
        "duration_ms": scanned.milliseconds,
        "error": scanned.error,
    }
    if scanned.payload is not None:
        said["text"] = _text(scanned.payload)
        if not _is_utf8_text(scanned.payload):
            said["hex"] = scanned.payload.hex()
    return json.dumps(said, ensure_ascii=False)


def _tell_json(results: Iterable[Scanned]) -> bool:
    """Each as soon as it is known; whether every file gave a code."""
    complete = True
    for each in results:
        say(_plain(_json(each)))
        complete = complete and each.payload is not None
    return complete


def _tell(results: Iterable[Scanned]) -> bool:
    """A table for people; whether every file gave a code."""
    from kiosk.card.showing import show, table, text

    made = table("文件 file", "内容 text", "解码 decoder", "毫秒 ms")
    complete = True
    for each in results:
        took = "" if each.milliseconds is None else f"{each.milliseconds:.1f}"
        made.add_row(text(_plain(each.file)), text(_said(each)), text(each.decoder or ""), took)
        complete = complete and each.payload is not None
    show(made)
    return complete


def _said(scanned: Scanned) -> str:
    if scanned.payload is None:
        return _WORDS[scanned.error] if scanned.error else _NO_CODE
    said = _plain(_text(scanned.payload))
    if len(said) <= _SHOWN:
        return said
    return f"{said[:_SHOWN]}… ({len(scanned.payload)} 字节 bytes)"


def _text(payload: bytes) -> str:
    """A payload as text; bytes that are none stand as ``\\xNN``."""
    from drivers.decoding import text_of

    text = text_of(payload)
    return payload.decode("ascii", "backslashreplace") if text is None else text


def _is_utf8_text(payload: bytes) -> bool:
    """Whether the text says it all."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return False
    return not any(unicodedata.category(each) == "Cc" and each not in "\t\n\r" for each in text)


def _plain(text: str) -> str:
    """Nothing in it moves a cursor, turns the direction of writing or breaks an encoding: such
    characters are written as JSON writes them."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


COMMAND = Command(
    name="scan",
    zh="识别图像文件中的二维码",
    en="read the QR codes in picture files",
    add_arguments=_add_arguments,
    run=_run,
)
"""See `kiosk.cli`."""
