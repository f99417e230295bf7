"""The check-in: language, need, red flags, lane, pictogram, ticket."""

from micropython import const

from hubcore.errors import HubError, Refused
from hubcore.labels import PICTOGRAMS
from kiosk.canvas import BLACK, CHOSEN, GREEN, MARGIN, PITCH, PLAIN
from kiosk.screens import List
from kiosk.ui import Screen

# What a visitor can say, the words for it, and whether the red flags are asked about.
_NEEDS = (
    ("toothache", "need.toothache", True),
    ("swelling", "need.swelling", True),
    ("bleeding", "need.bleeding", True),
    ("broken", "need.broken", True),
    ("checkup", "need.checkup", False),
)
# The first answer is "none of these"; each other one is an emergency of its own.
_FLAGS = (
    (None, "flag.none"),
    ("breathing", "flag.breathing"),
    ("swelling_face", "flag.swelling"),
    ("bleeding_heavy", "flag.bleeding"),
    ("injury", "flag.injury"),
)
_LANES = (("any", "lane.any"), ("adult", "lane.adult"), ("child", "lane.child"))

_COLUMNS = const(4)


class Language(List):
    """The languages, each by its own name."""

    title = "language.title"

    def count(self) -> int:
        return len(self.ui.words.languages)

    def text(self, i: int):
        return self.ui.words.languages[i][1]

    def choose(self, i: int) -> None:
        self.ui.words.use(self.ui.words.languages[i][0])
        self.ui.show("need")


class Need(List):
    """What brings the visitor, in plain words."""

    title = "need.title"

    def count(self) -> int:
        return len(_NEEDS)

    def text(self, i: int):
        return self.ui.words(_NEEDS[i][1])

    def choose(self, i: int) -> None:
        ui = self.ui
        ui.answers.need = _NEEDS[i][0]
        if _NEEDS[i][2]:
            ui.show("flags")
        else:
            after_flags(ui)


class Flags(List):
    """The red flags on one screen: any of them is an emergency, at once, whatever else is true."""

    title = "flag.title"

    def count(self) -> int:
        return len(_FLAGS)

    def text(self, i: int):
        return self.ui.words(_FLAGS[i][1])

    def choose(self, i: int) -> None:
        ui = self.ui
        flag = _FLAGS[i][0]
        if flag is None:
            after_flags(ui)
            return
        ui.show("emergency", False)
        ui.canvas.flush()
        raise_emergency(ui, flag)
        ui.screen.finish(ui.canvas)


class Lane(List):
    """The kind of care waited for."""

    title = "lane.title"

    def count(self) -> int:
        return len(_LANES)

    def text(self, i: int):
        return self.ui.words(_LANES[i][1])

    def choose(self, i: int) -> None:
        self.ui.answers.lane = _LANES[i][0]
        self.ui.show("pictogram")


class Pictogram(Screen):
    """A picture to be known by, beside the label: two rows of four."""

    def __init__(self, ui):
        super().__init__(ui)
        self.at = 0
        self._y = 0
        self._w = 0
        self._h = 0

    def enter(self) -> None:
        self.at = 0

    def draw(self, canvas) -> None:
        canvas.clear()
        self._y = canvas.heading(self.ui.words("pictogram.title")) + 6
        self._w = canvas.width // _COLUMNS
        self._h = (canvas.height - self._y) * _COLUMNS // len(PICTOGRAMS)
        for i in range(len(PICTOGRAMS)):
            self._cell(canvas, i)

    def _cell(self, canvas, i: int) -> None:
        x = i % _COLUMNS * self._w + 4
        y = self._y + i // _COLUMNS * self._h
        w = self._w - 8
        h = self._h - 8
        size = self.ui.pictograms.small
        ink = CHOSEN if i == self.at else PLAIN
        canvas.fb.fill_rect(x, y, w, h, ink.bg)
        if i == self.at:  # a frame within, so that colour is not the only cue
            canvas.fb.rect(x + 3, y + 3, w - 6, h - 6, BLACK)
            canvas.fb.rect(x + 4, y + 4, w - 8, h - 8, BLACK)
        self.ui.pictograms.draw(canvas.fb, i, x + (w - size) // 2, y + (h - size) // 2, ink)
        canvas.touch(x, y, w, h)

    def key(self, key: str) -> None:
        ui = self.ui
        if key == "yes":
            ui.answers.pictogram = self.at
            take_ticket(ui)
        elif key == "back":
            ui.back()
        elif key == "down" or key == "up":
            old = self.at
            self.at = (old + (1 if key == "down" else -1)) % len(PICTOGRAMS)
            self._cell(ui.canvas, old)
            self._cell(ui.canvas, self.at)


class Ticket(Screen):
    """The label, the picture, the place. What it says is already durable."""

    patience_ms = 60000
    warns = False

    def __init__(self, ui):
        super().__init__(ui)
        self._place = 0

    def enter(self) -> None:
        # Once: the visit may be called, and gone from the fold, while this shows.
        hub = self.ui.hub
        self._place = hub.fold.place(self.ui.answers.label, hub.now_ms())

    def draw(self, canvas) -> None:
        ui = self.ui
        words = ui.words
        answers = ui.answers
        canvas.clear(GREEN)
        y = canvas.heading(words("ticket.kept" if answers.kept else "ticket.title")) + 4
        ui.label_font.draw(canvas.fb, answers.label.encode(), MARGIN, y + 14, PLAIN)
        size = ui.pictograms.large
        ui.pictograms.draw(canvas.fb, answers.pictogram, canvas.width - size - MARGIN, y, PLAIN, True)
        y = canvas.height - 3 * PITCH
        if self._place:
            canvas.text(words.fill("ticket.place", self._place), MARGIN, y, PLAIN)
        canvas.text(words("ticket.text"), MARGIN, y + PITCH, PLAIN)

    def key(self, key: str) -> None:
        self.ui.idle()


def after_flags(ui) -> None:
    """On to the lane, or to a kind no when no ticket can be had."""
    fold = ui.hub.fold
    if not fold.day_open:
        refuse(ui, "day_closed")
    elif fold.full:
        refuse(ui, "full")
    else:
        ui.show("lane")


def refuse(ui, reason: str) -> None:
    """Show why there is no ticket."""
    ui.answers.reason = reason
    ui.show("sorry", False)


def take_ticket(ui) -> None:
    """Ask the hub for the ticket and show it once it is durable; a refusal is shown instead."""
    answers = ui.answers
    try:
        result = ui.hub.wish(
            "checkin",
            {
                "need": answers.need,
                "lane": answers.lane,
                "lang": ui.words.language,
                "pictogram": PICTOGRAMS[answers.pictogram],
            },
        )
    except HubError as error:
        if isinstance(error, Refused):
            refuse(ui, error.reason)
        else:  # the flash failed: nothing was promised yet
            refuse(ui, "other")
            ui.hub.fault("ui", error)
        return
    answers.label = result["ticket"]
    ui.show("ticket", False)


def raise_emergency(ui, flag: str) -> None:
    """Record the emergency: as a visit, or where that is refused (closed, full, no room) as an alert
    alone."""
    hub = ui.hub
    try:
        result = hub.wish(
            "checkin", {"need": flag, "lane": "any", "lang": ui.words.language, "pictogram": PICTOGRAMS[0]}
        )
        ui.answers.label = result["ticket"]
    except HubError as error:
        try:
            hub.wish("alert_raise", {"why": "emergency"})
        except HubError:
            hub.fault("ui", error)
