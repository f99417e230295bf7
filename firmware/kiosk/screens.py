"""Screens that any flow uses: a list to choose from, the languages, a notice, help, the warning before
answers are forgotten."""

from micropython import const

from hubcore.errors import HubError, Refused
from kiosk.canvas import BIG, BLUE, GREEN, PITCH, STEP, TIGHT
from kiosk.ui import Screen

_WRAPS = const(4)  # from so many answers on, up from the first one leads to the last


class List(Screen):
    """One question, one answer highlighted; up and down move, yes takes it, back goes back.

    Subclasses give `title` (a string's name) or `head()`, `count()`, `text(i)` (glyph codes), perhaps
    `icon(i)` and `note` (a string below the answers), and `choose(i)`. `beside` is the width that is kept for
    the chosen answer's picture: 0, or BIG where every answer has an icon.
    """

    title = ""
    beside = 0
    tight = True  # six answers may stand closer
    note = None
    accent = BLUE

    def __init__(self, ui):
        super().__init__(ui)
        self.at = 0
        self._top = 0
        self._y = self._big = 0
        self._icon = None  # of the chosen answer
        self._fit = 1
        self._step = STEP

    def enter(self) -> None:
        self.at = 0
        self._top = 0

    def head(self):
        """The heading, as glyph codes."""
        return self.ui.words(self.title)

    def count(self) -> int:
        raise NotImplementedError

    def text(self, i: int):
        raise NotImplementedError

    def icon(self, i: int) -> "int | None":
        """The icon of an answer, or None."""
        return None

    def choose(self, i: int) -> None:
        raise NotImplementedError

    def draw(self, canvas) -> None:
        canvas.begin(self.accent)
        self._y = canvas.heading(self.head()) + 4
        room = canvas.height - self._y + STEP - PITCH
        n = self.count()
        self._step = TIGHT if self.tight and room // STEP < n == room // TIGHT else STEP
        self._fit = room // self._step
        self.at = max(0, min(self.at, n - 1))
        self._rows(canvas)
        self._picture(canvas)
        if self.note:
            canvas.text(self.ui.words(self.note), self._y + n * STEP + 12)
        canvas.end()

    def _rows(self, canvas) -> None:
        n = self.count()
        self._top = max(self.at - self._fit + 1, min(self._top, self.at, n - self._fit), 0)
        for i in range(self._top, min(n, self._top + self._fit)):
            self._row(canvas, i)

    def _row(self, canvas, i: int) -> None:
        y = self._y + (i - self._top) * self._step
        text = self.text(i)
        icon = self.icon(i)
        if i == self.at:
            self._icon = icon
        canvas.row(text, y, i == self.at, icon, min(self._step, PITCH), self.beside)

    def _picture(self, canvas, old=None):
        # Beside its answer, but not above or below all of them.
        if self.beside:
            y = self._y + (self.at - self._top) * self._step - 20
            y = max(self._y, min(y, self._y + self.count() * self._step - BIG & ~3))
            canvas.beside(self._icon, y, old)
            self._big = y

    def key(self, key: str) -> None:
        n = self.count()
        if key == "back":
            self.ui.back()
        elif n == 0:
            pass
        elif key == "yes":
            self.choose(self.at)
        else:
            new = self.at + (1 if key == "down" else -1)
            if n >= _WRAPS:
                new %= n
            if 0 <= new < n:
                self._move(new)

    def _move(self, new: int) -> None:
        old = self.at
        canvas = self.ui.canvas
        self.at = new
        if self._top <= new < self._top + self._fit:
            self._row(canvas, old)
            self._row(canvas, new)
        else:
            self._rows(canvas)
        self._picture(canvas, self._big)


class Language(List):
    """The languages, each by its own name; begins a check-in, or is held up anywhere by holding help."""

    title = "language.title"
    tight = False

    def __init__(self, ui):
        super().__init__(ui)
        self._returns = 0  # how often it lies over another screen now

    def enter(self) -> None:
        super().enter()
        self._returns = 0

    def offer(self) -> None:
        """Show over the present screen, which stays as it is underneath."""
        ui = self.ui
        if ui.screen is self:
            return
        if ui.screen is ui.screens.get("idle"):
            ui.show("language", False)
            return
        over = self._returns
        ui.show("language")
        self._returns = over + 1
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
            self.key("back")
        else:
            ui.show("need")

    def key(self, key: str) -> None:
        if key == "back" and self._returns:  # below it, it may be what a check-in begins with
            self._returns -= 1
        super().key(key)


class Choice(List):
    """A list whose answers are a table of (value, name of its string)."""

    table = ()
    beside = BIG

    def count(self) -> int:
        return len(self.table)

    def text(self, i: int):
        return self.ui.words(self.table[i][1])

    def icon(self, i: int):
        return self.ui.words.icon(self.table[i][1])

    def choose(self, i: int) -> None:
        self.take(self.table[i][0])

    def take(self, value) -> None:
        """The answer with this value was chosen."""
        raise NotImplementedError


class Notice(Screen):
    """A heading and a few lines; any key goes on."""

    patience_ms = 30000
    warns = False
    accent = BLUE

    def say(self):
        """The names of the heading's and the body's strings."""
        raise NotImplementedError

    def draw(self, canvas) -> None:
        canvas.begin(self.accent)
        title, body = self.say()
        words = self.ui.words
        y = canvas.heading(words(title), words.icon(title))
        canvas.text(words(body), y + 4)
        canvas.end()

    def key(self, key: str) -> None:
        self.ui.back()


class Warning(Notice):
    """Asks whether anybody is still there; the Ui draws it over the present screen."""

    def say(self):
        return "warn.title", "warn.text"


class Sorry(Notice):
    """Why that cannot be now, and what to do instead."""

    def say(self):
        name = "sorry." + (self.ui.answers.reason or "other")
        return "sorry.title", name if name in self.ui.words else "sorry.other"


class Help(Notice):
    """Staff have been called by a tap on help; the answers wait underneath."""

    patience_ms = 60000
    warns = True
    accent = GREEN

    def call(self) -> None:
        """Show that somebody comes, then raise the alert, unless one for help is already out."""
        ui = self.ui
        if ui.screen is self:
            self.draw(ui.canvas)
            return
        ui.show("help")
        call_help(ui)

    def help(self) -> None:
        self.call()

    def say(self):
        return "help.title", "help.text"


def call_help(ui, label=None) -> None:
    """Raise an alert for help, unless one is out already."""
    for alert in ui.hub.fold.alerts.values():
        if alert.why == "help":
            return
    args = {"why": "help"}
    if label is not None:
        args["ticket"] = label
    attempt(ui, "alert_raise", args)


def attempt(ui, name: str, args: dict):
    """A wish of the hub's: its result, or None when that was not to be; `answers.reason` then says why."""
    try:
        return ui.hub.wish(name, args)
    except HubError as error:
        if isinstance(error, Refused):
            ui.answers.reason = error.reason
        else:  # the flash failed: nothing was promised yet
            ui.answers.reason = "other"
            ui.hub.fault("ui", error)
        return None


def stands(hub) -> bool:
    """Whether an emergency waits for staff to acknowledge it."""
    if hub.alarm == "emergency":
        return True
    for alert in hub.fold.alerts.values():
        if alert.why == "emergency":
            return True
    return False
