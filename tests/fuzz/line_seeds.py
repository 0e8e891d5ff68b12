"""Lines of the serial devices, as their simulators write them, good and spoiled.

Their first bytes say in which pieces they arrive (`tests.fuzz.serial_frames`).
"""

from __future__ import annotations

from hw_sim.cards.catalogue import make_card
from hw_sim.dispenser.chips import seen_at_antenna
from hw_sim.dispenser.frames import ACKNOWLEDGE, CLEAR, REPEAT, Command, done, refused
from hw_sim.id_reader.cards import id_card, names
from hw_sim.id_reader.device import Lying, SamModule
from hw_sim.id_reader.frames import Command as Asked
from hw_sim.pad.epp import PinPad
from hw_sim.pad.frames import bad_check, frame
from hw_sim.scanner.frames import DONE, answer, answer_with_wrong_crc
from hw_sim.sensors import Inputs, SensorMachine, line_of
from tests.fuzz.serial_frames import ADDRESS, LONGEST_PAYLOAD, MARKS

NOISE = b"\xff\x00\x55"
_MOVE = Command(0x32, 0x32, b"")
_APDU = Command(0x51, 0x39, b"")


def gm65_answers() -> dict[str, bytes]:
    two = answer(b"\x39\x01")
    return {
        "done": b"\x02\x01" + DONE,
        "two-registers": b"\x00\x02" + two,
        "damaged-then-good": b"\x03\x01" + NOISE + answer_with_wrong_crc(DONE) + DONE + DONE[:4],
        "lost-byte": b"\x06\x02" + two[:3] + two[4:] + two,
    }


def gm65_payloads() -> dict[str, bytes]:
    code = b"SSC1:A0C3F17D5B"
    found = {f"mark-{n}": bytes([4, n]) + code + MARKS[n] + code for n in range(len(MARKS))}
    return found | {
        "late-answers": b"\x05\x01" + DONE + DONE + code + b"\r" + DONE + code + b"\r",
        "late-answer-behind-an-empty-code": b"\x09\x01\r" + DONE + code + b"\r",
        "too-long": b"\x07\x02" + b"x" * (LONGEST_PAYLOAD + 5) + b"\r\n" + code + b"\r\n",
    }


def szzt() -> dict[str, bytes]:
    told = frame(PinPad().command(b"3"))
    block = frame(b"70006" + b"8F1B3A5C00D2E4F7")
    return {
        "information": b"\x1f" + told,
        "entry": b"\x01" + frame(b"6") + b"****\x08*\r" + block,
        "error": b"\x02" + frame(b"\xe2") + NOISE + frame(b"\xef"),
        "damaged-then-keys": b"\x04" + bad_check(frame(b"5")) + b"**\r" + frame(b"5"),
        "stray-stx": b"\x00\x02\x2a" + block[:-1] + b"\x02" + block,
    }


def sam_v() -> dict[str, bytes]:
    module = SamModule(115_200)
    module.lying = Lying(id_card("moved"))
    said = {}
    for command in Asked:
        octets = module.obey(command)
        said[command] = octets if isinstance(octets, bytes) else b""
    read = said[Asked.READ_BASE]
    return {
        **{name.name.lower().replace("_", "-"): b"\x3f" + octets for name, octets in said.items()},
        "damaged-then-good": b"\x05" + module.bad_check(said[Asked.FIND]) + said[Asked.SELECT],
        "lost-byte": b"\x0a" + said[Asked.SELECT][:8] + said[Asked.SELECT][9:] + said[Asked.FIND],
        "length-that-cannot-be": b"\xff" + read[:5] + b"\x0f\xff" + bytes(2_500),
        "cut": b"\x7f" + NOISE + read[:700] + said[Asked.STATUS],
    }


def id_texts() -> dict[str, bytes]:
    """The texts of all demonstration cards; every number begins with 429900."""
    texts = {name: id_card(name).text for name in names()}
    issued = "20200102".encode("utf-16-le")
    texts["issued-before-birth"] = texts["citizen"].replace(issued, "19000102".encode("utf-16-le"))
    return {name: text for name, text in texts.items() if text}


def crt591() -> dict[str, bytes]:
    moved = done(ADDRESS, _MOVE, b"210", b"")
    spoiled = moved[:-1] + bytes([moved[-1] ^ 0x01])
    jam = refused(ADDRESS, _MOVE, "10")
    apdu = done(ADDRESS, _APDU, b"220", b"\x6f\x04\x84\x02\x3f\x00\x90\x00")
    return {
        "moved": b"\x03" + ACKNOWLEDGE + moved,
        "jam": b"\x02" + ACKNOWLEDGE + jam,
        "apdu": b"\x10" + ACKNOWLEDGE + apdu,
        "repeat": b"\x00" + REPEAT + NOISE + CLEAR + ACKNOWLEDGE + moved,
        "damaged-then-good": b"\x04" + ACKNOWLEDGE + spoiled + moved,
        "another-address": b"\x05" + done(3, _MOVE, b"210", b"") + moved,
        "damaged-then-control": b"\x07" + spoiled + CLEAR + jam,
        "length-that-cannot-be": b"\x01\xf2\x00\xff\xff" + CLEAR + moved[4:] + moved,
    }


def contactless() -> dict[str, bytes]:
    atqb = bytes.fromhex("50 42990001 00000000 718085".replace(" ", ""))
    return {
        "type-a": seen_at_antenna(make_card("v3")),
        "type-b": b"B" + atqb,
        "ats-of-one-byte": b"A\x00\x08\x04\x42\x99\x00\x01\x28\x01",
        "long-history": b"A\x00\x08\x04\x42\x99\x00\x01\x28\x1e\x08\x70" + b"h" * 27,
    }


def sensor_board() -> dict[str, bytes]:
    now = iter(range(1000))
    machine = SensorMachine(clock=lambda: float(next(now)))
    quiet = machine.report()
    machine.set_input(Inputs.DOOR_OPEN | Inputs.TAMPER_OPEN, on=True)
    opened = machine.report()
    lights = line_of(7, "A", b"\x05\x15")
    return {
        "reports": b"\x05" + quiet + opened,
        "lights": b"\x01" + lights + line_of(8, "N", b"\x09\x03"),
        "damaged-then-good": b"\x0c" + machine.bad_check(quiet) + opened,
        "end-lost": b"\x03" + quiet[:-2] + opened + NOISE + lights[:-2] + b"\n",
        "too-long": b"\x08$" + b"0" * 60 + b"\r\n" + lights,
    }
