"""The staff desk: what its screens share, and those that the others use: one of a few, sure, a notice.

Nothing of it is in memory before somebody signs in, or after they have signed out (kiosk.groups).
"""

from micropython import const

from hubcore.errors import HubError, Refused
from kiosk.canvas import PITCH
from kiosk.screens import List
from kiosk.ui import Screen
from kiosk.words import plain

_PATIENCE_MS = const(95000)  # with the warning: signed out after two minutes of silence
_NAME_PX = const(150)
_ABOUT = const(12)  # a label or a chair's name; longer ones are sentences for a log


class Desk:
    """What the screens of the desk share; `who` is asked for the PIN, `chair` and `label` are acted on."""

    def __init__(self, ui):
        self.ui = ui
        self.who = None
        self.chair = None
        self.label = None
        self.about = ""  # what the last refusal was about

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
        name = self.ui.words.tail(plain(chair.name), _NAME_PX)
        visit = self.ui.hub.fold.visits.get(chair.visit)
        if visit is not None:
            return self.text("at_" + visit.state, name, visit.label)
        return self.text("at_paused" if chair.paused else "at_free", name)

    # Where to go on.

    def home(self) -> None:
        """To the board."""
        self.ui.end("desk")

    def attempt(self, name: str, args: dict):
        """Have the hub do it, a wish or "settle", in the name of who is signed in; None, or the name of the
        string that says why not."""
        ui = self.ui
        args["who"] = ui.staff.who
        self.about = ""
        try:
            if name == "settle":
                ui.hub.settle(ui.staff.who)
            else:
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
        """Say what it means (`desk.sure_<body>`); yes does it."""
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
        if key == "yes":
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
