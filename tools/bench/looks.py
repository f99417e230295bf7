"""What can be measured on pictures of panel and wall: letters' heights, contrast, cut text, flashes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageChops

from smilehub.devices.assets_fonts import Font
from smilehub.devices.drawing import render
from smilehub.devices.icons import ICONS
from smilehub.devices.icons import SIZES as ICON_SIZES
from smilehub.devices.pictograms import PICTOGRAMS

Colour = tuple[int, int, int]
Shape = tuple[int, int, bytes]  # width, height, pixels

#: Capitals whose ink is as high as an H: flat at both ends, in Latin and Cyrillic, one piece each.
FLAT = set("BDEFHIKLMNPRTXZ") | set("ГЕИКЛМНПТХЧШЯВ")
_LETTER = range(6, 131)  # pixels high and wide that a region may be to be looked at: more is a band or a row
_LEAST_AREA = 6
_EDGE = 2  # a column left of all text, which shows the ground of each row
_A_LINE = 4  # so many unknown regions with one baseline are a line of text in an unknown type
_TENTH = 0.1  # WCAG 2.2: a change of relative luminance that can be part of a flash


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels of one colour that hang together (8 neighbours), the box around them, and the ground on which
    they stand: the commonest colour at their left. `ink`: no hole in a letter, which has the row's colour."""

    left: int
    top: int
    right: int
    bottom: int
    colour: Colour
    ground: Colour
    ink: bool
    shape: Shape

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top


