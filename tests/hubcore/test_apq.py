"""The pick: against a naive reference, its bound on overtaking, its costs and its integers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubcore.apq import Node, Waiting, _earlier
from hubcore.classes import MAX_RATE, MAX_WAIT_S, RATES

LANES = ("any", "adult", "child")


def naive(nodes, lanes, now, rates):
    """The rule as it is written down, looking at everybody."""
    best = None
    for node in nodes:
        if node.cls and lanes and node.lane not in lanes:
            continue
        priority = (node.cls == 0, (1 if node.cls == 0 else rates[node.cls] * (now - node.arrival)))
        key = (priority, -node.arrival, -node.seq)
        if best is None or key > best[0]:
            best = (key, node)
    return best and best[1]


def fill(waiting, rng, n, gap=30):
    nodes = []
    now = 0
    for seq in range(n):
        now += rng.randrange(gap)
        node = Node(now, seq)
        waiting.add(node, rng.choice(LANES), rng.choice((0, 1, 1, 2, 2, 2)), now)
        nodes.append(node)
    return nodes, now


def test_hundred_thousand_arrivals_are_called_in_the_naive_order():
    rng = random.Random(20)
    waiting = Waiting()
    here = {}
    now = seq = left = 0
    while seq < 100_000 or here:
        now += rng.randrange(4)
        if seq < 100_000 and (len(here) < 3 or rng.random() < 0.497):
            seq += 1
            node = Node(now, seq)
            cls = rng.choices((0, 1, 2), (1, 9, 10))[0]
            waiting.add(node, rng.choice(LANES), cls, now)
            here[seq] = node
        else:
            lanes = rng.choice(((), ("adult", "any"), ("child", "any"), ("child",)))
            if len(here) > 60 or seq == 100_000:
                lanes = ()
            node = waiting.pick(lanes, now, RATES)
            assert node is naive(here.values(), lanes, now, RATES)
            if node is not None:
                left += 1
                waiting.remove(node)
                del here[node.seq]
        assert len(waiting) == len(here)
    assert left == 100_000


@given(st.integers(0, 10**6), st.tuples(st.just(1), st.integers(1, 50), st.integers(1, 50)))
def test_random_rates_class_changes_and_removals(seed, rates):
    rng = random.Random(seed)
    waiting = Waiting()
    nodes, now = fill(waiting, rng, 30, gap=3)
    while nodes:
        node = rng.choice(nodes)
        what = rng.randrange(4)
        now += rng.randrange(3)
        if what == 0:
            waiting.remove(node)
            waiting.add(node, rng.choice(LANES), rng.randrange(3), node.arrival)
        elif what == 1:
            waiting.remove(node)
            nodes.remove(node)
        else:
            lanes = rng.choice(((), ("adult",), ("child", "any")))
            picked = waiting.pick(lanes, now, rates)
            assert picked is naive(nodes, lanes, now, rates)
            shown = list(waiting.order(now, rates, 5, lanes))
            rest = list(nodes)
            for other in shown:
                assert other is naive(rest, lanes, now, rates)
                rest.remove(other)
            if picked is not None and what == 3:
                waiting.remove(picked)
                nodes.remove(picked)
    assert waiting.pick((), now, rates) is None and len(waiting) == 0


@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(1, 11))
def test_overtaking_is_bounded(seed, high, low):
    """A class-i arrival x after a class-k ticket that waits W overtakes it only if x < (1 - b_k/b_i) W."""
    low = min(low, high - 1)
    rates = (1, high, low)
    rng = random.Random(seed)
    waiting = Waiting()
    now = 0
    gone = []
    for seq in range(200):
        now += rng.randrange(10)
        waiting.add(Node(now, seq), "any", rng.choice((1, 2)), now)
        if rng.random() < 0.7:
            gone.append((waiting.pick((), now, rates), now))
            waiting.remove(gone[-1][0])
    while len(waiting):
        now += rng.randrange(10)
        gone.append((waiting.pick((), now, rates), now))
        waiting.remove(gone[-1][0])
    for at, (tagged, called) in enumerate(gone):
        for other, _ in gone[:at]:
            late = other.arrival - tagged.arrival
            if other.cls == 1 and tagged.cls == 2 and late > 0:
                # at most, not below, at the moment of a tie in whole seconds
                assert late * high <= (high - low) * (called - tagged.arrival)
            if other.cls >= tagged.cls:
                assert (other.arrival, other.seq) < (tagged.arrival, tagged.seq)


class Narrow(int):
    """An integer that an ESP32 holds without allocating: 31 bits, and no float ever."""

    def _keep(self, value):
        assert isinstance(value, int) and -(2**30) <= value < 2**30, value
        return Narrow(value)

    def __add__(self, other):
        return self._keep(int(self) + int(other))

    def __sub__(self, other):
        return self._keep(int(self) - int(other))

    def __mul__(self, other):
        return self._keep(int(self) * int(other))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other):
        raise AssertionError("a float in the pick")

    def __rsub__(self, other):
        return self._keep(int(other) - int(self))


def test_small_integers_are_enough_at_the_limits():
    rates = tuple(Narrow(MAX_RATE) for _ in RATES)
    waiting = Waiting()
    for seq in range(50):
        arrival = Narrow(seq * 100 - MAX_WAIT_S // 2)
        waiting.add(Node(arrival, Narrow(seq)), LANES[seq % 3], 1 + seq % 2, arrival)
    while len(waiting):
        now = Narrow(MAX_WAIT_S // 2)
        node = waiting.pick((), now, rates)
        assert node is next(waiting.order(now, rates, 1))
        waiting.remove(node)
    with pytest.raises(AssertionError):
        Narrow(MAX_RATE) * (2 * MAX_WAIT_S)


def test_a_pick_looks_at_heads_only():
    class Counted(Node):
        looked = 0

        @property
        def arrival(self):
            Counted.looked += 1
            return self._arrival

        @arrival.setter
        def arrival(self, value):
            self._arrival = value

    looks = []
    for n in (10, 1000):
        waiting = Waiting()
        for seq in range(n):
            waiting.add(Counted(seq, seq), LANES[seq % 3], 1 + seq // 3 % 2, seq)
        Counted.looked = 0
        waiting.pick((), n, RATES)
        looks.append(Counted.looked)
    assert looks[0] == looks[1] > 0


def family(*ranks, arrival=5, seq=3):
    nodes = []
    for rank in ranks:
        node = type("Member", (Node,), {"rank": rank})(arrival, seq)
        nodes.append(node)
    return nodes


def test_ties_go_by_arrival_then_ticket_then_rank():
    first, second = family(0, 1)
    assert _earlier(first, second) and not _earlier(second, first) and not _earlier(first, first)
    later, before = Node(5, 4), Node(4, 9)
    assert _earlier(second, later) and not _earlier(later, second)
    assert _earlier(before, first) and not _earlier(first, before)
    waiting = Waiting()
    for lane, node in (("child", second), ("adult", later), ("any", first)):
        waiting.add(node, lane, 1, node.arrival)
    assert list(waiting.order(50, RATES, 9)) == [first, second, later]
    assert waiting.pick((), 50, RATES) is first and waiting.pick(("adult", "child"), 50, RATES) is second


def test_a_rate_is_earned_in_whole_seconds_and_ties_go_to_the_earlier_ticket():
    waiting = Waiting()
    patient, urgent, emergency = Node(0, 1), Node(600, 2), Node(700, 3)
    waiting.add(patient, "any", 2, 0)
    waiting.add(urgent, "any", 1, 600)
    assert waiting.pick((), 800, RATES) is patient is next(waiting.order(800, RATES, 1)), "800 x 1 = 200 x 4"
    assert waiting.pick((), 801, RATES) is urgent is next(waiting.order(801, RATES, 1))
    waiting.add(emergency, "child", 0, 700)
    assert waiting.pick(("adult",), 800, RATES) is emergency
    assert list(waiting.order(801, RATES, 2, ("any",))) == [emergency, urgent]
    assert list(waiting.order(801, RATES, 0)) == []
    assert list(waiting.order(801, RATES, 9, ("adult",))) == [emergency]


def test_who_does_not_wait_is_removed_without_harm():
    waiting = Waiting()
    here, gone = Node(0, 1), Node(0, 2)
    waiting.add(here, "any", 1, 7)
    assert here.arrival == 7
    waiting.remove(Node(0, 3))
    for lane, cls in (("any", 1), ("child", 2), ("any", 0)):
        gone.lane, gone.cls = lane, cls
        waiting.remove(gone)
        assert len(waiting) == 1
    waiting.remove(here)
    waiting.remove(here)
    assert len(waiting) == 0 and waiting.pick((), 9, RATES) is None
