"""The ministry's call interface on this terminal's devices, for other programs at the counter.

Another program either makes one call a process, or keeps one process and writes a call a line:
only so can it take the steps of an HSM call, between which the card is held.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from types import TracebackType
from typing import Self, TypeVar

from apdu.custodian import Custodian, FirstThatCan
from apdu.errors import CardError, PsamUnavailable, ReaderGone
from apdu.ministry.calls import NAMES, Answer, MinistryCalls
from apdu.ministry.conventions import Conventions
from apdu.ministry.error_numbers import Number, meaning
from apdu.ministry.terminal import PinCall, PinCancelled, PinPrompt, PinTimedOut, Slot
from drivers import pin_pad
from drivers.card_service import CardConnection, find_reader
from drivers.pin_block import MalformedPinBlock
from drivers.worker import Done, Worker
from kiosk.card.pin_entry import PAD_SECONDS, pad_of
from kiosk.card_station import PsamInReader
from kiosk.config import Custodian as CustodianKind
from kiosk.config import TerminalConfig
from kiosk.devices import Readers, custodians, open_readers
from kiosk.line import open_line
from kiosk.logs import describe
from kiosk.pack import Pack, read_root
from kiosk.pack import load as load_pack
from kiosk.pad_station import PadStation
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformError

log = logging.getLogger(__name__)

T = TypeVar("T")
Tell = Callable[[str], None]
"""Says to whoever sits at the counter what the holder is to do now."""
Before = Callable[[str], None]
"""Learns a function's name before it is called: to leave a trace, or to raise."""

_PAD_DIGITS = (4, 12)
_CALL_SECONDS = 3 * PAD_SECONDS + 15.0
"""Three entries at the pad and what the card does about them; then the device is stuck."""
_FIRST_LOOK_SECONDS = 1.0
_CLOSE_SECONDS = 1.0
_PROMPTS = {
    PinPrompt.PIN: "请持卡人输入密码 the holder types the PIN",
    PinPrompt.OLD: "请持卡人输入旧密码 the holder types the old PIN",
    PinPrompt.NEW: "请持卡人输入新密码 the holder types a new PIN",
    PinPrompt.NEW_AGAIN: "请持卡人再次输入新密码 the holder types the new PIN again",
}


class CounterTerminal:
    """An `apdu.ministry.terminal.Terminal`: the readers, PSAM, key service and pad of a
    configuration. Used on one thread.

    Args:
        config: of this terminal.
        readers: its readers, started.
        custodians: keep the keys, in this order.
        pad: None without one: then no PIN can be asked for.
        tell: says what the holder is to do.
    """

    def __init__(
        self,
        config: TerminalConfig,
        readers: Readers,
        custodians: tuple[Custodian, ...],
        pad: PadStation | None,
        tell: Tell,
    ) -> None:
        self._config = config
        self._readers = readers
        self._custodians = custodians
        self._pad = pad
        self._tell = tell
        self.custodian: Custodian = FirstThatCan(custodians)
        self.reader_serial = config.card.reader_serial

    def power(self, slot: Slot) -> CardConnection:
        """See `Terminal.power`."""
        names = {
            Slot.CONTACT: self._readers.contact,
            Slot.CONTACTLESS: self._config.card.contactless_reader,
        }
        if not names[slot]:
            raise ReaderGone("this terminal has no such reader")
        service = self._readers.service
        return service.connect(find_reader(service.readers(), names[slot]).name)

    def terminal_number(self) -> str | None:
        """See `Terminal.terminal_number`."""
        for custodian in self._custodians:
            if isinstance(custodian, PsamInReader):
                try:
                    return custodian.terminal_number()
                except PsamUnavailable:
                    return None
        return None

    def ask_pin(self, prompt: PinPrompt, card_number: str) -> bytearray:
        """See `Terminal.ask_pin`. Raises ReaderGone: there is no pad that works."""
        if self._pad is None:
            raise ReaderGone("this terminal has no PIN pad")
        self._tell(_PROMPTS[prompt])
        try:
            entered = self._pad.entry(card_number).run(lambda _count: None)
            try:
                return entered.digits()
            finally:
                entered.wipe()
        except pin_pad.PinCancelled:
            raise PinCancelled from None
        except pin_pad.PinTimeout:
            raise PinTimedOut from None
        except (pin_pad.PadError, MalformedPinBlock, OSError, ValueError) as problem:
            log.warning("the PIN pad cannot be used", extra={"error": describe(problem)})
            raise ReaderGone("the PIN pad cannot be used") from None

    def close(self) -> None:
        """Give pad and PSAM back."""
        if self._pad is not None:
            self._pad.close()
        for custodian in self._custodians:
            if isinstance(custodian, PsamInReader):
                custodian.close()


