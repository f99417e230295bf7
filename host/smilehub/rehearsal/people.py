"""Visitors, who look and press keys; staff, who read the laptop's queue and send commands; power failures."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable

from hubcore.classes import ANY_LANE, LANES
from hubcore.fold import Hub
from hubcore.labels import PICTOGRAMS
from smilehub.devices.sources import firmware_root
from smilehub.errors import KioskRefused
from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.plan import Care, Outage, Visitor

_NEEDS = 5
_CHECKUP = 4  # the last need, the only one without the question after red flags
_FLAGS = 5
_EMERGENCIES = 0.04
_READS_S = 4.0
_ACKNOWLEDGES_S = 20.0
_TORN_WITHIN_S = 1800.0
_ANYBODY = Care(shows_up=True, walks_s=30.0, lasts_s=300.0)


class Visitors:
    """Those who come to one kiosk, and what they all know: its idle screen and the tickets seen so far."""

    def __init__(self, hub: SimulatedHub) -> None:
        self._hub = hub
        self._idle = b""
        self._seen: set[bytes] = set()
        self._looks: dict[int, bytes] = {}
        self._languages = len(list((firmware_root() / "kiosk" / "strings").glob("??.toml")))
        self.with_ticket = 0
        # Of whoever stands at the kiosk now:
        self._boots = 0  # how often the kiosk had started when they began
        self._pictogram = 0  # which they chose
        self._last_answer = False  # whether they may have given their last answer

    async def learn(self) -> None:
        """Look at the kiosk while nobody uses it."""
        await self._hub.eyes.still()
        self._idle = self._hub.eyes.heading()

    async def come(self, visitors: Iterable[Visitor], group: asyncio.TaskGroup) -> None:
        """Let them come when they come, each a task of ``group``."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for visitor in visitors:
            await asyncio.sleep(max(0.0, began + visitor.arrives_s - loop.time()))
            group.create_task(self.check_in(visitor))

    async def check_in(self, visitor: Visitor) -> None:
        """Walk up, answer, read the ticket, make room; after a power failure begin again, unless it was kept.

        Raises Dead if the powered kiosk does not react, or shows a ticket that cannot be right.
        """
        async with self._hub.at_kiosk:
            self._last_answer = False
            while True:
                self._boots = self._hub.board.stats.boots
                try:
                    # If the last answer was given before the power failed, the kiosk shows the ticket,
                    # or there is none.
                    if not self._last_answer:
                        await self._answer(visitor)
                    if await self._read():
                        break
                    self._last_answer = False
                except Dead:
                    if not self._interrupted:
                        raise
                    await self._hub.light()
            self.with_ticket += 1

    @property
    def _interrupted(self) -> bool:
        """Whether the power has failed under the hands of whoever stands at the kiosk."""
        board = self._hub.board
        return self._hub.dark or not board.powered or board.stats.boots != self._boots

    async def _answer(self, visitor: Visitor) -> None:
        """From idle to the screen after the last answer."""
        await self._to_idle(visitor.pace_s)
        draw = iter(visitor.answers)
        await self._press("yes", visitor.pace_s)
        await self._choose(int(next(draw) * self._languages), visitor.pace_s)
        need = int(next(draw) * _NEEDS)
        await self._choose(need, visitor.pace_s)
        if need != _CHECKUP:
            flag = next(draw)
            if flag < _EMERGENCIES:
                self._pictogram = 0  # nobody is asked in an emergency
                await self._choose(1 + int(flag / _EMERGENCIES * (_FLAGS - 1)), visitor.pace_s, last=True)
                return
            await self._choose(0, visitor.pace_s)
        await self._choose(int(next(draw) * len(LANES)), visitor.pace_s)
        self._pictogram = int(next(draw) * len(PICTOGRAMS))
        await self._choose(self._pictogram, visitor.pace_s, last=True)

    async def _read(self) -> bool:
        """Read the ticket and put the kiosk back to idle; False if what it shows is no new ticket."""
        eyes = self._hub.eyes
        picture = await eyes.still()
        if eyes.heading() == self._idle or not self._mine(picture):
            return False
        await asyncio.sleep(_READS_S)
        # From here on the ticket is in the visitor's head, whatever the power does.
        with contextlib.suppress(Dead):
            await self._press("yes", 0.5)
        return True

    def _mine(self, picture: bytes) -> bool:
        """Whether it is this visitor's ticket, which nobody had before. Raises Dead for a wrong pictogram."""
        ticket = self._hub.eyes.ticket()
        name, look = ticket if ticket is not None else (picture, None)
        if name in self._seen:
            return False
        if look is not None and self._looks.setdefault(self._pictogram, look) != look:
            raise Dead("The ticket shows another pictogram than was chosen.")
        self._seen.add(name)
        return True

    async def _to_idle(self, pace_s: float) -> None:
        for _ in range(12):
            await self._hub.eyes.still()
            if self._hub.eyes.heading() == self._idle:
                return
            await self._press("back", pace_s)
        raise Dead("Back was pressed twelve times and the kiosk is not idle.")

    async def _choose(self, index: int, pace_s: float, *, last: bool = False) -> None:
        for _ in range(index):
            await self._press("down", pace_s)
        self._last_answer = last
        await self._press("yes", pace_s)

    async def _press(self, key: str, pace_s: float) -> None:
        await asyncio.sleep(pace_s)
        if self._interrupted:  # what the kiosk shows now is not what the answer was for
            raise Dead("The power failed while somebody stood at the kiosk.")
        before = self._hub.eyes.picture()
        self._hub.press(key)
        await self._hub.eyes.change(before)


