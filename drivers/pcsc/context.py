"""PC/SC contexts: one a thread, kept, because making one costs as much as several APDUs."""

from __future__ import annotations

import threading

from apdu.errors import ReaderGone
from drivers.pcsc import scard as pcsc
from drivers.pcsc.codes import SERVICE_GONE, Code, name_of, unsigned


class Contexts:
    """The context of the calling thread, made when first asked for.

    A context dies with the service and never comes back to life: `distrust` it after a code that
    says so, and the next one asked for is new.
    """

    def __init__(self, scard: pcsc.Scard) -> None:
        self._scard = scard
        self._mine = threading.local()

    def get(self) -> int:
        """The thread's context.

        Raises:
            ReaderGone: there is no smart card service.
        """
        context: int | None = getattr(self._mine, "context", None)
        if context is None:
            code, context = self._scard.SCardEstablishContext(pcsc.SCOPE_USER)
            if code != Code.S_SUCCESS:
                raise ReaderGone(f"SCardEstablishContext: {name_of(code)}")
            self._mine.context = context
        return context

    def distrust(self, code: int, used: int) -> bool:
        """Forget the thread's context when the code says that its service is gone.

        Args:
            code: what a call answered.
            used: the context of that call; an old connection's trouble is not the new context's.

        Returns:
            True when the context was forgotten: the call may be worth another try.
        """
        context: int | None = getattr(self._mine, "context", None)
        if context != used or unsigned(code) not in SERVICE_GONE:
            return False
        self._mine.context = None
        self._scard.SCardReleaseContext(context)
        return True
