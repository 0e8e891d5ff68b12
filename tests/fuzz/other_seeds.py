"""What printers, readers and people show, as the simulators and the demo pack have it."""

from __future__ import annotations

import struct
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import segno

from hw_sim.hid_scanner.events import overrun
from hw_sim.printer.jobs import PrintFolder
from hw_sim.printer.machine import PrintingMachine
from hw_sim.printer.operations import IppPrinter
from hw_sim.receipt.machine import ReceiptMachine, Status
from tests.fuzz.shown_codes import PACK, typed
from tests.hw_sim.ipp_client import URI, of_job, print_job, request

_CODE = "S1:Ac_"
_GET_JOBS, _GET_JOB, _GET_PRINTER = 0x000A, 0x0009, 0x000B


def hid() -> dict[str, bytes]:
    code = typed(_CODE)
    return {
        "code": b"\x2f" + code,
        "two": b"\x07" + code + typed("B", start=3.0),
        "chinese": b"\x11" + typed("社"),
        "torn": b"\x17" + code[:240] + overrun(1.02) + code[480:] + typed("again", start=9.0),
        "too-long": b"\xff" + typed("x" * 12) + typed("ok", start=5.0),
    }


def codes() -> dict[str, bytes]:
    tables = tomllib.loads(PACK.read_text("utf-8"))["codes"]
    examples = {name: table["examples"][0].encode() for name, table in tables.items()}
    return examples | {
        "byte-order-mark": b"\xef\xbb\xbf" + examples["ecard"],
        "gbk": "社保".encode("gb18030"),
        "control": examples["ecard"] + b"\x00\r\n",
        "script": b"javascript:alert(1)",
    }


def code_patterns() -> dict[str, bytes]:
    return {
        "classes": b"SSC1[0-9A-Za-z]{3,9}\nSSC1[0-4]{4}\nSSC11234",
        "signs": rb"https://z\.m/v\?[!-~]{1,9}" + b"\nhttps://z.m/v?c=1",
        "chinese": "码[一-龥]{2,8}\n码政务\n码政务".encode(),
        "refused": b"a{1,2}b{1,2}\n(a|b)*\n[]\n\\d\naab",
    }


def pictures() -> dict[str, bytes]:
    sharp = _picture(segno.make(b"SSC1:A0c3", error="L", micro=False, boost_error=False))
    chinese = _picture(segno.make("社保".encode("gb18030"), error="L", micro=False))
    noise = np.random.default_rng(3).normal(0, 40, sharp.shape)
    return {
        "frame": _input(sharp, still=False),
        "still": _input(sharp, still=True),
        "dark-on-light": _input(255 - sharp, still=True),
        "chinese": _input(chinese, still=True),
        "noise": _input(np.clip(sharp + noise, 0, 255).astype(np.uint8), still=False),
        "cut": _input(sharp[:30], still=True),
        "empty": _input(sharp[:0], still=True),
        "two": _input(np.hstack([sharp, chinese]), still=False),
    }


def _picture(code: segno.QRCode) -> np.ndarray:
    modules = np.array([list(row) for row in code.matrix_iter(scale=2, border=4)], np.uint8)
    return np.where(modules > 0, 20, 235).astype(np.uint8)


def _input(picture: np.ndarray, *, still: bool) -> bytes:
    return bytes([picture.shape[1] - 1, still]) + picture.tobytes()


def ccid_pin() -> dict[str, bytes]:
    offered = b"".join(
        struct.pack(">BBI", tag, 4, 0x42330000 + tag) for tag in (0x06, 0x07, 0x0A, 0x12)
    )
    properties = bytes.fromhex("0102 0210 0602 0400 0702 0800".replace(" ", ""))
    both = bytes([len(offered)]) + offered
    return {
        "properties": both + properties,
        "done": both + b"\x90\x00",
        "old-properties": bytes([6]) + offered[12:18] + b"\x10\x02\x07\x00",
        "timeout": bytes([12]) + offered[:12] + b"\x64\x00",
        "two-tries-left": bytes([6]) + offered[:6] + b"\x63\xc2",
        "cut": bytes([9]) + offered[:9],
        "numbers": bytes(range(250)),
    }


def ipp() -> dict[str, bytes]:
    machine = PrintingMachine(lambda: 100.0)
    with TemporaryDirectory() as folder:
        printer = IppPrinter(machine, PrintFolder(Path(folder)), URI)
        said = {"printer": printer.serve(request(_GET_PRINTER))}
        said["printed"] = printer.serve(print_job("S-1"))
        machine.jam()
        machine.load(0)
        wanted = (
            (0x44, "requested-attributes", b"printer-state"),
            *((0x44, "", name) for name in _WANTED),
        )
        said["jam"] = printer.serve(request(_GET_PRINTER, *wanted))
        said["jobs"] = printer.serve(request(_GET_JOBS))
        said["job"] = printer.serve(of_job(_GET_JOB, 1))
        said["no-such-job"] = printer.serve(of_job(_GET_JOB, 9))
        said["refused"] = printer.serve(request(0x4099))
    return said


_WANTED = (
    b"printer-state-reasons", b"printer-is-accepting-jobs", b"marker-names", b"marker-levels",
    b"printer-supply", b"media-col-ready", b"printer-input-tray", b"printer-alert",
    b"copies-supported",
)  # fmt: skip


def escpos() -> dict[str, bytes]:
    machine = ReceiptMachine(lambda _slip: None, clock=lambda: 0.0)

    def told() -> bytes:
        octets = (machine.obey(Status(n)) for n in range(1, 5))
        return b"".join(each for each in octets if isinstance(each, bytes))

    found = {"well": told()}
    machine.set_cover(is_open=True)
    found["cover"] = told()
    machine.load(0)
    found["cover-and-paper"] = told()
    machine.set_broken(broken=True)
    found["broken"] = told() + b"\x00\x03\x0f\xff"
    return found
