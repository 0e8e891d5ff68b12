"""Everything that a screen can say: values in, no drawing, no words of any trade.

The application composes a `Screen` from finished texts; the renderer turns the same `Screen`
into the same pixels. Ids are what comes back when something is touched; they are names of
places on the screen and never carry content (they also appear in the observe output).
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """One way to do a thing: a drawing, a title and one or two lines. Not a button."""

    id: str
    title: str
    lines: tuple[str, ...]
    picture: Picture
    prominent: bool = False


@dataclass(frozen=True)
class Identify:
    """Ways to show who one is; the machine notices by itself which one is used."""

    title: str
    hint: str
    ways: tuple[Way, ...]
    steps: Steps | None = None
    message: Message | None = None


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
    """What happened, what to do now, where to go; a small code for the staff."""

    tone: Tone
    picture: Picture
    title: str
    hint: str
    lines: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    code: str = ""


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


Body = Idle | Menu | Identify | PinEntry | Overview | Progress | Notice | Done


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
