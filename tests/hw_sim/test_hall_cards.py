"""Every card that the hall lists goes into its slot, and is what the list says of it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import date

import pytest
from rich.cells import cell_len

from hw_sim.cards import catalogue
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.image import image_names, traps
from hw_sim.hall.reader_slot import ReaderSlot
from hw_sim.hall.slot import listed
from hw_sim.hall.telling import cards_table
from hw_sim.population import CardState
from tests.hw_sim import pki_terminal as pki
from tests.hw_sim.card_terminal import SSSE, TIMEOUT, card_of, full
from tests.hw_sim.test_cards_bank import DEBIT, OPTIONS, PSE, read_all

_NOBODY = make_card("mute")
"""`full` and the like hand a card on; here it is at the other end of a wire."""
VERIFY = "0020000003123456"
HOLDER = "00B2083000"
HOLDER_NAME = "00B2093000"
ISSUER = "00B2012C00"


class Wire:
    """The terminal's end of the wire to the card in the slot."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.send(b"\x01")

    def send(self, message: bytes) -> None:
        self.link.sendall(len(message).to_bytes(2, "big") + message)

    def receive(self) -> bytes:
        """One answer; empty when the card left without one."""
        with self.link.makefile("rb") as answers:
            return answers.read(int.from_bytes(answers.read(2), "big"))

    @property
    def atr(self) -> bytes:
        self.send(b"\x04")
        return self.receive()

    def ask(self, _: object, command: str) -> tuple[bytes, int]:
        self.send(bytes.fromhex(command))
        answer = self.receive()
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def sw(self, *commands: str) -> int:
        """The last one's."""
        return [full(self.ask, _NOBODY, command)[1] for command in commands][-1]

    def data(self, *commands: str) -> bytes:
        return [full(self.ask, _NOBODY, command)[0] for command in commands][-1]


Check = Callable[[Wire, str], None]


def is_of_its_holder(wire: Wire, name: str) -> None:
    holder = catalogue.holder(name)
    assert holder is not None
    assert wire.data(SSSE, ISSUER)[2:] == holder.card.card_id
    assert wire.atr[-4:] == holder.card.serial


def of_generation(number: str) -> Check:
    def check(wire: Wire, name: str) -> None:
        is_of_its_holder(wire, name)
        assert wire.data("00B2032C00")[2:3].decode() == number

    return check


def of_state(state: CardState) -> Check:
    def check(wire: Wire, name: str) -> None:
        is_of_its_holder(wire, name)
        holder = catalogue.holder(name)
        assert holder is not None
        assert holder.card.state is state

    return check


def answers(sw: int, *commands: str) -> Check:
    """The last of these commands gets this status word."""

    def check(wire: Wire, _: str) -> None:
        assert wire.sw(*commands) == sw

    return check


def all_of(*checks: Check) -> Check:
    def check(wire: Wire, name: str) -> None:
        for each in checks:
            each(wire, name)

    return check


def makes_up_its_proof(wire: Wire, name: str) -> None:
    is_of_its_holder(wire, name)
    command = "0088000010" + "00" * 16 + "00"
    assert wire.data(command) != wire.data(command)


def gives_no_atr(wire: Wire, _: str) -> None:
    assert len(wire.atr) > 33


def starts_only(wire: Wire, _: str) -> None:
    assert len(wire.atr) == 17
    wire.send(bytes.fromhex(SSSE))


def is_blank(wire: Wire, _: str) -> None:
    assert wire.data(SSSE, ISSUER)[2:5].hex() == "429900"
    assert wire.data("00B2072C00")[2:] == bytes(9)


def has_run_out(wire: Wire, name: str) -> None:
    is_of_its_holder(wire, name)
    digits = wire.data("00B2062C00")[2:].hex()
    assert date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) < date.today()


def has_characters_for_a_date(wire: Wire, _: str) -> None:
    assert wire.data(SSSE, "00B2052C00")[2:] == b"2012"


def answers_at_once(strict: bool) -> Check:
    def check(wire: Wire, _: str) -> None:
        assert wire.ask(None, SSSE + "00")[1] == (0x611E if strict else 0x9000)

    return check


def has_a_rare_name(wire: Wire, _: str) -> None:
    name = wire.data(SSSE, HOLDER_NAME)[2:].rstrip(b" ").decode("gb18030")
    assert [len(character.encode("gb18030")) for character in name] == [4, 4]


def tells_its_number_in_57_alone(wire: Wire, _: str) -> None:
    found = read_all(wire.ask, _NOBODY)
    assert "57" in found
    assert "5A" not in found


def answers_options_in_77(wire: Wire, _: str) -> None:
    assert wire.data(DEBIT, OPTIONS)[0] == 0x77


