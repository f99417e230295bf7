"""Runs under MicroPython: the kiosk's canvas on a panel of plain memory, beside one that knows no shortcuts.

Arguments: firmware folder, assets folder, mode, output file. Mode "random": a JSON list of seeds on stdin;
prints each picture that differs, then how many were compared and how many bytes were spared. Mode "draw": a
program on stdin with `canvas`, `words`, `panel` and the accents; the picture it leaves is written to the file
as RGB565.
"""

import json
import sys

firmware, assets, mode, out = sys.argv[1:5]
given = sys.stdin.read()
sys.path[:0] = [firmware]

import framebuf  # noqa: E402
import micropython  # noqa: E402

from drivers.st7796 import colour  # noqa: E402
from kiosk.canvas import (  # noqa: E402
    ACCENT,
    BLUE,
    CHOSEN,
    GREEN,
    PLAIN,
    RED,
    TILE_BYTES,
    TITLE,
    Canvas,
)
from kiosk.glyphs import Pictures  # noqa: E402
from kiosk.words import Words  # noqa: E402

W, H = 480, 320
NAMES = {"ACCENT": ACCENT, "BLUE": BLUE, "GREEN": GREEN, "RED": RED, "CHOSEN": CHOSEN}


@micropython.viper
def _turn(columns: ptr16, rows: ptr16, w: int, h: int):  # noqa: F821  (viper's own type)
    for y in range(h):
        for x in range(w):
            rows[y * w + x] = columns[x * h + y]


class Panel:
    """The panel's memory, column by column as it is written; counts what is sent."""

    width = W
    height = H

    def __init__(self):
        self.memory = bytearray(W * H * 2)
        self.bytes = 0
        self.at = None  # column, line within the window; the window's first line and its height

    def open(self, x, y, h):
        assert self.at is None
        assert 0 <= x < W and y >= 0 and h > 0 and y + h <= H, (x, y, h)
        self.at = [x, y, h]
        return self.write

    def write(self, pixels):
        x, y, h = self.at
        assert len(pixels) % (2 * h) == 0 and len(pixels), (len(pixels), h)
        assert x + len(pixels) // (2 * h) <= W, "more columns than there are"
        for at in range(0, len(pixels), 2 * h):
            start = (x * H + y) * 2
            self.memory[start : start + 2 * h] = pixels[at : at + 2 * h]
            x += 1
        self.at[0] = x
        self.bytes += len(pixels)

    def close(self):
        assert self.at is not None
        self.at = None

    def fill(self, x, y, w, h, rgb565):
        assert x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= W and y + h <= H, (x, y, w, h)
        line = bytearray(w * h * 2)
        framebuf.FrameBuffer(line, h, w, framebuf.RGB565).fill(rgb565)
        self.open(x, y, h)(line)
        self.close()

    def rows(self):
        """The picture as RGB565, row by row."""
        out = bytearray(len(self.memory))
        _turn(self.memory, out, W, H)
        return out


class Plain(Canvas):
    """Sends everything, always."""

    def begin(self, accent=BLUE):
        self._colours[ACCENT] = colour(accent)
        self.panel.fill(0, 0, W, H, 0)

    def end(self):
        pass

    def _replace(self, first, last, x):
        pass

    def _clear(self, first, last, x):
        return False

    def _due(self, y, h, x, end, ground, reach):
        return end


tile = bytearray(TILE_BYTES)
words = Words(assets, tile)
pictures = Pictures(assets + "/pictures.bin")
state = 1


def rnd(n):
    global state
    state = (state * 1103515245 + 12345) & 0x3FFFFFFF
    return (state >> 8) % n


LETTERS = b"Wg#\x01\x05iM."


def text(most):
    return bytes([LETTERS[rnd(len(LETTERS))] for _ in range(rnd(most + 1))])


