"""The screens' machine: which one shows, where back leads, when a silent visitor's answers are forgotten."""

import asyncio
import gc
from time import ticks_diff, ticks_ms

from micropython import const

from hubcore.classes import EMERGENCY
from hubcore.labels import PICTOGRAMS
from tasks.wake import Wake

_WARN_MS = const(25000)  # WCAG 2.2.1 asks for at least 20 s to say "I am still here" with one action
_DEPTH = const(12)


class Screen:
    """What every screen has; a screen is one object for the life of the kiosk, reused for every visitor."""

    patience_ms = 45000  # without a key until the warning, or until idle where nothing can be lost
    warns = True

    def __init__(self, ui):
        self.ui = ui

    def enter(self) -> None:
        """Get ready to be shown anew (not called when back returns to it)."""

    def draw(self, canvas) -> None:
        """Draw everything."""

    def key(self, key: str) -> None:
        """A key press other than help, on this screen."""

    def refresh(self, canvas) -> None:
        """The hub changed while this screen shows; draw what differs."""


class Answers:
    """What the visitor in front of the kiosk has said so far; forgotten on every return to idle."""

    def __init__(self):
        self.forget()

    def forget(self) -> None:
        self.need = None
        self.lane = None
        self.pictogram = 0
        self.label = None
        self.kept = False
        self.reason = None


class Ui:
    """Screens by name, the answers, the keys. `hub` is kiosk.hub.KioskHub.

    Keys come by `press(key)`, hub changes by `changed()`; `run()` is the task. All drawing happens in the
    task.
    """

    def __init__(self, canvas, hub, words, label_font, pictograms):
        self.canvas = canvas
        self.hub = hub
        self.words = words
        self.label_font = label_font
        self.pictograms = pictograms
        self.answers = Answers()
        self.screens = {}
        self.screen = None
        self._back = [None] * _DEPTH
        self._depth = 0
        self._warned = False
        self._stale = False
        self._since = ticks_ms()
        self._wake = Wake()

    # What screens call.

    def show(self, name: str, remember: bool = True) -> None:
        """Go on to a screen; back will return to the present one if `remember`."""
        if remember and self._depth < _DEPTH:
            self._back[self._depth] = self.screen
            self._depth += 1
        self.screen = self.screens[name]
        self.screen.enter()
        self.screen.draw(self.canvas)

    def back(self) -> None:
        """Return to the screen before, its choice as it was; from the first one to idle."""
        if self._depth == 0:
            self.idle()
            return
        self._depth -= 1
        self.screen = self._back[self._depth]
        self.screen.draw(self.canvas)

    def idle(self) -> None:
        """Forget the answers and show the idle screen in the first language."""
        self.answers.forget()
        self._depth = 0
        self.words.use(self.words.languages[0][0])
        self._stale = True
        self.show("idle", False)

    # What the kiosk calls.

    def start(self) -> None:
        """Draw the first screen, to be sent by whoever switches the panel on.

        It is idle, or the ticket whose owner had no time to read it before the power failed.
        """
        label = self._unread()
        if label is None:
            self.idle()
        else:
            visit = self.hub.fold.visits[label]
            self.answers.forget()
            self.answers.label = label
            self.answers.kept = True
            self.answers.pictogram = PICTOGRAMS.index(visit.pictogram)
            self._speak(visit.lang)
            self._depth = 0
            if visit.cls == EMERGENCY:  # as its owner saw it, so that nobody else takes it for a new one
                self.show("emergency", False)
                self.screen.finish(self.canvas)
            else:
                self.show("ticket", False)
        self._warned = False
        self._since = ticks_ms()

    def press(self, key: str) -> None:
        """A debounced key press: one action, one drawing."""
        self._since = ticks_ms()
        warned = self._warned
        self._warned = False
        if key == "help":  # never waits for anything
            self.screens["help"].call()
        elif warned:
            self.screen.draw(self.canvas)
        else:
            self.screen.key(key)
        self.canvas.flush()

    def changed(self, *_) -> None:
        """The hub changed: look at it soon. Safe to call from anywhere but an interrupt."""
        self._wake.set()

    def tick(self) -> None:
        """Act on silence; then send what the hub's changes altered."""
        waited = ticks_diff(ticks_ms(), self._since)
        screen = self.screen
        idle = self.screens["idle"]
        if screen is not idle and waited >= screen.patience_ms:
            if screen.warns and not self._warned:
                self._warned = True
                self.screens["warning"].draw(self.canvas)
            elif not screen.warns or waited >= screen.patience_ms + _WARN_MS:
                self._warned = False
                self._since = ticks_ms()
                self.idle()
        if not self._warned:
            self.screen.refresh(self.canvas)
        self.canvas.flush()

    def left_ms(self):
        """Milliseconds until silence means something; None while it means nothing (idle)."""
        screen = self.screen
        if screen is self.screens["idle"]:
            return None
        limit = screen.patience_ms + (_WARN_MS if self._warned else 0)
        return max(0, limit - ticks_diff(ticks_ms(), self._since))

    async def run(self, keypad, turn) -> None:
        """The ui task, after `start`: keys from `keypad.next()`, time-outs, changes of the hub. `turn` is the
        supervisor's."""
        turn.begin()
        keys = asyncio.create_task(self._keys(keypad, turn))
        try:
            while True:
                turn.rest()
                left = self.left_ms()
                if (
                    left is None and self._stale
                ):  # a visitor has gone: make room while nobody waits for a picture
                    self._stale = False
                    gc.collect()
                await self._wake.wait(left)
                if keys.done():
                    await keys  # raises what ended it, so that the supervisor sees it
                turn.begin()
                self.tick()
        finally:
            keys.cancel()

    async def _keys(self, keypad, turn) -> None:
        try:
            while True:
                key, what = await keypad.next()
                if what == "press":
                    turn.begin()
                    was_idle = self.left_ms() is None
                    self.press(key)
                    turn.rest()
                    # Only a deadline that begins or ends needs the other task now: one that moved away is
                    # seen when the old one comes.
                    if was_idle or self.left_ms() is None:
                        self._wake.set()
        finally:
            self._wake.set()

    def _speak(self, code: str) -> None:
        for language in self.words.languages:
            if language[0] == code:
                self.words.use(code)
                return

    def _unread(self):
        """The newest ticket, if it was issued so short a time ago (powered time) that it may not have been
        read."""
        fold = self.hub.fold
        newest = None
        for visit in fold.visits.values():
            if newest is None or visit.seq > newest.seq:
                newest = visit
        # A free chair calls at once: being called does not mean that the ticket was read.
        if newest is None or newest.state == "seated":
            return None
        age_ms = self.hub.now_ms() - newest.arrival_s * 1000
        return newest.label if age_ms < self.screens["ticket"].patience_ms else None
