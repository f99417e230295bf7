"""machine.Pin and machine.Signal of the ESP32-S3 port."""

import _irq
import _sim
import micropython
from _arg import MISSING, integer

_PINS = micropython.const(49)
_ABSENT = (22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32)

_INPUT = micropython.const(1)
_OUTPUT = micropython.const(2)
_OPEN_DRAIN = micropython.const(4)
# Not asked yet; and asked: nothing drives it, the pull decides.
_UNKNOWN = micropython.const(2)
_FLOATS = micropython.const(3)
_LOW_LEVEL = micropython.const(4)
_HIGH_LEVEL = micropython.const(5)

# Device time of one access from bytecode, µs: a loop that polls a pin must see time go on.
_ACCESS_US = micropython.const(2)

# By pin number. What the outside drives, or one of the two above.
_outside = bytearray([_UNKNOWN] * _PINS)
_latch = bytearray(_PINS)
_mode = bytearray([_INPUT] * _PINS)
_pull = bytearray(_PINS)
_drive = bytearray([2] * _PINS)
# Level that the interrupt logic saw last.
_seen = bytearray(_PINS)
_trigger = bytearray(_PINS)
_handler = [None] * _PINS
_objects = {}


def number(pin):
    """The GPIO number of a Pin or an int. Raises ValueError for what is no pin of this chip."""
    if isinstance(pin, Pin):
        return pin._n
    kind = type(pin)
    if (kind is int or kind is bool) and 0 <= pin < _PINS and pin not in _ABSENT:
        return int(pin)
    raise ValueError("invalid pin")


def level(n):
    """The level at the pad now: what is driven inside, else what the outside drives."""
    mode = _mode[n]
    if mode & _OUTPUT and (not mode & _OPEN_DRAIN or not _latch[n]):
        return _latch[n]
    outside = _outside[n]
    if outside == _UNKNOWN:
        outside = _sim.ask(_sim.GPIO_IN, n, 0)[0]
        if outside > 1:
            outside = _FLOATS
        _outside[n] = outside
    if outside == _FLOATS:
        return _pull[n] >> 1
    return outside


@micropython.native
def _edge(n, now):
    if now == _seen[n]:
        return
    _seen[n] = now
    trigger = _trigger[n]
    # A level interrupt is one edge here: on the chip it would fire again for as long as the level lasts.
    wanted = (trigger & 1) if now else (trigger & 2)
    if trigger == _LOW_LEVEL:
        wanted = 1 - now
    elif trigger == _HIGH_LEVEL:
        wanted = now
    if wanted:
        _irq.fire(_handler[n], _objects[n])


@micropython.native
def _on_pin(a, b, t, n):
    _outside[a] = b
    if _trigger[a]:
        mode = _mode[a]
        if not (mode & _OUTPUT) or (mode & _OPEN_DRAIN and _latch[a]):
            _edge(a, b)


_sim.on(_sim.EV_PIN, _on_pin)


def write(n, value):
    """Set a pin's output latch; it reaches the pad if the pin is an output."""
    if _latch[n] != value:
        _latch[n] = value
        if _mode[n] & _OUTPUT:
            _sim.post(_sim.GPIO_OUT, n, value)
            if _trigger[n]:
                _edge(n, level(n))
    _sim.advance(_ACCESS_US)


def configure(n, mode, pull=None):
    """Set a pin's direction (numbered as Pin.IN, OUT and OPEN_DRAIN) and pull."""
    _mode[n] = mode
    if pull is not None:
        _pull[n] = pull
    if mode & _OUTPUT:
        _sim.post(_sim.GPIO_OUT, n, _latch[n])
    kind = 0
    if mode & _OUTPUT:
        kind = 2 if mode & _OPEN_DRAIN else 1
    pulls = 1 if _pull[n] & 2 else (2 if _pull[n] & 1 else 0)
    _sim.post(_sim.GPIO_MODE, n, kind | pulls << 4)
    if _trigger[n]:
        _edge(n, level(n))


