"""machine.PWM of the ESP32-S3 port: LEDC with eight channels, four timers and an 80 MHz clock."""

import _pin
import _sim
import micropython
from _arg import MISSING, integer

_CHANNELS = micropython.const(8)
_TIMERS = micropython.const(4)
_CLOCK = micropython.const(80_000_000)
_FULL = micropython.const(65536)
# Full duty is out of reach at the timer's 14 bits, so the port uses 13 at most.
_BITS_MAX = micropython.const(13)
_U10 = micropython.const(10)
_U16 = micropython.const(16)
_NS = micropython.const(1)

_pin_of = [-1] * _CHANNELS
_timer_of = [-1] * _CHANNELS
_freq_of = [-1] * _TIMERS


def _bits(freq):
    ratio = (_CLOCK + freq // 2) // freq
    bits = 0
    while ratio > 1:
        ratio >>= 1
        bits += 1
    return min(bits, _BITS_MAX)


def _check_freq(freq):
    if not 0 < freq <= _CLOCK // 2:
        raise ValueError("frequency must be from 1Hz to %dMHz" % (_CLOCK // 2000000))


class PWM:
    def __init__(self, pin, *args, **kwargs):
        if len(args) > 1:
            raise TypeError("function expected at most 2 arguments, got %d" % (1 + len(args)))
        self._pin = _pin.number(pin)
        self._reset()
        self.init(*args, **kwargs)

    def _reset(self):
        self._channel = self._timer = self._freq = -1
        self._scale = self._duty = 0
        self._invert = self._lightsleep = False

    def init(self, freq=-1, *, duty=-1, duty_u16=-1, duty_ns=-1, invert=MISSING, lightsleep=MISSING):
        if lightsleep is not MISSING:
            self._lightsleep = bool(lightsleep)
        freq = integer(freq)
        if freq != -1:
            _check_freq(freq)
        if integer(duty_u16) >= 0:
            self._check_u16(duty_u16)
        elif integer(duty_ns) >= 0:
            self._check_ns(duty_ns, freq)
        elif integer(duty) >= 0:
            self._check_u10(duty)
        elif not self._scale:
            self._scale = _U16
            self._duty = _FULL // 2
        if invert is not MISSING:
            self._invert = bool(invert)
        channel = _pin_of.index(self._pin) if self._pin in _pin_of else -1
        if channel < 0:
            if -1 not in _pin_of or (freq != -1 and -1 not in _freq_of and freq not in _freq_of):
                raise RuntimeError("out of PWM channels:%d" % _CHANNELS)
            channel = _pin_of.index(-1)
        self._channel = channel
        if self._timer < 0:
            self._timer = _timer_of[channel]
        if freq == -1:
            freq = _freq_of[self._timer] if self._timer >= 0 else 5000
        self._apply_freq(freq)

    def _apply_freq(self, freq):
        mine = self._timer
        if freq in _freq_of:
            timer = _freq_of.index(freq)
        elif mine >= 0 and _timer_of.count(mine) <= 1:
            timer = mine
        elif -1 in _freq_of:
            timer = _freq_of.index(-1)
        else:
            raise RuntimeError("out of PWM timers:%d" % _TIMERS)
        self._release_timer(timer)
        _freq_of[timer] = freq
        self._timer = timer
        self._freq = freq
        _pin_of[self._channel] = self._pin
        _timer_of[self._channel] = timer
        self._apply()

    def _release_timer(self, keep):
        old = _timer_of[self._channel]
        _timer_of[self._channel] = -1
        if old >= 0 and old != keep and old not in _timer_of:
            _freq_of[old] = -1

    def _apply(self):
        duty = self._duty
        if self._scale == _U10:
            duty <<= 6
        elif self._scale == _NS:
            duty = (self._duty * _FULL * self._freq + 500_000_000) // 1_000_000_000
            duty = min(max(duty, 1 if self._duty else 0), _FULL)
        self._raw = duty >> (16 - _bits(self._freq))
        high = self._raw * 65535 >> _bits(self._freq)
        _sim.post(_sim.PWM, self._pin, self.freq() << 16 | (65535 - high if self._invert else high))

    def _active(self):
        if self._timer < 0:
            raise RuntimeError("PWM is inactive")

    def _check_u16(self, duty):
        if not 0 <= duty < _FULL:
            raise ValueError("duty_u16 must be from 0 to %d" % _FULL)
        self._scale = _U16
        self._duty = _FULL if duty == _FULL - 1 else duty

    def _check_u10(self, duty):
        if not 0 <= duty < 1024:
            raise ValueError("duty must be from 0 to 1023")
        self._scale = _U10
        self._duty = 1024 if duty == 1023 else duty

    def _check_ns(self, ns, freq):
        most = 1_000_000_000 // (freq if freq > 0 else (self._freq if self._freq > 0 else 5000))
        if not 0 <= ns <= most:
            raise ValueError("duty_ns must be from 0 to %d ns" % most)
        self._scale = _NS
        self._duty = ns

    def freq(self, value=MISSING):
        self._active()
        if value is MISSING:
            # The divider has eight fractional bits.
            top = self._freq << _bits(self._freq)
            divider = ((_CLOCK << 8) + top // 2) // top
            step = divider << _bits(self._freq)
            return ((_CLOCK << 8) + step // 2) // step
        value = integer(value)
        _check_freq(value)
        if value != self._freq:
            self._apply_freq(value)
        return None

    def duty_u16(self, value=MISSING):
        if value is MISSING:
            self._active()
            return min(self._raw << (16 - _bits(self._freq)), _FULL - 1)
        self._check_u16(integer(value))
        self._active()
        self._apply()
        return None

    def duty(self, value=MISSING):
        if value is MISSING:
            return self.duty_u16() >> 6
        self._check_u10(integer(value))
        self._active()
        self._apply()
        return None

    def duty_ns(self, value=MISSING):
        self._active()
        if value is MISSING:
            cycle = self._freq * _FULL
            return (self.duty_u16() * 1_000_000_000 + cycle // 2) // cycle
        self._check_ns(integer(value), -1)
        self._apply()
        return None

    def deinit(self):
        if self._channel >= 0 and _pin_of[self._channel] == self._pin:
            self._release_timer(-1)
            _pin_of[self._channel] = -1
            _sim.post(_sim.PWM, self._pin, -1)
        self._reset()

    def __repr__(self):
        text = "PWM(Pin(%d)" % self._pin
        if self._timer >= 0:
            text += ", freq=%d" % self.freq()
            if self._scale == _U10:
                text += ", duty=%d" % self.duty()
            elif self._scale == _NS:
                text += ", duty_ns=%d" % self.duty_ns()
            else:
                text += ", duty_u16=%d" % self.duty_u16()
            if self._invert:
                text += ", invert=True"
            if self._lightsleep:
                text += ", lightsleep=True"
        return text + ")"
