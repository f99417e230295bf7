"""The picture in RAM and what of it still has to reach the panel."""

from array import array

from micropython import const

from kiosk.glyphs import Ink

_RECTS = const(4)

# Palette indices and their colours (RGB888); pairs used for text keep 4.5 : 1 after RGB565.
BLACK = const(0)
WHITE = const(1)
YELLOW = const(2)
RED = const(3)
GREEN = const(4)
BLUE = const(5)
COLOURS = (0x000000, 0xFFFFFF, 0xFFD840, 0xB00020, 0x007038, 0x103070)

MARGIN = const(8)
PITCH = const(48)  # one line of text
ROW_X = const(44)  # where an answer begins, right of its arrow
ARROW = array("h", (0, 0, 22, 14, 0, 28))
TRIANGLE = array("h", (28, 0, 56, 48, 0, 48))

PLAIN = Ink(WHITE, BLACK)
CHOSEN = Ink(BLACK, YELLOW)
TITLE = Ink(WHITE, BLUE)
ALARM = Ink(WHITE, RED)
GOOD = Ink(WHITE, GREEN)


class Canvas:
    """Draws into the panel's frame buffer and remembers up to four rectangles to send.

    `panel` gives `fb`, `width`, `height` and `show(x, y, w, h)`; x and w are kept even, as two pixels share
    a byte.
    """

    def __init__(self, panel, font):
        self.panel = panel
        self.fb = panel.fb
        self.font = font
        self.width = panel.width
        self.height = panel.height
        self._rects = array("h", [0] * (4 * _RECTS))
        self._n = 0

    def clear(self, colour: int = BLACK) -> None:
        """Paint everything and send everything at the next flush."""
        self.fb.fill(colour)
        self.touch(0, 0, self.width, self.height)

    def touch(self, x: int, y: int, w: int, h: int) -> None:
        """Note a rectangle that changed. One inside another is dropped; a fifth one becomes one with the
        last."""
        w += x & 1
        x &= ~1
        w = (w + 1) & ~1
        r = self._rects
        n = self._n
        for i in range(0, 4 * n, 4):
            if x >= r[i] and y >= r[i + 1] and x + w <= r[i] + r[i + 2] and y + h <= r[i + 1] + r[i + 3]:
                return
        if w == self.width and h == self.height:
            n = 0
        elif n == _RECTS:
            n -= 1
            at = 4 * n
            right = max(x + w, r[at] + r[at + 2])
            bottom = max(y + h, r[at + 1] + r[at + 3])
            x = min(x, r[at])
            y = min(y, r[at + 1])
            w = right - x
            h = bottom - y
        at = 4 * n
        r[at] = x
        r[at + 1] = y
        r[at + 2] = w
        r[at + 3] = h
        self._n = n + 1

    def flush(self) -> None:
        """Send what changed. If the panel fails, the rectangles stay noted."""
        r = self._rects
        for i in range(0, 4 * self._n, 4):
            self.panel.show(r[i], r[i + 1], r[i + 2], r[i + 3])
        self._n = 0

    def sent(self) -> None:
        """The panel has been sent all of the picture by other means."""
        self._n = 0

    def text(self, text, x: int, y: int, ink: Ink) -> int:
        """Draw lines of text from x, y (top of the first line) without noting the change."""
        return self.font.draw(self.fb, text, x, y, ink, PITCH)

    def heading(self, text, ink: Ink = TITLE) -> int:
        """A coloured band across the top with the text in one or two lines; returns the y below it."""
        h = PITCH + 4
        for c in text:
            if c == 10:
                h += PITCH
        self.fb.fill_rect(0, 0, self.width, h, ink.bg)
        self.text(text, MARGIN, 2, ink)
        return h

    def row(self, text, y: int, chosen: bool) -> None:
        """One answer across the width; the chosen one is filled and carries an arrow, so colour is not the
        only cue."""
        ink = CHOSEN if chosen else PLAIN
        fb = self.fb
        w = self.width - 2 * MARGIN
        fb.fill_rect(MARGIN, y, w, PITCH, ink.bg)
        if chosen:
            fb.poly(MARGIN + 8, y + 10, ARROW, ink.fg, True)
        self.text(text, ROW_X, y, ink)
        self.touch(MARGIN, y, w, PITCH)
