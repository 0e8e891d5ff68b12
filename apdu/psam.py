"""A PSAM (终端安全模块): the card in the terminal that holds the keys to residents' cards.

Commands as social security PSAMs take them: ``BF DE`` derives a process key from factors and
challenge, ``80 FA`` encrypts or takes a MAC with it.
"""

from __future__ import annotations

from collections.abc import Callable

from apdu import derivation
from apdu.channel import Channel
from apdu.command import Command
from apdu.commands import read_binary, select_by_fid, select_by_name
from apdu.custodian import MAC_SIZE, Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.errors import CardError, CardReset, MalformedAnswer, PsamUnavailable
from apdu.response import Response
from apdu.status import raise_for
from apdu.trace import Sink
from apdu.transport import Transport

_MASTER_FILE, _KEY_APPLICATION = 0x3F00, 0xDF01
_KEY_APPLICATION_NAME = bytes.fromhex("D15600000590")
_SSF33_NAME = bytes.fromhex("7378322E73682EC9E7BBE1B1A3D5CF")
"""Name of "sx2.sh.社会保障", where a PSAM keeps its SSF33 keys (mark C)."""
_TERMINAL_FILE, _TERMINAL_SIZE = 0x16, 6
_NO_SUCH_KEY = frozenset((0x6A82, 0x6A88, 0x9403))
_RESULT_SIZE = 8
_ENCRYPT, _MAC = 0x00, 0x05
"""P1 of ``80 FA``."""
_Request = AuthenticationRequest | ProtectionRequest


def is_psam(transport: Transport) -> bool:
    """Whether the powered card carries a PSAM's key application; no key is touched.

    Raises:
        CardError: the card does not answer; see `apdu.errors`.
    """
    return Channel(transport).send(select_by_name(_KEY_APPLICATION_NAME)).ok


class PsamCustodian:
    """A `Custodian` that asks one powered PSAM.

    Args:
        transport: the PSAM.
        trace: receives one redacted line for each command.
    """

    def __init__(self, transport: Transport, *, trace: Sink | None = None) -> None:
        self._channel = Channel(transport, trace=trace)
        self._environment: bool | None = None
        """Whether the selected key application is SSF33's; None when none is selected."""

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """See `apdu.custodian.Custodian.cryptogram`.

        The key application is selected once for each power-up. When another program has reset
        the PSAM, the whole step is repeated once.

        Raises:
            PsamUnavailable: it is absent, mute, or no social security PSAM.
        """
        return self._whole_step(lambda: self._cryptogram(request))

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """See `apdu.custodian.Custodian.protect`; otherwise as `cryptogram`."""
        return self._whole_step(lambda: self._protect(request))

    def terminal_number(self) -> str | None:
        """The terminal number (终端机编号), 12 digits; None when the PSAM shows none.

        Read from file 0016 under the master file, as PBOC PSAMs keep it (mark M).

        Raises:
            PsamUnavailable: it does not answer.
        """
        self._environment = None
        try:
            self._channel.send(select_by_fid(_MASTER_FILE))
            answer = self._channel.send(read_binary(_TERMINAL_FILE, _TERMINAL_SIZE))
        except CardError as error:
            raise PsamUnavailable(f"the PSAM failed: {type(error).__name__}") from error
        number = answer.data.hex()
        return number if answer.ok and len(number) == 12 and number.isdecimal() else None

    def _whole_step(self, step: Callable[[], bytes | None]) -> bytes | None:
        try:
            try:
                return step()
            except CardReset:
                self._environment = None
                return step()
        except CardError as error:
            self._environment = None
            raise PsamUnavailable(f"the PSAM failed: {type(error).__name__}") from error

    def _cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        if not self._derive(request):
            return None
        return self._compute(_ENCRYPT, request.data, _RESULT_SIZE)

    def _protect(self, request: ProtectionRequest) -> bytes | None:
        encrypted = b""
        if request.block:
            if not self._derive(request):
                return None
            encrypted = self._compute(_ENCRYPT, request.block, len(request.block))
        # Derived anew: whether a PSAM keeps the process key after one use is not public, and the
        # same factors and challenge give the same key either way.
        if not self._derive(request):
            return None
        size = request.algorithm.block_size
        text = bytes(size) + request.mac_input(encrypted)
        # Some answer with the whole last block, of which the card wants the head.
        return encrypted + self._compute(_MAC, text, size, MAC_SIZE)[:MAC_SIZE]

    def _derive(self, request: _Request) -> bool:
        """Make the process key; False when the PSAM does not hold the key."""
        key = request.key
        if key.usage is None or not self._select(ssf33=request.algorithm is Algorithm.SSF33):
            return False
        index = key.psam_index(request.algorithm)
        derived = self._channel.send(
            Command(0xBF, 0xDE, key.usage, index, _factors(request) + request.challenge)
        )
        if derived.sw in _NO_SUCH_KEY:
            return False
        raise_for("PSAM DERIVE", derived)
        return True

    def _compute(self, how: int, data: bytes | bytearray, *sizes: int) -> bytes:
        """Use the process key: `how` is P1 of ``80 FA``, `sizes` what may come back."""
        answer = self._channel.send(Command(0x80, 0xFA, how, 0, data, ne=max(sizes)))
        raise_for("PSAM ENCRYPT" if how == _ENCRYPT else "PSAM MAC", answer)
        if len(answer.data) not in sizes:
            raise MalformedAnswer("the PSAM's result has another length")
        return answer.data

    def _select(self, *, ssf33: bool) -> bool:
        """Select the key application; False when the PSAM has none for this algorithm."""
        if self._environment is ssf33:
            return True
        if self._environment is not None:
            # From one environment into the other the way leads over the master file.
            self._environment = None
            self._channel.send(select_by_fid(_MASTER_FILE))
        if ssf33 and _absent(self._channel.send(select_by_name(_SSF33_NAME))):
            return False
        selected = self._channel.send(select_by_fid(_KEY_APPLICATION))
        if not selected.ok:
            selected = self._channel.send(select_by_name(_KEY_APPLICATION_NAME))
        raise_for("SELECT", selected)
        self._environment = ssf33
        return True


def _absent(response: Response) -> bool:
    if response.sw == 0x6A82:
        return True
    raise_for("SELECT", response)
    return False


def _factors(request: _Request) -> bytes:
    """The factors in the order that ``BF DE`` wants: card, city, province."""
    levels, factors = request.key.levels, b""
    if levels >= 1:
        factors += request.card_factor
    if levels >= 2:
        factors += derivation.city_factor(request.region)
    if levels >= 3:
        factors += derivation.province_factor(request.region)
    return factors
