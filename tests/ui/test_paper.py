"""Pages of documents: their shape, their shadow, and that nothing of them stays."""

from __future__ import annotations

import gc
import io
import weakref
from dataclasses import replace
from itertools import pairwise

import pytest
from PIL import Image as Pictures

from ui import paper, renderer
from ui.drawings import SHADOW_STRIPE, draw_shadow, load_page
from ui.gallery import LANDSCAPE, PORTRAIT
from ui.layout import forget, layout
from ui.renderer import Renderer
from ui.sample_pages import sample_pages
from ui.sample_words import CHINESE
from ui.samples import samples
from ui.scene import Image, Rect, Scene, Shadow
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import PageImage, Preview, Printing, Screen
from ui.window import Window

THEME = Theme.make()
SIZES = [PORTRAIT, LANDSCAPE]
PREVIEW, PRINTING = samples(CHINESE)["preview"], samples(CHINESE)["printing"]


def png(size: tuple[int, int] = (210, 297), mode: str = "RGB", colour: object = "white") -> bytes:
    file = io.BytesIO()
    Pictures.new(mode, size, colour).save(file, "PNG")  # type: ignore[arg-type]
    return file.getvalue()


def with_pages(*pages: PageImage, current: int = 0) -> Screen:
    assert isinstance(PREVIEW.body, Preview)
    return replace(PREVIEW, body=replace(PREVIEW.body, pages=pages, current=current))


def image_of(scene: Scene) -> Image:
    (image,) = (node for node in scene.nodes if isinstance(node, Image))
    return image


def test_pages_show_nothing_of_themselves() -> None:
    content = png()
    page = PageImage("page.1", content)
    assert repr(page) == "PageImage(id='page.1')"
    assert "PNG" not in repr(layout(with_pages(page), THEME, PORTRAIT))
    assert page == PageImage("page.1", b"") and page != PageImage("page.2", content)
    assert hash(page) == hash(PageImage("page.1", b""))


def test_shape_is_read_from_the_opening() -> None:
    assert paper.shape(PageImage("a", png((210, 297)))) == (210, 297)
    assert paper.shape(PageImage("a", png((297, 210), "L", 255))) == (297, 210)
    assert paper.shape(PageImage("a", png((2000, 3)))) == (2000, 3)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"%PDF-1.7 with a name in it",
        png()[:8],
        png()[:20],
        png()[:16] + bytes(4) + png()[20:],
        png()[:20] + bytes(4) + png()[24:],
    ],
)
def test_what_is_no_page_is_refused_without_telling_its_content(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"^page the-id: (not a PNG|an empty picture)$"):
        paper.shape(PageImage("the-id", damaged))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("own", [(210, 297), (297, 210), (100, 900), (900, 100)])
def test_a_page_keeps_its_shape(size: tuple[int, int], own: tuple[int, int]) -> None:
    for screen in (PREVIEW, PRINTING):
        body, page = screen.body, PageImage(f"{own}", png(own))
        if isinstance(body, Preview):
            changed = replace(screen, body=replace(body, pages=(page,), current=0))
        else:
            assert isinstance(body, Printing)
            changed = replace(screen, body=replace(body, page=page))
        rect = image_of(layout(changed, THEME, size)).rect
        # The thin edge takes a pixel a side.
        assert abs((rect.w + 2) * own[1] - (rect.h + 2) * own[0]) <= max(own)


@pytest.mark.parametrize(("size", "least"), [(PORTRAIT, 760), (LANDSCAPE, 500)])
def test_the_preview_is_large(size: tuple[int, int], least: int) -> None:
    assert image_of(layout(PREVIEW, THEME, size)).rect.w >= least


def test_current_page_is_shown() -> None:
    one, two = sample_pages(CHINESE)
    for current, page in enumerate((one, two)):
        image = image_of(layout(with_pages(one, two, current=current), THEME, PORTRAIT))
        assert image.id == page.id and image.png == page.png


# --- pixels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGB", "white", (255, 255, 255)),
        ("L", 255, (255, 255, 255)),
        ("1", 1, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
        ("LA", (0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 255), (200, 0, 0)),
    ],
)
def test_any_kind_of_png(mode: str, colour: object, expected: tuple[int, int, int]) -> None:
    surface = load_page(png((300, 400), mode, colour), (97, 131))
    for place in ((0, 0), (48, 60), (96, 130)):
        pixel = surface.get_at(place)[:3]
        assert all(abs(have - want) <= 3 for have, want in zip(pixel, expected, strict=True))
        assert (pixel == (255, 255, 255)) == (expected == (255, 255, 255))


def test_scaling_down_is_smooth() -> None:
    """A fine pattern becomes grey, not a coarser pattern."""
    fine = Pictures.new("L", (400, 400), 255)
    for x in range(0, 400, 2):
        fine.paste(0, (x, 0, x + 1, 400))
    file = io.BytesIO()
    fine.save(file, "PNG")
    surface = load_page(file.getvalue(), (90, 90))
    greys = {surface.get_at((x, 45))[0] for x in range(5, 85)}
    assert min(greys) > 90 and max(greys) < 165


