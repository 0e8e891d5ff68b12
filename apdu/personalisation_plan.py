"""What a blank card is to hold, and the steps that write it (个人化)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

from apdu import formats, simple_tlv
from apdu.authentication import Random
from apdu.dictionary import CardFile, FieldValue, FileKind, Item
from apdu.errors import CardError
from apdu.files import StoredFile, chunks
from apdu.holder import Holder, Issuer
from apdu.identity import Atr, CardId, consistent
from apdu.profile import CardProfile, Profiles, choose, shipped_profiles
from apdu.simple_tlv import Record

PHOTO_FILE = "SSSEEF08"
_PLAN_ID_SIZE = 16
_NAME, _NAME_EXTENSION = "name", "name_extension"
_NEEDED_OF_ISSUER = ("card_number", "issued", "expires")


class IllegalContent(ValueError):
    """A card cannot be made from this. The text names the item, never its value."""


@dataclass(frozen=True, repr=False)
class CardContent:
    """What the card is to hold. Its repr shows nothing of the person.

    Attributes:
        issuer: all of EF05.
        holder: all of EF06.
        photo: JPEG for EF08; None for a card without one.
        items: further items of item record files, such as those of DF01, by file name and field.
    """

    issuer: Issuer
    holder: Holder
    photo: bytes | None = None
    items: Mapping[str, Mapping[str, FieldValue]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def __repr__(self) -> str:
        return "CardContent(...)"


@dataclass(frozen=True, repr=False)
class Step:
    """One command that writes. Doing it again does no harm.

    Attributes:
        file: where it goes.
        field: which item it is.
        place: record number from 1, or offset in a transparent file.
        data: the whole record, or the part of the content.
    """

    file: CardFile
    field: str
    place: int
    data: bytes

    def __repr__(self) -> str:
        return f"Step({self.name} at {self.place}, {len(self.data)} bytes)"

    @property
    def name(self) -> str:
        """Such as ``SSSEEF06.name``."""
        return f"{self.file.name}.{self.field}"

    def is_done(self, stored: StoredFile) -> bool:
        """Whether the file holds exactly what this step writes."""
        if self.file.kind is FileKind.TRANSPARENT:
            return stored.content[self.place : self.place + len(self.data)] == self.data
        (record,) = simple_tlv.decode(self.data)
        return self.file.raw_values(stored.records).get(self.field) == record.value


@dataclass(frozen=True, repr=False)
class Plan:
    """How one blank card becomes one person's.

    Attributes:
        plan_id: random, 32 hexadecimal digits; it says nothing about card or person.
        atr: of the blank card that it is made for.
        profile: of the card's generation.
        content: what the card is to hold.
        steps: in the order in which they are done: EF06, EF05, photo, the rest.
    """

    plan_id: str
    atr: Atr
    profile: CardProfile
    content: CardContent
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return f"Plan({self.plan_id}, {len(self.steps)} steps)"

    @property
    def card_id(self) -> CardId:
        """The card identification code that the card is to have, or has already."""
        return CardId.parse(self.content.issuer.card_id)


def make_plan(
    atr: bytes,
    content: CardContent,
    *,
    plan_id: str | None = None,
    profiles: Profiles | None = None,
    random: Random = os.urandom,
) -> Plan:
    """Encode `content` strictly and put the steps in order. No card is needed.

    Args:
        atr: answer to reset of the blank card.
        content: what it is to hold.
        plan_id: of the plan that is made again from kept content, to resume it; None draws one.
        profiles: card profiles; None takes those that come with this package.
        random: source of the plan's identifier.

    Raises:
        IllegalContent: an item is missing, does not fit, would read back differently, or names
            another card than the ATR.
    """
    issuer, holder = content.issuer, content.holder
    for name in _NEEDED_OF_ISSUER:
        if not getattr(issuer, name):
            raise IllegalContent(f"{name} is missing")
    profile = _profile(profiles or shipped_profiles(), issuer)
    card = _card(atr, issuer)
    steps = (
        *_record_steps(profile.holder_file, _holder_values(profile.holder_file, holder)),
        *_record_steps(profile.issuer_file, _issuer_values(issuer)),
        *_photo_steps(profile, content.photo),
        *_further_steps(profile, content.items),
    )
    plan = Plan(plan_id or random(_PLAN_ID_SIZE).hex(), card, profile, content, steps)
    unlike = differences(plan, _stored(steps))
    if unlike:
        raise IllegalContent(f"{', '.join(unlike)} would read back differently")
    return plan


def differences(plan: Plan, stored: Mapping[str, StoredFile]) -> tuple[str, ...]:
    """Names of the items in which what a card holds is not what `plan` says: byte for byte, and
    as every reader understands it.

    Args:
        plan: the plan.
        stored: by file name; an absent file differs in every item.
    """
    content, profile = plan.content, plan.profile
    empty = StoredFile()
    unlike = [
        step.name for step in plan.steps if not step.is_done(stored.get(step.file.name, empty))
    ]
    for file, wanted in (
        (profile.issuer_file, content.issuer),
        (profile.holder_file, content.holder),
    ):
        unlike += _unlike(file, wanted, stored.get(file.name, empty))
    if content.photo is not None:
        file = profile.files[PHOTO_FILE]
        if file.decode_content(stored.get(file.name, empty).content) != content.photo:
            unlike.append(f"{file.name}.{file.items[0].field}")
    for name, values in content.items.items():
        found = profile.files[name].decode(stored.get(name, empty).records)
        unlike += [f"{name}.{key}" for key, value in values.items() if found[key] != value]
    return tuple(dict.fromkeys(unlike))


def _unlike(file: CardFile, wanted: Issuer | Holder, stored: StoredFile) -> Iterator[str]:
    """Items in which a file does not say what was wanted."""
    found: Issuer | Holder | None = None
    with contextlib.suppress(CardError):
        found = type(wanted).from_records(file, stored.records)
    for part in fields(wanted):
        # An unreadable item differs under its own name.
        if part.name != "unreadable" and (
            found is None or getattr(found, part.name) != getattr(wanted, part.name)
        ):
            yield f"{file.name}.{part.name}"


def _stored(steps: Iterable[Step]) -> Mapping[str, StoredFile]:
    """What a card holds after these steps."""
    stored: dict[str, StoredFile] = {}
    for step in steps:
        before = stored.get(step.file.name, StoredFile())
        if step.file.kind is FileKind.TRANSPARENT:
            after = replace(before, content=before.content + step.data)
        else:
            after = replace(before, records=before.records + simple_tlv.decode(step.data))
        stored[step.file.name] = after
    return stored


def _profile(profiles: Profiles, issuer: Issuer) -> CardProfile:
    try:
        return choose(profiles, issuer.version)
    except CardError:
        raise IllegalContent("no profile describes this version") from None


def _card(atr: bytes, issuer: Issuer) -> Atr:
    try:
        card, card_id = Atr.parse(atr), CardId.parse(issuer.card_id)
    except CardError as error:
        raise IllegalContent(str(error)) from None
    if not consistent(card, card_id):
        raise IllegalContent("card_id names another card than the ATR")
    return card


def _issuer_values(issuer: Issuer) -> Mapping[str, FieldValue]:
    return {
        "card_id": issuer.card_id,
        "card_class": issuer.card_class or None,
        "version": issuer.version,
        "organisation": issuer.organisation or None,
        "issued": issuer.issued,
        "expires": issuer.expires,
        "card_number": issuer.card_number,
    }


def _holder_values(file: CardFile, holder: Holder) -> Mapping[str, FieldValue]:
    sizes = {item.field: item.length or 0 for item in file.items}
    name, rest = _split_name(holder.name, sizes[_NAME])
    values: dict[str, FieldValue] = {
        "social_security_number": holder.social_security_number,
        _NAME: name,
        _NAME_EXTENSION: rest or None,
        "sex": holder.sex.value if holder.sex else None,
        "nation": holder.nation or None,
        "birthplace": holder.birthplace or None,
        "birth_date": holder.birth_date,
    }
    if rest and _NAME_EXTENSION not in sizes:
        raise IllegalContent("name does not fit")
    return {key: value for key, value in values.items() if key in sizes}


def _split_name(name: str, size: int) -> tuple[str, str]:
    """The name as it goes into its item and, from there on, the extension (姓名扩展).

    Cut is between characters, for readers that look at the first part alone, and never behind
    a blank, which would be taken for padding.
    """
    at = 0
    used = 0
    for end, character in enumerate(name, 1):
        used += len(character.encode(formats.ENCODING, errors="replace"))
        if used > size:
            break
        if end == len(name) or name[end - 1] != " ":
            at = end
    return name[:at], name[at:]


def _record_steps(file: CardFile, values: Mapping[str, FieldValue]) -> Iterator[Step]:
    """A step for each item that has a value; None makes it blank, unless the card may lack it."""
    if file.kind is not FileKind.RECORDS:
        raise IllegalContent(f"{file.name} has no item records")
    if values.keys() - {item.field for item in file.items}:
        raise IllegalContent(f"{file.name} has an item that is not declared")
    for item in file.items:
        if item.field not in values or (values[item.field] is None and item.optional):
            continue
        yield Step(file, item.field, item.record, _record(file, item, values[item.field]))


def _record(file: CardFile, item: Item, value: FieldValue) -> bytes:
    try:
        if value is None and item.tag is not None:
            return simple_tlv.encode([Record(item.tag, item.encode_value(None))])
        return simple_tlv.encode([item.encode(value)])
    except ValueError as error:
        # The encoders never repeat a value.
        raise IllegalContent(f"{file.name}.{item.field}: {error}") from None


def _photo_steps(profile: CardProfile, photo: bytes | None) -> Iterator[Step]:
    if photo is None:
        return
    file = profile.files.get(PHOTO_FILE)
    if file is None:
        raise IllegalContent("cards of this version hold no photo")
    try:
        parts = chunks(file, photo)
    except ValueError as error:
        raise IllegalContent(f"photo: {error}") from None
    for offset, part in parts:
        yield Step(file, file.items[0].field, offset, part)


def _further_steps(
    profile: CardProfile, items: Mapping[str, Mapping[str, FieldValue]]
) -> Iterator[Step]:
    """Steps in the order of the tree, so that each application is selected once."""
    known = {profile.issuer_file.name, profile.holder_file.name, PHOTO_FILE}
    if items.keys() - (profile.files.keys() - known):
        raise IllegalContent("items of a file that is not declared, or has a place of its own")
    for name, file in profile.files.items():
        if name in items:
            yield from _record_steps(file, items[name])
