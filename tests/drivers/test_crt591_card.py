"""Cards in the dispenser: the same commands, the same answers, as anywhere else."""

from functools import partial

import pytest

from apdu.errors import (
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    MalformedAnswer,
    ReaderGone,
)
from apdu.psam import PsamCustodian
from apdu.reading import read_card
from drivers.crt591.card import Crt591Connection
from drivers.crt591.cards import SAM
from drivers.crt591.contacts import SamContacts, contactless_atr
from drivers.crt591.device import Crt591, crt591_facts
from drivers.dispenser import DispenserReason
from tests.apdu.card_in_process import CountingRandom, insert
from tests.apdu.workflows import LONG_WORKFLOWS, WORKFLOWS
from tests.drivers.dispenser_cards import CHALLENGE, lay_in, plugged, put
from tests.drivers.test_crt591_with_dispenser import TIMES


@pytest.fixture
def device(tmp_path):
    with plugged(tmp_path, cards=3) as made:
        yield made


@pytest.fixture
def dispenser(device):
    made = Crt591(str(device.link), times=TIMES)
    yield made
    made.close()


def outcome(workflow, transport, psam):
    try:
        return workflow.run(transport, psam)
    except CardError as error:
        return type(error)


@pytest.mark.parametrize(
    "workflow", [*WORKFLOWS, *LONG_WORKFLOWS], ids=lambda workflow: workflow.name
)
def test_all_workflows_as_with_a_card_in_hand(device, dispenser, workflow):
    """Reading, PIN, locking and personalisation, over the dispenser and in this process."""
    expected = insert(workflow.card)
    there = outcome(workflow, expected, insert("psam"))
    connection = lay_in(device, dispenser, workflow.card)
    psam = Crt591Connection(f"{SAM} 1", SamContacts(dispenser, 1))
    here = outcome(workflow, connection, psam)
    assert workflow.true(here) and workflow.true(there)
    if workflow.repeats:
        assert here == there
    assert workflow.done(connection)
    connection.close()


def test_a_whole_read_is_the_same_command_for_command(device, dispenser):
    def read(card, psam):
        return read_card(card, PsamCustodian(psam), random=CountingRandom())

    there = read(insert("v3"), insert("psam"))
    connection = lay_in(device, dispenser, "v3")
    psam = Crt591Connection(f"{SAM} 1", SamContacts(dispenser, 1))
    here = read(connection, psam)
    assert here == there
    assert here.genuine and here.holder is not None
    assert device.machine.contacts.apdus == here.apdus


@pytest.mark.parametrize("size", [3, 262, 512])
def test_a_command_that_the_device_does_not_take(device, dispenser, size):
    connection = lay_in(device, dispenser, "v3")
    with pytest.raises(ValueError, match=str(size)):
        connection.transmit(bytes(size))


