"""``time`` of the ESP32 port on the board's clock: epoch 2000, ticks that wrap at 2**30, sleeps that
interrupts end early."""

import _sim
import micropython
from _native import time as _native

_MASK = (1 << 30) - 1
_HALF = 1 << 29
_EPOCH = 946684800
# What a look at the clock costs.
_LOOK_US = 10


def ticks_ms():
    """Milliseconds, wrapping at 2**30."""
    _sim.advance(_LOOK_US)
    return _sim.ticks_us() // 1000 & _MASK


def ticks_us():
    """Microseconds, wrapping at 2**30."""
    _sim.advance(_LOOK_US)
    return _sim.ticks_us() & _MASK


def ticks_cpu():
    """CPU cycles at 240 MHz, wrapping at 2**30."""
    _sim.advance(_LOOK_US)
    return _sim.ticks_us() * 240 & _MASK


def ticks_add(ticks, delta):
    """``ticks`` moved by ``delta``; OverflowError if delta is half the period or more."""
    if not -_HALF < delta < _HALF:
        raise OverflowError("ticks interval overflow")
    return ticks + delta & _MASK


def ticks_diff(end, start):
    """How far ``end`` is after ``start``, in -2**29 … 2**29 - 1."""
    return (end - start + _HALF & _MASK) - _HALF


@micropython.native
def _sleep(us):
    if us <= 0:
        _sim.advance(_LOOK_US)
        return
    deadline = _sim.now() + us
    while _sim.now() < deadline:
        _sim.wait(deadline)


def sleep(seconds):
    """Sleep; a float is allowed."""
    _sleep(int(seconds * 1000000))


@micropython.native
def sleep_ms(ms):
    """Sleep milliseconds."""
    _sleep(int(ms) * 1000)


@micropython.native
def sleep_us(us):
    """Sleep microseconds."""
    _sleep(int(us))


def time():
    """Seconds since 2000-01-01 by the RTC."""
    _sim.advance(_LOOK_US)
    return _sim.clock_us() // 1000000


def time_ns():
    """Nanoseconds since 2000-01-01 by the RTC."""
    _sim.advance(_LOOK_US)
    return _sim.clock_us() * 1000


def gmtime(seconds=None):
    """(year, month, mday, hour, minute, second, weekday, yearday)"""
    if seconds is None:
        seconds = time()
    return _native.gmtime(int(seconds) + _EPOCH)[:8]


# The port has no time zones.
localtime = gmtime


def mktime(local):
    """Seconds since 2000 of an 8- or 9-tuple."""
    if len(local) not in (8, 9):
        raise TypeError("mktime needs a tuple of length 8 or 9")
    return _native.mktime(tuple(local[:8])) - _EPOCH
