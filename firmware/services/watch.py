"""Has services.look look around every hour: clock, laptop, journal, and whether yesterday's day is open.

A day is *left over* when it has been open for more than 16 hours of queue time, or when this boot, another
one than opened it, knows the clock and finds another clinic date than at the opening. A clinic date turns at
04:00 local time, so that a power cut past midnight ends nobody's evening. Such a day takes no visitor's own
check-in (emergencies and staff's it does) until staff close it, by one act at the desk.
"""

import gc

from hubcore.compat import const
from tasks.forget import fetch, forget

_HOUR_MS = const(3_600_000)
_LONGEST_DAY_MS = const(57_600_000)
_DAY_S = const(86_400)


class Watch:
    """``hub`` is the KioskHub; ``tz`` a POSIX time zone. ``met``: when a laptop last confirmed records, as
    the key store knows it, or None; ``opening``: boot, uptime ms and clock of the newest day_opened;
    ``dated``: this boot has compared the dates."""

    def __init__(self, hub, tz: str):
        self.hub = hub
        self.tz = tz
        self.opening = None
        self.met = None
        self.dated = False
        self.left_over = False
        self._next_ms = 0

    def opened(self, record) -> None:
        """A day_opened was applied."""
        self.opening = record.boot, record.uptime_ms, record.clock_s
        self.left_over = False
        self.dated = False

    def confirmed(self) -> None:
        """A laptop confirms records now."""
        now = self.hub.clock.utc_s()
        if now is not None and self.hub.keys and (self.met is None or abs(now - self.met) >= _DAY_S):
            self.ask("meet", now)
        self.hub.health.set("laptop", False)

    def idle(self) -> None:
        """Look once an hour, and at a day that was closed or is getting long."""
        hub = self.hub
        now_ms = hub.clock.uptime_ms()
        if now_ms >= self._next_ms:
            self._next_ms = now_ms + _HOUR_MS
            self.ask("look")
        elif "journal" in hub.health.standing:
            hub.health.set("journal", hub.worn or not hub.journal.room())
        if hub.now_ms() > _LONGEST_DAY_MS:
            self.left_over = True
        hub.health.set("day", hub.left_over, "the day before was not closed")

    def ask(self, what: str, *args):
        """Have a function of ``services.look`` do something; it is in memory only for so long."""
        try:
            return getattr(fetch("services.look"), what)(self, *args)
        finally:
            forget("services.look")
            gc.collect()
