"""nginx in front of one or more platforms: client certificates, and a share for each terminal.

``nginx.conf`` beside this module is the configuration, with places for what differs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

from hw_sim.platform.problems import Problem, ProblemKind

_ADDRESS = re.compile(r"(?:[0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}")
_RATE = re.compile(r"([1-9][0-9]{0,5})r/([sm])")
_UNAVAILABLE_S = 2


class FrontRefused(Exception):
    """Something that cannot stand in a configuration of nginx."""


@dataclass(frozen=True)
class Front:
    """What a front is made of.

    Attributes:
        listen: ``host:port``.
        upstreams: ``host:port`` of each platform; all work on one database.
        certificate: the front's own, PEM, with those that issued it below.
        key: of ``certificate``, PEM.
        client_ca: PEM; whom it issued a certificate is let in.
        folder: for the pid and what is under way; nginx's user may write there.
        rate: of one terminal in the long run: ``5r/s``, ``30r/m``.
        burst: how many more one terminal may send at once.
        body_limit: bytes; the platform's own.
    """

    listen: str
    upstreams: Sequence[str]
    certificate: Path
    key: Path
    client_ca: Path
    folder: Path
    rate: str = "5r/s"
    burst: int = 20
    body_limit: int = 131_072


def configuration(front: Front) -> str:
    """The text of a configuration file.

    Raises:
        FrontRefused: an address, a rate or a path that nginx would read as something else.
    """
    places = {
        "LISTEN": _address(front.listen),
        "UPSTREAMS": "\n".join(f"        server {_address(each)};" for each in front.upstreams),
        "CERTIFICATE": _path(front.certificate),
        "KEY": _path(front.key),
        "CLIENT_CA": _path(front.client_ca),
        "FOLDER": _path(front.folder),
        "RATE": front.rate,
        "BURST": str(front.burst),
        "BODY_LIMIT": str(front.body_limit),
        "REFUSALS": "\n".join(_refusals(_seconds_each(front.rate), front.body_limit)),
    }
    if not front.upstreams:
        raise FrontRefused("a front stands before at least one platform")
    if front.burst < 1 or front.body_limit < 1:
        raise FrontRefused("burst and body limit are at least 1")
    template = files("hw_sim.platform").joinpath("nginx.conf").read_text("utf-8")
    return re.sub("@([A-Z_]+)@", lambda place: places[place[1]], template)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise FrontRefused(f"not host:port: {text}")
    return text


def _path(path: Path) -> str:
    text = str(path.absolute())
    # Between quotation marks; a dollar sign begins a variable even there.
    if re.search(r'["\\$\n]', text):
        raise FrontRefused(f"nginx cannot read this path: {path}")
    return text


def _seconds_each(rate: str) -> int:
    """How long until one more request of a terminal is let in, at least 1."""
    read = _RATE.fullmatch(rate)
    if read is None:
        raise FrontRefused(f"not a rate, as 5r/s or 30r/m: {rate}")
    return math.ceil(Fraction(1 if read[2] == "s" else 60, int(read[1])))


def _refusals(too_many_s: int, body_limit: int) -> list[str]:
    kind = ProblemKind
    # 494 to 497 are nginx's own: header too large, certificate wrong or missing, not TLS.
    return [
        _refusal("400 405 408 414 494 497", Problem(kind.MALFORMED, "not a request over TLS")),
        _refusal("495 496", Problem(kind.UNKNOWN_TERMINAL, "no certificate of a terminal")),
        _refusal("413", Problem(kind.TOO_LARGE, f"the body is over {body_limit} bytes")),
        _refusal("429", Problem(kind.TOO_MANY, "over the rate", retry_after=too_many_s)),
        _refusal(
            "500 502 503 504",
            Problem(kind.UNAVAILABLE, "no platform answers", retry_after=_UNAVAILABLE_S),
        ),
    ]


def _refusal(statuses: str, problem: Problem) -> str:
    """How these statuses become this problem."""
    answer = problem.answer()
    name = problem.kind.slug.replace("-", "_")
    headers = {"Cache-Control": "no-store", **answer.headers}
    return "\n".join(
        [
            f"        error_page {statuses} ={answer.status} @{name};",
            f"        location @{name} {{",
            *(f"            add_header {header} {headers[header]} always;" for header in headers),
            f"            return {answer.status} '{answer.body.decode()}';",
            "        }",
        ]
    )
