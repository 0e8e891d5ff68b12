"""卡认证 and 卡鉴权: the card proves itself to us (internal), we prove ourselves to the card
(external authentication, by any key of the key table).

A challenge is good for one attempt, and a refused cryptogram is the end: the card counts wrong
keys and locks itself, so nothing here is ever tried twice.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import NamedTuple

from apdu import commands
from apdu.channel import Channel
from apdu.custodian import Algorithm, AuthenticationRequest, Custodian, KeyReference
from apdu.errors import AuthenticationFailed, MalformedAnswer, PsamUnavailable
from apdu.response import Response
from apdu.status import raise_for

CHALLENGE_SIZE = 8
_GET_CHALLENGE = commands.get_challenge(CHALLENGE_SIZE)
Random = Callable[[int], bytes]
"""Gives so many random bytes; `os.urandom` outside tests."""


class Diversification(NamedTuple):
    """What leads from a root key to this card's own (分散因子).

    Attributes:
        algorithm: the card's.
        card_factor: F_card, the last 8 bytes of the ATR.
        region: 6 digits of the card identification code, for F_city and F_prov.
    """

    algorithm: Algorithm
    card_factor: bytes
    region: str

    def __repr__(self) -> str:
        return f"Diversification({self.algorithm.name})"


class Challenges(NamedTuple):
    """The two challenges of an authentication whose result comes from far away (two steps).

    Attributes:
        original: 原始信息, the first one: the data that the HSM encrypts.
        factor: 过程因子, the latest one, from which the card makes its process key.
    """

    original: bytes
    factor: bytes


class Authentication:
    """The authentications of one card session.

    Args:
        channel: the card, with an application selected.
        diversification: called when it is first needed; it may read the card.
        random: source of our challenges.
    """

    def __init__(
        self, channel: Channel, diversification: Callable[[], Diversification], random: Random
    ) -> None:
        self._channel = channel
        self._diversification = diversification
        self._random = random
        self._opened_by: str | None = None
        self._refused = False

    def prove_genuine(self, custodian: Custodian, key: KeyReference) -> bool | None:
        """卡认证: the card computes over fresh random bytes, the custodian recomputes.

        Returns:
            True only when both results are equal; False when they differ or the card refuses;
            None when the custodian cannot tell. Then the card is not asked.

        Raises:
            PsamUnavailable: the custodian cannot be asked.
            AuthenticationFailed: the card has refused a cryptogram in this session.
            CardError: see `apdu.errors`.
        """
        self._still_trusted()
        factor, data = self._random(CHALLENGE_SIZE), self._random(CHALLENGE_SIZE)
        expected = custodian.cryptogram(self._request(key, factor, data))
        if expected is None:
            return None
        return self.answers_with(expected, factor, data)

    def answers_with(self, expected: bytes, factor: bytes, data: bytes) -> bool:
        """Whether the card's internal authentication over `factor` and `data`, 8 bytes each,
        gives `expected`; for a result that was computed elsewhere. Raises as `prove_genuine`."""
        proof = self.proof(factor, data)
        return proof is not None and hmac.compare_digest(proof, expected)

    def proof(self, factor: bytes, data: bytes) -> bytes | None:
        """What the card computes over `factor` and `data`, 8 bytes each, in its internal
        authentication, for a result that comes later from elsewhere; None when it refuses.
        Raises as `prove_genuine`."""
        self._still_trusted()
        answer = self._channel.send(commands.internal_authenticate(factor, data))
        return answer.data if answer.ok else None

    def authenticate(self, custodian: Custodian, key: KeyReference) -> None:
        """卡鉴权: gain the rights of `key`; nothing is sent while the card holds them already.

        Raises:
            PsamUnavailable: the custodian cannot be asked or lacks the key.
            AuthenticationFailed: the card refused the cryptogram, now or earlier in this session.
            ValueError: `key` is none for external authentication.
            CardError: see `apdu.errors`.
        """
        # Whether a card keeps the rights of one key when another one is shown is not public
        # (mark I): only the latest is relied on.
        if key.name == self._opened_by:
            return
        key_id = _key_id(key)
        factor = self.challenge()
        data = self._random(CHALLENGE_SIZE)
        cryptogram = custodian.cryptogram(self._request(key, factor, data))
        if cryptogram is None:
            raise PsamUnavailable(f"nobody holds the key {key.name}")
        self._show(key.name, key_id, cryptogram, data)

    def challenges(self) -> Challenges:
        """Two challenges for a custodian who answers in a second step; the card works with the
        latest. `present` takes what comes back.

        Raises:
            AuthenticationFailed: the card has refused a cryptogram in this session.
            CardError: see `apdu.errors`.
        """
        original = self.challenge()
        return Challenges(original, self.challenge())

    def present(self, key: KeyReference, cryptogram: bytes, original: bytes) -> None:
        """External authentication with a result that was computed elsewhere over `original`;
        8 bytes each. Raises as `authenticate`; a challenge that is missing or used up makes the
        card answer 6984 (UnexpectedStatus)."""
        self._still_trusted()
        self._show(key.name, _key_id(key), cryptogram, original)

    def challenge(self) -> bytes:
        """A fresh challenge of the card, 8 bytes, good for one attempt.

        Raises:
            AuthenticationFailed: the card has refused a cryptogram in this session.
            MalformedAnswer: it does not have 8 bytes.
            CardError: see `apdu.errors`.
        """
        self._still_trusted()
        answer = raise_for("GET CHALLENGE", self._channel.send(_GET_CHALLENGE))
        if len(answer.data) != CHALLENGE_SIZE:
            raise MalformedAnswer("a challenge that does not have 8 bytes")
        return answer.data

    def diversification(self) -> Diversification:
        """What a custodian needs to find this card's keys. Raises as reading the card does."""
        return self._diversification()

    def forget(self) -> None:
        """Another application was selected: the card has dropped the rights of every key."""
        self._opened_by = None

    def accepted(self, command: str, response: Response) -> Response:
        """`response` when the card took our cryptogram or MAC; a refusal ends the session.

        Raises:
            AuthenticationFailed: it was refused. Nothing is authenticated in this session again.
            CardError: see `apdu.errors`.
        """
        try:
            return raise_for(command, response)
        except AuthenticationFailed:
            self._refused = True
            self._opened_by = None
            raise

    def _show(self, name: str, key_id: int, cryptogram: bytes, data: bytes) -> None:
        self._opened_by = None
        command = commands.external_authenticate(key_id, cryptogram, data)
        self.accepted("EXTERNAL AUTHENTICATE", self._channel.send(command))
        self._opened_by = name

    def _still_trusted(self) -> None:
        if self._refused:
            raise AuthenticationFailed("the card has refused our key in this session")

    def _request(self, key: KeyReference, challenge: bytes, data: bytes) -> AuthenticationRequest:
        found = self._diversification()
        return AuthenticationRequest(
            found.algorithm, key, found.card_factor, found.region, challenge, data
        )


def _key_id(key: KeyReference) -> int:
    if key.key_id is None:
        raise ValueError(f"{key.name} is no key for external authentication")
    return key.key_id
