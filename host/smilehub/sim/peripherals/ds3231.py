"""A DS3231 clock with a battery: its registers as the I2C bus shows them, kept by the board's time.

Source: Maxim DS3231 datasheet 19-5170 Rev 10: figure 1 (timekeeping registers), control and status registers,
"Power Control", "Clock and Calendar". Alarm registers keep what is written, but no alarm is ever due: the
INT/SQW pin is wired to nothing.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

from smilehub.sim.peripherals.base import Config, Part

ADDRESS = 0x68

_REGISTERS = 0x13
_CONTROL, _STATUS, _AGING, _TEMPERATURE = 0x0E, 0x0F, 0x10, 0x11
_EOSC, _CONV = 0x80, 0x20
_OSF, _EN32KHZ, _BUSY, _ALARMS = 0x80, 0x08, 0x04, 0x03
_TWELVE, _PM, _CENTURY = 0x40, 0x20, 0x80
_DAY_S = 86_400
_YEARS = 200  # the century bit makes two hundred of them
_CYCLE_DAYS = _YEARS // 4 * 1461  # the chip takes every fourth year for a leap year


class DS3231(Part):
    """One chip. Without a battery (`battery` False) the power's end costs it the time.

    New, it has never been set: oscillator-stop flag set, 2000-01-01. `absent` takes it off the bus, as a
    broken wire does; `temperature_c` is what it measures.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.absent = False
        self.temperature_c = 25.25
        self._battery = True
        self._powered = False
        self._pointer = 0
        self._forget()

    # ---- for people and tests ----

    @property
    def battery(self) -> bool:
        """Whether there is a battery with charge in the holder."""
        return self._battery

    @battery.setter
    def battery(self, there: bool) -> None:
        self._battery = there
        if not there and not self._powered:
            self._forget()

    @property
    def stopped(self) -> bool:
        """The oscillator-stop flag."""
        return bool(self._memory[_STATUS] & _OSF)

    def set(self, utc_s: int) -> None:
        """Set it right, as somebody did who had it on the bench: seconds since 1970, from 2000 to 2199."""
        moment = datetime.fromtimestamp(utc_s, UTC)
        days = _days(moment.year - 2000, moment.month, moment.day)
        self._seconds = days * _DAY_S + utc_s % _DAY_S
        self._weekday = (moment.isoweekday() - days) % 7
        self._since_us = self.now_us()
        self._runs = True
        self._memory[_STATUS] &= ~_OSF

    def utc(self) -> int:
        """The time it shows now, as seconds since 1970. Raises ValueError for 29 February 2100."""
        seconds = self._now(self.now_us())
        year, month, day = _date(seconds // _DAY_S)
        return calendar.timegm(datetime(2000 + year, month, day).timetuple()) + seconds % _DAY_S

    # ---- for the board ----

    def power(self, on: bool) -> None:
        now = self.now_us()
        self._powered = on
        self._pointer = 0
        if not on:
            if not self._battery:
                self._forget()
            elif self._memory[_CONTROL] & _EOSC:
                # On battery the oscillator stands still: so it does what it was told to.
                self._halt(now)
        elif not self._runs:
            self._since_us = now
            self._runs = True

    def i2c_write(self, addr: int, data: bytes, t_us: int) -> bool:
        if not self._answers(addr):
            return False
        if data:
            if data[0] >= _REGISTERS:
                self.forbid(t_us, f"register {data[0]:02X}h does not exist")
            self._pointer = data[0] % _REGISTERS
            first = self._pointer
            self._write(first, data[1:], t_us)
            self._pointer = (first + len(data) - 1) % _REGISTERS
        return True

    def i2c_read(self, addr: int, count: int, t_us: int) -> bytes | None:
        if not self._answers(addr):
            return None
        # The chip reads its clock once, at the start of the transfer: no second can pass in the middle.
        registers = self._clock(t_us) + bytes(self._memory[7:_TEMPERATURE]) + self._thermometer()
        out = bytes(registers[(self._pointer + i) % _REGISTERS] for i in range(count))
        self._pointer = (self._pointer + count) % _REGISTERS
        return out

    # ---- inside ----

    def _answers(self, addr: int) -> bool:
        return addr == ADDRESS and self._powered and not self.absent

    def _forget(self) -> None:
        """As power finds it for the first time; the clock begins when power comes."""
        self._memory = bytearray(_REGISTERS)
        self._memory[_CONTROL] = 0x1C
        self._memory[_STATUS] = _OSF | _EN32KHZ
        self._seconds = 0  # since 2000, in the chip's own calendar
        self._since_us = 0
        self._weekday = 1
        self._twelve = False
        self._runs = False
        self._garbled: bytes | None = None

    def _halt(self, t_us: int) -> None:
        self._seconds = self._now(t_us)
        self._runs = False
        self._memory[_STATUS] |= _OSF

    def _now(self, t_us: int) -> int:
        passed = max(0, t_us - self._since_us) // 1_000_000 if self._runs else 0
        return (self._seconds + passed) % (_CYCLE_DAYS * _DAY_S)

    def _clock(self, t_us: int) -> bytes:
        if self._garbled is not None:
            return self._garbled
        seconds = self._now(t_us)
        days, rest = divmod(seconds, _DAY_S)
        year, month, day = _date(days)
        hour = rest // 3600
        if self._twelve:
            hours = _TWELVE | (_PM if hour >= 12 else 0) | _bcd((hour + 11) % 12 + 1)
        else:
            hours = _bcd(hour)
        weekday = (days + self._weekday - 1) % 7 + 1
        months = _bcd(month) | (_CENTURY if year >= 100 else 0)
        return bytes(
            (_bcd(rest % 60), _bcd(rest // 60 % 60), hours, weekday, _bcd(day), months, _bcd(year % 100))
        )

    def _thermometer(self) -> bytes:
        quarters = round(self.temperature_c * 4) & 0x3FF
        return bytes((quarters >> 2, (quarters & 3) << 6))

    def _write(self, first: int, data: bytes, t_us: int) -> None:
        clock = bytearray(self._clock(t_us))
        timed = False
        for i, value in enumerate(data):
            at = (first + i) % _REGISTERS
            if at < 7:
                clock[at] = value
                timed = True
            elif at == _STATUS:
                # The flags can be cleared, not set.
                kept = self._memory[at] & value & (_OSF | _ALARMS)
                self._memory[at] = kept | value & _EN32KHZ
            elif at == _CONTROL:
                self._memory[at] = value & ~_CONV  # a conversion is over before anybody looks
            elif at < _TEMPERATURE:
                self._memory[at] = value
            else:
                self.forbid(t_us, f"register {at:02X}h is read only")
        if timed:
            # Only a write of the seconds starts the second anew.
            self._set_clock(bytes(clock), t_us, anew=first == 0 or first + len(data) > _REGISTERS)

    def _set_clock(self, clock: bytes, t_us: int, *, anew: bool) -> None:
        seconds = _parse(clock)
        if seconds is None:
            self.forbid(t_us, f"no time: {clock.hex(' ')}")
            self._garbled = clock
            return
        self._garbled = None
        fraction = 0 if anew else max(0, t_us - self._since_us) % 1_000_000
        self._seconds = seconds
        self._since_us = t_us - fraction
        self._twelve = bool(clock[2] & _TWELVE)
        self._weekday = (clock[3] - 1 - seconds // _DAY_S) % 7 + 1
        self._runs = True


def _bcd(value: int) -> int:
    return value // 10 << 4 | value % 10


def _from_bcd(value: int, low: int, high: int) -> int:
    """Raises ValueError outside."""
    number = (value >> 4) * 10 + (value & 15)
    if value & 15 > 9 or not low <= number <= high:
        raise ValueError(value)
    return number


def _parse(clock: bytes) -> int | None:
    """The registers 00h to 06h as seconds since 2000 in the chip's calendar; None when they are no time."""
    try:
        second, minute = _from_bcd(clock[0], 0, 59), _from_bcd(clock[1], 0, 59)
        if clock[2] & _TWELVE:
            hour = _from_bcd(clock[2] & 0x1F, 1, 12) % 12 + (12 if clock[2] & _PM else 0)
        else:
            hour = _from_bcd(clock[2], 0, 23)
        _from_bcd(clock[3], 1, 7)
        month = _from_bcd(clock[5] & 0x7F, 1, 12)
        year = _from_bcd(clock[6], 0, 99) + (100 if clock[5] & _CENTURY else 0)
        day = _from_bcd(clock[4], 1, _month_days(year, month))
    except ValueError:
        return None
    return _days(year, month, day) * _DAY_S + hour * 3600 + minute * 60 + second


def _month_days(year: int, month: int) -> int:
    if month == 2:
        return 28 if year % 4 else 29
    return 30 if month in (4, 6, 9, 11) else 31


def _days(year: int, month: int, day: int) -> int:
    """Days since 2000-01-01; year from 0 on."""
    return year * 365 + (year + 3) // 4 + sum(_month_days(year, m) for m in range(1, month)) + day - 1


def _date(days: int) -> tuple[int, int, int]:
    year = days * 4 // 1461
    if _days(year, 1, 1) > days:
        year -= 1
    days -= _days(year, 1, 1)
    month = 1
    while days >= _month_days(year, month):
        days -= _month_days(year, month)
        month += 1
    return year, month, days + 1
