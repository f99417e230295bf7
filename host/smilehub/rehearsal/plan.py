"""Who comes when, and what power does: a clinic day drawn from a seed, as plain data."""

import random
from dataclasses import dataclass, replace

from hubcore.classes import LANES

_DAY_S = 8 * 3600
_BUSIEST_GAP_S = 130.0  # mean seconds between people on a busy day; a full day holds about 200
_BRISK = 12.0  # a live show runs so much faster than a clinic
_OPENING_S = 120.0
_MEAN_SERVICE_S = 720.0
_NO_SHOW = 0.03
_EMERGENCIES = 0.04
_FAMILIES = 0.15
_ENDURES_S = 1200.0  # who comes back to the kiosk does so within this time

NEEDS = ("toothache", "swelling", "bleeding", "broken", "denture", "checkup")
FLAGS = ("breathing", "swelling", "bleeding", "injury", "sepsis")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody, perhaps with a family: when they come (seconds of clinic time), what they answer, how fast.

    ``language`` and ``picture`` count places on the kiosk's screen, the last of the nine pictures being
    "more"; ``flag`` is a red flag or None. ``later`` is what they come back for: "withdraw" a consent (or
    give one), "leave" the queue, "find" their ticket, or "" nothing; ``later_s`` s after their check-in.
    """

    number: int
    arrives_s: float
    pace_s: float = 1.0  # thinking time before a key press
    language: int = 0
    need: str = "toothache"
    flag: str | None = None
    lane: str = LANES[0]
    size: int = 1
    picture: int = 0
    consents: tuple[bool, bool] | None = None  # teaching, study; None: does not want to be asked
    later: str = ""
    later_s: float = 300.0

    @property
    def people(self) -> int:
        """How many tickets it takes; nobody brings a family into an emergency."""
        return 1 if self.flag else self.size


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

    @property
    def people(self) -> int:
        """How many tickets the day takes."""
        return sum(visitor.people for visitor in self.visitors)


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
    left = visitors
    while left:
        one = _somebody(rng, len(people), now, left)
        # As many people an hour, whether they come alone or together.
        now += rng.expovariate(1 / gap) * one.people
        people.append(replace(one, arrives_s=now))
        left -= one.people
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
        visitors=tuple(
            replace(v, arrives_s=(v.arrives_s - _OPENING_S) / _BRISK, later_s=v.later_s / _BRISK)
            for v in slow.visitors
        ),
        care=tuple(
            replace(c, walks_s=c.walks_s / _BRISK, lasts_s=max(8.0, c.lasts_s / _BRISK)) for c in slow.care
        ),
        chairs=4,
    )


def _somebody(rng: random.Random, number: int, arrives_s: float, most: int) -> Visitor:
    need = rng.choice(NEEDS)
    flagged = rng.random() < _EMERGENCIES and need != "checkup"  # only a check-up is not asked for red flags
    size = min(most, rng.randint(2, 6)) if rng.random() < _FAMILIES else 1
    return Visitor(
        number=number,
        arrives_s=arrives_s,
        pace_s=rng.uniform(0.6, 2.5),
        language=rng.randrange(4),
        need=need,
        flag=rng.choice(FLAGS) if flagged else None,
        lane=rng.choice(LANES),
        size=size,
        picture=rng.randrange(9),
        consents=(rng.random() < 0.4, rng.random() < 0.4) if rng.random() < 0.7 else None,
        later=rng.choice(("", "", "", "", "withdraw", "withdraw", "leave", "find")),
        later_s=rng.uniform(60.0, _ENDURES_S),
    )
