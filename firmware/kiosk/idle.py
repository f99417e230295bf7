"""The idle screen: how to begin in every language, how many wait, who was called last, and what is wrong."""

from array import array

from micropython import const

from kiosk.canvas import BLUE, MARGIN, PLAIN, RED
from kiosk.screens import chair
from kiosk.ui import Screen

_LANGUAGES = const(4)  # lines of how to begin that there is room for
_STATUS_Y = const(252)
_HALF = const(232)
_ARROW = array("h", (0, 4, 12, 4, 12, 0, 24, 9, 12, 18, 12, 14, 0, 14))


def screens(ui) -> dict:
    """Idle, by its name, made anew."""
    return {"idle": Idle(ui)}


class Idle(Screen):
    """No clock: nothing moves by itself. A standing alert is the heading, so that nobody overlooks it."""

    warns = False

    def __init__(self, ui):
        super().__init__(ui)
        self._title = None
        self._status = None

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
        y = canvas.heading(words.fill(name, label) if label else words(name), words.icon(name)) + 4
        for i in range(min(_LANGUAGES, len(words.languages))):
            y = canvas.begin_line(i, y)
        self._draw_status(canvas)
        canvas.end()

    def _draw_status(self, canvas):
        words = self.ui.words
        self._status = taking, full, waiting, call = self._facts()
        if not taking and not full and not waiting and not call:
            canvas.text(words("idle.closed"), _STATUS_Y)
            return
        fb = canvas.tile(0, _STATUS_Y, canvas.width, 48)
        draw = canvas.font.draw
        if full:
            x = draw(fb, words("idle.full"), MARGIN, 0, PLAIN)
        elif not taking:
            x = draw(fb, words("idle.shut"), MARGIN, 0, PLAIN)
        else:
            x = self._icon(canvas, fb, "idle.waiting", MARGIN)
            x = draw(fb, words.fill("idle.waiting", waiting), x, 0, PLAIN)
        if call:
            x = self._icon(canvas, fb, "idle.called", _HALF)
            x = draw(fb, words.fill("idle.called", call[0]), x, 0, PLAIN) + 10
            fb.poly(x, 15, _ARROW, PLAIN.fg, True)
            x = draw(fb, chair(self.ui, call[1]), x + 34, 0, PLAIN)
        canvas.send(0, x)

    def _icon(self, canvas, fb, name, x):
        canvas.pictures.draw(fb, self.ui.words.icon(name), x, 0, PLAIN, 48)
        return x + 54

    def refresh(self, canvas) -> None:
        if self._heading() != self._title:
            self.draw(canvas)
        elif self._facts() != self._status:
            self._draw_status(canvas)

    def key(self, key: str) -> None:
        self.ui.show("mine" if key == "back" else "language", False)

    def hold(self, key: str) -> None:
        ui = self.ui
        if key == "yes" and ui.screen is ui.screens["language"]:
            ui.show("desk_in", False)
