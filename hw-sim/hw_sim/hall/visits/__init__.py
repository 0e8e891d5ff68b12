"""The visits that the autopilot walks: one of every kind that a hall sees, and what goes wrong."""

from __future__ import annotations

from hw_sim.hall.steps import Visit
from hw_sim.hall.visits.by_card import BY_CARD
from hw_sim.hall.visits.by_ecard import BY_ECARD
from hw_sim.hall.visits.by_id_card import BY_ID_CARD
from hw_sim.hall.visits.certificates import CERTIFICATES
from hw_sim.hall.visits.dispenser import DISPENSER_VISITS
from hw_sim.hall.visits.pad import PAD
from hw_sim.hall.visits.printer import PRINTER

VISITS: tuple[Visit, ...] = (
    *BY_CARD,
    *DISPENSER_VISITS,
    *PAD,
    *BY_ECARD,
    *BY_ID_CARD,
    *CERTIFICATES,
    *PRINTER,
)
"""In the order of the walk."""
