"""Interrupt handlers that wait for the end of a shim call: hard ones in a ring, soft ones by schedule."""

import array
import sys

import micropython

_IRQS = micropython.const(32)

# Storing in an array never allocates.
_HEAD = micropython.const(0)  # first hard interrupt in the ring
_COUNT = micropython.const(1)  # hard interrupts in the ring
_BUSY = micropython.const(2)  # inside a hard handler or a timer hook
_LOST = micropython.const(3)  # hard interrupts lost to a full ring
_S = array.array("l", bytes(8 * 4))
_function = [None] * _IRQS
_argument = [None] * _IRQS


def isr(handler, arg, hard=False):
    """Run an interrupt handler: a hard one at the end of this shim call, heap locked; a soft one by
    schedule."""
    if not hard:
        try:
            micropython.schedule(handler, arg)
        except RuntimeError:
            pass  # the queue is full: the port drops the interrupt too
        return
    n = _S[_COUNT]
    if n == _IRQS:
        _S[_LOST] += 1
        return
    at = (_S[_HEAD] + n) % _IRQS
    _function[at] = handler
    _argument[at] = arg
    _S[_COUNT] = n + 1


def pending():
    """Whether a hard interrupt waits for the end of the call."""
    return _S[_COUNT]


def busy():
    """Whether a hard handler or a timer hook runs now."""
    return _S[_BUSY]


def set_busy(on):
    """A timer hook begins (1) or has ended (0): nothing interrupts it."""
    _S[_BUSY] = on


def run_irqs():
    """Run what is in the ring, unless a handler runs already.

    Bytecode, in which what firmware schedules gets its turn, and short: a longer function's variables would
    lie in the firmware's heap.
    """
    while _S[_COUNT] and not _S[_BUSY]:
        _run()


def _run():
    at = _S[_HEAD]
    function = _function[at]
    arg = _argument[at]
    _function[at] = _argument[at] = None
    _S[_HEAD] = (at + 1) % _IRQS
    _S[_COUNT] -= 1
    _S[_BUSY] = 1
    micropython.heap_lock()
    try:
        function(arg)
    except Exception as error:  # noqa: BLE001 - printed, as the port does, and the program goes on
        micropython.heap_unlock()
        print("Uncaught exception in IRQ callback handler")
        sys.print_exception(error)
        micropython.heap_lock()
    finally:
        micropython.heap_unlock()
        _S[_BUSY] = 0
