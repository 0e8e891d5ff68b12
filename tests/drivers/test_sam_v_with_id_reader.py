"""Our ID reader driver and the simulated reader, each written from the wire's description alone."""

import pytest

from drivers.id_card import IdCardKind, Sex, read_id_card
from drivers.id_reader import (
    CardLeft,
    IdReaderBroken,
    IdReaderGone,
    IdReaderNote,
    IdReaderReason,
    IdReaderStatus,
    LicenceMissing,
    NoCard,
    ReadCancelled,
    ReadFailed,
)
from drivers.sam_v.reader import SamVReader, SamVTimes, sam_v_facts
from hw_sim.id_reader.cards import id_card
from hw_sim.id_reader.device import FAULTS, READ_FAULTS, IdReaderDevice
from hw_sim.population import population
from hw_sim.serial_device import WIRE_FAULTS
from tests.drivers.id_reader_double import Putting
from tests.drivers.pad_double import soon

TIMES = SamVTimes(
    # 0.4 s: the simulated reader forgets an unfinished command after 0.3 s.
    answer=0.4, read=0.5, probe=0.1, damaged=0.1, look=0.01, pause=0.01, write=1.0
)  # fmt: skip


@pytest.fixture
def device(tmp_path):
    made = IdReaderDevice(tmp_path / "id-reader")
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def putting(device):
    made = Putting(SamVReader(str(device.link), times=TIMES))
    yield made
    made.reader.close()


def test_the_first_residents_and_what_their_cards_say(device, putting):
    for resident in population()[:5]:
        device.put(id_card(f"resident:{resident.index}"))
        card = read_id_card(putting.read_card())
        device.take_away()
        putting.wait_until_taken()
        assert (card.kind, card.name) == (IdCardKind.CITIZEN, resident.name)
        assert (card.number, card.born, card.nation) == (resident.number, resident.born, "01")
        assert card.sex is (Sex.MALE if resident.sex.value == "1" else Sex.FEMALE)
        assert card.photo.startswith(b"SIMULATED WLT") and len(card.photo) == 1024


@pytest.mark.parametrize(
    ("name", "kind", "number"),
    [
        ("permit-hongkong", IdCardKind.PERMIT, "810000199408230021"),
        ("permit-taiwan", IdCardKind.PERMIT, "830000199201300022"),
        ("foreigner", IdCardKind.FOREIGNER, "911124198108030024"),
        ("foreigner-old", IdCardKind.FOREIGNER_OLD, "XXX110090010101"),
    ],
)
def test_every_other_document(device, putting, name, kind, number):
    device.put(id_card(name))
    card = read_id_card(putting.read_card())
    assert (card.kind, card.number) == (kind, number)


def test_what_is_no_id_card(device, putting):
    device.put(id_card("other"))
    with pytest.raises(ReadFailed):
        putting.read_card()


def test_a_card_that_was_read_is_not_read_again_until_it_left(device, putting):
    device.put(id_card("citizen"))
    first = putting.read_card()
    with pytest.raises(NoCard):
        putting.read_card(0.1)
    soon(device.take_away, 0.05)
    putting.wait_until_taken()
    device.put(id_card("citizen"))
    assert putting.read_card() == first
    assert device.cards_read == 2


def test_cancelled_while_waiting_for_a_card_and_for_its_going(device, putting):
    soon(lambda: putting.cancelled.set(), 0.1)
    with pytest.raises(ReadCancelled):
        putting.read_card()
    device.put(id_card("citizen"))
    putting.read_card()
    soon(lambda: putting.cancelled.set(), 0.1)
    with pytest.raises(ReadCancelled):
        putting.wait_until_taken()


def test_with_fingerprints(device):
    facts = sam_v_facts()
    facts["read"]["command"] = "read-base-fingerprint"
    device.put(id_card("citizen"))
    made = Putting(SamVReader(str(device.link), times=TIMES, facts=facts))
    assert made.read_card().text == id_card("citizen").text
    made.reader.close()


def test_the_newest_address(device, putting):
    device.put(id_card("moved"))
    putting.read_card()
    assert putting.reader.newest_address() == "江城市新区样本路9号"
    device.put(id_card("citizen"))
    assert putting.reader.newest_address() is None


def test_the_module_s_number_and_reset(device, putting):
    assert putting.reader.sam_id() == "05.03-20260101-0000429900-0000000001"
    device.put(id_card("citizen"))
    putting.read_card()
    putting.reader.reset()
    assert putting.read_card().text == id_card("citizen").text