class Staff:
    """The people at the chairs and at the laptop."""

    def __init__(self, hub: SimulatedHub, care: Iterable[Care]) -> None:
        self._laptop = hub.laptop
        self._care = deque(care)
        self.closing = asyncio.Event()
        self._calling = asyncio.Lock()

    async def open(self, chairs: int) -> list[str]:
        """Open the day and the chairs; returns their names."""
        await self._laptop.command("day_open", {})
        names = [str(number + 1) for number in range(chairs)]
        for number, name in enumerate(names):
            await self._laptop.command("chair_open", {"chair": name, "lanes": [_lane_of(number)]})
        return names

    async def close(self, names: Iterable[str]) -> None:
        """Close the chairs and the day."""
        for name in names:
            await self._laptop.command("chair_close", {"chair": name})
        await self._laptop.command("day_close", {})

    async def work(self, name: str) -> None:
        """One chair: call whoever is next, for as long as somebody may come."""
        while True:
            await self._laptop.until(lambda hub: self.closing.is_set() or _somebody_for(name, hub))
            if self.closing.is_set():
                return
            async with self._calling:  # staff see each other call
                if not _somebody_for(name, self._laptop.fold):
                    continue
                try:
                    done = await self._laptop.command("call", {"chair": name})
                except KioskRefused:
                    continue  # the visitor has left meanwhile
            await self._look_after(name, self._laptop.fold.chairs[name].visit or str(done.result))

    async def acknowledge(self) -> None:
        """See to alerts, until cancelled."""
        while True:
            await self._laptop.until(lambda hub: bool(hub.alerts))
            await asyncio.sleep(_ACKNOWLEDGES_S)
            with contextlib.suppress(KioskRefused):
                await self._laptop.command("alert_ack", {})

    async def _look_after(self, chair: str, ticket: str) -> None:
        # More calls than visitors came: the day's report will say so.
        care = self._care.popleft() if self._care else _ANYBODY
        await asyncio.sleep(care.walks_s)
        if not care.shows_up:
            await self._laptop.command("recall", {"ticket": ticket})
            await asyncio.sleep(care.walks_s)
            await self._laptop.command("no_show", {"ticket": ticket})
            return
        await self._laptop.command("seated", {"ticket": ticket})
        await asyncio.sleep(care.lasts_s)
        await self._laptop.command("served", {"ticket": ticket})


async def fail_power(hub: SimulatedHub, outages: Iterable[Outage]) -> None:
    """Let the power fail as planned, each time until it is back."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for outage in outages:
        await asyncio.sleep(max(0.0, began + outage.at_s - loop.time()))
        if outage.in_flash_operation:
            hub.board.arm_cut(1, outage.tear)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TORN_WITHIN_S):
                    await hub.board.off()
        await hub.fail_power(outage.lasts_s)


def _lane_of(number: int) -> str:
    """The first chair serves everybody; the others one lane each in turn."""
    return ANY_LANE if number == 0 else LANES[1 + (number - 1) % (len(LANES) - 1)]


def _somebody_for(chair: str, hub: Hub) -> bool:
    return chair in hub.chairs and hub.pick(chair, hub.queue_ms) is not None
