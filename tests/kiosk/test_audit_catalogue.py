"""The event catalogue, and that the program writes only what it lists."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import kiosk
from kiosk.audit.events import CatalogueError, catalogue, read_catalogue

ROOMS = Path(kiosk.__file__).parent.parent
WRITERS = frozenset({"record", "record_line", "_record", "write"})
NOT_DETAILS = frozenset({"outcome", "visit", "actor", "detail"})


def test_what_must_be_recorded_is_there() -> None:
    for event in (
        "terminal.started",
        "terminal.stopped",
        "self-check.passed",
        "self-check.failed",
        "visit.begun",
        "visit.ended",
        "card.inserted",
        "card.removed",
        "card.read",
        "identity.leg",
        "card.refused",
        "pin.rejected",
        "pin.blocked",
        "query.shown",
        "information.revealed",
        "timeout.warned",
        "timeout.expired",
        "help.called",
        "alarm.raised",
        "alarm.delivered",
        "device.lost",
        "device.back",
        "platform.lost",
        "platform.back",
        "pack.loaded",
        "config.loaded",
        "intent.settled",
        "failsafe",
    ):
        assert event in catalogue()


def test_no_detail_is_named_like_content() -> None:
    forbidden = {"name", "number", "pin", "phone", "address", "text", "message", "card_number"}
    for kind in catalogue().values():
        assert not forbidden & kind.detail.keys()


def literal_calls() -> Iterator[tuple[str, str, set[str]]]:
    """(place, event id, detail keys) of every call that writes a literal event id."""
    for room in ("kiosk", "provisioning"):
        for file in sorted((ROOMS / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                    continue
                if node.func.attr not in WRITERS or not node.args:
                    continue
                first = node.args[0]
                if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
                    continue
                if node.func.attr == "write" and not _is_audit(node.func.value):
                    continue
                keys = {k.arg for k in node.keywords if k.arg and k.arg not in NOT_DETAILS}
                for keyword in node.keywords:
                    if keyword.arg == "detail" and isinstance(keyword.value, ast.Dict):
                        keys |= {k.value for k in keyword.value.keys if isinstance(k, ast.Constant)}
                yield f"{file.relative_to(ROOMS)}:{node.lineno}", first.value, keys


def _is_audit(owner: ast.expr) -> bool:
    return "audit" in ast.unparse(owner)


def test_the_program_writes_only_what_is_listed() -> None:
    found = list(literal_calls())
    for place, event, keys in found:
        assert event in catalogue(), f"{place} writes {event}"
        unknown = keys - catalogue()[event].detail.keys()
        assert not unknown, f"{place} writes {unknown} with {event}"


def test_every_listed_event_is_written_somewhere() -> None:
    sources = [p for room in ("kiosk", "provisioning") for p in (ROOMS / room).rglob("*.py")]
    text = "".join(p.read_text("utf-8") for p in [*sources, ROOMS / "kiosk" / "failures.toml"])
    assert [event for event in catalogue() if f'"{event}"' not in text] == []


def test_failures_name_listed_events() -> None:
    failures = tomllib.loads((ROOMS / "kiosk" / "failures.toml").read_text("utf-8"))
    for name, entry in failures.items():
        assert entry.get("audit") is None or entry["audit"] in catalogue(), name


@pytest.mark.parametrize(
    "text",
    [
        '["a.b"]\ntype = "system"\nwho = ["system"]\nzh = "x"\nen = "x"\n',
        '["a.b"]\ntype = "system"\nwho = []\nzh = "x"\nen = "x"\ndetail = {}\n',
        '["A b"]\ntype = "system"\nwho = ["system"]\nzh = "x"\nen = "x"\ndetail = {}\n',
        '["a.b"]\ntype = "x"\nwho = ["system"]\nzh = "x"\nen = "x"\ndetail = {}\n',
        '["a.b"]\ntype = "system"\nwho = ["me"]\nzh = "x"\nen = "x"\ndetail = {}\n',
        '["a.b"]\ntype = "system"\nwho = ["system"]\nzh = "x"\nen = "x"\ndetail = { a = "b" }\n',
        '["a.b"]\ntype = "system"\nwho = ["system"]\nzh = "x"\nen = "x"\ndetail = {}\nmore = 1\n',
    ],
)
def test_a_wrong_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "events.toml").write_text(text)
    with pytest.raises(CatalogueError):
        read_catalogue(tmp_path / "events.toml")
