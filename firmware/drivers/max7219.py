"""MAX7219 chain: a wall of 8×8 LED matrices with a one-bit frame buffer; only changed rows are sent.

Source: Maxim MAX7219/MAX7221 datasheet 19-4452 Rev 4, table 2.
"""

import framebuf
from micropython import const

_DECODE = const(0x9)
_INTENSITY = const(0xA)
_SCAN_LIMIT = const(0xB)
_SHUTDOWN = const(0xC)
_TEST = const(0xF)


class Matrix:
    """Draw into `fb` (MONO_HLSB, `columns * 8` × `rows * 8`), then `show`.

    The chip nearest the controller is the top left one; the chain goes right, then down. Digit 0 is a
    chip's top row, segment DP its left column. `spi` is an initialised machine.SPI of at most 10 MHz, `cs`
    an output Pin. The wall is dark until `refresh`.
    """

    def __init__(self, spi, cs, columns: int, rows: int):
        if columns < 1 or rows < 1:
            raise ValueError("a wall has at least one chip")
        self.width = columns * 8
        self.height = rows * 8
        self._columns = columns
        self._rows = rows
        self._spi = spi
        self._cs = cs
        self.buffer = bytearray(columns * rows * 8)
        self._shown = bytearray(columns * rows * 8)
        self._words = bytearray(columns * rows * 2)
        self._intensity = 4
        self.fb = framebuf.FrameBuffer(self.buffer, self.width, self.height, framebuf.MONO_HLSB)
        cs(1)

    def refresh(self) -> None:
        """Set up every chip anew and send all of `fb`: at the start, and now and then, since a chip that
        lost its settings to a disturbance says nothing."""
        self._all(_TEST, 0)
        self._all(_DECODE, 0)
        self._all(_SCAN_LIMIT, 7)
        self._all(_INTENSITY, self._intensity)
        for digit in range(8):
            self._send(digit)
        self._all(_SHUTDOWN, 1)

    def show(self) -> int:
        """Send the rows that differ from what was sent last; returns the number of bytes sent."""
        sent = 0
        step = self._columns
        new, old = memoryview(self.buffer), memoryview(self._shown)
        for digit in range(8):
            for row in range(digit, self.height, 8):
                at = row * step
                if new[at : at + step] != old[at : at + step]:
                    self._send(digit)
                    sent += len(self._words)
                    break
        return sent

    def brightness(self, level: int) -> None:
        """0 (dimmest) to 15. Raises ValueError outside."""
        if not 0 <= level <= 15:
            raise ValueError("brightness is 0 to 15")
        self._intensity = level
        self._all(_INTENSITY, level)

    def off(self) -> None:
        """All LEDs off; the chips keep their memory. `refresh` switches on again."""
        self._all(_SHUTDOWN, 0)

    def present(self) -> bool:
        """Whether the chain is whole: what is sent into it comes back from its last chip's DOUT, on MISO.

        Shows nothing and changes nothing. It tells of a wall without power or with a broken cable, not of an
        LED that is dark.
        """
        words = self._words
        for i in range(0, len(words), 2):
            words[i] = 0  # no operation: the second byte is for nobody
            words[i + 1] = i * 89 + 0x5A & 0xFF
        self._cs(0)
        self._spi.write(words)
        self._spi.write_readinto(words, words)
        self._cs(1)
        for i in range(0, len(words), 2):
            if words[i] or words[i + 1] != (i * 89 + 0x5A & 0xFF):
                return False
        return True

    def _all(self, register, value):
        words = self._words
        for i in range(0, len(words), 2):
            words[i] = register
            words[i + 1] = value
        self._latch()

    def _send(self, digit):
        # What is sent first travels to the last chip of the chain, the one at the bottom right.
        words, step = self._words, self._columns
        at = 0
        for row in range(self.height - 8 + digit, -1, -8):
            for i in range(row * step + step - 1, row * step - 1, -1):
                words[at] = digit + 1
                words[at + 1] = self._shown[i] = self.buffer[i]
                at += 2
        self._latch()

    def _latch(self):
        self._cs(0)
        self._spi.write(self._words)
        self._cs(1)
