"""The functions of ``machine`` on the ESP32-S3: reset, sleep, clock speed, pulses."""

import _irq
import _pin
import _sim
import micropython
from _arg import integer, octets

_HARD = micropython.const(2)
_DEEPSLEEP = micropython.const(4)
_TIMER_WAKE = micropython.const(4)

_freq = [160_000_000]


def _end(cause, sleep_us=0):
    _irq.disable()
    _sim.post(_sim.RESET, cause, sleep_us)
    _sim.flush()
    while True:
        _sim.wait(-1)


def reset():
    """As the reset button."""
    _end(_HARD)


def soft_reset():
    """As Ctrl-D at the prompt."""
    raise SystemExit


def reset_cause():
    return _sim.config["cause"]


def wake_reason():
    return _TIMER_WAKE if _sim.config["cause"] == _DEEPSLEEP else 0


def wake_pins():
    return ()


def unique_id():
    return bytes.fromhex(_sim.config["unique_id"])


def freq(hz=None):
    if hz is None:
        return _freq[0]
    mhz = integer(hz) // 1_000_000
    if mhz not in (20, 40, 80, 160, 240):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _freq[0] = mhz * 1_000_000
    return None


def idle():
    # "at most one millisecond after the CPU was paused" (docs, machine.idle)
    _sim.wait(_sim.now() + 1000)


def lightsleep(time_ms=None):
    """Sleep with everything kept; without a time only a pin's or a port's event ends it."""
    if time_ms is None:
        _sim.wait(-1)
    else:
        until = _sim.now() + integer(time_ms) * 1000
        while _sim.now() < until:
            _sim.wait(until)


def deepsleep(time_ms=None):
    """Sleep with nothing but the RTC kept, then start again as after a reset."""
    _end(_DEEPSLEEP, 0 if time_ms is None else integer(time_ms) * 1000)


def time_pulse_us(pin, pulse_level, timeout_us=1000000):
    """Length of the next pulse in µs; -2: it did not begin in time, -1: it did not end in time."""
    n = _pin.number(pin)
    wanted = 1 if pulse_level else 0
    timeout_us = integer(timeout_us)
    left = 2
    start = _sim.now()
    while True:
        t = _sim.now()
        if _pin.level(n) == wanted:
            wanted = 1 - wanted
            left -= 1
            if not left:
                return t - start
            start = t
        elif t - start >= timeout_us:
            return -left
        else:
            _sim.wait(start + timeout_us)


def bitstream(pin, encoding, timing, buf):
    """Bytes as pulses (WS2812): ``timing`` is high and low of a 0, high and low of a 1, in ns."""
    n = _pin.number(pin)
    encoding = integer(encoding)
    buf = octets(buf)
    if encoding != 0:
        raise ValueError("encoding")
    if type(timing) not in (tuple, list):
        raise TypeError("object '%s' isn't a tuple or list" % type(timing).__name__)
    if len(timing) != 4:
        raise ValueError("requested length 4 but object has length %d" % len(timing))
    high0, low0, high1, low1 = (min(max(integer(ns), 0), 0x7FFF) for ns in timing)
    zero = high0 + low0
    one = high1 + low1
    ones = 0
    for byte in buf:
        while byte:
            ones += byte & 1
            byte >>= 1
    _sim.post(_sim.NEOPIXEL, n, high0 | low0 << 15 | high1 << 30 | low1 << 45, buf)
    _sim.advance((ones * one + (8 * len(buf) - ones) * zero) // 1000)
