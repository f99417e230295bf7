"""The staff desk: the board of chairs, and the way to everything else."""

from kiosk.desk import Desk, Pick, Rows, Say, Sure
from kiosk.groups import load
from tasks.forget import fetch


def screens(ui) -> dict:
    """What of the desk is there all the time, by name, made anew; tickets and day take turns."""
    desk = Desk(ui)
    return {
        "desk": Board(desk),
        "desk_pick": Pick(desk),
        "desk_sure": Sure(desk),
        "desk_say": Say(desk),
    }


class Board(Rows):
    """The chairs, then everything else that the desk does."""

    def __init__(self, desk):
        super().__init__(desk)
        self._facts = None
        self._clock = ""
        self._quarter = None
        self._ahead = 0

    def enter(self) -> None:
        """Stay on the chair, or the act, where it was."""

    def head(self):
        fold = self.ui.hub.fold
        if not fold.day_open:
            return self.desk.text("closed", self._clock)
        return self.desk.text("title", fold.counts["waiting"], fold.counts["served"], self._clock)

    def _time(self) -> str:
        # On the wall's clock, or nothing where that is unknown.
        hub = self.ui.hub
        utc_s = hub.clock.utc_s()
        if utc_s is None:
            return ""
        minute = utc_s // 60
        if minute // 15 != self._quarter:  # so long a zone's offset holds, and asking for it takes its while
            self._quarter = minute // 15
            local = hub.local()
            self._ahead = local[3] * 60 + local[4] - minute
        minute = (minute + self._ahead) % 1440
        return "%02d:%02d" % (minute // 60, minute % 60)

    def due_ms(self):
        utc_s = self.ui.hub.clock.utc_s()
        return None if utc_s is None else (60 - utc_s % 60) * 1000

    def _look(self) -> None:
        ui = self.ui
        fold = ui.hub.fold
        rows = []
        facts = [fold.day_open, fold.full, fold.counts["waiting"], fold.counts["served"]]
        if fold.day_open:
            for chair in sorted(fold.chairs.values(), key=_by_name):
                if chair.open:
                    rows.append(chair)
                    visit = fold.visits.get(chair.visit)
                    facts.append((chair.name, chair.paused, visit and (visit.label, visit.state)))
            if ui.hub.left_over:
                rows.append("settle")
            rows.append("queue")
            for visit in fold.promises.values():
                if visit.due:
                    rows.append("promised")
                    break
            rows += ("checkin", "undo", "unfull" if fold.full else "full", "chair_open", "day_close")
        else:
            rows.append("day_open")
        if ui.health is not None and ui.health.standing:
            rows.append("health")
        if fold.code_pause_ms(ui.hub.now_ms()):
            rows.append("lift")
        rows.append("leave")
        facts.append(len(rows))
        here = self.rows[self.at] if self.at < len(self.rows) else None
        if here in rows:
            self.at = rows.index(here)
        self.at = min(self.at, len(rows) - 1)
        self.rows = rows
        self._facts = facts

    def text(self, i: int):
        row = self.rows[i]
        return super().text(i) if isinstance(row, str) else self.desk.at(row)

    def icon(self, i: int):
        row = self.rows[i]
        return super().icon(i) if isinstance(row, str) else self.ui.words.icon("desk.at_free")

    def draw(self, canvas) -> None:
        ui = self.ui
        if ui.language:  # a visitor's was in use
            ui.words.use(ui.language)
            ui.language = None
        self._look()
        self._clock = self._time()
        super().draw(canvas)

    def refresh(self, canvas) -> None:
        facts = self._facts
        self._look()
        if facts != self._facts:
            self.draw(canvas)
        elif self._time() != self._clock:
            self._clock = self._time()
            canvas.heading(self.head())

    def key(self, key: str) -> None:
        last = len(self.rows) - 1
        if key != "back":
            super().key(key)
        elif self.at == last:
            self.ui.sign_out()
        else:  # not out at once: signing in again takes a PIN
            self._move(last)

    def choose(self, i: int) -> None:
        row = self.rows[i]
        desk = self.desk
        ui = self.ui
        if not isinstance(row, str):
            desk.chair = row.name
            desk.label = row.visit
            ui.show("desk_acts")
        elif row in ("queue", "promised", "health"):
            ui.show("desk_" + row)
        elif row == "day_close":
            ui.show("desk_close")
        elif row == "checkin":
            ui.language = ui.words.language
            ui.answers.forget()
            ui.answers.by = "staff"
            ui.show("language")
        elif row == "full" or row == "unfull":
            desk.sure(row, "full_today", {"full": row == "full"})
        elif row == "day_open":
            desk.sure(row, "day_open", {})
        elif row == "settle":
            desk.sure(row, row, {})
        elif row == "lift":
            desk.sure(row, "code_lift", {})
        elif row == "leave":
            ui.sign_out()
        else:
            load(ui, "desk_close")
            day = fetch("kiosk.desk_day")
            (day.open_chair if row == "chair_open" else day.undo)(desk)


def _by_name(chair):
    return len(chair.name), chair.name
