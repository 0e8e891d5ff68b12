"""What a card's files say: about its issuer (EF05) and about its holder (EF06)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from apdu import formats
from apdu.dictionary import CardFile, Fields
from apdu.errors import MalformedAnswer
from apdu.identity import CardId
from apdu.simple_tlv import Record

_NAME, _NAME_EXTENSION = "name", "name_extension"


class Sex(Enum):
    """性别, GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    UNSPECIFIED = "9"


@dataclass(frozen=True, repr=False)
class Issuer:
    """发卡机构数据 (EF05). Its repr shows nothing that names one card.

    Attributes:
        card_id: card identification code (卡识别码), 16 bytes.
        card_class: 卡的类别, for example ``3``; empty when blank.
        version: specification version as stored, for example ``3.00`` or ``2.0``.
        organisation: 初始化机构编号, up to 24 digits.
        issued, expires: None when blank or unreadable.
        card_number: 社会保障卡卡号, up to 9 characters.
        region: 发卡地区行政区划代码, 6 digits, from the card id.
        unreadable: names of the fields that are not of their format.
    """

    card_id: bytes
    card_class: str
    version: str
    organisation: str
    issued: date | None
    expires: date | None
    card_number: str
    region: str
    unreadable: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Issuer(version={self.version[:1]}, unreadable={self.unreadable})"

    @classmethod
    def from_records(cls, file: CardFile, records: Iterable[Record]) -> Issuer:
        """Read EF05's records.

        Raises:
            MalformedAnswer: the card id or the version is missing or unreadable; without them
                nothing else can be trusted.
        """
        fields = file.decode(records)
        card_id, version = fields["card_id"], fields["version"]
        if not isinstance(card_id, bytes) or not isinstance(version, str):
            raise MalformedAnswer("EF05 holds no card identification code or no version")
        return cls(
            card_id=card_id,
            card_class=_text(fields, "card_class"),
            version=version,
            organisation=_text(fields, "organisation"),
            issued=_date(fields, "issued"),
            expires=_date(fields, "expires"),
            card_number=_text(fields, "card_number"),
            region=CardId.parse(card_id).region,
            unreadable=_unreadable(fields),
        )


@dataclass(frozen=True, repr=False)
class Holder:
    """持卡人基本信息 (EF06). Its repr shows nothing of the person.

    Attributes:
        social_security_number: 社会保障号码, the citizen's number, 18 characters.
        name: 姓名 with its extension.
        sex: None when blank or foreign to GB/T 2261.1.
        nation: 民族 code of GB/T 3304, 2 digits, or empty.
        birthplace: division code of 出生地, 6 digits, or empty.
        birth_date: None when blank or unreadable.
        unreadable: names of the fields that are not of their format. An unreadable name still
            stands in `name`, with U+FFFD where bytes are broken.
    """

    social_security_number: str
    name: str
    sex: Sex | None
    nation: str
    birthplace: str
    birth_date: date | None
    unreadable: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Holder(unreadable={self.unreadable})"

    @classmethod
    def from_records(cls, file: CardFile, records: Iterable[Record]) -> Holder:
        """Read EF06's records.

        Raises:
            MalformedAnswer: there is no social security number or no name.
        """
        records = tuple(records)
        fields = file.decode(records)
        number = _text(fields, "social_security_number")
        name, unreadable = _text(fields, _NAME) + _text(fields, _NAME_EXTENSION), []
        if _unreadable(fields):
            # Both halves may look broken where one character is cut between them.
            unreadable = [field for field in _unreadable(fields) if field not in _NAME_FIELDS]
            name, name_is_broken = _whole_name(file.raw_values(records))
            if name_is_broken:
                unreadable.append(_NAME)
        if not number or not name:
            raise MalformedAnswer("EF06 holds no social security number or no name")
        sex = _sex(_text(fields, "sex"))
        if sex is None and fields["sex"] is not None and "sex" not in unreadable:
            unreadable.append("sex")
        return cls(
            social_security_number=number.upper(),
            name=name,
            sex=sex,
            nation=_text(fields, "nation"),
            birthplace=_text(fields, "birthplace"),
            birth_date=_date(fields, "birth_date"),
            unreadable=tuple(unreadable),
        )


_NAME_FIELDS = (_NAME, _NAME_EXTENSION)


def _whole_name(raw: Mapping[str, bytes]) -> tuple[str, bool]:
    """The name and its extension, joined as bytes, and whether bytes of it are broken."""
    joined = b"".join(formats.text_bytes(raw.get(field, b"")) for field in _NAME_FIELDS)
    try:
        return joined.decode(formats.ENCODING), False
    except UnicodeDecodeError:
        return joined.decode(formats.ENCODING, errors="replace"), True


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _date(fields: Fields, name: str) -> date | None:
    value = fields.get(name)
    return value if isinstance(value, date) else None


def _sex(code: str) -> Sex | None:
    try:
        return Sex(code)
    except ValueError:
        return None


def _unreadable(fields: Fields) -> tuple[str, ...]:
    unreadable = formats.Unreadable
    return tuple([name for name, value in fields.items() if isinstance(value, unreadable)])
