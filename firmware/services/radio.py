"""The one owner of ``bluetooth``: advertises, lets one central in at a time, and is the air's carrier."""

import asyncio
import time
from io import IOBase

from micropython import RingIO

from hubcore.compat import const
from tasks.forget import fetch, forget
from tasks.wake import Wake

# docs/link.md, Air
_DATA = const(0x20)
_PADDED = const(0x21)
_WAIT = const(0x25)
_BYE = const(0x26)
_PROOF = const(0x31)
_CREDIT = const(0x32)
_LATE = const(2)  # reasons of BYE
_BROKEN = const(5)
_OTHER_HUB = const(7)

_CONNECT = const(1)  # interrupts
_DISCONNECT = const(2)
_WRITTEN = const(3)
_MTU = const(21)

_FREE = const(0)  # nobody is connected
_ASKED = const(1)  # somebody is, who has yet to prove the hub key
_OPEN = const(2)
_LEAVING = const(3)  # until the connection has ended and the session has let go

_RING = const(1024)
_GRANT = const(512)  # so much must have been read before more is asked for
_VALUE = const(244)  # fits one packet of the air with its heads (Core 5.4, vol 6, part B, 4.5.10)
_HEAD = const(2)
_EVERY_US = const(200_000)
_PROOF_MS = const(8_000)  # to subscribe, and to answer
_ASK_MS = const(100)
_CALM_MS = const(10)  # a value waits so long for more to fill it; and between two tries to send
_LINGER_MS = const(300)  # a BYE is to reach its reader
_AGAIN_MS = const(1_000)


