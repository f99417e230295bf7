"""The staff desk: who waits, and everything that can be done with one ticket or one chair."""

from micropython import const

from hubcore.classes import EMERGENCY, LANES, NEEDS
from hubcore.labels import PICTOGRAMS
from kiosk.desk import Rows

_SHOWN = const(40)  # of those who wait, in the order of the pick
_ROW = const(64)
_PICTURE = const(52)

# The acts on a visit by its state, the most likely one first.
_ACTS = {
    "waiting": ("transfer", "class", "defer", "left"),
    "called": ("seated", "recall", "no_show", "served", "requeue", "transfer", "class", "defer", "left"),
    "seated": ("served", "requeue", "transfer", "class", "defer", "left"),
}
# What is done at once; undo takes it back. All else is explained first.
_AT_ONCE = ("seated", "recall", "served")
# Why a class is changed: the string's name, and what the record says.
_WHYS = (
    ("why_worse", "pain or swelling is worse"),
    ("why_better", "it is better"),
    ("why_seen", "a clinician has looked"),
    ("why_answer", "the answers at check-in were wrong"),
)


def screens(ui) -> dict:
    """Tickets' part of the desk, by name, made anew."""
    desk = ui.screens["desk"].desk
    return {"desk_queue": Queue(desk), "desk_promised": Promised(desk), "desk_acts": Acts(desk)}


class Acts(Rows):
    """What can be done at `desk.chair`, or with the visit `desk.label`."""

    def __init__(self, desk):
        super().__init__(desk)
        self._need = None

    def _visit(self):
        desk = self.desk
        fold = desk.ui.hub.fold
        if desk.chair is not None:
            chair = fold.chairs.get(desk.chair)
            desk.label = chair and chair.visit
        return fold.visits.get(desk.label)

    def head(self):
        desk = self.desk
        visit = self._visit()
        if visit is not None:
            return desk.visit(visit)
        return desk.at(desk.ui.hub.fold.chairs[desk.chair])

    def _look(self):
        desk = self.desk
        visit = self._visit()
        rows = [] if visit is None else list(_ACTS[visit.state])
        if visit is not None and visit.cls == EMERGENCY:
            rows.remove("defer")
        chair = desk.ui.hub.fold.chairs.get(desk.chair)
        if chair is not None and chair.open:
            if visit is None:
                rows += ("unpause", "chair_close") if chair.paused else ("call", "pause", "chair_close")
            else:
                rows.append("unpause" if chair.paused else "pause")
        return rows

    def enter(self) -> None:
        super().enter()
        self.rows = self._look()

    def draw(self, canvas) -> None:
        rows = self._look()
        if not rows:  # the visit, or the chair, is gone: somebody was faster
            self.desk.home()
            return
        self.rows = rows
        self.at = min(self.at, len(rows) - 1)
        super().draw(canvas)

    def refresh(self, canvas) -> None:
        if self._look() != self.rows:
            self.at = 0
            self.draw(canvas)

    def choose(self, i: int) -> None:
        desk = self.desk
        act = self.rows[i]
        chair = desk.chair
        if act == "call":
            desk.do("call", {"chair": chair})
        elif act == "pause" or act == "unpause":
            desk.do("pause", {"chair": chair, "paused": act == "pause"})
        elif act == "chair_close":
            desk.sure(act, act, {"chair": chair}, chair)
        elif act in _AT_ONCE:
            desk.do(act, {"ticket": desk.label})
        elif act == "transfer":
            desk.pick("lane", ["lane_" + lane for lane in LANES], self._transfer)
        elif act == "class":
            desk.pick("class_title", ["need_" + need[:3] for need in NEEDS], self._class)
        else:
            desk.sure(act, act, {"ticket": desk.label}, desk.label)

    def _transfer(self, i: int) -> None:
        desk = self.desk
        desk.sure(
            "transfer",
            "transfer",
            {"ticket": desk.label, "lane": LANES[i]},
            desk.label,
            desk.word("lane_" + LANES[i]),
        )

    def _class(self, i: int) -> None:
        self._need = NEEDS[i]
        self.desk.pick("why", [name for name, _ in _WHYS], self._why, False)

    def _why(self, i: int) -> None:
        desk = self.desk
        need = self._need
        desk.sure(
            "class",
            "class",
            {"ticket": desk.label, "need": need, "why": _WHYS[i][1]},
            desk.label,
            desk.word("need_" + need[:3]),
        )


class Queue(Rows):
    """Who waits, in the order in which chairs would call now: label, pictogram, need, minutes."""

    title = "desk.queue"

    def _among(self) -> dict:
        return self.ui.hub.fold.visits

    def _line(self, visit):
        return self.desk.visit(visit)

    def _look(self):
        hub = self.ui.hub
        rows = [None] * min(_SHOWN, len(hub.fold.waiting))  # a list that grew would need twice the room
        i = 0
        for visit in hub.fold.order(hub.now_ms(), len(rows)):
            rows[i] = visit.label
            i += 1
        return rows

    def enter(self) -> None:
        super().enter()
        self.rows = self._look()

    def draw(self, canvas) -> None:
        self.rows = self._look()
        self.at = max(0, min(self.at, len(self.rows) - 1))
        canvas.begin()
        y = canvas.heading(self.ui.words(self.title)) + 8
        self._y = y
        self._fit = (canvas.height - y) // _ROW
        self._top = min(self._top, max(0, len(self.rows) - self._fit))
        if not self.rows:
            canvas.text(self.desk.text("nobody"), y)
        self._rows(canvas)
        canvas.end()

    def refresh(self, canvas) -> None:
        if self._look() != self.rows:
            self.draw(canvas)

    def _row(self, canvas, i: int) -> None:
        visit = self._among().get(self.rows[i])
        if visit is None:
            return
        y = self._y + (i - self._top) * _ROW
        picture = PICTOGRAMS.index(visit.pictogram)
        canvas.row(self._line(visit), y, i == self.at, picture, _PICTURE, 0, _PICTURE)

    def choose(self, i: int) -> None:
        desk = self.desk
        desk.chair = None
        desk.label = self.rows[i]
        self.ui.show("desk_acts")


class Promised(Queue):
    """Who comes first today because yesterday ended too early for them; yes: what is known of them now."""

    title = "desk.promised"

    def _among(self) -> dict:
        return self.ui.hub.fold.promises

    def _line(self, visit):
        return self.desk.text("promise", visit.label, self.desk.need(visit))

    def _look(self):
        among = self._among()
        return [label for label in sorted(among) if among[label].due]

    def choose(self, i: int) -> None:
        self.desk.label = self.rows[i]
        self.desk.pick("how", ("come", "wont"), self._settle)

    def _settle(self, i: int) -> None:
        desk = self.desk
        label = desk.label
        if i:
            desk.sure("wont", "left", {"ticket": label}, label)
        else:
            desk.sure("promised", "checkin", {"promise": label, "by": "staff"}, label)
