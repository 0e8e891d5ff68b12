"""The person for whom blank cards are made: nobody, of the unassigned division 429900."""

from __future__ import annotations

from datetime import date

from apdu.holder import Holder, Issuer, Sex
from apdu.personalisation_plan import CardContent

PHOTO = b"\xff\xd8" + bytes(range(1, 251)) * 2 + b"\x00\xff\xd9"
"""As long as two commands; no picture, but it begins and ends like one."""
HOLDER = Holder(
    social_security_number="429900199203140026",
    name="欧阳·阿依古丽·买买提·吐尔逊江",
    sex=Sex.FEMALE,
    nation="05",
    birthplace="429900",
    birth_date=date(1992, 3, 14),
    unreadable=(),
)
_CARD_ID = "429900D156000005{serial}FFFFFFFF"


def content_for(atr: bytes) -> CardContent:
    """What the third-generation blank with this ATR is to hold."""
    issuer = Issuer(
        card_id=bytes.fromhex(_CARD_ID.format(serial=atr[-4:].hex())),
        card_class="3",
        version="3.00",
        organisation="915600000242990042990001",
        issued=date(2026, 11, 22),
        expires=date(2036, 11, 21),
        card_number="A99900071",
        region="429900",
        unreadable=(),
    )
    further = {"DF01EF06": {"telephone": "12900000007"}, "DF01EF0A": {"nationality": "CHN"}}
    return CardContent(issuer, HOLDER, PHOTO, further)
