"""The picture on the panel, drawn part by part, and how far right what it shows reaches."""

from array import array

import framebuf
from micropython import const

from drivers.st7796 import colour
from kiosk.glyphs import ENTRY, HLSB

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
TILE_BYTES = const(4992)
_SLAB_BYTES = const(4032)  # of these: 42 columns of a line of text; the rest is what a picture is read into
_GAP = const(4)  # between a picture and its text
_HIGH = const(5)  # lines of a letter's accent, for which a tight answer has no room
_HEAD_X = const(60)  # where a heading begins, beside its icon

# Lines are kept in bands of four. `_new`: how far right the present picture is other than black; `_old`: the
# same of what was shown before; `_left`: up to where the present picture has replaced that.
_BANDS = const(80)
_OLD = const(80)
_LEFT = const(160)


class Canvas:
    """Draws parts that lie beside each other, each sent at once from one shared buffer: column by column,
    slab by slab.

    A picture goes from `begin` to `end`: what nothing was drawn on is black then. A part may be drawn anew at
    any time later. y and h count in fours: other y are rounded down, other h up. Of a language that runs from
    right to left all x count from the right edge. `panel` gives `width`, `height`, `open`, `close` and `fill`
    as drivers.st7796; it is black when the canvas is made. `tile` is TILE_BYTES that others may use in
    between.
    """

    def __init__(self, panel, words, pictures, tile):
        self.panel = panel
        self.words = words
        self.pictures = pictures
        self.width = panel.width
        self.height = panel.height
        self._bands = array("H", bytes(6 * _BANDS))
        tile = memoryview(tile)
        self._slab = tile[:_SLAB_BYTES]
        self._bits = tile[_SLAB_BYTES:]
        self._colours = array("H", [colour(rgb) for rgb in COLOURS + (0,)])
        self._palette = framebuf.FrameBuffer(bytearray(4), 2, 1, framebuf.RGB565)
        self._bg = 0
        self._ended = True
        # The slab: its lines and columns, its bytes; the part that is drawn: where it begins and ends, where
        # in it the slab lies; the colour of its frame.
        self._h = self._most = self._start = self._end = self._at = 0
        self._fb = self._whole = self._write = self._frame = None
        self._box = [None, 0, 0, HLSB]

    def fresh(self) -> None:
        """The panel was initialised and is all black."""
        self._bands[:] = array("H", bytes(6 * _BANDS))

    def begin(self, accent: int = BLUE) -> None:
        """Begin a new picture; ACCENT becomes `accent` (RGB888)."""
        self._colours[ACCENT] = colour(accent)
        x = self._bands
        if self._ended:
            x[_OLD:_LEFT] = x[:_OLD]
        else:  # such a picture leaves both behind
            for i in range(_BANDS):
                if x[i] > x[_OLD + i] or x[_LEFT + i] >= x[_OLD + i]:
                    x[_OLD + i] = x[i]
        x[:_OLD] = x[_LEFT:] = array("H", bytes(2 * _BANDS))
        self._ended = False

    def end(self) -> None:
        """Blacken what the picture has not replaced."""
        self._replace(0, _BANDS, self.width)
        self._ended = True

    def blank(self, y: int, h: int, ground: int = BLACK) -> None:
        """A band of one colour across the screen."""
        y &= ~3
        h = min((h + 3) & ~3, self.height - y)
        if h > 0:
            self._open(0, y, self.width, h, (WHITE, ground))
            self._close(y, ground, 0)

    def heading(self, text, icon=None) -> int:
        """A band of ACCENT across the top with the text in one or two lines; returns the y below it."""
        y = 0
        x = MARGIN if icon is None else _HEAD_X
        for line in bytes(text).split(b"\n"):
            self._band(line, y, PITCH if y else STEP, TITLE, x, 0, self.width, icon)
            icon = None
            y += PITCH if y else STEP
        return y

    def text(self, text, y: int, ink=PLAIN) -> int:
        """Lines of text from y on, each on a band of the ink's ground; returns the y below them."""
        for line in bytes(text).split(b"\n"):
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
        self._picture(self.pictures.icon(icon), x, y, CHOSEN)
        if old is not None and old != y:
            n = min(BIG, abs(y - old))
            self.panel.fill(x, old if old < y else old + BIG - n, BIG, n, 0)

    def cell(self, what, x: int, y: int, w: int, h: int, size: int, ink, frame: bool) -> None:
        """A part with a pictogram (`what` is its index) or, of size 0, text in its middle, perhaps framed."""
        y &= ~3
        x = self._x(x, w)
        wide = size or self.words.width(what)
        left = x + ((w - wide) >> 1)
        self._open(x, y, w, h, ink, frame, left)
        if size:
            reach = self._paint(self.pictures.number(what, size), left, h)
        else:
            reach = self._letters(what, left, _top(h))
        self._close(y, ink[1], x + w if frame else reach)

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
        w = sum([pictures.width(number) for number in numbers])
        x = self._x(x, w)
        y &= ~3
        h = min((pictures.height + 3) & ~3, self.height - y)
        self._open(x, y, w, h, PLAIN)
        for number in numbers:
            self._paint(number, x, h)
            x += pictures.width(number)
        self._close(y, BLACK, x)

    # Inside: x are the panel's own from here on, but for `_band`'s.

    def _x(self, x, w):
        return self.width - x - w if self.words.rtl else x

    def _band(self, text, y, h, ink, x, start, end, number=None, chosen=False):
        """From column `start` to `end`: text from x on, a picture before it, an arrow at the beginning."""
        y &= ~3
        high = min(h, self.height - y)
        if high <= 0:
            return
        top = _top(h)
        w = gap = 0
        if number is not None:
            w = self.pictures.width(number)
            gap = _GAP if text else 0
        if self.words.rtl:
            x = self.width - x
            reach = max(self.width - end, x - self.words.width(text))
            self._open(self.width - end, y, end - start, high, ink, False, reach)
            reach = self._letters(text, reach, top)
            if number is not None:
                reach = max(reach, self._paint(number, x + gap, high))
            if chosen:
                reach = max(reach, self._letters(b"\x07", self.width - start - ROW_X + gap, top))
        else:
            self._open(start, y, end - start, high, ink)
            reach = self._letters(b"\x06", start, top) if chosen else start
            if number is not None:
                reach = self._paint(number, x - gap - w, high)
            if text:
                reach = self._letters(text, x, top)
        self._close(y, ink[1], reach)

    def _picture(self, number, x, y, ink):
        """A part that is a picture."""
        y &= ~3
        w = self.pictures.width(number)
        h = min((self.pictures.height + 3) & ~3, self.height - y)
        self._open(x, y, w, h, ink)
        self._paint(number, x, h)
        self._close(y, ink[1], x + w)

    def _open(self, x, y, w, h, ink, frame=False, left=0):
        """Begin a part; there is ink in it from column `left` on."""
        colours = self._colours
        self._bg = colours[ink[1]]
        self._palette.pixel(0, 0, self._bg)
        self._palette.pixel(1, 0, colours[ink[0]])
        self._frame = colours[ink[0]] if frame else None
        self._start = x
        self._end = x + w
        if x:
            self._replace(y >> 2, (y + h) >> 2, x)
        if left > x and ink[1] == BLACK and not frame and self._clear(y >> 2, (y + h) >> 2, x):
            x = left
        if h != self._h:
            self._h = h
            self._most = _SLAB_BYTES // (2 * h)
            self._whole = self._slab[: 2 * h * self._most]
            self._fb = framebuf.FrameBuffer(self._whole, h, self._most, framebuf.RGB565)
        self._at = x
        self._write = self.panel.open(x, y, h)
        self._fresh()

    def _fresh(self):
        fb = self._fb
        fb.fill(self._bg)
        if self._frame is not None:
            x = self._start - self._at
            w = self._end - self._start
            fb.rect(2, x + 2, self._h - 4, w - 4, self._frame)
            fb.rect(3, x + 3, self._h - 6, w - 6, self._frame)

    def _next(self):
        """Send the slab and begin the next one. What is beyond the part's end is not sent."""
        left = self._end - self._at
        if left >= self._most:
            self._write(self._whole)
        elif left > 0:
            self._write(self._slab[: 2 * self._h * left])
        self._at += self._most
        self._fresh()

    def _letters(self, text, x, top):
        """Draw one line of text from column x on, which is beyond what is drawn; returns where it ends."""
        words = self.words
        glyphs = words.glyphs
        table = words.table
        entry = ENTRY
        after = words.after
        resident = len(glyphs)
        box = self._box
        blit = self._fb.blit
        most = self._most
        bg = self._bg
        palette = self._palette
        x -= self._at  # within the slab
        for c in text:
            i = table + entry * (c if c < after else 63)
            w = glyphs[i + 4]
            if w:
                h = glyphs[i + 5]
                start = glyphs[i] | glyphs[i + 1] << 8
                end = start + ((h + 7) >> 3) * w
                if end <= resident:
                    bits = glyphs[start:end]
                else:
                    bits = self._bits[: end - start]
                    words.rare(start, bits)
                box[0] = bits
                box[1] = h
                box[2] = w
                y = top + glyphs[i + 6]
                left = x + glyphs[i + 2] - 128
                blit(box, y, left, bg, palette)  # pyright: ignore[reportArgumentType]
                while left + w > most:
                    self._next()
                    left -= most
                    x -= most
                    blit(box, y, left, bg, palette)  # pyright: ignore[reportArgumentType]
            x += glyphs[i + 3]
        return x + self._at

    def _paint(self, number, x, h):
        """Draw a picture from column x on in the middle of h lines, as `_letters` does text."""
        pictures = self.pictures
        pictures.width(number)
        y = max(0, (h - pictures.height) >> 1)
        for box in pictures.bands(number, self._bits):
            w = box[2]
            self._fb.blit(box, y, x - self._at, self._bg, self._palette)
            while x + w > self._at + self._most:
                self._next()
                self._fb.blit(box, y, x - self._at, self._bg, self._palette)
            x += w
        return x

    def _close(self, y, ground, reach):
        """A part has been drawn up to column `reach`: send its rest, as far as it shows."""
        h = self._h
        end = self._end
        end = self._end = self._due(y, h, self._start, end, ground, min(reach, end))
        left = end - self._at
        inked = True
        while left > 0:
            self._write(self._whole if left >= self._most else self._slab[: 2 * h * left])
            left -= self._most
            if left > 0 and (inked or self._frame is not None):
                inked = False
                self._at += self._most
                self._fresh()
        self.panel.close()

    def _clear(self, first, last, x):
        """Whether nothing is shown right of x."""
        b = self._bands
        for i in range(first, last):
            if b[i] > x or b[_OLD + i] > x:
                return False
        return True

    def _due(self, y, h, x, end, ground, reach):
        """A part between columns x and `end` is drawn up to `reach`: note it. How far it has to be sent."""
        b = self._bands
        shown = 0
        kept = end if ground != BLACK else reach
        for i in range(y >> 2, (y + h) >> 2):
            new = b[i]
            if new > shown:
                shown = new
            old = b[_OLD + i]
            if old > shown and old > b[_LEFT + i]:
                shown = old
            if b[_LEFT + i] < end:
                b[_LEFT + i] = end
            if new <= end:
                b[i] = kept if kept > x else min(new, x)
        return end if ground != BLACK or end < shown else max(reach, shown)

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


def _top(h):
    # Where a letter's top is in h lines.
    return (h - PITCH) >> 1 if h >= PITCH else -_HIGH
