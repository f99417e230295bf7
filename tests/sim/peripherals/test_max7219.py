"""The wall's model against words on the wire."""

from __future__ import annotations

from typing import Any

from PIL import Image

from smilehub.sim.peripherals import MAX7219, SpiMode


class Wire:
    """Shifts words through a wall and latches them."""

    def __init__(self, columns: int = 2, rows: int = 2) -> None:
        self.model = MAX7219({"columns": columns, "rows": rows})
        self.model.power(True)
        self.count = columns * rows

    def latch(self, *words: int) -> None:
        self.model.gpio("cs", 0, 0)
        self.model.spi_write(b"".join(word.to_bytes(2, "big") for word in words), 0)
        self.model.gpio("cs", 1, 0)

    def all(self, word: int) -> None:
        self.latch(*[word] * self.count)

    def on(self) -> None:
        self.all(0x0B07)
        self.all(0x0C01)

    def lit(self) -> set[tuple[int, int]]:
        return {(x, y) for y, row in enumerate(self.model.pixels()) for x, on in enumerate(row) if on}


def test_dark_until_told_and_dark_without_power() -> None:
    wire = Wire()
    wire.all(0x0180)
    assert wire.lit() == set()
    wire.on()
    assert wire.lit() == {(0, 0), (8, 0), (0, 8), (8, 8)}
    wire.model.power(False)
    assert wire.lit() == set()
    wire.model.power(True)
    assert wire.lit() == set()


def test_the_first_word_travels_to_the_last_chip() -> None:
    wire = Wire()
    wire.on()
    # Words for chip 3 (bottom right), 2, 1, 0 (top left); 0 is no-operation.
    wire.latch(0x0201, 0x0000, 0x0000, 0x0840)
    assert wire.lit() == {(15, 9), (1, 7)}
    wire.latch(0x0000, 0x0100, 0x0381, 0x0000)
    assert wire.lit() == {(15, 9), (1, 7), (8, 2), (15, 2)}
    assert wire.model.violations == []


def test_a_short_transfer_pushes_what_was_there_along() -> None:
    wire = Wire()
    wire.on()
    wire.latch(0x0101, 0x0102, 0x0104, 0x0108)
    assert wire.lit() == {(15, 8), (6, 8), (13, 0), (4, 0)}
    wire.latch(0x0110)
    # Every chip now has the word of its neighbour before it.
    assert wire.lit() == {(14, 8), (5, 8), (12, 0), (3, 0)}


def test_bytes_shift_whatever_load_is_but_nothing_happens_until_it_rises() -> None:
    wire = Wire(1, 1)
    wire.on()
    wire.model.spi_write(b"\x01\xff", 0)
    assert wire.lit() == set()
    wire.latch()
    assert wire.lit() == {(x, 0) for x in range(8)}


def test_scan_limit_test_mode_and_code_b() -> None:
    wire = Wire(1, 1)
    wire.all(0x0B04)
    wire.all(0x0C01)
    for digit in range(1, 9):
        wire.all(digit << 8 | 0xFF)
    assert wire.lit() == {(x, y) for x in range(8) for y in range(5)}
    wire.all(0x0F01)
    assert len(wire.lit()) == 64
    wire.all(0x0F00)
    wire.all(0x0901)
    wire.all(0x0108)  # code B: 8 is all seven segments, without the point
    assert {x for x, y in wire.lit() if y == 0} == set(range(1, 8))


def test_what_is_forbidden_is_noted() -> None:
    wire = Wire(1, 1)
    wire.model.spi_setup(SpiMode(12_000_000), 0)
    wire.all(0x0C01)
    wire.all(0x0D00)
    said = "\n".join(wire.model.violations)
    assert "10000000 Hz is the maximum" in said
    assert "overheat" in said
    assert "register D" in said


def test_the_picture_has_round_lit_leds(tmp_path: Any) -> None:
    wire = Wire(1, 1)
    wire.on()
    wire.all(0x0A0F)
    wire.all(0x0180)
    wire.model.png(tmp_path / "wall.png")
    with Image.open(tmp_path / "wall.png") as picture:
        assert picture.size == (80, 80)
        centre: Any = picture.getpixel((5, 5))
        dark: Any = picture.getpixel((15, 5))
        corner: Any = picture.getpixel((0, 0))
        edge: Any = picture.getpixel((5, 2))
    assert centre[0] > 200
    assert max(dark) < 60
    assert max(corner) < 40, "between the LEDs is the board"
    assert edge[0] > 100


def test_brighter_is_brighter() -> None:
    wire = Wire(1, 1)
    wire.on()
    wire.all(0x0180)
    seen: list[int] = []
    for intensity in (0, 7, 15):
        wire.all(0x0A00 | intensity)
        assert wire.model.intensity == intensity
        pixel: Any = wire.model.image().getpixel((5, 3))
        seen.append(pixel[0])
    assert seen == sorted(set(seen))


def test_what_went_in_comes_out_a_chains_length_later() -> None:
    chain = MAX7219({"columns": 2, "rows": 1})
    assert chain.spi_transfer(b"\1\2", 0) == b"\xff\xff", "without power nothing drives the line"
    chain.power(True)
    chain.spi_write(b"\1\2\3\4", 0)
    assert chain.spi_transfer(b"\5\6\7\x08\x09", 0) == b"\1\2\3\4\5"
    chain.broken = True
    assert chain.spi_transfer(b"\0\0", 0) == b"\xff\xff"
