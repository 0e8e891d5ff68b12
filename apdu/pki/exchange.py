"""Single commands of the PKI application, as its profile declares them."""

from __future__ import annotations

from apdu.binary import read_content
from apdu.channel import Channel, wipe
from apdu.command import Command
from apdu.commands import (
    READ_SELECTED,
    Ins,
    get_challenge,
    select_by_fid,
    select_by_name,
    update_binary,
)
from apdu.errors import MalformedAnswer, UnknownCard
from apdu.pki import proofs
from apdu.pki.profile import PkiProfile, Step
from apdu.response import Response
from apdu.status import Outcome, meaning, raise_for


class PkiExchange:
    """Commands to one card, each sent once; whatever it refuses is raised (see `apdu.status`)."""

    def __init__(self, channel: Channel, profile: PkiProfile) -> None:
        self._channel = channel
        self._profile = profile

    def enter_directory(self) -> None:
        """Select the DDF. What PINs and keys allowed is over.

        Raises:
            UnknownCard: there is none on the card.
            ApplicationBlocked: it, or the card, is locked.
        """
        self._channel.send(select_by_fid(self._profile.master_file))
        self._select(self._profile.directory)

    def enter_application(self) -> None:
        """Select the DDF and the ADF below it; as `enter_directory`."""
        self.enter_directory()
        self._select(self._profile.application)

    def do(
        self,
        step: Step,
        data: bytes | bytearray = b"",
        *,
        ne: int | None = None,
        size: int = 0,
    ) -> Response:
        """One of the application's own commands.

        Args:
            step: tells header and name.
            data: a `bytearray` is not copied.
            ne: as in `Command`.
            size: bytes that the answer must have.
        """
        form = self._profile.commands[step]
        cla, ins, p1, p2 = form.header
        answer = raise_for(form.label, self._channel.send(Command(cla, ins, p1, p2, data, ne)))
        if len(answer.data) != size:
            raise MalformedAnswer(f"{form.label} answered {len(answer.data)} bytes, not {size}")
        return answer

    def prove(self, step: Step, key: bytearray) -> None:
        """Show the card by a fresh challenge that we have its key (16 bytes)."""
        proof = proofs.proof(key, self._challenge())
        try:
            self.do(step, proof)
        finally:
            wipe(proof)

    def replace(self, step: Step, key: bytearray, block: bytearray) -> None:
        """Give the card a new secret under the old one's key, which it has just been shown."""
        challenge = self._challenge()
        data = proofs.protect(key, challenge, self._profile.commands[step].header, block)
        try:
            self.do(step, data)
        finally:
            wipe(data)

    def read(self, fid: int, size: int) -> bytes:
        """Up to `size` bytes of a transparent file; fewer only where it ends."""
        self.open_file(fid)
        return read_content(self._channel, size)

    def read_on(self, offset: int, size: int) -> bytes:
        """The same of the file that is open, from `offset` on."""
        return read_content(self._channel, size, offset=offset)

    def open_file(self, fid: int) -> None:
        """Select a file of the application."""
        raise_for(Ins.SELECT.label, self._channel.send(select_by_fid(fid)))

    def write(self, offset: int, piece: bytes) -> None:
        """1..255 bytes of the file that is open."""
        command = update_binary(READ_SELECTED, offset, piece)
        raise_for(Ins.UPDATE_BINARY.label, self._channel.send(command))

    def _select(self, name: bytes) -> None:
        answer = self._channel.send(select_by_name(name))
        if meaning(answer.sw, Ins.SELECT.label).outcome is Outcome.NOT_FOUND:
            raise UnknownCard("a card without PKI application")
        raise_for(Ins.SELECT.label, answer)

    def _challenge(self) -> bytes:
        size = self._profile.challenge
        answer = raise_for(Ins.GET_CHALLENGE.label, self._channel.send(get_challenge(size)))
        if len(answer.data) != size:
            raise MalformedAnswer(f"a challenge of {len(answer.data)} bytes")
        return answer.data


def file_reference(tag: int, fid: int) -> bytes:
    """A data object that names a file."""
    return bytes((tag, 2)) + fid.to_bytes(2, "big")
