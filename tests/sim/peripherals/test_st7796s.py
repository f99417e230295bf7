"""The panel's model against byte sequences: orientation, windows, formats, sleep, reads, violations."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smilehub.sim.peripherals import ST7796S, SpiMode

SWRESET, SLPIN, SLPOUT, INVON, DISPOFF, DISPON = 0x01, 0x10, 0x11, 0x21, 0x28, 0x29
CASET, RASET, RAMWR, RAMRD, MADCTL, COLMOD, RAMWRC, CSCON = 0x2A, 0x2B, 0x2C, 0x2E, 0x36, 0x3A, 0x3C, 0xF0


class Bus:
    """A controller's side of the wires, with a clock of its own."""

    def __init__(self, **config: Any) -> None:
        config = {"width": 320, "height": 480, "rst": 14, "bl": 21, "mirrored": False, "bgr": False} | config
        self.model = ST7796S(config)
        self.t = 0
        self.model.power(True)
        self.model.gpio("bl", 1, 0)
        self.model.gpio("cs", 0, 0)

    def command(self, command: int, *parameters: int) -> None:
        self.model.gpio("dc", 0, self.t)
        self.model.spi_write(bytes([command]), self.t)
        self.model.gpio("dc", 1, self.t)
        if parameters:
            self.model.spi_write(bytes(parameters), self.t)

    def data(self, data: bytes) -> None:
        self.model.spi_write(data, self.t)

    def wait(self, ms: float) -> None:
        self.t += round(ms * 1000)

    def wake(self, madctl: int = 0, colmod: int = 0x55) -> None:
        self.command(SLPOUT)
        self.wait(120)
        self.command(COLMOD, colmod)
        self.command(MADCTL, madctl)
        self.command(DISPON)

    def window(self, x: int, y: int, w: int, h: int) -> None:
        self.command(CASET, *x.to_bytes(2, "big"), *(x + w - 1).to_bytes(2, "big"))
        self.command(RASET, *y.to_bytes(2, "big"), *(y + h - 1).to_bytes(2, "big"))

    def clear(self) -> None:
        """Black everywhere, whatever the orientation."""
        self.command(MADCTL, 0)
        self.window(0, 0, 320, 480)
        self.command(RAMWR)
        self.data(bytes(320 * 480 * 2))

    def pixels(self) -> dict[tuple[int, int], tuple[int, int, int]]:
        """What is not black, by place."""
        image = self.model.image()
        box = image.getbbox()
        if box is None:
            return {}
        found: dict[tuple[int, int], tuple[int, int, int]] = {}
        for y in range(box[1], box[3]):
            for x in range(box[0], box[2]):
                value: Any = image.getpixel((x, y))
                if value != (0, 0, 0):
                    found[x, y] = value
        return found


RED, GREEN, BLUE, WHITE = b"\xf8\x00", b"\x07\xe0", b"\x00\x1f", b"\xff\xff"

# Where in memory (column, row) the first pixel of the window (10, 20), its right and its lower neighbour are,
# worked out by hand from the datasheet's figures of memory access control (section 9.3).
ORIENTATIONS = {
    0x00: ((10, 20), (11, 20), (10, 21)),
    0x40: ((309, 20), (308, 20), (309, 21)),
    0x80: ((10, 459), (11, 459), (10, 458)),
    0xC0: ((309, 459), (308, 459), (309, 458)),
    0x20: ((20, 10), (20, 11), (21, 10)),
    0x60: ((299, 10), (299, 11), (298, 10)),
    0xA0: ((20, 469), (20, 468), (21, 469)),
    0xE0: ((299, 469), (299, 468), (298, 469)),
}


@pytest.mark.parametrize("madctl", sorted(ORIENTATIONS))
def test_every_orientation_puts_pixels_where_the_datasheet_says(madctl: int) -> None:
    bus = Bus()
    bus.wake()
    bus.clear()
    bus.command(MADCTL, madctl)
    bus.window(10, 20, 2, 2)
    bus.command(RAMWR)
    bus.data(RED + GREEN + BLUE + b"\0\0")
    first, right, below = ORIENTATIONS[madctl]
    assert bus.pixels() == {first: (255, 0, 0), right: (0, 255, 0), below: (0, 0, 255)}
    assert bus.model.violations == []


