"""The panel's driver on the board: windows, bytes, colours, rotation, sleep."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driver_rig import BOARD_TOML, Rig, no_violations
from PIL import Image

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


# Draws random rectangles and random windows with a generator that the test repeats.
SCENE = """
state = SEED
def rnd(n):
    global state
    state = (state * 1103515245 + 12345) & 0x3fffffff
    return (state >> 8) % n
p = MAKE
for i in range(16):
    p.colour(i, i * 17, 255 - i * 17, (i * 53) & 255)
p.fb.fill(3)
p.init()
p.backlight(True)
W, H = p.width, p.height
windows = []
for _ in range(30):
    p.fb.fill_rect(rnd(W), rnd(H), 1 + rnd(200), 1 + rnd(200), rnd(16))
    window = (rnd(W + 40) - 20, rnd(H + 40) - 20, rnd(W), rnd(H // 2))
    windows.append(window + (p.show(*window),))
say(windows)
"""


def rgb(index: int) -> tuple[int, int, int]:
    red, green, blue = index * 17, 255 - index * 17, index * 53 & 255
    return (red >> 3) * 255 // 31, (green >> 2) * 255 // 63, (blue >> 3) * 255 // 31


def scene(seed: int, width: int, height: int, colours: int = 16) -> tuple[Image.Image, int]:
    """What the panel must show after SCENE, and how many pixel bytes that takes after the first screen."""
    state = seed

    def rnd(n: int) -> int:
        nonlocal state
        state = (state * 1103515245 + 12345) & 0x3FFFFFFF
        return (state >> 8) % n

    drawn = Image.new("RGB", (width, height), rgb(3))
    shown = drawn.copy()
    total = 0
    for _ in range(30):
        x, y, w, h, colour = rnd(width), rnd(height), 1 + rnd(200), 1 + rnd(200), rnd(16)
        drawn.paste(rgb(colour % colours), (x, y, min(x + w, width), min(y + h, height)))
        x, y, w, h = rnd(width + 40) - 20, rnd(height + 40) - 20, rnd(width), rnd(height // 2)
        box = (max(x, 0), max(y, 0), min(x + w, width), min(y + h, height))
        if box[0] < box[2] and box[1] < box[3]:
            shown.paste(drawn.crop(box), box[:2])
            total += (box[2] - box[0]) * (box[3] - box[1]) * 2
    return shown, total


@pytest.mark.parametrize("rotation", range(4))
@pytest.mark.parametrize("seed", [11, 12])
def test_random_windows_show_exactly_what_was_drawn(
    rig: Make, tmp_path: Path, rotation: int, seed: int
) -> None:
    width, height = (480, 320) if rotation % 2 else (320, 480)
    toml = tmp_path / "board.toml"
    mounted = f"width = {width}\nheight = {height}\nrotation = {rotation} "
    text = BOARD_TOML.read_text()
    assert "width = 480\nheight = 320\nrotation = 1 " in text
    toml.write_text(text.replace("width = 480\nheight = 320\nrotation = 1 ", mounted))
    make = f"panel({width}, {height}, {rotation})"
    board = rig(SCENE.replace("MAKE", make).replace("SEED", str(seed)), board_toml=toml)
    windows = board.run()[0]
    expect, total = scene(seed, width, height)
    panel = board.board.part("panel")
    no_violations([panel])
    assert panel.image().tobytes() == expect.tobytes()
    assert sum(window[4] for window in windows) == total
    assert panel.total.pixel_bytes == width * height * 2 + total


def test_four_colours_take_half_the_memory_and_show_the_same_way(rig: Make) -> None:
    make = "panel(480, 320, 1, None, None, 4)"
    board = rig(SCENE.replace("MAKE", make).replace("SEED", "5") + "say(len(p.buffer))\n")
    assert board.run()[1] == 480 * 320 // 4
    expect, _ = scene(5, 480, 320, 4)
    assert board.board.part("panel").image().tobytes() == expect.tobytes()


def test_a_window_sends_its_pixels_and_eleven_bytes_more(rig: Make) -> None:
    board = rig("p = panel()\np.init()\ntime.sleep(2)\np.show(5, 7, 33, 21)\np.show(9, 9, 0, 5)\n")
    panel = board.board.part("panel")

    async def mark(_: object) -> None:
        panel.mark()

    board.run(mark)
    assert panel.since_mark.pixel_bytes == 33 * 21 * 2
    assert panel.since_mark.command_bytes == 11
    assert panel.since_mark.windows == 1
    no_violations([panel])


def test_showing_leaves_hardly_anything_on_the_heap(rig: Make) -> None:
    said = rig(
        "import gc\np = panel()\np.init()\np.show(1, 1, 77, 50)\ngc.collect()\ngc.disable()\n"
        "before = gc.mem_alloc()\np.show(1, 1, 77, 50)\nafter = gc.mem_alloc()\ngc.enable()\n"
        "say(after - before)\n"
    ).run()
    assert said[0] < 2000


def test_sleep_and_wake_keep_the_picture(rig: Make) -> None:
    board = rig(
        "p = panel()\np.colour(5, 255, 0, 0)\np.fb.fill(5)\np.init()\np.backlight(True)\np.sleep()\n"
        "time.sleep(3)\np.wake()\n"
    )
    panel = board.board.part("panel")
    lit: list[bool] = []

    async def look(_: object) -> None:
        lit.append(panel.lit)

    board.run(look)
    assert lit == [False]
    assert panel.lit
    assert panel.image().getpixel((100, 100)) == (255, 0, 0)
    no_violations([panel])


def test_dark_until_there_is_something_to_see(rig: Make) -> None:
    """The light goes on last: nobody sees the noise in the memory at power-on."""
    board = rig("p = panel()\np.fb.fill(0)\np.colour(0, 0, 0, 255)\np.init()\n")
    panel = board.board.part("panel")
    board.run()
    assert panel.awake
    assert not panel.lit


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("480, 320, 0", "480x320 at rotation 1"),
        ("480, 320, 4", "480x320 at rotation 1"),
        ("480, 320, 1, bytearray(10)", "too small"),
        ("480, 320, 1, None, bytearray(959)", "too small"),
        ("480, 320, 1, None, None, 8", "4 or 16 colours"),
    ],
)
def test_what_does_not_fit_is_refused(rig: Make, arguments: str, why: str) -> None:
    said = rig(f"try:\n    panel({arguments})\nexcept ValueError as error:\n    say(str(error))\n").run()
    assert why in said[0]


def test_a_caller_may_give_the_buffers(rig: Make) -> None:
    board = rig(
        "big, strip = bytearray(76800), bytearray(960)\np = panel(480, 320, 1, big, strip)\n"
        "p.colour(1, 255, 255, 255)\np.fb.pixel(479, 319, 1)\np.init()\np.backlight(True)\nsay(big[-1])\n"
    )
    assert board.run() == [1]
    image = board.board.part("panel").image()
    assert image.getbbox() == (479, 319, 480, 320)


def test_the_same_seed_gives_the_same_picture(rig: Make) -> None:
    program = SCENE.replace("MAKE", "panel()").replace("SEED", "99")
    pictures: list[bytes] = []
    for _ in range(2):
        board = rig(program)
        board.run()
        pictures.append(board.board.part("panel").image().tobytes())
    assert all(a == b for a, b in itertools.pairwise(pictures))
