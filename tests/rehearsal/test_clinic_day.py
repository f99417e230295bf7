"""A clinic day in one script, entered through keys and ports alone, and read off the panel and the store."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from clinic_rig import a_hub

from hubcore import records
from hubcore.records import Record
from smilehub.errors import KioskRefused
from smilehub.rehearsal import plan
from smilehub.rehearsal.atdesk import AtDesk
from smilehub.rehearsal.day import tickets_of
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.people import Visitors
from smilehub.rehearsal.staff import Staff

_PACE_S = 0.5
_EMERGENCIES = {7: "breathing", 21: "bleeding"}
_FAMILY, _FAMILY_SIZE = 11, 4
_FORGOTTEN = "uuuuuu"


def _visitors() -> list[plan.Visitor]:
    """Thirty-seven people alone or in emergencies and a family: forty in all, of every kind there is."""
    found = []
    for number in range(37):
        found.append(
            plan.Visitor(
                number,
                0.0,
                _PACE_S,
                language=number % 4,
                need="toothache" if number in _EMERGENCIES else plan.NEEDS[number % len(plan.NEEDS)],
                flag=_EMERGENCIES.get(number),
                lane=("any", "adult", "child")[number % 3],
                size=_FAMILY_SIZE if number == _FAMILY else 1,
                picture=number % 9,
                consents=None if number % 5 == 0 else (number % 2 == 0, number % 3 == 0),
                later={2: "withdraw", 4: "withdraw", 8: "leave", 13: "find", 14: "withdraw"}.get(number, ""),
                later_s=25.0,
            )
        )
    return found


class Day:
    """The day's people, and what the test remembers of it."""

    def __init__(self, hub: SimulatedHub) -> None:
        self.hub = hub
        self.visitors = Visitors(hub)
        care = [plan.Care(n not in (3, 9), 20.0, 240.0 + 60 * (n % 4)) for n in range(60)]
        self.staff = Staff(hub, care)
        self.people: Iterator[plan.Visitor] = iter(_visitors())
        self.coming: list[asyncio.Task[None]] = []
        self.ana = AtDesk(hub, "Ana", "udybud")
        self.ben = AtDesk(hub, "Ben", "bbdduu")

    async def come(self, count: int, every_s: float) -> None:
        """So many of the people come, one after the other."""
        for _ in range(count):
            await asyncio.sleep(every_s)
            self.coming.append(asyncio.create_task(self.visitors.visit(next(self.people))))

    async def settled(self) -> None:
        """Until everybody who has come is done at the kiosk."""
        await asyncio.gather(*self.coming)

    # The day, hour by hour.

    async def opening(self) -> None:
        await self.hub.laptop.command("staff_set", {"staff": "Ana", "pin": "udybud"})
        await self.hub.laptop.command("staff_set", {"staff": "Ben", "pin": _FORGOTTEN})
        async with self.hub.at_kiosk:
            assert await self.ana.sign_in()
            await self.ana.act("desk.day_open", sure=True)
            await self.ana.act("desk.chair_open", "1", "desk.lane_any")
            await self.ana.act("desk.chair_open", "2", "desk.lane_child")
            await self.ana.sign_out()

    async def lunch(self) -> None:
        for act in ("desk.pause", "desk.unpause"):
            async with self.hub.at_kiosk:
                ana = self.ana
                assert await ana.sign_in()
                for chair in ("1", "2"):
                    await self._chair(ana, chair)
                    await ana.act(act)
                await ana.sign_out()
            if act == "desk.pause":
                await self.come(8, 60.0)
                await self.settled()
                await asyncio.sleep(1800.0)

    async def _chair(self, at: AtDesk, chair: str) -> None:
        # The row says who is there; the chair's name comes first in it.
        await at.see_to_alerts()
        for _ in range(12):
            if at.hands.eyes.page().chosen.startswith(f"{chair}: "):
                break
            await at.hands.press("down")
            await at.hands.eyes.still()
        await at.hands.press("yes")
        await at.hands.eyes.still()

    async def a_forgotten_pin_and_an_act_taken_back(self) -> None:
        async with self.hub.at_kiosk:
            assert not await self.ben.sign_in()
            assert not await self.ben.sign_in()
            assert not await self.ben.sign_in()
            await self.hub.laptop.command("staff_set", {"staff": "Ben", "pin": self.ben.pin})
            ben = self.ben
            assert await ben.sign_in(), "the new PIN is taken, and at once"
            await ben.act("desk.chair_open", "3", "desk.lane_any")
            await self._chair(ben, "3")
            await ben.act("desk.call")
            await self._until_called_to("3")
            self.called_by_mistake = self.hub.laptop.fold.chairs["3"].visit
            await ben.act("desk.undo", sure=True)
            await self.hub.laptop.until(lambda fold: fold.chairs["3"].visit is None)
            assert self.called_by_mistake in self.hub.laptop.fold.visits
            await self._chair(ben, "3")
            await ben.act("desk.chair_close", sure=True)
            await ben.sign_out()

    async def _until_called_to(self, chair: str) -> None:
        await self.hub.laptop.until(lambda fold: fold.chairs[chair].visit is not None)

    async def a_power_cut_in_mid_check_in(self) -> None:
        boots = self.hub.board.stats.boots
        comer = next(self.people)
        self.coming.append(asyncio.create_task(self.visitors.visit(comer)))
        while self.hub.eyes.screen() != "size.title":
            await asyncio.sleep(0.2)
        await self.hub.fail_power(40.0)
        assert self.hub.eyes.page().heading == "Your place is kept.", "for those who wait"
        await self.settled()
        assert self.hub.board.stats.boots == boots + 1
        assert comer.number in self.visitors.tickets

    async def full(self) -> None:
        async with self.hub.at_kiosk:
            ana = self.ana
            assert await ana.sign_in()
            await ana.act("desk.full", sure=True)
            await ana.sign_out()

    async def closing(self) -> None:
        """Staff go home; what is still open is settled one by one, then all at once."""
        self.staff.closing.set()
        await self.hub.laptop.nudge()
        await asyncio.gather(*self.work)
        async with self.hub.at_kiosk:
            ana = self.ana
            assert await ana.sign_in()
            await ana.hands.choose("desk.day_close")
            await ana.hands.expect("desk.close")
            await ana.hands.press("down")
            await ana.hands.press("down")
            await ana.hands.eyes.still()
            self.settled_alone = ana.hands.eyes.page().chosen.split()[0]
            await ana.hands.press("yes")
            await ana.hands.expect("desk.how")
            await ana.hands.choose("desk.left")
            await ana.hands.expect("desk.close")
            await ana.hands.choose("desk.all_tomorrow")
            await ana.hands.expect("desk.sure_title")
            await ana.hands.press("yes")
            await ana.hands.expect("desk.closed")
            await ana.sign_out()
        await self.hub.laptop.until(lambda fold: not fold.day_open)

    async def whole(self) -> None:
        await self.hub.power_on()
        watch = asyncio.create_task(self.hub.laptop.watch())
        await self.opening()
        self.work = [asyncio.create_task(self.staff.work(name)) for name in ("1", "2")]
        alerts = asyncio.create_task(self.staff.acknowledge())
        await self.come(14, 75.0)
        await self.settled()
        await self.lunch()
        await self.a_forgotten_pin_and_an_act_taken_back()
        await self.a_power_cut_in_mid_check_in()
        await self.come(11, 60.0)
        await self.settled()
        await self.full()
        await self.come(3, 30.0)
        await self.settled()
        await self.closing()
        for task in (alerts, watch):
            task.cancel()
        await asyncio.gather(alerts, watch, return_exceptions=True)
        self.report, self.on_kiosk = await self.hub.laptop.verify()


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with a_hub(tmp_path_factory.mktemp("day"), 40) as hub:
        day = Day(hub)
        day.records: list[Record] = []  # type: ignore[misc]
        hub.laptop.on_record.append(day.records.append)
        hub.kernel.run(day.whole())
        yield day


