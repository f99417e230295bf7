"""The sounder's model: what is heard of how its pin is modulated."""

from __future__ import annotations

from smilehub.sim.peripherals import Sounder, Tone

HALF = 32768


def test_tones_have_a_pitch_a_beginning_and_an_end() -> None:
    part = Sounder({})
    part.pwm("pin", 0, 1000, 0)
    part.pwm("pin", HALF, 990, 1_000)
    part.pwm("pin", HALF, 990, 50_000)
    part.pwm("pin", HALF, 790, 351_000)
    assert part.sounding == 790
    assert part.heard() == [Tone(990, HALF, 1_000, 351_000), Tone(790, HALF, 351_000, None)]
    part.pwm("pin", 0, 790, 900_000)
    assert part.heard(since_us=2_000) == [Tone(790, HALF, 351_000, 900_000)]
    assert part.sounding == 0
    assert part.violations == []


def test_what_nobody_can_hear_is_no_tone() -> None:
    part = Sounder({})
    part.pwm("pin", HALF, 40_000, 0)
    part.pwm("pin", HALF, 20, 100_000)
    part.pwm("pin", HALF, 990, 200_000)
    part.pwm("pin", HALF, 880, 200_300)  # a step of setting up
    part.pwm("pin", 0, 0, 500_000)
    assert part.heard() == [Tone(880, HALF, 200_300, 500_000)]


def test_the_end_of_power_ends_the_tone() -> None:
    part = Sounder({})
    part.now_us = lambda: 70_000
    part.pwm("pin", HALF, 880, 0)
    part.power(False)
    assert part.heard() == [Tone(880, HALF, 0, 70_000)]


def test_direct_current_is_noted() -> None:
    part = Sounder({})
    part.gpio("pin", 1, 0)
    part.gpio("pin", 0, 500)
    assert part.violations == []
    part.pwm("pin", 65535, 880, 1_000)
    part.pwm("pin", 0, 880, 900_000)
    assert len(part.violations) == 1
    assert "direct current" in part.violations[0]
