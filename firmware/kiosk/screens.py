"""Screens that any flow uses: a list to choose from, a notice, idle, the warning before answers are
forgotten."""

from micropython import const

from hubcore.errors import HubError, Refused
from kiosk.canvas import ACCENT, ARROW, BLACK, BLUE, GREEN, MARGIN, PITCH, PLAIN, RED, TITLE, TRIANGLE
from kiosk.ui import Screen

_GAP = const(6)
_STEP = const(52)


class List(Screen):
    """One question, one answer highlighted; up and down move, yes takes it, back goes back.

    Subclasses give `title` (a string's name), `count()`, `text(i)` (UTF-8 bytes) and `choose(i)`.
    """

    title = ""

    def __init__(self, ui):
        super().__init__(ui)
        self.at = 0
        self._top = 0
        self._y = 0
        self._fit = 1

    def enter(self) -> None:
        self.at = 0
        self._top = 0

    def count(self) -> int:
        raise NotImplementedError

    def text(self, i: int):
        raise NotImplementedError

    def choose(self, i: int) -> None:
        raise NotImplementedError

    def draw(self, canvas) -> None:
        canvas.clear()
        below = canvas.heading(self.ui.words(self.title)) + _GAP
        self._y = below
        self._fit = (canvas.height - below + _STEP - PITCH) // _STEP
        self._rows(canvas)

    def _rows(self, canvas) -> None:
        for i in range(self._top, min(self.count(), self._top + self._fit)):
            self._row(canvas, i)

    def _row(self, canvas, i: int) -> None:
        canvas.row(self.text(i), self._y + (i - self._top) * _STEP, i == self.at)

    def key(self, key: str) -> None:
        if key == "yes":
            self.choose(self.at)
        elif key == "back":
            self.ui.back()
        elif key == "down" or key == "up":
            new = self.at + (1 if key == "down" else -1)
            if 0 <= new < self.count():
                self._move(new)

    def _move(self, new: int) -> None:
        old = self.at
        canvas = self.ui.canvas
        self.at = new
        if self._top <= new < self._top + self._fit:
            self._row(canvas, old)
            self._row(canvas, new)
        else:
            self._top += new - old
            self._rows(canvas)


class Notice(Screen):
    """A heading and a few lines; any key returns to idle."""

    patience_ms = 30000
    warns = False
    accent = BLUE

    def say(self):
        """The names of the heading's and the body's strings."""
        raise NotImplementedError

    def draw(self, canvas) -> None:
        canvas.clear(self.accent)
        title, body = self.say()
        words = self.ui.words
        below = canvas.heading(words(title))
        canvas.text(words(body), MARGIN, below + _GAP, PLAIN)

    def key(self, key: str) -> None:
        self.ui.idle()


class Warning(Notice):
    """Asks whether anybody is still there; the Ui draws it over the present screen."""

    def say(self):
        return "warn.title", "warn.text"


class Sorry(Notice):
    """Why there is no ticket now, and what to do instead."""

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
        ui.canvas.flush()
        for alert in ui.hub.fold.alerts.values():
            if alert.why == "help" and not alert.acknowledged:
                return
        try:
            ui.hub.wish("alert_raise", {"why": "help"})
        except HubError as error:
            # Refused: so many alerts stand that one more would tell staff nothing; the screen says the truth.
            if not isinstance(error, Refused):
                ui.hub.fault("ui", error)

    def say(self):
        return "help.title", "help.text"

    def key(self, key: str) -> None:
        self.ui.back()


class Emergency(Screen):
    """Help is coming. Shown before anything is written; it never becomes merely a ticket."""

    patience_ms = 120000
    warns = False

    def draw(self, canvas) -> None:
        words = self.ui.words
        canvas.accent(RED)
        canvas.fb.fill(ACCENT)
        canvas.touch(0, 0, canvas.width, canvas.height - PITCH)
        canvas.text(words("emergency.title"), MARGIN, 2, TITLE)
        # The warning triangle, so that neither colour nor reading is the only cue.
        x = canvas.width - MARGIN - 56
        canvas.fb.poly(x, 4, TRIANGLE, TITLE.fg, True)
        canvas.fb.fill_rect(x + 25, 18, 6, 20, ACCENT)
        canvas.fb.fill_rect(x + 25, 42, 6, 6, ACCENT)
        canvas.text(words("emergency.text"), MARGIN, PITCH + 2 * _GAP, TITLE)

    def finish(self, canvas) -> None:
        """Add the bottom line, once the record is durable: a strip of its own, so that nothing is sent
        twice."""
        label = self.ui.answers.label
        y = canvas.height - PITCH
        if label is not None:
            canvas.text(self.ui.words.fill("emergency.ticket", label.encode()), MARGIN, y, TITLE)
        canvas.touch(0, y, canvas.width, PITCH)

    def key(self, key: str) -> None:
        if key == "back" or key == "yes":
            self.ui.idle()


class Idle(Screen):
    """Says how to begin in every language, how many wait and who was called last. No clock: nothing moves
    by itself."""

    warns = False

    def __init__(self, ui):
        super().__init__(ui)
        self._shown = None
        self._y = 0

    def _facts(self):
        fold = self.ui.hub.fold
        return fold.day_open, fold.full, fold.counts["waiting"], fold.last_call

    def draw(self, canvas) -> None:
        words = self.ui.words
        canvas.clear()
        y = canvas.heading(words("idle.title")) + _GAP
        for _, _, begin in words.languages:
            canvas.text(begin, MARGIN, y, PLAIN)
            y += PITCH
        self._y = canvas.height - 2 * PITCH - 4
        self._status(canvas)

    def _status(self, canvas) -> None:
        words = self.ui.words
        self._shown = facts = self._facts()
        day_open, full, waiting, call = facts
        y = self._y
        canvas.fb.fill_rect(0, y, canvas.width, 2 * PITCH + 4, BLACK)
        if not day_open:
            canvas.text(words("idle.closed"), MARGIN, y, PLAIN)
        else:
            if full:
                canvas.text(words("idle.full"), MARGIN, y, PLAIN)
            else:
                canvas.text(words.fill("idle.waiting", waiting), MARGIN, y, PLAIN)
            if call:
                x = canvas.text(words.fill("idle.called", call[0].encode()), MARGIN, y + PITCH, PLAIN)
                arrow(canvas, x + 14, y + PITCH + 10)
                x += 48
                chair = canvas.font.tail(call[1].encode(), canvas.width - MARGIN - x)
                canvas.text(chair, x, y + PITCH, PLAIN)
        canvas.touch(0, y, canvas.width, 2 * PITCH + 4)

    def refresh(self, canvas) -> None:
        if self._facts() != self._shown:
            self._status(canvas)

    def key(self, key: str) -> None:
        self.ui.show("language", False)


def arrow(canvas, x: int, y: int) -> None:
    """The arrow from a label to a chair, 24 x 28 pixels."""
    fb = canvas.fb
    fb.fill_rect(x, y + 10, 12, 8, PLAIN.fg)
    fb.poly(x + 10, y, ARROW, PLAIN.fg, True)
