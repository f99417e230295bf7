"""Runs the program's tasks by name: one that dies is recorded and started again, and the others live on."""

import asyncio

from hubcore.compat import const

_FIRST_PAUSE_MS = const(500)
_LONGEST_PAUSE_MS = const(60_000)
_STEADY_MS = const(60_000)  # a task that lived this long has earned its first pause back
_STUCK_MS = const(6_000)
_HOUSE_MS = const(2_000)


class Turn:
    """How a task shows that it turns: ``begin()`` when there is something to do, ``rest()`` before it waits.

    A resting task may wait for ever; one that began and does not rest or begin again within 6 s is stuck, and
    the watchdog is no longer fed. ``count`` is how often it began.
    """

    def __init__(self, clock):
        self._clock = clock
        self._since = None
        self.count = 0

    def begin(self) -> None:
        self.count += 1
        self._since = self._clock.uptime_ms()

    def rest(self) -> None:
        self._since = None

    def stuck(self, now_ms: int) -> bool:
        return self._since is not None and now_ms - self._since > _STUCK_MS


class Supervisor:
    """``hub`` gives ``clock``, ``fault(task, error)`` and ``fold``; ``watchdog`` may be None."""

    def __init__(self, hub, watchdog=None):
        self._hub = hub
        self._watchdog = watchdog
        self.turns = {}
        self.restarts = {}
        self._tasks = []
        self._chores = []

    def start(self, name: str, work) -> None:
        """Run ``work(turn)``, a coroutine function, for ever. ``name`` has at most 16 letters."""
        turn = Turn(self._hub.clock)
        self.turns[name] = turn
        self.restarts[name] = 0
        self._tasks.append(asyncio.create_task(self._keep(name, work, turn)))

    def chore(self, call) -> None:
        """Call ``call()`` from the housekeeping every 2 s; it must be short."""
        self._chores.append(call)

    async def run(self) -> None:
        """The housekeeping, for ever: counts time, does chores, feeds the watchdog while every loop turns."""
        while True:
            self.house()
            await asyncio.sleep_ms(_HOUSE_MS)

    def house(self) -> bool:
        """One round of housekeeping; False if some task is stuck."""
        now = self._hub.clock.uptime_ms()
        for call in self._chores:
            try:
                call()
            except Exception as error:  # noqa: BLE001 - the others, and the feed, go on
                self._hub.fault("housekeeping", error)
        alive = True
        for turn in self.turns.values():
            alive = alive and not turn.stuck(now)
        if self._watchdog:
            self._watchdog.service(self._hub.fold.day_open)
            if alive:
                self._watchdog.feed()
        return alive

    async def _keep(self, name, work, turn):
        pause = _FIRST_PAUSE_MS
        while True:
            started = self._hub.clock.uptime_ms()
            try:
                await work(turn)
                error = "ended"
            except Exception as raised:  # noqa: BLE001 - whatever it is, it is recorded and the others live on
                error = raised
            turn.rest()
            if self._hub.clock.uptime_ms() - started >= _STEADY_MS:
                pause = _FIRST_PAUSE_MS
            self.restarts[name] += 1
            self._hub.fault(name, error)
            await asyncio.sleep_ms(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_MS)
