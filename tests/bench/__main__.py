"""``./run bench [NAME-PART ...] [--json]``: figures as ratios to peers and limits."""

from __future__ import annotations

import argparse
import importlib
import sys

SUBJECTS = {
    "tests.bench.card": ("card.read", "card.apdus", "card.apdu", "card.apdu_overhead"),
    "tests.bench.monitor": ("card.monitor_idle",),
    "tests.bench.decoding": ("card.tlv", "card.records"),
    "tests.bench.frames": (
        "frames.szzt",
        "frames.gm65",
        "frames.gm65_codes",
        "frames.sam_v",
        "frames.crt591",
        "frames.sensor_board",
        "frames.escpos",
        "frames.hid",
        "frames.ipp",
    ),
    "tests.bench.devices": ("devices.idle", "devices.idle_camera"),
    "tests.bench.screen": ("ui.full_redraw", "ui.dirty_redraw"),
    "tests.bench.first_screen": ("ui.first_screen",),
    "tests.bench.certificate": ("certificate.pdf",),
    "tests.bench.qr": ("qr.stills", "qr.stills_ms", "qr.empty_frame", "qr.code_frame"),
    "tests.bench.queue": (
        "queue.enqueue",
        "queue.seal",
        "queue.claim_ack",
        "queue.claim_pending",
        "queue.restart",
        "queue.claim_done",
    ),
    "tests.bench.queue_peers": ("queue.peers_put", "queue.peers_take_done"),
    # Last: minutes long, and the only one that needs a program of Debian's peers (PostgreSQL).
    "tests.bench.fleet": ("platform.events_sqlite", "platform.events_postgresql"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("part", nargs="*", metavar="NAME-PART", help="part of a figure's name")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()

    def wanted(name: str) -> bool:
        return not arguments.part or any(part in name for part in arguments.part)

    names = [name for figures in SUBJECTS.values() for name in figures]
    if not any(wanted(name) for name in names):
        parser.error(f"no figure is named so; there are {', '.join(names)}")
    for module, figures in SUBJECTS.items():
        if not any(wanted(name) for name in figures):
            continue
        for figure in importlib.import_module(module).figures():
            if wanted(figure.name):
                line = figure.to_json() if arguments.json else _plain(figure)
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
    return 0


def _plain(figure) -> str:  # type: ignore[no-untyped-def]
    value = f"{_short(figure.value)} {figure.unit}"
    against = f"{_short(figure.against)} ({figure.peer})"
    return f"{figure.name:<24}{value:>12}   {figure.ratio:>8.3f} x {against}"


def _short(number: float) -> str:
    return f"{number / 1e6:.1f} M" if number >= 1e6 else f"{number:g}"


if __name__ == "__main__":
    raise SystemExit(main())
