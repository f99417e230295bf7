"""Makes the drivers that boardcfg describes; needed once, and then no longer in memory."""

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
    WDT_RESET,
    Pin,
    reset_cause,
    unique_id,
)
from neopixel import NeoPixel

from drivers.keypad import Keypad
from drivers.max7219 import Matrix
from drivers.pixel import Pixel
from drivers.sounder import Sounder
from drivers.st7796 import ST7796
from kiosk.device import Chip

LETTER = cfg.LETTER
VERSION = cfg.VERSION
TZ = cfg.TZ
ABOUT = (unique_id(), cfg.VERSION, cfg.BOARD_ID, cfg.LETTER)

_CAUSES = {
    PWRON_RESET: "power",
    HARD_RESET: "reset",
    WDT_RESET: "watchdog",
    DEEPSLEEP_RESET: "sleep",
    SOFT_RESET: "soft",
}


def cause() -> str:
    """Why the board has started, in a word."""
    return _CAUSES.get(reset_cause(), "other")


def panel(strip):
    """The panel, dark; it uses `strip` while something is sent to it."""
    spi = _spi(cfg.PANEL_SPI, cfg.SPI_1_BAUD, cfg.SPI_1_SCK, cfg.SPI_1_MOSI, cfg.SPI_1_MISO)
    pins = (_out(cfg.PANEL_CS, 1), _out(cfg.PANEL_DC, 1), _out(cfg.PANEL_RST, 1), _out(cfg.PANEL_BL, 0))
    return ST7796(
        spi, *pins, cfg.PANEL_WIDTH, cfg.PANEL_HEIGHT, cfg.PANEL_ROTATION, strip, baud=cfg.SPI_1_BAUD
    )


def matrix():
    """The wall."""
    spi = _spi(cfg.WALL_SPI, cfg.SPI_2_BAUD, cfg.SPI_2_SCK, cfg.SPI_2_MOSI, cfg.SPI_2_MISO)
    return Matrix(spi, _out(cfg.WALL_CS, 1), cfg.WALL_COLUMNS, cfg.WALL_ROWS)


def chip():
    """The clock chip."""
    return Chip(I2C(cfg.RTC_I2C, scl=Pin(cfg.I2C_1_SCL), sda=Pin(cfg.I2C_1_SDA), freq=cfg.I2C_1_FREQ))


def sounder():
    """The sounder, silent."""
    return Sounder(PWM(Pin(cfg.SOUNDER_PIN), freq=1000, duty_u16=0))


def pixel():
    """The status light, dark."""
    return Pixel(NeoPixel(Pin(cfg.PIXEL_PIN), 1))


def keypad():
    """The keys, listening."""
    return Keypad({name: Pin(pin, Pin.IN, Pin.PULL_UP) for name, pin in cfg.KEYS.items()})


def uart():
    """The link's UART."""
    return UART(
        cfg.UART_LINK_ID,
        cfg.UART_LINK_BAUD,
        tx=Pin(cfg.UART_LINK_TX),
        rx=Pin(cfg.UART_LINK_RX),
        rxbuf=cfg.UART_LINK_RXBUF,
        timeout=0,
    )


def partition(name: str):
    """A data partition by its name."""
    return Partition.find(Partition.TYPE_DATA, label=name)[0]


def _spi(number, baud, sck, mosi, miso):
    return SPI(number, baudrate=baud, sck=Pin(sck), mosi=Pin(mosi), miso=Pin(miso))


def _out(pin, level):
    return Pin(pin, Pin.OUT, value=level)
