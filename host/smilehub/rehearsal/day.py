"""A whole clinic day, from the first key to the last check that laptop and kiosk agree."""

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from hubcore.records import Record
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.people import Visitors
from smilehub.rehearsal.plan import DayPlan
from smilehub.rehearsal.staff import Staff, fail_power

#: So long after the last arrival everybody has been cared for, on the busiest day.
_OVERTIME_S = 12 * 3600.0
_INTERPRETER = re.compile(r"\(name='.*\)")


@dataclass(frozen=True, slots=True)
class DayReport:
    """What a day came to. ``visitors`` are people who hold a ticket, each of a family one, ``turned_away``
    those who were told why there was none. ``presses_to_give`` and ``presses_to_withdraw`` are key presses
    from idle until a consent was given, and until it was withdrawn; ``presses_lost`` those that the kiosk did
    not feel, as a session began. Paths are of files that are left; heap figures as the firmware sees them.
    """

    visitors: int
    tickets_issued: int
    tickets_called: int
    tickets_served: int
    tickets_left: int
    turned_away: int
    records_on_kiosk: int
    records_on_laptop: int
    queue_agrees: bool
    journal_verified: bool
    faults: tuple[str, ...]
    interpreter: str
    heap_limit_bytes: int
    heap_peak_bytes: int
    lcd_png: str | None
    wall_png: str | None
    store: str | None
    flash: str | None
    power_failures: int
    presses_to_give: tuple[int, ...]
    presses_to_withdraw: tuple[int, ...]
    presses_lost: int
    clinic_seconds: float
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether everything agrees and every visitor got exactly one ticket."""
        return (
            self.queue_agrees
            and self.journal_verified
            and self.visitors == self.tickets_issued
            and self.records_on_kiosk == self.records_on_laptop
            and self.heap_peak_bytes <= self.heap_limit_bytes
        )

    def json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)


#: Gets each record as it reaches the laptop.
Tell = Callable[[Record], None]


def run(hub: SimulatedHub, plan: DayPlan, tell: Tell = lambda _: None) -> DayReport:
    """Rehearse ``plan`` on a virtual hub, to the end.

    Raises Dead if the kiosk no longer reacts, BoardError if it does not run, and what ends a watch.
    """
    return hub.kernel.run(_first(_day(hub, plan, tell)))


async def show(hub: SimulatedHub, plan: DayPlan, tell: Tell) -> None:
    """Open the day and let people come, in real time, until cancelled. Raises as :func:`run`."""
    hub.laptop.on_record.append(tell)
    await hub.power_on()
    visitors = Visitors(hub)
    staff = Staff(hub, plan.care)
    async with asyncio.TaskGroup() as group:
        group.create_task(hub.laptop.watch())
        chairs = await staff.open(plan.chairs)
        group.create_task(staff.acknowledge())
        for name in chairs:
            group.create_task(staff.work(name))
        await visitors.come(plan.visitors, group)


async def _first(day: Coroutine[Any, Any, DayReport]) -> DayReport:
    """Of several tasks that failed together, the first says why."""
    try:
        return await day
    except ExceptionGroup as group:
        first: Exception = group
        while isinstance(first, ExceptionGroup):
            first = first.exceptions[0]  # pyright: ignore[reportUnknownVariableType] -- of any kind
        raise first from None


async def _day(hub: SimulatedHub, plan: DayPlan, tell: Tell) -> DayReport:
    began = time.monotonic()
    loop = asyncio.get_running_loop()
    opened_s = loop.time()
    seen: Counter[str] = Counter()
    hub.laptop.on_record.append(lambda record: seen.update({str(record.kind): tickets_of(record)}))
    hub.laptop.on_record.append(tell)
    await hub.power_on()
    visitors = Visitors(hub)
    staff = Staff(hub, plan.care)
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(hub.laptop.watch())
        chairs = await staff.open(plan.chairs)
        outages = group.create_task(fail_power(hub, plan.outages))
        alerts = group.create_task(staff.acknowledge())
        work = [group.create_task(staff.work(name)) for name in chairs]
        await asyncio.gather(*await visitors.come(plan.visitors, group))
        await outages
        # If somebody never gets a ticket, the day ends all the same and its report says so.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OVERTIME_S):
                await hub.laptop.until(lambda fold: _all_gone(fold.counts, visitors.with_ticket))
        alerts.cancel()
        staff.closing.set()
        await hub.laptop.nudge()
        await asyncio.gather(*work)
        await staff.close(chairs)
        watch.cancel()
    report, on_kiosk = await hub.laptop.verify()
    clinic_s = loop.time() - opened_s
    pictures = hub.folder / "lcd.png", hub.folder / "wall.png"
    for name, path in zip(("panel", "wall"), pictures, strict=True):
        hub.board.part(name).png(path)
    stats = hub.board.stats
    found = _INTERPRETER.findall(hub.board.console_text())
    return DayReport(
        visitors=visitors.with_ticket,
        tickets_issued=seen["checkin"],
        tickets_called=seen["called"],
        tickets_served=seen["served"],
        tickets_left=seen["left"],
        turned_away=visitors.turned_away,
        records_on_kiosk=on_kiosk,
        records_on_laptop=report.records,
        queue_agrees=bool(report.agrees),
        journal_verified=report.ok,
        faults=tuple(report.faults),
        interpreter=found[-1] if found else "",
        heap_limit_bytes=stats.heap_given,
        heap_peak_bytes=stats.heap_peak,
        lcd_png=str(pictures[0]),
        wall_png=str(pictures[1]),
        store=str(hub.store.path),
        flash=str(hub.flash),
        power_failures=hub.outages,
        presses_to_give=tuple(visitors.to_give),
        presses_to_withdraw=tuple(visitors.to_withdraw),
        presses_lost=hub.lost_presses,
        clinic_seconds=round(clinic_s, 3),
        seconds=round(time.monotonic() - began, 3),
    )


def tickets_of(record: Record) -> int:
    """How many tickets a record is about: a family's check-in, or leaving, is one record."""
    return 1 + len(record.body.get("others") or ())


def _all_gone(counts: dict[str, int], expected: int) -> bool:
    open_now = counts["waiting"] + counts["called"] + counts["seated"]
    return open_now == 0 and counts["issued"] >= expected
