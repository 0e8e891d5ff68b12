from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.cards.application import Challenges
from hw_sim.cards.faults import FaultSyntaxError
from hw_sim.cards.host import SlotError, Slots, SlotsClient, SlotsProcess
from hw_sim.vpcd import HAND_SECONDS
from tests.hw_sim.card_terminal import TIMEOUT, wait_for

SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")


class Bench:
    """Two readers that listen like vpcd, and what is in them."""

    def __init__(self) -> None:
        self.listeners = {
            name: socket.create_server(("127.0.0.1", 0), backlog=1) for name in ("contact", "psam")
        }
        self._cards: dict[str, socket.socket] = {}

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        return {name: each.getsockname() for name, each in self.listeners.items()}

    def ask(self, slot: str, *messages: bytes) -> list[bytes]:
        """Gives messages to the card that waits for this reader.

        The connection stays open until the next call: a card that is still in would come back.
        """
        self.hang_up(slot)
        listener = self.listeners[slot]
        listener.settimeout(TIMEOUT)
        card, _ = listener.accept()
        card.settimeout(TIMEOUT)
        self._cards[slot] = card
        replies = []
        with card.makefile("rb") as answers:
            for message in messages:
                card.sendall(len(message).to_bytes(2, "big") + message)
                length = int.from_bytes(answers.read(2), "big")
                replies.append(answers.read(length))
        return replies

    def hang_up(self, slot: str) -> None:
        if slot in self._cards:
            self._cards.pop(slot).close()

    def close(self) -> None:
        for slot, listener in self.listeners.items():
            self.hang_up(slot)
            listener.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def slots(bench: Bench) -> Iterator[Slots]:
    slots = Slots(bench.addresses)
    yield slots
    slots.close()


def test_one_card_in_one_slot(slots: Slots) -> None:
    slots.insert("v3")
    with pytest.raises(SlotError, match="there is a card"):
        slots.insert("v2")
    with pytest.raises(SlotError, match="another slot"):
        slots.insert("resident:0", "psam")
    with pytest.raises(SlotError, match="no such slot"):
        slots.insert("v2", "left")
    assert slots.remove() == "v3"
    with pytest.raises(SlotError, match="no card"):
        slots.remove()


def test_unknown_card_and_faults_leave_the_slot_empty(slots: Slots) -> None:
    with pytest.raises(ValueError, match="no card of that name"):
        slots.insert("v9")
    with pytest.raises(FaultSyntaxError):
        slots.set_faults("1:jam")
    assert slots.status()["slots"]["contact"]["card"] is None


def test_pin_tries_survive_removal_and_go_with_renewal(slots: Slots, bench: Bench) -> None:
    slots.insert("v3")
    wrong = bytes.fromhex("0020000003000000")
    assert bench.ask("contact", SSSE, wrong)[1] == b"\x63\xc2"
    slots.remove()
    assert slots.status()["pin_tries"] == {"v3": 2}
    slots.insert("resident:0")
    assert bench.ask("contact", SSSE, wrong)[1] == b"\x63\xc1"
    slots.renew()
    slots.insert("v3")
    assert slots.status()["pin_tries"] == {"v3": 3}


def test_a_slot_stays_empty_for_a_moment_between_two_cards(slots: Slots, bench: Bench) -> None:
    slots.insert("v3")
    bench.ask("contact", b"\x04")
    removed = time.monotonic()
    slots.remove()
    slots.insert("v2")
    bench.ask("contact", b"\x04")
    assert time.monotonic() - removed >= HAND_SECONDS
    assert slots.status()["slots"]["contact"]["noticed"]


def test_pin_tries_are_set(slots: Slots) -> None:
    slots.set_pin_tries("v3", 1)
    assert slots.status()["pin_tries"] == {"v3": 1}
    with pytest.raises(ValueError, match=r"0\.\.3"):
        slots.set_pin_tries("v3", 4)
    with pytest.raises(SlotError, match="no PIN"):
        slots.set_pin_tries("psam", 1)


def test_seed_makes_challenges_repeat_and_the_next_insertion_forgets_it(
    slots: Slots, bench: Bench
) -> None:
    challenge = bytes.fromhex("0084000008")
    seen = []
    for seed in (7, 7, None):
        slots.insert("v3", challenge_seed=seed)
        seen.append(bench.ask("contact", challenge)[0])
        slots.remove()
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize(
    ("name", "strict_t0", "sw"),
    [
        ("v3", None, b"\x90\x00"),
        ("v3", True, b"\x61\x1e"),
        ("v2", None, b"\x61\x1e"),
        ("v2", False, b"\x90\x00"),
        ("v2+lax", True, b"\x61\x1e"),
        ("psam", False, b"\x61\x0a"),
    ],
)
def test_insert_says_how_strictly_a_card_answers(
    slots: Slots, bench: Bench, name: str, strict_t0: bool | None, sw: bytes
) -> None:
    slots.insert(name, strict_t0=strict_t0)
    select = "00A4040006D1560000059000" if name == "psam" else SSSE.hex() + "00"
    assert bench.ask("contact", bytes.fromhex(select))[0][-2:] == sw


