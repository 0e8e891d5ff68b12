"""Everything that a screen can say: values in, no drawing, no words of any trade.

The application composes a `Screen` from finished texts; the renderer turns the same `Screen`
into the same pixels. Ids are what comes back when something is touched; they are names of
places on the screen and never carry content (they also appear in the observe output).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Emphasis(Enum):
    """How strongly a button asks to be pressed. One `PRIMARY` a screen, at the right."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    QUIET = "quiet"


class Tone(Enum):
    """State of something; always shown with a sign or a word, never by colour alone."""

    NEUTRAL = "neutral"
    INFO = "info"
    OK = "ok"
    WARN = "warn"
    STOP = "stop"


class Picture(Enum):
    """Drawings the toolkit knows (ui/pictures/*.svg)."""

    CARD_INSERT = "card-insert"
    CARD_TAKE = "card-take"
    PHONE_CODE = "phone-code"
    ID_CARD = "id-card"
    KEYPAD = "keypad"
    WARNING = "warning"
    STOPPED = "stopped"
    DONE = "done"
    CLOCK = "clock"
    SHEET_TAKE = "sheet-take"
    CODE_SCAN = "code-scan"
    PRINTER = "printer"


@dataclass(frozen=True)
class Action:
    """A button."""

    id: str
    label: str
    emphasis: Emphasis = Emphasis.SECONDARY
    enabled: bool = True


@dataclass(frozen=True)
class Tool:
    """A small square button in the header: one glyph above a short label."""

    id: str
    glyph: str
    label: str


@dataclass(frozen=True)
class Badge:
    """One state in the footer or header, for example of the network."""

    text: str
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True)
class Countdown:
    """Time left, written as ``before`` **seconds** ``after``."""

    before: str
    seconds: int
    after: str


@dataclass(frozen=True)
class Header:
    title: str
    place: str
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True)
class HomeFooter:
    """Footer of the home screen: a telephone number and the machine's state."""

    phone_label: str
    phone: str
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True)
class Footer:
    """Footer of every other screen: way back at the left, time left, main action at the right."""

    back: Action | None = None
    countdown: Countdown | None = None
    middle: Action | None = None
    forward: Action | None = None
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True)
class Steps:
    """Where the resident is: labels of all steps and the index of the current one."""

    labels: tuple[str, ...]
    current: int


@dataclass(frozen=True)
class Message:
    """A coloured box of one bold line and some plain ones."""

    tone: Tone
    title: str
    lines: tuple[str, ...] = ()


# --- bodies ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Idle:
    """Nobody is there: a calm invitation. The whole screen is one button with the id ``start``."""

    title: str
    hint: str
    invitation: str
    clock: str
    date: str


@dataclass(frozen=True)
class Tile:
    """One choice of a menu.

    Attributes:
        glyph: a single character on the icon plate.
        note: why it can't be chosen now; shown instead of the hint when not enabled.
    """

    id: str
    title: str
    hint: str
    glyph: str
    enabled: bool = True
    note: str = ""


@dataclass(frozen=True)
class Menu:
    """A greeting, one large first choice, further tiles in two columns, quick links below."""

    title: str
    hint: str
    first: Tile | None
    tiles: tuple[Tile, ...]
    links: tuple[Action, ...] = ()
    message: Message | None = None


@dataclass(frozen=True)
class Way:
    """One way to do a thing: a drawing, a title and one or two lines. Not a button.

    Attributes:
        unavailable: reason in words why it can't be used now; shown with a sign in place of the
            lines, and the way is muted.
    """

    id: str
    title: str
    lines: tuple[str, ...]
    picture: Picture
    prominent: bool = False
    unavailable: str = ""


@dataclass(frozen=True)
class Identify:
    """Ways to show who one is; the machine notices by itself which one is used.

    Attributes:
        action: a quiet wide button below the ways, for who has none of them.
    """

    title: str
    hint: str
    ways: tuple[Way, ...]
    steps: Steps | None = None
    message: Message | None = None
    action: Action | None = None


@dataclass(frozen=True)
class PinEntry:
    """Keys are pressed on a separate pad; the screen knows only how many.

    Attributes:
        length: circles to draw.
        count: circles filled, 0..length.
    """

    title: str
    hint: str
    length: int
    count: int
    aside: Way
    steps: Steps | None = None
    message: Message | None = None


@dataclass(frozen=True)
class Figure:
    """A large value with its caption."""

    value: str
    caption: str


@dataclass(frozen=True)
class Bars:
    """A small bar chart.

    Attributes:
        values: height of each bar, 0.0..1.0.
        settled: False draws the bar pale (pending).
    """

    values: tuple[float, ...]
    settled: tuple[bool, ...]
    caption: str


