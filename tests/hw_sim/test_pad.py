"""The PIN pad simulator against a client written here from the wire's table alone."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from hw_sim.pad.device import PadDevice

MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PIN_KEY = bytes.fromhex("11223344556677888877665544332211")
PAN = "400000123456"
NO_ERROR = b""


def tdes(key: bytes, data: bytes, *, decipher: bool = False) -> bytes:
    cipher = Cipher(TripleDES((key + key[:8])[:24]), modes.ECB())
    turn = cipher.decryptor() if decipher else cipher.encryptor()
    return turn.update(data) + turn.finalize()


def kcv(key: bytes) -> bytes:
    return tdes(key, bytes(8))[:4].hex().upper().encode()


def framed(text: bytes) -> bytes:
    total = 0
    body = f"{len(text):03d}".encode() + text + b"\x03"
    for byte in body:
        total ^= byte
    return b"\x02" + body + f"{total:02X}".encode()


class Host:
    """The near end of the serial line."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self.fd)

    def send(self, data: bytes) -> None:
        os.write(self.fd, data)

    def read(self, count: int, within: float = 3.0) -> bytes:
        got = b""
        end = time.monotonic() + within
        while len(got) < count and (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                got += os.read(self.fd, count - len(got))
        return got

    def quiet(self, seconds: float = 0.15) -> bool:
        return not select.select([self.fd], [], [], seconds)[0]

    def answer(self) -> bytes:
        head = self.read(4)
        assert head[:1] == b"\x02", head
        size = int(head[1:])
        rest = self.read(size + 3)
        assert framed(rest[:size]) == head + rest
        return rest[:size]

    def ask(self, text: str) -> bytes:
        self.send(framed(text.encode()))
        return self.answer()

    def load_keys(self) -> None:
        self.ask(f"12021{MASTER.hex().upper()}")
        wrapped = tdes(MASTER, PIN_KEY)
        self.ask(f"2203032{wrapped.hex().upper()}")

    def start(self, minimum: int = 4, maximum: int = 6, pan: str = PAN) -> bytes:
        for control in ("532A", f"54{minimum:02X}", f"55{maximum:02X}", "521E"):
            assert self.ask(control) == b"5"
        return self.ask(f"630 0{maximum:02d}{pan}")


@pytest.fixture
def pad(tmp_path: Path) -> Iterator[PadDevice]:
    device = PadDevice(tmp_path / "pad")
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def host(pad: PadDevice) -> Iterator[Host]:
    host = Host(pad.link)
    yield host
    host.close()


def test_frame_example_of_the_table() -> None:
    assert framed(b"3") == bytes.fromhex("02303031330330 31".replace(" ", ""))


def test_loads_master_key_and_tells_its_check_value(host: Host) -> None:
    assert host.ask(f"12021{MASTER.hex().upper()}") == b"1" + kcv(MASTER)


def test_loads_24_byte_master_key(host: Host) -> None:
    key = MASTER + bytes.fromhex("A1A2A3A4A5A6A7A8")
    cipher = Cipher(TripleDES(key), modes.ECB()).encryptor()
    expected = cipher.update(bytes(8))[:4].hex().upper().encode()
    assert host.ask(f"12022{key.hex().upper()}") == b"1" + expected


def test_pin_key_comes_enciphered_under_the_master_key(host: Host) -> None:
    host.ask(f"12021{MASTER.hex().upper()}")
    wrapped = tdes(MASTER, PIN_KEY).hex().upper()
    assert host.ask(f"2203032{wrapped}") == b"2" + kcv(PIN_KEY)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"2203032{'00' * 16}", 0xE2),  # no master key
        ("12029" + "00" * 16, 0xE3),  # length digit
        ("12021" + "00" * 15, 0xE8),  # too short for its digit
        ("12021" + "0G" * 16, 0xE9),  # not hex
        ("12091" + "00" * 16, 0xEB),  # no such key type
        ("1xx21" + "00" * 16, 0xEB),  # key number
        (f"630 006{PAN}", 0xE4),  # no PIN key
        ("7", 0xE9),  # no entry
        ("50", 0xE8),
        ("5099", 0xEB),
        ("5937", 0xEB),
        ("540D", 0xEB),  # 13 digits fit no block
        ("9", 0xEF),
        ("", 0xE8),
    ],
)
def test_refuses(host: Host, text: str, error: int) -> None:
    assert host.ask(text) == bytes([error])


@pytest.mark.parametrize(
    "text", ["630 00612345", f"63000{PAN}", "630 00612345678901G", "630 006abcdefabcdef"]
)
def test_refuses_pan_and_format(host: Host, text: str) -> None:
    host.load_keys()
    assert host.ask(text) == b"\xeb"