def test_the_next_insertion_forgets_how_strictly_a_card_answers(slots: Slots, bench: Bench) -> None:
    for strict_t0, sw in ((True, b"\x61\x1e"), (None, b"\x90\x00")):
        slots.insert("v3", strict_t0=strict_t0)
        assert bench.ask("contact", SSSE + b"\0")[0][-2:] == sw
        # Not the other way round: a card whose reader hangs up comes back at once.
        slots.remove()
        bench.hang_up("contact")


def test_the_card_of_a_swap_is_fresh_and_the_slot_s_own_comes_back(
    slots: Slots, bench: Bench
) -> None:
    wrong = bytes.fromhex("0020000003000000")
    slots.set_faults("1:swap=v2")
    slots.insert("v3")
    assert bench.ask("contact", SSSE, wrong)[1] == b"\x63\xc5"
    assert slots.status()["slots"]["contact"]["card"] == "v3"
    assert slots.status()["pin_tries"] == {"v3": 3}
    slots.set_faults("")
    slots.remove()
    slots.insert("v3")
    assert bench.ask("contact", SSSE, wrong)[1] == b"\x63\xc2"


def test_bugs_are_counted_of_every_card_that_answered(
    slots: Slots, bench: Bench, card_bugs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise LookupError

    challenge = bytes.fromhex("0084000008")
    monkeypatch.setattr(Challenges, "draw", broken)
    slots.set_faults("2:swap=v2")
    slots.insert("v3")
    assert bench.ask("contact", challenge, challenge) == [b"\x6f\x00"] * 2
    assert slots.status()["bugs"] == 2
    slots.renew()
    assert slots.status()["bugs"] == 2
    slots.insert("v3")
    bench.ask("contact", challenge)
    assert slots.status()["bugs"] == len(card_bugs) == 3
    card_bugs.clear()


def test_tear_frees_the_slot(slots: Slots, bench: Bench) -> None:
    slots.set_faults("1:tear")
    slots.insert("v3")
    assert bench.ask("contact", SSSE) == [b""]
    wait_for(lambda: slots.status()["slots"]["contact"]["card"] is None)
    slots.set_faults("")
    slots.insert("v3")
    assert slots.status()["slots"]["contact"] == {
        "card": "v3",
        "connected": False,
        "noticed": False,
        "apdus": 0,
        "faults": "",
    }


@pytest.fixture
def host(bench: Bench, tmp_path: Path) -> Iterator[SlotsClient]:
    with SlotsProcess(tmp_path / "slots", **bench.addresses) as process:
        yield process.slots
        assert process.slots.status()["bugs"] == 0
    assert not (tmp_path / "slots").exists()


def test_host_holds_the_psam_and_obeys(host: SlotsClient, bench: Bench) -> None:
    assert bench.ask("psam", b"\x04")[0].endswith(b"YKT-PSAM-4299")
    host.insert("v2", strict_t0=False)
    assert bench.ask("contact", SSSE + b"\0")[0][:2] == b"\x6f\x1c"
    host.fault("1:6F00")
    assert bench.ask("contact", SSSE) == [b"\x6f\x00"]
    host.set_pin_tries("v2", 5)
    status = host.status()
    assert status["slots"]["psam"]["card"] == "psam"
    assert status["pin_tries"] == {"v2": 5}
    assert status["bugs"] == 0
    assert host.remove() == "v2"
    host.renew()
    assert host.status()["pin_tries"] == {}


def test_host_shows_what_a_card_holds(host: SlotsClient) -> None:
    assert host.memory("v3")["pin.tries"] == b"\x03"
    host.set_pin_tries("v3", 1)
    assert host.memory("resident:0")["pin.tries"] == b"\x01"
    with pytest.raises(SlotError):
        host.memory("psam")


def test_host_says_what_is_wrong(host: SlotsClient) -> None:
    with pytest.raises(SlotError, match="no card of that name"):
        host.insert("v9")
    with pytest.raises(SlotError, match="no card in the contact slot"):
        host.remove()
    with pytest.raises(SlotError, match="unknown fault"):
        host.fault("1:jam")


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"do":"fly"}', b'{"do":"insert"}', b"\xff"])
def test_host_survives_any_line(host: SlotsClient, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(TIMEOUT)
        link.connect(host._path)
        link.sendall(line + b"\n")
        with link.makefile("rb") as answers:
            assert json.loads(answers.readline())["ok"] is False
    assert host.status()["slots"]["contact"]["card"] is None


def test_stop_ends_the_process(bench: Bench, tmp_path: Path) -> None:
    control = tmp_path / "slots"
    where = [f"--{name}={host}:{port}" for name, (host, port) in bench.addresses.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "hw_sim.cards.host", f"--control={control}", *where],
        stdin=subprocess.DEVNULL,
    )
    client = SlotsClient(control)
    client.wait()
    client.stop()
    assert process.wait(TIMEOUT) == 0
    with pytest.raises(OSError, match="No such file"):
        client.status()
