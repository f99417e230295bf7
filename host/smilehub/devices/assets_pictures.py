"""Packs what the kiosk reads from flash as it draws: icons, pictograms, languages' names, large letters."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from PIL import Image

from hubcore.labels import PICTOGRAMS
from smilehub.devices.assets_fonts import AssetError, Font, Glyph, turned
from smilehub.devices.drawing import render
from smilehub.devices.icons import ICONS
from smilehub.devices.icons import SIZES as ICON_SIZES
from smilehub.devices.pictograms import PICTOGRAMS as DRAWINGS

PICTOGRAM_SIZES = (52, 80, 120)


def draw_pictogram(name: str, size: int) -> Image.Image:
    """A pictogram as a square 1-bit picture. Raises AssetError if there is no drawing of it."""
    drawing = DRAWINGS.get(name)
    if drawing is None:
        raise AssetError(f"There is no drawing for the pictogram {name!r}.")
    return render(drawing, size)


def draw_line(font: Font, text: str) -> Image.Image:
    """One line of text as a 1-bit picture, as high as the line and as wide as the text."""
    picture = Image.new("1", (font.measure(text), font.height))
    x = 0
    for char in text:
        glyph = font.glyphs[ord(char)]
        _stamp(picture, glyph, x)
        x += glyph.advance
    return picture


def pack_pictures(lines: Sequence[Image.Image], label: Font) -> bytes:
    """The bytes of ``pictures.bin`` (format in `smilehub.devices.assets`).

    `lines` holds each language's own name and its line how to begin, in the languages' order.
    """
    codes = sorted(label.glyphs)
    letters = [_letter(label, code) for code in codes]
    icons = [[render(drawing, size) for drawing in ICONS.values()] for size in ICON_SIZES]
    pictograms = [[draw_pictogram(name, size) for name in PICTOGRAMS] for size in PICTOGRAM_SIZES]
    kinds = [*icons, lines, letters, *pictograms]
    if any(picture.height != kind[0].height for kind in kinds for picture in kind):
        raise AssetError("Pictures of one kind are not of one height.")
    head = struct.pack(
        "<4sBBBBBB",
        b"SHP3",
        len(ICONS),
        len(PICTOGRAMS),
        len(lines) // 2,
        len(letters),
        lines[0].height,
        letters[0].height,
    )
    widths = [picture.width for picture in (*lines, *letters)]
    head += bytes(codes) + struct.pack(f"<{len(widths)}H", *widths)
    return head + b"".join(turned(picture) for kind in reversed(kinds) for picture in kind)


def _letter(label: Font, code: int) -> Image.Image:
    glyph = label.glyphs[code]
    if glyph.left < 0 or glyph.left + glyph.width > glyph.advance:
        raise AssetError(f"The label's {chr(code)!r} is wider than its place.")
    # In fours, as the canvas counts lines.
    picture = Image.new("1", (glyph.advance, (label.height + 3) // 4 * 4))
    _stamp(picture, glyph, 0)
    return picture


def _stamp(picture: Image.Image, glyph: Glyph, x: int) -> None:
    if glyph.width:
        cut = Image.frombytes("1", (glyph.width, glyph.height), glyph.bits)
        picture.paste(1, (x + glyph.left, glyph.top), cut)
