"""A PIN typed by its owner: on the terminal's keyboard without echo, on the PIN pad, or on the keys
of the card reader.

The digits come into a `bytearray` and never become text: the terminal's own line is read straight
into the buffer. From a reader's own keys they go to the card and never come here.
"""

from __future__ import annotations

import os
import sys
import termios
from typing import TYPE_CHECKING

from kiosk.commands import CommandFailed, Exit

if TYPE_CHECKING:
    from drivers.card_service import CardConnection
    from kiosk.config import TerminalConfig
    from kiosk.pad_station import PadStation

_LINE = 256
"""More than a terminal gives of one typed line that could be a PIN."""
_END = b"\r\n"
PAD_SECONDS = 60.0
"""For one entry at the pad."""


def at_keyboard(prompt: str) -> bytearray:
    """Ask on the terminal; the digits as they were typed, for the caller to wipe.

    Raises:
        CommandFailed: nobody sits there: standard input is no terminal, or ended.
        KeyboardInterrupt: Ctrl-C; the echo is on again.
    """
    if not sys.stdin.isatty():
        raise CommandFailed(
            Exit.USAGE,
            "密码只能在终端上输入，不能来自管道 a PIN is typed on a terminal, never piped",
        )
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    silent = list(before)
    silent[3] &= ~termios.ECHO
    line = bytearray(_LINE)
    try:
        # What was typed ahead is dropped: it was typed with echo.
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        sys.stderr.write(prompt)
        sys.stderr.flush()
        size = os.readv(terminal, [line])
        if not size:
            raise CommandFailed(Exit.USAGE, "没有输入 nothing was typed")
        if line[size - 1] not in _END:
            # A longer line than any PIN: the rest of it must not reach the shell.
            termios.tcflush(terminal, termios.TCIFLUSH)
        while size and line[size - 1] in _END:
            size -= 1
        # Copied through a view: a slice would be another copy, which nobody wipes.
        digits = bytearray(size)
        digits[:] = memoryview(line)[:size]
        return digits
    finally:
        line[:] = bytes(_LINE)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        sys.stderr.write("\n")


def pad_of(config: TerminalConfig | None, length: tuple[int, int]) -> PadStation | None:
    """The pad that the configuration names, opened at its first use; None where it names none."""
    from kiosk.devices import open_pad, pad_master_key
    from kiosk.pad_station import PadStation

    pad = config.pad if config is not None else None
    if pad is None:
        return None
    return PadStation(
        lambda: open_pad(pad),
        lambda: pad_master_key(pad),
        load_master=pad.plain_key_load,
        length=length,
        seconds=PAD_SECONDS,
    )


def at_pad(pad: PadStation, card_number: str, prompt: str) -> bytearray:
    """Ask at the pad; the digits, for the caller to wipe.

    Raises:
        CommandFailed: the pad is away, or its user gave up.
    """
    from drivers.pin_block import MalformedPinBlock
    from drivers.pin_pad import PadError, PinCancelled, PinTimeout

    sys.stderr.write(f"{prompt}（请在密码键盘上输入 type it on the pad）\n")
    try:
        entered = pad.entry(card_number).run(lambda _count: None)
        try:
            return entered.digits()
        finally:
            entered.wipe()
    except PinCancelled:
        raise CommandFailed(Exit.INTERRUPTED, "在密码键盘上取消 cancelled at the pad") from None
    except PinTimeout:
        raise CommandFailed(Exit.DEVICE, "超时未输入密码 no PIN was typed in time") from None
    except (PadError, MalformedPinBlock, OSError, ValueError) as problem:
        raise CommandFailed(
            Exit.DEVICE,
            f"密码键盘不可用（{type(problem).__name__}），可加 --keyboard "
            "the pad cannot be used; --keyboard asks on the terminal",
        ) from None


def change_at_reader(connection: CardConnection, digits: int) -> None:
    """Have the PIN of the selected application changed at the reader's own keys.

    Args:
        digits: of the old PIN and the new one; such a reader is told before.

    Raises:
        CommandFailed: the reader has no keys, not for this, or its user gave up.
        PinRejected, PinBlocked, CardError: what the card said.
    """
    from drivers.ccid.pin_entry import secure_pin_entry
    from drivers.pin_pad import (
        NewPinsDiffer,
        PadError,
        PinCancelled,
        PinLengthRefused,
        PinTimeout,
    )

    keys = secure_pin_entry(connection)
    if keys is None or not keys.can_change:
        raise CommandFailed(
            Exit.DEVICE,
            "这个读卡器不能自己收密码 this reader does not take PINs at keys of its own",
        )
    if not keys.serves(digits, digits):
        raise CommandFailed(
            Exit.USAGE,
            f"读卡器收不了 {digits} 位密码，位数须为偶数 "
            f"the reader takes no PIN of {digits} digits; the number must be even",
        )
    sys.stderr.write(
        "请在读卡器上输入原密码一次、新密码两次 at the reader: the old PIN, the new one twice\n"
    )
    sys.stderr.flush()
    try:
        keys.change(digits, PAD_SECONDS)
    except PinCancelled:
        raise CommandFailed(Exit.INTERRUPTED, "在读卡器上取消 cancelled at the reader") from None
    except PinTimeout:
        raise CommandFailed(Exit.DEVICE, "超时未输入密码 no PIN was typed in time") from None
    except NewPinsDiffer:
        raise CommandFailed(
            Exit.USAGE,
            "两次新密码不一致，卡未收到 the new PINs differ; nothing was sent to the card",
        ) from None
    except PinLengthRefused:
        raise CommandFailed(
            Exit.USAGE, "位数不对，卡未收到 wrong number of digits; nothing was sent to the card"
        ) from None
    except PadError as problem:
        raise CommandFailed(Exit.DEVICE, f"读卡器拒绝 the reader refused: {problem}") from None
