"""The screens' machine: which one shows, where back leads, when a silent visitor's answers are forgotten."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kiosk.groups import drop, follows, load, prepare, spare
from tasks.forget import fetch, forget, shed
from tasks.wake import Wake

_WARN_MS = const(25000)  # WCAG 2.2.1 asks for at least 20 s to say "I am still here" with one action
_DEPTH = const(12)
_READ_MS = const(300)  # so long after a key a screen is read
TICKET_MS = const(60000)  # so long a ticket shows


class Screen:
    """What every screen has; a screen is one object while it is in memory, reused for every visitor."""

    patience_ms = 45000  # without a key until the warning, or until idle where nothing can be lost
    warns = True

    def __init__(self, ui):
        self.ui = ui

    def enter(self) -> None:
        """Get ready to be shown anew (not called when back returns to it)."""

    def draw(self, canvas) -> None:
        """Draw everything, from `canvas.begin` to `canvas.end`."""

    def key(self, key: str) -> None:
        """A press of up, down, yes or back, on this screen."""

    def hold(self, key: str) -> None:
        """One of them is held; its press began on this screen and has been acted on."""

    def release(self, key: str) -> None:
        """One of them, pressed on this screen, is let go."""

    def help(self) -> None:
        """A tap of help: call staff."""
        self.ui.screens["help"].call()

    def refresh(self, canvas) -> None:
        """The hub changed, or `due_ms` has passed, while this screen shows; draw what differs."""

    def due_ms(self) -> "int | None":
        """Milliseconds until this screen wants `refresh` by itself, or None."""
        return None


class Answers:
    """What the visitor in front of the kiosk has said so far; forgotten on every return to idle."""

    def __init__(self):
        self.forget()

    def forget(self) -> None:
        self.need = None
        self.lane = "any"
        self.size = 1
        self.pictogram = 0
        self.label = None
        self.others = ()  # the labels of the rest of a family
        self.code = None  # as the glyphs of its keys
        self.kept = False  # the ticket is shown again after a power cut
        self.tomorrow = False  # the day is full: a promise instead of a ticket
        self.reason = None
        self.by = "self"


class Ui:
    """Screens by name, the answers, the keys. `hub` is kiosk.hub.KioskHub.

    Keys come by `event(key, what)`, hub changes by `changed()`; `run()` is the task. All drawing happens in
    the task.
    """

    def __init__(self, canvas, hub, words):
        self.canvas = canvas
        self.hub = hub
        self.words = words
        self.staff = hub.staff
        self.health = hub.health
        self.answers = Answers()
        self.screens = {}
        self.groups = {}  # kiosk.groups' own: the names of what is in memory for now
        self.screen = None
        self.language = None  # the staff's, while a visitor's is in use
        self.home = "idle"  # what a finished flow returns to; "desk" while staff are signed in
        self.kept = False  # power came back and nobody has pressed a key yet
        self._back = [None] * _DEPTH
        self._depth = 0
        self._on = None  # the screen that the last press was for
        self._tap = False  # help is down and not yet held
        self._warned = False
        self.ahead = None  # the group that is to be loaded while the screen is read
        self.since = ticks_ms()  # the last key
        self._wake = Wake()

    # What screens call.

    def show(self, name: str, remember: bool = True) -> None:
        """Go on to a screen; back will return to the present one if `remember`."""
        if name not in self.screens:
            load(self, name)
        if remember and self._depth < _DEPTH:
            self._back[self._depth] = self.screen
            self._depth += 1
        self.screen = self.screens[name]
        self.screen.enter()
        self.screen.draw(self.canvas)
        self.ahead = follows(self, name)
        if self.ahead:
            self._wake.set()

    def back(self) -> None:
        """Return to the screen before, its choice as it was; from the first one home."""
        if self._depth == 0:
            self.idle()
            return
        self._depth -= 1
        self.screen = self._back[self._depth]
        self.screen.draw(self.canvas)

    def idle(self) -> None:
        """Forget the answers and show the home screen in the first language."""
        self.answers.forget()
        self._depth = 0
        self._warned = False
        self.words.use(self.words.languages[0][0])
        self.show(self.home, False)
        if self.home == "idle":
            drop(self, ("idle", "need"))

    def end(self, name: str) -> None:
        """Show a screen from which back leads home, not to the questions that are answered."""
        self._depth = 0
        self.show(name, False)

    def sign_out(self) -> None:
        """Whoever is at the staff desk leaves it."""
        if self.staff is not None and self.staff.who is not None:
            self.staff.sign_out()
        self.home = "idle"
        self.language = None
        self.idle()

    def speak(self, code: str) -> None:
        """Use that language if the kiosk has it."""
        for language in self.words.languages:
            if language[0] == code:
                self.words.use(code)
                return

    def uses(self, names) -> bool:
        """Whether one of these screens shows, or is where back leads."""
        for name in names:
            screen = self.screens[name]
            if screen is self.screen or screen in self._back[: self._depth]:
                return True
        return False

    def shed(self) -> None:
        """Memory is short: keep only the screens in use, whoever is at the keys."""
        spare(self, 0)

    def release(self) -> None:
        """Refer no more to screens that are not among `screens`; back passes over them."""
        here = tuple(self.screens.values())
        kept = [screen for screen in self._back[: self._depth] if screen in here]
        self._depth = len(kept)
        for i in range(_DEPTH):
            self._back[i] = kept[i] if i < self._depth else None
        self._on = None

    # What the kiosk calls.

    def start(self) -> None:
        """Draw the first screen, to be lit by whoever switches the panel on.

        It is idle, or the ticket whose owner had no time to read it before the power failed.
        """
        fetch("kiosk.first").first(self)
        forget("kiosk.first")
        self._warned = False
        self.since = ticks_ms()

    def event(self, key: str, what: str) -> None:
        """What the keypad says: help acts when it is let go or held, the others when they go down."""
        if key != "help":
            if what == "press":
                self.press(key)
            elif what == "hold":
                self.hold(key)
            elif what == "release" and self._on is not None:
                self._on.release(key)
        elif what == "press":
            self._tap = True
        elif self._tap:
            self._tap = False
            if what == "hold":
                self.hold(key)
            elif what == "release":
                self.press(key)

    def press(self, key: str) -> None:
        """A debounced key press, of help a tap: one action, one drawing."""
        self.since = ticks_ms()
        warned = self._warned
        self._warned = self.kept = False
        self._on = None
        if self._alarmed():  # the key was meant for what the alert now covers
            return
        if key == "help":  # never waits for anything
            self.screen.help()
        elif warned:
            self.screen.draw(self.canvas)
        else:
            self._on = self.screen
            self.screen.key(key)

    def hold(self, key: str) -> None:
        """A key is held: help lists the languages anywhere, the others are the screen's."""
        self.since = ticks_ms()
        self._warned = False
        if key != "help":
            if self._on is not None:
                self._on.hold(key)
        elif not self._alarmed() and self.screen is not self.screens.get("desk_alert"):
            self.screens["language"].offer()

    def changed(self, *_) -> None:
        """The hub changed: look at it soon. Safe to call from anywhere but an interrupt."""
        self._wake.set()

    def tick(self) -> None:
        """Act on silence; then draw what the hub's changes altered."""
        waited = ticks_diff(ticks_ms(), self.since)
        screen = self.screen
        if screen is not self.screens.get("idle") and waited >= screen.patience_ms:
            if screen.warns and not self._warned:
                self._warned = True
                self.screens["warning"].draw(self.canvas)
            elif not screen.warns or waited >= screen.patience_ms + _WARN_MS:
                self._warned = False
                self.since = ticks_ms()
                if self.home == "idle":
                    self.idle()
                else:
                    self.sign_out()
        if self._alarmed():
            self._warned = False
        elif not self._warned:
            self.screen.refresh(self.canvas)

    def left_ms(self):
        """Milliseconds until silence or the screen itself wants a tick; None while nothing does (idle)."""
        screen = self.screen
        due = screen.due_ms()
        if screen is not self.screens.get("idle"):
            limit = screen.patience_ms + (_WARN_MS if self._warned else 0)
            left = max(0, limit - ticks_diff(ticks_ms(), self.since))
            if due is None or left < due:
                due = left
        return due

    async def run(self, keypad, turn) -> None:
        """The ui task, after `start`: keys from `keypad.next()`, time-outs, changes of the hub. `turn` is the
        supervisor's."""
        turn.begin()
        keys = asyncio.create_task(self._keys(keypad, turn))
        try:
            while True:
                turn.rest()
                left = self.left_ms()
                if self.ahead:
                    # Not while a picture is awaited, or one key follows the other.
                    due = _READ_MS - ticks_diff(ticks_ms(), self.since)
                    if due <= 0:
                        prepare(self)
                    elif left is None or due < left:
                        left = due
                await self._wake.wait(left)
                if keys.done():
                    await keys  # raises what ended it, so that the supervisor sees it
                turn.begin()
                self._safely(self.tick)
        finally:
            keys.cancel()

    async def _keys(self, keypad, turn) -> None:
        try:
            while True:
                key, what = await keypad.next()
                turn.begin()
                before = self.left_ms()
                self._safely(self.event, key, what)
                after = self.left_ms()
                turn.rest()
                # Only a deadline that begins, ends or comes nearer needs the other task now: one that moved
                # away is seen when the old one comes.
                if before is None or after is None or after < before:
                    self._wake.set()
        finally:
            self._wake.set()

    # Inside

    def _safely(self, call, *args):
        # Where memory lacks in the middle of a picture, that is drawn once more without what can be spared.
        try:
            call(*args)
        except MemoryError:
            shed()
            self.screen.draw(self.canvas)

    def _alarmed(self):
        # At the desk an alert stands above all: shows it, and says so.
        if self.home != "desk" or not (self.hub.fold.alerts or self.hub.alarm):
            return False
        if self.screen is self.screens.get("desk_alert"):
            return False
        self.show("desk_alert")
        return True
