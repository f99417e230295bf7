"""Monkeys at the kiosk: whatever is pressed, the screen lives, tickets are kept, and the heap stays flat.

`make soak` plays the long form: 20 monkeys of 10,000 presses, marked slow.
"""

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from clinic_rig import PACE_S, a_hub, play
from PIL import Image

from hubcore.records import Record
from smilehub.devices.assets_fonts import label_font
from smilehub.devices.assets_pictures import draw_line
from smilehub.errors import KioskRefused
from smilehub.rehearsal import plan
from smilehub.rehearsal.eyes import Eyes
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.people import Visitors
from smilehub.rehearsal.staff import Staff
from smilehub.sim.peripherals.st7796s import Traffic

_KEYS = ("up", "down", "yes", "back", "help")
# Yes most often: it is what gets a monkey anywhere.
_WEIGHTS = (3, 4, 8, 3, 1)
_ROUND = 250  # presses between two looks
_SILENCE_S = 300.0  # after which nothing that was begun may still stand: the desk's patience is the longest
#: Bytes of this interpreter by which what is in use at rest may grow: lists that the hub has grown to.
_FLAT = 4_000


class Monkey:
    """Presses the kiosk's keys at random, from ``seed``; ``shown`` are labels that stood on the panel."""

    def __init__(self, hub: SimulatedHub, seed: int) -> None:
        self.hub = hub
        self.rng = random.Random(f"monkey {seed}")
        self.presses = 0
        self.shown: set[str] = set()

    async def play(self, presses: int) -> None:
        """So many presses, holds, chords and bounces."""
        while presses > 0:
            presses -= await self._something()
            await self.look()

    async def look(self) -> None:
        """Note the label that stands on the panel; one that is half drawn over another is none."""
        if await self.hub.eyes.stands() and (label := self.hub.eyes.label()):
            self.shown.add(label)

    async def _something(self) -> int:
        rng = self.rng
        keys = self.hub.board.keys
        key = rng.choices(_KEYS, _WEIGHTS)[0]
        what = rng.random()
        count = 1
        if what < 0.80:
            keys.press(key, rng.randrange(20, 200))
        elif what < 0.87:
            keys.press(key, rng.randrange(800, 3000))  # held
        elif what < 0.94:
            for other in rng.sample(_KEYS, rng.randint(2, 5)):  # a whole hand
                keys.press(other, rng.randrange(30, 1500))
                count += 1
        else:
            for _ in range(rng.randint(2, 6)):  # a finger that trembles
                keys.press(key, rng.randrange(1, 12))
                await asyncio.sleep(rng.uniform(0.001, 0.02))
                count += 1
        self.presses += count
        # What stands still for a third of a second is drawn; sometimes there is no time for that.
        await asyncio.sleep(rng.choice((0.05, 0.4, 0.4, 0.7)))
        return count


class Panel:
    """Shows a ticket's label; one that is being drawn gets more with each look."""

    lit = True

    def __init__(self, label: str, drawing: bool) -> None:
        self._total = Traffic()
        self._drawing = drawing
        self._image = Image.new("RGB", (480, 320))
        self._image.paste((255, 255, 255), (8, 72), draw_line(label_font(), label))

    @property
    def total(self) -> Traffic:
        self._total.pixel_bytes += self._drawing
        return self._total

    def image(self) -> Image.Image:
        return self._image


@pytest.mark.parametrize("drawing", [False, True])
def test_a_ticket_that_is_nowhere_is_seen_unless_it_is_half_another(drawing: bool) -> None:
    hub = SimpleNamespace(eyes=Eyes(cast(Any, Panel("K590", drawing))))
    monkey = Monkey(cast(SimulatedHub, hub), 1)
    asyncio.run(monkey.look())
    assert hub.eyes.label() == "K590"
    assert monkey.shown == (set() if drawing else {"K590"})


async def _staff(hub: SimulatedHub, work: Staff) -> None:
    """Make room all day: somebody has to see the monkeys' tickets."""
    async with asyncio.TaskGroup() as group:
        for name in ("1", "2"):
            await hub.laptop.command("chair_open", {"chair": name, "lanes": []})
            group.create_task(work.work(name))
        group.create_task(work.acknowledge())


