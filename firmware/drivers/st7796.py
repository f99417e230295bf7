"""ST7796S panel without a frame buffer: windows that take pixels column by column, and solid fills.

Source: Sitronix ST7796S datasheet V1.0.
"""

from struct import pack_into
from time import sleep_ms

import framebuf
from micropython import const

_SLPOUT = b"\x11"
_DISPON = b"\x29"
_MADCTL = b"\x36"
_COLMOD = b"\x3a"
_RDID4 = b"\xd3"

_READ_HZ = const(6_000_000)  # the datasheet's read cycle is 150 ns

# Orientation bits for 0 to 3 quarter-turns, with the colour filter of the common modules (blue first), rows
# and columns exchanged: the address counter goes down a column, then to the next one.
_TURNS = b"\x68\x08\xa8\xc8"


def colour(rgb: int) -> int:
    """RGB888 as `fill` and palettes want it: as near as RGB565 comes, its bytes in the bus' order."""
    wide = rgb >> 8 & 0xF800 | rgb >> 5 & 0x07E0 | rgb >> 3 & 0x1F
    return wide >> 8 | (wide & 0xFF) << 8


class ST7796:
    """The panel's memory, window by window.

    `width` and `height` are pixels as mounted; `rotation` quarter-turns from the module's portrait (1 and 3
    are landscape). `spi` is an initialised machine.SPI at `baud`, `cs`, `dc`, `rst`, `bl` output Pins,
    `strip` the caller's buffer of at least `width * 2` bytes, free for others between calls. Raises
    ValueError if geometry or strip do not fit. The panel is dark until `init` and `backlight`.
    """

    def __init__(self, spi, cs, dc, rst, bl, width, height, rotation, strip, baud=40_000_000):
        if not 0 <= rotation <= 3 or (width, height) != ((480, 320) if rotation & 1 else (320, 480)):
            raise ValueError("an ST7796S is 320x480 upright and 480x320 at rotation 1 or 3")
        if len(strip) < width * 2:
            raise ValueError("the strip is too small")
        self.width = width
        self.height = height
        self.strip = memoryview(strip)
        self._spi = spi
        self._baud = baud
        self._cs = cs
        self._dc = dc
        self._rst = rst
        self._bl = bl
        self._turn = _TURNS[rotation]
        self._x = self._y = self._h = -1  # the last window: it stays set
        self._span = bytearray(4)
        bl(0)
        cs(1)

    def init(self) -> None:
        """Reset and wake the panel, blacken it, switch the picture on, leave the backlight as it is.

        Takes 240 ms and a screenful on the bus. Needed after power came; harmless later.
        """
        self._x = self._h = -1
        self._cs(1)
        self._rst(0)
        sleep_ms(1)
        self._rst(1)
        sleep_ms(120)
        self._command(_SLPOUT)
        sleep_ms(120)
        self._command(_COLMOD, b"\x55")
        self._command(_MADCTL, bytes((self._turn,)))
        self.fill(0, 0, self.width, self.height, 0)
        self._command(_DISPON)

    def present(self) -> bool:
        """Whether a controller that calls itself 7796 answers on MISO; takes 10 us on the bus."""
        answer = bytearray(4)  # the first byte of the answer says nothing
        self._spi.init(baudrate=_READ_HZ)
        self._cs(0)
        self._dc(0)
        self._spi.write(_RDID4)
        self._dc(1)
        self._spi.readinto(answer)
        self._cs(1)
        self._spi.init(baudrate=self._baud)
        return answer[2] == 0x77 and answer[3] == 0x96

    def backlight(self, on: bool) -> None:
        """Light on or off."""
        self._bl(1 if on else 0)

    def open(self, x: int, y: int, h: int):
        """Begin to write `h` lines from x, y on; returns the bus' write, which takes RGB565 pixels in the
        bus' order (`colour`), down one column after the other, until `close`.

        Nothing is clipped: there are as many columns as `width` leaves.
        """
        write = self._spi.write
        dc = self._dc
        span = self._span
        self._cs(0)
        dc(0)
        if x != self._x:
            self._x = x
            write(b"\x2b")  # RASET
            dc(1)
            pack_into(">HH", span, 0, x, self.width - 1)
            write(span)
            dc(0)
        if y != self._y or h != self._h:
            self._y = y
            self._h = h
            write(b"\x2a")  # CASET
            dc(1)
            pack_into(">HH", span, 0, y, y + h - 1)
            write(span)
            dc(0)
        write(b"\x2c")  # RAMWR
        dc(1)
        return write

    def close(self) -> None:
        """End what `open` has begun."""
        self._cs(1)

    def fill(self, x: int, y: int, w: int, h: int, rgb565: int) -> None:
        """Put a window of one `colour` on the panel. Nothing is clipped."""
        left = w * h * 2
        n = min(len(self.strip) & ~1, left)
        strip = self.strip[:n]
        framebuf.FrameBuffer(strip, n >> 1, 1, framebuf.RGB565).fill(rgb565)
        write = self.open(x, y, h)
        while left:
            if left < n:
                n = left
                strip = strip[:n]
            write(strip)
            left -= n
        self._cs(1)

    def _command(self, command, parameters=None):
        self._cs(0)
        self._dc(0)
        self._spi.write(command)
        if parameters is not None:
            self._dc(1)
            self._spi.write(parameters)
        self._cs(1)
