"""Cards that hold one application, for the tests of that application."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hw_sim.cards.application import Challenges, MultiApplicationCard, RandomSource
from hw_sim.cards.bank import ContactlessDirectory, DebitApplication, PaymentDirectory
from hw_sim.cards.bank_image import load_bank_image
from hw_sim.cards.iso7816 import Handler
from hw_sim.cards.memory import Memory
from hw_sim.cards.pki import PkiApplication, PkiDirectory
from hw_sim.cards.pki_image import load_pki_image
from hw_sim.population import population

ATR = bytes.fromhex("3B6900005445535443415244")


class BareMaster:
    """An MF that holds nothing and has no name."""

    aid = b""
    fid = 0x3F00
    handlers: Mapping[tuple[int, int], Handler] = {}

    def select(self) -> bytes:
        return b""

    def drop_volatile_state(self) -> None:
        """It has none."""


class PkiCard(MultiApplicationCard):
    """Args: ``switches`` are fields of the image."""

    def __init__(
        self,
        *,
        t0: bool = False,
        random_bytes: RandomSource = secrets.token_bytes,
        **switches: Any,
    ) -> None:
        memory, challenges = Memory(), Challenges(random_bytes)
        super().__init__(ATR, t0=t0, memory=memory, challenges=challenges, master=BareMaster())
        image = replace(load_pki_image(), **switches)
        directory = PkiDirectory(memory, challenges, image)
        self.pki = PkiApplication(memory, challenges, directory, lambda: self.current, image)
        self.install(directory)
        self.install(self.pki, under=directory)


def bank_card(*, t0: bool = False, **switches: Any) -> MultiApplicationCard:
    """A card of the first resident's bank; ``switches`` are fields of its image."""
    image = replace(load_bank_image(), **switches)
    card = MultiApplicationCard(
        ATR,
        t0=t0,
        memory=Memory(),
        challenges=Challenges(),
        master=PaymentDirectory(image, fid=0x3F00) if image.directory else BareMaster(),
    )
    if image.contactless:
        card.install(ContactlessDirectory(image))
    card.install(DebitApplication(image, image.account(population()[0])))
    return card
