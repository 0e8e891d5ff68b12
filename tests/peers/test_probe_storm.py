"""Middleware that asks an unknown card for everything that it has ever heard of."""

from __future__ import annotations

import pytest

from hw_sim.pcscd import CONTACT_READER, PcscdWorld
from tests.peers import readers
from tests.peers.programs import insert, run

pytestmark = [pytest.mark.pcscd, pytest.mark.peer]

STORM = 100
"""pkcs11-tool sends three times as many; without its driver (opensc-pkcs11) none."""
ISSUER_FILE = (5,)


@pytest.mark.parametrize("card", ["v1", "v2", "v3", "bank", "pki"])
def test_a_probe_storm_changes_nothing_and_finds_no_bug(pcscd_world: PcscdWorld, card: str) -> None:
    insert(pcscd_world, card)
    read = readers.ours(ISSUER_FILE)
    before, memory = pcscd_world.slots.status(), pcscd_world.slots.memory(card)
    listed = run(pcscd_world, "pkcs11-tool", "-L")
    assert f"{CONTACT_READER}\n  (token not recognized)" in listed
    run(pcscd_world, "opensc-tool", "-r", CONTACT_READER, "-n")
    after = pcscd_world.slots.status()
    sent = after["slots"]["contact"]["apdus"] - before["slots"]["contact"]["apdus"]
    assert sent > STORM
    assert after["pin_tries"] == before["pin_tries"] != {}
    assert after["bugs"] == 0
    # Tries of every PIN and key are in it, those of the certificate application too.
    left = pcscd_world.slots.memory(card)
    assert [
        word for word in memory.keys() | left.keys() if memory.get(word) != left.get(word)
    ] == []
    assert len(read) == 7
    assert [
        mine[0] for mine, then in zip(readers.ours(ISSUER_FILE), read, strict=True) if mine != then
    ] == []
