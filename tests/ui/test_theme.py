from __future__ import annotations

import pytest

from ui.theme import HIGH_CONTRAST, LIGHT, Palette, Theme, contrast, mix, rgb
from ui.views import Tone

PALETTES = {
    "light": LIGHT,
    "high-contrast": HIGH_CONTRAST,
    "other-primary": LIGHT.with_primary(rgb("#8A1F2B")),
}


@pytest.fixture(params=PALETTES)
def palette(request: pytest.FixtureRequest) -> Palette:
    return PALETTES[request.param]


def test_text_can_be_read_on_its_ground(palette: Palette) -> None:
    p = palette
    pairs = {
        "primary button": (p.on_primary, p.primary),
        "soft text on primary": (mix(p.primary, p.on_primary, 0.9), p.primary),
        "header": (p.on_header, p.header),
        "place in the header": (mix(p.header, p.on_header, 0.88), p.header),
        "tool": (p.on_header, mix(p.header, p.on_header, 0.14)),
        "idle hint on the inner ring": (
            mix(p.header, p.on_header, 0.85),
            mix(p.header, p.on_header, 0.08),
        ),
        "secondary button": (p.accent, p.paper),
        "link": (p.accent, p.tint),
        "number in the time-out ring": (p.accent, p.wash),
        "current step": (p.accent, p.background),
        "text on paper": (p.ink, p.paper),
        "text on page": (p.ink, p.background),
        "caption on paper": (p.ink_2, p.paper),
        "caption on page": (p.ink_2, p.background),
        "glyph of a disabled tile": (p.ink_2, p.line),
        "reason on a disabled tile": (p.warn, p.background),
        "message text": (p.ink, p.warn_tint),
    }
    pairs |= {f"{tone.value} on its tint": p.of(tone) for tone in Tone}
    pairs |= {f"{tone.value} on paper": (p.of(tone)[0], p.paper) for tone in Tone}
    too_faint = {name: contrast(*pair) for name, pair in pairs.items() if contrast(*pair) < 4.5}
    assert too_faint == {}


def test_disabled_text_and_edges_stay_visible(palette: Palette) -> None:
    assert contrast(palette.ink_3, palette.background) >= 3.0
    assert contrast(palette.primary, palette.paper) >= 3.0
    assert contrast(palette.primary, palette.background) >= 3.0


def test_contrast_of_known_pairs() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast(rgb("#005BAC"), (255, 255, 255)) == pytest.approx(6.8, abs=0.05)


@pytest.mark.parametrize("code", ["005BAC", "#05A", "#GG0000", "", "#005BAC0"])
def test_no_colour_is_refused(code: str) -> None:
    with pytest.raises(ValueError):
        rgb(code)


def test_light_primary_is_refused() -> None:
    with pytest.raises(ValueError, match="too light"):
        Theme.make(primary="#1677FF")


def test_density_keeps_millimetres() -> None:
    coarse, fine = Theme.make(density=102.5), Theme.make(density=205)
    assert fine.px(112) == 2 * coarse.px(112)
    assert coarse.mm(25.4) == pytest.approx(102.5)
    with pytest.raises(ValueError):
        Theme.make(density=0)
