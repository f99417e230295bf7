"""The last of what the console was told, in memory, for who asks over the link."""

from io import IOBase


class Log(IOBase):
    """A stream for ``os.dupterm``: keeps the last ``size`` bytes; ``end`` counts all there ever were."""

    def __init__(self, size: int = 512):
        self._buf = memoryview(bytearray(size))
        self.end = 0

    def write(self, data) -> int:
        buf = self._buf
        size = len(buf)
        data = memoryview(data)
        n = len(data)
        at = 0 if n <= size else n - size
        while at < n:
            start = (self.end + at) % size
            part = min(n - at, size - start)
            buf[start : start + part] = data[at : at + part]
            at += part
        self.end += n
        return n

    def read_from(self, at: int) -> tuple:
        """(number of the first byte, the bytes) from the byte ``at`` on, as far as they are held."""
        size = len(self._buf)
        at = min(max(at, self.end - size), self.end)
        start = at % size
        part = bytes(self._buf[start : start + self.end - at])
        return at, part + bytes(self._buf[: self.end - at - len(part)])

    def readinto(self, buf):
        return None

    def ioctl(self, op, arg):
        return 0
