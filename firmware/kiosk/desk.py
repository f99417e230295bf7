"""The staff desk: what its screens share, sign-in, the board of chairs, alerts above all.

Nothing of it is there before somebody signs in, or after they have signed out: `screens` makes it, and who
drops what it returned (and these modules) has its memory back.
"""

from time import ticks_diff, ticks_ms

from micropython import const

from hubcore.classes import AMBULANCE
from hubcore.errors import HubError, Refused
from hubcore.records import ALERTS, decode
from kiosk.canvas import BLUE, MARGIN, PITCH, RED
from kiosk.code import CodeEntry
from kiosk.screens import List
from kiosk.ui import Screen
from kiosk.words import plain

_PATIENCE_MS = const(95000)  # with the warning: signed out after two minutes of silence
_GUARD_MS = const(700)  # a key that was meant for the screen under an alert does not acknowledge it
_PIN = const(6)
_NAME_PX = const(150)
_ABOUT = const(12)  # a label or a chair's name; longer ones are sentences for a log


def screens(ui) -> dict:
    """All screens of the desk by name, made anew."""
    from kiosk import desk_day, desk_ticket

    desk = Desk(ui)
    return {
        "desk": Board(desk),
        "desk_in": SignIn(desk),
        "desk_pin": Pin(desk),
        "desk_wait": Wait(desk),
        "desk_alert": Alert(desk),
        "desk_pick": Pick(desk),
        "desk_sure": Sure(desk),
        "desk_say": Say(desk),
        "desk_queue": desk_ticket.Queue(desk),
        "desk_promised": desk_ticket.Promised(desk),
        "desk_acts": desk_ticket.Acts(desk),
        "desk_close": desk_day.Close(desk),
        "desk_health": desk_day.Health(desk),
    }


