"""The check-in's questions: need, red flags, lane, for how many; or a promise when the day is full."""

from kiosk.emergency import Emergency, raise_emergency
from kiosk.screens import Choice
from kiosk.visitor import sorry


def screens(ui) -> dict:
    """Its questions by name, made anew."""
    return {
        "need": Need(ui),
        "flags": Flags(ui),
        "offer": Offer(ui),
        "lane": Lane(ui),
        "size": Size(ui),
        "emergency": Emergency(ui),
    }


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
