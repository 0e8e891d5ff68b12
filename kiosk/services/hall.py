"""The root of every visit: the menu, then what was chosen, then perhaps the menu again."""

from __future__ import annotations

from kiosk.pack import Group, Item
from kiosk.pages import GroupPage, HomePage
from kiosk.services import SERVICES
from kiosk.session import Session
from kiosk.steps import Back, Choose, Flow, Option

Entry = Item | Group


def entry_id(entry: Entry) -> str:
    """The id on the screen of an entry of the menu."""
    return f"item.{entry.code}" if isinstance(entry, Item) else f"group.{entry.id}"


def hall(session: Session) -> Flow[None]:
    """Choose from the home menu until the resident is done (S5 6.1.3: at most three levels).

    A resident whose card is in the slot may go back to the menu and stays known; one who showed an
    e-card may have walked away, so the way back ends the visit.
    """
    menu = session.station.pack.menu
    first = () if menu.first is None else (menu.first,)
    home = Choose(HomePage(menu.first, menu.entries), _options((*first, *menu.entries)))
    while True:
        try:
            item = yield from _choose_item(home)
            session.record("service.begun", item=item.code)
            session.needed = item.legs
            yield from SERVICES[item.service].flow(session)
        except Back:
            if session.holds_card or session.identity.resident is None:
                continue
            # Nothing in the slot says whose menu this would be.
        return


def _choose_item(step: Choose[Entry]) -> Flow[Item]:
    """Go down through groups to an item; the way back leads home."""
    while True:
        entry = yield from step
        if isinstance(entry, Item):
            return entry
        step = Choose(GroupPage(entry), _options(entry.entries))


def _options(entries: tuple[Entry, ...]) -> tuple[Option[Entry], ...]:
    return tuple(Option(entry_id(entry), entry) for entry in entries)
