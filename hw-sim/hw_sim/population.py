"""The demo province's people and the social security cards (社会保障卡) issued to them.

Everyone is generated from a seed, the same on every machine. The division code 429900 (江城市)
is unassigned, so no number here can be a real person's.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache

DIVISION = "429900"
SEED = 429900
SIZE = 200
DEMO_PIN = "123456"
"""Initial PIN of issuance (domain facts §3: 123456 for the third generation)."""

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡"
_GIVEN_MALE = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆志国建文武"
_GIVEN_FEMALE = "芳娜敏静丽娟艳霞秀玉兰萍红燕玲桂英梅莉雪琳洁莹慧佳婷欣怡月华"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class Sex(Enum):
    MALE = "1"
    FEMALE = "2"


class CardState(Enum):
    """卡状态 as the demo platform keeps it (domain facts §8.2, Zhejiang codes)."""

    SEALED = "0"
    NORMAL = "1"
    LOST = "2"
    LOCKED = "3"
    TEMPORARILY_LOST = "4"
    CANCELLED = "9"


@dataclass(frozen=True)
class IssuedCard:
    """What is printed on and written into one card.

    Attributes:
        version: EF05 tag 03, ``1.00``, ``2.00`` or ``3.00``.
        card_id: 卡识别码, 16 bytes: division BCD(3), RID(5), serial(4), check(4).
        card_number: 卡号, a letter and eight digits.
        serial: the 4 bytes that also end the ATR.
    """

    version: str
    card_id: bytes
    card_number: str
    serial: bytes
    issued: date
    expires: date
    state: CardState


@dataclass(frozen=True)
class Resident:
    """One demo person.

    Attributes:
        number: 社会保障号码, 18 characters, GB 11643 check character.
        nation: GB/T 3304 code, two digits.
        birthplace: six-digit division code.
    """

    index: int
    number: str
    name: str
    sex: Sex
    nation: str
    birthplace: str
    born: date
    card: IssuedCard


def check_character(first_17: str) -> str:
    """GB 11643-1999 (ISO 7064 MOD 11-2) check character of the first 17 digits."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


# The first people are the ones that the demo and the tests know by role; see cards/images.
_FIRST_CARDS: tuple[tuple[str, CardState], ...] = (
    ("3.00", CardState.NORMAL),
    ("2.00", CardState.NORMAL),
    ("1.00", CardState.NORMAL),
    ("3.00", CardState.LOST),
    ("3.00", CardState.CANCELLED),
    ("3.00", CardState.NORMAL),
    ("3.00", CardState.NORMAL),
)

# Whose card ran out and who never came for a new one.
_EXPIRED = 189


def _resident(index: int, rng: random.Random) -> Resident:
    born = date(rng.randint(1950, 2004), rng.randint(1, 12), rng.randint(1, 28))
    if index == 0:
        sex, name, born = Sex.FEMALE, "王秀芳", date(1978, 1, 16)
    else:
        sex = rng.choice((Sex.MALE, Sex.FEMALE))
        given = _GIVEN_MALE if sex is Sex.MALE else _GIVEN_FEMALE
        name = rng.choice(_SURNAMES) + "".join(rng.choices(given, k=rng.choice((1, 2, 2, 2))))
    order = 2 * (index % 450) + (1 if sex is Sex.MALE else 2)
    first_17 = f"{DIVISION}{born:%Y%m%d}{order:03d}"
    number = first_17 + check_character(first_17)
    if index < len(_FIRST_CARDS):
        version, state = _FIRST_CARDS[index]
    else:
        version = rng.choice(("2.00", "3.00", "3.00", "3.00"))
        state = CardState.NORMAL
    issued_year = 2013 if index == _EXPIRED else {"1": 2012, "2": 2018, "3": 2022}[version[0]]
    issued = date(issued_year, rng.randint(1, 12), rng.randint(1, 28))
    serial = bytes([0x01]) + rng.randbytes(3)
    card = IssuedCard(
        version=version,
        card_id=bytes.fromhex(DIVISION + "D156000005") + serial + b"\xff\xff\xff\xff",
        card_number=f"B{index + 1:08d}",
        serial=serial,
        issued=issued,
        expires=issued.replace(year=issued.year + (20 if version[0] == "1" else 10)),
        state=state,
    )
    return Resident(index, number, name, sex, "01", DIVISION, born, card)


@cache
def population(seed: int = SEED, size: int = SIZE) -> Sequence[Resident]:
    """The demo province's people, the same for the same seed."""
    rng = random.Random(seed)
    return tuple(_resident(index, rng) for index in range(size))
