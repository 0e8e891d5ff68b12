"""Nothing about anybody, no PIN and no cryptogram is told on the road to the card.

Every workflow runs with every fault at every command, on a worker as in the terminal. Then all that
is left of the run is searched: trace lines, recordings, log records, the exception with its chain,
and the crash dump of somebody who shows the variables of every frame.
"""

from __future__ import annotations

import contextlib
import faulthandler
import itertools
import logging
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from apdu.errors import CardError
from apdu.personalisation import GoodCard, personalise
from apdu.personalisation_plan import make_plan
from apdu.psam import PsamCustodian
from apdu.recording.recorder import RecordingTransport
from apdu.recording.stand_ins import StandIns
from apdu.trace import TraceLine, TracingTransport
from apdu.transport import Transport
from drivers.worker import Done, Worker
from hw_sim.cards.catalogue import holder
from hw_sim.population import DEMO_PIN
from tests.apdu.card_in_process import CountingRandom
from tests.apdu.faults import Fault, FaultyCard
from tests.apdu.person import PHOTO, content_for
from tests.apdu.pki_issuance import ADMIN_PIN, USER_PIN
from tests.apdu.planted import Found, Planted, SpiedCard, Told, found_twice, told_by
from tests.apdu.workflows import WORKFLOWS, WRONG_PIN, Workflow

KEY = b"stand-ins that are the same each time are never a secret by chance"

each_workflow = pytest.mark.parametrize(
    "workflow", WORKFLOWS, ids=[workflow.name for workflow in WORKFLOWS]
)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker("card")
    yield made
    made.close(5)


@dataclass
class Run:
    """One run, and all that it tells."""

    workflow: Workflow
    faults: dict[int, Fault] = field(default_factory=dict)
    psam_faults: dict[int, Fault] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.planted = Planted()
        # Not for a clone, whose proofs are random: six digits turn up in them some day.
        if self.workflow.repeats or self.workflow.tries:
            for pin in (DEMO_PIN, WRONG_PIN, USER_PIN.decode(), ADMIN_PIN.decode()):
                self.planted.plant_pin(pin)
        stand_ins = StandIns(KEY)
        self.lines: list[TraceLine] = []
        self.cards = [self._card(self.workflow.card, self.faults)]
        self.cards.append(self._card("psam", self.psam_faults))
        self.recorders = [
            RecordingTransport(card, stand_ins, clock=lambda: 0) for card in self.cards
        ]

    def _card(self, name: str, faults: dict[int, Fault]) -> FaultyCard:
        swapped = Fault.SWAPPED in faults.values()
        other = SpiedCard(self.workflow.other, self.planted) if swapped else None
        return FaultyCard(SpiedCard(name, self.planted), faults, other=other)

    @property
    def sent(self) -> list[int]:
        """Commands to the card, and to the PSAM."""
        return [card.sent for card in self.cards]

    def __call__(self) -> object:
        card, psam = (
            TracingTransport(recorder, self.lines.append, clock=lambda: 0)
            for recorder in self.recorders
        )
        return self.workflow.run(card, psam)

    def told(self) -> Iterator[Told]:
        yield "trace", "\n".join(f"{line} {line!r}" for line in self.lines)
        for recorder in self.recorders:
            yield "recording", f"{recorder.transcript.text()} {recorder.transcript!r}"


def outcome_of(worker: Worker, run: Run) -> Done[object]:
    outcomes: queue.Queue[Done[object]] = queue.Queue()
    worker.submit(run, outcomes.put)
    return outcomes.get(timeout=20)


