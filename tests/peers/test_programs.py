"""A peer that is missing is told: in CI a failure, elsewhere a skip."""

from __future__ import annotations

import pytest

from tests.peers.programs import need


def test_a_missing_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert need("sh").endswith("/sh")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        need("no-such-peer")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        need("no-such-peer")
