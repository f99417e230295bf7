"""machine.Timer and machine.WDT of the ESP32-S3 port; time of a Timer is local to the guest."""

import _alarm
import _irq
import _sim
import micropython
from _arg import integer

_HARDWARE = micropython.const(4)

_timers = {}


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __new__(cls, id=-1, *args, **kwargs):
        id = integer(id)
        if id >= _HARDWARE:
            raise ValueError("Timer(%d) doesn't exist, there are only %d hardware timers" % (id, _HARDWARE))
        timer = _timers.get(id) if id >= 0 else None
        if timer is None:
            timer = object.__new__(cls)
            timer._id = id
            timer._period = 0
            timer._repeat = 0
            timer._started = timer._stopped = 0
            timer._callback = None
            timer._alarm = None
            if id >= 0:
                _timers[id] = timer
        return timer

    def __init__(self, id=-1, *args, **kwargs):
        if args or kwargs:
            self.init(*args, **kwargs)

    def init(self, *, mode=1, callback=None, period=0xFFFFFFFF, tick_hz=1000, freq=None, hard=False):
        if self._alarm is not None:
            self.deinit()
        if hard:
            raise ValueError("hard Timers are not implemented")
        if freq is not None:
            us = int(1_000_000 / freq)
        else:
            us = (integer(period) & 0xFFFFFFFF) * 1_000_000 // integer(tick_hz)
        self._period = us
        if not us:
            raise ValueError("Timer period is too short for this timer")
        self._repeat = 1 if integer(mode) else 0
        self._callback = callback
        self._started = _sim.now()
        self._stopped = -1
        self._alarm = _alarm.Alarm(self._fire)
        _alarm.set(self._alarm, self._started + us)

    @micropython.native
    def _fire(self, due):
        now = _sim.now()
        if self._repeat:
            # Periods missed by more than one are skipped (esp_timer's FL_SKIP_UNHANDLED_EVENTS).
            late = (now - due) // self._period
            self._alarm.at = now + self._period if late > 1 else due + self._period
            self._started = due
        else:
            self._stopped = due
            alarm = self._alarm
            self._alarm = None
            _alarm.forget(alarm)
        if self._callback is not None:
            _irq.fire(self._callback, self)

    def deinit(self):
        if self._alarm is not None:
            alarm = self._alarm
            self._alarm = None
            _alarm.forget(alarm)
        self._period = 0
        self._repeat = 0
        self._started = self._stopped = 0
        self._callback = None

    def value(self):
        _sim.advance(2)
        end = self._stopped
        if end < 0:
            end = _sim.now()
        return (end - self._started) // 1000

    def __repr__(self):
        # The port has the two names the wrong way round, and so have programs that read them.
        mode = "ONE_SHOT" if self._repeat else "PERIODIC"
        return "Timer(%d, mode=%s, period=%d)" % (self._id, mode, self._period // 1000)


class WDT:
    _timeout = 0
    _only = None

    def __new__(cls, id=0, timeout=5000):
        if type(id) is not int or id != 0:
            raise ValueError
        timeout = integer(timeout)
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        if cls._only is None:
            cls._only = object.__new__(cls)
        WDT._timeout = timeout
        return cls._only

    def __init__(self, id=0, timeout=5000):
        self.feed()

    def feed(self):
        _sim.post(_sim.WDT, 0, WDT._timeout * 1000)
        # The host's clock counts from here: it must not run behind.
        _sim.stir()
        _sim.advance(2)
