"""The canvas: what it leaves out never shows, text is where and what it should be, in both directions."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from smilehub.devices.assets_fonts import text_font
from smilehub.devices.assets_pictures import draw_line, draw_pictogram

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
STRINGS = ROOT / "firmware" / "kiosk" / "strings"
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)
YELLOW = (255, 218, 65)


def stage(assets_folder: Path, mode: str, given: str, out: Path) -> list[Any]:
    """Run canvas_stage.py; what it printed, line by line."""
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "micropython"),
            "-X",
            "heapsize=8M",
            str(HERE / "canvas_stage.py"),
            str(ROOT / "firmware"),
            str(assets_folder),
            mode,
            str(out),
        ],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class Draw:
    """Runs a program with `canvas`, `words`, `panel` and `say`; the picture it leaves is `image`."""

    def __init__(self, assets_folder: Path, out: Path) -> None:
        self._assets = assets_folder
        self._out = out

    def __call__(self, program: str) -> list[Any]:
        return stage(self._assets, "draw", program, self._out)

    @property
    def image(self) -> Image.Image:
        data = bytearray(self._out.read_bytes())
        data[::2], data[1::2] = data[1::2], data[::2]  # the bus' order is high byte first
        return Image.frombytes("RGB", (480, 320), bytes(data), "raw", "BGR;16")


@pytest.fixture
def draw(built: Path, tmp_path: Path) -> Draw:
    return Draw(built, tmp_path / "panel.raw")


def ink(image: Image.Image, ground: tuple[int, int, int] = BLACK) -> tuple[int, int, int, int]:
    """The box of what is other than the ground."""
    box = ImageChops.difference(image, Image.new("RGB", image.size, ground)).getbbox()
    assert box is not None
    return box


def test_what_is_not_sent_never_shows(built: Path, tmp_path: Path) -> None:
    """Random pictures beside a canvas that sends all of everything."""
    told = stage(built, "random", json.dumps(list(range(1, 160))), tmp_path / "none")
    compared, spared = told.pop()
    assert told == []
    assert compared > 500
    assert spared / compared > 100_000


def test_a_line_is_what_the_font_says(draw: Draw) -> None:
    """Ukrainian, so that letters of three kinds meet: its own, those it shares with Latin, and ASCII."""
    draw("words.use('uk')\ncanvas.begin()\ncanvas.text(words('flag.title'), 96)\ncanvas.end()\n")
    text = assets_text("uk", "flag.title")
    expect = Image.new("RGB", (480, 320))
    expect.paste(WHITE, (8, 96), draw_line(text_font(text), text))
    assert draw.image.tobytes() == expect.tobytes()


def assets_text(code: str, name: str) -> str:
    return tomllib.loads((STRINGS / f"{code}.toml").read_text())["strings"][name]


def test_a_row_has_an_icon_and_when_chosen_an_arrow_and_a_ground(draw: Draw) -> None:
    draw(
        "canvas.begin()\ncanvas.row(b'Yes', 0, True, 2)\ncanvas.row(b'Yes', 52, False, 2)\n"
        "canvas.row(b'Yes', 104, True, 2, 44, 80)\ncanvas.beside(2, 104)\ncanvas.end()\n"
    )
    chosen, plain = draw.image.crop((0, 0, 480, 48)), draw.image.crop((0, 52, 480, 100))
    assert chosen.getpixel((479, 47)) == YELLOW
    left, top, right, bottom = ink(chosen.crop((0, 0, 48, 48)), YELLOW)
    assert (left, right) == (14, 35)
    assert bottom - top == 28
    icon = ink(plain.crop((0, 0, 48, 48)))
    assert icon[2] <= 44
    assert icon[2] - icon[0] > 24
    # The same letters, black on YELLOW and white on black.
    assert [p == BLACK for p in pixels(chosen.crop((48, 0, 480, 48)))] == [
        p == WHITE for p in pixels(plain.crop((48, 0, 480, 48)))
    ]
    # The chosen answer's picture beside it: as wide as 80 pixels, and higher than its row.
    big = ink(draw.image.crop((400, 104, 480, 184)), YELLOW)
    assert big[2] - big[0] > 1.7 * (icon[2] - icon[0])
    assert draw.image.getpixel((399, 150)) == BLACK
    assert draw.image.getpixel((400, 183)) == YELLOW


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    data = image.tobytes()
    return [tuple(data[i : i + 3]) for i in range(0, len(data), 3)]


def test_pictures_and_labels_stand_where_they_should(draw: Draw) -> None:
    draw(
        "canvas.begin()\nfor size, x in ((52, 0), (80, 60), (120, 150)):\n    canvas.picture(3, x, 8, size)\n"
        "canvas.label(b'K12', 8, 160)\ncanvas.end()\n"
    )
    for size, x in ((52, 0), (80, 60), (120, 150)):
        tile = draw.image.crop((x, 8, x + size, 8 + size))
        assert tile.convert("1", dither=Image.Dither.NONE).tobytes() == draw_pictogram("boat", size).tobytes()
    left, top, right, bottom = ink(draw.image.crop((0, 160, 480, 320)))
    assert left >= 8
    assert 200 < right < 300
    assert bottom - top >= 86


def test_the_keys_symbols_are_five(draw: Draw) -> None:
    draw("canvas.begin()\ncanvas.text(b'\\x01\\x02\\x03\\x04\\x05', 0)\ncanvas.end()\n")
    symbols = [draw.image.crop((8 + 40 * i, 0, 48 + 40 * i, 48)) for i in range(5)]
    assert all(symbol.getbbox() for symbol in symbols)
    assert len({symbol.tobytes() for symbol in symbols}) == 5
    up, down = symbols[0], symbols[1]
    assert ink(up)[0] == ink(down)[0]


def test_right_to_left_all_is_on_the_other_side(many: Path, tmp_path: Path) -> None:
    draw = Draw(many, tmp_path / "panel.raw")
    said = draw(
        "words.use('xx')\nprint(json.dumps(words.rtl))\ncanvas.begin()\nleft = canvas.heading(b'Heading')\n"
        "canvas.text(b'H\\nHHH', 52)\ncanvas.row(b'H', 152, True)\ncanvas.row(b'H', 204, False, 1)\n"
        "canvas.endonym(len(words.languages) - 2, 256, False)\ncanvas.end()\n"
        "words.use('en')\nprint(json.dumps(words.rtl))\n"
    )
    assert said == [True, False]
    image = draw.image
    margin = 480 - 8
    for top in (52, 100):
        left, _, right, _ = ink(image.crop((0, top, 480, top + 48)))
        assert margin - 5 <= right <= margin
        assert left > 300
    assert ink(image.crop((400, 152, 480, 200)), YELLOW)[2] == 480 - 400 - 14
    assert ink(image.crop((0, 152, 432, 200)), YELLOW)[2] >= 480 - 48 - 5
    # Icon, then text, from the right.
    row = image.crop((0, 204, 480, 252))
    assert 480 - 8 <= ink(row)[2] <= 480
    assert 480 - 48 - 5 <= ink(row.crop((0, 0, 480 - 46, 48)))[2] <= 480 - 48
    assert ink(image.crop((0, 256, 480, 304)))[2] >= 480 - 48 - 5


def test_words_fill_in_order_and_know_what_they_are(draw: Draw) -> None:
    said = draw(
        "from kiosk.words import plain\n"
        "print(json.dumps([bytes(plain('Chair \\u00e9 1')).decode(), 'no.such' in words]))\n"
        "try:\n    words('no.such')\nexcept KeyError:\n    print(1)\n"
        "print(json.dumps([len(words.languages), words.icon('no.such')]))\n"
        "print(json.dumps(bytes(words.fill('ticket.minutes', 20, b'35')).decode()))\n"
    )
    assert said[0] == ["Chair ? 1", False]
    assert said[1] == 1
    assert said[2] == [4, None]
    assert said[3].replace("\n", " ") == assets_text("en", "ticket.minutes").format(20, 35)


def test_a_move_sends_two_rows_and_no_picture_more_than_a_screenful(draw: Draw) -> None:
    move, *rest = draw("""
