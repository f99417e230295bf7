"""The picture on the panel, drawn part by part, and how far right what it shows reaches."""

from array import array

import framebuf
from micropython import const

from drivers.st7796 import colour

# Four colours. The fourth, the ground of headings and alarms, is chosen anew by each picture.
# RGB888; white on each of them keeps 4.5 : 1 after RGB565.
BLACK = const(0)
WHITE = const(1)
YELLOW = const(2)
ACCENT = const(3)
COLOURS = (0x000000, 0xFFFFFF, 0xFFD840)
BLUE = const(0x103070)
GREEN = const(0x007038)
RED = const(0xB00020)

# (ink, ground)
PLAIN = (WHITE, BLACK)
CHOSEN = (BLACK, YELLOW)
TITLE = (WHITE, ACCENT)

MARGIN = const(8)
PITCH = const(48)  # one line of text, one answer
TIGHT = const(44)  # an answer where six have to stand on one screen
STEP = const(52)  # from answer to answer
ICON = const(44)
BIG = const(80)  # the chosen answer's picture beside the answers
ROW_X = const(48)  # where an answer begins, beside its icon or its arrow
TILE_BYTES = const(4992)  # 52 x 48 pixels
_GAP = const(4)  # between a picture and its text
_HIGH = const(5)  # lines of a letter's accent, for which a tight answer has no room
_HEAD_X = const(60)  # where a heading begins, beside its icon

# Lines are kept in bands of four. `_new`: how far right the present picture is other than black; `_old`: the
# same of what was shown before; `_left`: up to where the present picture has replaced that.
_BANDS = const(80)
_OLD = const(80)
_LEFT = const(160)