class Desk:
    """What the screens of the desk share; `who` is asked for the PIN, `chair` and `label` are acted on."""

    def __init__(self, ui):
        self.ui = ui
        self.who = None
        self.chair = None
        self.label = None
        self.about = ""  # what the last refusal was about
        self.language = None  # the staff's, while a visitor's is in use

    def text(self, name: str, *values):
        """A string of the desk, filled."""
        words = self.ui.words
        return words.fill("desk." + name, *values) if values else words("desk." + name)

    def word(self, name: str) -> bytes:
        """A string of the desk that stays while another is read."""
        return bytes(self.ui.words("desk." + name))

    def visit(self, visit):
        """One line about a visit: label, need, minutes waited."""
        minutes = max(0, self.ui.hub.now_ms() // 1000 - visit.arrival) // 60
        return self.text("visit", visit.label, self.need(visit), minutes)

    def need(self, visit) -> bytes:
        """One word for its need class."""
        return self.word("need_" + visit.need[:3])

    def at(self, chair):
        """One line about a chair: its name, whom it has called or treats."""
        name = self.ui.canvas.font.tail(plain(chair.name), _NAME_PX)
        visit = self.ui.hub.fold.visits.get(chair.visit)
        if visit is not None:
            return self.text("at_" + visit.state, name, visit.label)
        return self.text("at_paused" if chair.paused else "at_free", name)

    # Where to go on.

    def home(self) -> None:
        """To the board."""
        self.ui.end("desk")

    def attempt(self, name: str, args: dict):
        """Have the hub do it in the name of who is signed in; None, or the name of the string that says why
        not."""
        ui = self.ui
        args["who"] = ui.staff.who
        self.about = ""
        try:
            ui.hub.wish(name, args)
            return None
        except HubError as error:
            reason = "other"
            if not isinstance(error, Refused):  # the flash failed
                ui.hub.fault("desk", error)
            elif "desk.no_" + error.reason in ui.words:
                reason = error.reason
                if len(error.about) <= _ABOUT:
                    self.about = error.about
            return "no_" + reason

    def wish(self, name: str, args: dict) -> bool:
        """As `attempt`; a refusal is shown."""
        if self.ui.staff.who is None:  # removed from the laptop meanwhile
            self.ui.sign_out()
            return False
        why = self.attempt(name, args)
        if why:
            self.say("no", why, self.about)
        return not why

    def do(self, name: str, args: dict) -> None:
        """As `wish`; then to the board."""
        if self.wish(name, args):
            self.home()

    def sure(self, body: str, wish, args, *values) -> None:
        """Say what it means (`desk.sure_<body>`); yes does it. Without a wish: settle the day left over."""
        screen = self.ui.screens["desk_sure"]
        screen.body = "sure_" + body
        screen.wish = wish
        screen.args = args
        screen.values = values
        self.ui.show("desk_sure")

    def pick(self, title: str, rows, then, remember: bool = True) -> None:
        """One of `rows` (names of strings, or texts); `then(i)` goes on."""
        screen = self.ui.screens["desk_pick"]
        screen.title = "desk." + title
        screen.rows = rows
        screen.then = then
        self.ui.show("desk_pick", remember)

    def say(self, title: str, body: str, about: str = "") -> None:
        """A notice; any key goes back."""
        screen = self.ui.screens["desk_say"]
        screen.title = title
        screen.body = body
        screen.about = about
        self.ui.show("desk_say")


class Part(Screen):
    """A screen of the desk that is no list."""

    patience_ms = _PATIENCE_MS

    def __init__(self, desk):
        super().__init__(desk.ui)
        self.desk = desk


class Rows(List):
    """A list of the desk: `rows` holds names of strings without "desk.", or texts."""

    patience_ms = _PATIENCE_MS
    rows = ()

    def __init__(self, desk):
        super().__init__(desk.ui)
        self.desk = desk

    def count(self) -> int:
        return len(self.rows)

    def text(self, i: int):
        row = self.rows[i]
        return self.ui.words("desk." + row) if isinstance(row, str) else row

    def icon(self, i: int):
        row = self.rows[i]
        return self.ui.words.icon("desk." + row) if isinstance(row, str) else None


class Pick(Rows):
    """One of a few answers."""

    then = None

    def choose(self, i: int) -> None:
        self.then(i)


class Sure(Part):
    """What an act will mean, above all for the waiting time; yes does it, back does not."""

    body = wish = None
    args = {}
    values = ()

    def draw(self, canvas) -> None:
        desk = self.desk
        canvas.begin()
        canvas.text(desk.text("sure"), canvas.height - PITCH)
        y = canvas.heading(desk.text("sure_title"))
        canvas.text(desk.text(self.body, *self.values), y + 8)
        canvas.end()

    def key(self, key: str) -> None:
        desk = self.desk
        if key == "yes" and self.wish is None:
            self.ui.hub.settle(self.ui.staff.who)
            desk.home()
        elif key == "yes":
            desk.do(self.wish, self.args)
        elif key == "back":
            self.ui.back()


class Say(Part):
    """A notice."""

    title = body = about = ""

    def draw(self, canvas) -> None:
        canvas.begin()
        y = canvas.heading(self.desk.text(self.title))
        y = canvas.text(self.desk.text(self.body), y + 8)
        if self.about:
            canvas.text(plain(self.about), y)
        canvas.end()

    def key(self, key: str) -> None:
        self.ui.back()


class SignIn(Rows):
    """Who wants to work at the desk."""

    title = "desk.who"
    patience_ms = 30000
    warns = False

    def enter(self) -> None:
        super().enter()
        self.rows = [plain(name) for name in self.ui.staff.names()]

    def draw(self, canvas) -> None:
        if self.rows:
            super().draw(canvas)
            return
        canvas.begin()
        y = canvas.heading(self.desk.text("none_title"))
        canvas.text(self.desk.text("none"), y + 8)
        canvas.end()

    def key(self, key: str) -> None:
        if self.rows:
            super().key(key)
        else:
            self.ui.idle()

    def choose(self, i: int) -> None:
        desk = self.desk
        desk.who = self.ui.staff.names()[i]
        self.ui.show("desk_wait" if self.ui.staff.wait_ms(desk.who) else "desk_pin")


class Pin(CodeEntry):
    """Six presses, shown as filled boxes."""

    title = "desk.pin"
    note = "desk.pin_note"
    length = _PIN
    secret = True
    patience_ms = 30000
    warns = False

    def __init__(self, desk):
        super().__init__(desk.ui)
        self.desk = desk

    def done(self, presses: str) -> None:
        ui = self.ui
        if ui.staff.sign_in(self.desk.who, presses):
            ui.home = "desk"
            self.desk.home()
        else:
            ui.show("desk_wait", False)


class Wait(Part):
    """The PIN was wrong: how long until the next try counts. Nothing else waits for it."""

    patience_ms = 90000
    warns = False

    def __init__(self, desk):
        super().__init__(desk)
        self._left = None
        self._y = 0

    def _seconds(self) -> int:
        return (self.ui.staff.wait_ms(self.desk.who) + 999) // 1000

    def draw(self, canvas) -> None:
        canvas.begin()
        self._y = canvas.heading(self.desk.text("wrong")) + 8
        self._left = None
        self.refresh(canvas)
        canvas.text(self.desk.text("forgot"), self._y + 2 * PITCH)
        canvas.end()

    def refresh(self, canvas) -> None:
        left = self._seconds()
        if left != self._left:
            self._left = left
            desk = self.desk
            canvas.text(desk.text("wait", left) if left else desk.text("again"), self._y)

    def due_ms(self):
        """A second at a time, while it counts."""
        return (self.ui.staff.wait_ms(self.desk.who) - 1) % 1000 + 1 if self._left else None

    def key(self, key: str) -> None:
        if key == "back":
            self.ui.back()
        elif not self._seconds():
            self.ui.show("desk_pin", False)


class Alert(Part):
    """What staff are called for, above every other screen of the desk; yes: I take care of it."""

    def __init__(self, desk):
        super().__init__(desk)
        self._shown = None  # (why, seq, ..) of the alert that shows
        self._since = 0
        self._stuck = None

    def _worst(self):
        hub = self.ui.hub
        # A call that the journal could not take stands without a record.
        worst = hub.alarm and (hub.alarm != ALERTS[0], 0, hub.alarm, None, hub.now_ms())
        for alert in hub.fold.alerts.values():
            key = (alert.why != ALERTS[0], alert.seq, alert.why, alert.label, alert.raised_ms)
            if not worst or key < worst:
                worst = key
        return worst or None

    def _said(self, seq):
        # Which sign of danger it was: the fold does not keep it, the record does.
        raw = self.ui.hub.journal.read(seq) if seq else None
        return None if raw is None else decode(raw).body.get("said")

    def enter(self) -> None:
        self._shown = self._stuck = None

    def draw(self, canvas) -> None:
        desk = self.desk
        alert = self._worst()
        if alert is None:  # acknowledged at another place meanwhile
            self.ui.back()
            return
        if alert != self._shown:
            self._shown = alert
            self._since = ticks_ms()
        _, _, why, label, raised_ms = alert
        why = "alert_" + why
        canvas.begin(RED if why == "alert_emergency" else BLUE)
        y = canvas.heading(desk.text(why), self.ui.words.icon("desk." + why)) + 4
        if label:
            canvas.label(label.encode(), MARGIN, y)
            y += 96
        minutes = max(0, self.ui.hub.now_ms() - raised_ms) // 60000
        y = canvas.text(desk.text("alert_for", minutes), y)
        if self._said(alert[1]) in AMBULANCE:
            y = canvas.text(desk.text("alert_ambulance"), y)
        others = len(self.ui.hub.fold.alerts) - 1
        if self._stuck:
            canvas.text(desk.text(self._stuck), y)
        elif others > 0:
            canvas.text(desk.text("alert_more", others), y)
        canvas.text(desk.text("alert_take"), canvas.height - PITCH)
        canvas.end()

    def refresh(self, canvas) -> None:
        if self._worst() != self._shown:
            self.draw(canvas)

    def key(self, key: str) -> None:
        ui = self.ui
        if key == "back" and self._stuck:  # it cannot be acknowledged here: the desk has to be left somehow
            ui.sign_out()
        elif key == "yes" and ticks_diff(ticks_ms(), self._since) >= _GUARD_MS:
            seq = self._shown[1]
            self._stuck = self.desk.attempt("alert_ack", {"alert": seq} if seq else {})
            if self._stuck:
                self.draw(ui.canvas)
            else:
                self.refresh(ui.canvas)


class Board(Rows):
    """The chairs, then everything else that the desk does."""

    def __init__(self, desk):
        super().__init__(desk)
        self._facts = None

    def enter(self) -> None:
        """Stay on the chair, or the act, where it was."""

    def head(self):
        fold = self.ui.hub.fold
        if not fold.day_open:
            return self.desk.text("closed")
        return self.desk.text("title", fold.counts["waiting"], fold.counts["served"])

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
        desk = self.desk
        self.ui.answers.forget()
        if desk.language:  # a visitor's was in use
            self.ui.words.use(desk.language)
            desk.language = None
        self._look()
        super().draw(canvas)

    def refresh(self, canvas) -> None:
        facts = self._facts
        self._look()
        if facts != self._facts:
            self.draw(canvas)

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
            desk.language = ui.words.language
            ui.answers.forget()
            ui.answers.by = "staff"
            ui.show("language")
        elif row == "full" or row == "unfull":
            desk.sure(row, "full_today", {"full": row == "full"})
        elif row == "day_open":
            desk.sure(row, "day_open", {})
        elif row == "settle":
            desk.sure(row, None, None)
        elif row == "lift":
            desk.sure(row, "code_lift", {})
        elif row == "leave":
            ui.sign_out()
        else:
            from kiosk import desk_day

            (desk_day.open_chair if row == "chair_open" else desk_day.undo)(desk)


def _by_name(chair):
    return len(chair.name), chair.name
