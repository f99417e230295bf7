"""machine.ADC of the ESP32-S3 port: twelve bits on pins 1 to 20, attenuated."""

import errno

import _pin
import _sim
import micropython
from _arg import integer

_MAX = micropython.const(4095)
# Microvolts at full scale by attenuation (ESP32-S3 datasheet, ADC characteristics; the pad takes no more).
_FULL_UV = (950_000, 1_250_000, 1_750_000, 3_100_000)
# A single conversion with the driver's overhead, µs.
_TIME_US = micropython.const(40)

_objects = {}
# ADC1 is pins 1 to 10, ADC2 11 to 20: switched off, each stops all its pins.
_on = [False, False]


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_12BIT = 12

    def __new__(cls, pin, *args, **kwargs):
        n = _pin.number(pin)
        if not 1 <= n <= 20:
            raise ValueError("invalid pin")
        adc = _objects.get(n)
        if adc is None:
            adc = _objects[n] = object.__new__(cls)
            adc._pin = n
            adc._unit = 0 if n <= 10 else 1
        return adc

    def __init__(self, pin, *, atten=-1):
        self.init(atten=atten)

    def init(self, *, atten=-1):
        _on[self._unit] = True
        atten = integer(atten)
        self.atten(3 if atten == -1 else atten)

    def deinit(self):
        _on[self._unit] = False

    def atten(self, atten):
        atten = integer(atten)
        if not 0 <= atten <= 3:
            raise ValueError("invalid attenuation")
        self._atten = atten

    def width(self, width):
        if integer(width) != 12:
            raise ValueError("invalid bit-width")

    def read(self):
        if not _on[self._unit]:
            raise OSError(errno.EPERM)
        _sim.advance(_TIME_US)
        try:
            uv = int.from_bytes(_sim.ask(_sim.ADC, self._pin, 0), "little")
        except OSError:
            # Nothing on this board makes a voltage.
            uv = 0
        if uv >= 1 << 31:
            uv = 0
        return min(uv * _MAX // _FULL_UV[self._atten], _MAX)

    def read_u16(self):
        raw = self.read()
        return raw << 4 | raw >> 8

    def read_uv(self):
        # The calibration answers in millivolts.
        return self.read() * _FULL_UV[self._atten] // _MAX // 1000 * 1000

    def __repr__(self):
        return "ADC(Pin(%d), atten=%d)" % (self._pin, self._atten)
