"""Tactile keys by interrupt: presses, holds and releases, debounced by the time of their edges."""

import asyncio
from array import array
from time import ticks_add, ticks_diff, ticks_ms

from machine import Pin
from micropython import const

from tasks.wake import Wake

PRESS = "press"
HOLD = "hold"
RELEASE = "release"
STUCK = "stuck"

_SETTLE_MS = const(20)  # contacts are at rest once no edge came for so long
_HOLD_MS = const(800)
_STUCK_MS = const(30000)

_EDGES = const(64)  # a power of two; a press with its release has at most some 20
_EVENTS = const(16)

# What a key has reported since it was pressed.
_UP = const(0)
_DOWN = const(1)
_HELD = const(2)
_GIVEN_UP = const(3)


class EdgesDropNewest:
    """Ring of (key, level, ms) between interrupt and task: allocates nothing, and when full drops the newest
    edge and counts it (the task reads the pins' levels anyway once they are at rest)."""

    def __init__(self):
        self._what = bytearray(_EDGES)
        self._when = array("i", bytes(4 * _EDGES))
        self._put = 0
        self._get = 0
        self.dropped = 0

    def put(self, what: int, when) -> None:
        put = self._put
        after = put + 1 & _EDGES - 1
        if after == self._get:
            self.dropped = self.dropped + 1 & 0xFFFF
            return
        self._what[put] = what
        self._when[put] = when
        self._put = after

    def take(self):
        """The oldest (what, when), or None."""
        get = self._get
        if get == self._put:
            return None
        edge = self._what[get], self._when[get]
        self._get = get + 1 & _EDGES - 1
        return edge


class _Key:
    def __init__(self, name, pin, active):
        self.name = name
        self.pin = pin
        self.active = active
        self.level = active ^ 1  # at rest, as last believed
        self.edge_ms = 0  # of the last edge not yet at rest
        self.raw = self.level  # after that edge
        self.moving = False
        self.state = _UP
        self.since_ms = 0  # when it was pressed


class Keypad:
    """Keys by name, each an input Pin to ground with a pull-up (`active` = the level when pressed).

    One reader awaits `next()`. Nothing runs while all keys are at rest. `touched` is the tick at which a key
    last left its rest.
    """

    def __init__(self, pins: dict, active: int = 0):
        self._edges = EdgesDropNewest()
        self._events = []
        self._lost = 0
        self.touched = ticks_ms()
        self._flag = asyncio.ThreadSafeFlag()
        self._wake = Wake()
        self._listener = None
        self._keys = [_Key(name, pins[name], active) for name in pins]
        now = ticks_ms()
        for i, key in enumerate(self._keys):
            if key.pin() == active:
                # Down before anybody could have pressed it: no press, but soon stuck.
                key.level = key.raw = active
                key.state = _HELD
                key.since_ms = now
            key.pin.irq(self._handler(i, key.pin), Pin.IRQ_FALLING | Pin.IRQ_RISING)

    async def next(self, timeout_ms=None):
        """The next `(key, what)`; what is "press" (its contacts at rest for 20 ms), "hold" (once, down for
        800 ms), "release", or "stuck" (once, down for 30 s). None after `timeout_ms` without one.

        A deadline belongs in here: asyncio.wait_for drops a result that comes in the very tick of its own.
        """
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        start = ticks_ms()
        while True:
            now = ticks_ms()
            wait = self._advance(now)
            if self._events:
                return self._events.pop(0)
            if timeout_ms is not None:
                left = timeout_ms - ticks_diff(now, start)
                if left <= 0:
                    return None
                wait = left if wait is None else min(wait, left)
            if wait is not None and wait <= _SETTLE_MS:
                # Contacts bounce: their edges are kept, and need nobody until they may be at rest.
                await asyncio.sleep_ms(wait)
            else:
                await self._wake.wait(wait)

    @property
    def dropped(self) -> int:
        """Edges and events lost because nobody took them in time."""
        return self._edges.dropped + self._lost

    def close(self) -> None:
        """Take the interrupts off the pins."""
        for key in self._keys:
            key.pin.irq(None)
        if self._listener is not None:
            try:
                self._listener.cancel()
            except RuntimeError:
                pass  # its turn was the last one before the program was stopped
            self._listener = None

    async def _listen(self):
        while True:
            await self._flag.wait()
            self._wake.set()

    def _handler(self, index, pin):
        put, flag = self._edges.put, self._flag.set

        def edge(_):
            put(index << 1 | pin(), ticks_ms())
            flag()

        return edge

    def _advance(self, now):
        """Replay the edges by their times, then look at the clock. Returns ms to the next look, or None."""
        edge = self._edges.take()
        while edge:
            what, when = edge
            key = self._keys[what >> 1]
            self._rest(when)
            key.raw = what & 1
            key.edge_ms = when
            if not key.moving:
                self.touched = when
                key.moving = True
            edge = self._edges.take()
        wait = None
        for key in self._keys:
            if key.moving and ticks_diff(now, key.edge_ms) >= _SETTLE_MS:
                # The level of now, should the last edge have been missed.
                key.raw = key.pin()
        self._rest(now)
        for key in self._keys:
            due = self._due(key, now)
            if due is not None and (wait is None or due < wait):
                wait = due
        return wait

    def _rest(self, at):
        """Before an edge or a look at time `at`: which keys came to rest, are held, are stuck?"""
        key = self._oldest(at)
        while key:
            key.moving = False
            if key.raw != key.level:
                key.level = key.raw
                if key.level == key.active:
                    key.state = _DOWN
                    key.since_ms = key.edge_ms
                    self._tell(key.name, PRESS)
                else:
                    self._held(key, key.edge_ms)
                    key.state = _UP
                    self._tell(key.name, RELEASE)
            key = self._oldest(at)
        for key in self._keys:
            if not key.moving:
                self._held(key, at)

    def _tell(self, key, what):
        # For a reader who comes late; the oldest make room.
        if len(self._events) == _EVENTS:
            self._events.pop(0)
            self._lost += 1
        self._events.append((key, what))

    def _oldest(self, at):
        """Of the keys at rest by then and not yet looked at, the one that rested first, or None."""
        oldest = None
        for key in self._keys:
            if key.moving and ticks_diff(at, key.edge_ms) >= _SETTLE_MS:
                if oldest is None or ticks_diff(key.edge_ms, oldest.edge_ms) < 0:
                    oldest = key
        return oldest

    def _held(self, key, at):
        if key.state == _DOWN and ticks_diff(at, key.since_ms) >= _HOLD_MS:
            key.state = _HELD
            self._tell(key.name, HOLD)
        if key.state == _HELD and ticks_diff(at, key.since_ms) >= _STUCK_MS:
            key.state = _GIVEN_UP
            self._tell(key.name, STUCK)

    def _due(self, key, now):
        if key.moving:
            return max(1, ticks_diff(ticks_add(key.edge_ms, _SETTLE_MS), now))
        if key.state == _DOWN:
            return max(1, ticks_diff(ticks_add(key.since_ms, _HOLD_MS), now))
        if key.state == _HELD:
            return max(1, ticks_diff(ticks_add(key.since_ms, _STUCK_MS), now))
        return None
