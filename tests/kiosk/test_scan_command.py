"""``yikatong scan``: what a stranger's files do to it."""

import io
import json
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kiosk import scan_command, scan_files
from kiosk.cli import main
from kiosk.commands import Exit
from tests.drivers.code_pictures import beside, code_picture

CODE = b"SSC1:4299A0C3"
KEYS = ["file", "text", "decoder", "duration_ms", "error"]


@pytest.fixture
def scan(capsys):
    def run(*words):
        names = [str(word) for word in words]
        code = main(["scan", *names], {"scan": lambda: scan_command.COMMAND})
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def one(scan):
    """The object of one file."""

    def run(*words):
        code, out, err = scan("--json", *words)
        assert err == ""
        assert out.count("\n") == 1
        said = json.loads(out)
        assert list(said)[:5] == KEYS
        assert code == (Exit.FAILED if said["text"] is None else Exit.OK)
        return said

    return run


def saved(path, payload=CODE, mode="L", **options):
    Image.fromarray(code_picture(payload)).convert(mode).save(path, **options)
    return path


def test_a_code(one, tmp_path):
    said = one(saved(tmp_path / "a.png"))
    assert said["duration_ms"] > 0
    del said["duration_ms"]
    assert said == {
        "file": str(tmp_path / "a.png"),
        "text": CODE.decode(),
        "decoder": "zxing-cpp",
        "error": None,
    }


@pytest.mark.parametrize("decoder", ["zxing-cpp", "pyzbar", "wechat"])
def test_one_decoder_only(one, tmp_path, decoder):
    said = one("--only", decoder, saved(tmp_path / "a.png"))
    assert (said["text"], said["decoder"]) == (CODE.decode(), decoder)


def test_without_wechat(monkeypatch, one, tmp_path):
    asked = []
    monkeypatch.setattr(
        "drivers.decoding.decode", lambda *_, decoders, **__: asked.extend(decoders)
    )
    one("--no-wechat", saved(tmp_path / "a.png"))
    assert [each.value for each in asked] == ["zxing-cpp", "pyzbar"]


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.jpg", "L", {}),
        ("a.jpg", "CMYK", {}),
        ("a.gif", "P", {}),
        ("a.webp", "RGB", {}),
        ("a.bmp", "1", {}),
        ("a.tif", "RGB", {"compression": "tiff_lzw"}),
        ("a.ppm", "RGB", {}),
        ("a.png", "LA", {}),
        ("a.png", "I;16", {}),
        ("a.tif", "F", {}),
        ("a.PNG.txt", "L", {"format": "PNG"}),
    ],
)
def test_formats_and_modes(one, tmp_path, name, mode, options):
    assert one(saved(tmp_path / name, CODE, mode, **options))["text"] == CODE.decode()


@pytest.mark.parametrize(("low", "high"), [(0, 40), (300, 1_000), (9_000, 65_535)])
def test_sixteen_bits_are_not_cut_off(one, tmp_path, low, high):
    deep = np.where(code_picture(CODE), high, low).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert one(tmp_path / "deep.png")["text"] == CODE.decode()


def test_dark_on_nothing(one, tmp_path):
    grey = code_picture(CODE)
    clear = np.zeros((*grey.shape, 4), np.uint8)
    clear[..., 3] = 255 - grey
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert one(tmp_path / "clear.png")["text"] == CODE.decode()


def test_the_first_picture_of_several(one, tmp_path):
    pictures = [Image.fromarray(code_picture(each)) for each in (b"first", b"other")]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    assert one(tmp_path / "a.gif")["text"] == "first"


# --- what stands in codes ---


@pytest.mark.parametrize(
    ("payload", "text", "in_hex"),
    [
        ("社保卡".encode(), "社保卡", False),
        ("社保卡".encode("gbk"), "社保卡", True),
        (b"two\r\nlines\t.", "two\r\nlines\t.", False),
        (b"\x1b[2J", "\x1b[2J", True),
        (b"a\0b", "a\0b", True),
        ("\x9b31m".encode(), "\x9b31m", True),
        (b"\xff\xfe1", "\\xff\\xfe1", True),
        ("\u202eabc".encode(), "\u202eabc", False),
    ],
)
def test_text_and_the_bytes_where_text_does_not_say_it_all(one, tmp_path, payload, text, in_hex):
    said = one(saved(tmp_path / "a.png", payload))
    assert said["text"] == text
    assert said.get("hex") == (payload.hex() if in_hex else None)


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(
    "payload", [bytes(range(1, 32)), "\x9b\x85\u2028\u202e\ufeff".encode(), b"\x1b]0;x\x07" * 200]
)
def test_nothing_that_a_terminal_would_obey_is_written(scan, tmp_path, payload, options):
    _, out, _ = scan(*options, saved(tmp_path / "a.png", payload))
    assert all(each.isprintable() for line in out.split("\n") for each in line)


def test_long_texts_are_cut_for_people_only(scan, one, tmp_path):
    path = saved(tmp_path / "a.png", b"x" * 2_900)
    assert one(path)["text"] == "x" * 2_900
    _, out, _ = scan(path)
    assert "2900" in out
    assert "x" * 61 not in out


def test_two_codes(one, tmp_path):
    Image.fromarray(beside(code_picture(CODE), code_picture(b"b"))).save(tmp_path / "two.png")
    said = one(tmp_path / "two.png")
    assert (said["text"], said["decoder"], said["error"]) == (None, None, "two-codes")
    assert said["duration_ms"] > 0


