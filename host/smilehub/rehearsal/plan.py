"""Who comes when, and what power does: a clinic day drawn from a seed, as plain data."""

import random
from dataclasses import dataclass, replace

_DAY_S = 8 * 3600
_BUSIEST_GAP_S = 130.0  # mean seconds between arrivals on a busy day; a full day holds about 200 visitors
_BRISK = 12.0  # a live show runs so much faster than a clinic
_OPENING_S = 120.0
_MEAN_SERVICE_S = 720.0
_NO_SHOW = 0.03


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person: when they come (seconds of clinic time), how they answer and how fast."""

    number: int
    arrives_s: float
    answers: tuple[float, ...]  # one draw in [0, 1) a question; the screen's length turns it into a choice
    pace_s: float  # thinking time before a key press


@dataclass(frozen=True, slots=True)
class Care:
    """What follows a call: whether the visitor comes, after how long, and how long care takes."""

    shows_up: bool
    walks_s: float
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Outage:
    """A power failure: at a time, or at the first flash operation after it; and how long it lasts."""

    at_s: float
    in_flash_operation: bool
    tear: float  # share of the flash operation that is still carried out, 0 to 1
    lasts_s: float


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A whole day."""

    visitors: tuple[Visitor, ...]
    care: tuple[Care, ...]  # by the order of the calls
    outages: tuple[Outage, ...]
    chairs: int


def draw(visitors: int, seed: int, outages: int = 0) -> DayPlan:
    """Draw a day of ``visitors`` people and ``outages`` power failures; the same arguments give the same day.

    Raises ValueError for fewer than one visitor or a negative number of outages.
    """
    if visitors < 1 or outages < 0:
        raise ValueError("a day needs at least one visitor and no fewer than zero outages")
    rng = random.Random(f"smilehub day {seed} {visitors}")
    gap = max(_BUSIEST_GAP_S, _DAY_S * 0.9 / visitors) if visitors > 20 else _BUSIEST_GAP_S
    now = _OPENING_S
    people: list[Visitor] = []
    for number in range(visitors):
        now += rng.expovariate(1 / gap)
        people.append(
            Visitor(
                number=number,
                arrives_s=now,
                answers=tuple(rng.random() for _ in range(8)),
                pace_s=rng.uniform(0.6, 2.5),
            )
        )
    failures = sorted(rng.uniform(people[0].arrives_s, now + 60) for _ in range(outages))
    return DayPlan(
        visitors=tuple(people),
        care=tuple(
            Care(
                shows_up=rng.random() >= _NO_SHOW,
                walks_s=rng.uniform(10, 60),
                lasts_s=max(120.0, rng.expovariate(1 / _MEAN_SERVICE_S)),
            )
            for _ in range(visitors)
        ),
        outages=tuple(
            Outage(
                at_s=at,
                in_flash_operation=rng.random() < 0.5,
                tear=rng.random(),
                lasts_s=rng.uniform(5, 120),
            )
            for at in failures
        ),
        chairs=max(2, round(1.25 * _MEAN_SERVICE_S / gap)),
    )


def brisk(seed: int) -> DayPlan:
    """A day for people to watch in real time: somebody new every few seconds, short care, no end."""
    slow = draw(1000, seed)
    return replace(
        slow,
        visitors=tuple(replace(v, arrives_s=(v.arrives_s - _OPENING_S) / _BRISK) for v in slow.visitors),
        care=tuple(
            replace(c, walks_s=c.walks_s / _BRISK, lasts_s=max(8.0, c.lasts_s / _BRISK)) for c in slow.care
        ),
        chairs=4,
    )
