"""The social security card (社会保障卡): what a terminal does with one, step by step.

Every step sends as few commands as the card allows. A whole third-generation read takes six:
SELECT, EF05, INTERNAL AUTHENTICATE, GET CHALLENGE, EXTERNAL AUTHENTICATE, EF06.
"""

from __future__ import annotations

import os
from functools import cached_property

from apdu import ber_tlv, commands, pin
from apdu.authentication import Authentication, Diversification, Random
from apdu.channel import Channel
from apdu.custodian import Algorithm, Custodian
from apdu.errors import MalformedAnswer, PinNeeded, UnexpectedStatus, UnknownCard
from apdu.holder import Holder, Issuer
from apdu.identity import Atr, CardId, consistent
from apdu.profile import CardProfile, Profiles, choose, shipped_profiles
from apdu.records import RecordReader
from apdu.response import Response
from apdu.status import Outcome, meaning, raise_for
from apdu.trace import SSSE_NAME, Sink
from apdu.transport import Transport

_MASTER_FILE = 0x3F00
_FCI, _PROPRIETARY, _ISSUER_DATA, _ALGORITHM = 0x6F, 0xA5, 0x9F0C, 0x86
_SSF33_REGION = "11"
"""Beijing's cards without an algorithm flag use SSF33 (mark C)."""
_SECURITY_STATUS = 0x6982


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
    ) -> None:
        """Use `open`."""
        self._channel = channel
        self._flag = flag
        self._profiles = profiles
        self._records = RecordReader(channel)
        self._issuer: Issuer | None = None
        self.authentication = Authentication(channel, self._diversification, random)
        """For those who authenticate in two steps; all others need only the steps below."""

    @classmethod
    def open(
        cls,
        transport: Transport,
        *,
        trace: Sink | None = None,
        random: Random = os.urandom,
        profiles: Profiles | None = None,
    ) -> SocialSecurityCard:
        """Select the application SSSE.

        Args:
            transport: the card, powered.
            trace: receives one redacted line for each command.
            random: source of our challenges.
            profiles: card profiles; None takes those that come with this package.

        Raises:
            UnknownCard: there is no such application on it.
            ApplicationBlocked: the application or the card is locked.
            MalformedAnswer: the answer to SELECT is no FCI, or names an unknown algorithm.
            CardError: see `apdu.errors`.
        """
        channel = Channel(transport, trace=trace)
        fci = _select_application(channel)
        return cls(channel, _algorithm_flag(fci.data), profiles or shipped_profiles(), random)

    @cached_property
    def atr(self) -> Atr:
        """The answer to reset. Raises MalformedAnswer when it is none."""
        return Atr.parse(self._channel.atr)

    @property
    def transmitted(self) -> int:
        """Commands that really went to the card so far."""
        return self._channel.transmitted

    @cached_property
    def profile(self) -> CardProfile:
        """The card's profile, by its specification version; reads EF05 when not yet known.

        Raises:
            UnknownCard: no profile describes this version.
            CardError: as `issuer`.
        """
        return choose(self._profiles, self.issuer().version)

    @cached_property
    def algorithm(self) -> Algorithm:
        """The algorithm of its keys: what the FCI tells, else by region. Raises as `issuer`."""
        if self._flag is not None:
            return self._flag
        if self.issuer().region.startswith(_SSF33_REGION):
            return Algorithm.SSF33
        return Algorithm.TDES

    def issuer(self) -> Issuer:
        """发卡机构数据 (EF05), read once and remembered.

        Raises:
            UnknownCard: no profile describes this specification version.
            MalformedAnswer: the file cannot be read as EF05.
            CardError: see `apdu.errors`.
        """
        if self._issuer is None:
            # EF05 has the same items in every generation; which one this is, it tells itself.
            file = next(iter(self._profiles.values())).issuer_file
            issuer = Issuer.from_records(file, self._records.read(file))
            choose(self._profiles, issuer.version)
            self._issuer = issuer
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
        profile = self.profile
        if profile.holder_key is not None:
            self.authentication.authenticate(custodian, profile.holder_key)
        file = profile.holder_file
        try:
            records = self._records.read(file)
        except UnexpectedStatus as error:
            if error.sw == _SECURITY_STATUS:
                raise PinNeeded("the holder file wants the PIN first") from error
            raise
        return Holder.from_records(file, records)

    def verify_pin(self, digits: bytearray) -> None:
        """Show the PIN to the card; `digits` (ASCII) are zeros afterwards, however it ends.

        Raises:
            IllegalPin: no row of digits as long as the profile allows (4 to 16 while the profile
                is not known); the card was not asked.
            PinRejected: wrong; carries the tries left.
            PinBlocked: the PIN is blocked.
            CardError: see `apdu.errors`.
        """
        if self._issuer is None:
            pin.verify_pin(self._channel, digits)
            return
        rules = self.profile.pin
        pin.verify_pin(self._channel, digits, shortest=rules.digits_min, longest=rules.digits_max)

    def _diversification(self) -> Diversification:
        return Diversification(self.algorithm, self.atr.card_factor, self.issuer().region)


def _select_application(channel: Channel) -> Response:
    """Select SSSE by name; where that is refused, once more after the master file.

    Some makers' cards insist on the master file first; its own status word means nothing.
    """
    response = channel.send(commands.select_by_name(SSSE_NAME))
    if _is_refusal(response):
        channel.send(commands.select_by_fid(_MASTER_FILE))
        response = channel.send(commands.select_by_name(SSSE_NAME))
    if _is_refusal(response):
        raise UnknownCard(f"SELECT answered {response.sw:04X}")
    return raise_for("SELECT", response)


def _is_refusal(response: Response) -> bool:
    outcome = meaning(response.sw, "SELECT").outcome
    return outcome in (Outcome.NOT_FOUND, Outcome.REFUSED, Outcome.UNKNOWN)


def _algorithm_flag(fci: bytes) -> Algorithm | None:
    """The flag in 6F / A5 / 9F0C / 86; None when any of them is absent."""
    flag = ber_tlv.find(fci, _FCI, _PROPRIETARY, _ISSUER_DATA, _ALGORITHM)
    if flag is None:
        return None
    try:
        return Algorithm(flag.hex())
    except ValueError:
        raise MalformedAnswer("the card names an unknown algorithm") from None
