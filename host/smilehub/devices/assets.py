"""Builds what the kiosk shows into a directory: fonts, pictograms and strings in formats read straight from
flash.

Formats (little-endian), all deterministic for the same inputs:

* ``*.fnt``: magic ``SHF1``, line height, baseline, cap height, number of ranges (u8 each), number of glyphs
  (u16), bytes of the largest glyph (u16); ranges ``first code point, count`` (u16 each), the first range
  always begins at U+0020; one 8-byte entry a glyph: offset (u16, from the first bitmap), left + 128, advance,
  width, height, top, 0 (u8 each); bitmaps, MONO_HLSB, cropped to the ink.
* ``pictograms.bin``: magic ``SHP1``, count, small size, large size, 0 (u8 each), then for each pictogram,
  in the order of ``hubcore.labels.PICTOGRAMS``, the small and the large bitmap (MONO_HLSB, square).
* ``words.idx``: first line the size of the largest language file, then ``code TAB endonym TAB how to
  begin`` a line, an empty line, and the names of the strings, one a line.
* ``<code>.str``: number of strings (u16), their offsets and the end (u16 each, from the start of the file),
  UTF-8 text already broken into lines for its box.
"""

import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fontpkg_noto_sans
from PIL import Image, ImageDraw, ImageFont

from hubcore.labels import LETTERS, PICTOGRAMS
from smilehub.devices.pictograms import PICTOGRAMS as DRAWINGS
from smilehub.devices.sources import firmware_root
from smilehub.errors import ImageError

PICTOGRAM_SMALL = 80
PICTOGRAM_LARGE = 120
_FONT_FILE = "NotoSans[wdth,wght].ttf"
_ASCII = range(0x20, 0x7F)


class AssetError(ImageError):
    """A string, font or drawing cannot be built as asked; the message names it."""


@dataclass(frozen=True)
class Face:
    """One font to build: Noto Sans at an em size in pixels, a weight and a width (per cent of normal)."""

    name: str
    em: int
    weight: int
    width: int
    text: bool  # spans a whole line (accents and descenders); otherwise cropped to capitals and digits


TEXT = Face("text", 40, 500, 87, True)
LABEL = Face("label", 128, 700, 92, False)
WALL = Face("wall", 20, 700, 90, False)


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
    """A built font: pixel metrics and its glyphs by code point."""

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


def build_font(face: Face, code_points: list[int]) -> Font:
    """Render a face; the cap height is that of H as drawn, so that the accessibility figures measure ink."""
    font = _load(face)
    size, origin = face.em * 2, face.em // 2
    lacking = _draw(font, "\uffff", origin, size)[0].tobytes()
    drawn: dict[int, tuple[Image.Image, tuple[int, int, int, int] | None, int]] = {}
    for code in code_points:
        picture, advance = _draw(font, chr(code), origin, size)
        if picture.tobytes() == lacking:
            raise AssetError(f"Noto Sans has no {chr(code)!r} (U+{code:04X}); it needs another font.")
        drawn[code] = (picture, picture.getbbox(), advance)
    # A line's height must not depend on which languages are built: an accented capital and a descender
    # always count.
    frame = [_draw(font, char, origin, size)[0].getbbox() for char in ("ÉÑg" if face.text else "H")]
    boxes = [box for box in (*(box for _, box, _ in drawn.values()), *frame) if box]
    capital = _draw(font, "H", origin, size)[0].getbbox()
    if capital is None or not boxes:
        raise AssetError(f"The font for {face.name} draws nothing.")
    ascent = size - min(box[1] for box in boxes)
    descent = max(box[3] for box in boxes) - size
    glyphs: dict[int, Glyph] = {}
    for code, (picture, box, advance) in drawn.items():
        if box is None:
            glyphs[code] = Glyph(0, 0, 0, 0, advance, b"")
            continue
        cut = picture.crop(box)
        glyphs[code] = Glyph(
            box[0] - origin, box[1] - (size - ascent), cut.width, cut.height, advance, cut.tobytes()
        )
    return Font(ascent + descent, ascent, capital[3] - capital[1], glyphs)


