"""The transparent files of the PKI application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.iso7816 import Command, SwError
from hw_sim.cards.memory import Memory
from hw_sim.cards.pki_image import PkiFile, Right

NO_SPACE = 0x6A84


class Rights:
    """What the session has proven.

    Args:
        user: whether the user PIN is proven.
        admin: whether the admin PIN is.
    """

    def __init__(self, user: Callable[[], bool], admin: Callable[[], bool]) -> None:
        self._user = user
        self._admin = admin

    def need(self, right: Right) -> None:
        """Raises SwError(6982): the session has not this right."""
        if not self._holds(right):
            raise SwError(iso.SECURITY_STATUS)

    def _holds(self, right: Right) -> bool:
        match right:
            case Right.FREE:
                return True
            case Right.USER:
                return self._user()
            case Right.ADMIN:
                return self._admin()
            case Right.NEVER:
                return False
            case _:
                assert_never(right)


class TransparentFiles:
    """Files of fixed sizes; what was never written reads as zeros.

    Args:
        name: begins their words in the memory.
    """

    def __init__(
        self, memory: Memory, rights: Rights, layouts: Mapping[int, PkiFile], *, name: str
    ) -> None:
        self._memory = memory
        self._rights = rights
        self._layouts = layouts
        self._name = name
        self._current: PkiFile | None = None

    def drop_selection(self) -> None:
        self._current = None

    def written(self, fid: int) -> bool:
        """Whether anything was ever put into the file."""
        return self._word(fid) in self._memory

    def content(self, fid: int) -> bytes:
        """All its bytes, whoever may read them."""
        size = self._layouts[fid].size
        return self._memory.read(self._word(fid)) if self.written(fid) else bytes(size)

    def put(self, fid: int, content: bytes) -> None:
        """Fills a file, whoever may write it. Raises ValueError: not its size."""
        if len(content) != self._layouts[fid].size:
            raise ValueError(f"file {fid:04X} has another size")
        self._memory.write(self._word(fid), content)

    def select(self, command: Command) -> bytes:
        """SELECT by identifier."""
        self._current = self._layout(int.from_bytes(command.data, "big"))
        return b""

    def read_binary(self, command: Command) -> bytes:
        """From the offset on, as much as there is."""
        if command.data:
            raise SwError(iso.WRONG_LENGTH)
        layout, offset = self._addressed(command)
        self._rights.need(layout.read)
        if offset >= layout.size:
            raise SwError(iso.WRONG_OFFSET)
        rest = self.content(layout.fid)[offset:]
        return rest[: command.ne] if command.ne is not None else rest

    def update_binary(self, command: Command) -> bytes:
        if not command.data:
            raise SwError(iso.WRONG_LENGTH)
        layout, offset = self._addressed(command)
        self._rights.need(layout.write)
        end = offset + len(command.data)
        if offset >= layout.size:
            raise SwError(iso.WRONG_OFFSET)
        if end > layout.size:
            raise SwError(NO_SPACE)
        old = self.content(layout.fid)
        self.put(layout.fid, old[:offset] + command.data + old[end:])
        return b""

    def _addressed(self, command: Command) -> tuple[PkiFile, int]:
        """File and offset; a short identifier in P1 makes its file the current one."""
        if command.p1 & 0x80:
            if command.p1 & 0x60:
                raise SwError(iso.WRONG_P1_P2)
            self._current = self._layout(command.p1 & 0x1F)
            return self._current, command.p2
        if self._current is None:
            raise SwError(iso.NO_CURRENT_FILE)
        return self._current, command.p1 << 8 | command.p2

    def _layout(self, fid: int) -> PkiFile:
        layout = self._layouts.get(fid)
        if layout is None:
            raise SwError(iso.FILE_NOT_FOUND)
        return layout

    def _word(self, fid: int) -> str:
        return f"{self._name}.{fid:04X}"
