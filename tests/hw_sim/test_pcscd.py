from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from smartcard import scard

from hw_sim import pcscd
from hw_sim.cards.catalogue import make_card
from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdUnavailable, PcscdWorld

pytestmark = pytest.mark.pcscd

T = TypeVar("T")
TIMEOUT = 10.0
SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"
GONE = {scard.SCARD_E_NOT_TRANSACTED, scard.SCARD_W_REMOVED_CARD, scard.SCARD_W_RESET_CARD}


def in_background(work: Callable[[], T]) -> Callable[[], T]:
    """A PC/SC call may block for ever: it runs in a thread and is waited for with a deadline."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()

    def result() -> T:
        thread.join(TIMEOUT)
        assert results, "the PC/SC call did not come back"
        return results[0]

    return result


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    return in_background(lambda: function(*arguments))()


class Terminal:
    """One PC/SC context, used as a terminal does."""

    def __init__(self) -> None:
        code, self.context = call(scard.SCardEstablishContext, scard.SCARD_SCOPE_USER)
        assert code == scard.SCARD_S_SUCCESS
        self.handle: Any = None

    def readers(self) -> list[str]:
        return list(call(scard.SCardListReaders, self.context, [])[1])

    def wait_for(self, reader: str, flag: int) -> int:
        """The reader's state as soon as it has this flag."""
        state = scard.SCARD_STATE_UNAWARE
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            _, [(_, state, _)] = call(
                scard.SCardGetStatusChange, self.context, 1000, [(reader, state)]
            )
            if state & flag:
                return int(state)
        raise AssertionError("the reader did not change")

    def connect(self, reader: str = CONTACT_READER) -> int:
        code, self.handle, _ = call(
            scard.SCardConnect,
            self.context,
            reader,
            scard.SCARD_SHARE_SHARED,
            scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1,
        )
        return int(code)

    def transmit(self, command: str) -> tuple[int, bytes]:
        code, answer = call(
            scard.SCardTransmit, self.handle, scard.SCARD_PCI_T0, list(bytes.fromhex(command))
        )
        return code, bytes(answer)

    def close(self) -> None:
        call(scard.SCardReleaseContext, self.context)


@pytest.fixture
def terminal(pcscd_world: PcscdWorld) -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    pcscd_world.slots.renew()
    terminal.close()


def inserted(world: PcscdWorld, terminal: Terminal, card: str, **options: Any) -> None:
    terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_EMPTY)
    world.slots.insert(card, **options)
    terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_PRESENT)


def test_both_readers_are_listed(terminal: Terminal) -> None:
    assert {CONTACT_READER, PSAM_READER} <= set(terminal.readers())


def test_insertion_and_removal_are_events(pcscd_world: PcscdWorld, terminal: Terminal) -> None:
    before = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_EMPTY)
    pcscd_world.slots.insert("v3")
    there = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_PRESENT)
    pcscd_world.slots.remove()
    after = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_EMPTY)
    assert [there >> 16, after >> 16] == [(before >> 16) + 1, (before >> 16) + 2]


def test_a_swap_is_no_event_and_another_card_after_a_removal_is(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    inserted(pcscd_world, terminal, "v3")
    before = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_PRESENT)
    assert terminal.connect() == scard.SCARD_S_SUCCESS
    pcscd_world.slots.fault("2:swap=v2")
    assert terminal.transmit(SSSE)[1][:2] == b"\x6f\x1c"
    assert terminal.transmit("00B2032C00") == (scard.SCARD_S_SUCCESS, b"\x6a\x82")
    assert terminal.transmit(SSSE) == (scard.SCARD_S_SUCCESS, b"\x61\x1e")
    assert terminal.transmit("00B2032C06")[1] == b"\x03\x042.0\0\x90\x00"
    # Longer than pcscd takes to look at the card again: it would have told by then.
    code, [(_, after, atr)] = call(
        scard.SCardGetStatusChange, terminal.context, 1000, [(CONTACT_READER, before)]
    )
    assert code == scard.SCARD_E_TIMEOUT
    assert after >> 16 == before >> 16
    assert bytes(atr) == make_card("v3").atr
    pcscd_world.slots.remove()
    gone = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_EMPTY)
    pcscd_world.slots.fault("")
    pcscd_world.slots.insert("v2")
    again = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_PRESENT)
    assert [gone >> 16, again >> 16] == [(before >> 16) + 1, (before >> 16) + 2]
    assert terminal.connect() == scard.SCARD_S_SUCCESS
    assert bytes(call(scard.SCardStatus, terminal.handle)[4]) == make_card("v2").atr


