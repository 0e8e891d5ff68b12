"""What goes wrong with the PIN pad, before a PIN and in the middle of one.

The terminal looks at a pad whose keys are silent every 3 seconds.
"""

from __future__ import annotations

from hw_sim.hall.steps import Expect, ExpectAlarm, Insert, Press, Sim, Stays, Visit
from hw_sim.hall.visits.moves import (
    LEAVE,
    LIMIT,
    PIN,
    TO_SLOT,
    fault,
    served,
    to_pin,
    visit,
)

_TYPING = (*to_pin("v3"), Press(PIN[:2]))
_TAMPERED = (
    Expect("failure.pad-tampered", LIMIT),
    ExpectAlarm(),
    # By who is allowed to; it is well at what it is asked next.
    fault("pad", "1:mended"),
    LEAVE,
)
_POWERED_ANEW = (Sim("pad", {"state": "unplugged"}), Sim("pad", {"state": "plugged"}))

PAD: tuple[Visit, ...] = (
    visit("pad opened before the PIN", TO_SLOT, fault("pad", "1:opened"), Insert("v3"), *_TAMPERED),
    served("served after the pad was mended", "v3"),
    visit("pad opened at the PIN", *_TYPING, fault("pad", "1:opened"), *_TAMPERED),
    served("served after the pad was mended again", "v3"),
    visit(
        "pad without power for a moment",
        *_TYPING,
        fault("pad", "1:power-cycle"),
        Stays("pin", 5.0),
        # It asks again, from the first digit.
        Press(PIN),
        Expect("overview"),
        LEAVE,
    ),
    visit(
        "pad stuck before the PIN",
        TO_SLOT,
        fault("pad", "1:stuck"),
        Insert("v3"),
        Expect("failure.pad-gone", LIMIT),
        ExpectAlarm(),
        *_POWERED_ANEW,
        LEAVE,
    ),
    visit(
        "pad stuck at the PIN",
        *_TYPING,
        fault("pad", "1:stuck"),
        Expect("failure.pad-gone", LIMIT),
        ExpectAlarm(),
        *_POWERED_ANEW,
        LEAVE,
    ),
    served("served after the pad was powered anew", "v3"),
)
