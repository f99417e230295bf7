"""A tactile key to ground with contacts that bounce."""

from __future__ import annotations

import random

from smilehub.sim.peripherals.base import Config, Drive, Part

BOUNCE_US = 5_000
"""Contacts settle within this time of a press or a release."""


class Key(Part):
    """One key: `press` drives its pin (role "pin") through bounces to the level of board.toml's `active`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.active = int(config.get("active", 0))
        self._level = 1 - self.active
        self._rnd = random.Random(0)
        self._drive: Drive | None = None
        self._free_us = 0
        self._stuck = False
        self.presses = 0

    def connect(self, drive: Drive, rnd: random.Random) -> None:
        self._drive = drive
        self._rnd = rnd

    def level(self, role: str) -> int | None:
        """The level the contacts end at once all that was scheduled has happened."""
        return self._level if role == "pin" else None

    def press(self, now_us: int, hold_ms: int = 80) -> int:
        """Press and, `hold_ms` later, release. Returns when the last edge falls, in µs of the board.

        A press asked for while the key still moves begins when it rests (5 ms after its last edge).
        """
        start = self.down(now_us)
        return self.up(start + hold_ms * 1000)

    def down(self, now_us: int) -> int:
        """Press and keep pressed. Returns the time of the first edge."""
        self.presses += 1
        return self._move(self.active, now_us)[0]

    def up(self, now_us: int) -> int:
        """Let go. Returns the time of the last edge."""
        return self._move(1 - self.active, now_us)[1]

    def stick(self, now_us: int) -> int:
        """Its contacts close and stay so, whoever presses it or lets go, until `free`. Returns when."""
        start = self._move(self.active, now_us)[0]
        self._stuck = True
        return start

    def free(self, now_us: int) -> int:
        """It comes loose and opens. Returns the time of the last edge."""
        self._stuck = False
        return self.up(now_us)

    def _move(self, level: int, now_us: int) -> tuple[int, int]:
        if self._drive is None:
            raise RuntimeError("this key is on no board yet: connect() it first")
        start = max(now_us, self._free_us)
        if self._stuck:
            return start, start
        # An even number of stray edges between the first contact and rest.
        strays = sorted(self._rnd.sample(range(40, BOUNCE_US), 2 * self._rnd.randrange(0, 5)))
        times = [start] + [start + t for t in strays]
        for i, at in enumerate(times):
            self._drive("pin", level if i % 2 == 0 else 1 - level, at)
        self._level = level
        self._free_us = start + 2 * BOUNCE_US
        return start, times[-1]
