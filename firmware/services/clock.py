"""Uptime in milliseconds across wraps of the tick counter, and UTC once somebody has set it."""

import time

from hubcore.compat import const

_SET_SINCE = const(2025)  # an RTC that shows an earlier year was never set
_2000 = const(946_684_800)  # where an ESP32's count of seconds begins


class Clock:
    """Time of this boot; ``ticks`` and ``diff`` default to MicroPython's 30-bit tick counter.

    ``rtc``, a ``machine.RTC``, keeps UTC across resets that do not take the power away.

    ``uptime_ms`` must be asked for at least every 6 days (2^29 ms), or a wrap goes unseen: the supervisor's
    housekeeping does so every few seconds.
    """

    def __init__(self, ticks=None, diff=None, rtc=None):
        self._ticks = ticks or time.ticks_ms
        self._diff = diff or time.ticks_diff
        self._last = self._ticks()
        self._uptime = 0
        self._offset = None  # UTC seconds at uptime 0, once known
        self._rtc = rtc
        if rtc:
            year, month, day, _, hour, minute, second, _ = rtc.datetime()
            if year >= _SET_SINCE:
                self._offset = time.mktime((year, month, day, hour, minute, second, 0, 0)) + _epoch()

    def uptime_ms(self) -> int:
        """Milliseconds since this clock was made, never falling."""
        now = self._ticks()
        step = self._diff(now, self._last)
        if step > 0:
            self._uptime += step
            self._last = now
        return self._uptime

    def set_utc(self, utc_s: int) -> None:
        """From now on UTC is known: ``utc_s`` is the present second since 1970."""
        self._offset = utc_s - self.uptime_ms() // 1000
        if self._rtc:
            year, month, day, hour, minute, second, weekday = time.gmtime(utc_s - _epoch())[:7]
            self._rtc.datetime((year, month, day, weekday, hour, minute, second, 0))

    def utc_s(self) -> int | None:
        """Seconds since 1970 (UTC), or None while nobody has set the clock in this boot."""
        if self._offset is None:
            return None
        return self._offset + self.uptime_ms() // 1000


def _epoch():
    return _2000 if time.gmtime(0)[0] == 2000 else 0
