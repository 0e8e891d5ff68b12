"""What residents can touch and read on the bodies that ask: code, evaluation, ways."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from ui.gallery import LANDSCAPE, PORTRAIT
from ui.layout import DoesNotFitError, layout
from ui.renderer import Renderer
from ui.sample_words import CHINESE
from ui.samples import samples
from ui.scene import Drawing, Plate, Role, Scene, Text
from ui.sdl import pygame
from ui.theme import Theme
from ui.views import CodeEntry, Identify, Notice, Rating, Screen

THEME = Theme.make()
SIZES = [PORTRAIT, LANDSCAPE]
SCREENS = samples(CHINESE)
CHARACTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def code_entry() -> CodeEntry:
    body = SCREENS["code"].body
    assert isinstance(body, CodeEntry)
    return body


def with_body(name: str, body: CodeEntry | Identify | Notice | Rating) -> Screen:
    return replace(SCREENS[name], body=body)


def texts(scene: Scene) -> list[str]:
    return [node.text for node in scene.nodes if isinstance(node, Text)]


# --- code --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_every_key_can_be_touched(size: tuple[int, int]) -> None:
    scene = layout(SCREENS["code"], THEME, size)
    keys = [thing.id for thing in scene.focus if thing.role is Role.KEY]
    assert keys == [f"key.{character}" for character in CHARACTERS]
    assert {"erase", "clear"} <= {thing.id for thing in scene.focus}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("columns", [11, 8, 7])
def test_keys_of_any_grid_are_large_enough(size: tuple[int, int], columns: int) -> None:
    rows = tuple(tuple(CHARACTERS[at : at + columns]) for at in range(0, 32, columns))
    scene = layout(with_body("code", replace(code_entry(), keys=rows)), THEME, size)
    for thing in scene.focus:
        assert min(thing.rect.w, thing.rect.h) >= THEME.mm(12.7), thing


@pytest.mark.parametrize("size", SIZES)
def test_keys_too_narrow_to_be_hit_are_an_error(size: tuple[int, int]) -> None:
    with pytest.raises(DoesNotFitError):
        layout(with_body("code", replace(code_entry(), keys=(tuple(CHARACTERS),))), THEME, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("typed", ["", "7", "7F3K92MDQ4TX8HW", "7F3K92MDQ4TX8HWA"])
def test_one_box_a_character(size: tuple[int, int], typed: str) -> None:
    screen = with_body("code", replace(code_entry(), typed=typed, keys=(("K",),)))
    scene = layout(screen, THEME, size)
    edges = [node.edge for node in scene.nodes if isinstance(node, Plate) and node.radius <= 16]
    boxes = [edge for edge in edges if edge in (THEME.palette.line, THEME.palette.primary)]
    assert len(boxes) == 16
    here = [index for index, edge in enumerate(boxes) if edge == THEME.palette.primary]
    assert here == ([len(typed)] if len(typed) < 16 else [])
    single = [text for text in texts(scene) if len(text) == 1 and text in CHARACTERS]
    assert "".join(single) == typed + "K"


def test_groups_stand_apart() -> None:
    scene = layout(with_body("code", replace(code_entry(), typed="")), THEME, PORTRAIT)
    boxes = [
        node.rect
        for node in scene.nodes
        if isinstance(node, Plate) and node.radius <= 16 and node.border
    ]
    first = boxes[:8]
    gaps = [right.x - left.right for left, right in pairwise(first)]
    assert gaps[3] > 2 * gaps[0] and len(set(gaps[:3] + gaps[4:])) == 1
    assert boxes[8].y > boxes[7].bottom and boxes[8].x == boxes[0].x


def test_a_key_redraws_two_boxes_only() -> None:
    drawn = Renderer(pygame.Surface(PORTRAIT, 0, 32), THEME)
    drawn.draw_full(SCREENS["code"])
    entry = code_entry()
    rects = drawn.update(with_body("code", replace(entry, typed=entry.typed + "T")))
    assert 0 < sum(rect.w * rect.h for rect in rects) < 3 * 112 * 112


def test_nothing_to_erase() -> None:
    entry = code_entry()
    entry = replace(
        entry,
        erase=replace(entry.erase, enabled=False),
        clear=replace(entry.clear, enabled=False),
    )
    focus = {thing.id for thing in layout(with_body("code", entry), THEME, PORTRAIT).focus}
    assert focus.isdisjoint({"erase", "clear"}) and "key.A" in focus


# --- evaluation --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_every_grade_is_one_touch_and_equally_large(size: tuple[int, int]) -> None:
    scene = layout(SCREENS["rating"], THEME, size)
    grades = [thing.rect for thing in scene.focus if thing.id.startswith("grade.")]
    assert len(grades) == 5 and len({(rect.w, rect.h) for rect in grades}) == 1


@pytest.mark.parametrize("size", SIZES)
def test_grades_differ_by_their_faces(size: tuple[int, int]) -> None:
    scene = layout(SCREENS["rating"], THEME, size)
    faces = [node.name for node in scene.nodes if isinstance(node, Drawing)]
    assert [name for name in faces if name != "tick"] == [f"face-{n}" for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_the_chosen_grade_has_a_sign(size: tuple[int, int]) -> None:
    body = SCREENS["rating"].body
    assert isinstance(body, Rating)
    for chosen, ticks in (("", 0), ("grade.1", 1), ("grade.5", 1)):
        scene = layout(with_body("rating", replace(body, chosen=chosen)), THEME, size)
        signs = [node.rect for node in scene.nodes if getattr(node, "name", "") == "tick"]
        assert len(signs) == ticks
        for sign in signs:
            place = next(thing.rect for thing in scene.focus if thing.id == chosen)
            assert place.encloses(sign)


# --- ways and facts ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_way_out_of_order_tells_why(size: tuple[int, int]) -> None:
    body = SCREENS["identify-other"].body
    assert isinstance(body, Identify)
    way = body.ways[1]
    scene = layout(SCREENS["identify-other"], THEME, size)
    words = "".join(texts(scene))
    assert way.title in words and way.unavailable in words
    assert not any(line in words for line in way.lines)
    (picture,) = (node for node in scene.nodes if getattr(node, "name", "") == way.picture.value)
    assert isinstance(picture, Drawing) and picture.muted
    assert sum(getattr(node, "name", "") == "alert" for node in scene.nodes) == 1
    others = [node for node in scene.nodes if isinstance(node, Drawing) and node != picture]
    assert not any(other.muted for other in others)


def test_muted_pictures_are_paler() -> None:
    from ui.drawings import load_drawing

    palette = THEME.palette
    bright = load_drawing("phone-code", (320, 248), palette, None)
    muted = load_drawing("phone-code", (320, 248), palette, None, muted=True)
    frame = (160, 36)
    assert sum(bright.get_at(frame)[:3]) + 150 < sum(muted.get_at(frame)[:3])
    assert sum(muted.get_at(frame)[:3]) < sum(palette.background)


@pytest.mark.parametrize("size", SIZES)
def test_the_action_lies_below_the_ways(size: tuple[int, int]) -> None:
    scene = layout(SCREENS["identify-other"], THEME, size)
    button = next(thing.rect for thing in scene.focus if thing.id == "none")
    assert all(node.rect.bottom <= button.y for node in scene.nodes if getattr(node, "name", ""))
    assert button.w > size[0] // 2
    body = SCREENS["identify-other"].body
    assert isinstance(body, Identify)
    without = layout(with_body("identify-other", replace(body, action=None)), THEME, size)
    assert "none" not in {thing.id for thing in without.focus}


@pytest.mark.parametrize("size", SIZES)
def test_facts_are_rows_of_label_and_value(size: tuple[int, int]) -> None:
    body = SCREENS["verified"].body
    assert isinstance(body, Notice)
    scene = layout(SCREENS["verified"], THEME, size)
    lines = {node.text: node for node in scene.nodes if isinstance(node, Text)}
    ends = set()
    for label, value in body.facts:
        assert lines[label].baseline == lines[value].baseline
        assert lines[label].rect.right < lines[value].rect.x
        assert lines[value].bold and not lines[label].bold
        ends.add((lines[label].rect.x, lines[value].rect.right))
    assert len(ends) == 1
