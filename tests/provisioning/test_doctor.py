"""The doctor: with everything well, with nothing at all, with stuck devices, and for machines."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.card_service import ReaderState
from drivers.document_printer import PrinterNote, PrinterReason, PrinterStatus
from hw_sim.platform.server import PlatformServer
from kiosk.cli import main
from kiosk.clock import SystemClock
from kiosk.commands import Exit
from kiosk.config import PlatformConfig, load
from kiosk.keys import KeyStore
from kiosk.platform.exchange import Exchange
from kiosk.platform.limits import LineLimits
from kiosk.platform.tls import TlsFiles
from kiosk.state import StateDirectory
from offline_queue.queue import Queue
from provisioning import inspections
from provisioning.checks import devices, files, line, printing, screen, software, waiting
from provisioning.doctor import COMMAND, examine
from provisioning.enrol import Place, ask_platform, enrol
from provisioning.findings import Finding, Inspection, Severity, inspect, ok
from provisioning.machine import Machine
from tests.kiosk.certificates import Authority, server_side
from tests.kiosk.platform_double import PlatformDouble
from tests.provisioning.machines import (
    CONTACT,
    PSAM,
    FakeCardService,
    FakePad,
    FakePrinter,
    FakeScanner,
    both_readers,
    write_config,
)

NOT_CONFIGURED = {"id-reader", "camera", "dispenser", "receipt", "sensors"}
FIELD_PACK = 'pack = { folder = "pack", root_key = "root.pem" }'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformServer]:
    with PlatformServer(tmp_path_factory.mktemp("platform") / "platform.sqlite") as running:
        yield running


@pytest.fixture
def healthy(server: PlatformServer, tmp_path: Path) -> Machine:
    """An enrolled demonstration machine with every device, and a display that is none."""
    config = load(write_config(tmp_path, server.url))
    state = StateDirectory(config.state)
    ask = ask_platform(Exchange(server.url, LineLimits(deadline=30, connect=10)))
    place = Place(config.division, config.machine, server.url)
    enrol(KeyStore(state.keys), place, server.new_enrolment_code(), ask)
    pad, cards = FakePad(), FakeCardService(*both_readers())
    scanner, printer = FakeScanner(), FakePrinter()
    Queue(state.queue, queue_key(config.state), SystemClock()).close()
    return Machine(
        config=config,
        state=config.state,
        environ={"SDL_VIDEODRIVER": "dummy"},
        card_service=lambda: cards,
        open_pad=lambda _config: pad,
        open_scanner=lambda _config: scanner,
        open_printer=lambda _config: printer,
    )


def queue_key(state: Path) -> bytes:
    return KeyStore(state / "keys").load().queue_key


def found(findings: list[Finding], name: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.name == name]
    return finding


def one(visit: Any, machine: Machine, name: str) -> Finding:
    return found(list(visit(machine)), name)


def test_everything_well(healthy: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    findings = inspect(inspections.INSPECTIONS, healthy)
    bad = {f.name: f.told.en for f in findings if f.severity not in (Severity.OK, Severity.WARN)}
    assert set(bad) == NOT_CONFIGURED
    machine_dependent = {"screen", "core-dumps", "memory-lock", "disk", "state"}
    assert {f.name for f in findings if f.severity is Severity.WARN} <= machine_dependent
    assert examine(healthy, as_json=False) is Exit.OK
    table = capsys.readouterr().out
    for title in inspections.TITLES.values():
        assert title.zh in table


def test_every_finding_has_a_title_and_an_order() -> None:
    names = [name for inspection in inspections.INSPECTIONS for name in inspection.names]
    assert sorted(names) == sorted(inspections.TITLES)
    assert len(set(names)) == len(names)
    assert max(inspection.deadline for inspection in inspections.INSPECTIONS) < 15


def test_for_machines(healthy: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    examine(healthy, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [entry["check"] for entry in told] == list(inspections.TITLES)
    for entry in told:
        assert set(entry) == {
            "check",
            "severity",
            "zh",
            "en",
            "advice_zh",
            "advice_en",
            "facts",
        }
        assert entry["severity"] in {"ok", "warn", "fail", "skipped"}
        needs_advice = entry["severity"] in {"warn", "fail"}
        assert bool(entry["advice_zh"]) == bool(entry["advice_en"]) == needs_advice


def test_nothing_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = load(write_config(tmp_path, "http://127.0.0.1:9"))
    machine = Machine(
        config=config,
        state=config.state,
        environ={"SDL_VIDEODRIVER": "no-such-driver"},
        card_service=lambda: FakeCardService(lost=True),
        open_pad=lambda _config: FakePad(gone=True),
        open_scanner=lambda _config: FakeScanner(gone=True),
        open_printer=lambda _config: FakePrinter(PrinterStatus(PrinterReason.GONE)),
        clock=lambda: 10_000.0,
    )
    assert examine(machine, as_json=True) is Exit.FAILED
    severities = {
        entry["check"]: entry["severity"] for entry in json.loads(capsys.readouterr().out)
    }
    failing = {"keys", "pcsc", "pad", "scanner", "printer", "platform", "clock", "screen", "pack"}
    assert {name for name, severity in severities.items() if severity == "fail"} >= failing
    assert severities["contact-reader"] == severities["psam"] == "skipped"
    assert not config.state.exists(), "looking does not make anything"


def test_without_a_configuration_the_machine_itself_is_examined(tmp_path: Path) -> None:
    service = FakeCardService(*both_readers())
    machine = Machine(environ={"SDL_VIDEODRIVER": "dummy"}, card_service=lambda: service)
    findings = inspect(inspections.INSPECTIONS, machine)
    absent = ("config", "pack", "state", "keys", "psam", "pad", "scanner", "printer", "queue")
    for name in (*absent, "platform"):
        assert found(findings, name).severity is Severity.SKIPPED
    for name in ("python", "libraries", "sm2", "pcsc", "fonts", "clock"):
        assert found(findings, name).severity is Severity.OK


def test_a_configuration_that_cannot_be_read_is_a_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = tuple(i for i in inspections.INSPECTIONS if i.names[0] == "config")
    monkeypatch.setattr(inspections, "INSPECTIONS", only)
    words = ["doctor", "--config", str(tmp_path / "none.toml"), "--json"]
    assert main(words, {"doctor": lambda: COMMAND}) == Exit.FAILED
    (config, _pack) = json.loads(capsys.readouterr().out)
    assert (config["check"], config["severity"]) == ("config", "fail")
    assert main(["doctor", "--no-such"], {"doctor": lambda: COMMAND}) == Exit.USAGE


@pytest.mark.timeout(20)
def test_a_stuck_device_is_told_and_holds_nobody_up(healthy: Machine) -> None:
    hold = threading.Event()
    machine = replace(healthy, open_pad=lambda _config: FakePad(hold=hold))
    slow = (
        Inspection(("pad",), 0.2, devices.visit_pad),
        Inspection(("python", "libraries", "sm2"), 60, software.visit),
    )
    try:
        findings = inspect(slow, machine)
    finally:
        hold.set()
    assert found(findings, "pad").severity is Severity.FAIL
    assert found(findings, "sm2").severity is Severity.OK


@pytest.mark.timeout(20)
def test_what_came_before_the_deadline_counts(healthy: Machine) -> None:
    hold = threading.Event()

    def visit(_machine: Machine) -> Iterator[Finding]:
        yield ok("python", "好", "well")
        hold.wait()

    try:
        first, second = inspect((Inspection(("python", "sm2"), 0.3, visit),), healthy)
    finally:
        hold.set()
    assert (first.name, first.severity) == ("python", Severity.OK)
    assert (second.name, second.severity) == ("sm2", Severity.FAIL)


def test_a_bug_of_one_check_is_seen_and_spoils_no_other(healthy: Machine) -> None:
    def broken(_machine: Machine) -> Iterator[Finding]:
        yield ok("python", "好", "well")
        raise KeyError("secret")

    both = (
        Inspection(("python", "libraries"), 5, broken),
        Inspection(("pad",), 5, devices.visit_pad),
    )
    findings = inspect(both, healthy)
    bug = [finding for finding in findings if finding.severity is Severity.FAIL]
    assert len(bug) == 1
    assert "KeyError" in bug[0].told.en
    assert "secret" not in bug[0].told.en
    assert found(findings, "pad").severity is Severity.OK


@pytest.mark.parametrize(
    "readers, mute, name, severity",
    [
        ((), False, "contact-reader", Severity.FAIL),
        ((ReaderState("Other [x] 00", False, False, b""),), False, "contact-reader", Severity.FAIL),
        ((ReaderState(CONTACT, False, False, b""),), False, "contact-reader", Severity.OK),
        ((ReaderState(CONTACT, False, False, b""),), False, "psam", Severity.FAIL),
        ((ReaderState(PSAM, False, False, b""),), False, "psam", Severity.FAIL),
        ((ReaderState(PSAM, True, False, b"\x3b\x00"),), True, "psam", Severity.FAIL),
        ((ReaderState(PSAM, True, False, b"\x3b\x00"),), False, "psam", Severity.OK),
    ],
)
def test_readers(
    monkeypatch: pytest.MonkeyPatch,
    healthy: Machine,
    readers: tuple[ReaderState, ...],
    mute: bool,
    name: str,
    severity: Severity,
) -> None:
    monkeypatch.setattr(devices, "_FIRST_LOOK", 0.5)
    service = FakeCardService(*readers, mute=mute)
    finding = one(devices.visit_readers, replace(healthy, card_service=lambda: service), name)
    assert finding.severity is severity
    assert service.stopped
    assert all(connection.closed for connection in service.connections)


def test_no_pyscard(healthy: Machine) -> None:
    def missing() -> FakeCardService:
        raise ImportError("libpcsclite.so.1")

    finding = one(devices.visit_readers, replace(healthy, card_service=missing), "pcsc")
    assert finding.severity is Severity.FAIL


def test_the_virtual_driver_has_no_place_in_the_field(healthy: Machine, tmp_path: Path) -> None:
    root = tmp_path / "root"
    driver = root / "usr/lib/pcsc/drivers/serial/libifdvpcd.so.0.8"
    driver.parent.mkdir(parents=True)
    machine = replace(healthy, root=root)
    assert one(devices.visit_readers, machine, "vpcd").told.en == "not installed"
    driver.touch()
    assert one(devices.visit_readers, machine, "vpcd").severity is Severity.OK
    field = replace(machine, config=in_field(machine))
    assert one(devices.visit_readers, field, "vpcd").severity is Severity.FAIL


def in_field(machine: Machine) -> Any:
    from kiosk.config import Kind

    assert machine.config is not None
    return replace(machine.config, kind=Kind.FIELD)


def test_a_scanner_that_does_not_answer(healthy: Machine) -> None:
    scanner = FakeScanner(gone=True)
    machine = replace(healthy, open_scanner=lambda _config: scanner)
    finding = one(printing.visit_scanner, machine, "scanner")
    assert finding.severity is Severity.FAIL
    assert "does not answer" in finding.told.en
    assert scanner.closed


@pytest.mark.parametrize("reason", PrinterReason)
def test_a_printer_with_an_obstacle(healthy: Machine, reason: PrinterReason) -> None:
    printer = FakePrinter(PrinterStatus(reason))
    machine = replace(healthy, open_printer=lambda _config: printer)
    finding = one(printing.visit_printer, machine, "printer")
    assert finding.severity is Severity.FAIL
    assert finding.facts["reason"] == reason.value
    assert printer.closed


@pytest.mark.parametrize("note", PrinterNote)
def test_a_printer_that_runs_low(healthy: Machine, note: PrinterNote) -> None:
    low = FakePrinter(PrinterStatus(None, frozenset({note})))
    finding = one(
        printing.visit_printer, replace(healthy, open_printer=lambda _config: low), "printer"
    )
    assert finding.severity is Severity.WARN


def test_a_queue_with_a_refused_message(healthy: Machine) -> None:
    assert healthy.state is not None
    path = healthy.state / "queue.sqlite"
    queue = Queue(path, queue_key(healthy.state), SystemClock())
    queue.enqueue("alarm", b"{}", key="K-1")
    claim = queue.claim("test")
    assert claim is not None
    queue.bury(claim, "forbidden")
    queue.enqueue("alarm", b"{}", key="K-2")
    queue.close()
    finding = one(waiting.visit_queue, healthy, "queue")
    assert finding.severity is Severity.WARN
    assert dict(finding.facts) == {"waiting": 1, "dead": 1, "oldest_seconds": 0}


def test_a_queue_of_another_terminal(healthy: Machine) -> None:
    assert healthy.state is not None
    path = healthy.state / "queue.sqlite"
    path.unlink()
    Queue(path, bytes(16), SystemClock()).close()
    finding = one(waiting.visit_queue, healthy, "queue")
    assert finding.severity is Severity.FAIL


def test_a_pad_without_master_key(healthy: Machine) -> None:
    pad = FakePad(master_key=False)
    finding = one(devices.visit_pad, replace(healthy, open_pad=lambda _config: pad), "pad")
    assert finding.severity is Severity.FAIL
    assert pad.closed


@pytest.mark.parametrize(
    "ahead, severity",
    [(0, Severity.OK), (-29, Severity.OK), (60, Severity.WARN), (4000, Severity.FAIL)],
)
def test_the_clock_is_judged_by_the_platforms(
    healthy: Machine, ahead: int, severity: Severity
) -> None:
    machine = replace(healthy, clock=lambda: time.time() - ahead)
    findings = list(line.visit(machine))
    assert found(findings, "clock").severity is severity
    platform = Severity.FAIL if ahead > 300 else Severity.OK
    assert found(findings, "platform").severity is platform


def test_before_the_enrolment_the_line_is_tried_unsigned(healthy: Machine, tmp_path: Path) -> None:
    machine = replace(healthy, state=tmp_path / "none")
    assert one(line.visit, machine, "platform").severity is Severity.WARN


def test_somebody_elses_platform(healthy: Machine, tmp_path: Path) -> None:
    with PlatformServer(tmp_path / "other.sqlite") as other:
        assert healthy.config is not None
        elsewhere = replace(healthy.config.platform, url=other.url)
        machine = replace(healthy, config=replace(healthy.config, platform=elsewhere))
        finding = one(line.visit, machine, "platform")
        assert finding.severity is Severity.FAIL
        assert finding.facts["reason"] == "signature"
        assert one(files.visit_state, machine, "keys").severity is Severity.FAIL


def test_a_platform_that_wants_a_certificate(healthy: Machine, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    double = PlatformDouble(server_side(authority.issue("server"), clients=authority.ca_file))
    try:
        assert healthy.config is not None
        behind = PlatformConfig(double.url, TlsFiles(authority.ca_file))
        machine = replace(healthy, config=replace(healthy.config, platform=behind))
        finding = one(line.visit, machine, "platform")
    finally:
        double.close()
    assert finding.severity is Severity.FAIL
    assert finding.facts["reason"] == "client-certificate"


def test_keys_that_others_can_read(healthy: Machine) -> None:
    assert healthy.state is not None
    (healthy.state / "keys" / "terminal-sm2.pem").chmod(0o644)
    finding = one(files.visit_state, healthy, "keys")
    assert finding.severity is Severity.FAIL
    assert "0644" in finding.told.en


def test_a_state_directory_that_others_can_read(healthy: Machine) -> None:
    assert healthy.state is not None
    healthy.state.chmod(0o755)
    assert one(files.visit_state, healthy, "state").severity is Severity.FAIL
    assert not list(healthy.state.glob(".doctor*"))


@pytest.mark.parametrize("mounted, kind", [("/", "ext4"), ("STATE", "tmpfs")])
def test_a_state_directory_in_memory(
    healthy: Machine, tmp_path: Path, mounted: str, kind: str
) -> None:
    assert healthy.state is not None
    point = mounted.replace("STATE", str(healthy.state).replace(" ", "\\040"))
    proc = tmp_path / "root/proc/self"
    proc.mkdir(parents=True)
    (proc / "mountinfo").write_text(
        f"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / {point} rw - {kind} none rw\n"
    )
    machine = replace(healthy, root=tmp_path / "root", config=in_field(healthy))
    expected = Severity.OK if kind == "ext4" else Severity.FAIL
    assert one(files.visit_state, machine, "state").severity is expected


def test_a_changed_pack(healthy: Machine, tmp_path: Path) -> None:
    import shutil

    assert healthy.config is not None
    assert one(files.visit_config, healthy, "pack").severity is Severity.OK
    copy = tmp_path / "pack"
    shutil.copytree(healthy.config.pack.folder, copy)
    with (copy / "texts.toml").open("a") as file:
        file.write("\n# changed\n")
    place = replace(healthy.config.pack, folder=copy)
    machine = replace(healthy, config=replace(healthy.config, pack=place))
    assert one(files.visit_config, machine, "pack").severity is Severity.FAIL


def test_little_space(healthy: Machine) -> None:
    assert healthy.config is not None
    limits = replace(healthy.config.limits, free_bytes=10**18)
    machine = replace(healthy, config=replace(healthy.config, limits=limits))
    assert one(files.visit_state, machine, "disk").severity is Severity.FAIL


@pytest.mark.parametrize(
    "version, bound, fits",
    [
        ("2.34.2", ">=2.34", True),
        ("2.34.2", "<3", True),
        ("3.0.0", "<3", False),
        ("2.3", ">=2.3.0", True),
        ("2.2.9", ">=2.3", False),
        ("50.0.2", "<51", True),
        ("3.0.0rc1", "==3", True),
        ("1.0", "~=1.0", True),
    ],
)
def test_version_ranges(version: str, bound: str, fits: bool) -> None:
    assert software._fits(version, bound) is fits


def test_fonts(tmp_path: Path) -> None:
    assert screen.judge_fonts(None).severity is Severity.FAIL
    assert screen.judge_fonts(tmp_path).severity is Severity.FAIL
    (tmp_path / "Broken.otf").write_bytes(b"OTTO\x00\x09" + bytes(40))
    broken = screen.judge_fonts(tmp_path)
    assert (broken.severity, "Broken.otf" in broken.told.en) == (Severity.FAIL, True)
    assert screen.judge_fonts(screen.font_folder()).severity is Severity.OK


def test_a_font_that_lacks_characters(tmp_path: Path) -> None:
    from fontTools.fontBuilder import FontBuilder
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "A"])
    builder.setupCharacterMap({ord("A"): "A"})
    builder.setupGlyf({".notdef": Glyph(), "A": Glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "A": (500, 0)})
    builder.setupHorizontalHeader()
    builder.save(tmp_path / "Tiny.ttf")
    finding = screen.judge_fonts(tmp_path)
    assert finding.severity is Severity.FAIL
    assert int(finding.facts["lacking"]) == len(screen.required_characters()) - 1


def test_gb_2312_is_whole() -> None:
    hanzi = [code for code in screen.required_characters() if 0x4E00 <= code <= 0x9FFF]
    assert len(hanzi) == 6763


def test_no_display_is_a_failure_only_where_residents_stand(healthy: Machine) -> None:
    assert one(screen.visit_screen, healthy, "screen").severity is Severity.WARN
    field = replace(healthy, config=in_field(healthy))
    assert one(screen.visit_screen, field, "screen").severity is Severity.FAIL


def test_memory_that_cannot_be_locked(
    healthy: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc = tmp_path / "root/proc"
    (proc / "sys/kernel").mkdir(parents=True)
    (proc / "sys/kernel/core_pattern").write_text("|/usr/lib/collector %p\n")
    (proc / "swaps").write_text("Filename Type\n/dev/sda2 partition\n")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("resource.getrlimit", lambda _which: (8_388_608, 8_388_608))
    machine = replace(healthy, root=tmp_path / "root")
    findings = list(software.visit_process(machine))
    assert found(findings, "core-dumps").severity is Severity.WARN
    assert found(findings, "memory-lock").severity is Severity.WARN
    field = replace(machine, config=in_field(machine))
    assert one(software.visit_process, field, "memory-lock").severity is Severity.FAIL
    (proc / "swaps").write_text("Filename Type\n")
    (proc / "sys/kernel/core_pattern").write_text("core\n")
    assert one(software.visit_process, field, "memory-lock").severity is Severity.WARN
    assert one(software.visit_process, field, "core-dumps").severity is Severity.OK
