"""Cards that are no good social security card: forged, foreign, mute and silent ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.access import Access
from hw_sim.cards.ber import ber
from hw_sim.cards.contents import Piece
from hw_sim.cards.image import Image
from hw_sim.cards.iso7816 import CardSystem, Command, Handler, SwError
from hw_sim.cards.session import Session
from hw_sim.cards.social_security import MASTER_NAME, SocialSecurityCard

# SELECT, READ RECORD, READ BINARY and GET CHALLENGE work as in the original.
_COPIED = ((0x00, 0xA4), (0x00, 0xB2), (0x00, 0xB0), (0x00, 0x84))
_DEBIT_AID = bytes.fromhex("A000000333010101")


class ClonedCard(SocialSecurityCard):
    """A copy of every file and of the ATR, without the keys.

    It says yes to every PIN and every authentication and makes up the answer of INTERNAL
    AUTHENTICATE, so only who recomputes that answer can tell it from its original.
    """

    def __init__(self, image: Image, piece: Piece, *, challenge_seed: int | None = None) -> None:
        super().__init__(image, piece, session=_Credulous(), challenge_seed=challenge_seed)

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        original = super().handlers
        copied = {key: original[key] for key in _COPIED if key in original}
        return {**copied, (0x00, 0x88): lambda _: secrets.token_bytes(8)}

    def execute(self, command: bytes) -> bytes | None:
        known = len(command) < 4 or (command[0], command[1]) in (*self.handlers, (0x00, 0xC0))
        return super().execute(command) if known else iso.OK.to_bytes(2, "big")


class _Credulous(Session):
    """Everybody may do everything."""

    def may(self, access: Access) -> bool:
        return True


class BankCard(CardSystem):
    """A card of another application: a payment card without the SSSE."""

    def __init__(self) -> None:
        super().__init__(bytes.fromhex("3B690000") + b"BANK-DEMO", t0=False)

    @property
    def handlers(self) -> Mapping[tuple[int, int], Callable[[Command], bytes]]:
        return {(0x00, 0xA4): self._select}

    def drop_volatile_state(self) -> None:
        """It keeps nothing that a power cycle could clear."""

    def _select(self, command: Command) -> bytes:
        if command.p1 == 0x04 and command.data in (MASTER_NAME, _DEBIT_AID):
            return ber("6F", ber("84", command.data) + ber("A5", ber("88", b"\x01")))
        raise SwError(iso.FILE_NOT_FOUND)


class DeadChip:
    """A card that answers no command until it is pulled.

    Args:
        atr: its answer to reset. PC/SC allows 33 bytes: a longer one makes the reader report
            the card as unresponsive, like a chip that gives no answer to reset at all.
    """

    def __init__(self, atr: bytes) -> None:
        self.atr = atr
        self.bugs: list[Exception] = []

    def power_on(self) -> None:
        """The chip does not start."""

    def power_off(self) -> None:
        """There is nothing to stop."""

    def reset(self) -> None:
        """The chip does not start."""

    def execute(self, command: bytes) -> bytes | None:
        return None

    def tear(self, command: bytes, at_write: int | None = None) -> None:
        """It has no state to lose."""


def mute_card() -> DeadChip:
    """No ATR can be obtained. A vpcd reply of no bytes would hang the slot, so it is too long."""
    return DeadChip(b"\xff" * 64)


def silent_card() -> DeadChip:
    """Starts like a social security card and then never answers."""
    return DeadChip(bytes.fromhex("3B6D00000053480301863142990199999A"))