def pack_font(font: Font) -> bytes:
    """The ``.fnt`` bytes of a font (format above)."""
    codes = sorted(font.glyphs)
    ranges: list[tuple[int, int]] = []
    for code in codes:
        if ranges and ranges[-1][0] + ranges[-1][1] == code:
            ranges[-1] = (ranges[-1][0], ranges[-1][1] + 1)
        else:
            ranges.append((code, 1))
    table, bitmaps = bytearray(), bytearray()
    for code in codes:
        g = font.glyphs[code]
        if not (0 <= g.left + 128 < 256 and max(g.advance, g.width, g.height, g.top) < 256):
            raise AssetError(f"The glyph U+{code:04X} is too large for the font format.")
        table += struct.pack("<HBBBBBB", len(bitmaps), g.left + 128, g.advance, g.width, g.height, g.top, 0)
        bitmaps += g.bits
    if len(bitmaps) > 0xFFFF:
        raise AssetError("A font holds more than 64 KiB of glyphs.")
    largest = max(len(g.bits) for g in font.glyphs.values())
    head = struct.pack(
        "<4sBBBBHH", b"SHF1", font.height, font.baseline, font.cap, len(ranges), len(codes), largest
    )
    return head + b"".join(struct.pack("<HH", *r) for r in ranges) + bytes(table) + bytes(bitmaps)


def draw_pictogram(name: str, size: int) -> Image.Image:
    """A pictogram as a square 1-bit picture, drawn large and thresholded at half coverage."""
    shapes = DRAWINGS.get(name)
    if shapes is None:
        raise AssetError(f"There is no drawing for the pictogram {name!r}.")
    fine = 8
    scale = size * fine / 64
    picture = Image.new("L", (size * fine, size * fine), 0)
    pen = ImageDraw.Draw(picture)
    for shape in shapes:
        fill = 255 if shape.ink else 0
        at = [p * scale for p in shape.points]
        pairs = list(zip(at[::2], at[1::2], strict=True))
        if shape.kind == "poly":
            pen.polygon(pairs, fill=fill)
            continue
        radius = shape.width * scale / (1 if shape.kind == "disc" else 2)
        if shape.kind == "line":
            pen.line(pairs, fill=fill, width=round(radius * 2))
        for x, y in pairs:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    small = picture.resize((size, size), Image.Resampling.BOX)
    return small.point([255 * (level >= 128) for level in range(256)]).convert("1")


def _pictograms() -> bytes:
    out = bytearray(struct.pack("<4sBBBB", b"SHP1", len(PICTOGRAMS), PICTOGRAM_SMALL, PICTOGRAM_LARGE, 0))
    for name in PICTOGRAMS:
        for size in (PICTOGRAM_SMALL, PICTOGRAM_LARGE):
            out += draw_pictogram(name, size).tobytes()
    return bytes(out)


@dataclass(frozen=True)
class Box:
    """Where a string is shown: `width` pixels, at most `lines` lines, `{}` filled with `sample` for
    measuring."""

    name: str
    width: int
    lines: int
    sample: str


ENDONYM_BOX = Box("the endonym", 424, 1, "")
BEGIN_BOX = Box("how to begin", 464, 1, "")


@dataclass(frozen=True)
class Language:
    """One language: its code, its name in itself, how to begin, and its strings as the translators wrote
    them."""

    code: str
    endonym: str
    begin: str
    strings: dict[str, str]


