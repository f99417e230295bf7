"""Whether anybody has a device file open: by inotify on Linux, unknown elsewhere."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from pathlib import Path

_IN_OPEN = 0x20
_IN_CLOSE = 0x18  # IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
_IN_OVERFLOW = 0x4000
_EVENT = struct.Struct("iIII")


class Presence:
    """Whether anybody but its maker has a file open, from the moment this is made.

    The maker itself holds it open `own` times. `anybody` is True where the system cannot tell.
    """

    def __init__(self, path: str, *, own: int = 1) -> None:
        self.fd = -1
        self._path = path
        self._own = own
        self._there = True
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
        self._there = False

    @property
    def anybody(self) -> bool:
        """As of the last `update`."""
        return self._there

    def update(self) -> None:
        """Take in what happened since; never waits."""
        if self.fd < 0:
            return
        closed = False
        with contextlib.suppress(BlockingIOError):
            while True:
                data = os.read(self.fd, 4096)
                at = 0
                while at < len(data):
                    _, mask, _, length = _EVENT.unpack_from(data, at)
                    at += _EVENT.size + length
                    self._there = self._there or bool(mask & _IN_OPEN)
                    closed = closed or bool(mask & (_IN_CLOSE | _IN_OVERFLOW))
        if closed:
            # Equal events in a row come as one, so they cannot be counted.
            self._there = self._held()

    def _held(self) -> bool:
        count = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                for entry in os.scandir(process / "fd"):
                    with contextlib.suppress(OSError):
                        count += os.readlink(entry.path) == self._path  # noqa: PTH115 - for speed
            except OSError:
                continue
        return count > self._own

    def close(self) -> None:
        """Stop counting."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
