"""Staying in touch with a kiosk: search, connect, catch up, listen; change to a better way; begin again."""

import asyncio
import enum
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from smilehub.errors import (
    KioskFault,
    LinkError,
    NoDevice,
    NotAPort,
    PortForbidden,
    ProtocolError,
    WrongPeer,
)
from smilehub.link.client import KioskClient
from smilehub.link.messages import Head
from smilehub.store.database import Store
from smilehub.sync.lists import Lists
from smilehub.sync.syncer import CONFIRM_CALMLY, Event, Lost, Moving, Syncer, ignore
from smilehub.sync.ways import Finder, Fixed, Way, best

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
POLL_S = 30.0
LOOK_S = 5.0
_ODD_ANSWERS = 5
_DOUBLINGS = 10  # by then every pause is the longest
_TICK_S = 10.0
_AVOIDED_S = 30.0
_LONGEST_AVOIDED_S = 600.0
_SLEPT_S = 20.0  # the world's clock went on by so much more than ours: this laptop slept


class Phase(enum.Enum):
    """What a watch is doing."""

    SEARCHING = "searching"
    CONNECTING = "connecting"
    CATCHING_UP = "catching up"
    LISTENING = "listening"
    WAITING = "waiting"


class _Failure(NamedTuple):
    """How often in a row a way has failed, and until when (the loop's time) others are tried before it."""

    times: int
    until: float


class Watch:
    """Keeps a store up with one kiosk until cancelled.

    ``finder`` says which ways there are (or is a function that makes a client for the only one). The cable is
    preferred: while in the air it is looked for every ``look_s``. After a loss the pause doubles from half a
    second to half a minute; a successful catch-up resets it, and so does a laptop that wakes up, as its
    ``clock`` (UTC seconds) shows. Notices lead to a pull at once, and a greeting every ``poll_s`` makes up
    for lost ones. What no repeating can mend (trust, store errors, conflicts, other versions, a forbidden
    port) is raised.
    """

    def __init__(
        self,
        finder: Finder | Callable[[], KioskClient],
        store: Store,
        clock: Callable[[], int],
        *,
        on_event: Callable[[Event], None] = ignore,
        on_phase: Callable[[Phase], None] = lambda _: None,
        poll_s: float = POLL_S,
        look_s: float = LOOK_S,
        lists: Lists | None = None,
    ) -> None:
        self.phase = Phase.WAITING
        #: The way in use, or the last one.
        self.way: Way | None = None
        self._finder = Fixed(finder) if callable(finder) else finder
        self._store = store
        self._clock = clock
        self._tell = on_event
        self._on_phase = on_phase
        self._poll_s = poll_s
        self._look_s = look_s
        self._lists = lists
        self._losses = 0
        self._odd = 0
        self._failed: dict[str, _Failure] = {}

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        while True:
            try:
                await self._once()
                continue  # a better way has come up
            except (PortForbidden, NotAPort):
                raise
            except WrongPeer as error:
                if self.way is None or not await self._others():
                    raise
                pause = self._pause(error)
            except (LinkError, NoDevice) as error:
                pause = self._pause(error)
            except (ProtocolError, KioskFault) as error:
                # a kiosk that restarts may cut an answer short; one that goes on like this will not mend
                self._odd += 1
                if self._odd >= _ODD_ANSWERS:
                    raise
                pause = self._pause(error)
            self._enter(Phase.WAITING)
            await self._wait(pause)

    async def _once(self) -> None:
        """Search, and keep up on the best way for as long as it lasts; returns when there is a better one."""
        self._enter(Phase.SEARCHING)
        ways = await self._ways()
        self.way = way = best(ways, self._avoided())
        if way is None:
            raise NoDevice("The kiosk is out of reach: no cable, and not heard in the air.")
        self._enter(Phase.CONNECTING)
        keeping = asyncio.create_task(self._keep_up(way), name=f"keep up by {way.name}")
        better = asyncio.create_task(self._better(way), name=f"look for better than {way.name}")
        try:
            await asyncio.wait((keeping, better), return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            self._tell(Moving(way.name, better.result().name))
        finally:
            for task in (keeping, better):
                task.cancel()
            await asyncio.gather(keeping, better, return_exceptions=True)

    async def _keep_up(self, way: Way) -> NoReturn:
        async with way.connect() as client:
            syncer = Syncer(
                client,
                self._store,
                self._clock,
                on_event=self._tell,
                confirm_every=CONFIRM_CALMLY,
                lists=self._lists,
            )
            while True:
                self._enter(Phase.CATCHING_UP)
                await syncer.run()
                self._losses = self._odd = 0
                self._failed.pop(way.name, None)
                self._enter(Phase.LISTENING)
                await self._listen(client, syncer)

    async def _listen(self, client: KioskClient, syncer: Syncer) -> None:
        """Return when the journal has grown, or when it is time to ask."""
        known = syncer.next_seq
        waking = asyncio.create_task(self._wait(self._poll_s))
        listening = asyncio.create_task(self._grown(client, known))
        try:
            await asyncio.wait((waking, listening), return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
        finally:
            for task in (waking, listening):
                task.cancel()
            await asyncio.gather(waking, listening, return_exceptions=True)

    async def _grown(self, client: KioskClient, known: int) -> None:
        while True:
            notices = [await client.next_notice(), *client.pending_notices()]
            if any(isinstance(notice, Head) and notice.next_seq > known for notice in notices):
                return

    async def _better(self, than: Way) -> Way:
        """The cable, as soon as there is one that works and ``than`` is none."""
        if than.kind == "cable":
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(self._look_s)
            if self.phase is Phase.LISTENING:
                cables = await self._finder.ways(cables_only=True)
                avoided = self._avoided()
                for way in cables:
                    if way.kind == "cable" and way.name not in avoided:
                        return way

    async def _ways(self) -> Sequence[Way]:
        """The ways there are; one that was away begins anew."""
        ways = await self._finder.ways()
        there = {way.name for way in ways}
        self._failed = {name: failure for name, failure in self._failed.items() if name in there}
        return ways

    def _avoided(self) -> frozenset[str]:
        """The ways that have failed not long ago."""
        now = asyncio.get_running_loop().time()
        return frozenset(name for name, failure in self._failed.items() if failure.until > now)

    async def _others(self) -> bool:
        """Whether there are ways that have not failed."""
        failed = self._avoided() | {self.way.name if self.way else ""}
        return any(way.name not in failed for way in await self._ways())

    async def _wait(self, seconds: float) -> None:
        """Sleep, but not on after the laptop itself has slept: then all pauses begin anew."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        ahead = self._clock() - loop.time()
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, _TICK_S))
            if self._clock() - loop.time() - ahead > _SLEPT_S:
                self._losses = 0
                return

    def _pause(self, error: Exception) -> float:
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._losses, _DOUBLINGS))
        self._losses += 1
        if self.way is not None:
            times = self._failed.get(self.way.name, _Failure(0, 0.0)).times + 1
            avoided = min(_AVOIDED_S * 2 ** min(times - 1, _DOUBLINGS), _LONGEST_AVOIDED_S)
            self._failed[self.way.name] = _Failure(times, asyncio.get_running_loop().time() + avoided)
        self._tell(Lost(str(error), pause))
        return pause

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._on_phase(phase)
