"""The command APDU: seven cases, there and back (ISO/IEC 7816-3 §12.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.command import Case, Command, Layout

HEADER = bytes.fromhex("00A40400")
COMMANDS = st.builds(
    Command,
    *(st.integers(0, 255) for _ in range(4)),
    st.binary(max_size=300) | st.integers(256, 65535).map(bytes),
    st.none() | st.integers(1, 65536),
)


@pytest.mark.parametrize(
    ("nc", "ne", "case", "tail"),
    [
        (0, None, Case.CASE_1, b""),
        (0, 1, Case.CASE_2S, b"\x01"),
        (0, 256, Case.CASE_2S, b"\x00"),
        (0, 257, Case.CASE_2E, b"\x00\x01\x01"),
        (0, 65536, Case.CASE_2E, b"\x00\x00\x00"),
        (1, None, Case.CASE_3S, b"\x01D"),
        (255, None, Case.CASE_3S, b"\xff" + b"D" * 255),
        (256, None, Case.CASE_3E, b"\x00\x01\x00" + b"D" * 256),
        (2, 256, Case.CASE_4S, b"\x02DD\x00"),
        (2, 257, Case.CASE_4E, b"\x00\x00\x02DD\x01\x01"),
        (256, 1, Case.CASE_4E, b"\x00\x01\x00" + b"D" * 256 + b"\x00\x01"),
        (2, 65536, Case.CASE_4E, b"\x00\x00\x02DD\x00\x00"),
    ],
)
def test_each_case_has_one_encoding(nc: int, ne: int | None, case: Case, tail: bytes) -> None:
    command = Command(*HEADER, data=b"D" * nc, ne=ne)
    assert command.case is case
    assert command.encode() == HEADER + tail
    assert Command.parse(HEADER + tail) == command
    assert Layout.of(HEADER + tail).case is case


@given(COMMANDS)
def test_what_is_encoded_parses_back(command: Command) -> None:
    assert Command.parse(command.encode()) == command


@given(st.binary(max_size=40))
def test_foreign_bytes_parse_or_are_refused_by_value_error(raw: bytes) -> None:
    try:
        layout = Layout.of(raw)
    except ValueError:
        return
    command = Command.parse(raw)
    assert (len(command.data), command.ne) == (layout.nc, layout.ne)


@pytest.mark.parametrize(
    "raw",
    ["", "00A404", "00A4040002AA", "00A4040002AABBCCDD", "00A404000000", "00A40400000000AA",
     "00A40400000002AABBCC"],
)  # fmt: skip
def test_lengths_that_do_not_fit_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"no command|do not fit"):
        Command.parse(bytes.fromhex(raw))


@pytest.mark.parametrize(
    "arguments",
    [(256, 0, 0, 0), (0, -1, 0, 0), (0, 0, 0, 0, bytes(65536)), (0, 0, 0, 0, b"", 0),
     (0, 0, 0, 0, b"", 65537)],
)  # fmt: skip
def test_parts_out_of_range_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"byte|Ne"):
        Command(*arguments)  # type: ignore[arg-type]


def test_repr_shows_lengths_and_no_data() -> None:
    assert repr(Command(0, 0x20, 0, 0, b"\x12\x34\x56")) == "Command(00200000, nc=3, ne=None)"


def test_a_buffer_is_kept_so_that_it_can_be_wiped() -> None:
    secret = bytearray(b"\x12\x34")
    assert Command(0, 0x20, 0, 0, secret).data is secret
