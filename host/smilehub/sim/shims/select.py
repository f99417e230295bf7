"""``select``: the board's clock does the waiting, and nothing in ``ipoll`` allocates.

Streams of the host process (console, sockets) are left to the built-in poll object. Objects with an
``ioctl`` of their own (UARTs, flags of asyncio) are asked here: the built-in one sleeps a real millisecond
each time it has such an object.
"""

import errno

import _native
import _sim

POLLIN = _native.select.POLLIN
POLLOUT = _native.select.POLLOUT
POLLERR = _native.select.POLLERR
POLLHUP = _native.select.POLLHUP

_IOCTL_POLL = 3
_ONE_SHOT = 1
# Whose readiness changes only with an event of the board, which ends a wait. All others are asked each ms,
# as the port does.
_TELL = ("UART", "ThreadSafeFlag")
_LOOK_AGAIN_US = 1000


class _Asked:
    """An object that is asked by ``ioctl``."""

    def __init__(self, obj, mask):
        self.obj = obj
        self.mask = mask
        self.ask = obj.ioctl
        self.tells = type(obj).__name__ in _TELL
        self.events = 0
        # What an iteration yields, by events: made once each.
        self.pairs = {
            POLLIN: (obj, POLLIN),
            POLLOUT: (obj, POLLOUT),
            POLLIN | POLLOUT: (obj, POLLIN | POLLOUT),
        }

    def look(self):
        """Note what the object is ready for; 0 for nothing."""
        events = self.ask(_IOCTL_POLL, self.mask) if self.mask else 0
        if events < 0:
            raise OSError(-events)
        self.events = events
        return events

    def pair(self):
        pair = self.pairs.get(self.events)
        if pair is None:
            pair = self.pairs[self.events] = (self.obj, self.events)
        return pair


class poll:
    """Polls streams: those of the host process and any object with ``ioctl``."""

    def __init__(self):
        self._native = _native.select.poll()
        self._n_native = 0
        self._with_control = None  # the native ones and the board's own socket, to sleep on in real time
        self._asked = []
        self._at = 0
        self._first = None
        self._more_native = False
        self._impatient = False
        self._flags = 0

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        """Watch ``obj``, or watch it for something else."""
        if self._is_native(obj):
            self._native.register(obj, eventmask)
            if self._with_control is None:
                self._with_control = _native.select.poll()
                self._with_control.register(3, POLLIN)
            self._with_control.register(obj, eventmask)
            self._n_native += 1
            return
        for entry in self._asked:
            if entry.obj is obj:
                entry.mask = eventmask
                return
        for i in range(len(self._asked)):
            if self._asked[i].obj is None:
                self._asked[i] = _Asked(obj, eventmask)
                return
        self._asked.append(_Asked(obj, eventmask))

    def unregister(self, obj):
        """Watch it no more; an object never registered is ignored."""
        for entry in self._asked:
            if entry.obj is obj:
                # The place stays: this may happen during an iteration.
                entry.obj = None
                entry.mask = 0
                entry.events = 0
                return
        self._native.unregister(obj)
        if self._with_control is not None:
            self._with_control.unregister(obj)

    def modify(self, obj, eventmask):
        """Watch for something else. OSError ENOENT if it was not registered."""
        for entry in self._asked:
            if entry.obj is obj:
                entry.mask = eventmask
                return
        if not self._is_native(obj):
            raise OSError(errno.ENOENT)
        self._native.modify(obj, eventmask)
        self._with_control.modify(obj, eventmask)

    def poll(self, timeout=-1, flags=0):
        """List of (object, events) once one is ready or ``timeout`` ms have passed; -1: wait for ever."""
        ready = []
        if self._wait(timeout, flags):
            for pair in self:
                ready.append(tuple(pair))
        return ready

    def ipoll(self, timeout=-1, flags=0):
        """As ``poll``, an iterator whose tuples are used again and again."""
        if not self._wait(timeout, flags):
            return ()
        return self

    def __iter__(self):
        return self

    def __next__(self):
        pair = self._first
        if pair is not None:
            self._first = None
            return pair
        if self._more_native:
            for pair in self._native:
                return pair
            self._more_native = False
        while self._at < len(self._asked):
            entry = self._asked[self._at]
            self._at += 1
            if entry.events:
                if self._flags & _ONE_SHOT:
                    entry.mask = 0
                return entry.pair()
        # Always a new one: an instance raised again and again keeps a traceback that grows. With the heap
        # locked the interpreter takes its emergency exception.
        raise StopIteration

    def _is_native(self, obj):
        return isinstance(obj, int) or hasattr(obj, "fileno") or not hasattr(obj, "ioctl")

    def _look(self, flags):
        """Whether anything is ready; what, the iteration tells."""
        self._flags = flags
        self._at = 0
        self._first = None
        self._more_native = False
        self._impatient = False
        ready = False
        for entry in self._asked:
            if entry.look():
                ready = True
            if entry.mask and not entry.tells:
                self._impatient = True
        if self._n_native:
            for pair in self._native.ipoll(0, flags):
                self._first = pair
                self._more_native = True
                return True
        return ready

    def _wait(self, timeout, flags):
        if timeout is None:
            timeout = -1
        deadline = -1 if timeout < 0 else _sim.now() + int(timeout) * 1000
        _sim.advance(10)
        while not self._look(flags):
            if timeout == 0 or 0 <= deadline <= _sim.now():
                return False
            until = deadline
            if self._impatient:
                until = _sim.now() + _LOOK_AGAIN_US
                if 0 <= deadline < until:
                    until = deadline
            if _sim.virtual:
                _sim.wait(until, self._n_native > 0)
            else:
                _sim.wait(until, False, self._with_control)
        return True
