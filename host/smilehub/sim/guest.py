"""One run of the interpreter, from power-on or reset to its end: its process, its control socket and when
it runs."""

from __future__ import annotations

import functools
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from smilehub.sim.control import ControlError, Decoder, Event, Frame, Kind, event, reply
from smilehub.sim.kernel import Kernel

SHIMS = Path(__file__).parent / "shims"
#: Room for the shims and the collector's tables beside the heap that the firmware is given.
HEAP_ROOM = 384 * 1024

# The whole program of the process: few imports, so that it is up in some milliseconds.
_PROGRAM = """\
import os, sys, _signal
ctl, flash, where = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
# A dead host must end this process (SIGPIPE); an interrupt before the interpreter minds it must not.
_signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
_signal.signal(_signal.SIGINT, _signal.SIG_IGN)
if sys.platform == "linux":
    # Nor must it compute on when the host was killed: PR_SET_PDEATHSIG, SIGKILL.
    import ctypes
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
os.dup2(ctl, 60); os.dup2(flash, 61); os.dup2(60, 3); os.dup2(61, 4); os.closerange(5, 64)
sys.path.insert(0, where)
import micropython_run
micropython_run.run_main(sys.argv[4:])
"""
_RECEIVE = 1 << 16
#: x86-64 and AArch64 number of read(2), as /proc/PID/syscall shows it, on descriptor 0.
_READS_CONSOLE = (b"0 0x0 ", b"63 0x0 ")


class GuestError(RuntimeError):
    """The interpreter could not be run; the message says why."""


class GuestHung(GuestError):
    """A virtual guest computes without ever looking at its clock: virtual time cannot pass."""


@functools.cache
def interpreter_path() -> Path:
    """Where the interpreter's extension module lies. Raises GuestError if it is not installed."""
    import importlib.util

    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        raise GuestError("MicroPython is not installed: install smilehub with its `sim` extra")
    return Path(spec.origin)


