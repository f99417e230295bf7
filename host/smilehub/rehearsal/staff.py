"""Staff at the laptop, who read its queue and send commands; and power failures."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable

from hubcore.classes import ANY_LANE, LANES
from hubcore.fold import Hub
from smilehub.errors import KioskRefused
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.plan import Care, Outage

_ACKNOWLEDGES_S = 20.0
_TORN_WITHIN_S = 1800.0
_ANYBODY = Care(shows_up=True, walks_s=30.0, lasts_s=300.0)


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
            with contextlib.suppress(KioskRefused):  # the visitor leaves by the kiosk when called
                await self._look_after(self._laptop.fold.chairs[name].visit or str(done.result))

    async def acknowledge(self) -> None:
        """See to alerts, until cancelled."""
        while True:
            await self._laptop.until(lambda hub: bool(hub.alerts))
            await asyncio.sleep(_ACKNOWLEDGES_S)
            with contextlib.suppress(KioskRefused):
                await self._laptop.command("alert_ack", {})

    async def _look_after(self, ticket: str) -> None:
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
    if chair not in hub.chairs or hub.chairs[chair].paused:
        return False
    return hub.pick(chair, hub.queue_ms) is not None
