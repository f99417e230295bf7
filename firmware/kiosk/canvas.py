"""The picture in RAM and what of it still has to reach the panel."""

from array import array

from micropython import const

from kiosk.glyphs import Ink

_RECTS = const(4)

# Four colours at a time keep the frame buffer small. The fourth, the ground of headings and alarms,
# is chosen anew by each screen. RGB888; white on each of them keeps 4.5 : 1 after RGB565.
BLACK = const(0)
WHITE = const(1)
YELLOW = const(2)
ACCENT = const(3)
COLOURS = (0x000000, 0xFFFFFF, 0xFFD840)
BLUE = const(0x103070)
GREEN = const(0x007038)
RED = const(0xB00020)

MARGIN = const(8)
PITCH = const(48)  # one line of text
ROW_X = const(44)  # where an answer begins, right of its arrow
ARROW = array("h", (0, 0, 22, 14, 0, 28))
TRIANGLE = array("h", (28, 0, 56, 48, 0, 48))

PLAIN = Ink(WHITE, BLACK)
CHOSEN = Ink(BLACK, YELLOW)
TITLE = Ink(WHITE, ACCENT)


class Canvas:
    """Draws into the panel's frame buffer and remembers up to four rectangles to send.

    `panel` gives `fb`, `width`, `height`, `colour(index, red, green, blue)` and `show(x, y, w, h)`.
    """

    def __init__(self, panel, font):
        self.panel = panel
        self.fb = panel.fb
        self.font = font
        self.width = panel.width
        self.height = panel.height
        self._rects = array("h", [0] * (4 * _RECTS))
        self._n = 0
        for index, colour in enumerate(COLOURS):
            self._colour(index, colour)

    def _colour(self, index, colour):
        self.panel.colour(index, colour >> 16, colour >> 8 & 255, colour & 255)

    def accent(self, colour: int) -> None:
        """What ACCENT is from now on (RGB888), for a screen that sends all it draws."""
        self._colour(ACCENT, colour)

    def clear(self, accent: int = BLUE) -> None:
        """Paint everything black and send everything at the next flush; ACCENT becomes `accent`."""
        self.accent(accent)
        self.fb.fill(BLACK)
        self.touch(0, 0, self.width, self.height)

    def touch(self, x: int, y: int, w: int, h: int) -> None:
        """Note a rectangle that changed. One inside another is dropped; a fifth one becomes one with the
        last."""
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

    def heading(self, text) -> int:
        """A band of ACCENT across the top with the text in one or two lines; returns the y below it."""
        h = PITCH + 4
        for c in text:
            if c == 10:
                h += PITCH
        self.fb.fill_rect(0, 0, self.width, h, ACCENT)
        self.text(text, MARGIN, 2, TITLE)
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
