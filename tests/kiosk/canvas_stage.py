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
from kiosk.glyphs import Font, Pictures  # noqa: E402
from kiosk.words import Words  # noqa: E402

W, H = 480, 320
NAMES = {"ACCENT": ACCENT, "BLUE": BLUE, "GREEN": GREEN, "RED": RED, "CHOSEN": CHOSEN}


class Panel:
    """The panel's memory as a frame buffer; counts what is sent."""

    width = W
    height = H

    def __init__(self):
        self.memory = bytearray(W * H * 2)
        self.fb = framebuf.FrameBuffer(self.memory, W, H, framebuf.RGB565)
        self.bytes = 0

    def send(self, fb, palette, x, y, w, h):
        assert x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= W and y + h <= H, (x, y, w, h)
        window = framebuf.FrameBuffer(memoryview(self.memory)[(y * W + x) * 2 :], w, h, framebuf.RGB565, W)
        window.blit(fb, 0, 0, -1, palette)
        self.bytes += w * h * 2

    def put(self, pixels, x, y, w, h):
        assert len(pixels) == w * h * 2
        fb = framebuf.FrameBuffer(pixels, w, h, framebuf.RGB565)
        assert x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= W and y + h <= H, (x, y, w, h)
        self.fb.blit(fb, x, y)
        self.bytes += w * h * 2

    def fill(self, x, y, w, h, rgb565):
        assert x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= W and y + h <= H, (x, y, w, h)
        self.fb.fill_rect(x, y, w, h, rgb565)
        self.bytes += w * h * 2


class Plain(Canvas):
    """Sends everything, always."""

    def begin(self, accent=BLUE):
        self._colours[ACCENT] = colour(accent)
        self.panel.fill(0, 0, W, H, 0)

    def end(self):
        pass

    def _note(self, x, y, w, h, ground, left, right):
        fill = self._colours[ground]
        if left:
            self.panel.fill(x, y, left, h, fill)
        if right < w:
            self.panel.fill(x + right, y, w - right, h, fill)


words = Words(assets)
font = Font(assets + "/text.fnt", words)
pictures = Pictures(assets + "/pictures.bin")
tile = bytearray(TILE_BYTES)
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
        short = Canvas(one, words, font, pictures, tile)
        plain = Plain(other, words, font, pictures, tile)
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
    canvas = Canvas(panel, words, font, pictures, tile)
    NAMES.update({"canvas": canvas, "words": words, "panel": panel, "json": json})
    exec(given, NAMES)
    with open(out, "wb") as file:  # noqa: PTH123  (MicroPython)
        file.write(panel.memory)
