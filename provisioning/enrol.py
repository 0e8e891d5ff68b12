"""Enrols a bare machine at its platform (终端登记), in an order that survives a kill at any point.

1. The key pair is made and stored: whole, mode 0600, fsynced. It counts for nothing yet.
2. The platform binds it to the one-time code; the same code with the same key is answered alike.
3. The answer is stored as the enrolment record. Only with it does the terminal have an identity.

Broken off after any step, the same command with the same code goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apdu.crypto import sm2, sm3
from kiosk.keys import Enrolment, KeyStore
from kiosk.platform.enrolment import EnrolmentAnswer, request_enrolment
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.exchange import Exchange

Ask = Callable[[str, str, str, sm2.PublicKey], EnrolmentAnswer]
"""Code, serial, division, public key -> the platform's answer."""


@dataclass(frozen=True)
class Place:
    """Where the terminal stands.

    Attributes:
        division: 行政区划代码, six digits.
        machine: the number painted on the machine, 1..9999.
        platform_url: the platform that it belongs to.
    """

    division: str
    machine: int
    platform_url: str

    @property
    def serial(self) -> str:
        """What the platform knows the machine by before it has an id, for example 429900-0003."""
        return f"{self.division}-{self.machine:04d}"


def ask_platform(exchange: Exchange) -> Ask:
    """Ask over the line."""

    def ask(code: str, serial: str, division: str, public_key: sm2.PublicKey) -> EnrolmentAnswer:
        return request_enrolment(
            exchange, code=code, serial=serial, division=division, public_key=public_key
        )

    return ask


def enrol(store: KeyStore, place: Place, code: str, ask: Ask) -> Enrolment:
    """Give this machine its identity; an earlier one is replaced once the platform has agreed.

    The caller holds the state directory's lock.

    Raises:
        kiosk.keys.KeyStoreError: the keys folder cannot be trusted.
        apdu.crypto.errors.BackendRefused: this machine cannot make SM2 keys.
        kiosk.platform.errors.PlatformError: the platform refused, or nobody answered.
    """
    public_key = store.prepare()
    answer = ask(code, place.serial, place.division, public_key)
    enrolment = Enrolment(
        terminal_id=answer.terminal_id,
        division=place.division,
        platform_url=place.platform_url,
        platform_key=answer.platform_key,
        enrolled_at=answer.server_time,
        encryption_key=answer.encryption_key,
    )
    try:
        store.enrol(enrolment)
        malformed = False
    except ValueError:
        malformed = True
    if malformed:
        raise PlatformAnswerMalformed("terminal_id", "is no terminal id")
    return enrolment


def fingerprint(key: sm2.PublicKey) -> str:
    """The first 16 bytes of SM3 over X‖Y in groups of four hex digits, to be compared by eye."""
    digits = sm3.digest(key.xy)[:16].hex().upper()
    return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
