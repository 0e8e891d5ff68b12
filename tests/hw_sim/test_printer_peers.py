"""The document printer against clients that others wrote: pyipp, and the tests of CUPS."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyipp import IPP
from pyipp.enums import IppJobState, IppOperation
from pyipp.exceptions import IPPError

from hw_sim.printer.device import PrinterDevice
from tests.hw_sim.ipp_client import pdf


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[PrinterDevice]:
    device = PrinterDevice(tmp_path / "prints", page_seconds=0.001).start()
    yield device
    device.stop()


def test_pyipp_reads_the_printer(printer: PrinterDevice) -> None:
    printer.machine.load(0)

    async def look() -> Any:
        async with IPP(printer.url) as client:
            return await client.printer()

    told = asyncio.run(look())
    assert told.info.name == "Yikatong Simulated A4"
    assert told.info.model == "Simulated A4"
    assert told.state.printer_state == "idle"
    assert told.state.reasons == "media-empty-warning"
    assert {marker.name: marker.level for marker in told.markers} == {
        "Black Toner": 80,
        "Cyan Toner": 80,
        "Magenta Toner": 80,
        "Yellow Toner": 80,
        "Waste Toner Box": 20,
    }
    assert printer.illegal == ()


def test_pyipp_prints_and_follows_the_job(printer: PrinterDevice) -> None:
    document = pdf(2)

    async def work() -> Any:
        async with IPP(printer.url) as client:
            sent = await client.execute(
                IppOperation.PRINT_JOB,
                {
                    "operation-attributes-tag": {
                        "job-name": "参保证明 S-1",
                        "document-format": "application/pdf",
                        "ipp-attribute-fidelity": True,
                    },
                    "job-attributes-tag": {
                        "copies": 1,
                        "sides": "one-sided",
                        "media": "iso_a4_210x297mm",
                    },
                    "data": document,
                },
            )
            identity = sent["jobs"][0]["job-id"]
            asked = {"operation-attributes-tag": {"job-id": identity}}
            for _ in range(1000):
                job = (await client.execute(IppOperation.GET_JOB_ATTRIBUTES, asked))["jobs"][0]
                if job["job-state"] is IppJobState.COMPLETED:
                    return job
                await asyncio.sleep(0.005)
            raise AssertionError("the job did not end")

    job = asyncio.run(work())
    assert job["job-media-sheets-completed"] == 2
    assert job["job-name"] == "参保证明 S-1"
    (record,) = printer.machine.records
    assert record.file is not None
    assert record.file.read_bytes() == document
    assert printer.illegal == ()


def test_pyipp_understands_a_refusal(printer: PrinterDevice) -> None:
    async def ask() -> None:
        async with IPP(printer.url) as client:
            await client.execute(
                IppOperation.GET_JOB_ATTRIBUTES, {"operation-attributes-tag": {"job-id": 9}}
            )

    with pytest.raises(IPPError) as raised:
        asyncio.run(ask())
    assert "0x406" in str(raised.value).lower() or "1030" in str(raised.value)


def suite(folder: Path) -> Path:
    """The tests that came with ipptool, with a PDF for every document that they name."""
    shutil.copytree(Path(os.environ.get("CUPS_DATADIR", "/usr/share/cups")) / "ipptool", folder)
    for script in folder.glob("ipp-[12].*.test"):
        for name in re.findall(r"^\s*FILE ([a-z0-9.-]+)$", script.read_text(), re.MULTILINE):
            if not (folder / name).exists():
                (folder / name).write_bytes(pdf(2))
    return folder / "ipp-2.0.test"


@pytest.mark.peer
def test_cups_finds_it_fit_for_ipp_2_0(tmp_path: Path) -> None:
    if shutil.which("ipptool") is None and "CI" not in os.environ:
        pytest.skip("ipptool is not installed")
    device = PrinterDevice(tmp_path / "prints", page_seconds=0.05).start()
    document = tmp_path / "document.pdf"
    document.write_bytes(pdf(2))
    script = suite(tmp_path / "suite")
    try:
        done = subprocess.run(
            ["ipptool", "-V", "2.0", "-tI", "-f", str(document), device.url, str(script)],
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
    finally:
        device.stop()
    assert "[FAIL]" not in done.stdout, done.stdout
    assert done.stdout.count("[PASS]") > 25, done.stdout + done.stderr
