"""Interrupts of the guest's peripherals: soft ones by schedule, held back while they are disabled."""

import _native
import micropython

_HELD = micropython.const(32)

_schedule = _native.micropython.schedule
_handlers = [None] * _HELD
_arguments = [None] * _HELD
# What disable_irq and enable_irq hand on, and how many interrupts wait for the enabling.
_state = bytearray(2)


@micropython.native
def fire(handler, arg):
    """Schedule ``handler(arg)``, now or when interrupts are enabled again. Does not allocate."""
    if _state[0]:
        n = _state[1]
        if n < _HELD:
            _handlers[n] = handler
            _arguments[n] = arg
            _state[1] = n + 1
        return
    # Not by _sim.isr: events arrive in the middle of an exchange, where only machine code is sure not to run
    # the handler at once.
    try:
        _schedule(handler, arg)
    except RuntimeError:
        pass  # the queue is full: the port drops the interrupt too


def disable():
    """Hold interrupts back; returns the state before for ``enable``."""
    before = _state[0]
    _state[0] = 1
    return before


def enable(state):
    """Back to a state that ``disable`` returned; what was held back runs, in order."""
    _state[0] = 1 if state else 0
    if state:
        return
    n = _state[1]
    _state[1] = 0
    for i in range(n):
        fire(_handlers[i], _arguments[i])
        _handlers[i] = _arguments[i] = None
