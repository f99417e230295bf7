"""What is plugged into a board's serial connector: a port in this process or a pseudo-terminal."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import random
import struct
import termios
import tty
from collections.abc import Callable
from typing import Protocol

#: What a USB bridge and its driver hold before a writer has to wait.
_OUT_BYTES = 4096
#: What a Linux terminal keeps for a reader.
_TTY_BYTES = 4095
#: What a terminal's speed means: of these alone a line is known to have been set.
_SPEEDS = {
    termios.B115200: 115200,
    termios.B230400: 230400,
    termios.B460800: 460800,
    termios.B921600: 921600,
}


class LinkShut(ConnectionAbortedError):
    """The port is not open."""


class LinkGone(ConnectionResetError):
    """The cable is out."""


class LinkInUse(ConnectionRefusedError):
    """Somebody has the port open already."""


class _Pacer(Protocol):
    pending: int
    on_passed: Callable[[], None] | None

    def clear(self) -> None: ...


class Line(Protocol):
    """The board's side of the connector (``uart.UartPort``)."""

    far: Callable[[bytes], None] | None

    @property
    def to_board(self) -> _Pacer: ...
    @property
    def to_outside(self) -> _Pacer: ...
    def send(self, data: bytes) -> None: ...
    def set_baud(self, baud: int = 0) -> None: ...


class Faults:
    """What goes wrong in one direction of the cable: the next bytes, or a share of all, lost or changed."""

    def __init__(self) -> None:
        #: So many of the next bytes are lost.
        self.drop = 0
        #: So many of the next bytes have one bit turned.
        self.flip = 0
        #: Share of all bytes lost, and of those with one bit turned; by ``random``, which the caller seeds.
        self.loss = 0.0
        self.noise = 0.0
        self.random = random.Random(0)
        #: Bytes lost and changed so far.
        self.lost = 0
        self.changed = 0

    def apply(self, data: bytes) -> bytes:
        """What is left of ``data``."""
        if not (self.drop or self.flip or self.loss or self.noise):
            return data
        kept = bytearray()
        for byte in data:
            if self.drop or (self.loss and self.random.random() < self.loss):
                self.drop = max(0, self.drop - 1)
                self.lost += 1
                continue
            if self.flip or (self.noise and self.random.random() < self.noise):
                self.flip = max(0, self.flip - 1)
                self.changed += 1
                byte ^= 1 << self.random.randrange(8)
            kept.append(byte)
        return bytes(kept)


class LinkPort:
    """The laptop's end in virtual time: a transport, as ``smilehub.link`` has them.

    Raises LinkShut, LinkGone and LinkInUse, all OSErrors. Bytes that come while it is not open are lost, as
    on a real port.
    """

    mtu = 4096
    has_rates = True

    def __init__(self, line: Line, *, name: str) -> None:
        self.name = name
        self.to_board = Faults()
        self.to_laptop = Faults()
        self._line = line
        line.far = self._arrived
        line.to_board.on_passed = self._passed
        self._open = False
        self._plugged = True
        self._buffer = bytearray()
        self._stir = asyncio.Event()
        self._room = asyncio.Event()
        self._moves = asyncio.Event()
        self._moves.set()

    async def open(self) -> None:
        """Open the port, with nothing in its buffer."""
        if not self._plugged:
            raise LinkGone(f"{self.name} is not there")
        if self._open:
            raise LinkInUse(f"{self.name} is open already")
        self._open = True
        self._line.set_baud()
        self._buffer.clear()
        self._stir.clear()

    def set_baud(self, baud: int) -> None:
        """Send and receive at another rate from now on, until it is opened again."""
        self._line.set_baud(baud)

    def stall(self, for_s: float) -> None:
        """Hand nothing over in either direction for so long: a bridge or a laptop that is busy."""
        self._moves.clear()
        asyncio.get_running_loop().call_later(for_s, self._move)

    async def close(self) -> None:
        """Close it; whoever waits in ``receive`` gets LinkShut."""
        self._open = False
        self._wake()

    async def send(self, data: bytes) -> None:
        """Send; returns when the rest fits the bridge's 4 KiB, not when it has arrived."""
        self._check()
        await self._moves.wait()
        self._line.send(self.to_board.apply(bytes(data)))
        while self._line.to_board.pending > _OUT_BYTES:
            self._room.clear()
            await self._room.wait()
            self._check()

    async def receive(self) -> bytes:
        """What has arrived; waits for at least one byte."""
        while not self._buffer or not self._moves.is_set():
            self._check()
            self._stir.clear()
            await self._stir.wait()
        data = bytes(self._buffer)
        self._buffer.clear()
        return data

    def disconnect(self) -> None:
        """Pull the cable: what is on it is lost, and the port is gone until ``reconnect``."""
        self._plugged = False
        self._open = False
        self._line.to_board.clear()
        self._buffer.clear()
        self._wake()

    def reconnect(self) -> None:
        """Plug it in again; it has to be opened anew."""
        self._plugged = True

    def _check(self) -> None:
        if not self._plugged:
            raise LinkGone(f"{self.name} was unplugged")
        if not self._open:
            raise LinkShut(f"{self.name} is not open")

    def _move(self) -> None:
        self._moves.set()
        self._stir.set()

    def _wake(self) -> None:
        self._stir.set()
        self._room.set()

    def _arrived(self, data: bytes) -> None:
        if self._open:
            self._buffer += self.to_laptop.apply(data)
            if self._buffer:
                self._stir.set()

    def _passed(self) -> None:
        if self._line.to_board.pending <= _OUT_BYTES:
            self._room.set()


class PtyLink:
    """The laptop's end in real time: a pseudo-terminal that programs open, close and open again."""

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop) -> None:
        self._line = line
        self._loop = loop
        # Holding the other side open keeps its settings, and spares the loop the hang-ups between clients.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        #: Where clients open it.
        self.path = os.ttyname(self._slave)
        self.name = self.path
        #: Bytes that came while nobody read and the terminal's buffer was full.
        self.lost = 0
        self._reading = False
        self._shut = False
        line.far = self._arrived
        line.to_board.on_passed = self._passed
        self._read()

    def shut(self) -> None:
        """Take the pseudo-terminal away; clients see a hang-up."""
        if self._shut:
            return
        self._shut = True
        self._line.far = None
        self._pause()
        os.close(self._master)
        os.close(self._slave)

    def _read(self) -> None:
        if not self._reading and not self._shut:
            self._reading = True
            self._loop.add_reader(self._master, self._readable)

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._master)

    def _readable(self) -> None:
        self._set_baud()
        with contextlib.suppress(BlockingIOError):
            self._line.send(os.read(self._master, 1024))
        if self._line.to_board.pending > _OUT_BYTES:
            # The client's writes wait in the terminal from here on.
            self._pause()

    def _passed(self) -> None:
        if self._line.to_board.pending <= _OUT_BYTES:
            self._read()

    def _set_baud(self) -> None:
        self._line.set_baud(_SPEEDS.get(termios.tcgetattr(self._slave)[5], 0))

    def _arrived(self, data: bytes) -> None:
        # A client that opens later flushes what the terminal holds, but not what is queued behind it.
        waiting: int = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, b"\0\0\0\0"))[0]
        room = max(0, _TTY_BYTES - waiting)
        taken = 0
        with contextlib.suppress(BlockingIOError):
            taken = os.write(self._master, data[:room])
        self.lost += len(data) - taken
