"""Keys as parts: their edges."""

from __future__ import annotations

import itertools
import random

import pytest

from smilehub.sim.peripherals import PARTS, Key, Peripheral
from smilehub.sim.peripherals.keys import BOUNCE_US


def edges(seed: int, presses: list[tuple[int, int]], active: int = 0) -> list[tuple[int, int]]:
    """(time, level) of every edge of a key pressed at the given (µs, hold ms)."""
    found: list[tuple[int, int]] = []
    key = Key({"pin": 4, "active": active})
    key.connect(lambda role, level, at: found.append((at, level)), random.Random(seed))
    for at, hold_ms in presses:
        key.press(at, hold_ms)
    return found


def test_a_press_bounces_for_five_milliseconds_at_most_and_ends_pressed() -> None:
    most = 0
    for seed in range(50):
        found = edges(seed, [(1000, 80)])
        down = [edge for edge in found if edge[0] < 50_000]
        up = [edge for edge in found if edge[0] >= 50_000]
        for part, start, level in ((down, 1000, 0), (up, 81_000, 1)):
            assert part[0] == (start, level)
            assert part[-1][1] == level
            assert part[-1][0] - start <= BOUNCE_US
            assert all(a[1] != b[1] and a[0] < b[0] for a, b in itertools.pairwise(part))
        most = max(most, len(down))
    assert most > 4, "contacts bounce"


def test_the_same_seed_gives_the_same_edges() -> None:
    assert edges(7, [(0, 50), (200_000, 50)]) == edges(7, [(0, 50), (200_000, 50)])
    assert edges(7, [(0, 50)]) != edges(8, [(0, 50)])


def test_presses_asked_for_at_once_follow_each_other() -> None:
    found = edges(3, [(0, 30), (0, 30)])
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    assert found[-1][1] == 1


def test_a_key_that_is_active_high_rests_low() -> None:
    key = Key({"pin": 1, "active": 1})
    assert key.level("pin") == 0
    assert edges(1, [(0, 10)], active=1)[0][1] == 1


def test_a_key_on_no_board_says_so() -> None:
    with pytest.raises(RuntimeError, match="connect"):
        Key({}).press(0)


def test_a_jammed_key_stays_down_until_it_is_freed() -> None:
    key = Key({"pin": 1})
    found: list[tuple[int, int]] = []
    key.connect(lambda _, level, at: found.append((at, level)), random.Random(2))
    key.stick(1000)
    assert found[-1][1] == 0
    edges_so_far = len(found)
    key.press(50_000, 80)
    key.up(400_000)
    assert len(found) == edges_so_far
    assert key.level("pin") == 0
    key.free(500_000)
    assert found[-1][1] == 1
    key.press(600_000)
    assert found[-1][1] == 1
    assert key.level("pin") == 1


def test_every_part_keeps_the_protocol() -> None:
    configs = {"st7796s": {"width": 320, "height": 480}, "max7219": {"columns": 1, "rows": 1}}
    for name, make in PARTS.items():
        assert isinstance(make(configs.get(name, {})), Peripheral)
