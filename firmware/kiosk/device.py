"""The device as a whole: puts drivers, services and screens together, and runs them."""

import gc

from machine import WDT
from micropython import const

from drivers.keypad import RELEASE, STUCK
from kiosk.glyphs import Font
from kiosk.hub import KioskHub
from kiosk.parts import build_ui
from kiosk.signs import Signs
from kiosk.wall import Wall
from services.clock import Clock
from services.journal import Journal
from services.link import LinkServer
from services.supervisor import Supervisor
from services.watchdog import Watchdog
from tasks.forget import forget

_ASSETS = __file__.rsplit("/", 1)[0] + "/assets"

_JOURNAL = const(2048)  # what the journal uses of the strip; an answer needs 1,600 besides
_REPLAY = const(32768)
_LITTER = const(8192)  # so many bytes of garbage are taken away in a quiet moment
_LOOK_ROUNDS = const(30)  # rounds of the housekeeping, 2 s each, between two looks at wall and panel


class App:
    """Everything the kiosk is made of; `run()` until the program is stopped.

    `slot` and `damaged` are what boot.py found.
    """

    def __init__(self, slot: int, damaged: str):
        from kiosk import wiring

        self.panel = panel = wiring.panel()
        # Nothing draws while the journal is read or an answer is made of it: they share the panel's strip.
        journal = Journal(wiring.partition("journal"), buf=panel.strip)
        clock = Clock(chip=wiring.chip())
        self.hub = hub = KioskHub(journal, clock, wiring.LETTER, keys=wiring.partition("keys"), tz=wiring.TZ)
        self.ui = build_ui(self.panel, hub, _ASSETS)
        self.matrix = wiring.matrix()
        self.wall = Wall(self.matrix, Font(_ASSETS + "/wall.fnt", None), hub)
        self.sounder = wiring.sounder()
        self.signs = Signs(hub, self.sounder, wiring.pixel(), hub.health)
        self.keypad = wiring.keypad()
        self.link = LinkServer(wiring.uart(), hub, out=panel.strip[_JOURNAL:])
        self.supervisor = Supervisor(hub, Watchdog(WDT))
        self.supervisor.chore(hub.idle)
        self.supervisor.chore(self._look)
        self.supervisor.chore(self._tidy)
        # Last, when every buffer has its place: a replay makes much garbage, and collecting it every few
        # records would take most of the start.
        gc.collect()
        gc.threshold(_REPLAY)
        hub.start(wiring.cause(), wiring.VERSION, slot, damaged)
        forget("kiosk.wiring", "boardcfg")
        self._stuck = []
        self._rounds = 0
        self._tidied = 0

    async def run(self) -> None:
        """Start the tasks, then keep house."""
        for part in (self.ui, self.wall, self.signs):
            self.hub.listeners.append(part.changed)
        self.hub.health.listeners.append(self._troubled)
        start = self.supervisor.start
        start("ui", self._ui)
        start("wall", self.wall.run)
        start("signs", self.signs.run)
        start("link", self.link.run)
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
        await self.ui.run(self, turn)

    def _troubled(self, name):
        self.ui.changed()
        self.wall.changed()
        self.signs.changed()

    def _look(self):
        # Are wall and panel there? What comes back has forgotten everything.
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

    def _tidy(self):
        # Rather here than in the middle of a picture. And before the heap has once been full of garbage: what
        # stays would lie everywhere in it, with no room in between for anything larger.
        if gc.mem_alloc() - self._tidied > _LITTER:
            gc.collect()
            self._tidied = gc.mem_alloc()

    def close(self) -> None:
        """Take the interrupts back, so that nothing of the program runs on behind the console."""
        self.keypad.close()
        self.sounder.close()
