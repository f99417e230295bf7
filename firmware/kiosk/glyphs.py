"""Bitmap fonts and pictures as built by `smilehub.devices.assets`, drawn by framebuf.blit."""

from array import array

import framebuf
from micropython import const

_HEAD = const(8)
ENTRY = 7  # bytes of a glyph's entry
HLSB = framebuf.MONO_HLSB


class AssetDamaged(ValueError):
    """A file of fonts, strings or pictures does not begin as it should; install the application again."""


class Font:
    """Text from glyph codes: `glyphs` has their table, that of code c at `table + ENTRY * c`, and bitmaps.

    A code that is not from `first` to before `after` shows as "?".
    """

    def __init__(self, path: str):
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            if len(head) != _HEAD or head[:4] != b"SHF3":
                raise AssetDamaged(path)
            self.glyphs = memoryview(file.read())
        self.first = head[6]
        self.after = head[7] + 1
        self.table = -ENTRY * head[6]

    def width(self, text) -> int:
        """Pixels of one line."""
        glyphs = self.glyphs
        first = self.first
        after = self.after
        table = self.table + 3
        entry = ENTRY
        total = 0
        for c in text:
            total += glyphs[table + entry * (c if first <= c < after else 63)]
        return total

    def tail(self, text, width: int):
        """The longest end of one line that is at most `width` pixels wide.

        Of a chair's name the end tells it from the others.
        """
        while len(text) > 1 and self.width(text) > width:
            text = text[1:]
        return text

    def draw(self, fb, text, x: int, y: int) -> int:
        """Draw one line in 1 on 0 with its top at y. Returns the x reached."""
        glyphs = self.glyphs
        for c in text:
            at = self.table + ENTRY * (c if self.first <= c < self.after else 63)
            w = glyphs[at + 4]
            h = glyphs[at + 5]
            start = glyphs[at] | glyphs[at + 1] << 8
            box = (glyphs[start : start + ((w + 7) >> 3) * h], w, h, HLSB)
            if w:
                fb.blit(box, x + glyphs[at + 2] - 128, y + glyphs[at + 6], 0)
            x += glyphs[at + 3]
        return x


class Pictures:
    """What is read from flash to be drawn: pictograms, icons, ticket labels, languages' names.

    One picture at a time, and each on its side: what lies beside each other in it is a column of the panel.
    Pictures are known by number, an icon by its own; see `icon`, `number`, `endonym` and `letter`.
    """

    def __init__(self, path: str):
        self._file = file = open(path, "rb")
        head = file.read(10)
        if len(head) != 10 or head[:4] != b"SHP3":
            raise AssetDamaged(path)
        self._icons = icons = head[4]
        pictograms = head[5]
        self._letters = file.read(head[7])
        lines = array("H", file.read(4 * head[6]))
        wide = array("H", file.read(2 * head[7]))
        self._at = -1  # the picture that was asked for last; its place in the file, its width and height
        self._place = self._w = self.height = 0
        # Of each kind how many, their height, their widths if they differ, where they begin in the file.
        self._kinds = []
        self._next = place = file.seek(0, 2)
        for n, h, widths in (
            (icons, 44, None),
            (icons, 80, None),
            (2 * head[6], head[8], lines),
            (head[7], head[9], wide),
            (pictograms, 52, None),
            (pictograms, 80, None),
            (pictograms, 120, None),
        ):
            place -= ((h + 7) >> 3) * (n * h if widths is None else sum(widths))
            self._kinds.append((n, h, widths, place))
        self._lines = 2 * icons
        self._large = self._lines + 2 * head[6]
        self._pictograms = pictograms

    def icon(self, icon: int) -> int:
        """The number of an icon at 80 pixels; at 44 it is its own."""
        return self._icons + icon

    def number(self, index: int, size: int) -> int:
        """The number of pictogram `index` at 52, 80 or 120 pixels."""
        return (
            self._large
            + len(self._letters)
            + index
            + self._pictograms * (0 if size == 52 else 1 if size == 80 else 2)
        )

    def endonym(self, language: int) -> int:
        """The number of a language's own name; that plus one is its line how to begin."""
        return self._lines + 2 * language

    def letter(self, c: int) -> int:
        """The number of a character (ASCII) of the large font of labels."""
        return self._large + max(0, self._letters.find(bytes((c,))))

    def width(self, number: int) -> int:
        """A picture's width in pixels; `height` is then its height."""
        if number != self._at:
            self._at = n = number
            kind = self._kinds[0]
            for kind in self._kinds:
                if n < kind[0]:
                    break
                n -= kind[0]
            _, h, widths, place = kind
            stride = (h + 7) >> 3
            self.height = self._w = h
            if widths is None:
                self._place = place + stride * h * n
            else:
                self._w = widths[n]
                self._place = place + stride * sum(widths[:n])
        return self._w

    def bands(self, number: int, scratch):
        """Yield a picture as bitmaps for blit, each some columns of it, from left to right.

        Each is read into `scratch` (a memoryview) and valid until the next. Raises OSError.
        """
        left = self.width(number)
        h = self.height
        stride = (h + 7) >> 3
        most = len(scratch) // stride
        # What lies behind the last one needs no search.
        if self._next != self._place:
            self._next = -1
            self._file.seek(self._place)
        end = self._place + stride * left
        while left > 0:
            n = min(most, left)
            bits = scratch[: n * stride]
            self._file.readinto(bits)
            yield bits, h, n, HLSB
            left -= n
        self._next = end
