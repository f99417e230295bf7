"""Pictograms and icons: told apart in one colour, and no line of their text that draws nothing."""

from itertools import combinations

import pytest

from hubcore.labels import PICTOGRAMS as NAMES
from smilehub.devices.drawing import Drawing, DrawingError, parse, render
from smilehub.devices.icons import ICONS, SIZES
from smilehub.devices.pictograms import PICTOGRAMS

_SMALL = 52
_SHIFT = 4
# Pixels that differ between any two of the small pictograms, however one is shifted by up to 4 pixels to look
# most like the other: 8 per cent of the picture.
_APART = 216
_ICONS_APART = 60


def _bits(drawing: Drawing, size: int) -> int:
    """The picture as one number, in rows `size` + `_SHIFT` long, so that a shift never wraps into ink."""
    picture = render(drawing, size)
    return sum(
        1 << (y * (size + _SHIFT) + x) for y in range(size) for x in range(size) if picture.getpixel((x, y))
    )


def _apart(one: int, other: int, size: int) -> int:
    pitch = size + _SHIFT
    around = range(-_SHIFT, _SHIFT + 1)
    middle = _SHIFT * pitch + _SHIFT  # so that no shift drops ink
    moved = other << middle
    return min((one << (middle + dy * pitch + dx) ^ moved).bit_count() for dy in around for dx in around)


def test_every_pictogram_of_the_protocol_is_drawn() -> None:
    assert tuple(PICTOGRAMS)[: len(NAMES)] == NAMES
    assert len(PICTOGRAMS) == 32


def test_pictograms_differ_at_the_smallest_size_wherever_they_stand() -> None:
    bits = {name: _bits(drawing, _SMALL) for name, drawing in PICTOGRAMS.items()}
    for name, value in bits.items():
        assert 0.12 <= value.bit_count() / _SMALL**2 <= 0.65, name
    distance = {pair: _apart(bits[pair[0]], bits[pair[1]], _SMALL) for pair in combinations(bits, 2)}
    closest = min(distance, key=lambda pair: distance[pair])
    assert distance[closest] >= _APART, (closest, distance[closest])


def test_icons_differ_and_fill_the_middle_of_their_square() -> None:
    bits = {name: _bits(drawing, SIZES[0]) for name, drawing in ICONS.items()}
    for name, drawing in ICONS.items():
        box = render(drawing, SIZES[0]).getbbox()
        assert box is not None
        assert max(box[2] - box[0], box[3] - box[1]) >= SIZES[0] / 2, name
        assert box[1] >= 2 and box[3] <= SIZES[0] - 2, (name, box)
    for one, other in combinations(bits, 2):
        assert (bits[one] ^ bits[other]).bit_count() >= _ICONS_APART, (one, other)


def test_a_stroke_is_drawn_where_it_says() -> None:
    drawings = parse(
        "[_dot]\ndisc 16,16 8\n[two]\n=use _dot 0,0 1  # and its mirror image\n-box 0,0 32,16\n", "t"
    )
    assert list(drawings) == ["two"]
    picture = render(drawings["two"], 64)
    assert picture.getbbox() == (8, 8, 56, 24)
    assert [bool(picture.getpixel(at)) for at in ((16, 20), (48, 20), (16, 12), (48, 12), (32, 20))] == [
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "line",
    [
        "disc 1,2",
        "circle 1,2 3",
        "disc 1 2",
        "use nobody 0,0 1",
        "box 1,2 x,y",
        "line 3 1,1",
        "[a]",
        "arc 3 1,1 2,2",
    ],
)
def test_a_line_that_draws_nothing_is_refused_by_its_number(line: str) -> None:
    with pytest.raises(DrawingError, match="bad, line 3"):
        parse(f"[a]\ndisc 1,2 3\n{line}\n", "bad")


def test_a_stroke_before_any_name_is_refused() -> None:
    with pytest.raises(DrawingError, match="line 1"):
        parse("disc 1,2 3", "bad")
