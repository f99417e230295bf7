"""The picture on the panel, drawn tile by tile, and how far right what it shows reaches."""

from array import array

import framebuf
from micropython import const

from drivers.st7796 import colour
from kiosk.glyphs import Ink

# Four colours at a time. The fourth, the ground of headings and alarms, is chosen anew by each picture.
# RGB888; white on each of them keeps 4.5 : 1 after RGB565.
BLACK = const(0)
WHITE = const(1)
YELLOW = const(2)
ACCENT = const(3)
COLOURS = (0x000000, 0xFFFFFF, 0xFFD840)
BLUE = const(0x103070)
GREEN = const(0x007038)
RED = const(0xB00020)

MARGIN = const(8)
PITCH = const(48)  # one line of text, one answer
TIGHT = const(44)  # an answer where six have to stand on one screen
STEP = const(52)  # from answer to answer
ROW_X = const(44)  # where an answer begins, beside its arrow
TILE_BYTES = const(6720)  # 480 x 56 pixels
_ARROW = array("h", (0, 0, 22, 14, 0, 28))
_ARROW_RTL = array("h", (22, 0, 0, 14, 22, 28))
_GAP = const(4)  # between a picture and its text

# Lines are kept in bands of four. `_new`: how far right the present picture is other than black; `_old`: the
# same of what was shown before; `_left`: up to where the present picture has replaced that.
_BANDS = const(80)
_OLD = const(80)
_LEFT = const(160)


class _Wide:
    """An Ink in the panel's own colours."""

    def __init__(self):
        self.palette = framebuf.FrameBuffer(bytearray(4), 2, 1, framebuf.RGB565)
        self.bg = 0

    def take(self, ink, palette):
        """Be `ink` by the panel's `palette`."""
        self.bg = palette.pixel(ink.bg, 0)
        self.palette.pixel(0, 0, self.bg)
        self.palette.pixel(1, 0, palette.pixel(ink.fg, 0))


PLAIN = Ink(WHITE, BLACK)
CHOSEN = Ink(BLACK, YELLOW)
TITLE = Ink(WHITE, ACCENT)


