"""What the swept workflows (`tests.apdu.workflows`) do with files: read, write, personalise."""

from __future__ import annotations

from apdu import simple_tlv
from apdu.card import SocialSecurityCard
from apdu.custodian import FirstThatCan
from apdu.dictionary import CardFile
from apdu.files import StoredFile
from apdu.personalisation import GoodCard, personalise, read_back
from apdu.personalisation_plan import make_plan
from apdu.psam import PsamCustodian
from apdu.transport import Transport
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from hw_sim.population import DEMO_PIN
from tests.apdu.card_in_process import CountingRandom, insert
from tests.apdu.person import content_for


def open_card(card: Transport) -> SocialSecurityCard:
    """The same "random" bytes in each run."""
    return SocialSecurityCard.open(card, random=CountingRandom())


def _file(card: SocialSecurityCard, name: str) -> CardFile:
    card.issuer()
    return card.profile.files[name]


def read_file(card: Transport, psam: Transport) -> StoredFile:
    opened = open_card(card)
    return opened.read_file(_file(opened, "DF01EF06"), PsamCustodian(psam))


def is_what_the_card_holds(outcome: object) -> bool:
    card = make_card("v3")
    assert isinstance(outcome, StoredFile) and isinstance(card, SimulatedCard)
    words = card.memory.words()
    held = [words[f"DF01.EF06.{number}"] for number in range(1, len(outcome.records) + 1)]
    return simple_tlv.encode(outcome.records) == b"".join(held)


_KEY_UNKNOWN = "DF07"
"""How to show a key of this application to a card is not public."""
_ONE_PROVINCES = "SSSEEF0D"


def read_tree(card: Transport, psam: Transport) -> dict[str, StoredFile]:
    """Every file that PIN and keys open."""
    opened, custodian = open_card(card), PsamCustodian(psam)
    opened.verify_pin(bytearray(DEMO_PIN.encode()))
    opened.issuer()
    return {
        name: opened.read_file(file, custodian)
        for name, file in opened.profile.files.items()
        if file.application != _KEY_UNKNOWN and name != _ONE_PROVINCES
    }


def is_the_tree(outcome: object) -> bool:
    card = make_card("v3")
    assert isinstance(outcome, dict) and isinstance(card, SimulatedCard)
    words = card.memory.words()
    photo, entries = words["SSSE.EF08.bytes"], (words["DF04.EF08.1"],)
    return (outcome["SSSEEF08"].content, outcome["DF04EF08"].entries) == (photo, entries)


_NUMBER = "12900000007"


def write_item(card: Transport, psam: Transport) -> str:
    opened = open_card(card)
    file = _file(opened, "DF01EF06")
    (item,) = [item for item in file.items if item.field == "telephone"]
    opened.files.write_item(file, item, _NUMBER, PsamCustodian(psam))
    return "written"


def has_the_number(card: Transport) -> bool:
    opened = open_card(card)
    opened.verify_pin(bytearray(DEMO_PIN.encode()))
    file = _file(opened, "DF01EF06")
    stored = opened.read_file(file, FirstThatCan([]))
    return file.decode(stored.records)["telephone"] == _NUMBER


def personalise_blank(card: Transport, psam: Transport) -> GoodCard:
    """From its beginning: without a journal what is there already is not written again."""
    plan = make_plan(card.atr, content_for(card.atr), plan_id="ab" * 16)
    return personalise(
        card, plan, PsamCustodian(psam), lambda _journal: None, random=CountingRandom()
    )


def is_good(card: Transport) -> bool:
    plan = make_plan(card.atr, content_for(card.atr), plan_id="ab" * 16)
    return bool(read_back(card, plan, PsamCustodian(insert("psam"))))