def of(day: Day, *kinds: str) -> list[Record]:
    return [record for record in day.records if record.kind in kinds]


def test_laptop_and_kiosk_hold_the_same(day: Day) -> None:
    assert day.report.ok, day.report.faults
    assert day.report.records == day.on_kiosk == len(day.records)
    assert "Traceback" not in day.hub.board.console_text()
    tasks = {record.body["task"] for record in of(day, "fault")}
    assert tasks <= {"clock"}, "the clock's battery is new; nothing else failed"


def test_everybody_got_the_ticket_that_the_panel_showed(day: Day) -> None:
    shown = [label for ticket in day.visitors.tickets.values() for label in ticket.labels]
    issued = [
        label
        for record in of(day, "checkin", "promised")
        for label in [record.body["label"], *record.body.get("others", ())]
    ]
    assert sorted(shown) == sorted(issued)
    assert len(shown) == len(set(shown)) == 40
    assert day.visitors.turned_away == 0
    assert sum(tickets_of(record) for record in of(day, "checkin")) == 37
    family = day.visitors.tickets[_FAMILY]
    assert len(family.labels) == _FAMILY_SIZE
    pictures = {r.body["label"]: r.body["pictogram"] for r in of(day, "checkin", "promised")}
    for ticket in day.visitors.tickets.values():
        assert not ticket.picture or pictures[ticket.labels[0]] == ticket.picture


