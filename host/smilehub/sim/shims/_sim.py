# ruff: noqa: F401, F405
"""The guest's end of the simulated board: its clock, its messages to the host and the events that come back.

Every shim goes through this module. Nothing in ``now``, ``advance``, ``wait`` and ``post`` allocates, so that
code which runs with a locked heap (interrupts, asyncio's core, block devices) meets what it would on a chip.
The protocol itself is compiled to machine code: there a KeyboardInterrupt can only surface inside a system
call, where it is caught, so a Ctrl-C never splits a message.

Others call ``_sim.now()``, ``_sim.advance()`` and ``_sim.wait()`` through the module, never by a name
imported from it: ``start`` replaces them in real time.
"""

import array
import gc
import struct

import micropython
from _interrupts import busy, isr, run_irqs, set_busy
from _kinds import *

_HEADER = "<BBHIqq"
_HEADER_BYTES = micropython.const(24)
_OUT_BYTES = micropython.const(8192)
_LARGE = micropython.const(2048)
_EVENT_BYTES = micropython.const(4096)
_FOREVER = micropython.const(1 << 61)

# The state lives in an array of 64-bit numbers: storing there never allocates ("l": reading a "q" does).
_T = micropython.const(0)  # guest clock in virtual mode, µs of the kernel
_LIMIT = micropython.const(1)  # earliest of horizon and the next local timer
_HORIZON = micropython.const(2)  # nothing can happen to this guest before
_TIMER = micropython.const(3)  # next local timer
_POS = micropython.const(4)  # bytes in the out-buffer
_OWED = micropython.const(5)  # answers to requests that a KeyboardInterrupt abandoned
_INTERRUPTED = micropython.const(6)  # a KeyboardInterrupt waits for the end of an exchange
_EVENTS = micropython.const(7)  # events dispatched since power-on
_PEAK = micropython.const(8)  # most heap seen in use (measuring)
_SENT_PEAK = micropython.const(9)
_RTC = micropython.const(10)  # the RTC's µs since 2000 minus now()
_TICKS = micropython.const(11)  # the ticks counter minus now()
_BASE = micropython.const(12)  # heap in use before the firmware (measuring)
_S = array.array("l", bytes(8 * 13))
_S[_TIMER] = _FOREVER

_ctl = open(3, "r+b")
_out = bytearray(_OUT_BYTES)
_in = array.array("l", bytes(_HEADER_BYTES))
_spare = bytearray(1)

#: Payload of the event being dispatched; a handler gets its length.
rx = bytearray(_EVENT_BYTES)
#: True when time is simulated.
virtual = True
#: What the host said of this board at power-on.
config = {}

_handlers = {}
_timer_hook = [None]
_measuring = False


@micropython.viper
def _copy(to: ptr8, at: int, source: ptr8, n: int):
    for i in range(n):
        to[at + i] = source[i]


@micropython.native
def _write(buf, n):
    while True:
        try:
            _ctl.write(buf, n)
            return
        except KeyboardInterrupt:
            # The host interrupts only when the socket is empty, so nothing of this has gone.
            _S[_INTERRUPTED] = 1


@micropython.native
def _read(buf, n):
    while True:
        try:
            got = _ctl.readinto(buf, n)
        except KeyboardInterrupt:
            _S[_INTERRUPTED] = 1
            continue
        if got != n:
            # The host has gone: writing to a closed socket ends this process.
            while True:
                _ctl.write(_out, 1)
        return


@micropython.native
def flush():
    """Send what was posted."""
    n = _S[_POS]
    if n:
        _S[_POS] = 0
        _write(_out, n)


@micropython.native
def post(kind, a, b, payload=None):
    """Tell the host; no answer. ``payload`` is bytes-like with items of one byte, copied or sent at once."""
    n = 0 if payload is None else len(payload)
    at = _S[_POS]
    if at + _HEADER_BYTES + n > _OUT_BYTES:
        flush()
        at = 0
    struct.pack_into(_HEADER, _out, at, kind, a, 0, n, b, now())
    at += _HEADER_BYTES
    if n > _LARGE:
        _S[_POS] = at
        flush()
        _write(payload, n)
        return
    if n:
        _copy(_out, at, payload, n)
    _S[_POS] = at + n


@micropython.native
def _dispatch():
    """Take one event, whose header has been read, off the socket and hand it to its handler."""
    head = _in[0]
    kind = head & 0xFF
    a = (head >> 8) & 0xFF
    n = head >> 32
    b = _in[1]
    t = _in[2]
    if n:
        _read(rx, n)
    _S[_EVENTS] += 1
    handler = _handlers.get(kind)
    if handler is not None:
        handler(a, b, t, n)


@micropython.native
def _receive(into):
    """Read up to and with the answer. Returns its payload (bytes), or its length when ``into`` took it."""
    while True:
        _read(_in, _HEADER_BYTES)
        head = _in[0]
        if head & 0xFF != REPLY:
            _dispatch()
            continue
        n = head >> 32
        if _S[_OWED]:
            _S[_OWED] -= 1
            while n:
                _read(_spare, 1)
                n -= 1
            continue
        if virtual:
            _S[_T] = _in[2]
            _S[_HORIZON] = _in[1]
            _S[_LIMIT] = min(_in[1], _S[_TIMER])
        status = (head >> 8) & 0xFF
        if into is None or n > len(into):
            data = bytearray(n) if n else b""
            if n:
                _read(data, n)
        else:
            if n:
                _read(into, n)
            data = n
        if status:
            raise OSError(status)
        return data


