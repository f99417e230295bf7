"""The device as a whole: runs what kiosk.build has put together, drivers, services and screens."""

import gc

from micropython import const

from drivers.keypad import RELEASE, STUCK
from kiosk.groups import SHORT, spare
from tasks.forget import fetch, forget

_LITTER = const(4096)  # so many bytes of garbage are taken away in a quiet moment
_LOOK_ROUNDS = const(30)  # rounds of the housekeeping, 2 s each, between two looks at wall and panel


class App:
    """Everything the kiosk is made of; `run()` until the program is stopped.

    `slot` and `damaged` are what boot.py found.
    """

    def __init__(self, slot: int, damaged: str):
        self._stuck = []
        self._rounds = 0
        self._tidied = 0
        (
            self.panel,
            self.hub,
            self.ui,
            self.matrix,
            self.wall,
            self.sounder,
            self.signs,
            self.keypad,
            self.radio,
            self._works,
            self.supervisor,
        ) = fetch("kiosk.build").build(self, slot, damaged)
        forget("kiosk.build", "kiosk.wiring", "kiosk.parts", "kiosk.registry", "boardcfg")

    async def run(self) -> None:
        """Start the tasks, then keep house."""
        for part in (self.ui, self.wall, self.signs):
            self.hub.listeners.append(part.changed)
        self.hub.health.listeners.append(self._troubled)
        start = self.supervisor.start
        start("ui", self._ui)
        start("wall", self.wall.run)
        start("signs", self.signs.run)
        for name, work in self._works.items():
            start(name, work)
        gc.collect()
        await self.supervisor.run()

    async def next(self, timeout_ms=None):
        """The keypad's next event, for the ui; a key that is stuck is a trouble until it comes back."""
        event = await self.keypad.next(timeout_ms)
        if event is not None:
            key, what = event
            if what == STUCK:
                self._stuck.append(key)
                self.hub.health.set("key", True, "the key " + key + " does not come back")
            elif what == RELEASE and key in self._stuck:
                self._stuck.remove(key)
                self.hub.health.set("key", bool(self._stuck))
        return event

    async def _ui(self, turn) -> None:
        turn.begin()
        self.panel.init()
        self.ui.canvas.fresh()
        self.ui.start()
        self.panel.backlight(True)
        # In service garbage is collected when a visitor has gone, by the housekeeping, or when the heap is
        # full: never every few keys, since each time takes tens of milliseconds.
        gc.collect()
        gc.threshold(-1)
        await self.ui.run(self, turn)

    def _troubled(self, name):
        self.ui.changed()
        self.wall.changed()
        self.signs.changed()

    def look(self) -> None:
        """A chore: are wall and panel there? What comes back has forgotten everything."""
        self._rounds -= 1
        if self._rounds >= 0:
            return
        self._rounds = _LOOK_ROUNDS
        health = self.hub.health
        whole = self.matrix.present()
        if whole and "wall" in health.standing:
            self.matrix.refresh()
        health.set("wall", not whole, "the wall does not answer")
        whole = self.panel.present()
        if whole and "panel" in health.standing:
            self.panel.init()
            self.ui.canvas.fresh()
            self.ui.screen.draw(self.ui.canvas)
        health.set("panel", not whole, "the panel does not answer")

    def tidy(self) -> None:
        """A chore: collect garbage here rather than in the middle of a picture.

        And before the heap has once been full of it: what stays would lie everywhere in it, with no room in
        between for anything larger.
        """
        if gc.mem_alloc() - self._tidied > _LITTER:
            gc.collect()
            if gc.mem_free() < SHORT:
                spare(self.ui)
            self._tidied = gc.mem_alloc()

    def close(self) -> None:
        """Take the interrupts back, so that nothing of the program runs on behind the console."""
        self.keypad.close()
        self.sounder.close()
        self.radio.close()


class Chip:
    """The clock chip on ``i2c``; drivers.ds3231, which says more, is in memory only while it is asked."""

    def __init__(self, i2c):
        self._i2c = i2c

    def read(self) -> "int | None":
        return self._ask("read")

    def write(self, utc_s: int) -> None:
        self._ask("write", utc_s)

    def _ask(self, what, *args):
        driver = fetch("drivers.ds3231").DS3231(self._i2c)
        forget("drivers.ds3231")
        return getattr(driver, what)(*args)