@dataclass(frozen=True)
class Block:
    """One subject of an overview.

    Attributes:
        headline: one large line, used when there are no figures.
        unavailable: reason in words; then nothing else of the block is shown.
    """

    id: str
    title: str
    figures: tuple[Figure, ...] = ()
    headline: str = ""
    lines: tuple[str, ...] = ()
    bars: Bars | None = None
    unavailable: str = ""


@dataclass(frozen=True)
class Overview:
    """All about one person: a wide first block, the others in two columns."""

    title: str
    subtitle: str
    status: Badge | None
    main: Block
    blocks: tuple[Block, ...]
    reveal: Action | None = None
    steps: Steps | None = None


@dataclass(frozen=True)
class Progress:
    """Work is going on.

    Attributes:
        fraction: 0.0..1.0, or None when it can't be told.
        lines: (text, tone) of the stages so far, oldest first.
    """

    title: str
    hint: str
    fraction: float | None = None
    lines: tuple[Badge, ...] = ()
    steps: Steps | None = None


@dataclass(frozen=True)
class Notice:
    """What happened, what to do now, where to go; a small code for the staff.

    Attributes:
        facts: rows of (label, value) between the hint and the lines, for example what a check
            has found.
    """

    tone: Tone
    picture: Picture
    title: str
    hint: str
    lines: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    code: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TimeOut:
    """The visit is about to end; one touch of ``action`` goes on. Drawn over the dimmed screen."""

    title: str
    hint: str
    seconds: int
    action: Action
    leave: Action | None = None


@dataclass(frozen=True)
class Done:
    """It is finished: the picture says what to take."""

    picture: Picture
    title: str
    hint: str
    lines: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True)
class PageImage:
    """One page of a document as pixels. Its repr shows no content; pages compare by their id.

    Attributes:
        id: tells pages apart, for caches and comparison; another picture needs another id.
        png: the encoded picture.
    """

    id: str
    png: bytes = field(repr=False, compare=False)


@dataclass(frozen=True)
class Preview:
    """A document before it is printed: the pages themselves, on paper.

    Attributes:
        pages: all pages in their order, at least one.
        current: index of the page shown large.
        caption: where one is, for example 第 1 页 / 共 2 页.
        previous: turns back; None where there is one page only. Not enabled on the first page.
        next: turns on; likewise.
    """

    title: str
    hint: str
    pages: tuple[PageImage, ...]
    current: int
    caption: str
    previous: Action | None = None
    next: Action | None = None
    steps: Steps | None = None
    message: Message | None = None


@dataclass(frozen=True)
class Printing:
    """A document comes out: its page above, how far it is below.

    Attributes:
        page: None draws a printer in its place.
        fraction: 0.0..1.0, or None when it can't be told.
        message: what the printer waits for.
    """

    title: str
    hint: str
    page: PageImage | None
    fraction: float | None
    message: Message | None = None
    steps: Steps | None = None


@dataclass(frozen=True)
class Grade:
    """One grade of an evaluation.

    Attributes:
        glyph: 5 (best) .. 1 (worst), the face drawn above the label.
    """

    id: str
    label: str
    glyph: int


@dataclass(frozen=True)
class Rating:
    """A voluntary evaluation, one touch each; the way past it stands in the footer.

    Attributes:
        chosen: id of the grade touched; empty when none is.
        lines: small print below, for example that nobody is told who gave which grade.
    """

    title: str
    hint: str
    grades: tuple[Grade, ...]
    chosen: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class CodeEntry:
    """A code typed on the screen; never for secrets.

    Attributes:
        typed: the characters so far.
        groups: how many boxes stand together, for example (4, 4, 4, 4).
        keys: rows of single characters; the id of a key is ``key.`` and its character.
        aside: another way to give the code.
    """

    title: str
    hint: str
    typed: str
    groups: tuple[int, ...]
    keys: tuple[tuple[str, ...], ...]
    erase: Action
    clear: Action
    message: Message | None = None
    aside: Way | None = None


Body = (
    Idle
    | Menu
    | Identify
    | PinEntry
    | Overview
    | Progress
    | Notice
    | Done
    | Preview
    | Printing
    | Rating
    | CodeEntry
)


@dataclass(frozen=True)
class Screen:
    """One whole picture.

    Attributes:
        name: which screen of the application this is, for example ``pin.rejected``; an id, no
            content; it appears in the observe output.
        header: None on the idle screen.
        overlay: a box over the dimmed body; while it is there only its buttons answer.
        locale: BCP 47 tag of the texts; decides line breaking.
    """

    body: Body
    name: str = ""
    header: Header | None = None
    footer: HomeFooter | Footer | None = None
    overlay: TimeOut | None = None
    locale: str = "zh-CN"
