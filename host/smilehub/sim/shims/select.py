"""``select``: the built-in poll object does the looking, the board's clock the waiting. Nothing here allocates in ``ipoll``."""

import _sim

POLLIN = _sim.native_select.POLLIN
POLLOUT = _sim.native_select.POLLOUT
POLLERR = _sim.native_select.POLLERR
POLLHUP = _sim.native_select.POLLHUP

# Prepared, so that the end of an iteration does not allocate.
_stop = StopIteration()


def _has_fd(obj):
    return isinstance(obj, int) or hasattr(obj, "fileno")


class poll:
    """Polls streams: those of the host process (console, sockets) and any object with ``ioctl``."""

    def __init__(self):
        self._native = _sim.native_select.poll()
        self._fds = None
        self._n_fds = 0
        self._first = None

    def register(self, obj, eventmask=POLLIN | POLLOUT):
        """Watch ``obj``, or watch it for something else."""
        self._native.register(obj, eventmask)
        if _has_fd(obj):
            if self._fds is None:
                self._fds = _sim.native_select.poll()
                self._fds.register(3, POLLIN)
            self._fds.register(obj, eventmask)
            self._n_fds += 1

    def unregister(self, obj):
        """Watch it no more; an object never registered is ignored."""
        self._native.unregister(obj)
        if self._fds is not None and _has_fd(obj):
            self._fds.unregister(obj)

    def modify(self, obj, eventmask):
        """Watch for something else. OSError ENOENT if it was not registered."""
        self._native.modify(obj, eventmask)
        if self._fds is not None and _has_fd(obj):
            self._fds.modify(obj, eventmask)

    def poll(self, timeout=-1, flags=0):
        """List of (object, events) once one is ready or ``timeout`` ms have passed (-1, None: wait for ever)."""
        if not self._wait(timeout, flags):
            return []
        ready = [tuple(self._first)]
        self._first = None
        for item in self._native:
            ready.append(tuple(item))
        return ready

    def ipoll(self, timeout=-1, flags=0):
        """As ``poll``, an iterator whose tuple is used again and again."""
        if not self._wait(timeout, flags):
            return ()
        return self

    def __iter__(self):
        return self

    def __next__(self):
        item = self._first
        if item is not None:
            self._first = None
            return item
        for item in self._native:
            return item
        raise _stop

    def _wait(self, timeout, flags):
        self._first = None
        if timeout is None:
            timeout = -1
        deadline = -1 if timeout < 0 else _sim.now() + int(timeout) * 1000
        _sim.advance(10)
        while True:
            for item in self._native.ipoll(0, flags):
                self._first = item
                return True
            if timeout == 0 or 0 <= deadline <= _sim.now():
                return False
            if _sim.virtual:
                _sim.wait(deadline, self._fds is not None)
            else:
                _sim.wait(deadline, False, self._fds)
