"""The bank application (金融应用): the account number, found by walking its data objects.

Directory, application, processing options, records: the way that EMV and PBOC (JR/T 0025) lay
down. The bytes ``5A`` stand inside other values too, so nothing here searches for bytes. The
chip holds no state of the account: whether it is open or active, only the platform can tell.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from apdu import ber_tlv
from apdu.bank.profile import BankProfile, Moment, shipped_bank_profile
from apdu.ber_tlv import DataObject
from apdu.channel import Channel
from apdu.command import SHORT_NC, SHORT_NE, Command
from apdu.commands import ReadMode, read_record, select_by_name
from apdu.errors import ApplicationBlocked, MalformedAnswer, UnexpectedStatus
from apdu.response import Response
from apdu.status import Outcome, meaning, raise_for

_FCI, _PROPRIETARY, _ISSUER_DATA = 0x6F, 0xA5, 0xBF0C
_DIRECTORY_SFI, _ENTRY, _ENTRY_NAME, _PRIORITY = 0x88, 0x61, 0x4F, 0x87
_PDOL, _PDOL_DATA = 0x9F38, 0x83
_FORMAT_1, _FORMAT_2, _AFL = 0x80, 0x77, 0x94
_RECORD, _PAN, _TRACK_2 = 0x70, 0x5A, 0x57
_AIP_SIZE, _GROUP = 2, 4
_TLV_FILES = range(1, 11)
"""Short identifiers whose records are templates 70 (EMV Book 3 §5.3.2); others are the issuer's."""
_SEPARATOR, _FILLER = "d", "f"
_DIGITS = range(12, 20)
_GPO = "GET PROCESSING OPTIONS"
_SELECTED = (Outcome.SUCCESS, Outcome.WARNING)
_ABSENT = (Outcome.NOT_FOUND, Outcome.REFUSED)
"""A card without the application says so, or that it cannot select by name."""


class NumberSource(Enum):
    """The data object that told the account number."""

    PAN = "5A"
    TRACK_2 = "57"


@dataclass(frozen=True, repr=False)
class BankAccount:
    """What the chip says of the bank account. Its repr shows the number masked.

    Attributes:
        number: 12..19 digits; never to be logged.
        application: the bank application's name (AID), 5..16 bytes.
        source: where the number was found.
    """

    number: str
    application: bytes
    source: NumberSource

    def __repr__(self) -> str:
        return f"BankAccount({self.masked}, {self.application.hex().upper()}, {self.source.name})"

    @property
    def masked(self) -> str:
        """First three and last four digits."""
        return f"{self.number[:3]}{'*' * (len(self.number) - 7)}{self.number[-4:]}"

    @property
    def check_digit_fits(self) -> bool:
        """Whether the last digit is the Luhn digit of the others (ISO/IEC 7812-1 annex B).

        Reported only: no clause says that a card with another one is to be refused.
        """
        total = 0
        for at, character in enumerate(reversed(self.number)):
            digit = int(character) * (1 + at % 2)
            total += digit - 9 if digit > 9 else digit
        return total % 10 == 0


def read_account(
    channel: Channel,
    *,
    profile: BankProfile | None = None,
    now: Callable[[], datetime] = datetime.now,
    random: Callable[[int], bytes] = os.urandom,
) -> BankAccount | None:
    """The account number of the card's bank application; None when there is no such application.

    Another application is selected afterwards: whoever worked with the social security
    application opens it again.

    Args:
        profile: names and terminal data; None takes those that come with this package.
        now, random: for terminal data that the card asks for.

    Raises:
        ApplicationBlocked: there is one, and it is locked.
        UnexpectedStatus: there is one, and it refused processing options or records; or the card
            failed where it should have said whether there is one.
        MalformedAnswer: its answers do not follow EMV, contradict themselves, or never end.
        CardError: see `apdu.errors`.
    """
    reader = _Reader(channel, profile or shipped_bank_profile(), Moment(now(), random))
    return reader.account()