def load_strings(folder: Path) -> tuple[list[Box], list[Language]]:
    """Read ``boxes.toml`` and every language it lists; AssetError names what is missing, unknown or
    malformed."""
    index: dict[str, Any] = tomllib.loads((folder / "boxes.toml").read_text(encoding="utf-8"))
    boxes = [
        Box(name, int(spec["width"]), int(spec["lines"]), str(spec.get("sample", "")))
        for name, spec in index["strings"].items()
    ]
    names = {box.name for box in boxes}
    languages: list[Language] = []
    for code in index["languages"]:
        path = folder / f"{code}.toml"
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        strings: dict[str, str] = data["strings"]
        if missing := names - strings.keys():
            raise AssetError(f"{path.name} lacks {', '.join(sorted(missing))}.")
        if unknown := strings.keys() - names:
            raise AssetError(f"{path.name} has {', '.join(sorted(unknown))}, which no screen shows.")
        for box in boxes:
            if strings[box.name].count("{}") != (1 if box.sample else 0):
                raise AssetError(
                    f"{path.name}: {box.name} must hold {{}} where the number goes, and only there."
                )
        languages.append(Language(code, data["endonym"], data["begin"], strings))
    return boxes, languages


def fit(font: Font, box: Box, text: str) -> str:
    """Break a text into lines for its box; AssetError when it does not fit."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and font.measure(longer.replace("{}", box.sample)) > box.width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    widest = max(font.measure(line.replace("{}", box.sample)) for line in lines)
    if widest > box.width or len(lines) > box.lines:
        raise AssetError(
            f"{box.name} does not fit: {text!r} needs {len(lines)} lines and {widest} pixels, "
            f"its box has {box.lines} and {box.width}."
        )
    return "\n".join(lines)


def pack_strings(font: Font, boxes: list[Box], language: Language) -> bytes:
    """The ``.str`` bytes of a language, every string broken into lines that fit."""
    blobs: list[bytes] = []
    for box in boxes:
        try:
            blobs.append(fit(font, box, language.strings[box.name]).encode())
        except AssetError as error:
            raise AssetError(f"{language.code}.toml: {error}") from None
    at = 2 + 2 * (len(blobs) + 1)
    offsets = [at]
    for blob in blobs:
        at += len(blob)
        offsets.append(at)
    return struct.pack(f"<H{len(offsets)}H", len(blobs), *offsets) + b"".join(blobs)


def text_font(languages: list[Language]) -> Font:
    """The text font with printable ASCII and every character that a language uses."""
    used = {
        ord(char)
        for lang in languages
        for text in (lang.endonym, lang.begin, *lang.strings.values())
        for char in text
    }
    return build_font(TEXT, sorted(used - {10} | set(_ASCII)))


def label_font() -> Font:
    """The large font of the ticket's label: digits and the letters a kiosk can have."""
    return build_font(LABEL, sorted(map(ord, " 0123456789" + "".join(LETTERS))))


def wall_font() -> Font:
    """The wall's font: digits and capitals, 14 LEDs high."""
    return build_font(WALL, sorted(map(ord, " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")))


def build(out_dir: Path, strings: Path | None = None) -> list[Path]:
    """Write every asset of the kiosk into `out_dir` and return the files.

    `strings` is the folder of the language files, by default the firmware's own. Raises AssetError.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    boxes, languages = load_strings(strings or firmware_root() / "kiosk" / "strings")
    text = text_font(languages)
    files: dict[str, bytes] = {
        "text.fnt": pack_font(text),
        "label.fnt": pack_font(label_font()),
        "wall.fnt": pack_font(wall_font()),
        "pictograms.bin": _pictograms(),
    }
    for language in languages:
        files[f"{language.code}.str"] = pack_strings(text, boxes, language)
    largest = max(len(files[f"{language.code}.str"]) for language in languages)
    heads: list[str] = []
    for lang in languages:
        fit(text, ENDONYM_BOX, lang.endonym)
        fit(text, BEGIN_BOX, lang.begin)
        heads.append(f"{lang.code}\t{lang.endonym}\t{lang.begin}")
    lines = [str(largest), *heads, "", *(box.name for box in boxes)]
    files["words.idx"] = ("\n".join(lines) + "\n").encode()
    written: list[Path] = []
    for name, data in files.items():
        (out_dir / name).write_bytes(data)
        written.append(out_dir / name)
    return written