class Canvas:
    """Draws parts that lie beside each other, each sent at once from one shared buffer.

    A picture goes from `begin` to `end`: what nothing was drawn on is black then. A part may be drawn anew at
    any time later. y and h count in fours: other y are rounded down, other h up. Of a language that runs from
    right to left all x count from the right edge. `panel` gives `width`, `height`, `send`, `put` and `fill`
    as drivers.st7796; it is black when the canvas is made.
    """

    def __init__(self, panel, words, font, pictures, tile):
        self.panel = panel
        self.words = words
        self.font = font
        self.pictures = pictures
        self.width = panel.width
        self.height = panel.height
        self._bands = array("H", bytes(6 * _BANDS))
        self._tile = memoryview(tile)
        self._colours = array("H", [colour(rgb) for rgb in COLOURS + (0,)])
        self._palette = framebuf.FrameBuffer(bytearray(4), 2, 1, framebuf.RGB565)
        self._bg = 0

    def fresh(self) -> None:
        """The panel was initialised and is all black."""
        x = self._bands
        for i in range(len(x)):
            x[i] = 0

    def begin(self, accent: int = BLUE) -> None:
        """Begin a new picture; ACCENT becomes `accent` (RGB888)."""
        self._colours[ACCENT] = colour(accent)
        x = self._bands
        for i in range(_BANDS):
            # A picture that was never ended leaves both behind.
            if x[i] > x[_OLD + i] or x[_LEFT + i] >= x[_OLD + i]:
                x[_OLD + i] = x[i]
            x[i] = x[_LEFT + i] = 0

    def end(self) -> None:
        """Blacken what the picture has not replaced."""
        self._replace(0, _BANDS, self.width)

    def blank(self, y: int, h: int, ground: int = BLACK) -> None:
        """A band of one colour across the screen."""
        y &= ~3
        self._note(0, y, self.width, min((h + 3) & ~3, self.height - y), ground, 0, 0)

    def heading(self, text, icon=None) -> int:
        """A band of ACCENT across the top with the text in one or two lines; returns the y below it."""
        y = 0
        x = MARGIN if icon is None else _HEAD_X
        for line in _lines(text):
            self._band(line, y, PITCH if y else STEP, TITLE, x, 0, self.width, icon)
            icon = None
            y += PITCH if y else STEP
        return y

    def text(self, text, y: int, ink=PLAIN) -> int:
        """Lines of text from y on, each on a band of the ink's ground; returns the y below them."""
        for line in _lines(text):
            self._band(line, y, PITCH, ink, MARGIN, 0, self.width)
            y += PITCH
        return y

    def part(self, text, y: int, start: int, end: int, icon=None) -> None:
        """A line of text with its icon before it, between two columns: a band may be drawn in parts."""
        self._band(text, y, PITCH, PLAIN, start + MARGIN + (0 if icon is None else ICON), start, end, icon)

    def row(
        self, text, y: int, chosen: bool, icon=None, h: int = PITCH, beside: int = 0, size: int = ICON
    ) -> None:
        """One answer, `h` high; the chosen one is filled and has an arrow instead of its icon, so colour is
        not the only cue.

        `beside` pixels at its far end are left to others. `size` other than that of icons makes `icon` a
        pictogram, which stays beside the arrow. A row lower than PITCH cuts off the accents on capitals.
        """
        x = ROW_X
        if size != ICON:
            x += size
            icon = self.pictures.number(icon, size)
        elif chosen:
            icon = None
        self._band(text, y, h, CHOSEN if chosen else PLAIN, x, 0, self.width - beside, icon, chosen)

    def beside(self, icon: int, y: int, old: "int | None" = None) -> None:
        """The chosen answer's picture at the far end of the answers, BIG; the last one was at y = `old`."""
        x = self._x(self.width - BIG, BIG)
        self._picture(self.pictures.icons + icon, x, y, CHOSEN)
        if old is not None and old != y:
            n = min(BIG, abs(y - old))
            self.panel.fill(x, old if old < y else old + BIG - n, BIG, n, 0)

    def cell(self, what, x: int, y: int, w: int, h: int, size: int, ink, frame: bool) -> None:
        """A part with a pictogram (`what` is its index) or, of size 0, text in its middle, perhaps framed."""
        self._take(ink)
        y &= ~3
        x = self._x(x, w)
        if size:
            left = (w - size) >> 1
            self._middle(self.pictures.number(what, size), x + left, y, h)
        else:
            size = self.font.width(what)
            left = (w - size) >> 1
            self._letters(what, x + left, x + left + size, y, h)
        self._note(x, y, w, h, ink[1], left, left + size)
        if frame:
            fill = self.panel.fill
            fg = self._colours[ink[0]]
            for at in (2, h - 4):
                fill(x + 2, y + at, w - 4, 2, fg)
            for at in (2, w - 4):
                fill(x + at, y + 2, 2, h - 4, fg)
            self._note(x, y, w, h, ink[1], 0, w)

    def endonym(self, language: int, y: int, chosen: bool) -> None:
        """A row with a language's own name."""
        number = self.pictures.endonym(language)
        x = ROW_X + self.pictures.width(number)
        self._band(b"", y, PITCH, CHOSEN if chosen else PLAIN, x, 0, self.width, number, chosen)

    def begin_line(self, language: int, y: int) -> int:
        """A line that says in a language how to begin, from that language's own side; returns the y below
        it."""
        number = self.pictures.endonym(language) + 1
        x = self.width - MARGIN
        if self.words.languages[language][1] == self.words.rtl:
            x = MARGIN + self.pictures.width(number)
        self._band(b"", y, PITCH, PLAIN, x, 0, self.width, number)
        return y + PITCH

    def picture(self, index: int, x: int, y: int, size: int, ink=PLAIN) -> None:
        """A part with pictogram `index` at 52, 80 or 120 pixels."""
        self._picture(self.pictures.number(index, size), self._x(x, size), y, ink)

    def label(self, text, x: int, y: int) -> None:
        """A ticket's label (ASCII bytes) in the large font."""
        pictures = self.pictures
        numbers = [pictures.letter(c) for c in text]
        x = self._x(x, sum([pictures.width(number) for number in numbers]))
        for number in numbers:
            x += self._picture(number, x, y, PLAIN)

    # Inside: x are the panel's own from here on, but for `_band`'s.

    def _x(self, x, w):
        return self.width - x - w if self.words.rtl else x

    def _take(self, ink):
        # Be an ink, in the panel's own colours.
        self._bg = self._colours[ink[1]]
        self._palette.pixel(0, 0, self._bg)
        self._palette.pixel(1, 0, self._colours[ink[0]])

    def _band(self, text, y, h, ink, x, start, end, number=None, chosen=False):
        """From column `start` to `end`: text from x on, a picture before it, an arrow at the beginning."""
        y &= ~3
        high = min(h, self.height - y)
        if high <= 0:
            return
        self._take(ink)
        rtl = self.words.rtl
        w = max(0, min(self.font.width(text), end - x))
        left = self._x(x, w)
        right = left + w
        self._letters(text, left, right, y, h, high)
        gap = _GAP if text and number is not None else 0
        if number is not None:
            w = self.pictures.width(number) + gap
            if gap:
                self.panel.fill(right if rtl else left - gap, y, gap, high, self._bg)
            if rtl:
                self._middle(number, right + gap, y, high)
                right += w
            else:
                left -= w
                self._middle(number, left, y, high)
        if chosen:
            w = ROW_X - gap
            at = self._x(start, w)
            self._letters(b"\x07" if rtl else b"\x06", at, at + w, y, h, high)
            left = min(left, at)
            right = max(right, at + w)
        x = self._x(start, end - start)
        self._note(x, y, end - start, high, ink[1], left - x, right - x)

    def _letters(self, text, at, end, y, h, high=0):
        """One line of text in the middle of h lines, from column `at` to `end`, slab by slab."""
        font = self.font
        high = high or h
        most = len(self._tile) // (2 * high)
        top = (h - PITCH) >> 1 if h >= PITCH else -_HIGH
        i = 0
        while at < end:
            n, w = font.span(text, i, most)
            w = min(w, end - at)
            fb = framebuf.FrameBuffer(self._tile, w, high, framebuf.RGB565)
            fb.fill(self._bg)
            font.draw(fb, text[i:n], 0, top, self._bg, self._palette)
            self.panel.put(self._tile[: 2 * w * high], at, y, w, high)
            i = n
            at += w

    def _picture(self, number, x, y, ink):
        """A part that is a picture; returns its width."""
        y &= ~3
        self._take(ink)
        w = self.pictures.width(number)
        h = min((self.pictures.height + 3) & ~3, self.height - y)
        self._middle(number, x, y, h)
        self._note(x, y, w, h, BLACK, 0, w)
        return w

    def _middle(self, number, x, y, h):
        """A picture as it comes from flash, in the middle of h lines of ground."""
        pictures = self.pictures
        fill = self.panel.fill
        w = pictures.width(number)
        top = max(0, (h - pictures.height) >> 1)
        if top:
            fill(x, y, w, top, self._bg)
        for box, line, lines in pictures.bands(number, self._tile):
            lines = min(lines, h - top - line)
            if lines > 0:
                self.panel.send(box, self._palette, x, y + top + line, w, lines)
        top += pictures.height
        if top < h:
            fill(x, y + top, w, h - top, self._bg)

    def _note(self, x, y, w, h, ground, left, right):
        """A tile was sent from its column `left` to `right`: fill its rest, and what is old before it."""
        end = x + w
        first = y >> 2
        last = (y + h) >> 2
        self._replace(first, last, x)
        b = self._bands
        shown = 0
        for i in range(first, last):
            if b[i] > shown:
                shown = b[i]
            if b[_OLD + i] > shown and b[_OLD + i] > b[_LEFT + i]:
                shown = b[_OLD + i]
        if ground != BLACK or end < shown:
            shown = end
        fill = self._colours[ground]
        if right <= left:
            left = right = 0
        elif left and x < shown:
            self.panel.fill(x, y, min(left, shown - x), h, fill)
        if x + right < shown:
            self.panel.fill(x + right, y, shown - x - right, h, fill)
        reach = end if ground != BLACK else x + right
        for i in range(first, last):
            if b[_LEFT + i] < end:
                b[_LEFT + i] = end
            if b[i] <= end:
                b[i] = reach if right or ground != BLACK else min(b[i], x)

    def _replace(self, first, last, x):
        """Blacken what is old left of x, in runs of bands that are alike."""
        b = self._bands
        i = first
        while i < last:
            left = b[_LEFT + i]
            old = b[_OLD + i]
            start = i
            i += 1
            while i < last and b[_LEFT + i] == left and b[_OLD + i] == old:
                i += 1
            if left < x:
                if old > left:
                    self.panel.fill(left, start * 4, min(old, x) - left, (i - start) * 4, 0)
                for k in range(_LEFT + start, _LEFT + i):
                    b[k] = x


def _lines(text):
    """The lines of glyph codes, without their breaks."""
    start = 0
    for i, c in enumerate(text):
        if c == 10:
            yield text[start:i]
            start = i + 1
    yield text[start:]
