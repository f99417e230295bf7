"""The console of a board in virtual time: two pipes, and what was printed kept as text."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from smilehub.sim.kernel import Kernel
from smilehub.sim.terminal import SOFT_REBOOT, Terminal


class PipeConsole:
    """Implements the board's console port. ``typed`` is called when the guest has been given input."""

    def __init__(self, kernel: Kernel, typed: Callable[[], None]) -> None:
        self._kernel = kernel
        self._typed = typed
        self._terminal = Terminal()
        self._text = bytearray()
        self._stdin = -1
        self._stdout = -1
        self._reading = False

    def stdio(self) -> tuple[int, int]:
        """Descriptors for a guest's stdin, and stdout with stderr; the caller closes them."""
        stdin, self._stdin = os.pipe()
        self._stdout, stdout = os.pipe()
        os.set_blocking(self._stdout, False)
        return stdin, stdout

    def started(self, pid: int) -> None:
        """A guest runs on the descriptors of ``stdio``."""
        self._kernel.loop.add_reader(self._stdout, self._readable)
        self._reading = True

    def booting(self) -> None:
        """Its launcher is about to run boot.py."""
        if self._terminal.entering_raw:
            self._write(b"\x01")

    def kbd_intr(self, char: int) -> None:
        """Its program set the interrupt character; nothing here sends one."""

    def ended(self, *, soft: bool) -> None:
        """It is gone."""
        self._readable()
        self._close_pipes()
        if soft:
            self._text += SOFT_REBOOT
        self._terminal.start(raw=soft and self._terminal.raw)

    @property
    def raw(self) -> bool:
        """Whether the next guest leaves out main.py and goes to the raw REPL."""
        return self._terminal.entering_raw

    def text(self) -> str:
        """All that was printed so far."""
        if self._reading:
            self._readable()
        return self._text.decode(errors="replace")

    def type(self, data: bytes) -> None:
        """Bytes for the guest's stdin."""
        self._terminal.typed(data)
        self._write(data)

    def close(self) -> None:
        """Close the pipes."""
        self._close_pipes()

    def _write(self, data: bytes) -> None:
        if self._stdin >= 0:
            os.write(self._stdin, data)
            self._typed()

    def _readable(self) -> None:
        while self._reading:
            try:
                data = os.read(self._stdout, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                self._stop_reading()
                return
            self._text += self._terminal.feed(data)

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._kernel.loop.remove_reader(self._stdout)

    def _close_pipes(self) -> None:
        self._stop_reading()
        for fd in (self._stdin, self._stdout):
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._stdin = self._stdout = -1
