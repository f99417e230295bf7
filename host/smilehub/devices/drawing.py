"""Small one-colour pictures as shape data: the strokes, the compact text they are written in, and its reader.

A file of ``drawings/`` is a list of drawings on a grid of 64 x 64, each a line ``[name]`` followed by one
line a stroke; ``#`` begins a comment, and a name that begins with ``_`` is only a part for ``use``. Points
are ``x,y`` in grid units, y downwards; angles are degrees, clockwise from the right:

    disc x,y radius                  oval x,y rx,ry [turn]        box x,y width,height [corner radius]
    poly x,y x,y ...                 blob x,y x,y ...             a closed curve through the points
    line width x,y ...               curve width x,y ...          with round ends
    arc width x,y rx,ry from,to      use name x,y scale           another drawing of the file, its 0,0 at x,y

``-`` before a stroke cuts it out of what is already drawn, ``=`` draws its mirror image (left and right
changed) as well, ``-=`` both.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import cos, hypot, radians, sin
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, ImageDraw

from smilehub.errors import ImageError

GRID = 64
_FOLDER = Path(__file__).parent / "drawings"
_FINE = 8  # drawn so much larger, then each pixel is on where at least half of it is covered
_STEP_DEG = 6
_STEPS = 6  # of a curve, from one point to the next

Points = tuple[float, ...]


class DrawingError(ImageError):
    """A file of drawings has a line that means nothing; the message names file and line."""


class Shape(NamedTuple):
    """One stroke: `points` are x, y pairs in grid units; `width` is a disc's radius or a line's thickness;
    `ink` 0 cuts a hole into what is already drawn."""

    kind: Literal["disc", "poly", "line"]
    points: Points
    width: float = 0
    ink: int = 1

    def mirrored(self) -> "Shape":
        """The same with left and right changed."""
        return self.moved(GRID, 0, -1, 1)

    def moved(self, x: float, y: float, across: float, down: float) -> "Shape":
        """The same with its grid's 0,0 at `x`, `y`, scaled `across` and `down`."""
        points = tuple(
            (x + across * value) if i % 2 == 0 else (y + down * value) for i, value in enumerate(self.points)
        )
        return self._replace(points=points, width=self.width * abs(down))


Drawing = tuple[Shape, ...]


def load(name: str) -> dict[str, Drawing]:
    """The drawings of a file of ``drawings/`` by name, in the file's order. Raises DrawingError."""
    return parse((_FOLDER / name).read_text(encoding="utf-8"), name)


def parse(text: str, source: str) -> dict[str, Drawing]:
    """The drawings written in ``text``; ``source`` is what errors call it. Raises DrawingError."""
    drawings: dict[str, list[Shape]] = {}
    now: list[Shape] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#")[0].strip()
        try:
            if line.startswith("[") and line.endswith("]"):
                name = line[1:-1]
                if name in drawings:
                    raise ValueError("is there already")
                now = drawings[name] = []
            elif line:
                if now is None:
                    raise ValueError("comes before the first [name]")
                now.extend(_strokes(line, drawings))
        except (ValueError, KeyError, IndexError) as error:
            raise DrawingError(f"{source}, line {number}: {line!r} cannot be drawn ({error}).") from error
    return {name: tuple(shapes) for name, shapes in drawings.items() if name[0] != "_"}


def render(drawing: Drawing, size: int) -> Image.Image:
    """A drawing as a square 1-bit picture, `size` pixels wide; a pixel is on if half of it is covered."""
    scale = size * _FINE / GRID
    picture = Image.new("L", (size * _FINE, size * _FINE), 0)
    pen = ImageDraw.Draw(picture)
    for shape in drawing:
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


def _strokes(line: str, drawings: dict[str, list[Shape]]) -> Iterator[Shape]:
    word, *rest = line.split()
    kind = word.lstrip("-=")
    marks = word[: len(word) - len(kind)]
    if kind == "use":
        name, at, scale = rest
        (x, y), size = _pair(at), float(scale)
        shapes = [shape.moved(x, y, size, size) for shape in drawings[name]]
    else:
        shapes = [_stroke(kind, rest)]
    for shape in shapes:
        inked = shape._replace(ink=0) if "-" in marks else shape
        yield inked
        if "=" in marks:
            yield inked.mirrored()


