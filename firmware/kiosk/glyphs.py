"""Bitmap fonts and pictures as built by `smilehub.devices.assets`, drawn by framebuf.blit."""

import framebuf
from micropython import const

_HEAD = const(8)
_HLSB = framebuf.MONO_HLSB


class AssetDamaged(ValueError):
    """A file of fonts or pictures does not begin as it should; install the application again."""


class Font:
    """Text from glyph codes: those of the file `path`, which stay in memory, and those that `words` may lend.

    A code from 0x80 on is a glyph of the language in use: its table and bitmaps are `words.glyphs`, from
    offset `words.table`. `height` and `cap` are pixels. A code without a glyph shows as "?".
    """

    def __init__(self, path: str, words=None):
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            if len(head) != _HEAD or head[:4] != b"SHF2":
                raise AssetDamaged(path)
            self._glyphs = memoryview(file.read())
        self.height = head[4]
        self.cap = head[5]
        self._first = head[6]
        self._last = head[7]
        self._lack = 8 * (63 - head[6])
        self._words = words
        self._box = [None, 0, 0, _HLSB]

    def width(self, text) -> int:
        """Pixels of one line."""
        return self.span(text, 0, 32000)[1]

    def span(self, text, start: int, most: int):
        """(end, width) of the longest part of a line from `start` on that is at most `most` pixels wide, of
        one glyph at least."""
        glyphs = self._glyphs
        words = self._words
        first = self._first
        last = self._last
        end = start
        total = 0
        for c in text[start:]:
            if first <= c <= last:
                w = glyphs[(c - first) * 8 + 3]
            elif words is not None and 0x80 <= c < words.after:
                w = words.glyphs[words.table + c * 8 + 3]
            else:
                w = glyphs[self._lack + 3]
            if total + w > most and end > start:
                break
            total += w
            end += 1
        return end, total

    def tail(self, text, width: int):
        """The longest end of one line that is at most `width` pixels wide.

        Of a chair's name the end tells it from the others.
        """
        while len(text) > 1 and self.width(text) > width:
            text = text[1:]
        return text

    def draw(self, fb, text, x: int, y: int, bg: int = 0, palette=None) -> int:
        """Draw one line with its top at y, its 0 and 1 as colours of `palette`, of which `bg` is not drawn.
        Returns the x reached."""
        box = self._box
        blit = fb.blit
        words = self._words
        first = self._first
        last = self._last
        own = self._glyphs
        for c in text:
            glyphs = own
            if first <= c <= last:
                at = (c - first) * 8
            elif words is not None and 0x80 <= c < words.after:
                glyphs = words.glyphs
                at = words.table + c * 8
            else:
                at = self._lack
            w = glyphs[at + 4]
            if w:
                h = glyphs[at + 5]
                offset = glyphs[at] | glyphs[at + 1] << 8
                box[0] = glyphs[offset : offset + ((w + 7) >> 3) * h]
                box[1] = w
                box[2] = h
                blit(box, x + glyphs[at + 2] - 128, y + glyphs[at + 6], bg, palette)
            x += glyphs[at + 3]
        return x


class Pictures:
    """What is read from flash to be drawn: pictograms, icons, ticket labels, languages' names.

    One picture at a time. Pictures are known by number: see `number`, `endonym` and `letter`.
    """

    def __init__(self, path: str):
        self._file = file = open(path, "rb")
        head = file.read(8)
        if len(head) != 8 or head[:4] != b"SHP2":
            raise AssetDamaged(path)
        self._pictograms = head[4]
        self.icons = head[5]
        self._lines = 2 * head[5] + 3 * head[4]
        self._large = self._lines + 2 * head[6]
        self._letters = file.read(head[7])
        self._table = 8 + head[7]
        self._box = [None, 0, 0, _HLSB]
        self._entry = bytearray(8)
        self._at = -1
        self.height = 0  # of the picture that was asked for last

    def number(self, index: int, size: int) -> int:
        """The number of pictogram `index` at 52, 80 or 120 pixels. That of an icon is its own at 44 pixels,
        and that plus `icons` at 80."""
        return 2 * self.icons + index + self._pictograms * (0 if size == 52 else 1 if size == 80 else 2)

    def endonym(self, language: int) -> int:
        """The number of a language's own name; that plus one is its line how to begin."""
        return self._lines + 2 * language

    def letter(self, c: int) -> int:
        """The number of a character (ASCII) of the large font of labels."""
        return self._large + max(0, self._letters.find(bytes((c,))))

    def width(self, number: int) -> int:
        """A picture's width in pixels; `height` is then its height."""
        entry = self._entry
        if number != self._at:
            self._at = -1
            self._file.seek(self._table + 8 * number)
            self._file.readinto(entry)
            self._at = number
            self.height = entry[6]
        return entry[4] | entry[5] << 8

    def bands(self, number: int, scratch):
        """Yield a picture as (a 1-bit bitmap for blit, its first line, how many lines), top to bottom.

        Each is read into `scratch` (a memoryview) and valid until the next. Raises OSError.
        """
        w = self.width(number)
        entry = self._entry
        h = self.height
        box = self._box
        stride = (w + 7) >> 3
        most = len(scratch) // stride
        self._file.seek(entry[0] | entry[1] << 8 | entry[2] << 16)
        for y in range(0, h, most):
            lines = min(most, h - y)
            box[0] = scratch[: lines * stride]
            self._file.readinto(box[0])
            box[1] = w
            box[2] = lines
            yield box, y, lines
