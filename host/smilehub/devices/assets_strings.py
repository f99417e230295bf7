"""Reads the translators' files, breaks every string into lines that fit its box, and packs a language."""

from __future__ import annotations

import re
import struct
import tomllib
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubcore.labels import LETTERS
from smilehub.devices.assets_fonts import (
    ASCII,
    ENTRY_BYTES,
    KEYS,
    MARKS,
    AssetError,
    Font,
    Glyph,
    glyph_on_its_side,
    pack_glyph,
)

TIGHT_TOP = 5
"""So many lines at the top of a line of text are cut off where it stands in a tight row."""

_NAME = re.compile(r"[a-z]+(\.[a-z0-9_]+)+")
_TOKEN = re.compile(r"\{(\w*)\}")
_SYMBOLS = KEYS | {"next": MARKS["next"]}
_FIRST_VALUE = 0x10  # stands where the first value goes, the next one where the second goes
_MOST_VALUES = 8
# Codes that stand for nothing else: glyphs of a language's own.
_LANGUAGE_GLYPHS = (9, *range(0x0B, 0x10), *range(0x18, 0x20), *range(0x7F, 0xFF))
#: So much of a language's file stays in memory at most: its table, and those glyphs that its strings hold
#: most often. Codes and labels are of what stays always.
RESIDENT_BYTES = 5_400
_ALWAYS = {*range(0x30, 0x3A), *map(ord, LETTERS), *KEYS.values(), *MARKS.values()}
_NO_ICON = 0xFF
# Magic, direction, codes end before, what stays in memory, where the index is, how many strings.
_HEAD = struct.Struct("<4sBBHHH")
_STRING_HEAD = 5


@dataclass(frozen=True)
class Box:
    """Where a string is shown: `width` pixels, at most `lines` lines, each `{}` filled with its sample for
    measuring; `icon` is the name of the icon that goes with it; a `tight` box has no room for the accents of
    capitals."""

    name: str
    width: int
    lines: int
    samples: tuple[str, ...] = ()
    icon: str | None = None
    tight: bool = False


ENDONYM_BOX = Box("the endonym", 424, 1)
BEGIN_BOX = Box("how to begin", 464, 1)


@dataclass(frozen=True)
class Language:
    """One language: its code, its name in itself, how to begin, its direction, and its strings as the
    translators wrote them."""

    code: str
    endonym: str
    begin: str
    rtl: bool
    strings: dict[str, str]

    @property
    def characters(self) -> set[str]:
        """Every character to be drawn for it."""
        texts = (self.endonym, self.begin, *self.strings.values())
        return {char for text in texts for char in shape(_TOKEN.sub("", text))} - {"\n"}


def shape(text: str) -> str:
    """The characters of one line as they are drawn, from left to right.

    The hook for scripts that are joined or run from right to left: such a language needs its letters replaced
    by presentation forms and put into visual order here. The four languages of today need neither.
    """
    return text


def load_strings(folder: Path) -> tuple[list[Box], list[Language]]:
    """Read ``boxes.toml`` and every language it lists; AssetError names what is missing, unknown or
    malformed."""
    index: dict[str, Any] = tomllib.loads((folder / "boxes.toml").read_text(encoding="utf-8"))
    boxes = [_box(name, spec) for name, spec in index["strings"].items()]
    names = {box.name for box in boxes}
    hashes = {_hash(name) for name in names}
    if len(hashes) < len(names):
        raise AssetError("Two strings' names have the same short hash; rename the newer one.")
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
            try:
                tokens(box, strings[box.name])
            except AssetError as error:
                raise AssetError(f"{path.name}: {error}") from None
        if (direction := data.get("direction", "ltr")) not in ("ltr", "rtl"):
            raise AssetError(f"{path.name}: the direction is ltr or rtl, not {direction!r}.")
        if len(code) != 2 or not code.isascii():
            raise AssetError(f"{path.name}: a language's code has two letters.")
        languages.append(Language(code, data["endonym"], data["begin"], direction == "rtl", strings))
    return boxes, languages


