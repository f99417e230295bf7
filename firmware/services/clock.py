"""Uptime in milliseconds across wraps of the tick counter, and UTC from the clock chip or once it is set."""

import time

from hubcore.compat import const

_SET_SINCE = const(1_735_689_600)  # 2025; a chip that shows an earlier time was never set


class Clock:
    """Time of this boot; ``ticks`` and ``diff`` default to MicroPython's 30-bit tick counter.

    ``chip``, as kiosk.device.Chip, goes on while the power is away. UTC is unknown until ``set_utc``.

    ``uptime_ms`` must be asked for at least every 6 days (2^29 ms), or a wrap goes unseen: the supervisor's
    housekeeping does so every few seconds.
    """

    def __init__(self, ticks=None, diff=None, chip=None):
        self._ticks = ticks or time.ticks_ms
        self._diff = diff or time.ticks_diff
        self._last = self._ticks()
        self._uptime = 0
        self._offset = None  # UTC seconds at uptime 0, once known
        self._chip = chip

    def uptime_ms(self) -> int:
        """Milliseconds since this clock was made, never falling."""
        now = self._ticks()
        step = self._diff(now, self._last)
        if step > 0:
            self._uptime += step
            self._last = now
        return self._uptime

    def set_utc(self, utc_s: int, keep: bool = True) -> None:
        """From now on UTC is known: ``utc_s`` is the present second since 1970. The chip is set too if
        ``keep``; one that fails shows that at the next ``ask_chip``."""
        self._offset = utc_s - self.uptime_ms() // 1000
        if keep and self._chip:
            try:
                self._chip.write(utc_s)
            except (OSError, ValueError):
                pass

    def utc_s(self) -> "int | None":
        """Seconds since 1970 (UTC), or None while nobody has set the clock in this boot."""
        if self._offset is None:
            return None
        return self._offset + self.uptime_ms() // 1000

    def ask_chip(self) -> tuple:
        """(UTC seconds by the chip or None, what is wrong with it or "")."""
        if self._chip is None:
            return None, ""
        try:
            utc_s = self._chip.read()
        except OSError:
            return None, "the clock chip does not answer"
        if utc_s is None or utc_s < _SET_SINCE:
            return None, "the clock has stood still: its battery may be empty"
        return utc_s, ""
