"""The console port of a board in real time: a pseudo-terminal for clients, joined to the guest's stdin and
stdout.

For each guest the board calls, in this order: `stdio` (the two descriptors to start it with; close them after
the fork), `started(pid)`, `booting` when its launcher is about to run boot.py, `kbd_intr(char)` when its
program changes the interrupt character, and `ended(soft=…)` once it is gone.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fcntl
import os
import termios
import tty
from collections.abc import Callable

from smilehub.sim.interrupt import catches_interrupt, interrupt
from smilehub.sim.presence import Presence
from smilehub.sim.terminal import SOFT_REBOOT, Terminal

CTRL_A = 1
CTRL_C = 3
CTRL_D = 4
#: A second SIGINT while the first is pending ends the interpreter.
INTERRUPT_GAP = 0.05
#: What may wait for the guest; a program that never reads its input loses the rest, as on a UART.
INPUT_LIMIT = 64 * 1024
#: What may wait for the client; beyond it the guest's prints block.
OUTPUT_LIMIT = 256 * 1024
#: A client that reads nothing for so long does not stop the board any longer: its output is dropped.
STUCK_SECONDS = 2.0
LOG_LIMIT = 64 * 1024
#: After a line was taken by the guest, so long until it surely runs it.
_SETTLE = 0.003
_CHUNK = 4096


class Console:
    """One board's console.

    `path` is the device file for clients; it stays the same over resets and power cuts.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, on_output: Callable[[bytes], None] | None = None
    ) -> None:
        self._loop = loop
        self._on_output = on_output
        self._terminal = Terminal()
        # The board keeps the slave sides open: neither a client's nor a guest's closing hangs up the line.
        self._outer, self._outer_slave = _raw_pty()
        os.set_blocking(self._outer_slave, False)
        self._inner, self._inner_slave = _raw_pty()
        _keep_isig(self._inner_slave)
        self.path = os.ttyname(self._outer_slave)
        self._presence = Presence(self.path)
        self._stdout = -1
        self._pid = 0
        self._ready = False
        self._char = CTRL_C
        self._input = bytearray()
        self._output = bytearray()
        self._log = bytearray()
        self._fed = 0
        self._last_interrupt = -1.0
        self._line_end = False
        self._settled_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._stuck_timer: asyncio.TimerHandle | None = None
        self._stuck = False
        self._outer_paused = False
        self._stdout_paused = False
        self._writing_outer = False
        self._writing_inner = False
        self._closed = False
        loop.add_reader(self._outer, self._from_client)
        if self._presence.fd >= 0:
            loop.add_reader(self._presence.fd, self._presence_changed)

    # ---- For the board ----

    def stdio(self) -> tuple[int, int]:
        """Fresh descriptors for a guest: stdin, and stdout and stderr in one.

        The caller closes both once it runs.
        """
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        self._stdout = read_end
        return os.dup(self._inner_slave), write_end

    def started(self, pid: int) -> None:
        """A guest runs with the descriptors of the last `stdio`."""
        self._pid = pid
        self._char = CTRL_C
        self._ready = False
        self._loop.add_reader(self._stdout, self._from_guest)
        self._pump()

    def booting(self) -> None:
        """The guest's launcher is about to run boot.py: from now on Ctrl-C may interrupt."""
        self._ready = True
        self._pump()

    def kbd_intr(self, char: int) -> None:
        """The guest's program set its interrupt character (3 unless it says otherwise, -1 for none)."""
        self._char = char

    def ended(self, *, soft: bool) -> None:
        """The guest is gone. `soft`: by Ctrl-D or `machine.soft_reset`, whose next guest `raw` describes.

        What it wrote is passed on first. A hard reset forgets what was typed and not read.
        """
        if self._stdout >= 0:
            self._loop.remove_reader(self._stdout)
            self._drain_guest()
            os.close(self._stdout)
            self._stdout = -1
        self._stdout_paused = False
        self._pid = 0
        raw = soft and self._terminal.raw
        if soft:
            self._emit(SOFT_REBOOT)
        else:
            self._input.clear()
            termios.tcflush(self._inner_slave, termios.TCIFLUSH)
        _keep_isig(self._inner_slave)
        self._terminal.start(raw=raw)

    @property
    def raw(self) -> bool:
        """Whether the next guest goes from boot.py straight to the raw REPL, without main.py, as an ESP32
        does.
        """
        return self._terminal.entering_raw

    def text(self) -> str:
        """The last of what the board printed."""
        return self._log.decode(errors="replace")

    def type(self, data: bytes) -> None:
        """Bytes as if a client had sent them."""
        self._typed(data)

    def close(self) -> None:
        """Give up the port. The guest must have ended, or finds its input closed."""
        if self._closed:
            return
        self._closed = True
        for fd in (self._outer, self._stdout, self._presence.fd, self._inner):
            if fd >= 0:
                self._loop.remove_reader(fd)
                self._loop.remove_writer(fd)
        for timer in (self._timer, self._stuck_timer):
            if timer is not None:
                timer.cancel()
        self._presence.close()
        for fd in (self._outer, self._outer_slave, self._inner, self._inner_slave, self._stdout):
            if fd >= 0:
                os.close(fd)
        self._stdout = -1

    # ---- Client to guest ----

    def _from_client(self) -> None:
        try:
            data = os.read(self._outer, _CHUNK)
        except BlockingIOError:
            return
        self._presence_changed()
        self._typed(data)

    def _typed(self, data: bytes) -> None:
        if self._interruptible():
            kept = data.replace(b"\x03", b"")
            if len(kept) != len(data):
                self._interrupt()
            # A program that does not read must stay open to Ctrl-C: what is too much for the buffer is
            # dropped.
            self._input += kept[: max(0, INPUT_LIMIT - len(self._input))]
        else:
            self._input += data
            if len(self._input) >= INPUT_LIMIT:
                self._pause_client(True)
        self._pump()

    def _interruptible(self) -> bool:
        if not self._pid or not self._ready or self._char != CTRL_C:
            return False
        catches = catches_interrupt(self._pid)
        if catches is None:
            return bool(termios.tcgetattr(self._inner_slave)[3] & termios.ISIG)
        return catches

    def _interrupt(self) -> bool:
        """Interrupt the running code; one right after another is the same one.

        False if nothing runs any more.
        """
        now = self._loop.time()
        if now - self._last_interrupt < INTERRUPT_GAP:
            return True
        if not interrupt(self._pid):
            return False
        self._last_interrupt = now
        return True

    def _pump(self) -> None:
        """Hand the guest what it can take: up to a Ctrl-C, which waits until all before it has been read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed:
            return
        again = 0.0
        while self._input and not again:
            at = self._input.find(CTRL_C)
            if at > 0 and self._interruptible():
                # It was typed at a prompt, and the line before it runs now; or boot.py runs.
                del self._input[at]
                self._interrupt()
            elif self._terminal.entering_raw:
                # Until the raw REPL's banner only the board itself types.
                if at < 0:
                    break
                again = 0.01
            elif at == 0:
                again = self._pump_interrupt()
            else:
                again = self._pump_text(bytes(self._input[: at if at > 0 else _CHUNK][:_CHUNK]))
        if len(self._input) < INPUT_LIMIT // 2 or (self._outer_paused and self._interruptible()):
            self._pause_client(False)
        if again or self._outer_paused:
            self._timer = self._loop.call_later(again or 0.02, self._pump)

    def _pump_text(self, piece: bytes) -> float:
        """Hand over the beginning of the input.

        0 when all of it went, else after how many seconds to try again.
        """
        try:
            count = os.write(self._inner, piece)
        except BlockingIOError:
            count = 0
        if count:
            # Also while code runs: what it does not read, the prompt after it will.
            self._terminal.typed(piece[:count])
            if not self._interruptible():
                # A prompt shows: no earlier SIGINT is pending any more.
                self._last_interrupt = -1.0
            self._line_end = piece[count - 1] in b"\r\n\x04"
            self._settled_at = 0.0
            del self._input[:count]
        return 0.0 if count == len(piece) else 0.005

    def _pump_interrupt(self) -> float:
        """The next byte is Ctrl-C. 0 when it is dealt with, else after how many seconds to look again."""
        if not self._ready:
            return 0.02
        if self._interruptible():
            del self._input[0]
            self._interrupt()
            return 0.0
        if self._unread():
            return 0.001
        if self._line_end:
            now = self._loop.time()
            if not self._settled_at:
                self._settled_at = now + _SETTLE
            if now < self._settled_at:
                return 0.001
        try:
            os.write(self._inner, b"\x03")
        except BlockingIOError:
            return 0.005
        self._line_end = False
        del self._input[0]
        return 0.0

    def _unread(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self._inner_slave, termios.FIONREAD, count)
        return count[0]

    def _pause_client(self, pause: bool) -> None:
        if pause == self._outer_paused or self._closed:
            return
        self._outer_paused = pause
        if pause:
            self._loop.remove_reader(self._outer)
        else:
            self._loop.add_reader(self._outer, self._from_client)

    # ---- Guest to client ----

    def _from_guest(self) -> None:
        if not self._read_guest():
            self._loop.remove_reader(self._stdout)
        if len(self._output) > OUTPUT_LIMIT and not self._stdout_paused and self._stdout >= 0:
            self._stdout_paused = True
            self._loop.remove_reader(self._stdout)

    def _read_guest(self) -> bool:
        """One read; False at the end of the stream."""
        try:
            data = os.read(self._stdout, 65536)
        except BlockingIOError:
            return True
        if not data:
            return False
        before = self._terminal.prompted
        shown = self._terminal.feed(data)
        if len(data) < 65536:
            # Marks are written in one piece: half a mark at the end of a read is text.
            shown += self._terminal.flush()
        self._emit(shown)
        if self._terminal.prompted and not before and self._terminal.entering_raw:
            os.write(self._inner, bytes([CTRL_A]))
        if self._input:
            self._pump()
        return True

    def _drain_guest(self) -> None:
        while True:
            try:
                data = os.read(self._stdout, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self._emit(self._terminal.feed(data) + self._terminal.flush())

    def _emit(self, data: bytes) -> None:
        if not data:
            return
        self._log += data
        del self._log[:-LOG_LIMIT]
        if self._on_output is not None:
            self._on_output(data)
        self._presence_changed()
        if self._presence.anybody and not self._stuck:
            self._output += data
            self._to_client()

    def _to_client(self) -> None:
        while self._output:
            try:
                count = os.write(self._outer, self._output[:65536])
            except BlockingIOError:
                count = 0
            if not count:
                break
            del self._output[:count]
            self._stuck = False
            if self._stuck_timer is not None:
                self._stuck_timer.cancel()
                self._stuck_timer = None
        waiting = bool(self._output)
        if waiting != self._writing_outer:
            self._writing_outer = waiting
            if waiting:
                self._loop.add_writer(self._outer, self._to_client)
            else:
                self._loop.remove_writer(self._outer)
        if waiting and self._stuck_timer is None and not self._stuck:
            self._stuck_timer = self._loop.call_later(STUCK_SECONDS, self._client_stuck)
        if self._stdout_paused and len(self._output) < OUTPUT_LIMIT // 2 and self._stdout >= 0:
            self._stdout_paused = False
            self._loop.add_reader(self._stdout, self._from_guest)

    def _client_stuck(self) -> None:
        """Keep one chunk: when it goes, the client reads again."""
        self._stuck_timer = None
        self._stuck = True
        del self._output[_CHUNK:]
        self._to_client()

    def _presence_changed(self) -> None:
        was = self._presence.anybody
        self._presence.update()
        if was and not self._presence.anybody:
            # Nobody listens: what is under way is lost, as on a wire.
            self._output.clear()
            self._stuck = False
            # The next client finds the line raw, whatever the last one left.
            with contextlib.suppress(termios.error):
                tty.setraw(self._outer_slave, termios.TCSANOW)
            # Read it away: a flush leaves what waits behind the terminal's own buffer.
            with contextlib.suppress(BlockingIOError):
                while os.read(self._outer_slave, 65536):
                    pass
            self._to_client()


def _raw_pty() -> tuple[int, int]:
    master, slave = os.openpty()
    tty.setraw(slave, termios.TCSANOW)
    os.set_blocking(master, False)
    return master, slave


def _keep_isig(slave: int) -> None:
    """Raw, but with ISIG, which the interpreter clears at its prompts, and no character it would act on."""
    settings = termios.tcgetattr(slave)
    settings[1] &= ~termios.OPOST
    settings[3] |= termios.ISIG
    disabled = bytes([os.fpathconf(slave, "PC_VDISABLE") & 0xFF])
    for index in (termios.VINTR, termios.VQUIT, termios.VSUSP):
        settings[6][index] = disabled
    termios.tcsetattr(slave, termios.TCSANOW, settings)
