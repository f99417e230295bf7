"""The panel's driver on the board: columns, fills, bytes, colours, rotation, its answer, sleep."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver_rig import BOARD_TOML, Rig, no_violations, wait_ms
from PIL import Image

from smilehub.sim.board import Board

Make = Callable[..., Rig]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Make]:
    made: list[Rig] = []

    def make(program: str, **options: object) -> Rig:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Rig(folder, program, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


# Sends random fills and columns of pixels with a generator that the test repeats.
SCENE = """
import framebuf
from drivers.st7796 import colour
state = SEED
def rnd(n):
    global state
    state = (state * 1103515245 + 12345) & 0x3fffffff
    return (state >> 8) % n
p = panel(WIDTH, HEIGHT, ROTATION, bytearray(3840))
colours = [colour(i * 0x55AA33 & 0xFFFFFF) for i in range(4)]
p.init()
p.backlight(True)
buffer = bytearray(12000)
for _ in range(30):
    x, y, w, h = rnd(WIDTH - 120), rnd(HEIGHT - 50), 1 + rnd(120), 1 + rnd(50)
    if rnd(2):
        p.fill(x, y, w, h, colours[rnd(4)])
    else:
        fb = framebuf.FrameBuffer(buffer, h, w, framebuf.RGB565)
        fb.fill(colours[rnd(4)])
        fb.fill_rect(rnd(h), rnd(w), 1 + rnd(20), 1 + rnd(60), colours[rnd(4)])
        write = p.open(x, y, h)
        cut = 2 * h * rnd(w)
        if cut:
            write(memoryview(buffer)[:cut])
        write(memoryview(buffer)[cut : 2 * h * w])
        p.close()
