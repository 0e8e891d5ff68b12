"""A disk of two megabytes that tests fill to the brim."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SIZE = 2 * 1024 * 1024


@dataclass(frozen=True)
class TinyDisk:
    """Where it is mounted."""

    path: Path

    @property
    def free(self) -> int:
        """Bytes."""
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def fill(self, *, leave: int = 0) -> None:
        """Let another file take all but so many bytes (whole pages) of what is free."""
        descriptor = os.open(self._filler, os.O_CREAT | os.O_RDWR)
        try:
            more = self.free - leave
            if more > 0:
                os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, more)
        finally:
            os.close(descriptor)

    def clear(self) -> None:
        """Delete that file."""
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.path / "filler"


@contextlib.contextmanager
def tiny_disk(folder: Path, options: str = f"size={SIZE}") -> Iterator[TinyDisk]:
    """A tmpfs; only root can mount it: elsewhere the test is skipped, in CI it fails."""
    path = folder / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        if "CI" in os.environ:
            pytest.fail(f"a tiny tmpfs cannot be mounted: {mounted.stderr}")
        pytest.skip("a tiny tmpfs cannot be mounted here: only root may")
    try:
        yield TinyDisk(path)
    finally:
        # Lazily: a connection may still be open where a test failed.
        subprocess.run(["umount", "--lazy", str(path)], check=True)
