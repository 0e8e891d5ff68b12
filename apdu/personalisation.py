"""Personalisation of a blank card (个人化): steps, a journal to resume by, and the read-back.

Power may go or the card may be pulled at any command. Whoever keeps the journal resumes where it
ended, and `read_back` alone decides whether a card is good: it trusts no journal, only what the
card shows to a reader.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from apdu.authentication import Authentication, Diversification, Random
from apdu.channel import Channel
from apdu.custodian import Custodian
from apdu.dictionary import CardFile, FileKind
from apdu.errors import PersonalisationFailed, UnexpectedStatus, WrongCard
from apdu.fci import told_algorithm, untold_algorithm
from apdu.files import Files, StoredFile
from apdu.personalisation_plan import Plan, Step, differences
from apdu.selection import Selection, select_ssse
from apdu.status import Outcome, meaning
from apdu.trace import Sink
from apdu.transport import Transport

_BLANK = b"\x00\xff"


class AnotherPlan(ValueError):
    """The journal belongs to another plan; the card was not touched."""


@dataclass(frozen=True)
class Journal:
    """How far a plan was carried out. Holds nothing of card or person.

    Attributes:
        plan_id: of the plan.
        total: how many steps it has.
        confirmed: how many of them, from the first, the card has confirmed.
    """

    plan_id: str
    total: int
    confirmed: int


@dataclass(frozen=True)
class GoodCard:
    """A card that holds all of its plan. Only `read_back` makes one.

    Attributes:
        plan_id: of the plan.
        steps: how many steps were found to be done.
    """

    plan_id: str
    steps: int


def personalise(
    transport: Transport,
    plan: Plan,
    custodian: Custodian,
    keep: Callable[[Journal], None],
    *,
    journal: Journal | None = None,
    trace: Sink | None = None,
    random: Random = os.urandom,
) -> GoodCard:
    """Carry out `plan` from where `journal` ends, then read everything back.

    Args:
        transport: the card, powered.
        plan: made for this card; when it is resumed, made again from the same content and id.
        custodian: keeps the keys that write and read.
        keep: called after each confirmed step, before the next one: makes the journal durable
            and may show the progress.
        journal: the last one that was kept; None begins.
        trace: receives one redacted line for each command.
        random: source of our challenges.

    Raises:
        AnotherPlan: `journal` belongs to another plan.
        WrongCard: another card is in the reader; nothing was written.
        PersonalisationFailed: the card does not hold what it should: a spoiled blank.
        PsamUnavailable: the custodian cannot be asked or lacks a key.
        AuthenticationFailed: the card refused a cryptogram; final for this card session.
        CardError: see `apdu.errors`. What was confirmed stays so: resume with the last journal.
    """
    total = len(plan.steps)
    if journal is not None and (journal.plan_id, journal.total) != (plan.plan_id, total):
        raise AnotherPlan("the journal belongs to another plan")
    blank = _Blank(transport, plan, custodian, trace, random)
    found = blank.survey(journal)
    confirmed = 0 if journal is None else journal.confirmed
    for number, step in enumerate(plan.steps[confirmed:], confirmed + 1):
        stored = found.get(step.file.name)
        if stored is None or not step.is_done(stored):
            blank.write(step)
        keep(Journal(plan.plan_id, total, number))
    return read_back(transport, plan, custodian, trace=trace, random=random)


def read_back(
    transport: Transport,
    plan: Plan,
    custodian: Custodian,
    *,
    trace: Sink | None = None,
    random: Random = os.urandom,
) -> GoodCard:
    """Read the card anew and compare all of it with `plan`: region, number, card number, card id,
    name, version, dates, photo and every further item.

    Raises:
        WrongCard: another card is in the reader.
        PersonalisationFailed: it differs; the exception names the items.
        CardError: see `apdu.errors`. Then nothing is known about the card: read again.
    """
    card = _Blank(transport, plan, custodian, trace, random)
    files = {step.file.name: step.file for step in plan.steps}
    unlike = differences(plan, {name: card.read(file) for name, file in files.items()})
    if unlike:
        raise PersonalisationFailed(unlike)
    return GoodCard(plan.plan_id, len(plan.steps))


class _Blank:
    """A card that is known by its plan, because it may not say yet what it is."""

    def __init__(
        self,
        transport: Transport,
        plan: Plan,
        custodian: Custodian,
        trace: Sink | None,
        random: Random,
    ) -> None:
        if transport.atr != plan.atr.raw:
            raise WrongCard("the card in the reader is not the one that the plan is for")
        channel, region = Channel(transport, trace=trace), plan.card_id.region
        flag = told_algorithm(select_ssse(channel).data)
        found = Diversification(flag or untold_algorithm(region), plan.atr.card_factor, region)
        authentication = Authentication(channel, lambda: found, random)
        selection = Selection(channel, authentication)
        self._plan = plan
        self._custodian = custodian
        self._files = Files(channel, selection, authentication, lambda: plan.profile)

    def survey(self, journal: Journal | None) -> Mapping[str, StoredFile]:
        """Prove that this is the card of the plan and that it holds what the journal says.

        Returns:
            what was read, by file name: EF05, and of a plan that is resumed every file that was
            or may have been written.

        Raises:
            WrongCard: it holds another card identification code.
            PersonalisationFailed: it lost what it had confirmed.
            CardError: see `apdu.errors`.
        """
        issuer_file = self._plan.profile.issuer_file
        found = {issuer_file.name: self.read(issuer_file)}
        stored = issuer_file.raw_values(found[issuer_file.name].records).get("card_id", b"")
        if stored.strip(_BLANK) and stored != self._plan.card_id.raw:
            raise WrongCard("the card holds another identification code than the plan")
        if journal is None:
            return found
        steps = self._plan.steps[: journal.confirmed + 1]
        for step in steps:
            if step.file.name not in found:
                found[step.file.name] = self.read(step.file, size=_end(step.file, steps))
        lost = [
            step.name
            for step in steps[: journal.confirmed]
            if not step.is_done(found[step.file.name])
        ]
        if lost:
            raise PersonalisationFailed(tuple(dict.fromkeys(lost)))
        return found

    def read(self, file: CardFile, *, size: int | None = None) -> StoredFile:
        """What the file holds; nothing where it has no records yet."""
        try:
            return self._files.read(file, self._custodian, size=size)
        except UnexpectedStatus as error:
            if meaning(error.sw, error.command).outcome is not Outcome.NOT_FOUND:
                raise
            return StoredFile()

    def write(self, step: Step) -> None:
        """Do one step."""
        if step.file.kind is FileKind.TRANSPARENT:
            self._files.update_part(step.file, step.place, step.data, self._custodian)
        else:
            self._files.update_record(step.file, step.place, step.data, self._custodian)


def _end(file: CardFile, steps: Iterable[Step]) -> int:
    """How many bytes of a transparent file these steps write."""
    return max(step.place + len(step.data) for step in steps if step.file.name == file.name)
