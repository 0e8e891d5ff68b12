"""What can be held to the hall's scanner: texts, pictures, e-cards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import qrcode
from PIL import Image

from hw_sim.hall.codes import CodeDesk, payload_of
from hw_sim.hall.control import Refused
from hw_sim.platform.server import PlatformServer


class Issuer:
    """Stands in for the platform: writes down whose code in which state was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def issue_ecard(self, card: str, state: str = "fresh") -> str:
        if card == "mute":
            raise LookupError(card)
        self.asked.append((card, state))
        return f"CODE-{len(self.asked)}"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def desk(tmp_path: Path, issuer: Issuer) -> Iterator[CodeDesk]:
    desk = CodeDesk()
    desk.open(tmp_path / "scanner", cast(PlatformServer, issuer))
    yield desk
    desk.close()
    desk.close()


def ask(desk: CodeDesk, do: str, **said: Any) -> Any:
    return desk.questions[do]({"do": do, **said})


def picture(folder: Path, *texts: str | bytes) -> Path:
    """A white picture with these codes side by side."""
    codes = []
    for text in texts:
        made = qrcode.QRCode(border=4)
        made.add_data(text)
        codes.append(made.make_image().get_image().convert("RGB"))
    size = (sum(code.width for code in codes) or 40, max((c.height for c in codes), default=40))
    paper = Image.new("RGB", size, "white")
    left = 0
    for code in codes:
        paper.paste(code, (left, 0))
        left += code.width
    file = folder / "picture.png"
    paper.save(file)
    return file


@pytest.mark.parametrize("state", ["fresh", "expired", "used", "wrong-channel"])
def test_e_card_is_issued_and_shown(desk: CodeDesk, issuer: Issuer, state: str) -> None:
    assert ask(desk, "ecard", card="v3", state=state)["text"] == "CODE-1"
    assert issuer.asked == [("v3", state)]
    assert desk.status()["code_shown"]


def test_e_card_that_can_not_be_shown_is_not_issued(desk: CodeDesk, issuer: Issuer) -> None:
    with pytest.raises(Refused, match="no card of a resident"):
        ask(desk, "ecard", card="mute", state="fresh")
    with pytest.raises(Refused, match="fresh or expired"):
        ask(desk, "ecard", card="v3", state="new")
    ask(desk, "scanner", state="unplugged")
    with pytest.raises(Refused, match="unplugged"):
        ask(desk, "ecard", card="v3", state="fresh")
    assert issuer.asked == []


@pytest.mark.parametrize(
    "payload", ["https://zm.example/v?c=1", "电子社保卡", bytes(range(1, 200))]
)
def test_picture_gives_the_payload_to_the_byte(tmp_path: Path, payload: str | bytes) -> None:
    expected = payload.encode() if isinstance(payload, str) else payload
    assert payload_of(picture(tmp_path, payload)) == expected


def test_transparent_picture_lies_on_white(tmp_path: Path) -> None:
    dark = Image.open(picture(tmp_path, "clear")).convert("L").point(lambda grey: 255 - grey)
    clear = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    clear.putalpha(dark)
    clear.save(tmp_path / "clear.png")
    assert payload_of(tmp_path / "clear.png") == b"clear"


@pytest.mark.parametrize(("texts", "words"), [((), "no QR code"), (("a", "b"), "2 QR codes")])
def test_picture_needs_exactly_one_code(tmp_path: Path, texts: tuple[str, ...], words: str) -> None:
    with pytest.raises(Refused, match=words):
        payload_of(picture(tmp_path, *texts))


def test_code_of_another_kind_is_no_qr_code(tmp_path: Path) -> None:
    import zxingcpp

    made = zxingcpp.create_barcode("hello", zxingcpp.BarcodeFormat.DataMatrix)
    Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=8)).save(tmp_path / "m.png")
    with pytest.raises(Refused, match="no QR code"):
        payload_of(tmp_path / "m.png")


def test_what_is_no_picture_is_refused(desk: CodeDesk, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    for image in (text, tmp_path / "missing.png", tmp_path):
        with pytest.raises(Refused, match="not a picture"):
            ask(desk, "scan", image=str(image))


@pytest.mark.parametrize(
    "said",
    [{}, {"text": ""}, {"text": 5}, {"text": "a", "image": "b"}, {"text": "a", "hold": "yes"}],
)
def test_question_that_says_no_code(desk: CodeDesk, said: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ask(desk, "scan", **said)
    assert not desk.status()["code_shown"]


def test_code_that_is_too_long_is_refused(desk: CodeDesk) -> None:
    with pytest.raises(Refused, match="4296"):
        ask(desk, "scan", text="x" * 4297)


def test_closed_hall_leaves_no_scanner_behind(desk: CodeDesk, tmp_path: Path) -> None:
    assert (tmp_path / "scanner").is_symlink()
    desk.close()
    assert not (tmp_path / "scanner").is_symlink()


def test_before_the_hall_is_open_it_refuses() -> None:
    desk = CodeDesk()
    for do, said in (("scan", {"text": "a"}), ("scanner", {"state": "plugged"})):
        with pytest.raises(Refused, match="opening"):
            ask(desk, do, **said)
