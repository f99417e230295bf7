"""The staff desk: signing in with a PIN."""

from micropython import const

from kiosk.canvas import PITCH
from kiosk.code import CodeEntry
from kiosk.desk import Desk, Part, Rows
from kiosk.words import plain

_PIN = const(6)


def screens(ui) -> dict:
    """All of the sign-in by name, made anew."""
    desk = Desk(ui)
    return {"desk_in": SignIn(desk), "desk_pin": Pin(desk), "desk_wait": Wait(desk)}


class SignIn(Rows):
    """Who wants to work at the desk."""

    title = "desk.who"
    patience_ms = 30000
    warns = False
    _names = ()

    def enter(self) -> None:
        super().enter()
        staff = self.ui.staff
        self._names = () if staff is None else staff.names()  # None: the flash of the secrets failed
        self.rows = [plain(name) for name in self._names]

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
        desk.who = self._names[i]
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
