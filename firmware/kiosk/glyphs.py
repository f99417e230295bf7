"""Bitmap fonts and pictograms as built by `smilehub.devices.assets`, drawn by framebuf.blit."""

import framebuf
from micropython import const

_HEAD = const(12)
_HLSB = framebuf.MONO_HLSB


class AssetDamaged(ValueError):
    """A font or pictogram file does not begin as it should; install the application again."""


class Ink:
    """A pair of palette indices as blit wants it: what a 1-bit source paints with (`fg`) and what it leaves
    (`bg`)."""

    def __init__(self, fg: int, bg: int):
        self.fg = fg
        self.bg = bg
        self.palette = framebuf.FrameBuffer(bytearray(1), 2, 1, framebuf.GS2_HMSB)
        self.palette.pixel(0, 0, bg)
        self.palette.pixel(1, 0, fg)


class Font:
    """Text from UTF-8 bytes. `resident` keeps the bitmaps in RAM; otherwise each glyph is read from flash.

    `height`, `baseline` and `cap` are pixels. `scratch` is the caller's buffer for glyphs from flash, at
    least as large as the file's largest glyph.
    """

    def __init__(self, path: str, resident: bool, scratch):
        file = open(path, "rb")
        head = file.read(_HEAD)
        if len(head) != _HEAD or head[:4] != b"SHF1":
            raise AssetDamaged(path)
        self.height = head[4]
        self.baseline = head[5]
        self.cap = head[6]
        ranges = head[7]
        count = head[8] | head[9] << 8
        raw = file.read(4 * ranges)
        # (first, after last, index of first) a range, ASCII first.
        self._ranges = []
        index = 0
        for i in range(0, 4 * ranges, 4):
            first = raw[i] | raw[i + 1] << 8
            n = raw[i + 2] | raw[i + 3] << 8
            self._ranges.append((first, first + n, index))
            index += n
        self._ascii = self._ranges[0][1] if self._ranges[0][0] == 32 else 0
        self._table = file.read(8 * count)
        self._box = [None, 0, 0, _HLSB]
        if resident:
            self._bits = memoryview(file.read())
            self._file = None
            file.close()
        else:
            self._bits = memoryview(scratch)
            self._file = file
            self._start = _HEAD + 4 * ranges + 8 * count
            if len(scratch) < (head[10] | head[11] << 8):
                raise ValueError("the scratch buffer is smaller than a glyph")

    def _entry(self, code: int) -> int:
        """Where the glyph's table entry begins; a character we lack shows as '?' rather than vanishing."""
        for first, after, index in self._ranges:
            if first <= code < after:
                return (index + code - first) * 8
        return (63 - 32) * 8 if self._ascii > 63 else 0

    def width(self, text) -> int:
        """Pixels of one line of UTF-8 bytes."""
        table = self._table
        total = 0
        code = 0
        for c in text:
            if c < 0x80:
                code = c
            elif c >= 0xC0:
                code = c & 0x1F if c < 0xE0 else c & 0x0F
                continue
            else:
                code = code << 6 | c & 0x3F
                if code < 0x80:  # a three-byte character has one more byte to come
                    continue
            total += table[self._entry(code) + 3]
        return total

    def tail(self, text, width: int):
        """The longest end of one line of ASCII bytes that is at most `width` pixels wide.

        Of a chair's name the end tells it from the others.
        """
        while len(text) > 1 and self.width(text) > width:
            text = text[1:]
        return text

    def draw(self, fb, text, x: int, y: int, ink: Ink, pitch: int = 0) -> int:
        """Draw UTF-8 bytes with the top of the line at y; `\\n` begins one `pitch` pixels lower.

        Returns the x reached.
        """
        table = self._table
        bits = self._bits
        box = self._box
        blit = fb.blit
        palette = ink.palette
        bg = ink.bg
        ascii_end = self._ascii
        file = self._file
        left = x
        code = 0
        more = 0
        for c in text:
            if 32 <= c < ascii_end:
                at = (c - 32) * 8
            elif c == 10:
                x = left
                y += pitch
                continue
            else:
                if c < 0x80:
                    code = c
                elif c >= 0xE0:
                    code = c & 0x0F
                    more = 2
                    continue
                elif c >= 0xC0:
                    code = c & 0x1F
                    more = 1
                    continue
                else:
                    code = code << 6 | c & 0x3F
                    more -= 1
                    if more > 0:
                        continue
                at = self._entry(code)
            w = table[at + 4]
            if w:
                h = table[at + 5]
                offset = table[at] | table[at + 1] << 8
                size = ((w + 7) >> 3) * h
                if file is None:
                    box[0] = bits[offset : offset + size]
                else:
                    file.seek(self._start + offset)
                    box[0] = bits[:size]
                    file.readinto(box[0])
                box[1] = w
                box[2] = h
                blit(box, x + table[at + 2] - 128, y + table[at + 6], bg, palette)
            x += table[at + 3]
        return x


class Pictograms:
    """The visitors' pictograms, read from flash one at a time into the caller's `scratch` buffer."""

    def __init__(self, path: str, scratch):
        self._file = open(path, "rb")
        head = self._file.read(8)
        if len(head) != 8 or head[:4] != b"SHP1":
            raise AssetDamaged(path)
        self.count = head[4]
        self.small = head[5]
        self.large = head[6]
        self._small_bytes = ((self.small + 7) >> 3) * self.small
        self._large_bytes = ((self.large + 7) >> 3) * self.large
        if len(scratch) < self._large_bytes:
            raise ValueError("the scratch buffer is smaller than a pictogram")
        self._bits = memoryview(scratch)
        self._box = [None, 0, 0, _HLSB]

    def draw(self, fb, index: int, x: int, y: int, ink: Ink, large: bool = False) -> None:
        """Draw pictogram `index` with its top left corner at x, y, `small` or `large` pixels square."""
        size = self.large if large else self.small
        n = self._large_bytes if large else self._small_bytes
        self._file.seek(
            8 + index * (self._small_bytes + self._large_bytes) + (self._small_bytes if large else 0)
        )
        box = self._box
        box[0] = self._bits[:n]
        self._file.readinto(box[0])
        box[1] = box[2] = size
        fb.blit(box, x, y, ink.bg, ink.palette)
