"""The cable's carrier: a UART's bytes become frames, and those a reliable stream (docs/link.md, Cable)."""

import asyncio
import time
from io import IOBase

from hubcore import frames
from hubcore.compat import const
from hubcore.stream import ACK, DATA, PADDED, POKE, Stream
from tasks.forget import fetch, forget, shed
from tasks.wake import Wake, readable

_HELLO_1 = const(0x01)
_OPEN = const(0x10)
_RATE = const(0x12)
_RATED = const(0x13)
_PROBE = const(0x14)
_ECHO = const(0x15)
_WAIT = const(0x25)
_BYE = const(0x26)

_BROKEN = const(5)  # a reason of BYE
_TXBUF = const(2048)
_READ = const(256)
_GIVES = const(512)  # payload bytes of a frame to the laptop
_TAKES = const(128)  # and from it: four fit the receiver's ring while a sector is erased
_WINDOW = const(4)
_MOST = const(528)  # bytes of a frame on the wire
_QUANTUM = const(256)
_QUEUE = const(8)
_FIRST = const(115200)
_RATES = (115200, 230400, 460800, 921600)
_TRIAL_MS = const(500)  # a new rate must have carried a good frame
_NOISE_MS = const(3000)
_CALM_MS = const(250)
_PICTURE_MS = const(100)  # so long after a key moved nothing is read or sent: a picture is drawn
_TICKS = const(0x3FFFFFFF)


