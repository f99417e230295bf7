"""Real time: the native clock rules, and the host pushes events at any moment."""

import array

import _native
import _sim
import micropython
from _interrupts import pending

_OFFSET = micropython.const(0)  # kernel µs minus native ticks
_DEBT = micropython.const(1)  # device time not yet slept
_CHECKED = micropython.const(2)  # when the control socket was last looked at
_S = array.array("l", bytes(8 * 3))

_ticks_us = _native.time.ticks_us
_sleep_us = _native.time.sleep_us
_poller = _native.select.poll()
_poller.register(3, _native.select.POLLIN)


def start(kernel_us):
    """The kernel's clock shows ``kernel_us`` now."""
    _S[_OFFSET] = kernel_us - _ticks_us()


def now():
    """As ``_sim.now``."""
    return _ticks_us() + _S[_OFFSET]


def advance(us):
    """As ``_sim.advance``: the time is slept, some milliseconds at once."""
    _S[_DEBT] += us
    t = _ticks_us()
    if _S[_DEBT] > 2000:
        _sim.flush()
        _sleep_us(_S[_DEBT])
        # What was overslept is a credit.
        _S[_DEBT] -= _ticks_us() - t
    if t - _S[_CHECKED] > 200:
        _S[_CHECKED] = t
        _sim.flush()
        _drain()
        _sim.serve()


def wait(deadline, stdin=False, poller=None):
    """As ``_sim.wait``; a ``poller`` of more than the control socket ends it too."""
    _sim.measure()
    _sim.flush()
    until = _sim.until(deadline)
    while True:
        if _drain() or pending():
            break
        left = 60_000_000 if until < 0 else until - now()
        if left <= 0:
            break
        # Poll counts in whole milliseconds; the rest is slept out natively.
        if left >= 1000 or poller is not None:
            done = False
            for item in (poller or _poller).ipoll(min((left + 999) // 1000, 60000)):
                if item[0] != 3:
                    done = True
            if done:
                break
        else:
            _sleep_us(left)
    _sim.serve()


@micropython.native
def _drain():
    """Dispatch every event that has arrived; True if there was one."""
    some = False
    while True:
        ready = False
        for _ in _poller.ipoll(0):
            ready = True
        if not ready:
            break
        if _sim.take():
            some = True
    _sim.surface()
    return some
