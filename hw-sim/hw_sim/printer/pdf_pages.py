"""How many pages a PDF has: enough of ISO 32000 to walk its page tree, and no more.

Objects are found by reading the file from front to back, so that a broken cross-reference table
does not matter; the last object of a number counts, as after an incremental update.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_OBJECT = re.compile(rb"(\d+)\s+\d+\s+obj\b")
_TOKEN = re.compile(
    rb"\s+|%[^\r\n]*|(?P<ref>\d+\s+\d+\s+R\b)|(?P<name>/[^\s()<>\[\]{}/%]*)|(?P<open><<|\[)"
    rb"|(?P<close>>>|\])|(?P<hex><[0-9A-Fa-f\s]*>)|(?P<string>\()|(?P<word>[^\s()<>\[\]{}/%]+)"
)
_STRING_END = re.compile(rb"\\.|[()]", re.DOTALL)
_STREAM = re.compile(rb"\s*stream\r?\n?")
_LARGEST = 64 * 1024 * 1024


class NotAPdf(ValueError):
    """It can't be printed: no PDF, broken, or encrypted."""


@dataclass(frozen=True)
class _Reference:
    number: int


def count_pages(document: bytes) -> int:
    """Pages of the document, at least 1.

    Raises:
        NotAPdf: no page can be found.
    """
    if not document[:1024].lstrip().startswith(b"%PDF-"):
        raise NotAPdf("it does not begin like a PDF")
    objects: dict[int, Any] = {}
    for number, found in _objects(document):
        objects[number] = found
    roots = [o for o in objects.values() if isinstance(o, dict) and o.get("Type") == "Catalog"]
    if not roots:
        raise NotAPdf("it has no catalogue")
    pages = _leaves(roots[-1].get("Pages"), objects)
    if pages < 1:
        raise NotAPdf("it has no page")
    return pages


def _leaves(root: Any, objects: dict[int, Any]) -> int:
    pages, waiting, seen = 0, [root], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Reference):
            if node.number in seen:
                raise NotAPdf("its page tree bites its tail")
            seen.add(node.number)
        node = _resolved(node, objects)
        kids = _resolved(node.get("Kids"), objects) if isinstance(node, dict) else None
        if isinstance(kids, list):
            waiting += kids
        elif isinstance(node, dict) and node.get("Type") == "Page":
            pages += 1
        else:
            raise NotAPdf("its page tree is broken")
    return pages


def _resolved(found: Any, objects: dict[int, Any]) -> Any:
    return objects.get(found.number) if isinstance(found, _Reference) else found


def _objects(document: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while match := _OBJECT.search(document, at):
        value, at = _parsed(document, match.end())
        yield int(match[1]), value
        begin = _STREAM.match(document, at)
        if begin is None or not isinstance(value, dict):
            continue
        at = _stream_end(document, begin.end(), value.get("Length"))
        if value.get("Type") == "ObjStm":
            yield from _packed(document[begin.end() : at], value)


def _stream_end(document: bytes, begin: int, length: Any) -> int:
    if isinstance(length, bytes) and length.isdigit():
        end = begin + int(length)
        if document[end : end + 16].lstrip().startswith(b"endstream"):
            return end
    end = document.find(b"endstream", begin)
    return len(document) if end < 0 else end


def _packed(stream: bytes, dictionary: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """Objects of an object stream (ISO 32000-1 §7.5.7)."""
    if dictionary.get("Filter") not in (None, "FlateDecode", ["FlateDecode"]):
        return
    try:
        text = (
            zlib.decompressobj().decompress(stream, _LARGEST) if "Filter" in dictionary else stream
        )
        first, count = int(dictionary["First"]), int(dictionary["N"])
        head = [int(word) for word in text[:first].split()[: 2 * count]]
    except (zlib.error, KeyError, TypeError, ValueError):
        return
    for number, offset in zip(head[::2], head[1::2], strict=False):
        yield number, _parsed(text, first + offset)[0]


def _parsed(text: bytes, at: int) -> tuple[Any, int]:
    """One object from ``at`` on, and where it ends."""
    open_ones: list[list[Any]] = [[]]
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            return None, at + 1
        at = match.end()
        token = match[0]
        match match.lastgroup:
            case None:
                continue
            case "open":
                open_ones.append([])
                continue
            case "close":
                if len(open_ones) == 1:
                    return None, at
                inside = open_ones.pop()
                open_ones[-1].append(inside if token == b"]" else _dictionary(inside))
            case "ref":
                open_ones[-1].append(_Reference(int(token.split()[0])))
            case "name":
                open_ones[-1].append(_Name(token[1:].decode("latin-1")))
            case "string":
                at = _string_end(text, at)
                open_ones[-1].append(None)
            case _:
                open_ones[-1].append(token)
        if len(open_ones) == 1:
            return open_ones[0][0], at


class _Name(str):
    """A name, as against a number or a word."""

    __slots__ = ()


def _dictionary(inside: list[Any]) -> dict[str, Any]:
    return {
        str(key): value
        for key, value in zip(inside[::2], inside[1::2], strict=False)
        if isinstance(key, _Name)
    }


def _string_end(text: bytes, at: int) -> int:
    depth = 1
    for match in _STRING_END.finditer(text, at):
        depth += {b"(": 1, b")": -1}.get(match[0], 0)
        if depth == 0:
            return match.end()
    return len(text)
