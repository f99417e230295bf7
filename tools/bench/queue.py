"""Area queue: mean waits through the shipping pick, against the formulas of the accumulating priority queue.

Stanford, Taylor, Ziedins, Queueing Systems 77 (2014) 297-330, doi 10.1007/s11134-013-9382-6. From the
lowest class up:

    W_p = [W0/(1-rho) - sum over i>p of rho_i W_i (1-b_i/b_p)] / [1 - sum over i<p of rho_i (1-b_p/b_i)]

With 5 million customers a mean wait at load 0.9 (cases B, C) still has a standard error of about 1 %, so the
seeds are fixed.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapreplace
from multiprocessing import get_context
from typing import Any

from hubcore.apq import Node, Waiting

CUSTOMERS = 5_000_000
_WARM_UP = 20_000  # the first customers find an empty queue and are not counted
_TICKS = 1 << 16  # integer clock ticks in one unit of time
_LANE = ("care",)


@dataclass(frozen=True, slots=True)
class Case:
    """A queue with known mean waits; arrival rates, mean service times and priority rates by class."""

    id: str
    what: str
    arrivals: tuple[float, ...]
    services: tuple[float, ...]
    rates: tuple[int, ...]
    chairs: int
    exponential: bool
    seed: int


CASES = (
    Case("q-A", "M/M/1, two classes", (0.4, 0.4), (1.0, 1.0), (2, 1), 1, True, 1),
    Case("q-A2", "M/D/1, two classes", (0.4, 0.4), (1.0, 1.0), (2, 1), 1, False, 2),
    Case("q-B", "M/M/1, three classes", (0.1, 0.3, 0.5), (1.0, 1.0, 1.0), (4, 2, 1), 1, True, 3),
    Case("q-C", "M/M/3, three classes", (0.3, 0.9, 1.5), (1.0, 1.0, 1.0), (4, 2, 1), 3, True, 4),
    Case("q-D", "one chair, minutes", (0.002, 0.008, 0.012), (20.0, 30.0, 40.0), (12, 4, 1), 1, True, 5),
)


def rows() -> list[dict[str, Any]]:
    """One row a case: the worst class's error in per cent; beside: mean wait of first come, first served."""
    order = sorted(
        CASES, key=lambda case: -case.chairs
    )  # the longest first, so that two processes end together
    with get_context("spawn").Pool(2) as pool:
        measured = dict(zip((case.id for case in order), pool.imap(_row, order, chunksize=1), strict=True))
    return [measured[case.id] for case in CASES]


def formula(case: Case) -> list[float]:
    """Mean waits by class."""
    load = [rate * mean / case.chairs for rate, mean in zip(case.arrivals, case.services, strict=True)]
    rho = sum(load)
    if case.chairs == 1:
        moment = 2.0 if case.exponential else 1.0  # E[S^2] / E[S]^2
        pairs = zip(case.arrivals, case.services, strict=True)
        first = sum(rate * moment * mean * mean for rate, mean in pairs) / 2
    else:
        first = _erlang_c(case.chairs, rho * case.chairs) * case.services[0] / case.chairs
    classes = range(len(load))
    b = case.rates
    waits = [0.0] * len(load)
    for p in reversed(classes):
        lower = sum(load[i] * waits[i] * (1 - b[i] / b[p]) for i in classes if i > p)
        higher = sum(load[i] * (1 - b[p] / b[i]) for i in classes if i < p)
        waits[p] = (first / (1 - rho) - lower) / (1 - higher)
    return waits


def simulate(case: Case, customers: int = CUSTOMERS) -> tuple[list[float], float]:
    """Mean waits by class through `hubcore.apq`, and of first come, first served with the same people."""
    stream = _customers(case)
    waiting = Waiting(len(case.arrivals) + 1)  # class 0 is the emergencies': nobody here
    rates = (0, *case.rates)
    free = [0] * case.chairs
    fcfs_free = [0] * case.chairs
    total = [0] * len(rates)
    count = [0] * len(rates)
    fcfs_total = 0
    add, remove, pick = waiting.add, waiting.remove, waiting.pick
    coming = next(stream)
    now = served = 0
    while served < customers:
        now = max(now, free[0])
        if coming.arrival > now and not len(waiting):
            now = coming.arrival
        while coming.arrival <= now:
            add(coming, "care", coming.cls, coming.arrival)
            start = max(fcfs_free[0], coming.arrival)
            heapreplace(fcfs_free, start + coming.service)
            fcfs_total += start - coming.arrival
            coming = next(stream)
        node = pick(_LANE, now, rates)
        assert isinstance(node, _Customer), "somebody waits: the loop before saw to it"
        remove(node)
        heapreplace(free, now + node.service)
        served += 1
        if served > _WARM_UP:
            total[node.cls] += now - node.arrival
            count[node.cls] += 1
    means = [total[k] / count[k] / _TICKS for k in range(1, len(rates))]
    return means, fcfs_total / (served + len(waiting)) / _TICKS


class _Customer(Node):
    __slots__ = ("service",)

    def __init__(self, arrival: int, seq: int, cls: int, service: int) -> None:
        super().__init__(arrival, seq)
        self.cls = cls
        self.service = service


def _customers(case: Case) -> Iterator[_Customer]:
    rng = random.Random(f"{case.id} {case.seed}")
    draw, exponential = rng.random, rng.expovariate
    every = sum(case.arrivals)
    shares = [sum(case.arrivals[: k + 1]) / every for k in range(len(case.arrivals))]
    per_tick = every / _TICKS
    means = [mean * _TICKS for mean in case.services]
    now = 0.0
    seq = 0
    while True:
        now += exponential(per_tick)
        at = draw()
        k = 0
        while at >= shares[k] and k < len(shares) - 1:
            k += 1
        service = exponential(1 / means[k]) if case.exponential else means[k]
        seq += 1
        yield _Customer(int(now), seq, k + 1, int(service))


def _erlang_c(chairs: int, offered: float) -> float:
    blocked = 1.0
    for k in range(1, chairs + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked / (1 - offered / chairs * (1 - blocked))


def _row(case: Case) -> dict[str, Any]:
    expected = formula(case)
    means, fcfs = simulate(case)
    errors = [abs(mean / wait - 1) * 100 for mean, wait in zip(means, expected, strict=True)]
    said = ", ".join(f"{mean:.4g}" for mean in means)
    return {
        "id": case.id,
        "area": "queue",
        "what": f"{case.what}: worst class's error; mean waits {said}; beside: FCFS mean wait",
        "value": round(max(errors), 3),
        "unit": "%",
        "limit": "<= 2.0",
        "beside": round(fcfs, 4),
    }