def band(c, y):
    """One act on a band of up to 52 lines from y; returns the y below it."""
    what = rnd(12)
    if what < 3:
        chosen = rnd(2) == 1
        beside = 80 if rnd(4) == 0 and y <= H - 180 else 0
        c.row(text(12), y, chosen, None if rnd(2) else 1, 44 if rnd(2) else 48, beside)
        if not beside:
            return y + 52
        c.row(text(12), y + 48, not chosen, 2, 44, beside)
        c.beside(3, y)
        if rnd(2):
            c.beside(4, y + 12, y)
        return y + 96
    if what < 5:
        return c.text(text(20), y, (PLAIN, CHOSEN, TITLE)[rnd(3)])
    if what == 5:
        h = 4 + 4 * rnd(12)
        c.blank(y, h, rnd(4))
        return y + h
    if what == 6:
        c.endonym(rnd(2), y, rnd(2) == 1)
        return y + 48
    if what == 7:
        return c.begin_line(rnd(2), y)
    if what == 8:  # parts beside each other, in any order, with gaps
        xs = [rnd(40), 60 + rnd(40), 130 + rnd(60), 250 + rnd(100)]
        for _ in range(4):
            x = xs.pop(rnd(len(xs)))
            w = 1 + rnd(19) if x < 60 else 20 + rnd(30)
            h = 4 + 4 * rnd(12)
            c.cell(b"", x, y, w, h, 0, (PLAIN, CHOSEN, TITLE)[rnd(3)], min(w, h) > 8 and rnd(2) == 1)
        return y + 52
    if what == 9 and rnd(2):
        x = 100 + rnd(200)
        c.part(text(5), y, 0, x, None if rnd(2) else 1)
        c.part(text(8), y, x, W, None if rnd(2) else 2)
        return y + 52
    if what == 9:
        c.row(text(12), y, rnd(2) == 1, rnd(8), 52, 0, 52)
        return y + 52
    if what == 10 and y < H - 96:
        for i in range(3):
            c.cell(
                rnd(8),
                4 + 150 * i,
                y,
                112,
                92,
                80 if rnd(2) else 52,
                CHOSEN if rnd(2) else PLAIN,
                rnd(2) == 1,
            )
        return y + 96
    if what == 10:
        return y
    c.picture(rnd(8), rnd(120), y, 80 if rnd(2) else 52)
    c.label(b"K12", 200 if rnd(2) else 252, y) if y < 200 and rnd(4) == 0 else None
    return y + 100


def picture(c):
    """A random picture, and some of its bands drawn anew; False if it was left unfinished."""
    words.rtl = rnd(4) == 0
    c.begin((BLUE, GREEN, RED)[rnd(3)])
    y = c.heading(text(14) + (b"\n" + text(9) if rnd(4) == 0 else b""), 0 if rnd(3) == 0 else None)
    tops = []
    while y < H - 100 and rnd(12):
        y += rnd(3) * rnd(30)
        tops.append(y)
        y = band(c, y)
    if rnd(8) == 0:
        return False
    c.end()
    for top in tops:
        if rnd(2):
            c.row(text(12), top, rnd(2) == 1)
    return True


if mode == "random":
    compared = spared = 0
    for seed in json.loads(given):
        one, other = Panel(), Panel()
        short = Canvas(one, words, pictures, tile)
        plain = Plain(other, words, pictures, tile)
        state = seed
        for number in range(5):
            saved = state
            whole = picture(short)
            state = saved
            picture(plain)
            if whole:
                compared += 1
                if one.memory != other.memory:
                    print(json.dumps(["differs", seed, number]))
        spared += other.bytes - one.bytes
    print(json.dumps([compared, spared]))
else:
    panel = Panel()
    canvas = Canvas(panel, words, pictures, tile)
    NAMES.update({"canvas": canvas, "words": words, "panel": panel, "json": json})
    exec(given, NAMES)
    with open(out, "wb") as file:  # noqa: PTH123  (MicroPython)
        file.write(panel.rows())
