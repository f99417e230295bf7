"""Labels: readable, unpredictable, never borne by two."""

import random
from itertools import pairwise

import pytest

from hubcore.labels import FIRST, LAST, LETTERS, PICTOGRAMS, Used, draw, number, valid


def test_no_letter_is_mistaken():
    assert not set(LETTERS) & set("BDGIJLOQSYZ"), "taken for a digit"
    for pair in ("EF", "MN", "MW", "PR", "UV", "XY", "CG", "VY", "OQ"):
        assert not set(pair) <= set(LETTERS), pair
    assert len(set(LETTERS)) == len(LETTERS) >= 8


def test_eight_pictograms():
    assert len(set(PICTOGRAMS)) == 8


def test_a_whole_day_of_labels_never_repeats_and_tells_no_order():
    rng = random.Random(1)
    used = Used()
    drawn = []
    for _ in range(LAST - FIRST + 1):
        label = draw(used, "K", rng.randbytes)
        assert valid(label)
        drawn.append(number(label))
        used.add(number(label))
    assert len(set(drawn)) == len(drawn)
    assert max(drawn[:60]) < 100, "short labels come first"
    steps = [b - a for a, b in pairwise(drawn[:201])]
    assert 0.35 < sum(step > 0 for step in steps) / len(steps) < 0.65
    assert max(map(steps.count, steps)) < 20
    assert used.full()
    with pytest.raises(ValueError, match="in use"):
        draw(used, "K", rng.randbytes)


@pytest.mark.parametrize("label", ["", "K", "K4", "K04", "K1000", "O47", "k47", "K4x", "KK7", "K²²"])
def test_not_a_label(label):
    assert not valid(label)


def test_used_numbers_are_counted_once():
    used = Used()
    used.add(10)
    used.add(10)
    assert used.count == 1 and used.has(10) and not used.has(11)
    used.clear()
    assert used.count == 0 and not used.has(10)