canvas.begin()
for i in range(6):
    canvas.row(b"WWWWWWWWWWWW", 52 + 44 * i, i == 0, i, 44, 80)
canvas.beside(0, 56)
canvas.end()
panel.bytes = 0
canvas.row(b"WWWWWWWWWWWW", 52, False, 0, 44, 80)
canvas.row(b"WWWWWWWWWWWW", 272, True, 5, 44, 80)
canvas.beside(5, 240, 56)
print(panel.bytes)
for accent in (BLUE, RED, GREEN):
    panel.bytes = 0
    canvas.begin(accent)
    y = canvas.heading(b"Heading")
    for i in range(5):
        y = canvas.text(b"Words that go far to the right.", y)
    canvas.blank(y, 320 - y, ACCENT)
    canvas.end()
    print(panel.bytes)
""")
    assert move <= 100_000
    assert max(rest) <= 307_200


def test_an_empty_picture_after_a_full_one_sends_only_black(draw: Draw) -> None:
    after_text, width, after_nothing = draw("""
canvas.begin()
canvas.text(b"Hello", 100)
canvas.end()
for _ in range(2):
    panel.bytes = 0
    canvas.begin()
    canvas.end()
    print(panel.bytes)
    if not _:
        print(words.width(b"Hello"))
""")
    assert draw.image.getbbox() is None
    assert after_text == (8 + width) * 48 * 2
    assert after_nothing == 0


def test_nothing_shows_below_the_screen(draw: Draw) -> None:
    said = draw(
        "canvas.begin()\n"
        "canvas.text(b'HHH', 300)\ncanvas.text(b'HHH', 340)\ncanvas.row(b'H', 400, True)\n"
        "canvas.row(b'H', 312, True, 1, 52, 0, 52)\ncanvas.part(b'H', 316, 0, 80, 1)\n"
        "canvas.picture(1, 300, 280, 120)\ncanvas.endonym(0, 312, True)\ncanvas.endonym(0, 330, True)\n"
        "canvas.blank(318, 40, 1)\ncanvas.end()\nprint(1)\n"
    )
    assert said == [1]  # the stage's panel takes nothing that is not on it


def test_pictures_leave_nothing_on_the_heap(draw: Draw) -> None:
    (grown,) = draw("""
import gc
def all_languages():
    for code, _ in words.languages:
        words.use(code)
        canvas.begin()
        y = canvas.heading(words("language.title"), 1)
        canvas.row(b"One", y, True, 1)
        canvas.endonym(1, y + 52, False)
        canvas.label(b"K1", 0, 200)
        canvas.cell(1, 300, 200, 80, 80, 52, CHOSEN, True)
        canvas.end()
all_languages()
gc.collect()
before = gc.mem_alloc()
for _ in range(5):
    all_languages()
gc.collect()
print(gc.mem_alloc() - before)
""")
    assert abs(grown) <= 200