class _IRQ:
    def __init__(self, pin):
        self._pin = pin

    def __call__(self):
        handler = _handler[self._pin._n]
        if handler is not None:
            _irq.fire(handler, self._pin)

    def trigger(self, trigger=MISSING):
        n = self._pin._n
        before = _trigger[n]
        if trigger is not MISSING:
            _arm(n, _handler[n], integer(trigger))
        return before


def _arm(n, handler, trigger):
    if not 0 <= trigger <= 5:
        # gpio_set_intr_type refuses it and the port does not look: the pin keeps its trigger.
        trigger = _trigger[n]
    _handler[n] = handler
    _trigger[n] = 0
    if handler is not None and trigger:
        _seen[n] = level(n)
        _trigger[n] = trigger


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    class board:
        pass

    def __new__(cls, id, *args, **kwargs):
        n = number(id)
        pin = _objects.get(n)
        if pin is None:
            pin = object.__new__(cls)
            pin._n = n
            pin._irq = _IRQ(pin)
            _objects[n] = pin
        return pin

    def __init__(self, id, *args, **kwargs):
        if args or kwargs:
            self.init(*args, **kwargs)

    def init(self, mode=None, pull=-1, *, value=MISSING, drive=MISSING, hold=MISSING):
        n = self._n
        if value is not MISSING:
            write(n, 1 if value else 0)
        if drive is not MISSING:
            drive = integer(drive)
            if 0 <= drive <= 3:
                _drive[n] = drive
        if mode is None and pull == -1:
            return
        direction = _mode[n]
        if mode is not None:
            direction = integer(mode)
            if direction not in (0, 1, 2, 3, 6, 7):
                # gpio_set_direction refuses it and the port does not look: the pin stays as it was.
                direction = _mode[n]
        if pull is None:
            pull = 0
        elif pull == -1:
            pull = _pull[n]
        configure(n, direction, integer(pull) & 3)

    def value(self, x=MISSING):
        n = self._n
        if x is not MISSING:
            write(n, 1 if x else 0)
            return None
        _sim.advance(_ACCESS_US)
        if not _mode[n] & _INPUT:
            return 0
        return level(n)

    __call__ = value

    def on(self):
        write(self._n, 1)

    def off(self):
        write(self._n, 0)

    def toggle(self):
        write(self._n, 1 - _latch[self._n])

    def irq(self, handler=MISSING, trigger=3, wake=None):
        if handler is MISSING and trigger == 3 and wake is None:
            return self._irq
        if handler is MISSING:
            handler = None
        trigger = integer(trigger)
        n = self._n
        if trigger in (_LOW_LEVEL, _HIGH_LEVEL) and wake is not None:
            kind = type(wake)
            if (kind is not int and kind is not bool) or not 2 <= wake <= 7:
                raise ValueError("bad wake value")
            if n > 21:
                raise ValueError("invalid pin for wake")
            return self._irq
        _arm(n, handler, 0 if handler is None else trigger)
        return self._irq

    def __repr__(self):
        n = self._n
        mode = _mode[n]
        name = "IN"
        if mode & _OUTPUT:
            name = "OPEN_DRAIN" if mode & _OPEN_DRAIN else "OUT"
        text = "Pin(%d, mode=Pin.%s" % (n, name)
        if _pull[n] & 2:
            text += ", pull=Pin.PULL_UP"
        elif _pull[n] & 1:
            text += ", pull=Pin.PULL_DOWN"
        if _drive[n] != 2:
            text += ", drive=Pin.DRIVE_%d" % _drive[n]
        return text + ")"


class Signal:
    def __init__(self, pin, *args, **kwargs):
        self._invert = 1 if kwargs.pop("invert", False) else 0
        if hasattr(pin, "value"):
            if args or kwargs:
                raise TypeError
        else:
            if self._invert and "value" in kwargs:
                kwargs["value"] = not kwargs["value"]
            pin = Pin(pin, *args, **kwargs)
        self._pin = pin

    def value(self, x=MISSING):
        if x is not MISSING:
            self._pin.value((1 if x else 0) ^ self._invert)
            return None
        return self._pin.value() ^ self._invert

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)
