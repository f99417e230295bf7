"""Draws the kiosk's fonts from Noto Sans and packs them: text and wall stay in memory, a language's glyphs
come with its strings."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import fontpkg_noto_sans
from PIL import Image, ImageDraw, ImageFont

from hubcore.labels import LETTERS
from smilehub.devices.drawing import Drawing, parse, render
from smilehub.errors import ImageError

_FONT_FILE = "NotoSans[wdth,wght].ttf"
ASCII = range(0x20, 0x7F)

#: Glyph codes of the keys' symbols, and the names that translators give them.
KEYS = {"up": 1, "down": 2, "yes": 3, "back": 4, "help": 5}

#: Glyph codes of what else stands in text: an arrow to what follows or to the chosen answer, the same from
#: right to left, and a dot for a key of a PIN.
MARKS = {"next": 6, "next_rtl": 7, "dot": 8}
# Cyrillic letters that are Latin ones to the eye, and drawn so: the kiosk then keeps one of both. Noto's own
# differ by a pixel here and there.
_LOOKALIKES = dict(zip("аеосрухіАВЕКМНОРСТХ", "aeocpyxiABEKMHOPCTX", strict=True))
_KEY_SIZE = 34  # pixels, as high as a capital and a little more
_KEY_ADVANCE = 40
# Left, width, height and advance of a mark.
_MARK_BOXES = {"next": (14, 22, 28, 48), "next_rtl": (12, 22, 28, 48), "dot": (4, 24, 24, 32)}
_KEY_DRAWINGS = """
[up]
poly 32,3 58,33 42,33 42,61 22,61 22,33 6,33
[down]
poly 32,61 58,31 42,31 42,3 22,3 22,31 6,31
[yes]
line 12 7,34 24,52 57,13
[back]
poly 3,32 33,6 33,22 61,22 61,42 33,42 33,58
[help]
disc 32,32 31
-curve 7 22,25 25,17 32,14 40,18 41,26 33,34 32,41
-disc 32,52 4.5
[next]
poly 0,0 50,32 0,64
[next_rtl]
poly 50,0 0,32 50,64
[dot]
disc 32,32 32
"""


#: A glyph's entry in a font's table.
ENTRY_BYTES = 7


class AssetError(ImageError):
    """A string, font or drawing cannot be built as asked; the message names it."""


@dataclass(frozen=True)
class Face:
    """One font to build: Noto Sans at an em size in pixels, a weight and a width (per cent of normal).

    `frame`: the characters whose ink sets the height of a line.
    """

    name: str
    em: int
    weight: int
    width: int
    frame: str


TEXT = Face("text", 40, 500, 87, "ÉÑg")
LABEL = Face("label", 124, 700, 92, " 0123456789" + LETTERS)
WALL = Face("wall", 20, 700, 90, " ?0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True)
class Glyph:
    """One drawn character: `bits` is its cropped bitmap, `left` and `top` where it stands in its cell, in
    pixels."""

    left: int
    top: int
    width: int
    height: int
    advance: int
    bits: bytes


@dataclass(frozen=True)
class Font:
    """A built font: pixel metrics and its glyphs by code point (keys' symbols by their codes)."""

    height: int
    baseline: int
    cap: int
    glyphs: dict[int, Glyph]

    def measure(self, text: str) -> int:
        """Width of one line in pixels; AssetError when a character has no glyph."""
        width = 0
        for char in text:
            glyph = self.glyphs.get(ord(char))
            if glyph is None:
                raise AssetError(f"No glyph for {char!r} (U+{ord(char):04X}) in the kiosk's font.")
            width += glyph.advance
        return width


def _load(face: Face) -> ImageFont.FreeTypeFont:
    path = Path(fontpkg_noto_sans.__file__).parent / "files" / _FONT_FILE
    font = ImageFont.truetype(str(path), face.em, layout_engine=ImageFont.Layout.BASIC)
    axes: list[float] = [face.weight, face.width]
    font.set_variation_by_axes(axes)
    return font


def _draw(font: ImageFont.FreeTypeFont, char: str, origin: int, size: int) -> tuple[Image.Image, int]:
    """The character as a 1-bit picture whose baseline is at `size` and left edge at `origin`; and its
    advance."""
    picture = Image.new("1", (origin * 2 + size * 2, size * 2), 0)
    pen = ImageDraw.Draw(picture)
    pen.fontmode = "1"
    pen.text((origin, size), char, fill=1, font=font, anchor="ls")
    return picture, round(font.getlength(char))


def build_font(face: Face, code_points: Iterable[int]) -> Font:
    """Render a face; the cap height is that of H as drawn, so that the accessibility figures measure ink.

    Raises AssetError for a character that the font lacks or that is higher than the line.
    """
    font = _load(face)
    size, origin = face.em * 2, face.em // 2
    lacking = _draw(font, "\uffff", origin, size)[0].tobytes()
    frame = [box for char in face.frame if (box := _draw(font, char, origin, size)[0].getbbox())]
    capital = _draw(font, "H", origin, size)[0].getbbox()
    if capital is None:
        raise AssetError(f"The font for {face.name} draws nothing.")
    # A line's height must not depend on which languages are built.
    ascent = size - min(box[1] for box in frame)
    height = ascent + max(box[3] for box in frame) - size
    glyphs: dict[int, Glyph] = {}
    for code in code_points:
        picture, advance = _draw(font, chr(code), origin, size)
        if picture.tobytes() == lacking:
            raise AssetError(f"Noto Sans has no {chr(code)!r} (U+{code:04X}); it needs another font.")
        box = picture.getbbox()
        if box is None:
            glyphs[code] = Glyph(0, 0, 0, 0, advance, b"")
            continue
        top = box[1] - (size - ascent)
        cut = picture.crop(box)
        if top < 0 or top + cut.height > height:
            raise AssetError(f"{chr(code)!r} (U+{code:04X}) is higher than a line of {face.name}.")
        # The kiosk draws a line in pieces: no ink may reach into a neighbour's place.
        left = max(box[0] - origin, 0)
        glyphs[code] = Glyph(left, top, cut.width, cut.height, max(advance, left + cut.width), cut.tobytes())
    return Font(height, ascent, capital[3] - capital[1], glyphs)


def text_font(characters: Iterable[str] = ()) -> Font:
    """The text font: the keys' symbols and the marks, printable ASCII and the other characters given."""
    wanted = set(characters)
    font = build_font(TEXT, sorted({ord(char) for char in wanted} | set(ASCII)))
    for char in wanted & _LOOKALIKES.keys():
        font.glyphs[ord(char)] = font.glyphs[ord(_LOOKALIKES[char])]
    top = font.baseline - font.cap // 2 - _KEY_SIZE // 2
    drawings = parse(_KEY_DRAWINGS, "the keys' symbols")
    symbols = {
        code: Glyph(3, top, _KEY_SIZE, _KEY_SIZE, _KEY_ADVANCE, render(drawings[name], _KEY_SIZE).tobytes())
        for name, code in KEYS.items()
    }
    middle = font.baseline - font.cap // 2
    marks = {MARKS[name]: _mark(drawings[name], middle, *box) for name, box in _MARK_BOXES.items()}
    return replace(font, glyphs=font.glyphs | symbols | marks)


def _mark(drawing: Drawing, middle: int, left: int, width: int, height: int, advance: int) -> Glyph:
    bits = render(drawing, height).crop((0, 0, width, height)).tobytes()
    return Glyph(left, middle - height // 2, width, height, advance, bits)


def label_font() -> Font:
    """The large font of the ticket's label: digits and the letters a kiosk can have."""
    return build_font(LABEL, sorted(map(ord, LABEL.frame)))


def wall_font() -> Font:
    """The wall's font: digits and capitals, 14 LEDs high."""
    return build_font(WALL, sorted(map(ord, WALL.frame)))


def turned(picture: Image.Image) -> bytes:
    """A 1-bit picture on its side, as the panel takes it: each row of bytes is one of its columns."""
    return picture.transpose(Image.Transpose.TRANSPOSE).tobytes()


def pack_glyph(g: Glyph, place: int) -> bytes:
    """A glyph's entry; `place` is the offset of its bitmap."""
    if not (0 <= g.left + 128 < 256 and max(g.advance, g.width, g.height, g.top) < 256):
        raise AssetError("A glyph is too large for the font format.")
    if place > 0xFFFF:
        raise AssetError("A file holds more than 64 KiB of glyphs.")
    return struct.pack("<HBBBBB", place, g.left + 128, g.advance, g.width, g.height, g.top)


def glyph_on_its_side(g: Glyph) -> bytes:
    """A glyph's bitmap, turned."""
    return turned(Image.frombytes("1", (g.width, g.height), g.bits)) if g.width else b""


def pack_font(font: Font) -> bytes:
    """The ``.fnt`` bytes of a font; codes between its glyphs' that have none show as "?"."""
    first, last = min(font.glyphs), max(font.glyphs)
    table, bitmaps = bytearray(), bytearray()
    places: dict[Glyph, int] = {}
    for code in range(first, last + 1):
        glyph = font.glyphs.get(code, font.glyphs[ord("?")])
        if glyph not in places:
            places[glyph] = ENTRY_BYTES * (last + 1 - first) + len(bitmaps)
            bitmaps += glyph.bits
        table += pack_glyph(glyph, places[glyph])
    return struct.pack("<4sBBBB", b"SHF3", font.height, font.cap, first, last) + bytes(table + bitmaps)
