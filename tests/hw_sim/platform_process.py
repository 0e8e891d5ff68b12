"""A platform in a process of its own, as ``python -m hw_sim.platform serve`` runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

END_S = 30


class PlatformProcess:
    """Serves from the beginning of the ``with`` to its end.

    Attributes:
        url: where; the port is a free one.
        enrolment_code: good once.
    """

    def __init__(self, database: Path | str, *options: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "hw_sim.platform", "serve"),
                *("--database", str(database), "--as-of", "2026-11-21", *options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._word()
        self.enrolment_code = self._word()

    def _word(self) -> str:
        """The last one of the next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate(timeout=END_S)[1])
        return line.split()[-1]

    def ended(self) -> int:
        """Waits for the end; the exit code. After SIGTERM it comes by itself."""
        self.process.communicate(timeout=END_S)
        return self.process.returncode

    def __enter__(self) -> PlatformProcess:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                assert self.ended() == 0
            finally:
                self.process.kill()
                self.process.wait()
