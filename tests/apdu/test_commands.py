"""The bytes of every named command, as issued cards take them."""

import pytest

from apdu import commands
from apdu.command import Command
from apdu.commands import READ_SELECTED, ReadMode, Select

SSSE = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (commands.select_by_name(SSSE), "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"),
        (commands.select_by_fid(0x3F00), "00A40000023F0000"),
        (commands.select_by_fid(0xEF05, Select.FILE_HERE), "00A4020002EF0500"),
        (commands.read_record(1, ReadMode.ALL_FROM, sfi=5), "00B2012D00"),
        (commands.read_record(3, ReadMode.BY_NUMBER, sfi=6), "00B2033400"),
        (commands.read_record(0x4E, ReadMode.BY_TAG, sfi=6), "00B24E3000"),
        (commands.read_record(2, ReadMode.BY_NUMBER), "00B2020400"),
        (commands.read_binary(0x16, 6), "00B0960006"),
        (commands.verify(bytearray(b"\x12\x34\x56")), "0020000003123456"),
        (commands.get_challenge(), "0084000008"),
        (commands.get_challenge(16), "0084000010"),
        (
            commands.internal_authenticate(b"\xaa" * 8, b"\xbb" * 8),
            "0088000010" + "AA" * 8 + "BB" * 8 + "08",
        ),
        (
            commands.external_authenticate(0x0A, b"\xaa" * 8, b"\xbb" * 8),
            "0082000A10" + "AA" * 8 + "BB" * 8,
        ),
        (commands.select_by_name(b"12345"), "00A4040005313233343500"),
        (commands.select_by_name(b"1" * 16), "00A4040010" + "31" * 16 + "00"),
        (commands.read_binary(30, 1), "00B09E0001"),
        (commands.read_binary(1, 1), "00B0810001"),
        (commands.read_binary(8, 256, offset=255), "00B088FF00"),
        (commands.read_binary(READ_SELECTED, 255, offset=0x1234), "00B01234FF"),
        (commands.read_binary(READ_SELECTED, 2, offset=0x7FFF), "00B07FFF02"),
        (commands.update_binary(READ_SELECTED, 0x00FF, b"\xaa\xbb"), "00D600FF02AABB"),
        (commands.update_binary(8, 0x10, b"\xaa"), "00D6881001AA"),
        (commands.update_binary(READ_SELECTED, 0, bytes(255)), "00D60000FF" + "00" * 255),
        (commands.update_record(7, bytes.fromhex("0709") + b"A99000017"),
         "00DC07040B0709413939303030303137"),
        (commands.pin_status(), "00200000"),
        (commands.change_pin(bytearray.fromhex("123456FF654321")), "805E010007123456FF654321"),
    ],
)  # fmt: skip
def test_bytes(command: Command, expected: str) -> None:
    assert command.encode().hex().upper() == expected


@pytest.mark.parametrize(
    "build",
    [
        lambda: commands.select_by_name(b"four"),
        lambda: commands.read_record(1, ReadMode.BY_NUMBER, sfi=31),
        lambda: commands.read_binary(-1, 6),
        lambda: commands.read_binary(31, 6),
        lambda: commands.read_binary(8, 6, offset=256),
        lambda: commands.read_binary(READ_SELECTED, 6, offset=0x8000),
        lambda: commands.read_binary(READ_SELECTED, 6, offset=-1),
        lambda: commands.update_binary(8, 256, b"1"),
        lambda: commands.update_binary(8, 0, b""),
        lambda: commands.update_binary(8, 0, bytes(256)),
        lambda: commands.update_record(0, b"1"),
        lambda: commands.update_record(255, b"1"),
        lambda: commands.update_record(1, b""),
        lambda: commands.update_record(1, bytes(256)),
        lambda: commands.change_pin(bytearray(4)),
        lambda: commands.change_pin(bytearray(18)),
        lambda: commands.select_by_name(b"1" * 17),
        lambda: commands.verify(bytearray(1)),
        lambda: commands.verify(bytearray(9)),
        lambda: commands.get_challenge(7),
        lambda: commands.internal_authenticate(bytes(7), bytes(8)),
        lambda: commands.external_authenticate(10, bytes(8), bytes(9)),
    ],
)
def test_parts_out_of_range_are_refused(build: object) -> None:
    with pytest.raises(ValueError, match=r"byte|SFI"):
        build()  # type: ignore[operator]