class Guest:
    """A running interpreter.

    ``on_frame`` answers a request with bytes or an errno (int), and gets posts too. ``on_end`` is called
    once, when the process has ended or closed its socket; ``on_quiet`` while a virtual guest computes for
    long; ``on_hang`` when it does so beyond the kernel's limit: True lets time pass without it. ``messages``
    counts what a virtual guest sends, by kind.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        flash: int,
        stdio: tuple[int, int],
        heap_bytes: int,
        on_frame: Callable[[Frame], bytes | int | None],
        on_end: Callable[[Guest], None],
        on_quiet: Callable[[], object],
        on_hang: Callable[[], bool],
        messages: Counter[int],
    ) -> None:
        self.kernel = kernel
        self._on_frame = on_frame
        self._on_end = on_end
        self._on_quiet = on_quiet
        self._on_hang = on_hang
        self._messages = messages
        self._decoder = Decoder()
        self._events: list[bytes] = []
        self._wake_us: int | None = None
        self._waits = False
        self._ahead = False
        self._wakes_on_input = False
        self._runnable = False
        self._ended = False
        #: Reads from the socket that its shims need for what they were told: frames, and payloads.
        self.told = 0
        #: The guest's clock as its last message showed it.
        self.t_us = kernel.now_us()
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._socket = ours
        self._poller = select.poll()
        self._poller.register(ours, select.POLLIN)
        heap = heap_bytes + heap_bytes // 32 + HEAP_ROOM
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(theirs.fileno()), str(flash)]
        command += [str(interpreter_path().parent), "micropython", "-X", f"heapsize={heap}", "-i"]
        command += [str(SHIMS / "_launch.py")]
        try:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                stdin=stdio[0],
                stdout=stdio[1],
                stderr=stdio[1],
                pass_fds=(theirs.fileno(), flash),
                env={"TZ": "UTC"},
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise GuestError(f"cannot start the interpreter: {error}") from error
        finally:
            theirs.close()
        self.pid = self.process.pid
        if kernel.simulated:
            self._runnable = True
            kernel.attach(self)
        else:
            ours.setblocking(False)
            kernel.loop.add_reader(ours.fileno(), self._readable)

    # ---- what the board does to it ----

    @property
    def waiting(self) -> bool:
        """Whether it sleeps (virtual): in a wait, or at the prompt."""
        return self._waits or not self._runnable

    @property
    def ended(self) -> bool:
        return self._ended

    def send(self, kind: Event, a: int, b: int, payload: bytes = b"") -> None:
        """Let something happen to the guest, now."""
        if self._ended:
            return
        data = event(kind, a, b, max(self.kernel.now_us(), self.t_us), payload)
        self.told += 2 if payload else 1
        if self.kernel.simulated:
            self._events.append(data)
        else:
            self._transmit(data)

    def console_input(self) -> None:
        """The guest has been given console input: a wait for it ends (virtual)."""
        if self._waits:
            if self._wakes_on_input:
                self._events.append(event(Event.WAKE, 0, 0, self.kernel.now_us()))
                self.told += 1
        else:
            self._runnable = True

    def interrupt(self) -> None:
        """SIGINT, as a Ctrl-C. Only sent at a message's end (see ``shims/_sim.py``)."""
        if not self._ended:
            os.kill(self.pid, signal.SIGINT)
            if self._waits:
                # It leaves its wait without an answer being needed, and says so with its next message.
                self._runnable = True
                self._wake_us = self.kernel.now_us()

    def kill(self) -> None:
        """End the process at once; ``on_end`` is not called."""
        if self._ended:
            return
        # First: a guest that still ran would see its socket break, and say so on the console.
        self.process.kill()
        self._close()
        self.process.wait()

    def cpu_ns(self) -> int:
        """CPU time of the process so far, in ns; 0 where the system does not tell (Linux does)."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0])
        except OSError:
            return 0

    def reads(self) -> tuple[int, int]:
        """(reads of files so far, their bytes): the flash, the program at its start; 0 where the system does
        not tell."""
        try:
            counts = Path(f"/proc/{self.pid}/io").read_text().split()
        except OSError:
            return 0, 0
        calls, size = (int(counts[counts.index(name) + 1]) for name in ("syscr:", "rchar:"))
        return calls - self.told, size

    # ---- what the kernel calls (virtual) ----

    def due_us(self) -> int | None:
        if self._waits:
            # A guest ahead of the kernel's clock gets all that happens until then at once.
            return self.kernel.now_us() if self._events and not self._ahead else self._wake_us
        return self.kernel.now_us() if self._runnable else None

    def resume(self) -> bool:
        if self._waits:
            self._waits = False
            self._runnable = True
            return self._answer(b"")
        return True

    def pump(self) -> bool:
        frame = self._decoder.next()
        if frame is None:
            if not self._more():
                return False
            frame = self._decoder.next()
            if frame is None:
                return True
        return self._handle(frame)

    def _more(self) -> bool:
        """Wait for bytes of the running guest; False if it turned out to wait, or ended."""
        since = time.monotonic()
        pause = 20
        poller = self._poller
        while not poller.poll(pause):
            if self._reads_console() and not poller.poll(0):
                self._runnable = False
                return False
            # A guest that printed much may be waiting for its console to be read.
            self._on_quiet()
            pause = min(2 * pause, 1000)
            if time.monotonic() - since > self.kernel.hang_seconds:
                if self._on_hang():
                    self._runnable = False
                    return False
                raise GuestHung(
                    f"the guest said nothing for {self.kernel.hang_seconds:g} s: it computes without "
                    "looking at its clock, and virtual time cannot pass"
                )
        data = self._socket.recv(_RECEIVE)
        if not data:
            self._end()
            return False
        self._decoder.feed(data)
        return True

    def _reads_console(self) -> bool:
        try:
            call = Path(f"/proc/{self.pid}/syscall").read_bytes()
        except OSError:
            return False
        return call.startswith(_READS_CONSOLE)

    def _handle(self, frame: Frame) -> bool:
        """One message; False if the guest now waits."""
        self._messages[frame.kind] += 1
        self.t_us = max(self.t_us, frame.t_us)
        if frame.kind in (Kind.WAIT, Kind.SYNC):
            self._waits = True
            self._ahead = frame.kind == Kind.SYNC
            if frame.kind == Kind.WAIT:
                self._wake_us = None if frame.b < 0 else frame.b
                self._wakes_on_input = bool(frame.a & 1)
            else:
                self._wake_us = frame.t_us
                self._wakes_on_input = False
            return False
        result = self._on_frame(frame)
        if self._ended:
            return False
        if frame.asks:
            if isinstance(result, int):
                return self._answer(b"", errno=result)
            return self._answer(result or b"")
        return True

    def _answer(self, payload: bytes, *, errno: int = 0) -> bool:
        now = max(self.kernel.now_us(), self.t_us)
        self.t_us = now
        horizon = max(now, self.kernel.horizon_us(self)) if self.kernel.simulated else 0
        events, self._events = self._events, []
        self.told += 2 if payload else 1
        return self._transmit(b"".join(events) + reply(now, horizon, payload, errno))

    def _transmit(self, data: bytes) -> bool:
        try:
            if self.kernel.simulated:
                self._socket.sendall(data)
            else:
                self._socket.setblocking(True)
                self._socket.sendall(data)
                self._socket.setblocking(False)
        except OSError:
            self._end()
            return False
        return True

    # ---- real time ----

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self._decoder.feed(data)
        try:
            for frame in self._decoder:
                self.t_us = frame.t_us
                result = self._on_frame(frame)
                if self._ended:
                    return
                if frame.asks:
                    if isinstance(result, int):
                        self._answer(b"", errno=result)
                    else:
                        self._answer(result or b"")
        except ControlError:
            self.kill()
            self._on_end(self)

    # ---- the end ----

    def _end(self) -> None:
        if self._ended:
            return
        self._close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._on_end(self)

    def _close(self) -> None:
        self._ended = True
        self._waits = False
        self._runnable = False
        if self.kernel.simulated:
            self.kernel.detach(self)
        else:
            self.kernel.loop.remove_reader(self._socket.fileno())
        self._socket.close()