class CardCalls:
    """The functions, on a thread of their own. A context manager.

    Args:
        config: of this terminal.
        client: of its platform, for the key service; closed at the end. None without one.
        conventions: of the interface in this province.
        pins: functions with PINs in the caller's hands that may be called; never any whose
            arguments stand on a command line.
        tell: says what the holder is to do.
    """

    def __init__(
        self,
        config: TerminalConfig,
        client: PlatformClient | None,
        *,
        conventions: Conventions | None = None,
        pins: Iterable[PinCall] = (),
        tell: Tell = lambda _text: None,
    ) -> None:
        self._client = client
        self._readers = open_readers(config.card)
        keepers = custodians(config, self._readers, client)
        self._terminal = CounterTerminal(
            config, self._readers, keepers, pad_of(config, _PAD_DIGITS), tell
        )
        self._calls = MinistryCalls(
            self._terminal, allowed=frozenset(pins), conventions=conventions, random=os.urandom
        )
        self._worker = Worker("card calls")
        self._stuck = False

    def __enter__(self) -> Self:
        self._readers.service.start(lambda _event: None)
        until = time.monotonic() + _FIRST_LOOK_SECONDS
        while not self._readers.service.readers() and time.monotonic() < until:
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._stuck:
            self._on_worker(self._give_back, _CLOSE_SECONDS)
        if self._client is not None:
            self._client.close()
        self._worker.close(timeout=_CLOSE_SECONDS)
        self._readers.service.stop()

    def call(self, name: str, *arguments: str) -> Answer:
        """See `MinistryCalls.call`. What goes wrong beside the card is -999, and in the log
        without its arguments; a device that never comes back is a mute card."""
        if self._stuck:
            return _failed(Number.MUTE)
        done = self._on_worker(lambda: self._calls.call(name, *arguments), _CALL_SECONDS)
        if done is None:
            self._stuck = True
            log.error("a device never came back from a card call", extra={"call": name[:40]})
            return _failed(Number.MUTE)
        try:
            return done.result()
        except (PlatformError, CardError) as problem:
            log.error("a card call failed", extra={"call": name[:40], "error": describe(problem)})
            return _failed(Number.UNKNOWN)

    def _give_back(self) -> None:
        self._calls.close()
        self._terminal.close()

    def _on_worker(self, do: Callable[[], T], seconds: float) -> Done[T] | None:
        over = threading.Event()
        outcome: list[Done[T]] = []

        def done(result: Done[T]) -> None:
            outcome.append(result)
            over.set()

        self._worker.submit(do, done)
        return outcome[0] if over.wait(seconds) else None


def run_call(
    name: str,
    arguments: Iterable[str],
    config: TerminalConfig,
    *,
    before: Before,
    tell: Tell = lambda _text: None,
) -> Answer:
    """One call whose arguments stood on a command line: none that carries a PIN is done, whatever
    the configuration allows. Steps of an HSM call need `answer_lines`.

    Args:
        name: as the ministry writes it.
        arguments: its inputs, in their order.
        config: of this terminal.
        before: see `Before`.
        tell: says what the holder is to do.

    Raises:
        kiosk.pack.PackError: the data pack is not the one that was signed, or not valid today.
    """
    before(_known(name))
    pack = province_pack(config)
    client = platform_client(config, pack)
    with CardCalls(config, client, conventions=pack.conventions, tell=tell) as calls:
        return calls.call(name, *arguments)


def answer_lines(
    lines: Iterable[str],
    config: TerminalConfig,
    *,
    before: Before,
    tell: Tell = lambda _text: None,
) -> Iterator[str]:
    """A call a line, an answer a line, in one session, so that steps go on with their card.

    Args:
        lines: each a JSON array of texts: the function's name and its inputs.
        config: of this terminal; its ``pin_calls`` may be called.
        before: see `Before`.
        tell: says what the holder is to do.

    Yields:
        a JSON object with ``number`` and ``output``; ``meaning`` in English where it failed.

    Raises:
        kiosk.pack.PackError: as `run_call`.
    """
    pins = config.card.pin_calls
    pack = province_pack(config)
    client = platform_client(config, pack)
    with CardCalls(config, client, conventions=pack.conventions, pins=pins, tell=tell) as calls:
        for line in lines:
            if not line.strip():
                continue
            words = _words(line)
            if words:
                before(_known(words[0]))
            yield as_json(calls.call(*words) if words else _failed(Number.BAD_PARAMETER))


def as_json(answer: Answer) -> str:
    """One line for another program."""
    told: dict[str, object] = {"number": answer.number, "output": answer.output}
    if answer.number < 0:
        told["meaning"] = meaning(answer.number).en
    return json.dumps(told, ensure_ascii=False)


def province_pack(config: TerminalConfig) -> Pack:
    """What the province signed. Raises `kiosk.pack.PackError`."""
    pack = config.pack
    return load_pack(pack.folder, read_root(pack.root_key), today=date.today())


def platform_client(config: TerminalConfig, pack: Pack) -> PlatformClient | None:
    """The platform's client where its key service is a custodian of this terminal; None for a
    terminal that is not enrolled."""
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.state import StateDirectory, StateError

    if CustodianKind.PLATFORM not in config.custodians:
        return None
    try:
        keys = KeyStore(StateDirectory(config.state).keys).load()
    except (KeyStoreError, StateError) as problem:
        log.warning("no key service for card calls", extra={"error": describe(problem)})
        return None
    return open_line(config, keys, pack.envelope)


def _known(name: str) -> str:
    """The name as a log may hold it: another program may say anything."""
    return name if name in NAMES else "unknown"


def _words(line: str) -> list[str]:
    """The name and the inputs; nothing where the line is no array of texts."""
    try:
        words = json.loads(line)
    except (ValueError, RecursionError):
        return []
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return []
    return words


def _failed(number: Number) -> Answer:
    return Answer(int(number), meaning(number).zh)
