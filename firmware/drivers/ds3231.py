"""DS3231: the clock that goes on while the power is away.

Source: Maxim DS3231 datasheet 19-5170 Rev 10, figure 1 and "Control", "Status".
"""

from micropython import const

_ADDRESS = const(0x68)
_CONTROL = const(0x0E)
_STATUS = const(0x0F)
_STOPPED = const(0x80)  # in the status: the oscillator has stood still
_2000 = const(946_684_800)  # seconds from 1970 to 2000
_LAST = const(199)  # years after 2000 that the century bit reaches

_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)  # days before each month


class DS3231:
    """`i2c` is a machine.I2C of at most 400 kHz."""

    def __init__(self, i2c):
        self._i2c = i2c
        self._bytes = bytearray(16)

    def read(self):
        """Seconds since 1970 (UTC), or None when the clock has stood still since it was set (no battery), or
        shows what is no time. Raises OSError when it does not answer."""
        data = self._bytes
        # The time and the status in one go: the chip holds the time still for the reader.
        self._i2c.readfrom_mem_into(_ADDRESS, 0, data)
        if data[_STATUS] & _STOPPED:
            return None
        hours = data[2]
        if hours & 0x40:
            # Somebody has set it as a 12-hour clock.
            hour = _digits(hours & 0x1F)
            hour = hour % 12 + (12 if hours & 0x20 else 0) if 1 <= hour <= 12 else 24
        else:
            hour = _digits(hours)
        second = _digits(data[0])
        minute = _digits(data[1])
        day = _digits(data[4])
        month = _digits(data[5] & 0x1F)
        year = _digits(data[6]) + (100 if data[5] & 0x80 else 0)
        if second > 59 or minute > 59 or hour > 23 or not 1 <= month <= 12 or year > _LAST:
            return None
        days = _days(year, month) + day - 1
        if not _days(year, month) <= days < _days(year, month + 1):
            return None
        return _2000 + days * 86400 + hour * 3600 + minute * 60 + second

    def write(self, utc_s: int) -> None:
        """Set it to so many seconds since 1970, UTC; what was wrong with it is then forgotten. Raises
        ValueError outside 2000 to 2199, OSError when it does not answer."""
        days, rest = divmod(utc_s - _2000, 86400)
        year = days // 366
        while _days(year + 1, 1) <= days:
            year += 1
        if not 0 <= year <= _LAST:
            raise ValueError("the clock's years are 2000 to 2199")
        month = 12
        while _days(year, month) > days:
            month -= 1
        day = days - _days(year, month) + 1
        weekday = (days + 5) % 7 + 1  # 1 is Monday; 2000-01-01 was a Saturday
        data = memoryview(self._bytes)[:7]
        values = (rest % 60, rest // 60 % 60, rest // 3600, weekday, day, month, year % 100)
        for i, value in enumerate(values):
            data[i] = value // 10 << 4 | value % 10
        if year >= 100:
            data[5] |= 0x80
        self._i2c.writeto_mem(_ADDRESS, 0, data)
        # Go on by the battery, no square wave, alarm or 32 kHz; and that it has stood still is history.
        self._i2c.writeto_mem(_ADDRESS, _CONTROL, b"\x04\x00")


def _digits(value):
    """Two decimal digits as a number; 255 when they are none."""
    return (value >> 4) * 10 + (value & 15) if value & 15 < 10 and value < 0xA0 else 255


def _days(year, month):
    """Days from 2000-01-01 to the first of that month (13: the next January) of so many years later."""
    days = year * 365 + (year + 3) // 4 + _BEFORE[month - 1]
    if year > 100:
        days -= 1  # 2100 has no leap day
    if month > 2 and year % 4 == 0 and year != 100:
        days += 1
    return days