def test_master_key_can_not_encipher_a_pin(host: Host) -> None:
    host.load_keys()
    assert host.ask(f"620 006{PAN}") == b"\xe5"


def test_user_information_has_the_widths_of_the_table(host: Host) -> None:
    blank = host.ask("3")
    assert len(blank) == 147
    settings = bytes.fromhex(blank[99:119].decode())
    assert settings[0] & 1 == 1
    host.load_keys()
    host.start()
    settings = bytes.fromhex(host.ask("3")[99:119].decode())
    assert settings[0] & 0b11 == 0b10
    assert settings[2:6] == bytes([0x1E, 0x2A, 4, 6])
    assert settings[6:8] == b"37"


def test_entry_gives_masked_keys_and_an_enciphered_block(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    assert host.start() == b"6"
    assert host.ask("7") == b"\xe9"
    assert pad.press("12345") == 5
    assert pad.count == 5
    pad.press("6#")
    assert host.read(7) == b"******\r"
    answer = host.ask("7")
    assert answer[:5] == b"70006"
    clear = tdes(PIN_KEY, bytes.fromhex(answer[5:].decode()), decipher=True)
    first = bytes.fromhex("06123456FFFFFFFF")
    second = bytes.fromhex("0000" + PAN)
    assert clear == bytes(a ^ b for a, b in zip(first, second, strict=True))
    assert host.ask("7") == answer
    assert host.ask("5032") == b"5"
    assert host.ask("7") == b"\xe9"
    assert pad.count == 0


def test_published_block_of_iso_9564() -> None:
    # The worked example of ISO 9564-1 format 0 in common use: PIN 1234, PAN 43219876543210987.
    from hw_sim.pad.epp_keys import pin_block

    assert pin_block(bytes([1, 2, 3, 4]), b"987654321098") == bytes.fromhex("0412AC89ABCDEF67")


def test_pan_of_letters_is_taken_as_nibbles(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start(pan="4130303030AF")
    pad.press("1234#")
    host.read(5)
    clear = tdes(PIN_KEY, bytes.fromhex(host.ask("7")[5:].decode()), decipher=True)
    assert clear[-1] == 0xFF ^ 0xAF


def test_keys_beyond_the_limit_send_nothing_and_enter_needs_the_least(
    pad: PadDevice, host: Host
) -> None:
    host.load_keys()
    host.start()
    assert pad.press("123#") == 3
    assert pad.press("4567") == 3
    assert pad.press("D") == 0
    assert host.read(6) == b"******"
    assert host.quiet()
    assert pad.press("#") == 1
    assert pad.press("1") == 0


def test_double_zero_erase_clear_cancel(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start()
    pad.press("<1D<CX")
    assert host.read(7) == b"\x08***\x08\x7f\x1b"
    assert pad.press("1") == 0
    assert host.ask("7") == b"\xe9"


def test_no_entry_no_bytes(pad: PadDevice, host: Host) -> None:
    assert pad.press("123456#") == 0
    assert host.quiet()


def test_a_key_that_does_not_exist_presses_nothing_and_is_not_repeated(
    pad: PadDevice, host: Host
) -> None:
    host.load_keys()
    host.start()
    with pytest.raises(ValueError, match="keys are") as raised:
        pad.press("98765q")
    assert "98765" not in str(raised.value)
    assert pad.count == 0


def test_start_again_wipes_digits(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start()
    pad.press("123")
    host.read(3)
    assert host.ask(f"630 006{PAN}") == b"6"
    assert pad.count == 0


def test_own_time_limit_ends_the_entry(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start()
    assert host.ask("5201") == b"5"
    pad.press("12")
    assert host.read(3) == b"**\x80"
    assert host.ask("7") == b"\xee"
    assert pad.count == 0


def test_wipe_forgets_the_keys_reset_does_not(host: Host) -> None:
    host.load_keys()
    assert host.ask("5030") == b"5"
    assert host.start() == b"6"
    assert host.ask("5031") == b"5"
    assert host.ask(f"630 006{PAN}") == b"\xe4"


def test_spoilt_frames_get_no_answer_and_cost_no_good_one(host: Host) -> None:
    good = framed(b"5030")
    for spoilt in (good[:-2] + b"00", good[:4] + b"9" + good[5:], b"\x02abc", b"\x55\x02"):
        host.send(spoilt + good)
        assert host.answer() == b"5"
    assert host.quiet()


def test_half_a_frame_is_forgotten_before_the_host_repeats(host: Host) -> None:
    for half in (framed(b"5030")[:6], b"\x02999"):
        host.send(half)
        assert host.quiet(0.5)
        assert host.ask("5030") == b"5"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("bad-xor", framed(b"5")[:-1] + b"6"),
        ("short=2", framed(b"5")[:-2]),
        ("half", framed(b"5")[:4]),
        ("split", framed(b"5")),
        ("noise", b"\xff\x00\x55" + framed(b"5")),
        ("noise-stx", b"\xff\x02\x55" + framed(b"5")),
        ("delay=50", framed(b"5")),
        ("error=E7", framed(b"\xe7")),
        ("drop", b""),
        ("truncate=3", framed(b"5")[:3]),
        ("corrupt=1", framed(b"5")[:1] + bytes([ord("0") ^ 0x55]) + framed(b"5")[2:]),
        ("bad-check", framed(b"5")[:-1] + b"6"),
        ("key-inside", framed(b"5")[:4] + b"*" + framed(b"5")[4:]),
        ("nak", b""),
        ("busy", b""),
    ],
)
def test_fault_strikes_its_answer_only(
    pad: PadDevice, host: Host, fault: str, expected: bytes
) -> None:
    pad.set_fault(f"2:{fault}")
    assert pad.faults_pending == 1
    assert host.ask("503D") == b"5"
    host.send(framed(b"503D"))
    assert host.read(len(expected)) == expected
    assert host.quiet()
    assert pad.faults_pending == 0
    assert host.ask("503D") == b"5"


@pytest.mark.parametrize(
    "schedule", ["bad-xor", "0:drop", "x:drop", "1:fire", "1:delay", "1:drop=1", "1:error=A0", ""]
)
def test_schedule_that_can_not_be_read(pad: PadDevice, schedule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pad.set_fault(schedule)
    assert pad.faults_pending == 0


def test_unplugging_kills_the_line_and_plugging_keeps_name_and_keys(pad: PadDevice) -> None:
    host = Host(pad.link)
    host.load_keys()
    host.start()
    pad.press("12")
    pad.unplug()
    assert not pad.plugged
    assert not pad.link.exists()
    with pytest.raises(OSError, match=r"."):
        for _ in range(3):
            select.select([host.fd], [], [], 1)
            if os.read(host.fd, 10) == b"":
                raise OSError("end of file")
    host.close()
    pad.plug()
    again = Host(pad.link)
    assert pad.count == 0
    assert again.start() == b"6"
    again.close()


def test_unplug_by_schedule(pad: PadDevice, host: Host) -> None:
    pad.set_fault("1:unplug")
    host.send(framed(b"3"))
    end = time.monotonic() + 3
    while pad.plugged and time.monotonic() < end:
        time.sleep(0.01)
    assert not pad.plugged


def test_battery_keeps_keys_over_a_restart_in_a_private_file(tmp_path: Path) -> None:
    memory = tmp_path / "pad.json"
    first = PadDevice(tmp_path / "pad", memory)
    first.preload(20, MASTER)
    first.plug()
    host = Host(first.link)
    wrapped = tdes(MASTER, PIN_KEY).hex().upper()
    assert host.ask(f"2203032{wrapped}") == b"2" + kcv(PIN_KEY)
    host.close()
    first.unplug()
    assert memory.stat().st_mode & 0o777 == 0o600
    second = PadDevice(tmp_path / "pad", memory)
    second.plug()
    host = Host(second.link)
    assert host.start() == b"6"
    host.close()
    second.unplug()


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x0200150304", "wrong XOR or end"),
        (framed(b"5030")[:-2] + b"00", "wrong XOR or end"),
        (b"\x55\xaa", "no frame"),
        (b"\x02abc", "no frame"),
        (framed(b"50"), "command-length"),
        (framed(b"12021" + b"00" * 15), "command-length"),
        (framed(b"12029" + b"00" * 16), "key-size"),
        (framed(b"12021" + b"0G" * 16), "incorrect-data"),
        (framed(b"540D"), "incorrect-parameter"),
        (framed(b"9"), "general"),
        (framed(b""), "command-length"),
        (framed(b"7"), None),
        (framed(b"630 006" + PAN.encode()), None),
        (framed(b"2203032" + b"00" * 16), None),
    ],
)
def test_what_no_correct_host_sends_is_kept(
    pad: PadDevice, host: Host, sent: bytes, reason: str | None
) -> None:
    host.send(sent)
    host.quiet(0.5)
    if reason is None:
        assert pad.illegal == ()
    else:
        (illegal,) = pad.illegal
        assert illegal.startswith(reason)


def test_half_a_frame_is_kept_as_unfinished(pad: PadDevice, host: Host) -> None:
    host.send(framed(b"5030")[:6])
    assert host.quiet(0.6)
    assert [each.split(":")[0] for each in pad.illegal] == ["unfinished"]


def test_the_block_asked_for_again_while_somebody_types_is_wrong(
    pad: PadDevice, host: Host
) -> None:
    host.load_keys()
    for _ in range(2):
        # Once an entry: an answer may have been lost.
        host.start()
        assert host.ask("7") == b"\xe9"
        assert pad.illegal == ()
    assert host.ask("7") == b"\xe9"
    assert pad.illegal == ("incorrect-data: 37",)


def test_no_key_of_a_refused_command_is_shown(pad: PadDevice, host: Host) -> None:
    key = MASTER.hex().upper().encode()
    host.send(framed(b"12021" + key + b"00"))
    host.answer()
    host.send(framed(b"12021" + key)[:-2] + b"00")
    host.quiet(0.5)
    assert len(pad.illegal) == 2
    assert all(b"0123".hex() not in text.replace(" ", "").lower() for text in pad.illegal)


def test_an_opened_pad_has_no_keys_and_takes_none(pad: PadDevice, host: Host) -> None:
    pad.preload(20, MASTER)
    host.load_keys()
    host.start()
    pad.press("12")
    host.read(2)
    pad.open_housing()
    assert (pad.opened, pad.count, pad.press("3")) == (True, 0, 0)
    assert host.ask(f"630 006{PAN}") == b"\xe4"
    assert host.ask(f"12021{MASTER.hex().upper()}") == b"\xec"
    wrapped = tdes(MASTER, PIN_KEY).hex().upper()
    assert host.ask(f"2203032{wrapped}") == b"\xe2"
    assert bytes.fromhex(host.ask("3")[99:101].decode()) == b"\x05"
    pad.mend()
    assert host.ask(f"2203032{wrapped}") == b"2" + kcv(PIN_KEY)
    assert not pad.opened and pad.illegal == ()


def test_opened_and_mended_by_schedule(pad: PadDevice, host: Host) -> None:
    pad.preload(20, MASTER)
    host.load_keys()
    pad.set_fault("1:opened,2:mended")
    assert host.ask(f"630 006{PAN}") == b"\xe4"
    wrapped = tdes(MASTER, PIN_KEY).hex().upper()
    assert host.ask(f"2203032{wrapped}") == b"2" + kcv(PIN_KEY)


def test_a_battery_keeps_no_keys_of_an_opened_pad(tmp_path: Path) -> None:
    first = PadDevice(tmp_path / "pad", tmp_path / "pad.json")
    first.preload(20, MASTER)
    first.open_housing()
    assert MASTER.hex() not in (tmp_path / "pad.json").read_text()


def test_a_pad_that_sends_keys_that_nobody_asked_for(pad: PadDevice, host: Host) -> None:
    pad.sends_idle_keys = True
    assert pad.press("1D#X<C") == 7
    assert host.read(7) == b"***\r\x1b\x08\x7f"
    assert pad.count == 0


def test_after_the_last_key_no_more_are_taken(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start()
    pad.press("1234#")
    host.read(5)
    assert bytes.fromhex(host.ask("3")[99:101].decode())[0] & 0b10 == 0


def test_stuck_until_it_is_powered_anew(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start()
    pad.set_fault("1:stuck")
    host.send(framed(b"3"))
    end = time.monotonic() + 3
    while pad.faults_pending and time.monotonic() < end:
        time.sleep(0.002)
    assert pad.press("12") == 2
    assert host.quiet(0.2)
    pad.unplug()
    pad.plug()
    again = Host(pad.link)
    assert again.ask("503D") == b"5"
    again.close()


def test_a_power_failure_ends_the_entry_and_keeps_the_line(pad: PadDevice, host: Host) -> None:
    host.load_keys()
    host.start()
    pad.press("12")
    host.read(2)
    pad.set_fault("1:power-cycle")
    host.send(framed(b"3"))
    assert host.quiet(0.4)
    assert bytes.fromhex(host.ask("3")[99:101].decode())[0] & 0b11 == 0
    assert (pad.count, pad.press("3")) == (0, 0)


@pytest.mark.parametrize(("form", "digit"), [(" ", 0), ("!", 1), ("#", 3)])
def test_formats_of_a_block(pad: PadDevice, host: Host, form: str, digit: int) -> None:
    host.load_keys()
    host.start()
    assert host.ask(f"630{form}006{PAN}") == b"6"
    pad.press("1234#")
    host.read(5)
    clear = tdes(PIN_KEY, bytes.fromhex(host.ask("7")[5:].decode()), decipher=True)
    if digit != 1:
        clear = bytes(a ^ b for a, b in zip(clear, bytes.fromhex("0000" + PAN), strict=True))
    assert clear[:3] == bytes([digit << 4 | 4, 0x12, 0x34])
    fill = {int(nibble, 16) for nibble in clear[3:].hex()}
    assert fill <= {0: {15}, 1: set(range(16)), 3: set(range(10, 16))}[digit]