def test_a_code_that_is_not_read_exactly(one, tmp_path):
    said = one("--only", "pyzbar", saved(tmp_path / "a.png", "社保卡".encode("gbk")))
    assert (said["text"], said["error"]) == (None, "not-exact")


def test_no_code(one, tmp_path):
    Image.new("L", (640, 480), "white").save(tmp_path / "blank.png")
    said = one(tmp_path / "blank.png")
    assert (said["text"], said["decoder"], said["error"]) == (None, None, None)


# --- what is no picture ---


def chunk(kind, body):
    packed = struct.pack(">I", len(body)) + kind + body
    return packed + struct.pack(">I", zlib.crc32(kind + body))


def png(columns, rows):
    """One whose header claims so much."""
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)


def packed(name, **options):
    file = io.BytesIO()
    Image.fromarray(code_picture(CODE)).convert("RGB").save(file, format=name, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "empty"),
        (b"hello, this is no picture\n", "no-picture"),
        (b"\0" * 5_000, "no-picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no-picture"),
        (b"\x89PNG\r\n\x1a\n", "no-picture"),
        (packed("PNG")[:200], "damaged"),
        (packed("JPEG")[:-2000], "damaged"),
        (packed("GIF")[:300], "damaged"),
        (packed("WEBP")[:150], "damaged"),
        (png(50_000, 50_000), "too-large"),
        (png(8_000, 8_000), "too-large"),
        (png(20_001, 1), "too-large"),
        (png(100, 100), "damaged"),
        (png(0, 0), "no-picture"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_files_that_are_no_picture(one, tmp_path, content, error):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    said = one(path)
    assert said == {
        "file": str(path),
        "text": None,
        "decoder": None,
        "duration_ms": None,
        "error": error,
    }


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_damage_anywhere_is_an_answer(one, tmp_path, kind):
    """Each byte of the header, and some behind it, changed: a code, none, or an error's word."""
    good = packed(kind)
    path = tmp_path / "a"
    for place in [*range(60), *range(60, len(good), max(1, len(good) // 40))]:
        bad = bytearray(good)
        bad[place] ^= 0xFF
        path.write_bytes(bad)
        said = one(path)
        assert said["text"] in (None, CODE.decode())


def test_paths_that_lead_to_no_file(one, tmp_path):
    assert one(tmp_path / "missing.png")["error"] == "missing"
    assert one(tmp_path)["error"] == "directory"
    assert one(saved(tmp_path / "a.png") / "below")["error"] == "unreadable"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert one(loop)["error"] == "unreadable"
    assert one("x" * 5_000)["error"] == "unreadable"
    assert one("/dev/null")["error"] == "empty"


def test_a_file_that_may_not_be_read(monkeypatch, one, tmp_path):
    path = saved(tmp_path / "a.png")
    if os.getuid() == 0:

        def refuse(*_words, **_options):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    else:
        path.chmod(0)
    assert one(path)["error"] == "forbidden"


def test_a_file_without_end_is_not_read_to_it(monkeypatch, one):
    monkeypatch.setattr(scan_files, "LONGEST_FILE", 5_000)
    assert one("/dev/zero")["error"] == "too-large"


def test_names_that_are_no_text(scan, tmp_path):
    name = os.fsdecode(b"\xff\x1b[31m.png")
    saved(tmp_path / "a.png").rename(tmp_path / name)
    for options in ((), ("--json",)):
        code, out, _ = scan(*options, tmp_path / name)
        assert code == Exit.OK
        assert out.encode()
        assert "\x1b" not in out
    assert json.loads(out)["file"] == str(tmp_path / name)


# --- as a command ---


def test_standard_input(monkeypatch, one):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed("PNG"))))
    said = one("-")
    assert (said["file"], said["text"]) == ("-", CODE.decode())


def test_a_line_for_every_file_in_their_order(scan, tmp_path):
    good, missing = saved(tmp_path / "a.png"), tmp_path / "missing"
    code, out, _ = scan("--json", good, missing, good)
    assert code == Exit.FAILED
    assert [json.loads(line)["error"] for line in out.splitlines()] == [None, "missing", None]
    code, _, _ = scan(good, good)
    assert code == Exit.OK


def test_a_table_for_people(scan, tmp_path):
    code, out, _ = scan(saved(tmp_path / "a.png"), tmp_path / "missing.png")
    assert code == Exit.FAILED
    head, first, second = out.splitlines()
    assert head.startswith("文件 file")
    assert all(part in first for part in ("a.png", CODE.decode(), "zxing-cpp"))
    assert "没有此文件" in second


@pytest.mark.parametrize(
    "words", [(), ("--only", "guess", "x"), ("--only", "pyzbar", "--no-wechat", "x"), ("--what",)]
)
def test_wrong_usage(scan, words):
    code, out, err = scan(*words)
    assert (code, out) == (Exit.USAGE, "")
    assert "用法" in err


def test_help_explains_every_word(scan):
    code, out, _ = scan("--help")
    assert code == Exit.OK
    for word in (*KEYS, "hex", "two-codes", "not-exact", "missing", "too-large", "yikatong scan -"):
        assert word in out


def test_every_error_has_words_for_people():
    words = {value for name, value in vars(scan_files).items()
             if name.isupper() and isinstance(value, str)}  # fmt: skip
    assert words - {scan_files.STANDARD_INPUT} <= set(scan_command._WORDS)


def test_the_payload_shows_in_no_repr(tmp_path):
    from drivers.decoding import Decoder

    assert "SSC1" not in repr(scan_command.scan(str(saved(tmp_path / "a.png")), Decoder))
