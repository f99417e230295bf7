"""Clinic days for tests: crowded and short of power, run in virtual time."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from smilehub.rehearsal import day, people, plan
from smilehub.rehearsal.hub import SimulatedHub

#: Quick hands: a check-in takes some seconds.
PACE_S = 0.4


@contextmanager
def a_hub(folder: Path, seed: int = 1, **more: Any) -> Generator[SimulatedHub]:
    hub = SimulatedHub(folder, seed, **{"measure": False, **more})
    try:
        yield hub
    finally:
        hub.close()


def crowded(seed: int, visitors: int | None = None, outages: int | None = None) -> plan.DayPlan:
    """People come faster than they can check in, and the power fails while they stand there."""
    rng = random.Random(f"dense {seed}")
    people_count, failures = rng.randint(4, 8), rng.randint(3, 6)
    today = plan.draw(
        people_count if visitors is None else visitors, seed, failures if outages is None else outages
    )
    now = 30.0
    comers: list[plan.Visitor] = []
    for visitor in today.visitors:
        now += rng.expovariate(1 / 25)
        comers.append(
            replace(visitor, arrives_s=now, pace_s=rng.uniform(0.3, 1.2), later_s=rng.uniform(20, 90))
        )
    first = comers[0].arrives_s
    moved = [
        replace(outage, at_s=rng.uniform(first, now + 120), lasts_s=rng.uniform(1, 20))
        for outage in today.outages
    ]
    return replace(
        today,
        visitors=tuple(comers),
        outages=tuple(sorted(moved, key=lambda outage: outage.at_s)),
        care=tuple(replace(care, lasts_s=care.lasts_s / 6) for care in today.care),
    )


def one_day(folder: Path, today: plan.DayPlan, seed: int) -> tuple[day.DayReport, str]:
    """The report of a day and what the board printed."""
    with a_hub(folder, seed) as hub:
        return day.run(hub, today), hub.board.console_text()


def a_visitor(number: int = 0, emergency: bool = False) -> plan.Visitor:
    """Somebody quick, with a toothache or worse."""
    return plan.Visitor(number, 0.0, PACE_S, flag="breathing" if emergency else None, picture=number % 9)


def play(hub: SimulatedHub, scene: Callable[[people.Visitors], Awaitable[None]]) -> None:
    """Switch on, open the day and one chair with a laptop that watches, then play ``scene``."""

    async def whole() -> None:
        await hub.power_on()
        watch = asyncio.create_task(hub.laptop.watch())
        await hub.laptop.command("day_open", {})
        try:
            await scene(people.Visitors(hub))
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    hub.kernel.run(whole())
