"""The idle screen: how to begin in every language, how many wait, who was called last, and what is wrong."""

from time import ticks_diff, ticks_ms

from micropython import const

from kiosk.canvas import BLUE, ICON, MARGIN, RED
from kiosk.ui import Screen
from kiosk.words import plain

_LANGUAGES = const(4)  # lines of how to begin that there is room for; more languages take turns
_TURN_MS = const(8000)
_STATUS_Y = const(252)
_GAP = const(16)


def screens(ui) -> dict:
    """Idle, by its name, made anew."""
    return {"idle": Idle(ui)}


class Idle(Screen):
    """No clock: nothing moves by itself but languages that take turns. A standing alert is the heading, so
    that nobody overlooks it."""

    warns = False

    def __init__(self, ui):
        super().__init__(ui)
        self._title = None
        self._status = None
        self._y = self._first = self._since = 0

    def _heading(self):
        # (name of the string, label or None)
        ui = self.ui
        fold = ui.hub.fold
        why = ui.hub.alarm
        label = None
        for alert in fold.alerts.values():
            if why != "emergency":
                why = alert.why
                label = alert.label if why == "emergency" else None
        if why == "emergency":
            return "idle.danger" if label is None else "idle.emergency", label
        if why:
            return "idle.help", None
        if ui.kept:
            return "idle.kept", None
        for trouble in ui.health.standing:
            name = "trouble." + trouble
            if name in ui.words:
                return name, None
        return "idle.title", None

    def _facts(self):
        hub = self.ui.hub
        fold = hub.fold
        calls = fold.calls(1)
        return hub.taking, fold.day_open and fold.full, fold.counts["waiting"], calls[0] if calls else None

    def draw(self, canvas) -> None:
        words = self.ui.words
        self._title = name, label = self._heading()
        canvas.begin(RED if name == "idle.emergency" or name == "idle.danger" else BLUE)
        self._y = canvas.heading(words.fill(name, label) if label else words(name), words.icon(name)) + 4
        self._lines(canvas)
        self._draw_status(canvas)
        canvas.end()

    def _lines(self, canvas):
        n = len(self.ui.words.languages)
        y = self._y
        for i in range(min(_LANGUAGES, n)):
            y = canvas.begin_line((self._first + i) % n, y)
        self._since = ticks_ms()

    def _draw_status(self, canvas):
        words = self.ui.words
        self._status = taking, full, waiting, call = self._facts()
        if not taking and not full and not waiting and not call:
            canvas.text(words("idle.closed"), _STATUS_Y)
            return
        name = "idle.full" if full else "idle.waiting" if taking else "idle.shut"
        text = words.fill(name, waiting)
        icon = words.icon(name)
        x = canvas.width
        if call:
            x = MARGIN + words.width(text) + (_GAP if icon is None else _GAP + ICON)
        canvas.part(text, _STATUS_Y, 0, x, icon)
        if call:
            room = canvas.width - x - MARGIN - ICON - words.width(words.fill("idle.called", call[0], ""))
            text = words.fill("idle.called", call[0], words.tail(plain(call[1]), room))
            canvas.part(text, _STATUS_Y, x, canvas.width, words.icon("idle.called"))

    def refresh(self, canvas) -> None:
        if self._heading() != self._title:
            self.draw(canvas)
            return
        if self._facts() != self._status:
            self._draw_status(canvas)
        if self.due_ms() == 0:
            self._first = (self._first + _LANGUAGES) % len(self.ui.words.languages)
            self._lines(canvas)

    def due_ms(self):
        if len(self.ui.words.languages) > _LANGUAGES:
            return max(0, _TURN_MS - ticks_diff(ticks_ms(), self._since))
        return None

    def key(self, key: str) -> None:
        self.ui.show("mine" if key == "back" else "language", False)

    def hold(self, key: str) -> None:
        ui = self.ui
        if key == "yes" and ui.screen is ui.screens["language"]:
            ui.show("desk_in", False)