def _stroke(kind: str, words: list[str]) -> Shape:
    match kind, words:
        case "disc", [at, radius]:
            return Shape("disc", _pair(at), float(radius))
        case "oval", [at, radii, *turn]:
            return Shape("poly", _arc(_pair(at), _pair(radii), 0, 360, float((turn or ["0"])[0])))
        case "box", [at, size, *corner]:
            return Shape("poly", _box(_pair(at), _pair(size), float((corner or ["0"])[0])))
        case "poly", _:
            return Shape("poly", _points(words))
        case "blob", _:
            return Shape("poly", _curve(_points(words), closed=True))
        case "line", [width, *points]:
            return Shape("line", _points(points), float(width))
        case "curve", [width, *points]:
            return Shape("line", _curve(_points(points), closed=False), float(width))
        case "arc", [width, at, radii, angles]:
            return Shape("line", _arc(_pair(at), _pair(radii), *_pair(angles), 0), float(width))
        case _:
            raise ValueError("no such stroke, or not with so many values")


def _pair(word: str) -> tuple[float, float]:
    x, y = word.split(",")
    return float(x), float(y)


def _points(words: list[str]) -> Points:
    if len(words) < 2:
        raise ValueError("two points at least")
    return tuple(value for word in words for value in _pair(word))


def _arc(at: Points, radii: Points, begin: float, end: float, turn: float) -> Points:
    """Points on an ellipse whose own axes are turned by `turn` degrees."""
    steps = max(1, round(abs(end - begin) / _STEP_DEG))
    c, s = cos(radians(turn)), sin(radians(turn))
    out: list[float] = []
    for i in range(steps + 1):
        angle = radians(begin + (end - begin) * i / steps)
        x, y = radii[0] * cos(angle), radii[1] * sin(angle)
        out += (at[0] + c * x - s * y, at[1] + s * x + c * y)
    return tuple(out)


def _box(at: Points, size: Points, corner: float) -> Points:
    x0, y0, x1, y1 = at[0], at[1], at[0] + size[0], at[1] + size[1]
    if corner == 0:
        return (x0, y0, x1, y0, x1, y1, x0, y1)
    middles = ((x1, y1, 0), (x0, y1, 90), (x0, y0, 180), (x1, y0, 270))
    out: list[float] = []
    for x, y, angle in middles:
        centre = x + corner * (1 if x == x0 else -1), y + corner * (1 if y == y0 else -1)
        out += _arc(centre, (corner, corner), angle, angle + 90, 0)
    return tuple(out)


def _curve(points: Points, *, closed: bool) -> Points:
    """A Catmull-Rom spline (centripetal, so that it makes no loops) through the points."""
    knots = list(zip(points[::2], points[1::2], strict=True))
    count = len(knots)
    out: list[float] = []
    for i in range(count if closed else count - 1):
        if closed:
            p = [knots[(i + k) % count] for k in (-1, 0, 1, 2)]
        else:
            p = [knots[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2)]
        out += _segment(p)
    return tuple(out) if closed else (*out, *knots[-1])


def _segment(p: list[tuple[float, float]]) -> Iterator[float]:
    """From p[1] up to p[2]; cubic Hermite with tangents weighted by the square roots of the distances."""
    d = [max(hypot(b[0] - a[0], b[1] - a[1]), 1e-6) ** 0.5 for a, b in pairwise(p)]
    for step in range(_STEPS):
        t = step / _STEPS
        for axis in (0, 1):
            a, b, c, e = (q[axis] for q in p)
            m1 = (c - b) if p[0] == p[1] else (b - a) * d[1] / d[0] - (c - a) * d[1] / (d[0] + d[1]) + c - b
            m2 = (c - b) if p[2] == p[3] else c - b - (e - b) * d[1] / (d[1] + d[2]) + (e - c) * d[1] / d[2]
            yield (
                (2 * t**3 - 3 * t**2 + 1) * b
                + (t**3 - 2 * t**2 + t) * m1
                + (3 * t**2 - 2 * t**3) * c
                + (t**3 - t**2) * m2
            )