class Cable(IOBase):
    """Carrier on a ``machine.UART`` of 115,200 bits a second, whose receive buffer has 1,024 bytes.

    ``out``, 528 bytes, is filled and sent in one go: others may use it too. ``device`` is the 6 bytes of
    the id; ``ready``: the kiosk is enrolled, else nobody is let in; ``highest``: the highest rate taken.

    ``opened`` counts the peers; from then until ``ended`` they may be read from and written to, and ``wake``
    is set whenever that may have become possible. Whoever serves them calls ``hang_up`` in any case: before
    that the next one is not let in.
    """

    way = "cable"

    def __init__(self, uart, out, device: bytes, ready: bool, highest: int = 921600):
        self._uart = uart
        self._out = memoryview(out)[:_MOST]
        self.device = device
        self.ready = ready
        self.highest = highest
        self.baud = _FIRST
        self.stream = Stream(_GIVES, _TAKES, _WINDOW, _WINDOW)
        self.stream.close()
        self._decoder = frames.Decoder(_TAKES)
        self.keypad = None  # its ``touched`` is the tick at which a key last moved
        self.peer = self  # what TLS reads from and writes to
        self.control = []  # payloads that go before the stream's
        self.token = None
        self.next = None  # the OPEN of who waits for the one before to be gone
        self.held = False
        self._why = _BROKEN
        self.opened = 0
        self.ended = True
        self.wake = Wake()
        self._kick = Wake()
        self._trial = self._noise = self._heard = None  # since when
        self._asked = -_CALM_MS  # when somebody asked to be let in
        self._empty_at = time.ticks_ms()  # when the transmitter will have sent all it was given
        self._rest = 0  # what rounding to ms left over
        uart.init(txbuf=_TXBUF)  # two frames: the next is made while one is sent

    @property
    def dropped(self) -> int:
        """Frames that did not decode since the start."""
        return self._decoder.dropped

    # The carrier

    def readinto(self, buf) -> "int | None":
        """Bytes put into ``buf``; None: nothing now, 0: it has ended."""
        n = self.stream.readinto(buf)
        if n:
            self._kick.set()
        return n or (0 if self.ended else None)

    def write(self, buf) -> "int | None":
        """Bytes taken; None: no room now, -104 (ECONNRESET): it has ended."""
        if self.ended:
            return -104
        n = self.stream.write(memoryview(buf))
        if n:
            self._kick.set()
        return n or None

    def ioctl(self, op, arg):
        return 0

    def handshaking(self, on: bool) -> None:
        """Pad the last frame of each flight: signatures vary by some bytes."""
        self.stream.quantum = _QUANTUM if on else 0

    def wait(self, seconds: int) -> None:
        """Tell the laptop that the handshake waits."""
        self.say(bytes((_WAIT, seconds)))

    def hang_up(self, reason: int = 0) -> None:
        """The session is over, whoever ended it: the next peer may come."""
        if not self.ended:
            self._why = reason
            self.say(bytes((_BYE, reason)))
            self.end()
        self.held = False
        self.stream.close()
        payload, self.next = self.next, None
        if payload:
            self._door("begin", payload)

    # Tasks

    async def read(self, turn) -> None:
        """A task: for ever."""
        view = self._out[:_READ]
        while True:
            turn.rest()
            await readable(self._uart)  # pyright: ignore - MicroPython awaits a generator
            await self._drawn()
            n = self._uart.readinto(view) or 0
            turn.begin()
            now = time.ticks_ms()
            good = False
            for payload in self._decoder.feed(view[:n]):
                good = True
                self._take(payload, now)
            if good:
                self._trial = self._noise = None
            elif self._noise is None or time.ticks_diff(now, self._heard) > _NOISE_MS:  # pyright: ignore
                self._noise = now
            elif time.ticks_diff(now, self._noise) > _NOISE_MS:
                self._rate(_FIRST)
            self._heard = now
            self._kick.set()  # first: the answer goes out before a handshake blocks everything
            self.wake.set()

    async def write_all(self, turn) -> None:
        """The other task: for ever."""
        self._uart.write(b"\0")  # ends what a reset may have left half sent
        while True:
            turn.rest()
            # A frame is made once there is room for the largest: meanwhile others use the buffer. An ESP32
            # says that it can be written to even when a write would block everything, so time decides: what
            # was given to the transmitter leaves it at the line's rate.
            late = self._busy() - (_TXBUF - _MOST) * 10_000 // self.baud
            if late > 0:
                await asyncio.sleep_ms(late)
                continue
            await self._drawn()
            now = time.ticks_ms()
            baud = self.baud
            if self.control:
                payload = self.control.pop(0)
                size = len(payload)
                self._out[frames.ROOM : frames.ROOM + size] = payload
                if payload[0] == _RATED:
                    baud = int.from_bytes(payload[5:], "little")
            elif self.ended:
                size = 0
                baud = _FIRST
            else:
                size = self.stream.next(self._out, frames.ROOM, now)  # pyright: ignore[reportArgumentType]
            if size:
                self._write(size)
            if baud != self.baud:
                await asyncio.sleep_ms(self._busy() + 2)
                self._rate(baud)
                self._trial = time.ticks_ms()
            elif size:
                await asyncio.sleep_ms(0)
            else:
                due = self._due(now)
                if due:
                    await self._kick.wait(None if due < 0 else due)

    def _due(self, now):
        # Ms until there is something to do, 0: at once, -1: nothing until something comes.
        due = -1 if self.ended else self.stream.due_ms(now)
        if self.stream.dead and not self.ended:
            self._why = _BROKEN
            self.end()
            return 0
        if self._trial is not None:
            left = _TRIAL_MS - time.ticks_diff(now, self._trial)
            if left <= 0:
                self._rate(_FIRST)
                return 0
            due = left if due < 0 else min(due, left)
        return due

    async def _drawn(self):
        # Somebody waits for a picture: until it is there.
        late = _PICTURE_MS - time.ticks_diff(time.ticks_ms(), self.keypad.touched) if self.keypad else 0
        if 0 < late <= _PICTURE_MS:
            await asyncio.sleep_ms(late)

    def _busy(self):
        # For how many ms the transmitter has something to send.
        busy = time.ticks_diff(self._empty_at, time.ticks_ms())
        return busy if 0 <= busy <= 1000 else 0  # idle; after days the difference may be anything

    def _write(self, size):
        # Frames the payload that lies in the buffer, and gives it to the transmitter.
        n = frames.encode_in(self._out, frames.ROOM, size)
        # More zeros, so that how long it takes tells nothing of what it says.
        size += 6 + (size + 4) // 254
        self._out[n:size] = bytes(size - n)
        bits = size * 10_000 + self._rest
        self._rest = bits % self.baud
        self._empty_at = time.ticks_add(time.ticks_ms(), self._busy() + bits // self.baud)
        self._uart.write(self._out[:size])

    def _rate(self, baud):
        self._trial = self._noise = None
        if baud != self.baud:
            self.baud = baud
            self._uart.init(baudrate=baud)
            self.stream.rate(baud)

    def _door(self, what, payload):
        try:
            getattr(fetch("services.door"), what)(self, payload)
        except MemoryError:
            shed()  # it asks again
        forget("services.door", "hubcore.asked")

    def say(self, payload: bytes) -> None:
        """Have this payload sent before the stream's."""
        if len(self.control) < _QUEUE:
            self.control.append(payload)
            self._kick.set()

    def end(self) -> None:
        """There is nobody any more."""
        self.ended = True
        self.wake.set()
        self._kick.set()

    # Frames from the laptop

    def _take(self, payload, now):
        kind = payload[0]
        size = len(payload)
        if kind == DATA or kind == PADDED or kind == ACK or kind == POKE:
            if not self.ended:
                self.stream.take(payload, now)
            elif kind != ACK and not self.control:
                self.say(bytes((_BYE, self._why)))
        elif kind == _BYE:
            if not self.ended:
                self.end()
        elif kind == _HELLO_1 or (kind == _OPEN and size >= 10):
            # Loading what answers takes a chip 40 ms: a flood of these is not to take all its time.
            if (now - self._asked) & _TICKS >= _CALM_MS:
                self._asked = now
                self._door("ask" if kind == _OPEN else "older", payload)
        elif size >= 9 and payload[1:5] == self.token:
            if kind == _RATE:
                baud = int.from_bytes(payload[5:9], "little")
                if baud not in _RATES or baud > self.highest:
                    baud = self.baud
                self.say(bytes((_RATED,)) + payload[1:5] + baud.to_bytes(4, "little"))
            elif kind == _PROBE:
                self.say(bytes((_ECHO,)) + payload[1:])
