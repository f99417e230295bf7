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


def test_pictograms_keep_their_numbers():
    assert PICTOGRAMS[:8] == ("sun", "fish", "tree", "boat", "key", "star", "house", "cup")
    assert PICTOGRAMS[31] == "train"
    assert len(set(PICTOGRAMS)) == len(PICTOGRAMS) == 32


def test_labels_drawn_together_differ():
    used = Used()
    assert draw(used, "K", lambda n: bytes(n)) == "K10"
    assert draw(used, "K", lambda n: bytes(n), [10]) == "K11"
    assert draw(used, "K", lambda n: bytes(n), [11, 10]) == "K12"
    for n in range(10, 77):
        used.add(n)
    assert draw(used, "K", lambda n: bytes(n)) == "K77", "23 short ones are free"
    assert draw(used, "K", lambda n: bytes(n), [80]) == "K100", "22 are kept back"
    assert draw(used, "K", lambda n: b"\x03\x84", [80]) == "K100", "900 % 900"
    assert draw(used, "K", lambda n: b"\x03\x83", [80]) == "K999"
    for n in range(100, 1000):
        used.add(n)
    assert draw(used, "K", lambda n: bytes(n)) == "K77"
    with pytest.raises(ValueError, match="in use"):
        draw(used, "K", lambda n: bytes(n), list(range(77, 100)))


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


def test_the_first_and_the_last_label():
    assert all(valid(label) is True for label in ("A10", "K99", "K100", "X999"))
    assert all(valid(label) is False for label in ("K9", "K09", "K1000", "B10", "K1/", "K1:", "K10:"))
    assert (number("K10"), number("X999")) == (10, 999)


def test_the_day_is_full_with_its_last_number():
    used = Used()
    for n in range(FIRST, LAST):
        used.add(n)
    assert not used.full() and not used.has(LAST) and used.has(LAST - 1)
    used.add(LAST)
    assert used.full() and used.has(LAST) and used.count == 990
    assert len(used.bits) == 125, "a bit for each number up to 999"
    used.clear()
    assert not any(used.bits) and not used.full()


def test_a_bit_for_each_number_and_no_other():
    used = Used()
    for n in (10, 16, 999):
        used.add(n)
    assert [n for n in range(1000) if used.has(n)] == [10, 16, 999]
    assert all(isinstance(used.has(n), bool) for n in (10, 11))


def test_a_draw_takes_two_bytes_of_chance():
    asked = []
    draw(Used(), "K", lambda n: asked.append(n) or bytes(n))
    assert asked == [2]