def tokens(box: Box, text: str) -> str:
    """The text with `{}` and keys' names in braces as the codes that stand for them. Raises AssetError."""
    count = 0

    def code(match: re.Match[str]) -> str:
        nonlocal count
        name = match[1]
        if name in _SYMBOLS:
            return chr(_SYMBOLS[name])
        if name:
            raise AssetError(f"{box.name}: {match[0]} is no key; keys are {', '.join(_SYMBOLS)}.")
        count += 1
        return chr(_FIRST_VALUE + count - 1)

    out = _TOKEN.sub(code, text)
    if count != len(box.samples):
        raise AssetError(f"{box.name} must hold {{}} {len(box.samples)} times, where the values go.")
    if "{" in out or "}" in out:
        raise AssetError(f"{box.name} has a brace without its other one.")
    return out


def sampled(box: Box, text: str) -> str:
    """A text of `tokens` with each value's place filled with its sample."""
    for i, sample in enumerate(box.samples):
        text = text.replace(chr(_FIRST_VALUE + i), sample)
    return text


def fit(font: Font, box: Box, text: str) -> list[str]:
    """Break a text of `tokens` into lines for its box, each as it is drawn; AssetError if it does not fit."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and _width(font, box, longer) > box.width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    widest = max(_width(font, box, line) for line in lines)
    if widest > box.width or len(lines) > box.lines:
        raise AssetError(
            f"{box.name} does not fit: {sampled(box, text)!r} needs {len(lines)} lines and {widest} pixels, "
            f"its box has {box.lines} and {box.width}."
        )
    shaped = [shape(line) for line in lines]
    if box.tight and any(
        font.glyphs[ord(c)].top < TIGHT_TOP for c in sampled(box, "".join(shaped)) if c != " "
    ):
        raise AssetError(f"{box.name}: {text!r} is too high for its box; do without accents on capitals.")
    return shaped


class Packed:
    """One language as bytes: the file `data`, of which the first `resident` stay in memory; `longest` is the
    longest string, `filled` the longest with its values."""

    def __init__(self, font: Font, boxes: Sequence[Box], language: Language, icons: Sequence[str]) -> None:
        texts: list[str] = []
        for box in boxes:
            try:
                texts.append("\n".join(fit(font, box, tokens(box, language.strings[box.name]))))
            except AssetError as error:
                raise AssetError(f"{language.code}.toml: {error}") from None
        codes, glyphs = _codes(font, texts, language.code)
        blobs = [bytes(codes[char] for char in text) for text in texts]
        spare = [len(sampled(box, text)) + 4 for box, text in zip(boxes, texts, strict=True) if box.samples]
        self.filled = max(spare, default=0)
        self.longest = max(map(len, blobs))
        font_bytes, self.resident = _pack_glyphs(glyphs, Counter(b"".join(blobs)))
        at = _HEAD.size + len(font_bytes)
        index, strings = bytearray(), bytearray()
        for box, blob in zip(boxes, blobs, strict=True):
            if box.icon is not None and box.icon not in icons:
                raise AssetError(f"boxes.toml: {box.name} has the icon {box.icon!r}, which nobody drew.")
            index += _hash(box.name) + struct.pack("<H", at + len(strings))
            icon = _NO_ICON if box.icon is None else icons.index(box.icon)
            strings += _hash(box.name) + bytes((icon, len(blob))) + blob
        strings += bytes(_STRING_HEAD)
        if at + len(strings) + len(index) > 0xFFFF or max(self.filled, self.longest) > 0xFF:
            raise AssetError(f"{language.code}.toml makes more than 64 KiB, or a string of more than 255.")
        index_at = at + len(strings)
        after = max(glyphs) + 1
        head = _HEAD.pack(b"SHL3", language.rtl, after, self.resident, index_at, len(boxes))
        self.data = head + font_bytes + bytes(strings + index)


def pack_index(languages: Sequence[tuple[Language, Packed]]) -> bytes:
    """The bytes of ``words.idx`` (format in `smilehub.devices.assets`)."""
    head = struct.pack(
        "<4sBBHBB",
        b"SHW3",
        len(languages),
        0,
        max(packed.resident for _, packed in languages),
        max(packed.longest for _, packed in languages),
        max(packed.filled for _, packed in languages),
    )
    return head + b"".join(language.code.encode() + bytes((language.rtl,)) for language, _ in languages)


def _pack_glyphs(glyphs: Mapping[int, Glyph], used: Mapping[int, int]) -> tuple[bytes, int]:
    """Table and bitmaps of a language's glyphs, and how much of the file stays in memory: the table, and the
    bitmaps of those that are used often, which come first."""
    first = sorted(glyphs, key=lambda code: (code not in _ALWAYS, -used.get(code, 0), code))
    last = max(glyphs)
    start = resident = at = _HEAD.size + ENTRY_BYTES * last
    places: dict[Glyph, int] = {}
    bitmaps = bytearray()
    for code in first:
        glyph = glyphs[code]
        if glyph not in places:
            places[glyph] = at
            bitmaps += glyph_on_its_side(glyph)
            at = start + len(bitmaps)
            if at <= RESIDENT_BYTES:
                resident = at
    nothing = Glyph(0, 0, 0, 0, 0, b"")
    table = b"".join(
        pack_glyph(glyphs.get(code, nothing), places.get(glyphs.get(code, nothing), 0))
        for code in range(1, last + 1)
    )
    return table + bytes(bitmaps), resident


def _box(name: str, spec: Mapping[str, Any]) -> Box:
    if not _NAME.fullmatch(name):
        raise AssetError(f"boxes.toml: {name!r} is no name of a string.")
    if unknown := spec.keys() - {"width", "lines", "sample", "icon", "note", "tight"}:
        raise AssetError(f"boxes.toml: {name} has {', '.join(sorted(unknown))}, which means nothing.")
    sample: str | list[str] = spec.get("sample", [])
    samples = (sample,) if isinstance(sample, str) else tuple(sample)
    tight = bool(spec.get("tight", False))
    if len(samples) > _MOST_VALUES:
        raise AssetError(f"boxes.toml: {name} has more than {_MOST_VALUES} values.")
    return Box(name, int(spec["width"]), int(spec["lines"]), samples, spec.get("icon"), tight)


def _hash(name: str) -> bytes:
    return zlib.crc32(name.encode()).to_bytes(4, "little")[:3]


def _width(font: Font, box: Box, text: str) -> int:
    return font.measure(sampled(box, text))


def _codes(font: Font, texts: Sequence[str], language: str) -> tuple[dict[str, int], dict[int, Glyph]]:
    """The glyph code of each character, and the glyphs by code: the keys' symbols, the marks, ASCII and the
    language's own.

    A letter that looks like one of ASCII is that one: Cyrillic has more than a dozen such.
    """
    glyphs = {code: font.glyphs[code] for code in (*KEYS.values(), *MARKS.values(), *ASCII)}
    known = {font.glyphs[code]: code for code in ASCII}
    fixed = {
        chr(code) for code in (10, *_SYMBOLS.values(), *range(_FIRST_VALUE, _FIRST_VALUE + _MOST_VALUES))
    }
    codes: dict[str, int] = {char: ord(char) for char in fixed | set(map(chr, ASCII))}
    own = iter(_LANGUAGE_GLYPHS)
    for char in sorted({char for text in texts for char in text} - codes.keys()):
        glyph = font.glyphs[ord(char)]
        if glyph not in known:
            code = next(own, None)
            if code is None:
                raise AssetError(f"{language}.toml uses too many characters beyond ASCII.")
            known[glyph] = code
            glyphs[code] = glyph
        codes[char] = known[glyph]
    return codes, glyphs
