"""The pixel's model: pulses in, colour out."""

from __future__ import annotations

import pytest

from smilehub.sim.peripherals import WS2812, Pulses

USUAL = Pulses(400, 850, 800, 450)


def pixel() -> WS2812:
    part = WS2812({})
    part.power(True)
    return part


def test_green_comes_first_and_changes_are_kept_with_their_times() -> None:
    part = pixel()
    part.pulses("pin", USUAL, bytes((1, 2, 3)), 1_000)
    part.pulses("pin", USUAL, bytes((1, 2, 3)), 2_000)
    part.pulses("pin", USUAL, bytes((255, 0, 128, 9, 9, 9)), 3_000)
    assert part.colour == (0, 255, 128)
    assert part.history == [(1_000, (2, 1, 3)), (3_000, (0, 255, 128))]
    assert part.violations == []


@pytest.mark.parametrize(
    ("shape", "colour"),
    [
        (Pulses(260, 710, 940, 590), (0x0F, 0x55, 0xFF)),
        (Pulses(800, 450, 400, 850), (0xF0, 0xAA, 0x00)),  # told the wrong way round
        (Pulses(400, 850, 400, 850), (0, 0, 0)),
    ],
)
def test_it_is_the_widths_that_count(shape: Pulses, colour: tuple[int, int, int]) -> None:
    part = pixel()
    part.pulses("pin", shape, bytes((0x55, 0x0F, 0xFF)), 1_000)
    assert part.colour == colour
    assert part.violations == []


@pytest.mark.parametrize(
    "shape", [Pulses(600, 600, 800, 450), Pulses(400, 850, 1600, 900), Pulses(0, 0, 0, 0)]
)
def test_pulses_of_no_bit_show_nothing(shape: Pulses) -> None:
    part = pixel()
    part.pulses("pin", shape, bytes((1, 2, 3)), 1_000)
    assert part.colour == (0, 0, 0)
    assert part.violations


def test_colours_too_close_are_passed_on() -> None:
    part = pixel()
    part.pulses("pin", USUAL, bytes((1, 2, 3)), 1_000)
    part.pulses("pin", USUAL, bytes((4, 5, 6)), 1_000 + 30 + 279)
    assert part.colour == (2, 1, 3)
    assert "passes it on" in part.violations[0]
    part.pulses("pin", USUAL, bytes((4, 5, 6)), 3_000)
    assert part.colour == (5, 4, 6)


def test_without_power_it_is_dark() -> None:
    part = pixel()
    part.pulses("pin", USUAL, bytes((1, 2, 3)), 1_000)
    part.power(False)
    assert part.colour == (0, 0, 0)
    part.pulses("pin", USUAL, bytes((1, 2, 3)), 9_000)
    assert part.colour == (0, 0, 0)
