"""ST7796S panel: a frame buffer of 16 or 4 colours of which any window is sent, expanded to RGB565 in strips.

Source: Sitronix ST7796S datasheet V1.0; framebuf's palette blit does the expanding in native code.
"""

from time import sleep_ms

import framebuf
from micropython import const

_SWRESET = const(0x01)
_SLPIN = const(0x10)
_SLPOUT = const(0x11)
_DISPOFF = const(0x28)
_DISPON = const(0x29)
_CASET = const(0x2A)
_RASET = const(0x2B)
_RAMWR = const(0x2C)
_MADCTL = const(0x36)
_COLMOD = const(0x3A)

_STRIP_PIXELS = const(4800)  # ten lines of 480; 9,600 bytes

# Orientation bits for 0 to 3 quarter-turns, with the colour filter of the common modules (blue first).
_TURNS = b"\x48\x28\x88\xe8"


class ST7796:
    """Draw into `fb` (GS4_HMSB, or with `colours=4` GS2_HMSB), then `show` what changed.

    `width` and `height` are pixels as mounted; `rotation` quarter-turns from the module's portrait (1 and 3
    are landscape). `spi` is an initialised machine.SPI, `cs`, `dc`, `rst`, `bl` output Pins. `buffer` and
    `strip` may be given by a caller who allocates early: at least `width * height // 2` (`// 4` with 4
    colours) and `width * 2` bytes. Raises ValueError if geometry or buffers do not fit. The panel is dark
    until `init` and `backlight`.
    """

    def __init__(
        self, spi, cs, dc, rst, bl, width=480, height=320, rotation=1, buffer=None, strip=None, colours=16
    ):
        if not 0 <= rotation <= 3 or (width, height) != ((480, 320) if rotation & 1 else (320, 480)):
            raise ValueError("an ST7796S is 320x480 upright and 480x320 at rotation 1 or 3")
        if colours not in (4, 16):
            raise ValueError("a frame buffer has 4 or 16 colours")
        size = width * height // (2 if colours == 16 else 4)
        if buffer is None:
            buffer = bytearray(size)
        if strip is None:
            strip = bytearray(_STRIP_PIXELS * 2)
        if len(buffer) < size or len(strip) < width * 2:
            raise ValueError("buffer or strip is too small")
        self.width = width
        self.height = height
        self.buffer = buffer
        depth = framebuf.GS4_HMSB if colours == 16 else framebuf.GS2_HMSB
        self.fb = framebuf.FrameBuffer(buffer, width, height, depth)
        self._entries = bytearray(32)
        self.palette = framebuf.FrameBuffer(self._entries, 16, 1, framebuf.RGB565)
        self._strip = memoryview(strip)
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._rst = rst
        self._bl = bl
        self._turn = _TURNS[rotation]
        self._byte = bytearray(1)
        self._span = bytearray(4)
        bl(0)
        cs(1)

    def colour(self, index: int, red: int, green: int, blue: int) -> None:
        """Set colour 0–15 (0–3) of the palette to 8-bit red, green, blue, as near as RGB565 comes.

        What is on the panel keeps its colours until shown again.
        """
        # The panel takes the high byte first.
        self._entries[2 * index] = red & 0xF8 | green >> 5
        self._entries[2 * index + 1] = green << 3 & 0xE0 | blue >> 3

    def init(self) -> None:
        """Reset and wake the panel, send all of `fb`, switch the picture on, leave the backlight as it is.

        Takes 250 ms and a screenful on the bus. Needed after power came; harmless later.
        """
        self._cs(1)
        self._rst(0)
        sleep_ms(1)
        self._rst(1)
        sleep_ms(120)
        self._command(_SLPOUT)
        sleep_ms(120)
        self._command(_COLMOD, b"\x55")
        self._command(_MADCTL, bytes((self._turn,)))
        self.show(0, 0, self.width, self.height)
        self._command(_DISPON)

    def sleep(self) -> None:
        """Backlight and picture off, the controller asleep (it keeps its memory); 5 ms. `wake` undoes it."""
        self._bl(0)
        self._command(_DISPOFF)
        self._command(_SLPIN)
        sleep_ms(5)

    def wake(self) -> None:
        """Undo `sleep`: not sooner than 120 ms after it. Takes 120 ms, then the backlight is on."""
        self._command(_SLPOUT)
        sleep_ms(120)
        self._command(_DISPON)
        self._bl(1)

    def backlight(self, on: bool) -> None:
        """Light on or off."""
        self._bl(1 if on else 0)

    def show(self, x: int, y: int, w: int, h: int) -> int:
        """Send a window of `fb`, clipped to the screen; returns its pixel bytes (`w * h * 2` as clipped)."""
        if x < 0:
            w += x
            x = 0
        if y < 0:
            h += y
            y = 0
        w = min(w, self.width - x)
        h = min(h, self.height - y)
        if w <= 0 or h <= 0:
            return 0
        self._window(_CASET, x, x + w - 1)
        self._window(_RASET, y, y + h - 1)
        lines = min(h, len(self._strip) // (2 * w))
        strip = framebuf.FrameBuffer(self._strip, w, lines, framebuf.RGB565)
        write = self._spi.write
        self._byte[0] = _RAMWR
        self._cs(0)
        self._dc(0)
        write(self._byte)
        self._dc(1)
        whole = self._strip[: lines * w * 2]
        done = 0
        while done < h:
            strip.blit(self.fb, -x, -(y + done), -1, self.palette)
            write(whole if lines <= h - done else self._strip[: (h - done) * w * 2])
            done += lines
        self._cs(1)
        return w * h * 2

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
