"""The ST7796S's frame memory and address counter: pixels in and out through a window and an orientation."""

from __future__ import annotations

from array import array

from PIL import Image

COLUMNS, ROWS = 320, 480
"""The memory as the controller counts it, whatever way the glass is turned."""

MY, MX, MV = 0x80, 0x40, 0x20
"""MADCTL: rows from the bottom, columns from the right, rows and columns exchanged."""

Span = tuple[int, int]

_Flip = Image.Transpose
# Six bits a colour arrive in the upper bits of a byte; the two highest are repeated, so that white is white.
_SIX_BITS = [value & 0xFC | value >> 6 for value in range(256)] * 3
_UPPER_BITS = [value & 0xFC for value in range(256)] * 3


class FrameMemory:
    """320 × 480 pixels. Undefined when power comes: here a grey that no picture is made of."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (COLUMNS, ROWS), "#525552")
        self._at = (0, 0)

    def home(self) -> None:
        """Set the address counter to the first pixel of the window."""
        self._at = (0, 0)

    def write(self, data: bytes, colmod: int, xs: Span, ys: Span, madctl: int) -> None:
        """Put whole pixels (5: 16 bits, 6: 18 bits in three bytes) where the counter stands; it goes from
        left to right, then down, and from the end of the window to its beginning."""
        size = 2 if colmod == 5 else 3
        width, height = xs[1] - xs[0] + 1, ys[1] - ys[0] + 1
        x, y = self._at
        if x >= width or y >= height:  # the window became smaller since
            x = y = 0
        used = 0
        while used < len(data):
            left = (len(data) - used) // size
            # A run that begins or ends within a row is put by itself, whole rows in one piece.
            columns, lines = (
                (min(width - x, left), 1) if x or left < width else (width, min(height - y, left // width))
            )
            end = used + columns * lines * size
            self._put(_block(data[used:end], colmod, columns, lines), xs[0] + x, ys[0] + y, madctl)
            used = end
            x += columns
            if x == width:
                x, y = 0, (y + lines) % height
        self._at = (x, y)

    def read(self, xs: Span, ys: Span, madctl: int) -> bytes:
        """The window as a memory read gives it: 18 bits a pixel, in the order of the address counter."""
        picture = self.image
        if madctl & MX:
            picture = picture.transpose(_Flip.FLIP_LEFT_RIGHT)
        if madctl & MY:
            picture = picture.transpose(_Flip.FLIP_TOP_BOTTOM)
        if madctl & MV:
            picture = picture.transpose(_Flip.TRANSPOSE)
        return picture.crop((xs[0], ys[0], xs[1] + 1, ys[1] + 1)).point(_UPPER_BITS).tobytes()

    def _put(self, block: Image.Image, left: int, top: int, madctl: int) -> None:
        if madctl & MV:
            block = block.transpose(_Flip.TRANSPOSE)
            left, top = top, left
        if madctl & MX:
            block = block.transpose(_Flip.FLIP_LEFT_RIGHT)
            left = COLUMNS - left - block.width
        if madctl & MY:
            block = block.transpose(_Flip.FLIP_TOP_BOTTOM)
            top = ROWS - top - block.height
        self.image.paste(block, (left, top))


def _block(data: bytes, colmod: int, columns: int, lines: int) -> Image.Image:
    if colmod == 5:
        words = array("H", data)  # big-endian on the bus; Pillow wants little-endian
        words.byteswap()
        return Image.frombytes("RGB", (columns, lines), words.tobytes(), "raw", "BGR;16")
    return Image.frombytes("RGB", (columns, lines), data).point(_SIX_BITS)
