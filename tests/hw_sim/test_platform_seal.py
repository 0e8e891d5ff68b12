"""The demo province's seal: its key, and a picture that a printer can use."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

from PIL import Image

from apdu.crypto import sm2
from hw_sim.platform.draw_seal import RED, SIZE
from hw_sim.platform.seal import demo_seal

FONT = Path(__file__).parents[2] / "ui" / "fonts" / "YikatongSans-Bold.otf"


def _picture() -> Image.Image:
    return Image.open(io.BytesIO(demo_seal().picture))


def test_the_two_halves_of_the_key_belong_together() -> None:
    facts = tomllib.loads(files("hw_sim.platform").joinpath("seal.toml").read_text("utf-8"))
    private = sm2.PrivateKey(bytes.fromhex(facts["private_key"]))
    public = sm2.PublicKey(bytes.fromhex(facts["public_key"]))
    signature = sm2.sign(private, b"x", encoding=sm2.SignatureEncoding.RAW)
    assert sm2.verify(public, b"x", signature, encoding=sm2.SignatureEncoding.RAW)
    assert (facts["key_id"], demo_seal().key.public) == ("seal-1", public.xy)
    assert facts["valid_from"] < facts["valid_to"]


def test_the_key_is_shown_nowhere() -> None:
    assert demo_seal().key.private.hex() not in repr(demo_seal()).lower()


def test_the_picture_is_red_ink_on_nothing() -> None:
    picture = _picture()
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (SIZE, SIZE))
    assert {colour[:3] for _count, colour in picture.getcolors(1 << 16) or ()} == {RED}
    corners = [(0, 0), (0, SIZE - 1), (SIZE - 1, 0), (SIZE - 1, SIZE - 1)]
    assert {picture.getpixel(corner) for corner in corners} == {(*RED, 0)}
    alpha = picture.getchannel("A").histogram()
    ink = sum(alpha[128:]) / SIZE**2
    assert 0.12 < ink < 0.3
    assert sum(1 for count in alpha if count) > 16, "the edges are smooth"


def test_the_ring_is_whole_and_stands_in_the_middle() -> None:
    alpha = _picture().getchannel("A")
    box = alpha.getbbox()
    assert box is not None
    assert abs(box[0] + box[2] - SIZE) <= 1
    assert abs(box[1] + box[3] - SIZE) <= 1


def test_the_script_draws_it(tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        subprocess.run(
            [sys.executable, "-m", "hw_sim.platform.draw_seal", FONT, tmp_path / name], check=True
        )
    first, second = ((tmp_path / name).read_bytes() for name in ("one.png", "two.png"))
    assert first == second
    with Image.open(tmp_path / "one.png") as drawn:
        assert (drawn.mode, drawn.size) == ("RGBA", (SIZE, SIZE))


def test_another_agency_is_another_picture(tmp_path: Path) -> None:
    from hw_sim.platform.draw_seal import draw

    one, other = draw(FONT, 0, "江城市甲单位"), draw(FONT, 0, "江城市乙单位")
    assert one.tobytes() != other.tobytes()
