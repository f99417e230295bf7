"""The pictograms visitors choose from, drawn by hand as shapes on a 64 x 64 grid.

They must be told apart in one colour and at arm's length: bold outlines, no thin lines, each with a
silhouette of its own. `ink` 0 cuts a hole into what is already drawn. Sizes come from the asset builder.
"""

from typing import Literal, NamedTuple


class Shape(NamedTuple):
    """One stroke of a drawing: `points` are x, y pairs in grid units; `width` is a radius or a line's
    thickness."""

    kind: Literal["disc", "poly", "line"]
    points: tuple[float, ...]
    width: float = 0
    ink: int = 1


def disc(x: float, y: float, radius: float, ink: int = 1) -> Shape:
    """A filled circle."""
    return Shape("disc", (x, y), radius, ink)


def poly(*points: float, ink: int = 1) -> Shape:
    """A filled polygon."""
    return Shape("poly", points, 0, ink)


def line(*points: float, width: float = 5, ink: int = 1) -> Shape:
    """A line through the points, with round ends."""
    return Shape("line", points, width, ink)


PICTOGRAMS: dict[str, tuple[Shape, ...]] = {
    "sun": (
        disc(32, 32, 13),
        line(32, 4, 32, 12),
        line(32, 52, 32, 60),
        line(4, 32, 12, 32),
        line(52, 32, 60, 32),
        line(12, 12, 18, 18),
        line(46, 46, 52, 52),
        line(52, 12, 46, 18),
        line(18, 46, 12, 52),
    ),
    "fish": (
        poly(
            4,
            32,
            12,
            23,
            22,
            17,
            32,
            16,
            40,
            20,
            47,
            28,
            60,
            16,
            56,
            32,
            60,
            48,
            47,
            36,
            40,
            44,
            32,
            48,
            22,
            47,
            12,
            41,
        ),
        disc(16, 29, 3, ink=0),
        line(28, 22, 31, 32, 28, 42, width=3, ink=0),
    ),
    "tree": (
        poly(32, 3, 50, 24, 41, 24, 56, 44, 8, 44, 23, 24, 14, 24),
        poly(27, 44, 37, 44, 37, 61, 27, 61),
    ),
    "boat": (
        poly(3, 44, 61, 44, 50, 59, 14, 59),
        poly(34, 4, 34, 40, 58, 40),
        poly(29, 12, 29, 40, 10, 40),
    ),
    "key": (
        disc(17, 32, 14),
        disc(17, 32, 6, ink=0),
        poly(28, 28, 61, 28, 61, 46, 53, 46, 53, 36, 47, 36, 47, 44, 40, 44, 40, 36, 28, 36),
    ),
    "leaf": (
        poly(8, 56, 6, 38, 12, 22, 26, 10, 44, 5, 60, 4, 59, 20, 54, 38, 42, 52, 26, 58),
        line(4, 60, 46, 18, width=3.4, ink=0),
        line(22, 42, 22, 28, width=2.6, ink=0),
        line(22, 42, 37, 42, width=2.6, ink=0),
        line(34, 30, 34, 18, width=2.6, ink=0),
        line(34, 30, 48, 30, width=2.6, ink=0),
    ),
    "star": (poly(32, 3, 40, 23, 61, 25, 45, 39, 50, 60, 32, 48, 14, 60, 19, 39, 3, 25, 24, 23),),
    "house": (
        poly(32, 4, 62, 32, 54, 32, 54, 60, 10, 60, 10, 32, 2, 32),
        poly(26, 60, 26, 40, 38, 40, 38, 60, ink=0),
    ),
    "moon": (disc(30, 32, 27), disc(42, 26, 22, ink=0)),
    "cup": (
        poly(8, 16, 46, 16, 44, 46, 38, 54, 16, 54, 10, 46),
        line(46, 23, 56, 25, 56, 38, 45, 40, width=5),
        line(20, 4, 20, 11, width=4),
        line(34, 4, 34, 11, width=4),
    ),
    "flower": (
        disc(32, 10, 9),
        disc(20, 19, 9),
        disc(44, 19, 9),
        disc(24, 32, 9),
        disc(40, 32, 9),
        disc(32, 22, 6, ink=0),
        line(32, 40, 32, 60),
        poly(33, 58, 40, 44, 56, 42, 48, 54),
    ),
    "bird": (
        disc(20, 20, 12),
        poly(8, 18, 1, 25, 12, 27),
        poly(12, 26, 30, 16, 44, 28, 62, 24, 52, 42, 40, 50, 24, 48, 14, 40),
        disc(17, 17, 2.6, ink=0),
        line(28, 34, 40, 40, 50, 36, width=3, ink=0),
        line(28, 48, 28, 60, width=4),
        line(36, 48, 36, 60, width=4),
    ),
}
