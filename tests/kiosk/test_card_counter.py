"""The ministry's calls on a terminal's devices: found by its configuration, asked line by line."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apdu.ministry.terminal import PinCall
from drivers.card_service import CardService
from hw_sim.population import DEMO_PIN, population
from kiosk.card import counter
from kiosk.card.counter import CardCalls, answer_lines, as_json, run_call
from kiosk.config import TerminalConfig, load
from kiosk.devices import Readers
from kiosk.toml_tables import FileProblem
from tests.kiosk.card_backends import CONTACT, PSAM, InProcess
from tests.kiosk.card_cli import CONFIG

SERIAL = 'reader_serial = "READER0001"\n'
Configure = Callable[..., TerminalConfig]


@pytest.fixture
def configured(tmp_path: Path) -> Configure:
    def make(*lines: str, custodians: str = '["psam"]') -> TerminalConfig:
        text = (CONFIG + SERIAL).replace('custodians = ["psam"]', f"custodians = {custodians}")
        file = tmp_path / "terminal.toml"
        file.write_text(text + "\n".join(lines), encoding="utf-8")
        return load(file)

    return make


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    found = InProcess()
    service: CardService = found.service

    def readers(_card: object) -> Readers:
        return Readers(service, CONTACT, PSAM)

    monkeypatch.setattr(counter, "open_readers", readers)
    return found


def passed(_call: str) -> None:
    """No trace is left here; `yikatong card call` leaves one."""


def test_one_call(backend: InProcess, configured: Configure) -> None:
    backend.insert("v3")
    answer = run_call("iReadCardBas", ["1"], configured(), before=passed)
    person = population()[0]
    fields = answer.output.split("|")
    assert answer.number == 0
    assert (fields[1] == person.number, fields[4] == person.name) == (True, True)
    assert fields[10:] == ["READER0001", ""]
    assert len(fields[9]) == 12
    assert fields[9] != "0" * 12


def test_lines_keep_their_card_between_steps(backend: InProcess, configured: Configure) -> None:
    backend.insert("v2")
    lines = ['["iReadCardBas_HSM_Step1","1"]', "", '["iReadCardBas_HSM_Step2","any|thing|"]\n']
    first, second = map(json.loads, answer_lines(lines, configured(), before=passed))
    assert (first["number"], second["number"]) == (0, 0)
    assert (second["output"].split("|")[1] == population()[1].number) is True


@pytest.mark.parametrize(
    "line",
    ["[]", "{}", "[1]", '"iReadCardBas"', "[" * 100_000, '["a"', '["\\ud800", "1"]', "nonsense\0"],
    ids=range(8),
)
def test_lines_that_are_no_calls(backend: InProcess, configured: Configure, line: str) -> None:
    backend.insert("v3")
    wrong, right = answer_lines([line, '["iGetReaderInfo"]'], configured(), before=passed)
    assert json.loads(wrong)["number"] in (-13, -14)
    assert json.loads(wrong)["meaning"]
    assert json.loads(right)["number"] == 0


def test_without_card_reader_pad_or_psam(backend: InProcess, configured: Configure) -> None:
    config = configured()
    assert run_call("iReadCardBas", ["1"], config, before=passed).number == -2
    assert run_call("iReadCardBas", ["2"], config, before=passed).number == -11
    backend.insert("v3")
    assert run_call("iVerifyPIN", ["1"], config, before=passed).number == -11
    backend.remove(PSAM)
    assert run_call("iReadCardBas", ["1"], config, before=passed).number == -2201
    answer = run_call("iGetReaderInfo", [], config, before=passed)
    assert (answer.number, answer.output) == (0, "READER0001|000000000000|")


def test_a_terminal_that_is_not_enrolled_has_no_key_service(
    backend: InProcess, configured: Configure, tmp_path: Path
) -> None:
    backend.insert("v3")
    config = configured(custodians='["platform"]')
    config = TerminalConfig(**{**vars(config), "state": tmp_path / "state"})
    assert run_call("iReadCardBas", ["1"], config, before=passed).number == -2201


def test_a_pin_on_a_command_line_is_never_taken(
    backend: InProcess, configured: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    backend.insert("v3")
    config = configured('pin_calls = ["iVerifyPINK"]')
    assert config.card.pin_calls == (PinCall.VERIFY,)
    caplog.set_level(logging.DEBUG)
    assert run_call("iVerifyPINK", ["1", DEMO_PIN], config, before=passed).number == -13
    lines = [json.dumps(["iVerifyPINK", "1", DEMO_PIN]), json.dumps(["iChangePINK", "1", "1", "2"])]
    answers = [json.loads(line)["number"] for line in answer_lines(lines, config, before=passed)]
    assert answers == [0, -13]
    assert DEMO_PIN not in caplog.text


def test_pin_calls_are_off_by_default_and_named_exactly(configured: Configure) -> None:
    assert configured().card.pin_calls == ()
    with pytest.raises(FileProblem, match="pin_calls"):
        configured('pin_calls = ["iVerifyPIN"]')


def test_a_device_that_never_comes_back_is_mute(
    backend: InProcess, configured: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    backend.insert("v3")
    free = threading.Event()

    def stuck(_reader: str) -> object:
        free.wait(30)
        raise AssertionError("freed")

    monkeypatch.setattr(backend, "connect", stuck)
    monkeypatch.setattr(counter, "_CALL_SECONDS", 0.01)
    monkeypatch.setattr(counter, "_CLOSE_SECONDS", 0.01)
    with CardCalls(configured(), None) as calls:
        assert calls.call("iReadCardBas", "1").number == -4
        assert calls.call("iReadCardBas", "1").number == -4
    free.set()


def test_the_last_card_is_given_back(backend: InProcess, configured: Configure) -> None:
    backend.insert("v3")

    def lines() -> Iterator[str]:
        yield '["iReadCardBas_HSM_Step1","1"]'

    (line,) = answer_lines(lines(), configured(), before=passed)
    assert json.loads(line)["number"] == 0
    assert run_call("iReadCardBas", ["1"], configured(), before=passed).number == 0


def test_an_answer_in_json_names_what_failed(backend: InProcess, configured: Configure) -> None:
    told = json.loads(as_json(run_call("iDoDebit", ["1", "", ""], configured(), before=passed)))
    assert told == {
        "number": -13,
        "output": "不支持该命令",
        "meaning": "This function is not supported.",
    }
