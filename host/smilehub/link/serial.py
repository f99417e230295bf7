"""A serial port as a transport: a USB bridge's port, or the pseudo-terminal of a simulated board."""

import asyncio
import errno
import fcntl
import os
import stat
import termios
from collections import deque
from pathlib import Path

import serial

from smilehub.errors import LinkClosed, LinkError, NotAPort, PortBusy, PortForbidden, PortMissing

BAUD = 115200
_READ = 4096
_MISSING = {errno.ENOENT, errno.ENXIO, errno.ENODEV}
_BUSY = {errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK}


class SerialTransport:
    """One serial port, 8N1, for this process alone.

    pyserial configures the port; reading and writing go straight to its descriptor through
    the running loop, because pyserial's non-blocking ``write`` spins while the other side takes nothing.
    """

    mtu = 1024

    def __init__(self, path: str, baud: int = BAUD) -> None:
        self._path = path
        self._baud = baud
        self._port: serial.Serial | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._received: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._ended: str | None = None
        #: Whether its rate means anything; a pseudo-terminal's does not.
        self.has_rates = False

    @property
    def name(self) -> str:
        """The port's path."""
        return self._path

    async def open(self) -> None:
        """Open the port with DTR and RTS off, since many boards take their change for a reset.

        Raises PortMissing, PortForbidden, PortBusy, NotAPort or LinkError.
        """
        _check(self._path)
        port = serial.Serial(baudrate=self._baud, exclusive=True)
        port.port = self._path
        port.dtr = False
        port.rts = False
        try:
            port.open()
        except serial.SerialException as error:
            raise _explain(self._path, error) from error
        except OSError as error:
            raise _explain(self._path, error) from error
        self._port = port
        self._ended = None
        self.has_rates = _is_a_line(port.fileno())
        self._received.clear()
        self._arrived.clear()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(port.fileno(), self._read_ready)

    def set_baud(self, baud: int) -> None:
        """Change the rate, both ways, once what was written has left. Raises LinkClosed."""
        if self._port is None:
            raise self._closed()
        try:
            termios.tcdrain(self._port.fileno())
            self._port.baudrate = baud
        except (OSError, termios.error, serial.SerialException) as error:
            self._end(str(error))

    async def close(self) -> None:
        """Give the port back."""
        self._end("the port was closed")

    async def send(self, data: bytes) -> None:
        """Write all of ``data``; waits while the port takes nothing. Raises LinkClosed."""
        view = memoryview(data)
        while view:
            if self._port is None or self._loop is None:
                raise self._closed()
            try:
                view = view[os.write(self._port.fileno(), view) :]
            except (BlockingIOError, InterruptedError):
                self._writable.clear()
                self._loop.add_writer(self._port.fileno(), self._writable.set)
                try:
                    await self._writable.wait()
                finally:
                    self._stop_writer()
            except OSError as error:
                self._end(os.strerror(error.errno or 0))

    async def receive(self) -> bytes:
        """What has arrived, at least one byte. Raises LinkClosed after the last of it."""
        while not self._received:
            if self._port is None:
                raise self._closed()
            self._arrived.clear()
            await self._arrived.wait()
        data = b"".join(self._received)
        self._received.clear()
        return data

    def _read_ready(self) -> None:
        assert self._port is not None
        try:
            data = os.read(self._port.fileno(), _READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(os.strerror(error.errno or 0))
            return
        if data:
            self._received.append(data)
            self._arrived.set()
        else:
            self._end("the device is gone")

    def _stop_writer(self) -> None:
        if self._port is not None and self._loop is not None:
            self._loop.remove_writer(self._port.fileno())

    def _end(self, why: str) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(port.fileno())
            self._loop.remove_writer(port.fileno())
        self._ended = why
        try:
            port.close()
        except OSError:
            pass  # the device is gone; its descriptor is closed all the same
        self._arrived.set()
        self._writable.set()

    def _closed(self) -> LinkClosed:
        return LinkClosed(f"The connection at {self._path} ended: {self._ended or 'the port is not open'}.")


def _is_a_line(fd: int) -> bool:
    """Whether there are modem lines, as every UART and USB bridge has them and no pseudo-terminal."""
    try:
        fcntl.ioctl(fd, termios.TIOCMGET, bytes(4))
    except OSError:
        return False
    return True


def _check(path: str) -> None:
    """Raise NotAPort for a file, a folder or whatever else must not be opened like a port."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return  # opening it says what is wrong; some systems name ports that are no files
    if not stat.S_ISCHR(mode):
        raise NotAPort(f"{path} is not a serial port.")


def _explain(path: str, error: OSError) -> LinkError:
    """The tree's error for what pyserial or the system says."""
    number = error.errno
    if number in _MISSING:
        return PortMissing(f"There is no port {path}.")
    if number in (errno.EACCES, errno.EPERM):
        return PortForbidden(f"This account may not open the port {path}.")
    if number in _BUSY:
        return PortBusy(f"The port {path} is in use by another program.")
    if number in (errno.ENOTTY, errno.EISDIR, errno.EINVAL) or number is None:
        # pyserial reports a failed tcgetattr without an errno
        return NotAPort(f"{path} is not a serial port.")
    return LinkError(f"The port {path} cannot be opened: {os.strerror(number)}.")
