"""A platform that speaks the form of province_envelope.toml, written by hand from that file.

It turns each message into the contract's and back around `PlatformDouble`, with nothing of kiosk/.
"""

from __future__ import annotations

import json
from typing import Any

from tests.kiosk.platform_double import Answer, PlatformDouble

_PATHS = {"/gw/zt": "/v1/status", "/gw/kzt/cx": "/v1/card-verdicts"}
_NAMES = {
    "aac002": "sfzh",
    "aac003": "xm",
    "aab301": "xzqh",
    "ticket": "pj",
    "state": "zt",
    "available": "sfky",
}
_EVIDENCE = {
    "01": "card-genuine",
    "02": "pin-verified",
    "03": "ecard-verified",
    "04": "id-card",
}
_CARD_STATES = {"normal": "1", "sealed": "0", "lost": "9", "locked": "4", "unknown": "6"}
_PENSION_STATES = {"paying": "1", "paused": "2", "receiving": "3", "open": "A", "none": "B"}
_VERDICTS = {"allow": 0, "warn": 1, "block": 2}
_RESULT_CODES = {
    "forbidden": "40301",
    "not-found": "40417",
    "invalid": "42200",
    "too-many": "49001",
    "unavailable": "99999",
}
_OPERATION_CODES = {
    "card-verdicts": "K001",
    "overviews": "Q001",
    "ecard-verifications": "E001",
    "risk-verdicts": "R001",
    "certificates": "Z001",
    "certificate-verifications": "Z002",
    "cryptograms": "J001",
    "protected-commands": "J002",
    "alarms": "B001",
    "events": "S001",
    "event-batches": "S002",
}


class ProvinceDouble(PlatformDouble):
    """Attributes: asked: each request as the contract writes it, its document None for a GET."""

    asked: list[tuple[str, Any]]

    def _answer(self, question: str, headers: dict[str, str], body: bytes) -> Answer:
        method, path = question.split()
        path = _PATHS.get(path, path).replace("/gw/tj/", "/v1/submissions/").replace("/gw/", "/")
        document = None
        if body:
            root = json.loads(body)["ROOT"]
            code = _OPERATION_CODES[path.rpartition("/")[2]]
            assert root["HEAD"] == {"VERSION": "1.0", "CHANNEL": 7, "JYDM": code}
            document = _read(root["BODY"])
            body = json.dumps(document, sort_keys=True).encode()
        self.__dict__.setdefault("asked", []).append((f"{method} {path}", document))
        status, answer = super()._answer(f"{method} {path}", headers, body)
        if status < 400:
            data = {name: _written(name, value, path) for name, value in answer.items()}
            renamed = {_name(name, path): value for name, value in data.items()}
            head = {"code": "00000", "msg": "成功"}
            return 200, {"head": head, "data": renamed, "traceId": "t-1"}
        word = answer["type"].rpartition(":")[2]
        if word not in _RESULT_CODES:
            return status, answer
        return 200, {"head": {"code": _RESULT_CODES[word], "msg": "不行"}, "data": None}


def _read(value: Any) -> Any:
    back = {theirs: ours for ours, theirs in _NAMES.items()}
    if isinstance(value, dict):
        document = {back.get(name, name): _read(inner) for name, inner in value.items()}
        if "evidence" in document:
            document["evidence"] = [_EVIDENCE[code] for code in document["evidence"]]
        return document
    return value


def _name(name: str, path: str) -> str:
    if name == "code" and path == "/v1/risk-verdicts":
        return "fxdm"
    return _NAMES.get(name, name)


def _written(name: str, value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return {_name(inner, path): _written(inner, v, path) for inner, v in value.items()}
    if isinstance(value, list):
        return [_written(name, item, path) for item in value]
    if name == "available":
        return "1" if value else "0"
    if name == "settled":
        return 1 if value else 0
    if name == "verdict":
        return _VERDICTS[value]
    if name == "state" and path == "/v1/card-verdicts":
        return _CARD_STATES[value]
    if name == "state" and path == "/v1/overviews":
        return _PENSION_STATES[value]
    return value
