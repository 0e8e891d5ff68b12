"""The holder's PIN: PIN校验, 修改, 重置, 解锁."""

from __future__ import annotations

from apdu.channel import wipe
from apdu.custodian import MAC_SIZE
from apdu.ministry.address import check_length
from apdu.ministry.desk import Desk, OpenCard, is_hex
from apdu.ministry.error_numbers import Number, Refusal
from apdu.ministry.hsm_steps import Part, Steps, address, fields, in_hex, show_key
from apdu.ministry.terminal import PinCall, PinPrompt
from apdu.secure_messaging import Protected


def verify_pin(desk: Desk, kind: str) -> str:
    """iVerifyPIN: the holder enters the PIN at the pad.

    Raises:
        Refusal: BAD_PARAMETER.
        PinCancelled, PinTimedOut: no PIN; `apdu.pin.IllegalPin`: of a wrong length.
        PinRejected, PinBlocked, CardError: see `apdu.errors`.
    """
    with desk.open(kind) as opened:
        (digits,) = opened.ask(PinPrompt.PIN)
        opened.card.verify_pin(digits)
    return ""


def verify_given_pin(desk: Desk, kind: str, digits: str) -> str:
    """iVerifyPINK: the caller passes the PIN; off unless configured. Raises as `verify_pin`."""
    desk.permit(PinCall.VERIFY)
    with desk.open(kind) as opened:
        opened.issuer()
        opened.card.verify_pin(pin_buffer(digits))
    return ""


def change_pin(desk: Desk, kind: str) -> str:
    """iChangePIN: the old PIN and twice the new one, entered at the pad.

    Raises:
        Refusal: PIN_LENGTH, PINS_DIFFER, INITIAL_PIN.
        Otherwise as `verify_pin`.
    """
    with desk.open(kind) as opened:
        old, new = desk.new_pin(opened, PinPrompt.OLD)
        opened.card.change_pin(old, new)
    return ""


def change_given_pin(desk: Desk, kind: str, old: str, new: str) -> str:
    """iChangePINK: the caller passes both; off unless configured. Raises as `change_pin`."""
    desk.permit(PinCall.CHANGE)
    with desk.open(kind) as opened:
        opened.issuer()
        given = pin_buffer(new)
        try:
            desk.check_new(given)
            opened.card.change_pin(pin_buffer(old), given)
        finally:
            wipe(given)
    return ""


def reload_pin(desk: Desk, kind: str, info: str) -> str:
    """iReloadPIN: twice a new PIN at the pad, and the terminal's own keys.

    Raises:
        Refusal: DIFFERS_FROM_CARD, before anything is asked; as `change_pin`.
        CardError: see `apdu.errors`.
    """
    with desk.open(kind, info) as opened:
        (new,) = desk.new_pin(opened)
        opened.card.reload_pin(desk.custodian, new)
    return ""


def reload_pin_by_hsm(desk: Desk, kind: str, info: str) -> Steps:
    """iReloadPIN_HSM_Step1 to 3: as `reload_pin`. The second step tells the new PIN, for the HSM
    to encrypt: off unless configured. It is entered before the first step's challenges, because
    the card is not let go of between the steps.

    Raises:
        Refusal: UNSUPPORTED: off; as `reload_pin`, `show_key` and `unblock_pin_by_hsm`.
        CardError: see `apdu.errors`.
    """
    desk.permit(PinCall.RELOAD)
    with desk.open(kind, info) as opened:
        (new,) = desk.new_pin(opened)
        try:
            yield from show_key(desk, opened, opened.card.profile.keys["PUK"], "iReloadPIN_HSM")
            size = opened.card.algorithm.block_size
            # The interface is made of texts: this one cannot be wiped.
            text = new.decode("ascii")
            yield from _protected(opened, Protected.RELOAD_PIN, size, text)
        finally:
            wipe(new)
    return ""


def unblock_pin(desk: Desk, kind: str, info: str) -> str:
    """iUnblockPIN: all tries again for the PIN as it is, with the terminal's own keys.

    Raises:
        Refusal: DIFFERS_FROM_CARD.
        CardError: see `apdu.errors`.
    """
    with desk.open(kind, info) as opened:
        opened.card.unblock_pin(desk.custodian)
    return ""


def unblock_pin_by_hsm(desk: Desk, kind: str, info: str) -> Steps:
    """iUnblockPIN_HSM_Step1 to 3. The second step tells ``算法标识|密钥地址|过程因子|命令头|``, the
    third takes the whole command in hexadecimal (mark B; of this function C).

    Raises:
        Refusal: LENGTH, ILLEGAL_CHARACTERS, ILLEGAL_INPUT: not the command that was asked for; as
            `unblock_pin` and `show_key`.
        CardError: see `apdu.errors`.
    """
    with desk.open(kind, info) as opened:
        yield from show_key(desk, opened, opened.card.profile.keys["PUK"], "iUnblockPIN_HSM")
        yield from _protected(opened, Protected.UNBLOCK_PIN, 0)
    return ""


def _protected(opened: OpenCard, what: Protected, size: int, *more: str) -> Part:
    """A protected command in two steps; `size` are the bytes of its encrypted data."""
    messaging = opened.card.messaging
    declared = messaging.declared(what)
    header = declared.header + bytes((size + MAC_SIZE,))
    key = opened.card.profile.keys[declared.key]
    challenge = opened.card.authentication.challenge()
    told = (opened.card.algorithm.value, address(key), in_hex(challenge), in_hex(header))
    arguments = yield fields(*told, *more)
    messaging.send_protected(what, _data(arguments[0], header))
    return arguments


def _data(text: str, header: bytes) -> bytearray:
    """The data of a whole command in hexadecimal, whose header and Lc are `header`."""
    check_length(text)
    digits = text.removesuffix("|")
    if not is_hex(digits):
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    if len(digits) != 2 * (len(header) + header[-1]):
        raise Refusal(Number.LENGTH)
    command = bytearray.fromhex(digits)
    if command[: len(header)] != header:
        raise Refusal(Number.ILLEGAL_INPUT)
    return command[len(header) :]


def pin_buffer(digits: str) -> bytearray:
    """A PIN that came as text, which itself cannot be wiped."""
    check_length(digits)
    return bytearray(digits.encode("ascii", errors="replace"))
