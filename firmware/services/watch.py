"""Looks around every hour: clock, laptop, journal, and whether yesterday's day was left open.

A day is *left over* when it has been open for more than 16 hours of queue time, or when this boot, another
one than opened it, knows the clock and finds another clinic date than at the opening. A clinic date turns at
04:00 local time, so that a power cut past midnight ends nobody's evening. Such a day takes no visitor's own
check-in (emergencies and staff's it does) until staff close it, by one act at the desk.
"""

from hubcore.compat import const
from services.keys import KeysError
from services.zone import local

_HOUR_MS = const(3_600_000)
_LONGEST_DAY_MS = const(57_600_000)
_DAY_TURNS_S = const(14_400)
_DAY_S = const(86_400)
_WEEK_S = const(604_800)
_STEP_S = const(2)
_DRIFT_S = const(300)  # the chip is right about so much; beyond it, one of the two clocks is broken
_RECEIPT = "receipt"  # in the key store: when a laptop last confirmed records, UTC seconds, at most daily


class Watch:
    """``hub`` is the KioskHub; ``tz`` a POSIX time zone."""

    def __init__(self, hub, tz: str):
        self._hub = hub
        self._tz = tz
        self._next_ms = 0
        self._opening = None  # boot, uptime ms and clock of the newest day_opened
        self._met = None
        self._dated = False  # this boot has compared the dates
        self.left_over = False

    def begin(self) -> None:
        """At the start, before anything is recorded: take the time from the chip, if it knows it."""
        utc_s, _ = self._hub.clock.ask_chip()
        if utc_s is not None:
            self._hub.clock.set_utc(utc_s, False)
        if self._hub.keys:
            kept = self._hub.keys.get(_RECEIPT)
            if kept:
                self._met = int.from_bytes(kept, "little")

    def opened(self, record) -> None:
        """A day_opened was applied."""
        self._opening = record.boot, record.uptime_ms, record.clock_s
        self.left_over = False
        self._dated = False

    def met(self) -> None:
        """A laptop confirms records now."""
        now = self._hub.clock.utc_s()
        if now is not None and self._hub.keys and (self._met is None or abs(now - self._met) >= _DAY_S):
            self._met = now
            try:
                self._hub.keys.set(_RECEIPT, now.to_bytes(8, "little"))
            except KeysError as error:
                self._hub.fault("keys", error)
        self._hub.health.set("laptop", False)

    def idle(self) -> None:
        """Look once an hour, and at a day that was closed or is getting long."""
        hub = self._hub
        now_ms = hub.clock.uptime_ms()
        if now_ms >= self._next_ms:
            self._next_ms = now_ms + _HOUR_MS
            self._ask_chip()
            self.look()
        elif "journal" in hub.health.standing:
            hub.health.set("journal", hub.worn or not hub.journal.room())
        if hub.now_ms() > _LONGEST_DAY_MS:
            self.left_over = True
        hub.health.set("day", hub.left_over, "the day before was not closed")

    def look(self) -> None:
        """What depends on the clock, and room in the journal."""
        hub = self._hub
        health = hub.health
        now = hub.clock.utc_s()
        if now is not None:
            if hub.keys and (self._met is None or self._met > now + _DAY_S):
                self.met()  # a new kiosk's week begins; so does that of one whose clock was wrong
            elif self._met is not None and now - self._met >= _WEEK_S:
                days = str((now - self._met) // _DAY_S)
                health.set("laptop", True, "no laptop has taken the records for " + days + " days")
            self._compare(now)
        health.set("journal", hub.worn or not hub.journal.room(), "the journal is full")

    def local(self, utc_s: "int | None") -> "tuple | None":
        """(year, month, day, hour, minute) where the kiosk stands."""
        return None if utc_s is None else local(self._tz, utc_s)

    def _ask_chip(self):
        hub = self._hub
        clock = hub.clock
        utc_s, wrong = clock.ask_chip()
        known = clock.utc_s()
        if utc_s is not None and known is not None and abs(utc_s - known) > _DRIFT_S:
            wrong = "the clock chip is wrong by " + str(utc_s - known) + " s"
        elif utc_s is not None and (known is None or abs(utc_s - known) >= _STEP_S):
            clock.set_utc(utc_s, False)
            hub.note("clock_set", {"utc": utc_s, "source": "chip"})
        hub.health.set("clock", bool(wrong), wrong)

    def _compare(self, now):
        # Once a boot, as soon as both dates are known.
        hub = self._hub
        if self._dated or not hub.fold.day_open or self._opening is None:
            return
        boot, uptime_ms, then = self._opening
        offset = hub.fold.offsets.get(boot)
        if offset is not None:
            then = (offset + uptime_ms) // 1000
        if then is None:
            return
        self._dated = True
        if boot != hub.journal.boot and self._date(now) != self._date(then):
            self.left_over = True

    def _date(self, utc_s):
        return local(self._tz, utc_s - _DAY_TURNS_S)[:3]
