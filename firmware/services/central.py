"""Who is connected in the air: proves the hub key, and then is the air's carrier. In memory meanwhile."""

import os
import time
from io import IOBase

from micropython import RingIO

from hubcore.compat import const
from services.codes import hmac

# docs/link.md, Air
_DATA = const(0x20)
_PADDED = const(0x21)
_WAIT = const(0x25)
_BYE = const(0x26)
_CHALLENGE = const(0x30)
_PROOF = const(0x31)
_CREDIT = const(0x32)
_VERSION = const(2)
_LATE = const(2)  # reasons of BYE
_BROKEN = const(5)
_OTHER_HUB = const(7)

_ASKED = const(0)  # has yet to prove the hub key
_OPEN = const(1)
_LEAVING = const(2)  # until the connection has ended and the session has let go

_RING = const(1024)
_GRANT = const(512)  # so much must have been read before more is asked for
_VALUE = const(244)  # fits one packet of the air with its heads (Core 5.4, vol 6, part B, 4.5.10)
_HEAD = const(2)
_PROOF_MS = const(8_000)  # to subscribe, and to answer
_ASK_MS = const(100)
_CALM_MS = const(10)  # a value waits so long for more to fill it; and between two tries to send
_LINGER_MS = const(300)  # a BYE is to reach its reader
_AGAIN_MS = const(1_000)


class Central(IOBase):
    """``radio`` is its services.radio.Radio, whose ``conn`` it is; ``pad``: fill the last value of a flight;
    ``over``: nothing is left of it."""

    def __init__(self, radio):
        self.radio = radio
        self.pad = self.over = False
        self._ring = self._out = self._mv = None  # there once it has proved the key
        self._state = _ASKED
        self._due = time.ticks_add(time.ticks_ms(), _PROOF_MS)
        self._challenge = bytes((_CHALLENGE, _VERSION, _VERSION)) + os.urandom(16)
        # The interrupt alone writes these,
        self._proof = None
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
                self.radio.pulse.set()
            return n
        return 0 if self.radio.ended else None

    def write(self, buf) -> "int | None":
        """Takes what fits the value under way and the laptop's credit; -104 (ECONNRESET) after the end."""
        if self.radio.ended:
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
        self.radio.pulse.set()
        return n

    def ioctl(self, op, arg):
        return 0

    def wait(self, seconds: int) -> None:
        """Tell the laptop that the handshake waits."""
        self._notify(bytes((_WAIT, seconds)))

    # For the radio

    def written(self, handle):
        """In an interrupt: there is a value."""
        # The one thing made here: bluetooth cannot read into a buffer, and read later it may be half
        # overwritten.
        value = self.radio.ble.gatts_read(handle)
        kind = value[0]
        if kind == _DATA or kind == _PADDED:
            n = len(value) - _HEAD
            if kind == _PADDED:
                n -= value[-1]
            self._came += n
            if n < 0 or value[1] != self._seq_in or self._came > self._given:
                self.radio.broken = True
            else:
                self._seq_in = (value[1] + 1) & 255
                self._ring.write(value, _HEAD, n)  # pyright: ignore[reportCallIssue]
        elif kind == _CREDIT:
            self._granted += value[1] | value[2] << 8
        elif kind == _PROOF:
            self._proof = value
        elif kind == _BYE:
            self.radio.broken = True

    def end(self, reason: int) -> None:
        """Say BYE, if it is not said, and leave."""
        if self._state != _LEAVING:
            if not self.radio.gone:
                if self._at > _HEAD:
                    self._send()
                self._notify(bytes((_BYE, reason)))
            self._state = _LEAVING
            self._due = time.ticks_add(time.ticks_ms(), _LINGER_MS)
            self.radio.ended = True
            self.radio.wake.set()

    def step(self):
        """Do what is due; ms until there may be more, or None."""
        radio = self.radio
        now = time.ticks_ms()
        due = None
        if radio.gone or radio.broken or not radio.on:
            self.end(_BROKEN)
        if self._state == _ASKED:
            if self._proof:
                self._prove()
            elif time.ticks_diff(self._due, now) <= 0:
                self.end(_LATE)
            else:
                # Who has subscribed is not told: an update goes to subscribers only.
                radio.ble.gatts_write(radio.tx, self._challenge, True)
                due = _ASK_MS
        if self._state == _OPEN:
            due = self._flow()
        if self._state == _LEAVING:
            due = max(0, time.ticks_diff(self._due, now))
            if radio.gone:
                due = None
                self.over = not radio.held
            elif not due:
                self._due = time.ticks_add(now, _AGAIN_MS)
                try:
                    radio.gone = not radio.ble.gap_disconnect(radio.conn)
                except OSError:
                    pass  # it is under way already
        return due

    # Inside

    def _prove(self):
        radio = self.radio
        try:
            proof = hmac(radio.hub_key, b"air", self._challenge[3:], radio.device)[:16]
            self._out = bytearray(_VALUE)
            self._ring = RingIO(_RING)
        except MemoryError:
            self.end(_BROKEN)
            return
        if self._proof[1:] != bytes((_VERSION,)) + proof:
            radio.refuse("no proof", "air")
            self.end(_OTHER_HUB)
            return
        self._mv = memoryview(self._out)
        self._state = _OPEN
        self._owed = _RING
        radio.held = True
        radio.opened += 1
        radio.ended = False
        radio.wake.set()

    def _room(self):
        # Bytes that may be added to the value under way.
        return min(_VALUE, self.radio.mtu - 3, self._at + self._granted - self._sent) - self._at

    def _notify(self, value):
        # Whether it was taken. If not, there is no room now, or the connection has just gone.
        radio = self.radio
        try:
            radio.ble.gatts_notify(radio.conn, radio.tx, value)
        except OSError:
            return False
        return True

    def _send(self):
        # The value under way; False if there is no room for it now.
        out = self._out
        at = self._at
        most = min(_VALUE, self.radio.mtu - 3)
        out[0] = _DATA
        out[1] = self._seq
        if self.pad and at < most:
            out[0] = _PADDED
            self._mv[at:most] = bytes(most - at)
            out[most - 1] = most - at
            at = most
        if not self._notify(self._mv[:at]):
            return False
        self._seq = (self._seq + 1) & 255
        self._at = _HEAD
        return True

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
            self.radio.wake.set()
        return due