"""


def rgb(index: int) -> tuple[int, int, int]:
    value = index * 0x55AA33 & 0xFFFFFF
    red, green, blue = value >> 16, value >> 8 & 255, value & 255
    return (red >> 3) * 255 // 31, (green >> 2) * 255 // 63, (blue >> 3) * 255 // 31


def scene(seed: int, width: int, height: int) -> tuple[Image.Image, int]:
    """What the panel must show after SCENE, and how many pixel bytes that takes after the first screen."""
    state = seed

    def rnd(n: int) -> int:
        nonlocal state
        state = (state * 1103515245 + 12345) & 0x3FFFFFFF
        return (state >> 8) % n

    shown = Image.new("RGB", (width, height))
    total = 0
    for _ in range(30):
        x, y, w, h = rnd(width - 120), rnd(height - 50), 1 + rnd(120), 1 + rnd(50)
        if rnd(2):
            tile = Image.new("RGB", (w, h), rgb(rnd(4)))
        else:
            tile = Image.new("RGB", (w, h), rgb(rnd(4)))
            top, left, high, wide = rnd(h), rnd(w), 1 + rnd(20), 1 + rnd(60)
            tile.paste(rgb(rnd(4)), (left, top, min(left + wide, w), min(top + high, h)))
            rnd(w)
        shown.paste(tile, (x, y))
        total += w * h * 2
    return shown, total


def program(seed: int, width: int = 480, height: int = 320, rotation: int = 1) -> str:
    text = SCENE.replace("SEED", str(seed)).replace("ROTATION", str(rotation))
    return text.replace("WIDTH", str(width)).replace("HEIGHT", str(height))


@pytest.mark.parametrize("rotation", range(4))
def test_the_panel_shows_exactly_what_was_sent(rig: Make, tmp_path: Path, rotation: int) -> None:
    width, height = (480, 320) if rotation % 2 else (320, 480)
    toml = tmp_path / "board.toml"
    mounted = f"width = {width}\nheight = {height}\nrotation = {rotation} "
    text = BOARD_TOML.read_text()
    assert "width = 480\nheight = 320\nrotation = 1 " in text
    toml.write_text(text.replace("width = 480\nheight = 320\nrotation = 1 ", mounted))
    board = rig(program(11 + rotation, width, height, rotation), board_toml=toml)
    board.run()
    expect, total = scene(11 + rotation, width, height)
    panel = board.board.part("panel")
    no_violations([panel])
    assert panel.image().tobytes() == expect.tobytes()
    assert panel.total.pixel_bytes == width * height * 2 + total


def test_a_window_costs_eleven_bytes_more_six_in_the_same_rows_and_one_in_its_place(rig: Make) -> None:
    board = rig(
        "p = panel(480, 320, 1, bytearray(960))\np.init()\ntime.sleep(2)\n"
        "p.fill(5, 7, 33, 21, 0)\np.fill(50, 7, 33, 21, 0)\np.fill(50, 7, 12, 21, 0)\n"
    )
    panel = board.board.part("panel")

    async def mark(_: object) -> None:
        panel.mark()

    board.run(mark)
    assert panel.since_mark.pixel_bytes == (33 + 33 + 12) * 21 * 2
    assert panel.since_mark.command_bytes == 11 + 6 + 1
    assert panel.since_mark.windows == 3
    no_violations([panel])


def test_after_a_reset_every_window_is_set_anew(rig: Make) -> None:
    board = rig(
        "p = panel(480, 320, 1, bytearray(960))\np.init()\np.fill(60, 8, 20, 40, 0xFFFF)\np.init()\n"
        "p.backlight(True)\np.fill(60, 8, 20, 40, 0xFFFF)\n"
    )
    board.run()
    assert board.board.part("panel").image().getbbox() == (60, 8, 80, 48)


def test_sending_leaves_hardly_anything_on_the_heap(rig: Make) -> None:
    said = rig(
        "import gc\np = panel(480, 320, 1, bytearray(3840))\np.init()\nstrip = bytearray(3840)\n"
        "def send():\n    write = p.open(1, 1, 48)\n    write(strip)\n    write(strip)\n    p.close()\n"
        "send()\ngc.collect()\ngc.disable()\n"
        "before = gc.mem_alloc()\nsend()\nafter = gc.mem_alloc()\ngc.enable()\n"
        "say(after - before)\n"
    ).run()
    assert said[0] < 2000


def test_dark_until_there_is_something_to_see(rig: Make) -> None:
    """The light goes on last, and over black: nobody sees the noise in the memory at power-on."""
    board = rig("p = panel(480, 320, 1, bytearray(3840))\np.init()\ntime.sleep(2)\np.backlight(True)\n")
    panel = board.board.part("panel")
    lit: list[bool] = []

    async def look(_: object) -> None:
        lit.append(panel.lit)

    board.run(look)
    assert panel.awake
    assert lit == [False]
    assert panel.lit
    assert panel.image().getbbox() is None


def test_a_whole_panel_answers_and_a_broken_one_does_not(rig: Make) -> None:
    board = rig(
        "from drivers.st7796 import colour\np = panel(480, 320, 1, bytearray(3840))\n"
        "p.init()\np.backlight(1)\nsay(p.present())\np.fill(0, 0, 9, 9, colour(0xFFFFFF))\ntime.sleep(3)\n"
        "say(p.present())\np.fill(0, 0, 50, 50, colour(0xFFFFFF))\ntime.sleep(3)\nsay(p.present())\n"
    )
    panel = board.board.part("panel")
    seen: list[tuple[int, int, int, int] | None] = []

    async def script(_: Board) -> None:
        seen.append(panel.image().getbbox())
        panel.broken = True
        assert not panel.lit
        await wait_ms(4000)
        panel.broken = False
        seen.append(panel.image().getbbox())

    assert board.run(script) == [True, False, True]
    # What was sent to the broken one is lost.
    assert seen == [(0, 0, 9, 9), (0, 0, 9, 9)]
    no_violations([panel])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("480, 320, 0, bytearray(960)", "480x320 at rotation 1"),
        ("480, 320, 4, bytearray(960)", "480x320 at rotation 1"),
        ("480, 320, 1, bytearray(959)", "too small"),
    ],
)
def test_what_does_not_fit_is_refused(rig: Make, arguments: str, why: str) -> None:
    said = rig(f"try:\n    panel({arguments})\nexcept ValueError as error:\n    say(str(error))\n").run()
    assert why in said[0]


def test_the_same_seed_gives_the_same_picture(rig: Make) -> None:
    pictures: list[bytes] = []
    for _ in range(2):
        board = rig(program(99))
        board.run()
        pictures.append(board.board.part("panel").image().tobytes())
    assert all(a == b for a, b in itertools.pairwise(pictures))
