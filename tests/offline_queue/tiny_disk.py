"""A disk of two megabytes that tests fill to the brim."""

from __future__ import annotations

import contextlib
import errno
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
            while more > 0:
                try:
                    os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, more)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    # ext4 needs some of it to note where the rest is.
                    more //= 2
                else:
                    more = min(more, self.free - leave)
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
    with _unmounted_after(path):
        yield TinyDisk(path)


@contextlib.contextmanager
def ext4_disk(folder: Path) -> Iterator[TinyDisk | None]:
    """A disk as terminals have, with a journal; None where no loop device can be had."""
    image, path = folder / "image", folder / "disk"
    with image.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    path.mkdir()
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    mounted = subprocess.run(
        ["mount", "-o", "loop", str(image), str(path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        yield None
        return
    with _unmounted_after(path):
        (path / "lost+found").rmdir()
        yield TinyDisk(path)


@contextlib.contextmanager
def _unmounted_after(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        # Lazily: a connection may still be open where a test failed.
        subprocess.run(["umount", "--lazy", str(path)], check=True)