def test_what_people_said_is_what_the_store_has(day: Day) -> None:
    by_label = {record.body["label"]: record.body for record in of(day, "checkin", "promised")}
    for visitor in _visitors():
        body = by_label[day.visitors.tickets[visitor.number].labels[0]]
        assert body["lang"] == ("en", "es", "fr", "uk")[visitor.language]
        if visitor.flag is None:
            assert (body["said"], body["lane"]) == (visitor.need, visitor.lane)
        else:
            assert body["need"] == "emergency"
    consents: dict[str, set[str]] = {}
    for record in of(day, "consent_given", "consent_withdrawn"):
        held = consents.setdefault(record.body["label"], set())
        (held.add if record.kind == "consent_given" else held.discard)(record.body["purpose"])
    for ticket in day.visitors.tickets.values():
        for label in ticket.labels:
            assert consents.get(label, set()) == ticket.given, label
    assert of(day, "consent_withdrawn"), "somebody came back for it"
    assert day.visitors.to_withdraw and max(day.visitors.to_withdraw) <= 40


def test_emergencies_raised_alerts_and_were_called_first(day: Day) -> None:
    emergencies = [r for r in of(day, "checkin") if r.body["need"] == "emergency"]
    assert len(emergencies) == len(_EMERGENCIES)
    acknowledged = {record.body["alert"] for record in of(day, "alert_acknowledged")}
    for record in emergencies:
        assert record.seq in acknowledged
        calls = [r for r in of(day, "called") if r.seq > record.seq]
        ahead = [r for r in calls if r.body["chair"] == "1"]
        assert record.body["label"] in [r.body["label"] for r in calls[:2]], (record, ahead)


def test_nobody_is_called_while_the_chairs_pause(day: Day) -> None:
    paused: set[str] = set()
    hours = 0
    for record in day.records:
        if record.kind == "chair_paused":
            hours += record.body["paused"]
            (paused.add if record.body["paused"] else paused.discard)(record.body["chair"])
        elif record.kind == "called":
            assert record.body["chair"] not in paused
    assert hours == 2 and not paused


def test_staff_are_known_by_their_pins(day: Day) -> None:
    assert Counter(r.body["staff"] for r in of(day, "staff_set")) == {"Ana": 1, "Ben": 2}
    assert len(of(day, "staff_refused")) >= 2
    who = {record.body.get("who") for record in of(day, "day_opened", "chair_paused", "day_closed")}
    assert who == {"Ana"}
    (undone,) = of(day, "corrected")
    assert undone.body["who"] == "Ben"
    call = next(r for r in day.records if r.seq == undone.body["undone"])
    assert (call.kind, call.body["label"]) == ("called", day.called_by_mistake)
    raw = b"".join(raw for _, raw in day.hub.store.records(day.report.journal_id))
    assert b"udybud" not in raw and day.ben.pin.encode() not in raw


def test_the_day_ended_with_what_happened(day: Day) -> None:
    counts = day.hub.laptop.fold.counts
    assert counts["waiting"] == counts["called"] == counts["seated"] == 0
    assert counts["absent"] == 2
    left = [r.body["label"] for r in of(day, "left")]
    assert day.settled_alone in left
    assert day.visitors.tickets[8].labels[0] in left or any(
        r.body["label"] == day.visitors.tickets[8].labels[0] for r in of(day, "called")
    )
    promised = set(day.hub.laptop.fold.promises)
    later = [t for t in day.visitors.tickets.values() if t.tomorrow]
    assert len(later) == 3 and all(t.labels[0] in promised for t in later)
    assert of(day, "full_today") and of(day, "day_closed")[0].body["rest"] == "tomorrow"
    assert len([r for r in day.records if r.kind == "boot"]) == 2
    assert records.decode(next(iter(day.hub.store.records(day.report.journal_id)))[1]).kind == "boot"


def test_a_closed_day_takes_nobody(day: Day) -> None:
    async def late() -> None:
        watch = asyncio.create_task(day.hub.laptop.watch())
        visitors = Visitors(day.hub)
        await visitors.check_in(plan.Visitor(99, 0.0, _PACE_S))
        assert (visitors.with_ticket, visitors.turned_away) == (0, 1)
        with pytest.raises(KioskRefused):
            await day.hub.laptop.command("call", {"chair": "1"})
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    day.hub.kernel.run(late())
