"""The staff desk: opening chairs, closing the day, undo, and what is wrong with the kiosk."""

from hubcore.classes import ANY_LANE, EMERGENCY, LANES
from kiosk.desk import Rows
from kiosk.words import plain

# What an act is called in the list of acts, where that is not the record's kind.
_ACTS = {
    "called": "call",
    "recalled": "recall",
    "deferred": "defer",
    "transferred": "transfer",
    "requeued": "requeue",
    "class_changed": "class",
}


def screens(ui) -> dict:
    """The day's part of the desk, by name, made anew."""
    desk = ui.screens["desk"].desk
    return {"desk_close": Close(desk), "desk_health": Health(desk)}


def undo(desk) -> None:
    """Say what the last act was, and take it back if that is meant."""
    act = desk.ui.hub.fold.undoable()
    if act is None:
        desk.say("no", "no_nothing_to_undo")
        return
    desk.sure("undo", "undo", {}, act.visit.label, desk.word(_ACTS.get(act.kind, act.kind)))


def open_chair(desk) -> None:
    """Which chair, then which lanes it serves."""
    chairs = desk.ui.hub.fold.chairs
    names = sorted(name for name in chairs if not chairs[name].open)
    number = 1
    while str(number) in chairs:
        number += 1
    names.append(str(number))

    def lanes(i):
        desk.chair = names[i]
        desk.pick("lanes", ["lane_" + lane for lane in LANES], opened, False)

    def opened(i):
        wanted = [] if LANES[i] == ANY_LANE else [LANES[i]]
        desk.do("chair_open", {"chair": desk.chair, "lanes": wanted})

    desk.pick("which", [plain(name) for name in names], lanes)


class Close(Rows):
    """What is still open at the end of the day: settled one by one, or all at once."""

    title = "desk.close"

    def __init__(self, desk):
        super().__init__(desk)
        self._how = ()

    def _look(self):
        visits = self.ui.hub.fold.visits
        return ["all_tomorrow", "all_left"] + sorted(visits) if visits else ["all_done"]

    def enter(self) -> None:
        super().enter()
        self.rows = self._look()

    def text(self, i: int):
        row = self.rows[i]
        if row.startswith("all_"):
            return super().text(i)
        visit = self.ui.hub.fold.visits.get(row)
        return self.desk.visit(visit) if visit is not None else b""

    def icon(self, i: int):
        return None

    def draw(self, canvas) -> None:
        self.rows = self._look()
        self.at = min(self.at, len(self.rows) - 1)
        super().draw(canvas)

    def refresh(self, canvas) -> None:
        if self._look() != self.rows:
            self.draw(canvas)

    def choose(self, i: int) -> None:
        desk = self.desk
        row = self.rows[i]
        if row == "all_left":
            desk.sure(row, "day_close", {"rest": "left"}, len(self.rows) - 2)
        elif row == "all_tomorrow":
            desk.sure(row, "day_close", {"rest": "tomorrow"}, len(self.rows) - 2)
        elif row == "all_done":
            desk.sure(row, "day_close", {})
        else:
            visit = self.ui.hub.fold.visits.get(row)
            if visit is None:  # somebody was faster
                self.draw(self.ui.canvas)
                return
            desk.label = row
            how = ("defer", "left") if visit.state == "waiting" else ("served", "defer", "left")
            self._how = [act for act in how if act != "defer" or visit.cls != EMERGENCY]
            desk.pick("how", self._how, self._settle)

    def _settle(self, i: int) -> None:
        desk = self.desk
        if desk.wish(self._how[i], {"ticket": desk.label}):
            self.ui.back()


class Health(Rows):
    """What is wrong with the kiosk; yes says what to do."""

    title = "desk.health"

    def _look(self):
        return ["t_" + name for name in self.ui.health.standing]

    def enter(self) -> None:
        super().enter()
        self.rows = self._look()

    def refresh(self, canvas) -> None:
        rows = self._look()
        if rows != self.rows:
            self.rows = rows
            if rows:
                self.at = min(self.at, len(rows) - 1)
                self.draw(canvas)
            else:
                self.ui.back()

    def choose(self, i: int) -> None:
        name = self.rows[i]
        self.desk.say(name, "fix" + name[1:])
