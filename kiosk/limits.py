"""Every delay and limit of the terminal in one place (DESIGN §8)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from kiosk.toml_tables import Table


@dataclass(frozen=True)
class Limits:
    """Every delay and limit of the terminal, in seconds unless the name says otherwise.

    Defaults follow WCAG 2.2.1 or are our assumption (mark I); tests shrink them.
    """

    idle_seconds: float = 60
    """Nobody touches anything: then the warning."""
    warning_seconds: float = 20
    """Length of the warning; WCAG asks for at least 20."""
    sensitive_seconds: float = 30
    """Instead of `idle_seconds` where personal data is shown."""
    pin_seconds: float = 30
    """For each key of the PIN."""
    visit_cap_seconds: float = 900
    """No visit is longer."""
    notice_seconds: float = 12
    """A notice or farewell stays this long."""
    help_seconds: float = 20
    """The box that tells where help is stays this long."""
    reveal_seconds: float = 10
    """A full name and number stay this long on the screen (DESIGN §10)."""
    attract_seconds: float = 60
    """The untouched menu gives way to the idle screen."""
    card_offer_seconds: float = 30
    """A dispenser holds a card so long at its gate, then keeps it."""
    take_card_alarm: float = 120
    """A card left in the slot so long after the visit raises an alarm."""
    card_deadline: float = 8
    """One whole card read."""
    platform_deadline: float = 6
    """One request, its retries included."""
    platform_connect: float = 2
    platform_retry: float = 15
    """Between two looks whether the platform is back."""
    device_retry: float = 3
    """Between two tries to reach a device that went away."""
    compose_deadline: float = 15
    """Laying out one document; the first one of a start takes longest."""
    print_deadline: float = 180
    """One whole print, waiting for paper included."""
    take_sheet_seconds: float = 15
    """The farewell to a printed sheet stays this long."""
    slip_deadline: float = 15
    """One slip, from the touch to the cut."""
    rating_seconds: float = 15
    """So long a resident is asked for an evaluation, who need not give one."""
    refused_seconds: float = 120
    """The platform does not accept this terminal: so long nothing of that lane is sent."""
    ship_seconds: float = 60
    """Between two looks for new lines of the audit log."""
    failsafe_repeats: int = 3
    """So many failsafes in a row put the terminal out of service."""
    code_tries: int = 5
    """So many codes that are no e-card's, and the visit ends."""
    free_bytes: int = 200_000_000
    """Less free space than this in the state directory: no service."""


def read_limits(table: Table) -> Limits:
    """The defaults, changed by what the table names. Raises the table's error."""
    values: dict[str, float] = {}
    for entry in dataclasses.fields(Limits):
        if entry.name not in table:
            continue
        if isinstance(entry.default, int) and entry.type == "int":
            values[entry.name] = table.integer(entry.name, 0, 10**15)
        else:
            values[entry.name] = table.number(entry.name, 0.01, 86_400)
    if len(values) != len(table):
        known = ", ".join(entry.name for entry in dataclasses.fields(Limits))
        strange = next(key for key in table if key not in values)
        raise table.problem(strange, f"unknown key (known here: {known})")
    return dataclasses.replace(Limits(), **values)  # type: ignore[arg-type]
