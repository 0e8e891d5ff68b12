"""Independent programs read our cards through pcscd, and read what we read, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdWorld
from tests.peers import readers
from tests.peers.programs import insert, run
from tests.peers.readers import SSSE, Records, scripted

pytestmark = [pytest.mark.pcscd, pytest.mark.peer]

READABLE = {"v1": (5, 6), "v2": (5, 6), "v3": (5,)}
"""Short identifiers of the files that want no key."""
ITEMS = {5: 7, 6: 6}
VERIFY_NOTHING = "0020000003000000"


@pytest.fixture(scope="session")
def java_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return readers.compiled(tmp_path_factory.mktemp("classes"))


def agree(theirs: Records, files: tuple[int, ...]) -> None:
    """Compares item by item and names the tags that differ: values stay out of the output."""
    ours = readers.ours(files)
    assert len(theirs) == len(ours) == sum(ITEMS[sfi] for sfi in files)
    pairs = zip(theirs, ours, strict=True)
    assert [mine[0] for other, mine in pairs if other != mine] == []


@pytest.mark.parametrize(("card", "files"), READABLE.items())
def test_opensc_tool_reads_what_we_read(
    pcscd_world: PcscdWorld, card: str, files: tuple[int, ...]
) -> None:
    insert(pcscd_world, card)
    agree(readers.opensc_tool(pcscd_world, files), files)


@pytest.mark.parametrize(("card", "files"), READABLE.items())
def test_scriptor_reads_what_we_read(
    pcscd_world: PcscdWorld, card: str, files: tuple[int, ...]
) -> None:
    insert(pcscd_world, card)
    agree(readers.scriptor(pcscd_world, files), files)


@pytest.mark.parametrize(("card", "files"), READABLE.items())
def test_javax_smartcardio_reads_what_we_read(
    pcscd_world: PcscdWorld, java_classes: Path, card: str, files: tuple[int, ...]
) -> None:
    insert(pcscd_world, card)
    agree(readers.javax_smartcardio(pcscd_world, java_classes, files), files)


@pytest.mark.parametrize("card", READABLE)
def test_the_answer_to_reset_is_the_same_for_all(pcscd_world: PcscdWorld, card: str) -> None:
    insert(pcscd_world, card)
    theirs = run(pcscd_world, "opensc-tool", "-r", CONTACT_READER, "-a").strip()
    assert bytes.fromhex(theirs.replace(":", "")) == readers.our_atr()


def test_a_t0_card_lets_its_answer_wait(pcscd_world: PcscdWorld) -> None:
    insert(pcscd_world, "v2")
    waiting, wrong_length = scripted(pcscd_world, SSSE, "00B2012C00")
    assert (waiting.hex(), wrong_length.hex()) == ("611e", "6c12")


@pytest.mark.parametrize("card", READABLE)
def test_a_wrong_pin_costs_a_peer_one_try(pcscd_world: PcscdWorld, card: str) -> None:
    insert(pcscd_world, card)
    _, before = scripted(pcscd_world, SSSE, "0084000008")
    assert before[-2:] in (b"\x90\x00", b"\x61\x08")
    left = pcscd_world.slots.status()["pin_tries"][card]
    _, refused = scripted(pcscd_world, SSSE, VERIFY_NOTHING)
    assert refused == bytes((0x63, 0xC0 | left - 1))
    assert pcscd_world.slots.status()["pin_tries"] == {card: left - 1}


def test_both_readers_are_listed(pcscd_world: PcscdWorld) -> None:
    listed = run(pcscd_world, "opensc-tool", "-l")
    assert CONTACT_READER in listed
    assert PSAM_READER in listed
