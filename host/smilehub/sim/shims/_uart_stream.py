"""A UART as a stream: reads from its ring, and writes that take the line's time."""

import errno
import io

import _sim
import micropython
from _arg import fail, octets, writable

_FIFO = micropython.const(128)
_POLL = micropython.const(3)
FLUSH = 1


class Stream(io.IOBase):
    """What the port's driver does with ``_ring``, ``_free`` (ns: when the line is free) and the settings."""

    def _wire_ns(self, n):
        return n * (1 + self._bits + (1 if self._parity else 0) + self._stop) * 1_000_000_000 // self._baud

    def _drain(self, limit_us):
        """Let the transmitter run empty, for ``limit_us`` at most; True if it did."""
        left = self._free // 1000 - _sim.now()
        if left > limit_us:
            _sim.advance(limit_us)
            return False
        if left > 0:
            _sim.advance(left)
        return True

    def _live(self):
        if self._ring is None:
            raise fail()
        return self._ring

    def _wait(self, n, ms):
        """Wait for ``n`` bytes in the ring; the port blocks in the driver, so nothing else runs meanwhile."""
        if not ms:
            # Look once: what arrived by now is in the ring after this.
            _sim.advance(2)
            return
        ring = self._ring
        until = _sim.now() + ms * 1000
        while ring.any() < n and _sim.now() < until:
            _sim.wait(until)

    @micropython.native
    def readinto(self, buf, nbytes=-1):
        ring = self._live()
        buf = writable(buf)
        n = len(buf)
        if 0 <= nbytes < n:
            n = nbytes
        if not n:
            return 0
        self._wait(1, self._timeout)
        got = ring.readinto(buf, n)
        if not got:
            return None
        while got < n and self._timeout_char:
            self._wait(1, self._timeout_char)
            more = ring.readinto(memoryview(buf)[got:n])
            if not more:
                break
            got += more
        return got

    def read(self, nbytes=-1):
        ring = self._live()
        if nbytes is None or nbytes < 0:
            return self._read_all()
        if not nbytes:
            return b""
        self._wait(1, self._timeout)
        if self._timeout_char and ring.any():
            data = bytearray(nbytes)
            got = self.readinto(data)
            return bytes(memoryview(data)[:got])
        return ring.read(nbytes) or None

    def _read_all(self):
        data = None
        while True:
            self._wait(1, self._timeout)
            more = self._ring.read()
            if not more:
                return data
            data = more if data is None else data + more

    def readline(self, limit=-1):
        ring = self._live()
        line = b""
        while limit < 0 or len(line) < limit:
            self._wait(1, self._timeout)
            byte = ring.read(1)
            if not byte:
                return line or None
            line += byte
            if byte == b"\n":
                break
        return line

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    @micropython.native
    def write(self, buf, *span):
        buf = octets(buf)
        if span:
            start = 0 if len(span) == 1 else span[0]
            buf = memoryview(buf)[start : start + span[-1]]
        if self._ring is None:
            return None
        n = len(buf)
        if not n:
            return 0
        now = _sim.now()
        # Nanoseconds, or the rounding of every byte would add up.
        self._free = max(self._free, now * 1000) + self._wire_ns(n)
        _sim.post(_sim.UART_TX, self._id, 0, buf)
        _sim.stir()
        # The driver returns when the rest fits its ring and the hardware's FIFO.
        until = (self._free - self._wire_ns(self._txbuf + _FIFO)) // 1000
        _sim.advance(max(until - now, 10))
        return n

    def close(self):
        pass

    def ioctl(self, request, arg):
        if request == _POLL:
            ring = self._ring
            if ring is None:
                raise fail()
            return arg & (5 if ring.any() else 4)
        if request == FLUSH:
            self._live()
            # As the port reckons: 13 bits a byte, twice.
            if self._drain((3 + self._txbuf) * 26000 // self._baud * 1000):
                return 0
            raise OSError(errno.ETIMEDOUT)
        return -errno.EINVAL  # an io.IOBase says errors so: raising would break select.register
