"""``yikatong card`` in this process, on simulated cards held in the hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.card_service import CardService
from kiosk.card import session
from kiosk.cli import main
from kiosk.config import TerminalConfig
from kiosk.keys import Enrolment, KeyStore
from tests.kiosk.card_backends import InProcess

CONFIG = """
kind = "demo"
division = "429900"
machine = 3
custodians = ["psam"]
hall = { zh = "江城市人社服务大厅", en = "Jiangcheng service hall" }
place = { zh = "一楼自助区", en = "Ground floor" }
pack = { name = "demo" }
screen = { width = 1080, height = 1920, density_ppi = 102.5 }
platform = { url = "http://127.0.0.1:8080" }

[card]
driver = "pcsc"
contact_reader = "Contact"
psam_reader = "PSAM"
"""
"""Ends within ``[card]``: more of it may follow."""


@dataclass
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """A reader with a card in it, and the command that a person types."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.backend = InProcess()
        self.given_back = 0
        self._capsys = capsys

    def insert(self, name: str, faults: str = "") -> None:
        self.backend.insert(name)
        if faults:
            self.backend.fault(faults)

    def card(self, *words: str) -> Answer:
        code = main(["card", *words])
        told = self._capsys.readouterr()
        return Answer(code, told.out, told.err)

    def demonstration(self) -> Path:
        """Make this folder that of an enrolled demonstration terminal; its audit folder."""
        folder = Path(".state/demo")
        (folder / "terminal" / "keys").mkdir(parents=True)
        (folder / "terminal.toml").write_text(CONFIG, encoding="utf-8")
        store = KeyStore(folder / "terminal" / "keys")
        public = store.prepare()
        store.enrol(Enrolment("T429900-0003", "429900", "http://127.0.0.1", public, 1))
        return folder / "terminal" / "audit"

    @contextmanager
    def started(self, _config: TerminalConfig | None) -> Iterator[CardService]:
        yield self.backend.service
        self.given_back += 1


def desk_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> Desk:
    """A desk in an empty folder, where no configuration is found."""
    desk = Desk(capsys)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(session, "started", desk.started)
    return desk