@pytest.mark.parametrize("speed", [57600, 38400, 19200, 9600])
def test_a_reader_at_another_speed(tmp_path, speed):
    device = IdReaderDevice(tmp_path / "id-reader", speed=speed)
    device.plug()
    reader = SamVReader(str(device.link), times=TIMES)
    assert reader.status() == IdReaderStatus(None, frozenset({IdReaderNote.OTHER_SPEED}))
    reader.close()
    reader = SamVReader(str(device.link), speed, TIMES)
    assert reader.status() == IdReaderStatus(None)
    reader.close()
    device.unplug()
    assert device.illegal == ()


# Commands of a card read on a port that was just opened: status, find, select, read.
SURVIVED = ["delay=100", "split", "noise", "drop", "truncate=9", "corrupt=7", "bad-check", "nak"]
LOST = ["unplug", "stuck"]


@pytest.mark.parametrize("place", [1, 2, 4])
@pytest.mark.parametrize("fault", [*SURVIVED, "busy"])
def test_one_fault_of_the_wire_is_survived(device, putting, fault, place):
    device.put(id_card("citizen"))
    device.set_fault(f"{place}:{fault}")
    assert putting.read_card().text == id_card("citizen").text
    assert device.faults_pending == 0


@pytest.mark.parametrize("place", [2, 4])
@pytest.mark.parametrize("fault", LOST)
def test_a_reader_that_is_lost_is_found_again(device, putting, fault, place):
    device.put(id_card("citizen"))
    device.set_fault(f"{place}:{fault}")
    with pytest.raises(IdReaderGone):
        putting.read_card()
    assert putting.reader.status().reason is IdReaderReason.GONE
    device.unplug()
    device.plug()
    assert putting.read_card().text == id_card("citizen").text


@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_power_failure_within_a_reading(device, putting, place):
    device.put(id_card("citizen"))
    device.set_fault(f"{place}:power-cycle")
    assert putting.read_card().text == id_card("citizen").text


@pytest.mark.parametrize("fault", ["drop", "truncate=40", "bad-check"])
def test_a_fault_that_stays_is_told(device, putting, fault):
    device.put(id_card("citizen"))
    assert putting.reader.status().reason is None
    device.set_fault(",".join(f"{place}:{fault}" for place in range(1, 9)))
    with pytest.raises(IdReaderGone):
        putting.read_card()
    device.set_fault("none")
    # The module may have read it, and reads it again only when it was away.
    device.put(id_card("citizen"))
    assert putting.read_card().text == id_card("citizen").text


def test_faults_of_the_module(device, putting):
    for fault, error, reason in (
        ("unlicensed", LicenceMissing, IdReaderReason.UNLICENSED),
        ("self-test", IdReaderBroken, IdReaderReason.SELF_TEST),
        ("word=24", ReadFailed, IdReaderReason.FAULT),
    ):
        assert putting.reader.status().reason is None
        device.set_fault(f"1:{fault},2:{fault}")
        assert putting.reader.status().reason is reason
        with pytest.raises(error):
            putting.read_card()
    assert putting.reader.status().reason is None


def test_faults_of_reading(device, putting):
    device.put(id_card("citizen"))
    device.set_fault("1:read-failed,2:read-failed,3:read-damaged,5:read-taken")
    with pytest.raises(ReadFailed):
        putting.read_card()
    assert putting.read_card().text == id_card("citizen").text
    device.put(id_card("citizen"))
    with pytest.raises(CardLeft):
        putting.read_card()
    device.put(id_card("citizen"))
    device.set_fault("1:read-drop")
    assert putting.read_card().text == id_card("citizen").text


def test_every_fault_is_tried_here():
    tried = {each.partition("=")[0] for each in [*SURVIVED, *LOST, "busy", "power-cycle"]}
    assert tried == set(WIRE_FAULTS)
    assert set(FAULTS) | set(READ_FAULTS) == {
        *("unlicensed", "self-test", "word"),
        *("read-failed", "read-damaged", "read-taken", "read-drop"),
    }


def test_unplugged_and_plugged_while_waiting(device, putting):
    soon(device.unplug, 0.1)
    with pytest.raises(IdReaderGone):
        putting.read_card()
    device.plug()
    soon(lambda: device.put(id_card("citizen")), 0.05)
    assert putting.read_card().text == id_card("citizen").text
