"""A terminal's client, the double it talks to, and how an answer is spoilt on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from apdu.crypto import sm2
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.limits import LineLimits
from kiosk.platform.models import Asker, Evidence
from kiosk.platform.outcome import Outcome
from tests.kiosk.platform_double import PlatformDouble, Reply

CARD_ID = bytes.fromhex("429900D15600000501A2B3C4FFFFFFFF")
NUMBER = "429900197801160029"
NAME = "王秀芳"
STATUS = {"server_time": 1_800_000_000, "catalogue_version": "2026.11"}
TICKET = "5EC2E7" + "0" * 26
BY_CARD = Asker(NUMBER, CARD_ID, None, frozenset({Evidence.CARD_GENUINE, Evidence.PIN_VERIFIED}))
BY_TICKET = Asker(NUMBER, None, TICKET, frozenset({Evidence.ECARD_VERIFIED}))
BY_ID_CARD = Asker(NUMBER, None, None, frozenset({Evidence.ID_CARD}))
FAST = LineLimits(deadline=20, connect=5, retry_pause=0)


@dataclass
class Line:
    """A terminal and its platform."""

    double: PlatformDouble
    identity: TerminalIdentity
    outcomes: list[Outcome]

    def client(self, limits: LineLimits = FAST, **more: Any) -> PlatformClient:
        key = sm2.PublicKey(more.pop("platform_key", self.double.public_xy))
        url = more.pop("url", self.double.url)
        return PlatformClient(url, self.identity, key, limits, observe=self.outcomes.append, **more)


def resign(line: Line, reply: Reply, **changes: Any) -> Reply:
    headers = {name: value for name, value in reply.headers.items() if name == "Content-Type"}
    echo = changes.pop("echo", reply.headers["Idempotency-Key"])
    return line.double.signed(replace(reply, headers=headers), echo, **changes)


def without(reply: Reply, *names: str) -> Reply:
    return replace(reply, headers={n: v for n, v in reply.headers.items() if n not in names})


def with_headers(reply: Reply, **headers: str) -> Reply:
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(reply, headers={**reply.headers, **renamed})


def dropped(reply: Reply) -> Reply:
    return replace(reply, drop=True)


def half(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2], announced=len(reply.body))
