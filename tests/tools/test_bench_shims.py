"""What the bench takes off a guest's CPU: no more than is proven, and nothing if the proof fails."""

from dataclasses import replace

import pytest
from tools.bench import clinic, kiosk
from tools.bench.shims import Cost, Said, Shims

COST = Cost(hop=1000.0, pin=100.0, small=200.0, small_byte=2.0, large=500.0, read=300.0)
SAID = Said(hops=2, pins=3, small=4, small_bytes=50, large=6, reads=7, read_bytes=640)


def test_each_thing_said_costs_what_its_kind_costs() -> None:
    assert COST.of(SAID) == 2 * 1000 + 3 * 100 + 4 * 200 + 50 * 2 + 6 * 500 + 7 * 300
    assert COST.of(SAID - SAID) == 0


def test_a_firmware_s_own_cpu_is_never_below_nothing() -> None:
    assert COST.own(9100, SAID) == 800
    assert COST.own(100, SAID) == 0


def test_the_best_run_of_a_press_counts_and_its_pixels_take_their_time() -> None:
    slow = clinic.Press("yes", 40_000, 90_000, SAID)
    fast = replace(slow, cpu_ns=28_300)
    nothing = clinic.Press("up", 0, 5_000, Said())
    drawn = clinic.drawn([[slow, nothing], [fast, nothing]], COST)
    assert drawn.presses == [(40_000, 20_000, 7 * 2_000 + 640 * 100)]
    assert drawn.share == pytest.approx(8_300 / 28_300)
    (took,) = kiosk.press_ms(drawn)
    assert took == pytest.approx((20_000 * 60 + 78_000) / 1e6 + 40_000 * 8 / 40_000)


def _calibrated(**least: int) -> Shims:
    """Batches of 100 that cost what COST says, and a program of 1 ms with 10 waits, 5 strips, 10 reads."""
    batches = {
        "empty": 3_000, "wait": 103_000, "sync": 123_000, "bools": 3_000, "pins": 13_000,
        "4": 23_000, "1024": 103_000 + 324_800, "2048": 23_000 + 409_600, "2049": 53_000, "3840": 63_000,
        "formats": 5_000, "reads": 35_000,
        "work": 1_003_000, "press": 1_003_000 + 10_000 + 2_500 + 3_000,
    } | least  # fmt: skip
    return Shims(batches, Said(hops=11, large=5, reads=10))


def test_the_least_of_each_kind_is_taken() -> None:
    assert _calibrated().cost() == Cost(1000.0, 100.0, 200.0, 2.0, 500.0, 300.0)
    assert _calibrated(sync=63_000).cost().hop == 600


@pytest.mark.parametrize("off", [-200_000, 400_000])
def test_nothing_is_measured_if_known_work_is_not_found_again(off: int) -> None:
    assert abs(_calibrated().error(COST)) < 0.001
    with pytest.raises(RuntimeError, match=r"comes out (-20|\+40)% of it"):
        _calibrated(press=1_018_500 + off).cost()


def test_a_bare_board_says_what_its_program_does_and_more_calibrations_only_lower_the_costs() -> None:
    shims = Shims()
    shims.calibrate()
    first = dict(shims.least)
    assert shims.busy >= 0
    assert shims.press == Said(6, 120, 30, 120, 90, reads=60, read_bytes=shims.press.read_bytes)
    assert 60 * 32 <= shims.press.read_bytes < 60 * 32 + 1000  # and what it was told
    assert first["empty"] < min(first[name] for name in ("wait", "sync", "pins", "4", "3840", "work"))
    shims.calibrate()
    assert all(ns <= first[name] for name, ns in shims.least.items())
