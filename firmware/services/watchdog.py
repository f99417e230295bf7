"""The hardware watchdog: short while a day is open, on a long leash otherwise.

An ESP32's watchdog cannot be stopped once it is started, but starting it again changes its time-out. So a
kiosk whose day was never opened since power-on has none; with the day open it bites after 8 s; once the day
is closed the time-out becomes 24 h, so that a technician may stop the program and work with mpremote for as
long. It is fed by the supervisor's housekeeping, and only while every loop turns.
"""

from hubcore.compat import const

_SERVICE_MS = const(8_000)
_LEASH_MS = const(86_400_000)


class Watchdog:
    """``wdt`` is ``machine.WDT``, or a stand-in called as ``wdt(0, timeout_ms)``."""

    def __init__(self, wdt):
        self._wdt = wdt
        self._timer = None
        self.in_service = False

    def service(self, on: bool) -> None:
        """Arm for an open day, or let go after it; calling it again with the same value does nothing."""
        if on != self.in_service:
            self.in_service = on
            self._timer = self._wdt(0, _SERVICE_MS if on else _LEASH_MS)
            self._timer.feed()

    def feed(self) -> None:
        """Put the bite off, if there is a timer at all."""
        if self._timer:
            self._timer.feed()