class Radio(IOBase):
    """``hub_key`` is None on a kiosk that is not enrolled: nobody can connect. ``device`` is the 6 bytes of
    its id; ``health`` gets the trouble "radio"; ``refuse(why, way)`` records who was turned away.

    As a carrier (services.session): ``opened`` counts those who proved the hub key; from then until
    ``ended`` they may be read from and written to. Whoever served them calls ``hang_up`` in any case: before
    that nobody else is let in.
    """

    way = "air"

    def __init__(self, hub_key: "bytes | None", device: bytes, health, refuse):
        self.hub_key = hub_key
        self.device = device
        self.on = True
        self.opened = 0
        self.ended = True
        self.wake = Wake()
        self.ble = None
        self.payload = None  # what is advertised, 31 bytes at most
        self.answer = None  # to those who ask for more
        self.tx = 0  # the handle of what is notified
        self.health = health
        self._refuse = refuse
        self._ring = self._out = self._mv = None  # there while somebody is served
        self._flag = asyncio.ThreadSafeFlag()
        self.pulse = Wake()
        self._state = _FREE
        self._held = False  # by the session
        self._due = 0
        self._shown = None
        self._pad = False
        self._conn = self._extra = -1
        self._reset()

    def _reset(self):
        # While somebody is connected the interrupt alone writes these,
        self._gone = self._broken = False
        self._proof = None
        self._mtu = 23
        self._seq_in = self._came = self._granted = 0
        # and the tasks these.
        self._full = self._fresh = False
        self._seq = self._given = self._sent = self._owed = 0
        self._at = _HEAD

    # The carrier

    def readinto(self, buf) -> "int | None":
        n = self._ring.readinto(buf)
        if n:
            self._owed += n
            if self._owed >= _GRANT:
                self.pulse.set()
            return n
        return 0 if self.ended else None

    def write(self, buf) -> "int | None":
        """Takes what fits the value under way and the laptop's credit; -104 (ECONNRESET) after the end."""
        if self.ended:
            return -104
        at = self._at
        n = min(len(buf), self._room())
        if n <= 0:
            self._full = True
            return None
        self._mv[at : at + n] = memoryview(buf)[:n]
        self._at = at + n
        self._sent += n
        self._fresh = True
        if not self._room():
            self._send()
        self.pulse.set()
        return n

    def ioctl(self, op, arg):
        return 0

    def handshaking(self, on: bool) -> None:
        """Fill the last value of a flight: that a handshake's length varies by some bytes shall not show."""
        self._pad = on

    def wait(self, seconds: int) -> None:
        """Tell the laptop that the handshake waits."""
        self._notify(bytes((_WAIT, seconds)))

    def hang_up(self, reason: int = 0) -> None:
        """The session is over, whoever ended it: the next central may come."""
        if self._held:  # else somebody may be about to prove the key
            self._held = False
            self._end(reason)
            self.pulse.set()

    # For the kiosk

    def switch(self, on: bool) -> None:
        """On or off; off sends nothing and ends the session."""
        self.on = on
        self.pulse.set()

    def advertise(self, payload: bytes) -> None:
        """Advertise these 31 bytes at most (AD structures) from now on, connected or not."""
        self.payload = payload
        self._shown = None
        self.pulse.set()

    def close(self) -> None:
        """Nothing is to come any more, now that the program ends."""
        if self.ble:
            self.ble.active(False)

    async def run(self, turn) -> None:
        """The task: for ever."""
        if not self.ble:
            turn.rest()
            self.ble = await fetch("services.greet").start(self, self._irq)
            forget("services.greet")
            self._watcher = asyncio.create_task(self._watch())
        while True:
            turn.begin()
            due = self._step()
            turn.rest()
            await self.pulse.wait(due)

    # Inside

    async def _watch(self):
        while True:
            await self._flag.wait()
            self.pulse.set()

    def _irq(self, event, data):
        # On a chip it may run between any two steps of a task.
        if event == _CONNECT:
            if self._conn < 0:
                self._conn = data[0]
            else:
                self._extra = data[0]
        elif event == _DISCONNECT:
            self._shown = None  # it may have been a connection that failed, and the advertising with it
            if data[0] == self._conn:
                self._gone = True
        elif event == _MTU:
            if data[0] == self._conn:
                if data[1] < self._mtu:
                    self._broken = True
                self._mtu = data[1]
        elif event == _WRITTEN and data[0] == self._conn:
            try:
                # The one thing made here: bluetooth cannot read into a buffer, and read later it may be
                # half overwritten.
                value = self.ble.gatts_read(data[1])
                kind = value[0]
                if kind == _DATA or kind == _PADDED:
                    n = len(value) - _HEAD
                    if kind == _PADDED:
                        n -= value[-1]
                    self._came += n
                    if n < 0 or value[1] != self._seq_in or self._came > self._given:
                        self._broken = True
                    else:
                        self._seq_in = (value[1] + 1) & 255
                        self._ring.write(value, _HEAD, n)  # pyright: ignore[reportCallIssue]
                elif kind == _CREDIT:
                    self._granted += value[1] | value[2] << 8
                elif kind == _PROOF:
                    self._proof = value
                elif kind == _BYE:
                    self._broken = True
            except Exception:  # noqa: BLE001 - a handler that raises is never called again
                self._broken = True
        else:
            return
        self._flag.set()

    def _room(self):
        # Bytes that may be added to the value under way.
        return min(_VALUE, self._mtu - 3, self._at + self._granted - self._sent) - self._at

    def _notify(self, value):
        # Whether it was taken. If not, there is no room now, or the connection has just gone.
        try:
            self.ble.gatts_notify(self._conn, self.tx, value)
        except OSError:
            return False
        return True

    def _send(self):
        # The value under way; False if there is no room for it now.
        out = self._out
        at = self._at
        most = min(_VALUE, self._mtu - 3)
        out[0] = _DATA
        out[1] = self._seq
        if self._pad and at < most:
            out[0] = _PADDED
            self._mv[at:most] = bytes(most - at)
            out[most - 1] = most - at
            at = most
        if not self._notify(self._mv[:at]):
            return False
        self._seq = (self._seq + 1) & 255
        self._at = _HEAD
        return True

    def _end(self, reason):
        if self._state == _ASKED or self._state == _OPEN:
            if not self._gone:
                if self._at > _HEAD:
                    self._send()
                self._notify(bytes((_BYE, reason)))
            self._state = _LEAVING
            self._due = time.ticks_add(time.ticks_ms(), _LINGER_MS)
            self.ended = True
            self.wake.set()

    def _step(self):
        # Do what is due; ms until there may be more, or None.
        ble = self.ble
        now = time.ticks_ms()
        due = None
        if self._extra >= 0:
            ble.gap_disconnect(self._extra)
            self._extra = -1
        if self._state == _FREE and self._conn >= 0:
            self._state = _ASKED
            self._due = time.ticks_add(now, _PROOF_MS)
            self._challenge = fetch("services.greet").challenge()
            forget("services.greet")
        if self._gone or self._broken or not self.on:
            self._end(_BROKEN)
        if self._state == _ASKED:
            if self._proof:
                try:
                    good = fetch("services.greet").proved(self, self._challenge, self._proof)
                    self._ring = RingIO(_RING)
                    self._out = bytearray(_VALUE)
                except MemoryError:
                    good = None
                forget("services.greet")
                if good:
                    self._mv = memoryview(self._out)
                    self._state = _OPEN
                    self._owed = _RING
                    self._held = True
                    self.opened += 1
                    self.ended = False
                    self.wake.set()
                elif good is None:
                    self._end(_BROKEN)
                else:
                    self._refuse("no proof", "air")
                    self._end(_OTHER_HUB)
            elif time.ticks_diff(self._due, now) <= 0:
                self._end(_LATE)
            else:
                # Who has subscribed is not told: an update goes to subscribers only.
                ble.gatts_write(self.tx, self._challenge, True)
                due = _ASK_MS
        if self._state == _OPEN:
            due = self._flow()
        if self._state == _LEAVING:
            due = max(0, time.ticks_diff(self._due, now))
            if self._gone:
                due = None
                if not self._held:
                    self._ring = self._out = self._mv = None
                    self._reset()
                    self._state = _FREE
                    self._conn = -1
            elif not due:
                self._due = time.ticks_add(now, _AGAIN_MS)
                try:
                    self._gone = not ble.gap_disconnect(self._conn)
                except OSError:
                    pass  # it is under way already
        show = 0
        if self.on:
            show = 2 if self._state == _FREE and self.hub_key else 1
        if show != self._shown:
            self._shown = show
            try:
                ble.gap_advertise(
                    _EVERY_US if show else None, self.payload, resp_data=self.answer, connectable=show > 1
                )
            except OSError:
                self._shown = None
                due = _AGAIN_MS
        return due

    def _flow(self):
        due = None
        n = self._owed
        if n >= _GRANT:
            self._given += n
            if self._notify(bytes((_CREDIT, n & 255, n >> 8))):
                self._owed = 0
            else:
                self._given -= n
                due = _CALM_MS
        if self._at > _HEAD:
            if self._fresh and self._room() > 0:
                self._fresh = False
                due = _CALM_MS
            elif not self._send():
                due = _CALM_MS
        if self._ring.any() or (self._full and self._room() > 0):
            self._full = False
            self.wake.set()
        return due
