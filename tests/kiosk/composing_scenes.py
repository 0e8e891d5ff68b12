"""What the tests of the composing process share."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from kiosk.documents.certificate import Certificate
from kiosk.documents.composer import ComposeFailed, Composer
from tests.kiosk.sealed_samples import CODE, NAME, STAMP


def failure(composer: Composer, certificate: Certificate) -> ComposeFailed:
    """How composing fails; nothing of the certificate is told."""
    with pytest.raises(ComposeFailed) as caught:
        composer.compose(certificate, STAMP)
    assert NAME not in str(caught.value) and CODE not in str(caught.value)
    return caught.value


def gone(process_id: int) -> bool:
    """Whether a process ends within a few seconds."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(OSError):
            if Path(f"/proc/{process_id}/stat").read_text().split(") ")[1][0] == "Z":
                return True
        time.sleep(0.01)
    return False
