"""Whether anybody has a device file open: by inotify on Linux, unknown elsewhere."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys

_IN_OPEN = 0x20
_IN_CLOSE = 0x18  # IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
_IN_OVERFLOW = 0x4000
_EVENT = struct.Struct("iIII")


class Presence:
    """Counts the opens and closes of one file, from the moment this is made.

    `anybody` is True while somebody has it open, or where the system cannot tell.
    """

    def __init__(self, path: str) -> None:
        self.fd = -1
        self._count = 0
        if not sys.platform.startswith("linux"):
            return
        libc = ctypes.CDLL(None, use_errno=True)
        fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if fd < 0:
            return
        if int(libc.inotify_add_watch(fd, os.fsencode(path), _IN_OPEN | _IN_CLOSE)) < 0:
            os.close(fd)
            return
        self.fd = fd

    @property
    def anybody(self) -> bool:
        """As of the last `update`."""
        return self.fd < 0 or self._count > 0

    def update(self) -> None:
        """Read what happened since; never waits."""
        if self.fd < 0:
            return
        with contextlib.suppress(BlockingIOError):
            while True:
                data = os.read(self.fd, 4096)
                at = 0
                while at < len(data):
                    _, mask, _, length = _EVENT.unpack_from(data, at)
                    at += _EVENT.size + length
                    if mask & _IN_OVERFLOW:
                        # The count is lost: somebody may be there.
                        self.close()
                        return
                    if mask & _IN_OPEN:
                        self._count += 1
                    elif mask & _IN_CLOSE:
                        self._count = max(0, self._count - 1)

    def close(self) -> None:
        """Stop counting."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
