"""The bank's side of a card: payment directories and the debit application (domain facts §5).

Only what leads to the account number is here (EMV book 3 §10); the card pays nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.bank_image import BankAccount, BankImage, OptionsFormat
from hw_sim.cards.ber import ber
from hw_sim.cards.iso7816 import Command, Handler, SwError

DIRECTORY_NAME = b"1PAY.SYS.DDF01"
CONTACTLESS_NAME = b"2PAY.SYS.DDF01"


class PaymentDirectory:
    """1PAY.SYS.DDF01 (PSE): its records list the applications.

    Args:
        fid: 3F00 where the bank owns the MF.
    """

    def __init__(self, image: BankImage, fid: int | None = None) -> None:
        self._image = image
        self._fid = fid

    @property
    def aid(self) -> bytes:
        return DIRECTORY_NAME

    @property
    def fid(self) -> int | None:
        return self._fid

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return {(0x00, 0xB2): self._read_record}

    def select(self) -> bytes:
        sfi = bytes([self._image.directory_sfi])
        return ber("6F", ber("84", self.aid) + ber("A5", ber("88", sfi)))

    def drop_volatile_state(self) -> None:
        """It has none."""

    def _read_record(self, command: Command) -> bytes:
        records = [ber("70", listed.entry()) for listed in self._image.applications]
        return _record({self._image.directory_sfi: records}, command)


class ContactlessDirectory:
    """2PAY.SYS.DDF01 (PPSE): its FCI lists the applications."""

    def __init__(self, image: BankImage) -> None:
        self._image = image

    @property
    def aid(self) -> bytes:
        return CONTACTLESS_NAME

    @property
    def fid(self) -> int | None:
        return None

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return {}

    def select(self) -> bytes:
        entries = b"".join(listed.entry() for listed in self._image.applications)
        return ber("6F", ber("84", self.aid) + ber("A5", ber("BF0C", entries)))

    def drop_volatile_state(self) -> None:
        """It has none."""


class DebitApplication:
    """The debit application: GET PROCESSING OPTIONS tells which records to read."""

    def __init__(self, image: BankImage, account: BankAccount) -> None:
        self._image = image
        self._listed = next(each for each in image.applications if each.present)
        self._records = {file.sfi: image.records(file, account) for file in image.files}
        self.drop_volatile_state()

    @property
    def aid(self) -> bytes:
        return self._listed.aid

    @property
    def fid(self) -> int | None:
        return None

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        return {
            (0x80, 0xA8): self._get_processing_options,
            (0x00, 0xB2): self._read_record,
        }

    def select(self) -> bytes:
        self.drop_volatile_state()
        pdol = b"".join(bytes.fromhex(tag) + bytes([length]) for tag, length in self._image.pdol)
        return ber(
            "6F",
            ber("84", self.aid)
            + ber(
                "A5",
                ber("50", self._listed.label.encode("ascii"))
                + ber("87", bytes([self._listed.priority]))
                + (ber("9F38", pdol) if pdol else b"")
                + ber("5F2D", b"zhen"),
            ),
        )

    def drop_volatile_state(self) -> None:
        self._started = False

    def _get_processing_options(self, command: Command) -> bytes:
        """80 A8: template 83 with the items of the PDOL, once for each selection."""
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if self._started:
            raise SwError(iso.CONDITIONS)
        if len(command.data) < 2 or len(command.data) != 2 + command.data[1]:
            raise SwError(iso.WRONG_LENGTH)
        if command.data[0] != 0x83:
            raise SwError(iso.WRONG_DATA)
        if command.data[1] != self._image.pdol_length:
            raise SwError(iso.CONDITIONS)
        self._started = True
        afl = b"".join(
            bytes((file.sfi << 3, 1, len(file.records), file.authenticated))
            for file in self._image.files
        )
        if self._image.processing_options is OptionsFormat.PRIMITIVE:
            return ber("80", self._image.aip + afl)
        return ber("77", ber("82", self._image.aip) + ber("94", afl))

    def _read_record(self, command: Command) -> bytes:
        if not self._started and not self._image.reads_without_options:
            raise SwError(iso.CONDITIONS)
        return _record(self._records, command)


def _record(files: Mapping[int, Sequence[bytes]], command: Command) -> bytes:
    """READ RECORD by number and short identifier, as EMV uses it."""
    if command.p2 & 0x07 != 4:
        raise SwError(iso.WRONG_P1_P2)
    if command.data:
        raise SwError(iso.WRONG_LENGTH)
    records = files.get(command.p2 >> 3)
    if records is None:
        raise SwError(iso.FILE_NOT_FOUND)
    if not 1 <= command.p1 <= len(records):
        raise SwError(iso.RECORD_NOT_FOUND)
    return records[command.p1 - 1]
