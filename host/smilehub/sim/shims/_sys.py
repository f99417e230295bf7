"""``sys`` as the firmware sees it: the interpreter's own, on the platform ``esp32``."""

import io as _io
import sys as _native
from sys import *

__name__ = "sys"
platform = "esp32"
path = _native.path
argv = _native.argv
modules = _native.modules
ps1 = _native.ps1
ps2 = _native.ps2

# A board's text output ends its lines with "\r\n", and the console adds the "\r" on the host. What goes to
# `sys.stdout.buffer` is binary and must pass as it is: it is announced with a mark and its length, which
# sim/terminal.py takes out.
_MARK = b"\xff\xfeDATA"
_PIECE = 512
_piece = bytearray(_MARK) + bytes(2 + _PIECE)
_raw = _native.stdout.buffer


class _Stream(_io.IOBase):
    def ioctl(self, request, arg):
        return arg & 4 if request == 3 else -22  # MP_STREAM_POLL: always writable; else EINVAL


class FileIO(_Stream):
    def write(self, data, off=None, n=None):
        """As the built-in streams: `write(buf)`, `write(buf, n)` or `write(buf, off, n)`."""
        if not isinstance(data, (bytes, bytearray)):
            data = bytes(data, "utf-8") if isinstance(data, str) else bytes(data)
        if n is None:
            off, n = 0, len(data) if off is None else min(off, len(data))
        view = memoryview(data)[off : off + n]
        left = size = len(view)
        while left:
            n = min(_PIECE, left)
            at = size - left
            _piece[6] = n & 0xFF
            _piece[7] = n >> 8
            _piece[8 : 8 + n] = view[at : at + n]
            # One call a piece: a Ctrl-C must not come between the mark and what it announces.
            _raw.write(_piece, 8 + n)
            left -= n
        return size


class TextIOWrapper(_Stream):
    buffer = FileIO()

    def write(self, *args):
        return _native.stdout.write(*args)


stdout = TextIOWrapper()
del FileIO, TextIOWrapper
