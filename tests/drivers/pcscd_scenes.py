"""Scenes with the real pcscd and its virtual reader driver, each in a process of its own.

``unshare --mount --net -- python -m tests.drivers.pcscd_scenes NAME``: libpcsclite remembers one
daemon a process, vpcd listens on all interfaces, and only one pcscd can own /run/pcscd.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import smartcard.scard

from apdu.errors import CardAbsent, CardReset, ReaderBusy, ReaderGone
from drivers.card_service import find_reader
from drivers.ccid.pin_entry import secure_pin_entry
from drivers.events import CardInserted, CardTaken
from drivers.pcsc.service import PcscService
from tests.drivers.event_box import EventBox
from tests.drivers.pcscd_crowd_scenes import CROWD_SCENES, LONG_SCENES
from tests.drivers.pcscd_daemon import COMMAND, CONTACT, hall, raises, settle_in
from tests.drivers.pcscd_fault_scenes import FAULT_SCENES
from tests.drivers.socket_card import ATR

EXCLUSIVE, T0_OR_T1 = 1, 3


def insert_use_remove() -> None:
    with hall() as (_daemon, service, box, card):
        name = find_reader(service.readers(), "Scene").name
        raises(CardAbsent, lambda: service.connect(name))
        raises(ReaderGone, lambda: service.connect("No Such Reader"))
        card.insert()
        assert box.take(1) == [CardInserted(CONTACT, ATR)]
        connection = service.connect(name)
        assert connection.atr == ATR
        with connection.transaction():
            assert connection.transmit(bytearray(COMMAND)) == b"\x90\x00"
        before = len(card.controls)
        assert connection.reset() == ATR
        assert 2 in card.controls[before:]
        connection.close()
        card.wait_for_control(0)
        card.remove()
        assert box.take(1) == [CardTaken(CONTACT)]


def others_on_the_same_card() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        ours, theirs = service.connect(CONTACT), service.connect(CONTACT)
        theirs.reset()
        raises(CardReset, lambda: ours.transmit(COMMAND))
        raises(CardReset, ours.begin)
        ours.reset()
        assert service.answers(CONTACT, 10)
        assert ours.transmit(COMMAND) == b"\x90\x00"
        theirs.close()
        raises(CardReset, lambda: ours.transmit(COMMAND))
        ours.close()
        scard: Any = smartcard.scard
        _code, context = scard.SCardEstablishContext(0)
        _code, handle, _protocol = scard.SCardConnect(context, CONTACT, EXCLUSIVE, T0_OR_T1)
        raises(ReaderBusy, lambda: service.connect(CONTACT))
        scard.SCardDisconnect(handle, 2)
        scard.SCardReleaseContext(context)
        service.connect(CONTACT).close()


def a_transaction_keeps_others_waiting() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        order: list[str] = []
        ours, theirs = service.connect(CONTACT), service.connect(CONTACT)
        begun = threading.Event()

        def intrude() -> None:
            begun.set()
            theirs.transmit(COMMAND)
            order.append("theirs")

        with ours.transaction():
            other = threading.Thread(target=intrude)
            other.start()
            begun.wait(10)
            for _ in range(20):
                ours.transmit(COMMAND)
            order.append("ours")
        other.join(10)
        assert order == ["ours", "theirs"]
        ours.close()
        theirs.close()


def an_idle_monitor_sleeps() -> None:
    class Counting:
        waits = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(smartcard.scard, name)

        def SCardGetStatusChange(self, *arguments: Any) -> Any:
            self.waits += 1
            return smartcard.scard.SCardGetStatusChange(*arguments)

    with hall() as (_daemon, _service, _box, card):
        scard, box = Counting(), EventBox()
        second = PcscService(scard)
        second.start(box)
        box.take(2)
        card.insert()
        box.take(1)
        time.sleep(0.5)
        quiet = scard.waits
        time.sleep(1)
        second.stop()
        assert scard.waits - quiet <= 1, "the monitor wakes without news"


def a_reader_without_keys() -> None:
    with hall() as (_daemon, service, box, card):
        card.insert()
        box.take(1)
        connection = service.connect(CONTACT)
        assert secure_pin_entry(connection) is None
        assert connection.transmit(COMMAND) == b"\x90\x00"
        connection.close()


SCENES = {
    scene.__name__: scene
    for scene in (
        insert_use_remove,
        others_on_the_same_card,
        a_transaction_keeps_others_waiting,
        an_idle_monitor_sleeps,
        a_reader_without_keys,
        *FAULT_SCENES,
        *CROWD_SCENES,
        *LONG_SCENES,
    )
}
LONG = {scene.__name__ for scene in LONG_SCENES}
"""Minutes rather than seconds."""


def main() -> None:
    settle_in()
    SCENES[sys.argv[1]]()


if __name__ == "__main__":
    main()