def _a_monkey_s_day(folder: Path, seed: int, presses: int) -> None:
    issued: set[str] = set()

    def tell(record: Record) -> None:
        if record.kind in ("checkin", "promised"):
            issued.update((record.body["label"], *record.body.get("others", ())))

    with a_hub(folder, seed, measure=True) as hub:
        hub.laptop.on_record.append(tell)
        monkey = Monkey(hub, seed)
        at_rest: list[int] = []

        async def scene(visitors: Visitors) -> None:
            await hub.laptop.command("staff_set", {"staff": "Ana", "pin": "udybud"})
            work = Staff(hub, [plan.Care(True, 2.0, 20.0)] * presses)
            staff = asyncio.create_task(_staff(hub, work))
            for number in range(max(1, presses // _ROUND)):
                await monkey.play(_ROUND)
                await asyncio.sleep(_SILENCE_S)
                assert hub.eyes.screen() == "idle", "after silence the kiosk is free for the next one"
                assert hub.eyes.page().heading
                hub.board.stats.heap_low = None
                await visitors.check_in(plan.Visitor(number, 0.0, PACE_S, language=number))
                assert visitors.with_ticket == number + 1, "and a check-in works"
                await asyncio.sleep(_SILENCE_S)
                assert not staff.done(), staff.exception()
                await hub.laptop.until(lambda fold: not fold.visits)
                at_rest.append(hub.board.stats.heap_low or 0)
            staff.cancel()
            await asyncio.gather(staff, return_exceptions=True)
            await _everything_agrees(hub)

        play(hub, scene)
        assert hub.board.stats.boots == 1, "nothing that is pressed restarts the kiosk"
        assert "Traceback" not in hub.board.console_text()
        assert hub.laptop.fold.faults <= 1, "the clock's alone"
        lost = monkey.shown - issued
        assert not lost, f"tickets that were shown and are nowhere: {lost}"
        assert monkey.shown, "a monkey gets a ticket now and then"
        # The first rounds load what is loaded once; at any look something may be there for a while.
        half = 2 + (len(at_rest) - 2) // 2
        assert min(at_rest[half:]) - min(at_rest[2:half]) <= _FLAT, at_rest


async def _everything_agrees(hub: SimulatedHub) -> None:
    """The kiosk's fold is the one of the laptop's store."""
    client = hub.laptop._client
    assert client is not None
    for _ in range(20):
        state = await client.state()
        await hub.laptop.until(lambda fold, to=state.next_seq: fold.next_seq >= to)
        if hub.laptop.fold.next_seq == state.next_seq:
            assert hub.laptop.fold.digest() == state.digest
            return
    raise AssertionError("the kiosk never stops writing")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_monkey_of_two_thousand_presses(seed: int, tmp_path: Path) -> None:
    _a_monkey_s_day(tmp_path, seed, 2_000)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_monkey_of_ten_thousand_presses(seed: int, tmp_path: Path) -> None:
    _a_monkey_s_day(tmp_path, seed, 10_000)


def test_a_monkey_cannot_talk_the_desk_into_anything(tmp_path: Path) -> None:
    """Without a PIN nothing but a check-in, a call for help or a code is ever recorded."""
    with a_hub(tmp_path, 3) as hub:
        kinds: set[str | None] = set()
        hub.laptop.on_record.append(lambda record: kinds.add(record.kind))
        monkey = Monkey(hub, 3)

        async def scene(_: Visitors) -> None:
            await hub.laptop.command("staff_set", {"staff": "Ana", "pin": "udybud"})
            for _ in range(30):  # at the desk's door again and again
                hub.hold("yes", 1500)
                await asyncio.sleep(2.0)
                await monkey.play(12)
                await asyncio.sleep(_SILENCE_S)
            with pytest.raises(KioskRefused):
                await hub.laptop.command("served", {"ticket": "K10"})
            await asyncio.sleep(1.0)

        play(hub, scene)
        assert kinds <= {
            "boot", "clock_set", "fault", "receipt", "day_opened", "staff_set", "staff_refused", "checkin",
            "consent_given", "consent_withdrawn", "left", "alert_raised", "code_missed", "command_done",
        }  # fmt: skip