def test_the_longest_command_and_answer(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    echoed = []
    card = device.machine.made("v3")
    card.execute = lambda command: echoed.append(command) or bytes(256) + b"\x90\x00"
    longest = bytes.fromhex("80F60000FF") + bytes(255) + b"\x00"
    assert connection.transmit(longest) == bytes(256) + b"\x90\x00"
    assert echoed == [longest]


@pytest.mark.parametrize("answer", ["6110", "6C08"])
def test_what_the_card_leaves_to_us_is_left_to_us(device, dispenser, answer):
    connection = lay_in(device, dispenser, "v3")
    device.machine.made("v3").execute = lambda command: bytes.fromhex(answer)
    assert connection.transmit(CHALLENGE).hex().upper() == answer


def test_an_answer_without_status_word(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    device.machine.made("v3").execute = lambda command: b"\x90"
    with pytest.raises(MalformedAnswer):
        connection.transmit(CHALLENGE)


def test_a_card_that_falls_silent_stays_mute_on_this_connection(device, dispenser):
    connection = lay_in(device, dispenser, "silent")
    for _ in range(2):
        with pytest.raises(CardMute):
            connection.transmit(CHALLENGE)
    assert device.commands.count("5139") == 1
    connection.close()


def test_removed_in_mid_command(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    device.set_fault("1:torn")
    with pytest.raises(CardRemoved):
        connection.transmit(CHALLENGE)
    with pytest.raises(CardRemoved):
        connection.transmit(CHALLENGE)
    connection.close()


def test_a_card_torn_out_while_it_is_powered_does_not_make_the_next_one_mute(device, dispenser):
    dispenser.allow_insertion(True)
    put(device, "v3")
    good = dispenser.contacts.look()
    assert good
    # The status is asked before it is powered.
    device.set_fault("2:torn")
    with pytest.raises(CardError):
        Crt591Connection("contact", dispenser.contacts)
    assert (device.machine.card, device.faults_pending) == (None, 0)
    dispenser.allow_insertion(True)
    put(device, "v3")
    assert dispenser.contacts.look() == good


@pytest.mark.parametrize("fault", ["drop", "swallowed", "lost"])
def test_no_answer_is_mute_and_the_command_is_not_sent_again(device, dispenser, fault):
    """A card counts wrong PINs."""
    connection = lay_in(device, dispenser, "v3")
    device.set_fault(f"1:{fault}")
    with pytest.raises(CardMute):
        connection.transmit(CHALLENGE)
    assert device.commands.count("5139") == (1 if fault == "drop" else 0)
    fresh = dispenser.connect()
    assert fresh.transmit(CHALLENGE)[-2:] == b"\x90\x00"


@pytest.mark.parametrize("fault", ["nak", "no-ack", "double-ack", "bad-check", "truncate=9",
                                   "corrupt=9", "split", "noise", "delay=30"])  # fmt: skip
def test_a_fault_of_the_wire_is_not_the_cards(device, dispenser, fault):
    connection = lay_in(device, dispenser, "v3")
    expected = insert("v3").transmit(CHALLENGE)
    device.set_fault(f"1:{fault}")
    assert connection.transmit(CHALLENGE) == expected
    assert device.commands.count("5139") == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [("65", CardReset), ("63", CardMute), ("64", CardMute), ("60", CardMute), ("77", CardMute)],
)
def test_what_the_device_says_of_the_card(device, dispenser, code, error):
    connection = lay_in(device, dispenser, "v3")
    device.set_fault(f"1:error={code}")
    with pytest.raises(error):
        connection.transmit(CHALLENGE)


def test_a_power_failure_resets_the_card(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    device.machine.power_up()
    with pytest.raises(CardReset):
        connection.transmit(CHALLENGE)
    fresh = dispenser.connect()
    assert fresh.transmit(CHALLENGE)[-2:] == b"\x90\x00"


def test_contacts_that_do_not_reach_the_card(device, dispenser):
    dispenser.allow_insertion(True)
    device.machine.contact_fails = True
    put(device, "v3")
    with pytest.raises(CardMute):
        dispenser.connect()
    device.machine.contact_fails = False
    dispenser.hold_at_gate()
    dispenser.take_in()
    assert dispenser.connect().transmit(CHALLENGE)[-2:] == b"\x90\x00"


def test_reset_and_a_second_connection(device, dispenser):
    first = lay_in(device, dispenser, "v3")
    assert first.reset() == first.atr
    second = dispenser.connect()
    with pytest.raises(CardReset):
        first.transmit(CHALLENGE)
    first.close()
    # What is not its own any more it leaves alone.
    assert second.transmit(CHALLENGE)[-2:] == b"\x90\x00"


def test_a_card_that_was_moved_away_is_gone_for_its_connection(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    dispenser.hold_at_gate()
    dispenser.take_in()
    for call in (partial(connection.transmit, CHALLENGE), connection.reset, connection.begin):
        with pytest.raises(CardRemoved):
            call()
    connection.close()
    with pytest.raises(RuntimeError):
        connection.transmit(CHALLENGE)


def test_a_transaction_is_begun_once(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    with connection.transaction(), pytest.raises(RuntimeError):
        connection.begin()
    with connection.transaction():
        pass


def test_a_powered_card_is_let_go_before_it_moves(device, dispenser):
    lay_in(device, dispenser, "v3")
    dispenser.hold_at_gate()
    assert device.commands[-2:] == ["5131", "3230"]


def test_gone_while_it_is_spoken_to(device, dispenser):
    connection = lay_in(device, dispenser, "v3")
    device.unplug()
    with pytest.raises(ReaderGone):
        connection.transmit(CHALLENGE)
    connection.close()
    assert dispenser.status().reason is DispenserReason.GONE


# --- SAMs and the antenna ------------------------------------------------------------------------


def test_a_sam_is_selected_where_there_are_several(device):
    facts = crt591_facts()
    facts["sam"]["slots"] = 5
    dispenser = Crt591(str(device.link), times=TIMES, facts=facts)
    psam = Crt591Connection(f"{SAM} 1", SamContacts(dispenser, 1))
    assert psam.transmit(CHALLENGE[:4] + b"\x04")[-2:] in (b"\x90\x00", b"\x6d\x00")
    assert psam.reset() == psam.atr
    psam.close()
    assert device.commands.count("5240") == 4
    dispenser.close()


def test_a_sam_slot_without_a_sam(device, dispenser):
    device.machine.sams[0].put(None)
    with pytest.raises(CardMute):
        Crt591Connection(f"{SAM} 1", SamContacts(dispenser, 1))


@pytest.mark.parametrize(
    ("told", "atr"),
    [
        # The second is a DESFire EV1's, as PC/SC readers show it.
        ("41 0008 04 01020304 28 0578807002", "3B80800101"),
        ("41 0344 04 01020304 20 06 75 77 81 02 80", "3B8180018080"),
        ("41 0344 04 01020304 20 01", "3B80800101"),
        ("42 50 01020304 A1A2A3A4 B1B2B3", "3B888001A1A2A3A4B1B2B300BD"),
    ],
)
def test_an_atr_made_of_what_is_said_at_the_antenna(told, atr):
    assert contactless_atr(bytes.fromhex(told)).hex().upper() == atr


@pytest.mark.parametrize("told", ["", "41", "41 0344 04 0102", "42 50", "4D 0004 04 01020304 08"])
def test_what_is_no_card_at_the_antenna(told):
    with pytest.raises(MalformedAnswer):
        contactless_atr(bytes.fromhex(told))