def test_shadow_fades_evenly() -> None:
    surface = draw_shadow(60, (7, 24, 44), 46)
    side = 2 * 60 + SHADOW_STRIPE
    assert surface.get_size() == (side, side)
    line = [surface.get_at((x, side // 2))[3] for x in range(side)]
    assert line[0] == 0 and line[side // 2] >= 44
    assert line == line[::-1]
    steps = [after - before for before, after in pairwise(line[:61])]
    assert min(steps) >= 0 and max(steps) <= 2, "a jump would be seen as a band"


@pytest.mark.parametrize("size", SIZES)
def test_shadow_is_seen_around_the_page_only(size: tuple[int, int]) -> None:
    surface = pygame.Surface(size, 0, 32)
    drawn = Renderer(surface, THEME)
    drawn.draw_full(PREVIEW)
    assert drawn.scene is not None
    page = image_of(drawn.scene).rect
    (shadow,) = (node.rect for node in drawn.scene.nodes if isinstance(node, Shadow))
    assert shadow.encloses(page)
    background = THEME.palette.background

    def darkness(x: int, y: int) -> int:
        return sum(background) - sum(surface.get_at((x, y))[:3])

    right = [darkness(x, page.middle) for x in range(page.right + 1, shadow.right + 6)]
    assert right[0] > 40 and right == sorted(right, reverse=True)
    assert right[-6:] == [0] * 6
    assert darkness(page.x - 2, page.middle) > 40
    # It falls below the sheet.
    assert darkness(page.centre, page.bottom + 2) > darkness(page.centre, page.y - 3) > 0


# --- only what is new --------------------------------------------------------------------------


class Counting:
    """Counts how often a page is decoded, and watches the surfaces."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[weakref.ref[pygame.Surface]] = []
        monkeypatch.setattr(renderer, "load_page", self._load)

    def _load(self, content: bytes, size: tuple[int, int]) -> pygame.Surface:
        surface = load_page(content, size)
        self.made.append(weakref.ref(surface))
        return surface

    @property
    def alive(self) -> int:
        gc.collect()
        return sum(surface() is not None for surface in self.made)


def test_a_page_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    drawn = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    for _ in range(3):
        drawn.draw_full(PREVIEW)
    assert len(counting.made) == 1
    assert isinstance(PREVIEW.body, Preview)
    drawn.update(replace(PREVIEW, body=replace(PREVIEW.body, current=1)))
    drawn.update(PREVIEW)
    assert len(counting.made) == 2


def test_the_same_id_draws_nothing_and_another_only_the_page() -> None:
    drawn = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    drawn.draw_full(with_pages(PageImage("a", png())))
    assert drawn.scene is not None
    page = image_of(drawn.scene).rect
    forget()  # so that the scene is composed anew
    assert drawn.update(with_pages(PageImage("a", png(colour="black")))) == []
    assert drawn.update(with_pages(PageImage("b", png()))) == [page]


def test_the_bar_alone_is_drawn_while_printing_goes_on() -> None:
    drawn = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    drawn.draw_full(PRINTING)
    assert isinstance(PRINTING.body, Printing) and drawn.scene is not None
    page = image_of(drawn.scene).rect
    (rect,) = drawn.update(replace(PRINTING, body=replace(PRINTING.body, fraction=0.7)))
    assert rect.y > page.bottom and rect.h <= 20


@pytest.mark.parametrize("size", SIZES)
def test_turning_a_page_leaves_the_pixels_of_a_full_redraw(size: tuple[int, int]) -> None:
    surface, fresh = pygame.Surface(size, 0, 32), pygame.Surface(size, 0, 32)
    drawn = Renderer(surface, THEME)
    drawn.draw_full(PREVIEW)
    assert isinstance(PREVIEW.body, Preview)
    turned = replace(PREVIEW, body=replace(PREVIEW.body, current=1, caption="第 2 页"))
    drawn.update(turned)
    Renderer(fresh, THEME).draw_full(turned)
    assert pygame.image.tobytes(surface, "RGB") == pygame.image.tobytes(fresh, "RGB")


# --- nothing stays -----------------------------------------------------------------------------


def test_forget_drops_the_pixels_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    drawn = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    drawn.draw_full(PREVIEW)
    drawn.draw_full(PRINTING)
    assert counting.alive == 2
    drawn.forget()
    assert counting.alive == 0


def test_idle_forgets_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)

    def remembered() -> list[object]:
        gc.collect()
        return [
            thing
            for thing in gc.get_objects()
            if isinstance(thing, (PageImage, Image)) and thing.id == "the-visitor's"
        ]

    with Window(PORTRAIT) as window:
        window.show(with_pages(PageImage("the-visitor's", png())))
        assert remembered() and counting.alive == 1
        window.show(samples(CHINESE)["idle"])
        assert remembered() == [] and counting.alive == 0


def test_pages_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(monkeypatch)
    drawn = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    for number in range(12):
        drawn.draw_full(with_pages(PageImage(f"page.{number}", png())))
    assert len(counting.made) == 12
    held = [surface for made in counting.made if (surface := made()) is not None]
    assert held[-1].get_width() > 700
    assert sum(page.get_pitch() * page.get_height() for page in held) <= 12 * 1024 * 1024


def test_paper_lies_on_its_shadow() -> None:
    scene = layout(PREVIEW, THEME, PORTRAIT)
    kinds = [type(node).__name__ for node in scene.nodes]
    at = kinds.index("Shadow")
    assert kinds[at : at + 3] == ["Shadow", "Plate", "Image"]
    assert Rect(0, 0, *PORTRAIT).encloses(scene.nodes[at].rect)
