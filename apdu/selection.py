"""Which application and file of the card is selected, and what a new selection costs.

Selecting another application drops the rights of every key on the card; the PIN stays shown (mark
I). Nothing is selected twice.
"""

from __future__ import annotations

from collections.abc import Collection

from apdu.authentication import Authentication
from apdu.channel import Channel
from apdu.commands import Select, select_by_fid, select_by_name
from apdu.dictionary import Application, CardFile
from apdu.errors import UnknownCard
from apdu.redaction import SSSE_NAME
from apdu.response import Response
from apdu.status import Outcome, meaning, raise_for

_MASTER_FILE = 0x3F00
_SELECT_SSSE = select_by_name(SSSE_NAME)
_COMMAND = "SELECT"


def select_ssse(channel: Channel, *, accept: Collection[int] = ()) -> Response:
    """Select the application SSSE and return its FCI.

    Some makers' cards insist on the master file first; its own status word means nothing.

    Args:
        channel: the card.
        accept: further status words that the caller deals with itself.

    Raises:
        UnknownCard: there is no such application on the card.
        ApplicationBlocked: it, or the card, is locked.
        CardError: see `apdu.errors`.
    """
    response = channel.send(_SELECT_SSSE)
    if _is_refusal(response):
        channel.send(select_by_fid(_MASTER_FILE))
        response = channel.send(_SELECT_SSSE)
    if _is_refusal(response):
        raise UnknownCard(f"SELECT answered {response.sw:04X}")
    return raise_for(_COMMAND, response, accept=accept)


class Selection:
    """What is selected on one card.

    Args:
        channel: the card, with SSSE selected.
        authentication: is told when the keys' rights are gone.
    """

    def __init__(self, channel: Channel, authentication: Authentication) -> None:
        self._channel = channel
        self._authentication = authentication
        self._application: bytes | None = SSSE_NAME
        self._file: str | None = None

    def enter(self, application: Application) -> None:
        """Select an application, by its name or else by its identifier.

        Raises:
            UnexpectedStatus: the card has no such application.
            ApplicationBlocked: it, or the card, is locked.
            CardError: see `apdu.errors`.
        """
        if application.aid == self._application:
            return
        self._application = self._file = None
        self._authentication.forget()
        if application.aid == SSSE_NAME:
            select_ssse(self._channel)
        else:
            response = self._channel.send(select_by_name(application.aid))
            if _is_refusal(response):
                response = self._channel.send(select_by_fid(application.fid))
            raise_for(_COMMAND, response)
        self._application = application.aid

    def open_file(self, file: CardFile) -> None:
        """Select a file of the current application; cards take one P1 or the other.

        Raises:
            UnexpectedStatus: the application has no such file.
            CardError: see `apdu.errors`.
        """
        if file.name == self._file:
            return
        self._file = None
        response = self._channel.send(select_by_fid(file.fid, Select.FILE_HERE))
        if _is_refusal(response):
            response = self._channel.send(select_by_fid(file.fid, Select.ANY))
        raise_for(_COMMAND, response)
        self._file = file.name

    def move_file(self) -> None:
        """A command with a short file identifier is sent: it selects the file that it names."""
        self._file = None


def _is_refusal(response: Response) -> bool:
    if response.ok:
        return False
    outcome = meaning(response.sw, _COMMAND).outcome
    return outcome in (Outcome.NOT_FOUND, Outcome.REFUSED, Outcome.UNKNOWN)
