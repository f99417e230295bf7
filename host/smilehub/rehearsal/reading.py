"""Reading the panel: text, tickets' labels and pictures from pixels, by the shapes that the builder draws.

Nothing here asks the kiosk: the only things known beforehand are the fonts, the pictures and the translators'
strings, which a visitor knows too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops

from hubcore.labels import PICTOGRAMS
from smilehub.devices.assets import draw_pictogram
from smilehub.devices.assets_fonts import KEYS, Font, label_font, text_font
from smilehub.devices.assets_strings import BEGIN_BOX, TIGHT_TOP, load_strings, tokens
from smilehub.devices.sources import firmware_root

#: What the symbols of the four keys of a code are read as, in the letters of codes and PINs.
PRESSES = {chr(KEYS["up"]): "u", chr(KEYS["down"]): "d", chr(KEYS["yes"]): "y", chr(KEYS["back"]): "b"}

_WHITE = (255, 255, 255)
_HEADING_TOP = 2  # the first line of a heading stands so much lower in its band
_HEADING = 52
_PITCH = 48
_STARTS = (8, 48, 60, 100)  # where text begins: margin, row, heading after an icon, row after a pictogram
_BESIDE = 80  # so many columns at the right may be a picture of the chosen answer
_BLANK = 40  # so many empty columns end a line
_EDGE = 2  # a column left of every text, which shows a row's ground

Columns = Sequence[int]


class _Shapes:
    """The glyphs of a font by their columns of pixels: ``lines`` pixels from ``top`` on of each."""

    def __init__(self, font: Font, lines: int, top: int = 0) -> None:
        self.lines = lines
        self.by_width: dict[int, dict[tuple[int, ...], str]] = {}
        for code in sorted(font.glyphs):
            glyph = font.glyphs[code]
            cell = Image.new("1", (glyph.advance, font.height))
            if glyph.width:
                cut = Image.frombytes("1", (glyph.width, glyph.height), glyph.bits)
                cell.paste(1, (glyph.left, glyph.top), cut)
            columns = _columns(cell.crop((0, top, glyph.advance, top + lines)))
            # What looks the same is read as the first of it: Cyrillic has more than a dozen Latin shapes.
            self.by_width.setdefault(glyph.advance, {}).setdefault(columns, chr(code))
        self.widths = sorted(self.by_width, reverse=True)

    def read(self, columns: Columns, x: int) -> str | None:
        """The text that begins at column x and ends with enough emptiness; None if it is no text."""
        dead: set[int] = set()

        def go(x: int) -> str | None:
            if not any(columns[x : x + _BLANK]):
                return ""
            if x in dead:
                return None
            for width in self.widths:
                char = self.by_width[width].get(tuple(columns[x : x + width]))
                if char is not None:
                    rest = go(x + width)
                    if rest is not None:
                        return char + rest
            dead.add(x)
            return None

        text = go(x)
        return " ".join(text.split()) or None if text else None


@cache
def _strings() -> tuple[list[tuple[str, str, dict[str, str]]], str]:
    """(code, endonym, strings with codes for keys and values) of each language; all their characters."""
    boxes, languages = load_strings(firmware_root() / "kiosk" / "strings")
    every = "".join(char for language in languages for char in language.characters)
    texts = [
        (one.code, one.endonym, {box.name: tokens(box, one.strings[box.name]) for box in boxes})
        for one in languages
    ]
    return texts, every


@cache
def _font() -> Font:
    return text_font(set(_strings()[1]))


@cache
def _plain() -> _Shapes:
    return _Shapes(_font(), _font().height)


@cache
def _tight() -> _Shapes:
    return _Shapes(_font(), _font().height - TIGHT_TOP, TIGHT_TOP)


@cache
def _letters() -> _Shapes:
    return _Shapes(label_font(), label_font().height)


@cache
def _canonical() -> dict[int, str]:
    """Each character as it is read, where another one looks the same."""
    font = _font()
    first: dict[object, str] = {}
    for code in sorted(font.glyphs):
        first.setdefault(font.glyphs[code], chr(code))
    return {code: first[glyph] for code, glyph in font.glyphs.items()}


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str] | str]]:
    """(language, name, text or pattern) of every string: whole ones before those with values in them."""
    whole: list[tuple[str, str, re.Pattern[str] | str]] = []
    filled: list[tuple[str, str, re.Pattern[str] | str]] = []
    for code, _, strings in _strings()[0]:
        for name, text in strings.items():
            plain = as_read(text)
            parts = re.split("[\x10-\x17]", plain)
            if len(parts) == 1:
                whole.append((code, name, plain))
            elif any(part.strip(": ") for part in parts):  # else it could be anything
                filled.append((code, name, re.compile("(.+?)".join(map(re.escape, parts)), re.DOTALL)))
    return whole + filled


@cache
def names(text: str) -> tuple[tuple[str, str], ...]:
    """(language, name) of the strings that a text read from the panel can be; whole strings come first."""
    return tuple(
        (code, name)
        for code, name, pattern in _patterns()
        if (pattern == text if isinstance(pattern, str) else pattern.fullmatch(text))
    )


def as_read(text: str) -> str:
    """A text as it is read from the panel: in one line, what looks alike as the first of it."""
    table = _canonical()
    return " ".join("".join(table.get(ord(char), char) for char in text).split())


def said(name: str, language: str = "en") -> str:
    """The string of that name as it is read from the panel."""
    return next(as_read(strings[name]) for code, _, strings in _strings()[0] if code == language)


@cache
def _begin() -> str:
    first = load_strings(firmware_root() / "kiosk" / "strings")[1][0]
    return as_read(tokens(BEGIN_BOX, first.begin))


def languages() -> list[tuple[str, str]]:
    """(code, own name as it is read) of the kiosk's languages, in their order on the panel."""
    return [(code, as_read(endonym)) for code, endonym, _ in _strings()[0]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: where its band begins, and whether it is the highlighted one."""

    y: int
    text: str
    chosen: bool


class Page:
    """What one picture of the panel says. Everything is read when it is asked for."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image.convert("RGB")
        self._height = image.height
        self._ink = _columns(_mask(self._image, _WHITE))
        self._dark: Columns | None = None

    @property
    def heading(self) -> str:
        """The text of the topmost band, its two lines joined; "" if it cannot be read."""
        first = self._text(0, _plain(), _HEADING_TOP)
        if first is None:
            return ""
        at = self._image.getpixel((_EDGE, 0))
        if self._image.getpixel((_EDGE, _HEADING + 4)) != at or at == (0, 0, 0):
            return first
        second = self._text(_HEADING, _plain())
        both = f"{first} {second}" if second else first
        # On a screen that is all of one colour the text goes on below its heading.
        return first if names(first) and not names(both) else both

    @property
    def idle(self) -> bool:
        """Whether it says how to begin in the first language, which the idle screen alone does."""
        return any(self._text(y, _plain()) == _begin() for y in (_HEADING + 4, _HEADING + _PITCH + 4))

    @property
    def chosen(self) -> str:
        """The text of the highlighted answer; "" if there is none that can be read."""
        for y in range(_HEADING, self._height - 40, 4):
            if self._lit(y) and not self._lit(y - 4):
                return self._row(y) or ""
        return ""

    @property
    def lines(self) -> list[Line]:
        """Every line of text below the heading, from the top."""
        found: list[Line] = []
        y = _HEADING
        while y <= self._height - 40:
            text = self._row(y)
            if text is None:
                y += 4
                continue
            found.append(Line(y, text, self._lit(y + 8)))
            y += 40
        return found

    @property
    def label(self) -> str:
        """A ticket's label in the large letters, or ""."""
        for y in range(_HEADING, 200, 4):
            text = _letters().read(self._cut(self._ink, y, _letters().lines), 8)
            if text and re.fullmatch("[A-Z][0-9]{2,3}", text):
                return text
        return ""

    @property
    def code(self) -> str:
        """Eight presses of the keys somewhere in a line, as letters of u, d, y and b; or ""."""
        for line in reversed(self.lines):
            keys = "".join(PRESSES.get(char, " ") for char in line.text if char != " ")
            if found := re.search("[udyb]{8}", keys):
                return found[0]
        return ""

    @property
    def picture(self) -> str:
        """The name of a ticket's large pictogram, or ""."""
        width = self._image.width
        for y in (_HEADING, _HEADING + _PITCH):
            cut = _mask(self._image.crop((width - 128, y, width - 8, y + 120)), _WHITE)
            if name := _pictures(120).get(cut.tobytes()):
                return name
        return ""

    def grid(self, size: int) -> list[tuple[str, bool]]:
        """(name, whether it is the chosen one) of the pictograms in a grid of pictures of 80 or 52 pixels."""
        across, width, height, left, top = (4, 120, 104, 20, 10) if size == 80 else (8, 60, 64, 4, 4)
        found: list[tuple[str, bool]] = []
        for at in range(32):
            x, y = at % across * width, 56 + at // across * height
            if y + height > self._height:
                break
            box = (x + left, y + top, x + left + size, y + top + size)
            chosen = self._image.getpixel((x + 4, y)) not in ((0, 0, 0), _WHITE)
            # The chosen one has a frame, which may run across the picture's edges.
            cut = _inner(_mask(self._image.crop(box), (0, 0, 0) if chosen else _WHITE))
            if name := _inner_pictures(size).get(cut.tobytes()):
                found.append((name, chosen))
        return found

    def _lit(self, y: int) -> bool:
        """Whether a highlighted row is at this height: a ground that is neither black nor a heading's."""
        pixel = self._image.getpixel((_EDGE, y))
        return isinstance(pixel, tuple) and pixel[0] > 200 and pixel[1] > 150 and pixel[2] < 150

    def _row(self, y: int) -> str | None:
        # A tight row lacks the topmost lines of its text, and may lack the lowest.
        return self._text(y, _plain()) or self._text(y, _tight())

    def _text(self, y: int, shapes: _Shapes, top: int = 0) -> str | None:
        lit = self._lit(y + 8)
        if lit and self._dark is None:
            self._dark = _columns(_mask(self._image, (0, 0, 0)))
        columns = self._cut(
            self._dark if lit and self._dark is not None else self._ink, y + top, shapes.lines
        )
        for x in _STARTS:
            if not any(columns[x : x + 8]):
                continue
            for seen in (columns, [*columns[: self._image.width - _BESIDE], *[0] * _BLANK]):
                if text := shapes.read(seen, x):
                    return text
        return None

    def _cut(self, columns: Columns, y: int, lines: int) -> Columns:
        below = self._height - y - lines
        mask = (1 << lines) - 1
        if below < 0:  # the panel ends within the line
            return [(column << -below) & mask for column in columns] + [0] * _BLANK
        return [column >> below & mask for column in columns] + [0] * _BLANK


@cache
def _pictures(size: int) -> dict[bytes, str]:
    return {draw_pictogram(name, size).tobytes(): name for name in PICTOGRAMS}


@cache
def _inner_pictures(size: int) -> dict[bytes, str]:
    return {_inner(draw_pictogram(name, size)).tobytes(): name for name in PICTOGRAMS}


def _inner(picture: Image.Image) -> Image.Image:
    edge = picture.width // 8
    return picture.crop((edge, edge, picture.width - edge, picture.height - edge))


def _mask(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """A 1-bit picture of where the image has exactly that colour."""
    whole: Image.Image | None = None
    for channel, level in zip(image.split(), colour, strict=True):
        one = channel.point([255 if value == level else 0 for value in range(256)], "1")
        whole = one if whole is None else ImageChops.logical_and(whole, one)
    assert whole is not None
    return whole


def _columns(picture: Image.Image) -> tuple[int, ...]:
    """Each column of a 1-bit picture as a number, its topmost pixel the highest bit."""
    across = picture.transpose(Image.Transpose.TRANSPOSE)
    stride = (across.width + 7) // 8
    data = across.tobytes()
    spare = 8 * stride - across.width
    return tuple(int.from_bytes(data[at : at + stride], "big") >> spare for at in range(0, len(data), stride))
