"""What must hold on every screen, whatever its words."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ui import fonts
from ui.gallery import LANDSCAPE, PORTRAIT, sheets
from ui.layout import DoesNotFitError, layout
from ui.sample_pages import sample_pages
from ui.sample_words import CHINESE, ENGLISH, Words
from ui.samples import samples
from ui.scene import Drawing, Fill, Image, Plate, Rect, Scene, Shadow, Text, Veil
from ui.theme import SMALLEST_GAP_MM, SMALLEST_TARGET_MM, Theme
from ui.views import (
    Action,
    Badge,
    Bars,
    Block,
    Body,
    CodeEntry,
    Countdown,
    Done,
    Emphasis,
    Figure,
    Footer,
    Grade,
    Header,
    Identify,
    Menu,
    Message,
    Notice,
    Overview,
    Picture,
    PinEntry,
    Preview,
    Printing,
    Progress,
    Rating,
    Screen,
    Steps,
    Tile,
    Tone,
    Tool,
    Way,
)

SHEETS = {name: (screen, theme, size) for name, screen, theme, size in sheets()}


@pytest.fixture(params=SHEETS)
def sheet(request: pytest.FixtureRequest) -> tuple[Scene, Theme]:
    screen, theme, size = SHEETS[request.param]
    return layout(screen, theme, size), theme


def assert_all_in_place(scene: Scene) -> None:
    whole = Rect(0, 0, *scene.size)
    below: list[Fill | Plate] = []
    for node in scene.nodes:
        assert node.rect.w > 0 and node.rect.h > 0, node
        assert whole.encloses(node.rect), f"{type(node).__name__} leaves the screen: {node.rect}"
        match node:
            case Plate() if is_ring(node, whole):
                pass
            case Fill() | Plate():
                below.append(node)
            case Text():
                assert fonts.width(node.text, node.size, node.bold) <= node.rect.w
                ink = ink_of(node)
                parent = next(
                    plate for plate in reversed(below) if plate.rect.holds(ink.centre, ink.middle)
                )
                assert parent.rect.encloses(ink), f"text leaves its {type(parent).__name__}"
            case Image():
                sheet = below[-1]
                assert (
                    isinstance(sheet, Plate) and sheet.rect.inset(*2 * (sheet.border,)) == node.rect
                )
            case Drawing() | Shadow() | Veil():
                pass


def is_ring(plate: Plate, whole: Rect) -> bool:
    """The idle screen's large discs are there to be looked at, not to hold text."""
    large = plate.rect.w * 3 > min(whole.w, whole.h)
    return large and plate.radius == plate.rect.w // 2 == plate.rect.h // 2


def ink_of(text: Text) -> Rect:
    """Where Han characters of this line have ink."""
    top = text.baseline - round(text.size * 0.88)
    return Rect(text.rect.x, top, text.rect.w, text.size)


def assert_layers_clean(scene: Scene) -> None:
    """Every shape lies wholly on or wholly beside each shape and text drawn before it."""
    if any(isinstance(node, Veil) for node in scene.nodes):
        return
    whole = Rect(0, 0, *scene.size)
    before: list[Rect] = []
    for node in scene.nodes:
        if isinstance(node, Plate) and is_ring(node, whole):
            continue
        rect = ink_of(node) if isinstance(node, Text) else node.rect
        if isinstance(node, (Plate, Drawing, Image, Shadow)):
            for other in before:
                beside = not rect.meets(other)
                assert beside or other.encloses(rect), f"{rect} partly covers {other}"
        if not isinstance(node, (Fill, Shadow)):
            before.append(rect)


def assert_texts_apart(scene: Scene) -> None:
    start = max(
        (index for index, node in enumerate(scene.nodes) if isinstance(node, Veil)), default=0
    )
    texts = [ink_of(node) for node in scene.nodes[start:] if isinstance(node, Text)]
    for one, other in itertools.combinations(texts, 2):
        assert not one.meets(other), f"texts overlap at {one} and {other}"


def assert_can_be_touched(scene: Scene, theme: Theme) -> None:
    least, gap = theme.mm(SMALLEST_TARGET_MM), theme.mm(SMALLEST_GAP_MM)
    names = [thing.id for thing in scene.focus]
    assert len(names) == len(set(names))
    for thing in scene.focus:
        assert min(thing.rect.w, thing.rect.h) >= least, thing
    for one, other in itertools.combinations(scene.focus, 2):
        a, b = one.rect, other.rect
        apart = max(a.x - b.right, b.x - a.right, a.y - b.bottom, b.y - a.bottom)
        assert apart >= gap, f"{one.id} and {other.id} are {apart} px apart"