class _Reader:
    """One walk; counts its commands."""

    def __init__(self, channel: Channel, profile: BankProfile, moment: Moment) -> None:
        self._channel = channel
        self._profile = profile
        self._moment = moment
        self._last = channel.transmitted + profile.commands

    def account(self) -> BankAccount | None:
        refusal: UnexpectedStatus | ApplicationBlocked | None = None
        for name in self._candidates():
            selected = self._send(select_by_name(name))
            outcome = meaning(selected.sw, "SELECT").outcome
            if outcome is Outcome.BLOCKED:
                refusal = ApplicationBlocked(f"SELECT answered {selected.sw:04X}")
            elif outcome not in (*_SELECTED, *_ABSENT):
                refusal = UnexpectedStatus("SELECT", selected.sw)
            if outcome not in _SELECTED:
                continue
            try:
                number, source = self._number(selected.data)
            except UnexpectedStatus as error:
                refusal = error
                continue
            return BankAccount(number, name, source)
        if refusal is not None:
            raise refusal
        return None

    def _candidates(self) -> tuple[bytes, ...]:
        """Names of bank applications, the likeliest first."""
        listed: tuple[bytes, ...] = ()
        for directory in self._profile.directories:
            answer = self._send(select_by_name(directory))
            if not answer.ok:
                continue
            # A directory that cannot be read is none: the known names are asked then (EMV Book 1
            # §12.3.2).
            with contextlib.suppress(MalformedAnswer):
                listed = self._listed(answer.data)
            if listed:
                break
        names = dict.fromkeys((*listed, *self._profile.applications))
        return tuple(names)[: self._profile.candidates]

    def _listed(self, fci: bytes) -> tuple[bytes, ...]:
        """Bank applications of the selected directory: in its FCI (contactless) or its records."""
        sfi = ber_tlv.find(fci, _FCI, _PROPRIETARY, _DIRECTORY_SFI)
        if sfi is None:
            lists = iter((ber_tlv.find(fci, _FCI, _PROPRIETARY, _ISSUER_DATA) or b"",))
        else:
            lists = self._directory_records(sfi)
        entries: dict[bytes, int] = {}
        for item in (item for data in lists for item in ber_tlv.walk(data)):
            if item.tag != _ENTRY:
                continue
            name, priority = _entry(item)
            if name.startswith(self._profile.providers):
                entries.setdefault(name, priority)
        return tuple(sorted(entries, key=entries.__getitem__))

    def _directory_records(self, sfi: bytes) -> Iterator[bytes]:
        if len(sfi) != 1 or sfi[0] not in _TLV_FILES:
            raise MalformedAnswer("a directory in an impossible file")
        for number in range(1, self._profile.directory_records + 1):
            answer = self._send(read_record(number, ReadMode.BY_NUMBER, sfi=sfi[0]))
            if not answer.ok:
                return
            yield answer.data

    def _number(self, fci: bytes) -> tuple[str, NumberSource]:
        """The account number of the selected application."""
        wanted = ber_tlv.tags_and_lengths(ber_tlv.find(fci, _FCI, _PROPRIETARY, _PDOL) or b"")
        told = b"".join(self._profile.tell(tag, size, self._moment) for tag, size in wanted)
        options = ber_tlv.encode([DataObject(_PDOL_DATA, told)])
        if len(options) > SHORT_NC:
            raise MalformedAnswer("the card wants more terminal data than one command carries")
        command = Command(0x80, 0xA8, 0x00, 0x00, options, SHORT_NE)
        answer = raise_for(_GPO, self._send(command))
        locator, objects = _processing_options(answer.data)
        found = _account_number(objects)
        for sfi, record in _records(locator):
            if found is not None:
                break
            answer = raise_for(
                "READ RECORD", self._send(read_record(record, ReadMode.BY_NUMBER, sfi=sfi))
            )
            template = ber_tlv.find(answer.data, _RECORD)
            if template is None:
                raise MalformedAnswer("a record that is no template")
            found = _account_number(tuple(ber_tlv.walk(answer.data)))
        if found is None:
            raise MalformedAnswer("no record of the bank application tells an account number")
        return found

    def _send(self, command: Command) -> Response:
        if self._channel.transmitted >= self._last:
            raise MalformedAnswer("the bank application never comes to its account number")
        return self._channel.send(command)


def _entry(item: DataObject) -> tuple[bytes, int]:
    """Name and rank of a directory entry; an entry without priority comes last."""
    name = priority = b""
    for inner in ber_tlv.walk(item.value):
        if inner.tag == _ENTRY_NAME:
            name = name or inner.value
        elif inner.tag == _PRIORITY:
            priority = priority or inner.value
    if not 5 <= len(name) <= 16:
        return b"", 0
    return name, (priority[-1] & 0x0F if priority else 0) or 0x10


def _processing_options(data: bytes) -> tuple[bytes, tuple[DataObject, ...]]:
    """The file locator (AFL), and the data objects that came with it."""
    objects = tuple(ber_tlv.walk(data))
    if not objects:
        raise MalformedAnswer("processing options without content")
    first, rest = objects[0], objects[1:]
    if first.tag == _FORMAT_1 and len(first.value) >= _AIP_SIZE:
        return first.value[_AIP_SIZE:], ()
    if first.tag == _FORMAT_2:
        return next((item.value for item in rest if item.tag == _AFL), b""), rest
    raise MalformedAnswer("processing options in no known format")


def _records(locator: bytes) -> Iterator[tuple[int, int]]:
    """File and record numbers that a locator names, each once (EMV Book 3 §10.2)."""
    if len(locator) % _GROUP:
        raise MalformedAnswer("a file locator that breaks off")
    seen: set[tuple[int, int]] = set()
    for at in range(0, len(locator), _GROUP):
        file, first, last, signed = locator[at : at + _GROUP]
        sfi = file >> 3
        if (
            not 1 <= sfi <= 30
            or file & 0b111
            or not 1 <= first <= last
            or signed > last - first + 1
        ):
            raise MalformedAnswer("a file locator that names impossible records")
        if sfi not in _TLV_FILES:
            continue
        for number in range(first, last + 1):
            if (sfi, number) not in seen:
                seen.add((sfi, number))
                yield sfi, number


def _account_number(objects: tuple[DataObject, ...]) -> tuple[str, NumberSource] | None:
    """The number among these data objects; where two tell one, they must agree."""
    found: dict[str, NumberSource] = {}
    for item in objects:
        if item.tag == _PAN:
            number = item.value.hex().rstrip(_FILLER)
            found[_digits(number)] = NumberSource.PAN
        elif item.tag == _TRACK_2:
            number, separator, _ = item.value.hex().partition(_SEPARATOR)
            if not separator:
                raise MalformedAnswer("a second track without separator")
            found.setdefault(_digits(number), NumberSource.TRACK_2)
    if len(found) > 1:
        raise MalformedAnswer("the bank application tells two account numbers")
    return next(iter(found.items()), None)


def _digits(number: str) -> str:
    if len(number) not in _DIGITS or not number.isdecimal():
        raise MalformedAnswer("an account number that is none")
    return number
