"""ST7796S panel without a frame buffer: tiles of a few colours, expanded in strips, and solid fills.

Source: Sitronix ST7796S datasheet V1.0; framebuf's palette blit does the expanding in native code.
"""

from time import sleep_ms

import framebuf
from micropython import const

_SLPOUT = const(0x11)
_DISPON = const(0x29)
_CASET = const(0x2A)
_RASET = const(0x2B)
_RAMWR = const(0x2C)
_MADCTL = const(0x36)
_COLMOD = const(0x3A)
_RDID4 = const(0xD3)

_READ_HZ = const(6_000_000)  # the datasheet's read cycle is 150 ns

# Orientation bits for 0 to 3 quarter-turns, with the colour filter of the common modules (blue first).
_TURNS = b"\x48\x28\x88\xe8"


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
        self._y = self._h = 0  # the rows of the last window: it stays set
        self._byte = bytearray(1)
        self._span = bytearray(4)
        bl(0)
        cs(1)

    def init(self) -> None:
        """Reset and wake the panel, blacken it, switch the picture on, leave the backlight as it is.

        Takes 240 ms and a screenful on the bus. Needed after power came; harmless later.
        """
        self._h = 0
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
        self._byte[0] = _RDID4
        self._cs(0)
        self._dc(0)
        self._spi.write(self._byte)
        self._dc(1)
        self._spi.readinto(answer)
        self._cs(1)
        self._spi.init(baudrate=self._baud)
        return answer[2] == 0x77 and answer[3] == 0x96

    def backlight(self, on: bool) -> None:
        """Light on or off."""
        self._bl(1 if on else 0)

    def send(self, fb, palette, x: int, y: int, w: int, h: int) -> int:
        """Put the w x h pixels of `fb` at x, y; returns their bytes.

        `fb` is a FrameBuffer or what its blit takes for one, `palette` a FrameBuffer of `colour`s, one for
        each value of a pixel. Nothing is clipped: the window must lie on the panel.
        """
        lines = min(h, len(self.strip) // (2 * w))
        strip = framebuf.FrameBuffer(self.strip, w, lines, framebuf.RGB565)
        blit = strip.blit
        write = self._open(x, y, w, h)
        whole = self.strip[: lines * w * 2]
        for done in range(0, h, lines):
            blit(fb, 0, -done, -1, palette)
            write(whole if lines <= h - done else whole[: (h - done) * w * 2])
        self._cs(1)
        return w * h * 2

    def put(self, pixels, x: int, y: int, w: int, h: int) -> int:
        """Put RGB565 pixels in the bus' order (an RGB565 FrameBuffer's with `colour`s) at x, y; returns their
        bytes. Nothing is clipped."""
        self._open(x, y, w, h)(pixels)
        self._cs(1)
        return w * h * 2

    def fill(self, x: int, y: int, w: int, h: int, rgb565: int) -> int:
        """Put a window of one `colour` on the panel; returns its bytes. Nothing is clipped."""
        size = w * h * 2
        n = min(len(self.strip) & ~1, size)
        strip = self.strip[:n]
        framebuf.FrameBuffer(strip, n >> 1, 1, framebuf.RGB565).fill(rgb565)
        write = self._open(x, y, w, h)
        for left in range(size, 0, -n):
            write(strip if left >= n else strip[:left])
        self._cs(1)
        return size

    def _open(self, x, y, w, h):
        """Begin a memory write into a window; returns the bus' write."""
        self._window(_CASET, x, x + w - 1)
        if y != self._y or h != self._h:
            self._window(_RASET, y, y + h - 1)
            self._y = y
            self._h = h
        self._byte[0] = _RAMWR
        self._cs(0)
        self._dc(0)
        self._spi.write(self._byte)
        self._dc(1)
        return self._spi.write

    def _window(self, command, first, last):
        span = self._span
        span[0] = first >> 8
        span[1] = first & 0xFF
        span[2] = last >> 8
        span[3] = last & 0xFF
        self._command(command, span)

    def _command(self, command, parameters=None):
        self._byte[0] = command
        self._cs(0)
        self._dc(0)
        self._spi.write(self._byte)
        if parameters is not None:
            self._dc(1)
            self._spi.write(parameters)
        self._cs(1)
