"""Builds what the kiosk shows into a directory: fonts, pictures and strings in formats read straight from
flash.

Formats (little-endian), all deterministic for the same inputs. A bitmap is MONO_HLSB, cropped to its ink or
its place; but for the wall's it lies on its side: its rows are columns. *Glyph codes* are one byte a
character, in visual order: 0x01–0x05 the keys' symbols (up, down, yes, back, help), 0x06–0x08 arrows to right
and left and a dot, 0x0A the end of a line, 0x10–0x17 where the first to eighth value goes, 0x20–0x7E ASCII,
the others glyphs of the language.
A glyph entry is offset (u16), left + 128, advance, width, height, top (u8 each).

* ``wall.fnt``: magic ``SHF3``, line height, cap height, first code, last code (u8 each); one glyph entry a
  code; bitmaps. Offsets count from the first entry.
* ``pictures.bin``: magic ``SHP3``, numbers of icons, pictograms, languages and letters, height of the
  languages' lines and of the letters (u8 each), the letters' ASCII, the widths of the lines and of the
  letters (u16 each); bitmaps to the end of the file: the pictograms in the order of
  ``hubcore.labels.PICTOGRAMS`` at 120, then at 80, then at 52 pixels, the large letters of ticket labels, for
  each language its own name and its line how to begin, the icons in the order of ``smilehub.devices.icons``
  at 80, then at 44 pixels.
* ``words.idx``: magic ``SHW3``, number of languages, 0 (u8 each), bytes of the largest language in memory
  (u16), of the longest string, of the longest filled string (u8 each); a language: two letters and 1 for
  right-to-left (3 bytes).
* ``<code>.str``: magic ``SHL3``, 1 for right-to-left, the code after the last (u8 each), how many bytes stay
  in memory, where the index begins, number of strings (u16 each); glyph entries from code 1 on; bitmaps, the
  most used first; the strings: the low three bytes of the name's CRC-32, the icon's number or 255, the length
  (u8), glyph codes, already broken into lines for their boxes; five zeros; the index: for each string those
  three bytes and where it begins (u16). All offsets count from the start of the file.
"""

from pathlib import Path

from PIL import Image

from smilehub.devices.assets_fonts import AssetError, Font, label_font, pack_font, text_font, wall_font
from smilehub.devices.assets_pictures import PICTOGRAM_SIZES, draw_line, draw_pictogram, pack_pictures
from smilehub.devices.assets_strings import (
    BEGIN_BOX,
    ENDONYM_BOX,
    Language,
    Packed,
    fit,
    load_strings,
    pack_index,
    tokens,
)
from smilehub.devices.icons import ICONS
from smilehub.devices.sources import firmware_root

__all__ = ["PICTOGRAM_SIZES", "AssetError", "build", "draw_pictogram"]


def build(out_dir: Path, strings: Path | None = None) -> list[Path]:
    """Write every asset of the kiosk into `out_dir` and return the files.

    `strings` is the folder of the language files, by default the firmware's own. Raises AssetError.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    boxes, languages = load_strings(strings or firmware_root() / "kiosk" / "strings")
    text = text_font({char for language in languages for char in language.characters})
    packed = [(language, Packed(text, boxes, language, list(ICONS))) for language in languages]
    lines = [line for language in languages for line in _heads(text, language)]
    files: dict[str, bytes] = {
        "wall.fnt": pack_font(wall_font()),
        "pictures.bin": pack_pictures(lines, label_font()),
        "words.idx": pack_index(packed),
        **{f"{language.code}.str": one.data for language, one in packed},
    }
    written: list[Path] = []
    for name, data in files.items():
        (out_dir / name).write_bytes(data)
        written.append(out_dir / name)
    return written


def _heads(font: Font, language: Language) -> tuple[Image.Image, Image.Image]:
    """A language's own name and its line how to begin, drawn: they mix scripts on one screen."""
    try:
        lines = [
            fit(font, box, tokens(box, text))[0]
            for box, text in ((ENDONYM_BOX, language.endonym), (BEGIN_BOX, language.begin))
        ]
    except AssetError as error:
        raise AssetError(f"{language.code}.toml: {error}") from None
    return draw_line(font, lines[0]), draw_line(font, lines[1])
