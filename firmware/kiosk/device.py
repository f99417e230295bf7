"""The device as a whole: makes the drivers, services and screens that boardcfg describes, and runs them."""

import gc

import boardcfg
from esp32 import Partition
from machine import (
    DEEPSLEEP_RESET,
    HARD_RESET,
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

from drivers.keypad import Keypad
from drivers.max7219 import Matrix
from drivers.st7796 import ST7796
from kiosk.glyphs import Font
from kiosk.hub import KioskHub
from kiosk.parts import build_ui
from kiosk.wall import Wall
from services.clock import Clock
from services.journal import Journal
from services.link import LinkServer
from services.supervisor import Supervisor
from services.watchdog import Watchdog

_ASSETS = __file__.rsplit("/", 1)[0] + "/assets"

_STRIP_LINES = const(4)
_LITTER = const(8192)  # so many bytes of garbage are taken away in a quiet moment
_CAUSES = {
    PWRON_RESET: "power",
    HARD_RESET: "reset",
    WDT_RESET: "watchdog",
    DEEPSLEEP_RESET: "sleep",
    SOFT_RESET: "soft",
}


def _out(pin: int, level: int):
    return Pin(pin, Pin.OUT, value=level)


def _panel(frame):
    cfg = boardcfg
    spi = SPI(
        cfg.PANEL_SPI,
        baudrate=cfg.SPI_1_BAUD,
        sck=Pin(cfg.SPI_1_SCK),
        mosi=Pin(cfg.SPI_1_MOSI),
        miso=Pin(cfg.SPI_1_MISO),
    )
    pins = (_out(cfg.PANEL_CS, 1), _out(cfg.PANEL_DC, 1), _out(cfg.PANEL_RST, 1), _out(cfg.PANEL_BL, 0))
    strip = bytearray(_STRIP_LINES * 2 * cfg.PANEL_WIDTH)
    return ST7796(spi, *pins, cfg.PANEL_WIDTH, cfg.PANEL_HEIGHT, cfg.PANEL_ROTATION, frame, strip, colours=4)


def _matrix():
    cfg = boardcfg
    spi = SPI(cfg.WALL_SPI, baudrate=cfg.SPI_2_BAUD, sck=Pin(cfg.SPI_2_SCK), mosi=Pin(cfg.SPI_2_MOSI))
    return Matrix(spi, _out(cfg.WALL_CS, 1), cfg.WALL_COLUMNS, cfg.WALL_ROWS)


class App:
    """Everything the kiosk is made of; `run()` until the program is stopped.

    `frame` is the buffer of the panel's picture.
    """

    def __init__(self, frame):
        cfg = boardcfg
        self.panel = _panel(frame)
        self.clock = Clock()
        self.journal = Journal(Partition.find(Partition.TYPE_DATA, label="journal")[0])
        self.hub = KioskHub(self.journal, self.clock, cfg.LETTER)
        self.hub.start(_CAUSES.get(reset_cause(), "other"), cfg.VERSION)
        self.ui = build_ui(self.panel, self.hub, _ASSETS)
        self.wall = Wall(_matrix(), Font(_ASSETS + "/wall.fnt", True, None), self.hub)
        self.keypad = Keypad({name: Pin(pin, Pin.IN, Pin.PULL_UP) for name, pin in cfg.KEYS.items()})
        self.link = LinkServer(
            UART(
                cfg.UART_LINK_ID,
                cfg.UART_LINK_BAUD,
                tx=Pin(cfg.UART_LINK_TX),
                rx=Pin(cfg.UART_LINK_RX),
                rxbuf=cfg.UART_LINK_RXBUF,
                timeout=0,
            ),
            self.hub,
        )
        self.supervisor = Supervisor(self.hub, Watchdog(WDT))
        self.supervisor.chore(self.hub.idle)
        self.supervisor.chore(self._tidy)
        self._tidied = 0

    async def run(self) -> None:
        """Start the tasks, then keep house."""
        self.hub.listeners.append(self.ui.changed)
        self.hub.listeners.append(self.wall.changed)
        start = self.supervisor.start
        start("ui", self._ui)
        start("wall", self.wall.run)
        start("link", self.link.run)
        gc.collect()
        await self.supervisor.run()

    async def _ui(self, turn) -> None:
        turn.begin()
        self.ui.start()
        self.panel.init()  # sends the picture, so that the light goes on over it
        self.ui.canvas.sent()
        self.panel.backlight(True)
        await self.ui.run(self.keypad, turn)

    def _tidy(self):
        # Rather here than in the middle of a picture. And before the heap has once been full of garbage: what
        # stays would lie everywhere in it, with no room in between for anything larger.
        if gc.mem_alloc() - self._tidied > _LITTER:
            gc.collect()
            self._tidied = gc.mem_alloc()

    def close(self) -> None:
        """Take the interrupts back, so that nothing of the program runs on behind the console."""
        self.keypad.close()
