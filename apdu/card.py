"""The social security card (社会保障卡): what a terminal does with one, step by step.

Every step sends as few commands as the card allows. A whole third-generation read takes six:
SELECT, EF05, INTERNAL AUTHENTICATE, GET CHALLENGE, EXTERNAL AUTHENTICATE, EF06.
"""

from __future__ import annotations

import os

from apdu import pin
from apdu.authentication import Authentication, Diversification, Random
from apdu.channel import Channel, wipe
from apdu.custodian import Algorithm, Custodian
from apdu.dictionary import CardFile
from apdu.fci import told_algorithm, untold_algorithm
from apdu.files import Files, StoredFile
from apdu.holder import Holder, Issuer
from apdu.identity import Atr, CardId, consistent
from apdu.profile import CardProfile, Profiles, choose, shipped_profiles
from apdu.secure_messaging import Protected, ProtectedCommands, SecureMessaging
from apdu.selection import Selection, select_ssse
from apdu.trace import Sink
from apdu.transport import Transport


class SocialSecurityCard:
    """One powered card whose application is selected. Not thread-safe.

    When an operation raises `CardReset`, all of this is void: open the card again.
    """

    def __init__(
        self,
        channel: Channel,
        flag: Algorithm | None,
        profiles: Profiles,
        random: Random,
        protected: ProtectedCommands | None,
    ) -> None:
        """Use `open`."""
        self._channel = channel
        self._flag = flag
        self._profiles = profiles
        self._atr: Atr | None = None
        self._issuer: tuple[Issuer, CardProfile] | None = None
        self._leads_to_keys: Diversification | None = None
        self.authentication = Authentication(channel, self._diversification, random)
        """For those who authenticate in two steps; all others need only the steps below."""
        self._selection = Selection(channel, self.authentication)
        self.files = Files(channel, self._selection, self.authentication, lambda: self.profile)
        """For writing; `read_file` reads."""
        self.messaging = SecureMessaging(
            channel, self.authentication, lambda: self.profile.keys, declared=protected
        )
        """As `authentication`; both hold for SSSE or what `enter` selects."""

    @classmethod
    def open(
        cls,
        transport: Transport,
        *,
        trace: Sink | None = None,
        random: Random = os.urandom,
        profiles: Profiles | None = None,
        protected: ProtectedCommands | None = None,
    ) -> SocialSecurityCard:
        """Select the application SSSE.

        Args:
            transport: the card, powered.
            trace: receives one redacted line for each command.
            random: source of our challenges.
            profiles: card profiles; None takes those that come with this package.
            protected: how commands under secure messaging are written; None likewise.

        Raises:
            UnknownCard: there is no such application on it.
            ApplicationBlocked: the application or the card is locked.
            MalformedAnswer: the answer to SELECT is no FCI, or names an unknown algorithm.
            CardError: see `apdu.errors`.
        """
        channel = Channel(transport, trace=trace)
        flag = told_algorithm(select_ssse(channel).data)
        return cls(channel, flag, profiles or shipped_profiles(), random, protected)

    @property
    def atr(self) -> Atr:
        """The answer to reset. Raises MalformedAnswer when it is none."""
        if self._atr is None:
            self._atr = Atr.parse(self._channel.atr)
        return self._atr

    @property
    def transmitted(self) -> int:
        """Commands that really went to the card so far."""
        return self._channel.transmitted

    @property
    def profile(self) -> CardProfile:
        """The card's profile, by its specification version; reads EF05 when not yet known.

        Raises:
            UnknownCard: no profile describes this version.
            CardError: as `issuer`.
        """
        return self._known()[1]

    @property
    def algorithm(self) -> Algorithm:
        """The algorithm of its keys: what the FCI tells, else by region. Raises as `issuer`."""
        if self._flag is not None:
            return self._flag
        return untold_algorithm(self.issuer().region)

    def issuer(self) -> Issuer:
        """发卡机构数据 (EF05), read once and remembered.

        Raises:
            UnknownCard: no profile describes this specification version.
            MalformedAnswer: the file cannot be read as EF05.
            CardError: see `apdu.errors`.
        """
        return self._known()[0]

    def _known(self) -> tuple[Issuer, CardProfile]:
        if self._issuer is None:
            # EF05 has the same items in every generation; which one this is, it tells itself.
            file = next(iter(self._profiles.values())).issuer_file
            issuer = Issuer.from_records(file, self.files.read_freely(file).records)
            self._issuer = issuer, choose(self._profiles, issuer.version)
        return self._issuer

    def is_consistent(self) -> bool:
        """Whether the ATR and EF05 name the same card. Raises as `issuer`."""
        return consistent(self.atr, CardId.parse(self.issuer().card_id))

    def prove_genuine(self, custodian: Custodian) -> bool | None:
        """卡认证: the card computes over fresh random bytes, the custodian recomputes.

        Returns:
            True only when both results are equal; False when they differ or the card refuses;
            None when the custodian cannot tell. Then the card is not asked.

        Raises:
            PsamUnavailable: the custodian cannot be asked.
            CardError: see `apdu.errors`.
        """
        self._enter_ssse()
        return self.authentication.prove_genuine(custodian, self.profile.internal_key)

    def holder(self, custodian: Custodian) -> Holder:
        """持卡人基本信息 (EF06); where the profile asks for it, after 卡鉴权 (external
        authentication).

        Raises:
            PinNeeded: the card wants the PIN first.
            PsamUnavailable: the custodian cannot be asked or lacks the key.
            AuthenticationFailed: the card refused the cryptogram; final for this card session.
            MalformedAnswer: the file cannot be read as EF06.
            CardError: see `apdu.errors`.
        """
        file = self.profile.holder_file
        return Holder.from_records(file, self.read_file(file, custodian).records)

    def enter(self, file: CardFile) -> None:
        """Select the file's application, whose keys may then be shown in two steps.

        Raises:
            CardError: see `apdu.errors`.
        """
        self._selection.enter(self.profile.applications[file.application])

    def read_file(self, file: CardFile, custodian: Custodian) -> StoredFile:
        """Any file of the card's profile (`profile.files`). Raises as `holder`, and AccessNever
        where nobody may read it."""
        return self.files.read(file, custodian)

    def verify_pin(self, digits: bytearray) -> None:
        """Show the PIN to the card; `digits` (ASCII) are zeros afterwards, however it ends.

        Raises:
            IllegalPin: no row of digits as long as the profile allows (4 to 16 while the profile
                is not known); the card was not asked.
            PinRejected: wrong; carries the tries left.
            PinBlocked: the PIN is blocked.
            CardError: see `apdu.errors`. The answer may be lost after the card has counted a
                try: nothing is sent again.
        """
        try:
            self.files.pin_shown = False
            shortest, longest = self._pin_digits
            self._enter_ssse()
            pin.verify_pin(self._channel, digits, shortest=shortest, longest=longest)
            self.files.pin_shown = True
        finally:
            wipe(digits)

    def pin_tries(self) -> int | None:
        """How many tries the PIN has left, 0 when it is blocked; None where this cannot be asked
        without costing one (`PinRules.status_query`), or the card does not tell.

        Raises:
            CardError: see `apdu.errors`.
        """
        if not self.profile.pin.status_query:
            return None
        self._enter_ssse()
        return pin.tries_left(self._channel)

    def change_pin(self, old: bytearray, new: bytearray) -> None:
        """Replace the PIN; both buffers are zeros afterwards, however it ends. Raises as
        `verify_pin`; after a lost answer either may be the PIN now."""
        try:
            self.files.pin_shown = False
            shortest, longest = self._pin_digits
            self._enter_ssse()
            pin.change_pin(self._channel, old, new, shortest=shortest, longest=longest)
        finally:
            wipe(old)
            wipe(new)

    def unblock_pin(self, custodian: Custodian) -> None:
        """Grant all tries again (解锁); the PIN stays what it is.

        Raises:
            PsamUnavailable: the custodian cannot be asked or lacks a key.
            AuthenticationFailed: the card refused the cryptogram or the MAC; final for this card
                session.
            CardError: see `apdu.errors`.
        """
        self._enter_ssse()
        self.messaging.send(Protected.UNBLOCK_PIN, custodian)

    def reload_pin(self, custodian: Custodian, new: bytearray) -> None:
        """Set another PIN without the old one (重置); `new` is zeros afterwards, however it
        ends. After a lost answer it may be done again from the start, with the same PIN.

        Raises:
            IllegalPin: as `verify_pin`, or more digits than go into one block of the card's
                cipher; the card was not asked.
            PsamUnavailable, AuthenticationFailed, CardError: as `unblock_pin`.
        """
        block = bytearray()
        try:
            rules, size = self.profile.pin, self.algorithm.block_size
            block = pin.pin_block(new, size, shortest=rules.digits_min, longest=rules.digits_max)
            self.files.pin_shown = False
            self._enter_ssse()
            self.messaging.send(Protected.RELOAD_PIN, custodian, block)
        finally:
            wipe(block)
            wipe(new)

    def send_protected(self, what: Protected, custodian: Custodian) -> None:
        """A protected command without data to SSSE; for `apdu.locking`. Raises as
        `unblock_pin`."""
        self._enter_ssse()
        self.messaging.send(what, custodian)

    @property
    def _pin_digits(self) -> tuple[int, int]:
        """Legal numbers of digits, as far as they are known without asking the card."""
        if self._issuer is None:
            return pin.DIGITS_MIN, pin.DIGITS_MAX
        return self.profile.pin.digits_min, self.profile.pin.digits_max

    def _enter_ssse(self) -> None:
        """PIN, PUK and STK belong to SSSE. It is selected already unless a file was read, and
        then the profile is known."""
        if self._issuer is not None:
            self._selection.enter(self.profile.applications[self.profile.issuer_file.application])

    def _diversification(self) -> Diversification:
        if self._leads_to_keys is None:
            factor, region = self.atr.card_factor, self.issuer().region
            self._leads_to_keys = Diversification(self.algorithm, factor, region)
        return self._leads_to_keys