def test_nothing_leaves_its_place(sheet: tuple[Scene, Theme]) -> None:
    assert_all_in_place(sheet[0])
    assert_layers_clean(sheet[0])
    assert_texts_apart(sheet[0])


def test_targets_are_large_and_apart(sheet: tuple[Scene, Theme]) -> None:
    assert_can_be_touched(*sheet)


def test_no_text_is_too_small(sheet: tuple[Scene, Theme]) -> None:
    scene, theme = sheet
    header = theme.px(168 if scene.size[1] > scene.size[0] else 136)
    for node in scene.nodes:
        if isinstance(node, Text):
            least = 40 if theme.large and node.rect.y >= header else 26
            assert node.size >= theme.px(least), node.size


def test_every_character_can_be_drawn(sheet: tuple[Scene, Theme]) -> None:
    texts = "".join(node.text for node in sheet[0].nodes if isinstance(node, Text))
    assert fonts.missing(texts) == ""


def test_samples_are_not_cut(sheet: tuple[Scene, Theme]) -> None:
    for node in sheet[0].nodes:
        if isinstance(node, Text):
            assert "…" not in node.text and not node.text.endswith("...")


def test_same_view_gives_same_scene() -> None:
    one = layout(samples(CHINESE)["overview"], Theme.make(), PORTRAIT)
    other = layout(samples(CHINESE)["overview"], Theme.make(), PORTRAIT)
    assert one == other


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.5])
def test_scales_with_density(scale: float) -> None:
    theme = Theme.make(density=102.5 * scale)
    size = round(1080 * scale), round(1920 * scale)
    for screen in samples(CHINESE).values():
        scene = layout(screen, theme, size)
        assert_all_in_place(scene)
        assert_can_be_touched(scene, theme)


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE])
@pytest.mark.parametrize("words", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_every_sample_holds_in_large_type(words: Words, size: tuple[int, int]) -> None:
    theme = Theme.make(large=True)
    for screen in samples(words).values():
        body = screen.body
        for shorter in (screen, replace(screen, body=without_bars(body))):
            scene = layout(shorter, theme, size)
            assert_all_in_place(scene)
            assert_layers_clean(scene)
            assert_can_be_touched(scene, theme)


def without_bars(body: Body) -> Body:
    """Leaves room for type that is truly large."""
    if isinstance(body, Overview):
        return replace(body, main=replace(body.main, bars=None), blocks=body.blocks[:2])
    return body


def test_overlay_alone_answers() -> None:
    scene = layout(samples(CHINESE)["timeout"], Theme.make(), PORTRAIT)
    assert [thing.id for thing in scene.focus] == ["leave", "go-on"]


def test_disabled_things_are_not_offered() -> None:
    scene = layout(samples(CHINESE)["menu"], Theme.make(), PORTRAIT)
    assert "certificate" not in {thing.id for thing in scene.focus}


def test_countdown_moves_nothing_but_its_digits() -> None:
    screen = samples(CHINESE)["pin"]
    footer = screen.footer
    assert isinstance(footer, Footer) and footer.countdown is not None
    later = replace(screen, footer=replace(footer, countdown=replace(footer.countdown, seconds=9)))
    one = set(layout(screen, Theme.make(), PORTRAIT).nodes)
    other = set(layout(later, Theme.make(), PORTRAIT).nodes)
    assert len(one - other) == len(other - one) == 1


def test_too_many_things_is_an_error() -> None:
    tiles = tuple(Tile(f"t{index}", "题", "示", "字") for index in range(60))
    with pytest.raises(DoesNotFitError, match=r"Menu in 1080x1920"):
        layout(Screen(Menu("题", "示", None, tiles)), Theme.make(), PORTRAIT)


# --- any words ---------------------------------------------------------------------------------

WORDS = st.one_of(
    st.text(
        st.sampled_from("查询缴费记录卡，。、：（）“” abcdefgWW1234567890-/.·\n"),
        min_size=1,
        max_size=90,
    ).map(lambda text: text.strip() or "字"),
    st.sampled_from(["W" * 80, "很长的一句话，" * 12, "several words of a long sentence " * 4]),
)
TONES = st.sampled_from(Tone)


def action(name: str) -> st.SearchStrategy[Action]:
    return st.builds(Action, st.just(name), WORDS, st.sampled_from(Emphasis), st.booleans())


STEPS = st.none() | st.builds(
    Steps, st.tuples(WORDS, WORDS, WORDS), st.integers(min_value=0, max_value=2)
)
MESSAGE = st.none() | st.builds(Message, TONES, WORDS, st.tuples(WORDS))
WAY = st.builds(
    Way,
    st.just("way"),
    WORDS,
    st.tuples(WORDS, WORDS),
    st.sampled_from(Picture),
    st.booleans(),
    st.just("") | WORDS,
)
PAGES = sample_pages(CHINESE)
PAGE = st.sampled_from(PAGES)
KEYS = tuple(tuple("23456789ABCDEFGHJKLMNPQRSTUVWXYZ"[at : at + 8]) for at in range(0, 32, 8))
BLOCK = st.builds(
    Block,
    st.just("block"),
    WORDS,
    st.just(()) | st.tuples(st.builds(Figure, WORDS, WORDS), st.builds(Figure, WORDS, WORDS)),
    WORDS,
    st.tuples(WORDS),
    st.none() | st.builds(Bars, st.just((0.0, 0.5, 1.0)), st.just((True, False, True)), WORDS),
    st.just("") | WORDS,
)


def tile(name: str) -> st.SearchStrategy[Tile]:
    return st.builds(Tile, st.just(name), WORDS, WORDS, st.just("字"), st.booleans(), WORDS)


BODIES: st.SearchStrategy[Body] = st.one_of(
    st.builds(
        Menu,
        WORDS,
        WORDS,
        st.none() | tile("first"),
        st.tuples(*(tile(f"t{index}") for index in range(4))),
        st.tuples(action("a"), action("b")),
    ),
    st.builds(
        Identify, WORDS, WORDS, st.tuples(WAY, WAY), STEPS, st.none(), st.none() | action("none")
    ),
    st.builds(
        Preview,
        WORDS,
        WORDS,
        st.just(PAGES),
        st.integers(0, 1),
        st.just("") | WORDS,
        st.none() | action("previous"),
        st.none() | action("next"),
        STEPS,
        MESSAGE,
    ),
    st.builds(
        Printing, WORDS, WORDS, st.none() | PAGE, st.none() | st.floats(0, 1), MESSAGE, STEPS
    ),
    st.builds(
        Rating,
        WORDS,
        WORDS,
        st.tuples(*(st.builds(Grade, st.just(f"g{n}"), WORDS, st.just(n)) for n in range(1, 6))),
        st.sampled_from(["", "g3"]),
        st.just(()) | st.tuples(WORDS),
    ),
    st.builds(
        CodeEntry,
        WORDS,
        WORDS,
        st.sampled_from(["", "7F3K", "7F3K92MDQ4TX8HWA"]),
        st.sampled_from([(4, 4, 4, 4), (6,), (3, 5)]),
        st.just(KEYS),
        action("erase"),
        action("clear"),
        MESSAGE,
        st.none() | WAY,
    ),
    st.builds(PinEntry, WORDS, WORDS, st.just(6), st.integers(0, 6), WAY, STEPS, MESSAGE),
    st.builds(
        Overview,
        WORDS,
        WORDS,
        st.none() | st.builds(Badge, WORDS, TONES),
        BLOCK,
        st.tuples(BLOCK, BLOCK),
        st.none() | action("reveal"),
        STEPS,
    ),
    st.builds(
        Progress,
        WORDS,
        WORDS,
        st.none() | st.floats(0, 1),
        st.tuples(*(st.builds(Badge, WORDS, TONES) for _ in range(3))),
        STEPS,
    ),
    st.builds(
        Notice,
        TONES,
        st.sampled_from(Picture),
        WORDS,
        WORDS,
        st.tuples(WORDS),
        st.tuples(action("a"), action("b")),
        WORDS,
        st.just(()) | st.tuples(st.tuples(WORDS, WORDS), st.tuples(WORDS, WORDS)),
    ),
    st.builds(
        Done, st.sampled_from(Picture), WORDS, WORDS, st.tuples(WORDS), st.tuples(action("a"))
    ),
)
SCREENS = st.builds(
    Screen,
    BODIES,
    st.just(""),
    st.builds(
        Header, WORDS, WORDS, st.just((Tool("help", "?", "求助"), Tool("en", "EN", "English")))
    ),
    st.builds(
        Footer,
        st.none() | action("back"),
        st.none() | st.builds(Countdown, WORDS, st.integers(0, 999), WORDS),
        st.none() | action("middle"),
        st.none() | action("forward"),
        st.just(()) | st.tuples(st.builds(Badge, WORDS, TONES)),
    ),
    st.none(),
    st.sampled_from(["zh-CN", "en"]),
)


@settings(max_examples=80, deadline=None, phases=set(Phase) - {Phase.shrink, Phase.explain})
@given(SCREENS, st.sampled_from([PORTRAIT, LANDSCAPE]))
def test_any_words_fit(screen: Screen, size: tuple[int, int]) -> None:
    theme = Theme.make()
    scene = layout(screen, theme, size)
    assert_all_in_place(scene)
    assert_layers_clean(scene)
    assert_texts_apart(scene)
    assert_can_be_touched(scene, theme)


# --- the most of everything ----------------------------------------------------------------------

LONG = "很长的一句话，说了很多" * 9


def actions(count: int) -> tuple[Action, ...]:
    return tuple(Action(f"a{index}", LONG) for index in range(count))


def blocks(count: int) -> tuple[Block, ...]:
    figures = (Figure(LONG, LONG), Figure(LONG, LONG))
    return tuple(Block(f"b{index}", LONG, figures, LONG, (LONG,)) for index in range(count))


FULL_STEPS, FULL_MESSAGE = Steps((LONG,) * 3, 1), Message(Tone.WARN, LONG, (LONG, LONG))
FULL_WAY = Way("way", LONG, (LONG, LONG), Picture.KEYPAD)
FULLEST: dict[str, Body] = {
    "menu": Menu(
        LONG,
        LONG,
        Tile("first", LONG, LONG, "字"),
        tuple(Tile(f"t{index}", LONG, LONG, "字") for index in range(6)),
        actions(4),
        FULL_MESSAGE,
    ),
    "identify": Identify(LONG, LONG, (FULL_WAY,) * 4, FULL_STEPS, FULL_MESSAGE),
    "identify-none": Identify(
        LONG,
        LONG,
        (replace(FULL_WAY, unavailable=LONG),) * 3,
        FULL_STEPS,
        FULL_MESSAGE,
        Action("none", LONG),
    ),
    "preview": Preview(
        LONG,
        LONG,
        PAGES,
        1,
        LONG,
        Action("previous", LONG),
        Action("next", LONG),
        FULL_STEPS,
        FULL_MESSAGE,
    ),
    "printing": Printing(LONG, LONG, PAGES[0], None, FULL_MESSAGE, FULL_STEPS),
    "printing-none": Printing(LONG, LONG, None, 1.0, FULL_MESSAGE, FULL_STEPS),
    "rating": Rating(
        LONG, LONG, tuple(Grade(f"g{n}", LONG, n) for n in range(5, 0, -1)), "g3", (LONG, LONG)
    ),
    "code": CodeEntry(
        LONG,
        LONG,
        "W" * 20,
        (4, 4, 4, 4),
        KEYS,
        Action("erase", LONG),
        Action("clear", LONG),
        FULL_MESSAGE,
        FULL_WAY,
    ),
    "pin": PinEntry(LONG, LONG, 6, 2, FULL_WAY, FULL_STEPS, FULL_MESSAGE),
    "overview": Overview(
        LONG, LONG, Badge(LONG), blocks(1)[0], blocks(6), Action("reveal", LONG), FULL_STEPS
    ),
    "progress": Progress(LONG, LONG, 0.5, (Badge(LONG),) * 6, FULL_STEPS),
    "notice": Notice(Tone.STOP, Picture.STOPPED, LONG, LONG, (LONG,) * 4, actions(3), LONG),
    "facts": Notice(
        Tone.OK,
        Picture.DONE,
        LONG,
        LONG,
        (LONG,),
        actions(2),
        LONG,
        tuple((LONG, LONG) for _ in range(6)),
    ),
    "done": Done(Picture.CARD_TAKE, LONG, LONG, (LONG,) * 4, actions(2)),
}


@pytest.mark.parametrize("name", FULLEST)
@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE])
@pytest.mark.parametrize("large", [False, True])
def test_the_most_of_everything_fits(name: str, size: tuple[int, int], large: bool) -> None:
    footer = Footer(
        Action("back", LONG),
        Countdown(LONG, 9, LONG),
        Action("middle", LONG),
        Action("forward", LONG),
        (Badge(LONG),),
    )
    header = Header(LONG, LONG, (Tool("help", "?", LONG),))
    theme = Theme.make(large=large)
    scene = layout(Screen(FULLEST[name], header=header, footer=footer), theme, size)
    assert_all_in_place(scene)
    assert_layers_clean(scene)
    assert_texts_apart(scene)
    assert_can_be_touched(scene, theme)
