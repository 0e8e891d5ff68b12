"""``./run soak [--sample | --points N] [--seed N] [--json]``: processes that use one queue are
killed at 10,000 points; nothing acknowledged may be lost, and no effect may be there twice."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.soak.world import Result, SoakFailed, World

ALL, SAMPLE = 10_000, 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.add_argument("--sample", action="store_true", help=f"{SAMPLE} points instead of {ALL}")
    parser.add_argument("--points", type=int, metavar="N", help="so many points")
    parser.add_argument("--seed", type=int, default=1, help="of all decisions (default: 1)")
    parser.add_argument("--json", action="store_true", help="one line for machines at the end")
    arguments = parser.parse_args()
    points = arguments.points or (SAMPLE if arguments.sample else ALL)
    # On a disk: /tmp is often none.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="yikatong-soak-") as folder:
        try:
            result = World(Path(folder), arguments.seed).run(points, _progress(points))
        except SoakFailed as failed:
            sys.stderr.write(f"\n✗ {failed} (seed {arguments.seed})\n")
            return 1
    sys.stderr.write("\n")
    sys.stdout.write((json.dumps(result.as_json()) if arguments.json else _plain(result)) + "\n")
    return 0 if result.lost == result.double == 0 else 1


def _progress(points: int):  # type: ignore[no-untyped-def]
    def show(killed: int) -> None:
        if sys.stderr.isatty():
            done = min(killed / points, 1.0)
            bar = "█" * int(done * 40)
            sys.stderr.write(f"\r{bar:<40} {killed:>6} / {points}")
            sys.stderr.flush()

    return show


def _plain(result: Result) -> str:
    jobs = ", ".join(f"{name} {count}" for name, count in sorted(result.jobs.items()))
    return (
        f"{result.kill_points} kill points: {result.acknowledged} messages acknowledged,"
        f" {result.lost} lost, {result.double} double ({jobs})"
    )


if __name__ == "__main__":
    raise SystemExit(main())