@pytest.mark.parametrize(("rotation", "madctl"), [(0, 0x48), (1, 0x28), (2, 0x88), (3, 0xE8)])
def test_a_common_module_shows_an_upright_picture_at_every_mounting(rotation: int, madctl: int) -> None:
    width, height = (480, 320) if rotation % 2 else (320, 480)
    bus = Bus(width=width, height=height, rotation=rotation, mirrored=True, bgr=True)
    bus.wake()
    bus.clear()
    bus.command(MADCTL, madctl)
    bus.window(3, 5, 2, 1)
    bus.command(RAMWR)
    bus.data(RED + BLUE)
    assert bus.model.image().size == (width, height)
    assert bus.pixels() == {(3, 5): (255, 0, 0), (4, 5): (0, 0, 255)}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    x=st.integers(0, 310),
    y=st.integers(0, 470),
    w=st.integers(1, 10),
    h=st.integers(1, 10),
    cuts=st.lists(st.integers(0, 260), max_size=6),
)
def test_bytes_may_come_in_any_pieces(seed: int, x: int, y: int, w: int, h: int, cuts: list[int]) -> None:
    """Also more than the window takes: the counter begins again at its first pixel."""
    rnd = random.Random(seed)
    data = rnd.randbytes(2 * rnd.randrange(1, w * h + w * h // 2 + 2))
    bus = Bus()
    bus.wake()
    bus.clear()
    bus.window(x, y, w, h)
    bus.command(RAMWR)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in itertools.pairwise(edges):
        bus.data(data[start:end])
    expect = Image.new("RGB", (320, 480))
    for i in range(len(data) // 2):
        value = data[2 * i] << 8 | data[2 * i + 1]
        colour = ((value >> 11) * 255 // 31, (value >> 5 & 63) * 255 // 63, (value & 31) * 255 // 31)
        at = i % (w * h)
        expect.putpixel((x + at % w, y + at // w), colour)
    assert bus.model.image().tobytes() == expect.tobytes()
    assert bus.model.total.pixel_bytes == 320 * 480 * 2 + len(data)
    assert bus.model.violations == []


def test_memory_write_continue_goes_on_where_it_stopped() -> None:
    bus = Bus()
    bus.wake()
    bus.clear()
    bus.window(0, 0, 3, 1)
    bus.command(RAMWR)
    bus.data(RED)
    bus.command(0x00)
    bus.command(RAMWRC)
    bus.data(GREEN + BLUE)
    assert bus.pixels() == {(0, 0): (255, 0, 0), (1, 0): (0, 255, 0), (2, 0): (0, 0, 255)}


def test_eighteen_bit_pixels_and_reading_them_back() -> None:
    bus = Bus()
    bus.wake(colmod=0x66)
    bus.window(7, 8, 2, 1)
    bus.command(RAMWR)
    bus.data(bytes((0xFC, 0x80, 0x04, 0x00, 0xFC, 0x40)))
    assert bus.model.image().getpixel((7, 8)) == (0xFF, 0x82, 0x04)
    bus.command(RAMRD)
    assert bus.model.spi_transfer(bytes(8), bus.t) == bytes((0, 0xFC, 0x80, 0x04, 0x00, 0xFC, 0x40, 0xFF))


def test_what_a_controller_answers() -> None:
    bus = Bus(id=(0x12, 0x34, 0x56))
    bus.wake(madctl=0x28)
    for command, answer in {
        0xD3: b"\x00\x00\x77\x96",
        0x0B: b"\x28",
        0x0C: b"\x05",
        0x0A: b"\x9c",
        0xDA: b"\x12",
        0x04: b"\x09\x1a\x2b\x00",  # one dummy clock: everything half a step to the right
    }.items():
        bus.command(command)
        assert bus.model.spi_transfer(bytes(len(answer)), bus.t) == answer, f"{command:02X}h"
    bus.model.gpio("cs", 1, bus.t)
    assert bus.model.spi_transfer(b"\0\0", bus.t) == b"\xff\xff"


def test_nothing_is_seen_unless_awake_on_and_lit() -> None:
    bus = Bus()
    bus.wake()
    bus.window(0, 0, 320, 480)
    bus.command(RAMWR)
    bus.data(WHITE * (320 * 480))
    black, white = bytes(320 * 480 * 3), b"\xff" * (320 * 480 * 3)
    assert bus.model.image().tobytes() == white
    bus.command(DISPOFF)
    assert bus.model.image().tobytes() == black
    bus.command(DISPON)
    bus.model.gpio("bl", 0, bus.t)
    assert bus.model.image().tobytes() == black
    bus.model.pwm("bl", 32768, 1000, bus.t)
    assert bus.model.image().getpixel((5, 5)) == (128, 128, 128)
    bus.model.gpio("bl", 1, bus.t)
    bus.command(SLPIN)
    assert bus.model.image().tobytes() == black
    bus.wait(120)
    bus.command(SLPOUT)
    assert bus.model.image().tobytes() == white, "the memory keeps its contents while asleep"
    bus.wait(5)
    bus.command(INVON)
    assert bus.model.image().tobytes() == black
    assert bus.model.violations == []
    bus.model.power(False)
    assert not bus.model.lit


def test_reset_pin_takes_everything_back_but_the_memory() -> None:
    bus = Bus()
    bus.wake(madctl=0x28)
    bus.wait(1)
    bus.model.gpio("rst", 0, bus.t)
    bus.wait(1)
    bus.model.gpio("rst", 1, bus.t)
    assert not bus.model.awake
    assert bus.model.window == (0, 319, 0, 479)
    bus.wait(120)
    bus.command(SLPOUT)
    assert bus.model.violations == []


FORBIDDEN = {
    "window of columns 0 to 320": lambda bus: bus.window(0, 0, 321, 10),
    "window of rows 5 to 4": lambda bus: bus.command(RASET, 0, 5, 0, 4),
    "got 3 parameter bytes": lambda bus: (bus.command(CASET, 0, 1, 0), bus.command(0)),
    "got 2 parameter bytes": lambda bus: (bus.command(MADCTL, 0, 0), bus.command(0)),
    "pixel format 33h": lambda bus: bus.command(COLMOD, 0x33),
    "without a valid pixel format": lambda bus: (bus.command(COLMOD, 0), bus.command(RAMWR), bus.data(RED)),
    "1 bytes into a pixel": lambda bus: (bus.command(RAMWR), bus.data(RED + b"\x07"), bus.command(0)),
    "does not exist": lambda bus: bus.command(0x99),
    "without CSCON": lambda bus: bus.command(0xB4, 1),
    "memory write": lambda bus: (bus.command(SWRESET), bus.command(RAMWR), bus.data(b"\0\0\0")),
    "us before the controller is ready": lambda bus: (
        bus.command(SWRESET),
        bus.wait(4.9),
        bus.command(DISPON),
    ),
    "less than 120 ms": lambda bus: (bus.command(SLPIN), bus.wait(119), bus.command(SLPOUT)),
    "reset pulse": lambda bus: (bus.model.gpio("rst", 0, bus.t), bus.model.gpio("rst", 1, bus.t + 9)),
    "15151515 Hz is the maximum": lambda bus: (
        bus.model.spi_setup(SpiMode(20_000_000), bus.t),
        bus.command(0),
    ),
    "mode 0 or 3": lambda bus: bus.model.spi_setup(SpiMode(1_000_000, polarity=1, phase=0), bus.t),
    "read at 10000000 Hz": lambda bus: (
        bus.model.spi_setup(SpiMode(10_000_000), bus.t),
        bus.command(0x0A),
        bus.model.spi_transfer(b"\0", bus.t),
    ),
}


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_what_the_datasheet_forbids_is_noted(what: str) -> None:
    bus = Bus()
    bus.wake()
    bus.wait(120)
    assert bus.model.violations == []
    FORBIDDEN[what](bus)
    assert any(what in said for said in bus.model.violations), bus.model.violations


def test_an_unlocked_second_command_table_is_no_violation() -> None:
    bus = Bus()
    bus.wake()
    for command, *parameters in ((CSCON, 0xC3), (CSCON, 0x96), (0xB4, 1), (CSCON, 0x3C), (CSCON, 0x69)):
        bus.command(command, *parameters)
    bus.command(0)
    assert bus.model.violations == []
    bus.command(0xB4, 1)
    assert len(bus.model.violations) == 1


def test_bytes_for_others_on_the_bus_are_not_its_own() -> None:
    bus = Bus()
    bus.wake()
    bus.model.mark()
    bus.model.gpio("cs", 1, bus.t)
    bus.command(0x99)
    bus.data(b"\xff" * 10)
    assert bus.model.violations == []
    assert (bus.model.since_mark.pixel_bytes, bus.model.since_mark.command_bytes) == (0, 0)


def test_a_mounting_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="480x320"):
        ST7796S({"width": 320, "height": 480, "rotation": 1})


def test_png_is_what_is_seen(tmp_path: Any) -> None:
    bus = Bus()
    bus.wake()
    bus.clear()
    bus.window(1, 2, 1, 1)
    bus.command(RAMWR)
    bus.data(RED)
    bus.model.png(tmp_path / "panel.png")
    with Image.open(tmp_path / "panel.png") as picture:
        assert (picture.size, picture.getpixel((1, 2))) == ((320, 480), (255, 0, 0))


def test_a_broken_controller_answers_nothing_and_keeps_nothing() -> None:
    bus = Bus()
    bus.wake()
    bus.window(0, 0, 1, 1)
    bus.model.broken = True
    bus.command(RAMWR)
    bus.data(b"\xff\xff")
    bus.command(0xD3)
    assert bus.model.spi_transfer(bytes(4), bus.t) == b"\xff" * 4
    assert not bus.model.lit
    bus.model.broken = False
    assert bus.model.lit
    assert bus.model.image().getpixel((0, 0)) == (0x52, 0x55, 0x52)
    assert bus.model.total.pixel_bytes == 0
    assert bus.model.violations == []
