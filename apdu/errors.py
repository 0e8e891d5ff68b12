"""What goes wrong between us and a card, named for what happened.

Three vocabularies are kept apart (DESIGN §8): PC/SC codes stay in `drivers.pcsc.codes`, status
words in `apdu.status`; these exceptions are the domain outcome that the rest of the house sees.
No message here ever carries card data.
"""

from __future__ import annotations


class CardError(Exception):
    """Base of everything that a card or its reader can do wrong."""


class CardAbsent(CardError):
    """There is no card in the reader."""


class CardRemoved(CardError):
    """The card was pulled while we were talking to it."""


class CardMute(CardError):
    """The card does not answer: no ATR, no response, or none within the deadline."""


class CardReset(CardError):
    """Somebody else reset the card; its security status is lost. Repeat the whole step."""


class ReaderGone(CardError):
    """The reader is unplugged or the smart card service is down."""


class ReaderBusy(CardError):
    """Another program holds the reader exclusively, or an earlier call never came back."""


class UnknownCard(CardError):
    """The card is healthy but is no social security card."""


class MalformedAnswer(CardError):
    """The card answered with bytes that the specification does not allow."""


class UnexpectedStatus(CardError):
    """The card refused a command.

    Attributes:
        sw: the status word, 0..0xFFFF.
        command: the instruction's name, for example ``READ RECORD``.
    """

    def __init__(self, command: str, sw: int) -> None:
        super().__init__(f"{command} answered {sw:04X}")
        self.command = command
        self.sw = sw


class PinRejected(CardError):
    """The PIN was wrong.

    Attributes:
        tries_left: how many tries the card still grants; 0 means that it is now blocked.
    """

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"PIN rejected, {tries_left} tries left")
        self.tries_left = tries_left


class PinBlocked(CardError):
    """The PIN is blocked (6983 or 63C0); only a reset at the counter helps."""


class AuthenticationFailed(CardError):
    """The card refused our cryptogram. Final for this card session: never retried (DESIGN §8).

    Attributes:
        sw: the status word; None where the card was not asked again.
    """

    def __init__(self, text: str, sw: int | None = None) -> None:
        super().__init__(text)
        self.sw = sw


class PsamUnavailable(CardError):
    """No PSAM answers, or it holds no such key."""


class ApplicationBlocked(CardError):
    """The card or its social security application is locked (6283, 6A81, 9303).

    Attributes:
        sw: the status word; None where it is not known.
    """

    def __init__(self, text: str, sw: int | None = None) -> None:
        super().__init__(text)
        self.sw = sw


class PinNeeded(CardError):
    """The card keeps a file closed (6982) until the holder's PIN is shown."""


class AccessNever(CardError):
    """Nobody may do this to the file; the card was not asked."""


class KeyMismatch(CardError):
    """A signature, certificate or public key is not that of the card's key pair, or it has none."""


class WrongCard(CardError):
    """Another card is in the reader than the one that was named; nothing was done to it."""


class PersonalisationFailed(CardError):
    """The card does not hold what was to be written: a spoiled blank, never to be given out.

    Attributes:
        items: names of the items that differ, such as ``EF06.name``; never their values.
    """

    def __init__(self, items: tuple[str, ...]) -> None:
        super().__init__(f"the card differs in {', '.join(items)}")
        self.items = items