CARDS: Mapping[str, Check] = {
    "v3": of_generation("3"),
    "v2": of_generation("2"),
    "v1": of_generation("1"),
    "pin-locked": all_of(is_of_its_holder, answers(0x6983, SSSE, VERIFY)),
    "lost": of_state(CardState.LOST),
    "cancelled": of_state(CardState.CANCELLED),
    "clone": makes_up_its_proof,
    "unknown": all_of(answers(0x6A82, SSSE), answers(0x9000, PSE)),
    "mute": gives_no_atr,
    "silent": starts_only,
    "resident:N": of_generation("3"),
    "blank": is_blank,
    "bank": all_of(is_of_its_holder, answers(0x9000, PSE)),
    "pki": all_of(is_of_its_holder, answers(0x9000, pki.DDF, pki.ADF)),
    "expired": has_run_out,
    "blocked": all_of(answers(0x6283, SSSE), answers(0x6985, VERIFY)),
    "dead": answers(0x9303, SSSE),
    "locked": answers(0x6A81, SSSE),
    "damaged": has_characters_for_a_date,
}
TRAPS: Mapping[str, tuple[str, Check]] = {
    "strict": ("v3", answers_at_once(strict=True)),
    "lax": ("v2", answers_at_once(strict=False)),
    "master-first": (
        "v3",
        all_of(answers(0x6A82, SSSE), answers(0x9000, "00A40000023F00", SSSE)),
    ),
    "p1-00": (
        "v3",
        all_of(answers(0x6A86, SSSE, "00A4020002EF05"), answers(0x9000, "00A4000002EF05")),
    ),
    "p1-02": (
        "v3",
        all_of(answers(0x6A86, SSSE, "00A4000002EF05"), answers(0x9000, "00A4020002EF05")),
    ),
    "no-sfi": (
        "v3",
        all_of(answers(0x6A86, SSSE, ISSUER), answers(0x9000, "00A4020002EF05", "00B2010400")),
    ),
    "no-mode-5": ("v3", all_of(answers(0x6A86, SSSE, "00B2012D00"), answers(0x9000, ISSUER))),
    "odd-pin": ("v3", answers(0x9000, SSSE, "00200000041234567F")),
    "holder-pin": ("v2", all_of(answers(0x6982, SSSE, HOLDER), answers(0x9000, VERIFY, HOLDER))),
    "holder-key": ("v2", all_of(answers(0x6982, SSSE, HOLDER), answers(0x6982, VERIFY, HOLDER))),
    "holder-either": (
        "v3",
        all_of(answers(0x6982, SSSE, HOLDER), answers(0x9000, VERIFY, HOLDER)),
    ),
    "rare-name": ("v2", has_a_rare_name),
    "bank-aid-only": ("bank", all_of(answers(0x6A82, PSE), answers(0x9000, DEBIT))),
    "bank-options-77": ("bank", answers_options_in_77),
    "bank-at-once": ("bank", answers(0x9000, DEBIT, "00B2011400")),
    "bank-track-2": ("bank", tells_its_number_in_57_alone),
}
EVERY = [
    *(("resident:42" if name == "resident:N" else name, check) for name, check in CARDS.items()),
    *((f"{carrier}+{trap}", check) for trap, (carrier, check) in TRAPS.items()),
]


def test_the_list_has_every_card_and_every_trap() -> None:
    names = [card["name"] for card in listed()]
    assert names == [*CARDS, *(f"NAME+{trap}" for trap in TRAPS)]
    assert set(image_names()) <= set(names)
    assert [trap.name for trap in traps()] == list(TRAPS)


@pytest.fixture
def slot() -> Iterator[ReaderSlot]:
    slot = ReaderSlot(None, direct=True)
    yield slot
    slot.close()


@pytest.mark.parametrize(("name", "check"), EVERY, ids=[name for name, _ in EVERY])
def test_a_listed_card_goes_in_and_is_what_it_is_called(
    slot: ReaderSlot, name: str, check: Check
) -> None:
    assert slot.direct is not None
    host, port = slot.direct["contact"].split(":")
    with socket.create_server((host, int(port))) as reader:
        reader.settimeout(TIMEOUT)
        slot.insert(name)
        assert slot.card == name
        link, _ = reader.accept()
        with link:
            link.settimeout(TIMEOUT)
            wire = Wire(link)
            check(wire, name)
            slot.remove()
            assert wire.receive() == b""


@pytest.mark.parametrize("trap", TRAPS)
def test_a_card_without_the_trap_is_otherwise(trap: str) -> None:
    """A check that any card meets would say nothing."""
    carrier, check = TRAPS[trap]
    card = card_of(carrier)

    class Hand(Wire):
        def __init__(self) -> None:
            """No wire."""

        def ask(self, _: object, command: str) -> tuple[bytes, int]:
            answer = card.execute(bytes.fromhex(command))
            assert answer is not None
            return answer[:-2], int.from_bytes(answer[-2:], "big")

    with pytest.raises(AssertionError):
        check(Hand(), carrier)


def test_the_list_is_read_at_a_width_of_80(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cards_table({"cards": listed()})
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(cell_len(line) for line in lines) <= 80
    assert len(lines) == 1 + len(listed()), "no line is broken"
    for card in listed():
        assert card["zh"]
        assert card["en"]
