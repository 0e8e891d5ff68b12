"""What each simulated card answers to each way of reading it, recorded: nobody's name or number is
in it."""

from __future__ import annotations

import contextlib

from apdu.custodian import AuthenticationRequest, ProtectionRequest
from apdu.errors import CardError
from apdu.psam import PsamCustodian
from apdu.recording.recorder import RecordingTransport
from apdu.recording.stand_ins import StandIns
from apdu.recording.transcript import Exchange, Redacted
from hw_sim.cards.catalogue import make_card
from tests.apdu.card_in_process import CardInProcess
from tests.fuzz.hostile_card import PROOF, WAYS, Way, chunk

CARDS = ("v1", "v2", "v3", "bank", "pki", "damaged", "blocked", "blank")


class _Psam:
    """The PSAM of the cards' city, which leaves out what the fuzzer's custodian leaves out."""

    def __init__(self) -> None:
        self._inner = PsamCustodian(CardInProcess(make_card("psam")))

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        return None if request.key.name.startswith(PROOF) else self._inner.cryptogram(request)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        return self._inner.protect(request)


def seed(card: str, way: Way) -> bytes:
    """The chunks that replay what `card` answered."""
    recorder = RecordingTransport(CardInProcess(make_card(card)), StandIns(bytes(16)))
    with contextlib.suppress(CardError):
        way(recorder, _Psam())
    recorded = recorder.transcript
    answers = [
        event.answer.filled
        for event in recorded.events
        if isinstance(event, Exchange) and isinstance(event.answer, Redacted)
    ]
    return b"".join(chunk(answer) for answer in (recorded.atr.filled, *answers))


def card() -> dict[str, bytes]:
    """Each card read in each way, those left out that would answer the same as one before."""
    found: dict[str, bytes] = {}
    for each in CARDS:
        for name, way in WAYS.items():
            answered = seed(each, way)
            if answered not in found.values():
                found[f"{each}-{name}"] = answered
    return found