@pytest.mark.parametrize("name", ["v1", "v3"])
def test_issuer_file_is_read_through_the_whole_chain(
    pcscd_world: PcscdWorld, terminal: Terminal, name: str
) -> None:
    inserted(pcscd_world, terminal, name)
    assert terminal.connect() == scard.SCARD_S_SUCCESS
    _, _, _, _, atr = call(scard.SCardStatus, terminal.handle)
    assert bytes(atr) == make_card(name).atr
    assert terminal.transmit(SSSE)[1][-2:] == b"\x90\x00"
    code, answer = terminal.transmit("00B2012C12")
    assert (code, answer[:5], answer[-2:]) == (0, bytes.fromhex("0110429900"), b"\x90\x00")


def test_t0_card_lets_its_answer_wait(pcscd_world: PcscdWorld, terminal: Terminal) -> None:
    inserted(pcscd_world, terminal, "v2")
    terminal.connect()
    assert terminal.transmit(SSSE) == (0, b"\x61\x1e")
    assert len(terminal.transmit("00C000001E")[1]) == 32


def test_psam_is_in_its_slot(terminal: Terminal) -> None:
    terminal.wait_for(PSAM_READER, scard.SCARD_STATE_PRESENT)
    assert terminal.connect(PSAM_READER) == scard.SCARD_S_SUCCESS
    assert terminal.transmit("00B0960006")[1] == bytes.fromhex("4299000000019000")


def test_mute_card_is_present_and_cannot_be_connected(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_EMPTY)
    pcscd_world.slots.insert("mute")
    state = terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_MUTE)
    assert state & scard.SCARD_STATE_PRESENT
    assert terminal.connect() != scard.SCARD_S_SUCCESS