class Kept(logging.Handler):
    """Keeps the log records, in the place of all other handlers: what they hold is shown nowhere,
    not even by a test that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        root = logging.getLogger()
        others, root.handlers = root.handlers, [self]
        try:
            yield
        finally:
            root.handlers = others

    def told(self) -> Iterator[Told]:
        for record in self.records:
            yield "log", f"{logging.Formatter().format(record)} {vars(record)!r}"
        self.records.clear()


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    return kept


def leaks(worker: Worker, run: Run, log: Kept) -> set[Found]:
    """What one run told."""
    with log.alone():
        outcome = outcome_of(worker, run)
    found = run.planted.found_in((*run.told(), ("outcome", repr(outcome)), *log.told()))
    if outcome.error is None:
        return found
    if not isinstance(outcome.error, CardError):
        pytest.fail(type(outcome.error).__name__)
    return found | run.planted.found_in(told_by(outcome.error))


def leaks_of(worker: Worker, make: Callable[[], Run], log: Kept) -> set[Found]:
    """What every run tells that `make` makes."""
    return found_twice(lambda: leaks(worker, make(), log))


@each_workflow
def test_no_run_tells_a_secret(worker: Worker, workflow: Workflow, log: Kept) -> None:
    clean = Run(workflow)
    assert leaks(worker, clean, log) == set()
    to_card, to_psam = clean.sent
    for at, fault in itertools.product(range(1, to_card + 1), Fault):
        make = partial(Run, workflow, {at: fault})
        assert leaks_of(worker, make, log) == set(), (at, fault)
    for at, fault in itertools.product(range(1, to_psam + 1), Fault):
        make = partial(Run, workflow, psam_faults={at: fault})
        assert leaks_of(worker, make, log) == set(), (at, fault)


def _personalise(card: Transport, psam: Transport) -> GoodCard:
    blank = make_plan(card.atr, content_for(card.atr), plan_id="ab" * 16)
    custodian, random = PsamCustodian(psam), CountingRandom()
    return personalise(card, blank, custodian, lambda journal: None, random=random)


def personalisation(faults: dict[int, Fault]) -> Run:
    run = Run(Workflow("personalise", "blank:7", "blank:8", _personalise, bool), faults)
    atr = run.recorders[0].atr
    content = content_for(atr)
    for encoding in ("utf-8", "gb18030"):
        run.planted.plant("name", content.holder.name.encode(encoding))
    run.planted.plant("number", content.holder.social_security_number.encode())
    run.planted.plant("card number", content.issuer.card_number.encode())
    run.planted.plant("card serial", atr[-4:])
    run.planted.plant("telephone", str(content.items["DF01EF06"]["telephone"]).encode())
    run.planted.plant("photo", PHOTO[:16], PHOTO[250:266])
    return run


def test_no_personalisation_tells_whose_card_it_becomes(worker: Worker, log: Kept) -> None:
    clean = personalisation({})
    assert leaks(worker, clean, log) == set()
    assert len(clean.lines) > 50
    faults = itertools.cycle(Fault)
    for at in range(1, clean.sent[0] + 1):
        for fault in itertools.islice(faults, 3):
            make = partial(personalisation, {at: fault})
            assert leaks_of(worker, make, log) == set(), (at, fault)


class Crashing:
    """Leaves the interpreter's own crash dump at every command."""

    def __init__(self, transport: Transport, dump: Any) -> None:
        self._transport = transport
        self._dump = dump
        self.atr, self.reset, self.close = transport.atr, transport.reset, transport.close

    def transmit(self, command: bytes | bytearray) -> bytes:
        faulthandler.dump_traceback(self._dump, all_threads=True)
        answer = self._transport.transmit(command)
        faulthandler.dump_traceback(self._dump, all_threads=True)
        return answer


@each_workflow
def test_a_crash_of_the_interpreter_tells_no_secret(
    worker: Worker, workflow: Workflow, tmp_path: Path
) -> None:
    run = Run(workflow)
    file = tmp_path / "dump"
    with file.open("w") as dump:
        crash = Crashing(run.recorders[0], dump), Crashing(run.recorders[1], dump)
        outcomes: queue.Queue[Done[object]] = queue.Queue()
        worker.submit(lambda: workflow.run(*crash), outcomes.put)
        assert outcomes.get(timeout=20).error is None
    text = file.read_text("utf-8")
    assert text.count("in transmit") > sum(run.sent)
    assert run.planted.found_in([("dump", text)]) == set()


def test_the_search_sees_what_a_frame_holds() -> None:
    """Without a worker: this is what it is there for."""
    workflow = next(each for each in WORKFLOWS if each.name == "read-v3")
    run = Run(workflow, {5: Fault.TEAR_AFTER})
    with pytest.raises(CardError) as torn:
        run()
    found = run.planted.found_in(told_by(torn.value))
    assert ("crash dump", "our cryptogram") in found
    assert ("crash dump", "challenge or computed result") in found


@pytest.mark.parametrize("card", ["v1", "v2", "v3"])
@pytest.mark.parametrize("shape", ["{}", "[{}]", "<Name at 0x7f0123456789> {}"])
def test_a_planted_secret_is_found_however_it_is_written(card: str, shape: str) -> None:
    planted, resident = Planted(), holder(card)
    assert resident is not None
    planted.plant_resident("their", resident)
    planted.plant_pin(DEMO_PIN)
    packed = bytes.fromhex(DEMO_PIN)
    name = resident.name.encode("gb18030")
    written: list[tuple[str, object]] = [
        ("PIN", DEMO_PIN),
        ("PIN", packed),
        ("PIN", bytearray(packed)),
        ("PIN", bytearray(DEMO_PIN.encode())),
        ("PIN", list(packed)),
        ("PIN", packed.hex(" ").upper()),
        ("their name", resident.name),
        ("their name", name),
        ("their name", name.hex().upper()),
        ("their name", resident.name.encode()),
        ("their number", resident.number),
        ("their number", resident.number.encode().hex()),
        ("their card number", resident.card.card_number),
        ("their card serial", resident.card.serial),
        ("their birth date", date(resident.born.year, resident.born.month, resident.born.day)),
        ("their birth date", [resident.born]),
        ("their birth date", f"0D04{resident.born:%Y%m%d}"),
    ]
    for at, (secret, value) in enumerate(written):
        found = planted.found_in([("text", shape.format(value))])
        assert ("text", secret) in found, f"form {at}"
    assert planted.found_in([("text", shape.format("nothing"))]) == set()


def test_nothing_shows_a_value() -> None:
    planted = Planted()
    planted.plant_pin(DEMO_PIN)
    assert repr(planted) == "Planted(['PIN'])"
