"""What is typed on a terminal, as a simulated board's keys."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Generator, Iterator

from smilehub.sim.board import Board

_TAP_MS = 80
_HOLD_MS = 1500
#: What a terminal sends for the board's keys, and for how many ms they are down: a terminal knows no holding.
KEYS: dict[bytes, tuple[str, int]] = {
    b"\x1b[A": ("up", _TAP_MS),
    b"\x1b[B": ("down", _TAP_MS),
    b"\r": ("yes", _TAP_MS),
    b"\n": ("yes", _TAP_MS),
    b"\x7f": ("back", _TAP_MS),
    b"\x08": ("back", _TAP_MS),
    b"h": ("help", _TAP_MS),
    b"y": ("yes", _HOLD_MS),
    b"b": ("back", _HOLD_MS),
    b"H": ("help", _HOLD_MS),
}


@contextlib.contextmanager
def typed(board: Board, loop: asyncio.AbstractEventLoop) -> Generator[None]:
    """While it lasts, what is typed on this terminal presses the board's keys."""
    if not sys.stdin.isatty():
        yield
        return
    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSANOW)

    def press() -> None:
        data = os.read(fd, 64)
        if not data:
            loop.remove_reader(fd)
        for key, hold_ms in keys_in(data):
            board.keys.press(key, hold_ms=hold_ms)

    loop.add_reader(fd, press)
    try:
        yield
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSANOW, before)


def keys_in(data: bytes) -> Iterator[tuple[str, int]]:
    """The board's keys that these bytes of a terminal stand for, and how long they are down (ms); the rest is
    ignored."""
    while data:
        for code, key in KEYS.items():
            if data.startswith(code):
                yield key
                data = data[len(code) :]
                break
        else:
            data = data[1:]
