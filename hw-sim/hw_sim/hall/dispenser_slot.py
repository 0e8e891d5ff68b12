"""A card slot that is the gate of the dispenser: its motor takes cards in and gives them back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from hw_sim.cards.faults import FaultSyntaxError, parse_faults
from hw_sim.dispenser.device import DispenserDevice
from hw_sim.dispenser.machine import CannotDo, DispenserMachine
from hw_sim.hall.control import Refused
from hw_sim.hall.slot import CardFaults, Way, known

T = TypeVar("T")

_GATE_SECONDS = 3.0
"""So long a person pushes a card against a gate that is closed for a moment."""
_HAND_SECONDS = 1.2
"""So long a hand waits for a card on its way out, before it pulls."""
_POLL = 0.02


class DispenserSlot:
    """`hw_sim.hall.slot.CardSlot` of a dispenser.

    Args:
        device: gives the dispenser, which somebody else plugs in first and unplugs last.
    """

    way = Way.DISPENSER

    def __init__(self, device: Callable[[], DispenserDevice]) -> None:
        self._device = device
        self._faults = CardFaults(self._set_faults)

    @property
    def announced(self) -> Mapping[str, object]:
        return {"csock_name": None, "contact_reader": "", "psam_reader": "", "direct": None}

    @property
    def plugged(self) -> bool:
        return self._device().plugged

    @property
    def card(self) -> str | None:
        return self._device().machine.card

    @property
    def card_bugs(self) -> int:
        return self._device().machine.bugs

    @property
    def faults_pending(self) -> int:
        return self._faults.pending

    def insert(self, name: str) -> None:
        name = known(name)
        if self.card is None:
            self._faults.card_comes()

        def push(device: DispenserDevice) -> None:
            if not device.plugged:
                raise CannotDo("the dispenser is unplugged")
            device.machine.put(name)

        self._patiently(_GATE_SECONDS, push, lambda machine: machine.card is None)
        self._faults.card_came()

    def remove(self) -> None:
        try:
            self._patiently(
                _HAND_SECONDS,
                lambda device: device.machine.take(),
                lambda machine: machine.card is not None and not machine.jammed,
            )
        except Refused:
            self._once(lambda device: device.machine.tear_out())
        self._faults.card_went()

    def set_fault(self, text: str) -> None:
        self._faults.set(text, card=self.card is not None)

    def _set_faults(self, text: str) -> None:
        try:
            faults = parse_faults(text)
        except FaultSyntaxError as error:
            raise Refused(str(error)) from None
        self._once(lambda device: device.machine.set_card_faults(faults))

    def set_reader(self, *, plugged: bool) -> None:
        device = self._device()
        if plugged:
            device.plug()
        else:
            device.unplug()

    def restart_service(self) -> None:
        raise Refused("there is no pcscd here; the dispenser reads the cards")

    def close(self) -> None:
        """The dispenser is not ours to unplug."""

    def _patiently(
        self,
        seconds: float,
        act: Callable[[DispenserDevice], object],
        worth: Callable[[DispenserMachine], bool],
    ) -> None:
        """Try until it can be done, as long as the motor may still make it possible."""
        end = time.monotonic() + seconds
        while True:
            try:
                self._once(act)
                return
            except Refused:
                device = self._device()
                waits = device.plugged and worth(device.machine)
                if not waits or time.monotonic() >= end:
                    raise
            time.sleep(_POLL)

    def _once(self, act: Callable[[DispenserDevice], T]) -> T:
        device = self._device()
        with device.lock:
            try:
                return act(device)
            except CannotDo as error:
                raise Refused(str(error)) from None
