"""Time for simulated boards: an asyncio loop whose clock is simulated (virtual) or the wall's (real).

Virtual: one guest runs at a time, in the order of its waking and then of its power-on, and one message is
handled at a time
with every callback it causes done before the next. So the order of everything depends on the seed alone.
When all
guests wait and no callback is ready, the clock jumps to the next timer or waking.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from smilehub.sim.control import FOREVER

T = TypeVar("T")

#: A running guest asks at least this often, even when nothing is planned.
_LONGEST_HORIZON_US = 1_000_000


class Runner(Protocol):
    """A guest as the kernel sees it."""

    def due_us(self) -> int | None:
        """When it should run on (kernel µs); None: not until somebody acts."""
        ...

    def resume(self) -> bool:
        """Let it run on; False if it ended instead."""
        ...

    def pump(self) -> bool:
        """Handle one message of the running guest; False once it waits or has ended."""
        ...


class _VirtualSelector(selectors.BaseSelector):
    """Decides, whenever the loop has nothing to do, whether a guest runs or the clock jumps."""

    def __init__(self, kernel: Kernel) -> None:
        self._real = selectors.DefaultSelector()
        self._kernel = kernel

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.get_key(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._real.select(0)
        ready = self._real.select(0)
        if ready:
            return ready
        kernel = self._kernel
        if kernel.step():
            return []
        # Everybody waits: jump.
        ahead = FOREVER if timeout is None else kernel.now_us() + max(1, round(timeout * 1e6))
        until = min(ahead, kernel.next_waking_us())
        if until < FOREVER:
            kernel.jump(until)
            return []
        return self._real.select(None)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        super().__init__(_VirtualSelector(kernel))
        # Half a microsecond: timers are whole microseconds, kept in floats.
        self._clock_resolution = 5e-7

    def time(self) -> float:
        return self._kernel.now_us() / 1e6


class Kernel:
    """One clock, one loop, and the guests that live by them."""

    def __init__(self, *, simulated: bool, seed: int) -> None:
        self.simulated = simulated
        self.seed = seed
        #: Seeded; every source of chance in a simulation takes from here or from a generator made from it.
        self.random = random.Random(seed)
        #: A virtual guest that says nothing for so many real seconds is given up.
        self.hang_seconds = 30.0
        self._now = 0
        self._start = time.monotonic_ns()
        self._guests: list[Runner] = []
        self._running: Runner | None = None
        self.loop: asyncio.AbstractEventLoop
        if simulated:
            self.loop = _VirtualLoop(self)
        else:
            self.loop = asyncio.SelectorEventLoop()

    @staticmethod
    def virtual(seed: int = 0) -> Kernel:
        """A kernel whose time is simulated."""
        return Kernel(simulated=True, seed=seed)

    @staticmethod
    def real(seed: int = 0) -> Kernel:
        """A kernel that lives by the wall's clock."""
        return Kernel(simulated=False, seed=seed)

    def now_us(self) -> int:
        """Microseconds since the kernel was made."""
        if self.simulated:
            return self._now
        return (time.monotonic_ns() - self._start) // 1000

    def call_at_us(self, at_us: int, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call back at a time of the kernel (at once if it has passed)."""
        if self.simulated:
            return self.loop.call_at(at_us / 1e6, callback, *args)
        return self.loop.call_later(max(0, at_us - self.now_us()) / 1e6, callback, *args)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run to completion, then cancel what is left on the loop. The loop stays usable until ``close``."""
        try:
            return self.loop.run_until_complete(coroutine)
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            if left:
                self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def close(self) -> None:
        """Close the loop."""
        self.loop.close()

    # ---- what guests and the selector call ----

    def attach(self, guest: Runner) -> None:
        """A guest starts and runs (virtual)."""
        self._guests.append(guest)

    def detach(self, guest: Runner) -> None:
        """A guest has ended."""
        if guest in self._guests:
            self._guests.remove(guest)
        if self._running is guest:
            self._running = None

    def horizon_us(self, asking: Runner | None = None) -> int:
        """Until when nothing can happen to a guest that runs now."""
        horizon = self._now + _LONGEST_HORIZON_US
        loop: Any = self.loop
        if loop._ready:
            return self._now
        if loop._scheduled:
            horizon = min(horizon, round(loop._scheduled[0].when() * 1e6))
        for guest in self._guests:
            if guest is not asking:
                due = guest.due_us()
                if due is not None:
                    horizon = min(horizon, due)
        return max(horizon, self._now)

    def next_waking_us(self) -> int:
        """The earliest time a waiting guest wants to run."""
        return min((due for g in self._guests if (due := g.due_us()) is not None), default=FOREVER)

    def jump(self, until_us: int) -> None:
        """Set the virtual clock forward."""
        self._now = max(self._now, until_us)

    def step(self) -> bool:
        """Let a guest that can run do so until the loop has work; False if every guest waits."""
        loop: Any = self.loop
        timers = len(loop._scheduled)
        while True:
            guest = self._running
            if guest is None:
                due = [g for g in self._guests if (at := g.due_us()) is not None and at <= self._now]
                if not due:
                    return False
                guest = due[0]
                self._running = guest
                if not guest.resume():
                    self._running = None
                    return True
            if not guest.pump():
                self._running = None
                return True
            # A message may have set timers or made callbacks ready: the loop looks first.
            if loop._ready or len(loop._scheduled) != timers:
                return True
