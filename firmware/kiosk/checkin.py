"""The check-in's questions: language, need, red flags, lane, for how many; or a promise when the day is
full."""

from hubcore.labels import PICTOGRAMS
from kiosk.emergency import raise_emergency, sign
from kiosk.screens import Choice, List, attempt, sorry

_KEYS = "udyb"  # the keys of a code; the glyph of each is its position here plus one


class Language(List):
    """The languages, each by its own name; begins a check-in, or is held up anywhere by holding help."""

    title = "language.title"

    def __init__(self, ui):
        super().__init__(ui)
        self._returns = False

    def enter(self) -> None:
        super().enter()
        self._returns = False

    def offer(self) -> None:
        """Show over the present screen, which stays as it is underneath."""
        ui = self.ui
        if ui.screen is self:
            return
        if ui.screen is ui.screens["idle"]:
            ui.show("language", False)
            return
        ui.show("language")
        self._returns = True
        for i in range(self.count()):
            if ui.words.languages[i][0] == ui.words.language:
                self._move(i)

    def count(self) -> int:
        return len(self.ui.words.languages)

    def _row(self, canvas, i: int) -> None:
        canvas.endonym(i, self._y + (i - self._top) * self._step, i == self.at)

    def choose(self, i: int) -> None:
        ui = self.ui
        ui.words.use(ui.words.languages[i][0])
        if self._returns:
            ui.back()
        else:
            ui.show("need")


class Need(Choice):
    """What brings the visitor, in plain words."""

    title = "need.title"
    table = (
        ("toothache", "need.toothache"),
        ("swelling", "need.swelling"),
        ("bleeding", "need.bleeding"),
        ("broken", "need.broken"),
        ("denture", "need.denture"),
        ("checkup", "need.checkup"),
    )

    def take(self, value) -> None:
        self.ui.answers.need = value
        if value == "checkup":
            after_flags(self.ui)
        else:
            self.ui.show("flags")


class Flags(Choice):
    """The red flags on one screen: any of them is an emergency, at once, whatever else is true."""

    title = "flag.title"
    table = (
        (None, "flag.none"),
        ("breathing", "flag.breathing"),
        ("swelling_face", "flag.swelling"),
        ("bleeding_heavy", "flag.bleeding"),
        ("injury", "flag.injury"),
        ("sepsis", "flag.sepsis"),
    )

    def take(self, value) -> None:
        if value is None:
            after_flags(self.ui)
        else:
            raise_emergency(self.ui, value)


class Lane(Choice):
    """The kind of care waited for."""

    title = "lane.title"
    table = (("any", "lane.any"), ("adult", "lane.adult"), ("child", "lane.child"))

    def take(self, value) -> None:
        self.ui.answers.lane = value
        after_lane(self.ui)


class Size(Choice):
    """How many come together: each gets a ticket, all with one code."""

    title = "size.title"
    table = (
        (1, "size.one"),
        (2, "size.two"),
        (3, "size.three"),
        (4, "size.four"),
        (5, "size.five"),
        (6, "size.six"),
    )

    def take(self, value) -> None:
        self.ui.answers.size = value
        self.ui.show("pictogram")


class Offer(Choice):
    """The day is full: tomorrow first?"""

    title = "offer.title"
    note = "offer.note"
    table = ((True, "offer.yes"), (False, "offer.no"))

    def take(self, value) -> None:
        ui = self.ui
        ui.answers.tomorrow = value
        if value:
            lane_or_on(ui)
        else:
            ui.idle()


def after_flags(ui) -> None:
    """On to the lane, to an offer for tomorrow, or to a kind no when no ticket can be had."""
    fold = ui.hub.fold
    ui.answers.lane = "any"
    ui.answers.tomorrow = False
    if fold.day_open and fold.full:
        ui.show("offer")
    elif not ui.hub.taking and ui.answers.by == "self":
        sorry(ui, "day_closed")
    else:
        lane_or_on(ui)


def lane_or_on(ui) -> None:
    """Ask for the lane only where it matters: chairs with lanes of their own, or none open yet."""
    some = False
    for chair in ui.hub.fold.chairs.values():
        if chair.open:
            some = True
            if chair.picks:
                some = False
                break
    if some:
        after_lane(ui)
    else:
        ui.show("lane")


def after_lane(ui) -> None:
    """For how many is asked of who comes today; a promise is one person's."""
    ui.show("pictogram" if ui.answers.tomorrow else "size")


def take_ticket(ui) -> None:
    """Ask the hub for the ticket and show it once it is durable; a refusal is shown instead."""
    answers = ui.answers
    args = {
        "need": answers.need,
        "lane": answers.lane,
        "lang": ui.words.language,
        "pictogram": PICTOGRAMS[answers.pictogram],
    }
    if not answers.tomorrow:
        args["size"] = answers.size
    show_ticket(ui, attempt(ui, "promise" if answers.tomorrow else "checkin", sign(ui, args)))


def show_ticket(ui, result) -> None:
    """Show what a check-in's wish gave, or why it gave nothing."""
    answers = ui.answers
    if result is None:
        sorry(ui, answers.reason)
        return
    answers.label = result["ticket"]
    answers.others = result.get("others") or ()
    code = result.get("code")
    answers.code = bytes([_KEYS.index(key) + 1 for key in code]) if code else None
    ui.end("ticket")
