"""The device as a whole: makes the drivers, services and screens that boardcfg describes, and runs them."""

import gc

import boardcfg as cfg
from esp32 import Partition
from machine import (
    DEEPSLEEP_RESET,
    HARD_RESET,
    I2C,
    PWM,
    PWRON_RESET,
    SOFT_RESET,
    SPI,
    UART,
    WDT,
    WDT_RESET,
    Pin,
    reset_cause,
)
from micropython import const
from neopixel import NeoPixel

from drivers.ds3231 import DS3231
from drivers.keypad import RELEASE, STUCK, Keypad
from drivers.max7219 import Matrix
from drivers.pixel import Pixel
from drivers.sounder import Sounder
from drivers.st7796 import ST7796
from kiosk.glyphs import Font
from kiosk.hub import KioskHub
from kiosk.parts import build_ui
from kiosk.signs import Signs
from kiosk.wall import Wall
from services.clock import Clock
from services.journal import Journal
from services.keys import KeysError, KeyStore
from services.link import LinkServer
from services.supervisor import Supervisor
from services.watchdog import Watchdog

_ASSETS = __file__.rsplit("/", 1)[0] + "/assets"

_STRIP_LINES = const(4)
_LITTER = const(8192)  # so many bytes of garbage are taken away in a quiet moment
_LOOK_ROUNDS = const(30)  # rounds of the housekeeping, 2 s each, between two looks at wall and panel
_CAUSES = {
    PWRON_RESET: "power",
    HARD_RESET: "reset",
    WDT_RESET: "watchdog",
    DEEPSLEEP_RESET: "sleep",
    SOFT_RESET: "soft",
}


def _out(pin: int, level: int):
    return Pin(pin, Pin.OUT, value=level)


def _panel():
    spi = SPI(
        cfg.PANEL_SPI,
        baudrate=cfg.SPI_1_BAUD,
        sck=Pin(cfg.SPI_1_SCK),
        mosi=Pin(cfg.SPI_1_MOSI),
        miso=Pin(cfg.SPI_1_MISO),
    )
    pins = (_out(cfg.PANEL_CS, 1), _out(cfg.PANEL_DC, 1), _out(cfg.PANEL_RST, 1), _out(cfg.PANEL_BL, 0))
    strip = bytearray(_STRIP_LINES * 2 * cfg.PANEL_WIDTH)
    return ST7796(
        spi, *pins, cfg.PANEL_WIDTH, cfg.PANEL_HEIGHT, cfg.PANEL_ROTATION, strip, baud=cfg.SPI_1_BAUD
    )


def _matrix():
    spi = SPI(
        cfg.WALL_SPI,
        baudrate=cfg.SPI_2_BAUD,
        sck=Pin(cfg.SPI_2_SCK),
        mosi=Pin(cfg.SPI_2_MOSI),
        miso=Pin(cfg.SPI_2_MISO),
    )
    return Matrix(spi, _out(cfg.WALL_CS, 1), cfg.WALL_COLUMNS, cfg.WALL_ROWS)


def _chip():
    return DS3231(I2C(cfg.RTC_I2C, scl=Pin(cfg.I2C_1_SCL), sda=Pin(cfg.I2C_1_SDA), freq=cfg.I2C_1_FREQ))


def _uart():
    return UART(
        cfg.UART_LINK_ID,
        cfg.UART_LINK_BAUD,
        tx=Pin(cfg.UART_LINK_TX),
        rx=Pin(cfg.UART_LINK_RX),
        rxbuf=cfg.UART_LINK_RXBUF,
        timeout=0,
    )


def _partition(name):
    return Partition.find(Partition.TYPE_DATA, label=name)[0]


def _keys():
    try:
        return KeyStore(_partition("keys"))
    except KeysError as error:
        print("no secrets:", error)  # visitors are served all the same; staff have the laptop
        return None


class App:
    """Everything the kiosk is made of; `run()` until the program is stopped.

    `slot` and `damaged` are what boot.py found.
    """

    def __init__(self, slot: int, damaged: str):
        self.panel = _panel()
        journal = Journal(_partition("journal"))
        self.hub = hub = KioskHub(journal, Clock(chip=_chip()), cfg.LETTER, keys=_keys(), tz=cfg.TZ)
        hub.start(_CAUSES.get(reset_cause(), "other"), cfg.VERSION, slot, damaged)
        self.ui = build_ui(self.panel, hub, _ASSETS)
        self.matrix = _matrix()
        self.wall = Wall(self.matrix, Font(_ASSETS + "/wall.fnt", None), hub)
        self.sounder = Sounder(PWM(Pin(cfg.SOUNDER_PIN), freq=1000, duty_u16=0))
        self.signs = Signs(hub, self.sounder, Pixel(NeoPixel(Pin(cfg.PIXEL_PIN), 1)), hub.health)
        self.keypad = Keypad({name: Pin(pin, Pin.IN, Pin.PULL_UP) for name, pin in cfg.KEYS.items()})
        self.link = LinkServer(_uart(), hub)
        self.supervisor = Supervisor(hub, Watchdog(WDT))
        self.supervisor.chore(hub.idle)
        self.supervisor.chore(self._look)
        self.supervisor.chore(self._tidy)
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
