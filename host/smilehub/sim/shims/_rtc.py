"""machine.RTC of the ESP32 port: a clock and 2,048 bytes that outlast every reset, but not the power."""

import _sim
import micropython
from _arg import MISSING, integer, octets

_MEMORY_MAX = micropython.const(2048)
_DAY_US = micropython.const(86_400_000_000)

_only = [None]
# None until the host's copy was taken over.
_memory = [None]


def _days(year, month, day):
    """Days since 2000-01-01 of a date of the Gregorian calendar."""
    # Years begin in March, so that the leap day is the last.
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 730426


def _date(days):
    """(year, month, day) of days since 2000-01-01."""
    n = days + 730425
    era = n // 146097
    n -= era * 146097
    year = (n - n // 1460 + n // 36524 - n // 146096) // 365
    n -= 365 * year + year // 4 - year // 100
    month = (5 * n + 2) // 153
    day = n - (153 * month + 2) // 5 + 1
    year += era * 400
    if month < 10:
        return year, month + 3, day
    return year + 1, month - 9, day


class RTC:
    def __new__(cls):
        if _only[0] is None:
            _only[0] = object.__new__(cls)
        return _only[0]

    def datetime(self, value=MISSING):
        if value is not MISSING:
            self._set(value, 4)
            return None
        _sim.advance(10)
        us = _sim.clock_us()
        days = us // _DAY_US
        us -= days * _DAY_US
        s = us // 1_000_000
        # 2000-01-01 was a Saturday, and Monday is 0.
        weekday = (days + 5) % 7
        return _date(days) + (weekday, s // 3600, s // 60 % 60, s % 60, us % 1_000_000)

    def init(self, value):
        # As the port has it: here the hour is the fourth item, where datetime() keeps the weekday.
        self._set(value, 3)

    @staticmethod
    def _set(value, hour):
        if type(value) not in (tuple, list):
            raise TypeError("object '%s' isn't a tuple or list" % type(value).__name__)
        if len(value) != 8:
            raise ValueError("requested length 8 but object has length %d" % len(value))
        n = [integer(item) for item in value]
        s = _days(n[0], n[1], n[2]) * 86400 + n[hour] * 3600 + n[hour + 1] * 60 + n[hour + 2]
        _sim.set_clock_us(s * 1_000_000 + n[7])

    def memory(self, data=MISSING):
        if data is MISSING:
            if _memory[0] is None:
                _memory[0] = bytes.fromhex(_sim.config.get("rtc_memory", ""))
            return _memory[0]
        data = bytes(octets(data))
        if len(data) > _MEMORY_MAX:
            raise ValueError("buffer too long")
        _memory[0] = data
        _sim.post(_sim.RTC_MEMORY, 0, 0, data)
        return None