class Canvas:
    """Draws disjoint tiles, each in one shared buffer and sent at once.

    A picture goes from `begin` to `end`: what nothing was drawn on is black then. A tile may be drawn anew at
    any time later. y and h count in fours: other y are rounded down, other h up. `panel` gives `width`,
    `height`, `send` and `fill` as drivers.st7796; it is black when the canvas is made.
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
        self._flat = framebuf.FrameBuffer(tile, len(tile), 1, framebuf.GS8)
        self._fb = None
        self._w = self._h = 0
        self._at = array("h", (0, 0, 0, 0, 0, 0))
        self._palette = framebuf.FrameBuffer(bytearray(8), 4, 1, framebuf.RGB565)
        self._wide = _Wide()
        for index, rgb in enumerate(COLOURS):
            self._palette.pixel(index, 0, colour(rgb))
        self.fresh()

    def fresh(self) -> None:
        """The panel was initialised and is all black."""
        x = self._bands
        for i in range(len(x)):
            x[i] = 0

    def accent(self, rgb: int) -> None:
        """What ACCENT is in tiles from now on (RGB888)."""
        self._palette.pixel(ACCENT, 0, colour(rgb))

    def begin(self, accent: int = BLUE) -> None:
        """Begin a new picture; ACCENT becomes `accent`."""
        self.accent(accent)
        x = self._bands
        for i in range(_BANDS):
            # A picture that was never ended leaves both behind.
            if x[i] > x[_OLD + i] or x[_LEFT + i] >= x[_OLD + i]:
                x[_OLD + i] = x[i]
            x[i] = x[_LEFT + i] = 0

    def end(self) -> None:
        """Blacken what the picture has not replaced."""
        self._replace(0, _BANDS, self.width)

    def tile(self, x: int, y: int, w: int, h: int, ground: int = BLACK):
        """A GS2 FrameBuffer of one colour, to be drawn on and sent; its origin is the tile's corner.

        ValueError: it is larger than the buffer.
        """
        at = self._at
        at[0] = x
        at[1] = y = y & ~3
        at[3] = h = min((h + 3) & ~3, self.height - y)  # below the screen nothing is sent
        w = min(w, self.width - x)
        h = max(h, 4)
        n = ((w + 3) >> 2) * h
        if n > len(self._tile):
            raise ValueError("tile")
        self._flat.fill_rect(0, 0, n, 1, ground * 0x55)
        if at[2] != w or at[5] != h:
            self._fb = framebuf.FrameBuffer(self._tile, w, h, framebuf.GS2_HMSB)
        at[2] = w
        at[4] = ground
        at[5] = h
        return self._fb

    def send(self, left: int = 0, right: int = 9999) -> None:
        """Send the tile. Outside of its columns from `left` to before `right` it is of its ground alone."""
        at = self._at
        x = at[0]
        y = at[1]
        h = at[3]
        if h <= 0:
            return
        right = min(right, at[2])
        left = max(left, 0)
        if right > left:
            self.panel.send(self._fb, self._palette, x + left, y, right - left, h, left)
        self._note(x, y, at[2], h, at[4], left, right)

    def blank(self, y: int, h: int, ground: int = BLACK) -> None:
        """A band of one colour across the screen."""
        y &= ~3
        self._note(0, y, self.width, min((h + 3) & ~3, self.height - y), ground, 0, 0)

    def heading(self, text, icon=None) -> int:
        """A band of ACCENT across the top with the text in one or two lines; returns the y below it."""
        y = 0
        x = MARGIN if icon is None else MARGIN + PITCH + _GAP
        for line in _lines(text):
            if y:
                self._line(line, x, y, PITCH, 0, TITLE, None)
                y += PITCH
            else:
                self._line(line, MARGIN, 0, STEP, 2, TITLE, icon)
                y = STEP
        return y

    def text(self, text, y: int, ink: Ink = PLAIN, x: int = MARGIN) -> int:
        """Lines of text from y on, each on a band of the ink's ground; returns the y below them.

        Of a right-to-left language they end `x` pixels before the right edge.
        """
        for line in _lines(text):
            self._line(line, x, y, PITCH, 0, ink, None)
            y += PITCH
        return y

    def row(self, text, y: int, chosen: bool, icon=None, tight: bool = False, size: int = PITCH) -> None:
        """One answer across the width, as high as its picture; the chosen one is filled and carries an arrow,
        so colour is not the only cue.

        `size` other than 48 makes `icon` a pictogram. A tight row is TIGHT high: accents on capitals are cut
        off.
        """
        h = TIGHT if tight else size
        ink = CHOSEN if chosen else PLAIN
        top = -5 if tight else (h - PITCH) >> 1
        self._line(text, ROW_X, y, h, top, ink, icon, chosen, size)

    def cell(self, index: int, x: int, y: int, w: int, h: int, size: int, chosen: bool) -> None:
        """A pictogram in the middle of a tile on the screen; the chosen one is filled, a frame in it."""
        ink = CHOSEN if chosen else PLAIN
        self._wide.take(ink, self._palette)
        y &= ~3
        left = (w - size) >> 1
        top = (h - size) >> 1 & ~3
        self._send(self.pictures.number(index, size), x + left, y + top)
        self._note(x, y, w, top, ink.bg, 0, 0)
        self._note(x, y + top, w, size, ink.bg, left, left + size)
        self._note(x, y + top + size, w, (h - size - top + 3) & ~3, ink.bg, 0, 0)
        if chosen:
            fg = self._wide.palette.pixel(1, 0)
            for at in (y + 2, y + h - 4):
                self.panel.fill(x + 2, at, w - 4, 2, fg)
            for at in (x + 2, x + w - 4):
                self.panel.fill(at, y + 2, 2, h - 4, fg)

    def endonym(self, language: int, y: int, chosen: bool) -> None:
        """A row with a language's own name."""
        self._drawn(self.pictures.endonym(language), language, ROW_X, y, CHOSEN if chosen else PLAIN)

    def begin_line(self, language: int, y: int) -> int:
        """A line that says in a language how to begin; returns the y below it."""
        self._drawn(self.pictures.endonym(language) + 1, language, MARGIN, y, PLAIN)
        return y + PITCH

    def picture(self, index: int, x: int, y: int, size: int, ink: Ink = PLAIN) -> None:
        """A tile with pictogram `index` at 52, 80 or 120 pixels, or icon `index` at 48."""
        self._picture(self.pictures.number(index, size), x, y, ink)

    def label(self, text, x: int, y: int, ink: Ink = PLAIN) -> int:
        """A ticket's label (ASCII bytes) in the large font, in tiles of its own; returns the x reached."""
        for c in text:
            x += self._picture(self.pictures.letter(c), x, y, ink)
        return x

    def _line(self, text, x, y, h, top, ink, icon, chosen=False, size=PITCH):
        """A band with a line of text, a picture before it, an arrow before both.

        Drawn in the panel's own colours, slab by slab: that takes half the time of a tile.
        """
        y &= ~3
        h = min(h, self.height - y)
        if h <= 0:
            return
        font = self.font
        wide = self._wide
        wide.take(ink, self._palette)
        end = self.width
        if icon is not None:
            x += size + _GAP
        at = left = x
        if self.words.rtl:
            end -= x
            at = left = max(0, end - font.width(text))
        most = len(self._tile) // (2 * h)
        i = 0
        while i < len(text) and at < end:
            n, w = font.span(text, i, most)
            w = min(w, end - at)
            font.draw(self._slab(w, h), text[i:n], 0, top, wide)
            self._put(at, y)
            i = n
            at += w
        if icon is not None:
            fb = self._slab(size + _GAP, h)
            number = self.pictures.number(icon, size)
            rtl = self.words.rtl
            self.pictures.put(fb, number, _GAP if rtl else 0, (h - size) >> 1, wide)
            if rtl:
                self._put(at, y)
                at += size + _GAP
            else:
                left -= size + _GAP
                self._put(left, y)
        self._finish(y, h, ink, left, at, chosen)

    def _drawn(self, number, language, x, y, ink):
        """A band with a line that was drawn beforehand."""
        y &= ~3
        if y >= self.height:
            return
        w = self.pictures.width(number)
        if self.words.languages[language][1]:
            x = self.width - x - w
        self._wide.take(ink, self._palette)
        self._send(number, x, y)
        self._finish(y, min(PITCH, self.height - y), ink, x, x + w, ink is CHOSEN)

    def _finish(self, y, h, ink, left, right, chosen):
        """The arrow of a row, then what is left and right of its text."""
        end = self.width
        if chosen:
            rtl = self.words.rtl
            at = end - ROW_X if rtl else 0
            fb = self._slab(ROW_X, h)
            arrow = _ARROW_RTL if rtl else _ARROW
            fb.poly(6 if rtl else 16, (h - 28) >> 1, arrow, self._wide.palette.pixel(1, 0), True)
            self._put(at, y)
            # The text lies between: what is left of it is the arrow's, or what is right of it.
            if rtl:
                self._gap(right, at, y, h)
                right = end
            else:
                self._gap(ROW_X, left, y, h)
                left = 0
        self._note(0, y, end, h, ink.bg, left, right)

    def _gap(self, left, right, y, h):
        if left < right:
            self.panel.fill(left, y, right - left, h, self._wide.bg)

    def _slab(self, w, h):
        """An RGB565 FrameBuffer on the tile's buffer, of the present ink's ground."""
        self._w = w
        self._h = h
        fb = framebuf.FrameBuffer(self._tile, w, h, framebuf.RGB565)
        fb.fill(self._wide.bg)
        return fb

    def _put(self, x, y):
        w = self._w
        h = self._h
        self.panel.put(self._tile[: 2 * w * h], x, y, w, h)

    def _picture(self, number, x, y, ink):
        """A tile of a picture as it comes from flash; returns its width."""
        y &= ~3
        self._wide.take(ink, self._palette)
        w = self._send(number, x, y)
        self._note(x, y, w, min((self.pictures.height + 3) & ~3, self.height - y), BLACK, 0, w)
        return w

    def _send(self, number, x, y):
        w = 0
        for box, line, lines in self.pictures.bands(number, self._tile):
            w = box[1]
            lines = min(lines, self.height - y - line)
            if lines > 0:
                self.panel.send(box, self._wide.palette, x, y + line, w, lines)
        return w

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
        fill = self._palette.pixel(ground, 0)
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