def regions(image: Image.Image, ground: Colour | None = None) -> list[Region]:
    """The letter-sized regions of a picture: text, symbols, and the holes in them. ``ground`` is that of all
    rows; by default each row's is looked up left of the text."""
    image = image.convert("RGB")
    pixels = image.load()
    assert pixels is not None
    found: list[Region] = []
    for _, colour in image.getcolors(image.width * image.height) or []:
        assert isinstance(colour, tuple)
        for runs in _joined(_mask(image, colour)):
            top, bottom = runs[0][0], runs[-1][0] + 1
            left, right = min(run[1] for run in runs), max(run[2] for run in runs)
            if bottom - top not in _LETTER or right - left not in _LETTER:
                continue
            if sum(end - start for _, start, end in runs) < _LEAST_AREA:
                continue
            beside = Counter(pixels[start - 1, y] for y, start, _ in runs if start > 0)
            around = _colour(beside.most_common(1)[0][0]) if beside else (0, 0, 0)
            ink = (ground or _colour(pixels[_EDGE, (top + bottom) // 2])) != colour
            found.append(
                Region(left, top, right, bottom, _colour(colour), around, ink, _shape(runs, left, top, right))
            )
    return found


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2 contrast ratio of two colours as they are shown, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


class Type:
    """The letters that a device shows, known by their shapes."""

    def __init__(self, fonts: Iterable[Font], *, pictures: bool = False) -> None:
        self._known: set[Shape] = set()
        self._flat: set[Shape] = set()
        self._small: set[Shape] = set()
        for font in fonts:
            for code, glyph in font.glyphs.items():
                pieces = _pieces(glyph.width, glyph.height, glyph.bits)
                self._known.update(pieces)
                (self._flat if chr(code) in FLAT and len(pieces) == 1 else self._small).update(pieces)
        if pictures:
            self._known |= _drawn()

    def capitals(self, found: Sequence[Region]) -> list[int]:
        """Heights in pixels of the capitals among the regions of a picture; a line of text in a type that is
        not known counts as high as its highest letter."""
        heights = [one.height for one in found if one.ink and one.shape in self._flat - self._small]
        lines: defaultdict[int, list[int]] = defaultdict(list)
        for one in found:
            if one.ink and one.shape not in self._known:
                lines[one.bottom].append(one.height)
        return heights + [max(line) for line in lines.values() if len(line) >= _A_LINE]

    def cut(self, found: Iterable[Region], width: int, height: int) -> int:
        """How many things at the edge of a picture are no whole letter or symbol."""
        return sum(
            one.ink
            and one.shape not in self._known
            and (one.left == 0 or one.right == width or one.top == 0 or one.bottom == height)
            for one in found
        )


def leds(image: Image.Image, scale: int, size: tuple[int, int]) -> Image.Image:
    """The wall's picture with a pixel for each LED, lit ones white; ``size`` in LEDs."""
    out = Image.new("RGB", size)
    for y in range(size[1]):
        for x in range(size[0]):
            level = image.getpixel((x * scale + scale // 2, y * scale + scale // 2))
            assert isinstance(level, tuple)
            if level[0] > 100:
                out.putpixel((x, y), (255, 255, 255))
    return out


def flashes(history: Sequence[tuple[float, float]]) -> int:
    """The most flashes within any second: a flash is a rise and a fall of the relative luminance by a tenth
    or more (WCAG 2.2); ``history`` is (seconds, luminance 0 to 1) at each change."""
    turns: list[float] = []  # when the luminance had gone a tenth the other way
    extreme = history[0][1] if history else 0.0
    direction = 0
    for at, level in history:
        falls, rises = level <= extreme - _TENTH, level >= extreme + _TENTH
        if (falls and direction >= 0) or (rises and direction <= 0):
            turns.append(at)
            direction = 1 if level > extreme else -1
            extreme = level
        elif direction:
            extreme = max(extreme, level) if direction > 0 else min(extreme, level)
    most = 0
    for i, begin in enumerate(turns):
        most = max(most, sum(at - begin < 1.0 for at in turns[i:]))
    return most // 2


@cache
def _drawn() -> frozenset[Shape]:
    pictures = [render(drawing, size) for drawing in ICONS.values() for size in ICON_SIZES]
    pictures += [render(drawing, size) for drawing in PICTOGRAMS.values() for size in (52, 80, 120)]
    return frozenset(piece for one in pictures for piece in _pieces(one.width, one.height, one.tobytes()))


def _pieces(width: int, height: int, bits: bytes) -> list[Shape]:
    """The shapes of which a 1-bit bitmap is made."""
    if not width:
        return []
    pieces: list[Shape] = []
    for runs in _joined(Image.frombytes("1", (width, height), bits).convert("L")):
        left, right = min(run[1] for run in runs), max(run[2] for run in runs)
        pieces.append(_shape(runs, left, runs[0][0], right))
    return pieces


Run = tuple[int, int, int]  # y, first x, x after the last


def _joined(mask: Image.Image) -> list[list[Run]]:
    """The connected regions of a mask, each as its runs from the top."""
    data, width = mask.tobytes(), mask.width
    groups: list[list[Run] | None] = []
    above: list[tuple[Run, int]] = []
    owner: list[int] = []

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i] = owner[owner[i]]
        return i

    for y in range(mask.height):
        here: list[tuple[Run, int]] = []
        at = 0
        for match in re.finditer(b"\xff+", data[y * width : (y + 1) * width]):
            run = (y, match.start(), match.end())
            while at < len(above) and above[at][0][2] < run[1]:
                at += 1
            mine = -1
            k = at
            while k < len(above) and above[k][0][1] <= run[2]:
                other = root(above[k][1])
                if mine < 0:
                    mine = other
                elif other != mine:
                    small, large = (
                        (mine, other) if len(groups[mine] or ()) < len(groups[other] or ()) else (other, mine)
                    )
                    (groups[large] or []).extend(groups[small] or [])
                    groups[small] = None
                    owner[small] = large
                    mine = large
                k += 1
            if mine < 0:
                mine = len(groups)
                groups.append([])
                owner.append(mine)
            mine_runs = groups[mine]
            assert mine_runs is not None
            mine_runs.append(run)
            here.append((run, mine))
        above = here
    return [sorted(group) for group in groups if group]


def _shape(runs: Sequence[Run], left: int, top: int, right: int) -> Shape:
    width, height = right - left, runs[-1][0] + 1 - top
    rows = [0] * height
    for y, start, end in runs:
        rows[y - top] |= ((1 << end - start) - 1) << (right - end)
    size = (width + 7) // 8
    return width, height, b"".join(row.to_bytes(size, "big") for row in rows)


def _colour(pixel: object) -> Colour:
    assert isinstance(pixel, tuple)
    red, green, blue = (int(value) for value in pixel)
    return red, green, blue


def _mask(image: Image.Image, colour: tuple[int, ...]) -> Image.Image:
    whole: Image.Image | None = None
    for channel, level in zip(image.split(), colour, strict=True):
        one = channel.point([255 * (value == level) for value in range(256)])
        whole = one if whole is None else ImageChops.darker(whole, one)
    assert whole is not None
    return whole