@micropython.native
def _exchange(kind, a, b, payload, into):
    post(kind, a, b, payload)
    flush()
    try:
        return _receive(into)
    finally:
        surface()


@micropython.native
def ask(kind, a, b, payload=None):
    """Ask the host and wait for its answer (bytes). Raises OSError with the errno the host gave."""
    data = _exchange(kind, a, b, payload, None)
    run_irqs()
    return data


@micropython.native
def ask_into(kind, a, b, payload, into):
    """As ``ask``, the answer read into ``into`` without allocating; returns its length."""
    n = _exchange(kind, a, b, payload, into)
    run_irqs()
    return n


def now():
    """Microseconds since the kernel started."""
    return _S[_T]


def advance(us):
    """Let ``us`` microseconds of device time pass; delivers what became due."""
    t = _S[_T] + us
    _S[_T] = t
    if t >= _S[_LIMIT]:
        _cross()


@micropython.native
def _cross():
    if _S[_T] >= _S[_HORIZON]:
        _exchange(SYNC, 0, 0, None, _spare)
    serve()


def ticks_us():
    """The free-running counter behind ``time.ticks_*``: not reset by a soft reset."""
    return now() + _S[_TICKS]


def clock_us():
    """The RTC: microseconds since 2000-01-01."""
    return now() + _S[_RTC]


def set_clock_us(us):
    """Set the RTC (it keeps over resets, not over a power cut)."""
    _S[_RTC] = us - now()
    post(RTC_SET, 0, _S[_RTC])


def stir():
    """What was just posted may be answered by an event: ask at the next advance."""
    if virtual:
        _S[_HORIZON] = _S[_T]
        _S[_LIMIT] = _S[_T]


@micropython.native
def _wait_exchange(flags, deadline):
    post(WAIT, flags, deadline, None)
    flush()
    while True:
        n = -1
        try:
            n = _ctl.readinto(_in, _HEADER_BYTES)
        except KeyboardInterrupt:
            _S[_OWED] += 1
        if n < 0:
            raise KeyboardInterrupt
        if n != _HEADER_BYTES:
            while True:
                _ctl.write(_out, 1)
        if _in[0] & 0xFF != REPLY:
            _dispatch()
            continue
        if _S[_OWED]:
            _S[_OWED] -= 1
            continue
        _S[_T] = _in[2]
        _S[_HORIZON] = _in[1]
        _S[_LIMIT] = min(_in[1], _S[_TIMER])
        break
    surface()


@micropython.native
def wait(deadline, stdin=False):
    """Sleep until an event was dispatched or the kernel's clock reaches ``deadline`` (µs; -1: for ever).

    ``stdin`` also returns when the console has input.
    """
    measure()
    _wait_exchange(1 if stdin else 0, until(deadline))
    serve()


def until(deadline):
    """The earlier of ``deadline`` and the next local timer; -1: neither."""
    timer = _S[_TIMER]
    if 0 <= deadline < timer:
        return deadline
    return -1 if timer == _FOREVER else timer


@micropython.native
def serve():
    """Run the local timers and interrupts that are due."""
    _run_timers()
    run_irqs()


@micropython.native
def take():
    """Read the message that has arrived (real time); True if it was an event."""
    _read(_in, _HEADER_BYTES)
    if _in[0] & 0xFF == REPLY:
        _S[_OWED] -= 1
        return False
    _dispatch()
    return True


@micropython.native
def surface():
    """Raise the KeyboardInterrupt that came in the middle of a message, if one did."""
    if _S[_INTERRUPTED]:
        _S[_INTERRUPTED] = 0
        raise KeyboardInterrupt


def on(kind, handler):
    """``handler(a, b, t_us, n)`` takes events of this kind, with the payload in ``rx[:n]``.

    It runs in the middle of an exchange: it may copy bytes, set flags and call ``isr``, but not post or ask.
    """
    _handlers[kind] = handler


def on_timer(hook):
    """``hook(now_us)`` is called at the first shim call or wait after the time set by ``timer_at``."""
    _timer_hook[0] = hook


def timer_at(us):
    """When the timer hook is next due (µs of the kernel; -1: never)."""
    if us < 0:
        us = _FOREVER
    _S[_TIMER] = us
    _S[_LIMIT] = min(_S[_HORIZON], us)


@micropython.native
def _run_timers():
    if busy():
        return
    while now() >= _S[_TIMER]:
        timer_at(-1)
        set_busy(1)
        try:
            _timer_hook[0](now())
        finally:
            set_busy(0)


def measure_from(base):
    """What the heap holds before the firmware starts."""
    _S[_BASE] = base


@micropython.native
def measure():
    """Tell the host what the heap holds, if it asked to know."""
    if not _measuring:
        return
    used = gc.mem_alloc() - _S[_BASE]
    post(MEASURE, 1, used)
    if used > _S[_PEAK]:
        _S[_PEAK] = used
    if _S[_PEAK] > _S[_SENT_PEAK]:
        _S[_SENT_PEAK] = _S[_PEAK]
        post(MEASURE, 0, _S[_PEAK])


def start():
    """Greet the host and take over its settings; called once by the launcher."""
    global virtual, config, now, advance, wait, _measuring
    import json

    config = json.loads(bytes(_exchange(HELLO, 0, 0, None, None)))
    if not config["virtual"]:
        import _real

        _real.start(_in[2])
        virtual = False
        now = _real.now
        advance = _real.advance
        wait = _real.wait
    _S[_RTC] = config["rtc_us"]
    _S[_TICKS] = config["ticks_us"]
    _measuring = config["measure"]
