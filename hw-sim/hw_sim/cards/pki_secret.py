"""A secret that the terminal proves to know: a PIN or a master key, with its tries."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.application import Challenges
from hw_sim.cards.iso7816 import Command, SwError
from hw_sim.cards.keys import sm4_encrypt
from hw_sim.cards.memory import Memory
from hw_sim.cards.pki_crypto import command_mac, sm4_decrypt

MAC_WRONG = 0x6988
_BLOCK, _MAC = 16, 4


class Secret:
    """One secret; the proof is SM4(key, challenge), and replacing it needs the proof first.

    Args:
        name: begins its words in the memory.
        value: as issued.
        tries: wrong proofs until it is blocked.
        to_key: makes the SM4 key (16 bytes) of the value.
    """

    def __init__(
        self,
        memory: Memory,
        challenges: Challenges,
        *,
        name: str,
        value: bytes,
        tries: int,
        to_key: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._memory = memory
        self._challenges = challenges
        self._value = f"{name}.value"
        self._tries = f"{name}.tries"
        self._most = tries
        self._to_key = to_key
        self.proven = False
        memory.write(self._value, value)
        memory.write(self._tries, tries)
        memory.commit()

    @property
    def tries(self) -> int:
        """Proofs that may still fail."""
        return self._memory.count(self._tries)

    def prove(self, command: Command) -> bytes:
        """VERIFY or EXTERNAL AUTHENTICATE with 16 bytes: SM4(key, challenge).

        Spends the latest challenge, right or wrong. The try is spent, for good, before the
        comparison: a tear cannot save it.
        """
        if len(command.data) != _BLOCK:
            raise SwError(iso.WRONG_LENGTH)
        tries = self.tries
        if tries == 0:
            raise SwError(iso.BLOCKED)
        challenge = self._challenge()
        self.proven = False
        self._memory.write(self._tries, tries - 1)
        self._memory.commit()
        if not hmac.compare_digest(sm4_encrypt(self._key, challenge), command.data):
            raise iso.tries_left(tries - 1)
        self._memory.write(self._tries, self._most)
        self.proven = True
        return b""

    def unwrap(self, command: Command, blocks: int) -> bytes:
        """The text of a protected command: SM4 blocks and a MAC under this secret's key.

        A wrong MAC ends the proof; the latest challenge is spent, right or wrong.
        """
        if len(command.data) != blocks * _BLOCK + _MAC:
            raise SwError(iso.WRONG_LENGTH)
        if not self.proven:
            raise SwError(iso.SECURITY_STATUS)
        challenge = self._challenge()
        cipher, mac = command.data[:-_MAC], command.data[-_MAC:]
        header = bytes((command.cla, command.ins, command.p1, command.p2, len(command.data)))
        if not hmac.compare_digest(command_mac(self._key, challenge, header + cipher), mac):
            self.proven = False
            raise SwError(MAC_WRONG)
        return sm4_decrypt(self._key, cipher)

    def replace(self, value: bytes) -> None:
        """Takes a new value, with all its tries and nothing proven."""
        self._memory.write(self._value, value)
        self._memory.write(self._tries, self._most)
        self.proven = False

    @property
    def _key(self) -> bytes:
        return self._to_key(self._memory.read(self._value))

    def _challenge(self) -> bytes:
        """16 bytes; one of the two public programs takes 8 and fills up with zeros."""
        latest = self._challenges.latest
        length = 8 if latest is not None and len(latest) == 8 else _BLOCK
        return self._challenges.spend(length).ljust(_BLOCK, b"\x00")