def test_silent_card_holds_the_call_until_it_is_pulled_and_no_other_slot(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    inserted(pcscd_world, terminal, "silent")
    assert terminal.connect() == scard.SCARD_S_SUCCESS
    stuck = in_background(lambda: terminal.transmit(SSSE))
    other = Terminal()
    assert other.connect(PSAM_READER) == scard.SCARD_S_SUCCESS
    assert other.transmit("00B0960006")[1][-2:] == b"\x90\x00"
    other.close()
    deadline = time.monotonic() + TIMEOUT
    while pcscd_world.slots.status()["slots"]["contact"]["apdus"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pcscd_world.slots.remove()
    assert stuck() == (scard.SCARD_S_SUCCESS, b"")


def test_torn_card_gives_success_without_a_byte_and_then_is_gone(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    pcscd_world.slots.fault("2:tear")
    inserted(pcscd_world, terminal, "v3")
    terminal.connect()
    terminal.transmit(SSSE)
    assert terminal.transmit("0020000003123456") == (scard.SCARD_S_SUCCESS, b"")
    assert terminal.transmit("0084000008")[0] in GONE
    terminal.wait_for(CONTACT_READER, scard.SCARD_STATE_EMPTY)
    assert pcscd_world.slots.status()["pin_tries"] == {"v3": 2}


def test_faults_reach_the_terminal(pcscd_world: PcscdWorld, terminal: Terminal) -> None:
    pcscd_world.slots.fault("1:6F00, 2:short")
    inserted(pcscd_world, terminal, "v3")
    terminal.connect()
    assert terminal.transmit(SSSE) == (0, b"\x6f\x00")
    assert terminal.transmit(SSSE) == (0, b"\x6f")
    assert terminal.transmit(SSSE)[1][-2:] == b"\x90\x00"


def test_restart_ends_old_contexts_and_keeps_the_socket_and_the_card(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    inserted(pcscd_world, terminal, "v3")
    path, pid = pcscd_world.csock_name, pcscd_world.pids["pcscd"]
    pcscd_world.restart_daemon()
    assert pcscd_world.csock_name == path
    assert pcscd_world.pids["pcscd"] != pid
    assert call(scard.SCardListReaders, terminal.context, [])[0] == scard.SCARD_E_NO_SERVICE
    fresh = Terminal()
    fresh.wait_for(CONTACT_READER, scard.SCARD_STATE_PRESENT)
    assert fresh.connect() == scard.SCARD_S_SUCCESS
    assert fresh.transmit(SSSE)[1][-2:] == b"\x90\x00"
    fresh.close()


def test_unplugged_reader_leaves_the_list_and_comes_back_with_its_card(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    inserted(pcscd_world, terminal, "v3")
    pcscd_world.unplug_reader()
    without = Terminal()
    assert CONTACT_READER not in without.readers()
    assert PSAM_READER in without.readers()
    without.close()
    pcscd_world.plug_reader()
    again = Terminal()
    again.wait_for(CONTACT_READER, scard.SCARD_STATE_PRESENT)
    again.close()


def test_seeded_challenges_are_the_same_after_each_connection(
    pcscd_world: PcscdWorld, terminal: Terminal
) -> None:
    seen = []
    for _ in range(2):
        inserted(pcscd_world, terminal, "v3", challenge_seed=7)
        terminal.connect()
        seen.append(terminal.transmit("0084000008"))
        pcscd_world.slots.remove()
    assert seen[0] == seen[1]


# --- worlds of their own, each in another process's namespaces -----------------------------------


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a race with the end of the process
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def ends(pid: int) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            if not alive(pid):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.usefixtures("shared_pcscd")
def test_stop_leaves_nothing() -> None:
    world = PcscdWorld()
    world.start()
    pids, directory = dict(world.pids), world.control.parent
    world.stop()
    world.stop()
    assert all(ends(pid) for pid in pids.values())
    assert not directory.exists()
    with pytest.raises(RuntimeError, match="not started"):
        _ = world.csock_name


@pytest.mark.usefixtures("shared_pcscd")
def test_killed_parent_leaves_nothing() -> None:
    script = (
        "import sys, time; from hw_sim.pcscd import PcscdWorld; w = PcscdWorld(); w.start();"
        "print(*w.pids.values(), w.control.parent, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=_environment()
    )
    assert parent.stdout is not None
    with parent.stdout:
        *pids, directory = parent.stdout.readline().split()
    parent.send_signal(signal.SIGKILL)
    parent.wait(TIMEOUT)
    assert len(pids) == 2
    assert all(ends(int(pid)) for pid in pids)
    deadline = time.monotonic() + TIMEOUT
    while os.path.exists(directory):  # noqa: PTH110 - one line of another process
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("shared_pcscd")
def test_without_namespaces_one_world_owns_the_system_s_paths() -> None:
    script = (
        "import warnings; from hw_sim.pcscd import PcscdUnavailable, PcscdWorld;"
        "warnings.simplefilter('ignore');"
        "one, two = PcscdWorld(namespaces=False), PcscdWorld(namespaces=False);"
        "one.start(); print(one.csock_name, one.slots.status()['slots']['psam']['card']);\n"
        "try: two.start()\n"
        "except PcscdUnavailable as reason: print(reason)\n"
        "one.stop(); two.start(); two.stop(); print('free again')"
    )
    inside = 'mount -t tmpfs tmpfs /run && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", inside, "sh", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        env=_environment(),
        check=False,
    )
    assert done.stdout.splitlines() == [
        "/run/pcscd/pcscd.comm psam",
        "no namespaces, and another pcscd is running",
        "free again",
    ], done.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pcscd, "VPCD_LIBRARY", pcscd.VPCD_LIBRARY.with_name("absent.so"))
    with pytest.raises(PcscdUnavailable):
        PcscdWorld().start()
