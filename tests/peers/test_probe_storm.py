"""Middleware that asks an unknown card for everything that it has ever heard of."""

from __future__ import annotations

import pytest

from hw_sim.pcscd import CONTACT_READER, PcscdWorld
from tests.peers.programs import insert, run

pytestmark = [pytest.mark.pcscd, pytest.mark.peer]

STORM = 100
"""pkcs11-tool sends three times as many; without its driver (opensc-pkcs11) none."""


@pytest.mark.parametrize("card", ["v1", "v2", "v3"])
def test_a_probe_storm_spends_no_try_and_finds_no_bug(pcscd_world: PcscdWorld, card: str) -> None:
    insert(pcscd_world, card)
    before = pcscd_world.slots.status()
    listed = run(pcscd_world, "pkcs11-tool", "-L")
    assert f"{CONTACT_READER}\n  (token not recognized)" in listed
    run(pcscd_world, "opensc-tool", "-r", CONTACT_READER, "-n")
    after = pcscd_world.slots.status()
    sent = after["slots"]["contact"]["apdus"] - before["slots"]["contact"]["apdus"]
    assert sent > STORM
    assert after["pin_tries"] == before["pin_tries"] != {}
    assert after["bugs"] == 0
