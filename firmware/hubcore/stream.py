"""A reliable stream of bytes over frames that may get lost; no I/O and no clock.

Both ends run it. ``now_ms`` counts milliseconds and may wrap at 2^30, as MicroPython's ticks do.
"""

from hubcore.compat import const

DATA = 0x20  # seq u8, bytes
PADDED = 0x21  # seq u8, bytes, zeros, number of padding bytes u8
ACK = 0x22  # next seq expected u8, bitmap u16 of those received after it, credit u8
POKE = 0x24

HEAD = 2  # bytes of a DATA frame before its data

_TRIES = const(8)
_LONGEST_MS = const(2000)
_TICKS = const(0x3FFFFFFF)
_ARRIVED = const(-1)


class Stream:
    """``send_max`` and ``recv_max``: most bytes of a DATA frame's payload, head included; windows: 1 to 16
    frames. ``reset`` may lessen what is sent, as the peer wants it. ``quantum``, up to 256: last frames are
    padded to multiples of it, and answers waited for longer. ``dead``: the peer has not answered eight times;
    nothing more goes out. ``resent`` and ``received`` count frames.

    After ``close`` it has no buffers until ``reset``: nothing is to be read or written.
    """

    def __init__(self, send_max: int, recv_max: int, send_window: int, recv_window: int):
        self._sizes = [0] * send_window
        self._turns = [0] * send_window  # the how-manieth each was sent last; 0: is to be sent
        self._got = [0] * recv_window
        self._recv = recv_max - HEAD
        self.quantum = 0
        self.resent = self.received = 0
        self.reset(send_max, send_window)

    def reset(self, send_max: int, send_window: int, baud: int = 115200) -> None:
        """Begin anew, with frames and a window no larger than when it was made."""
        self._send = send_max - HEAD
        self._window = send_window
        self.close()  # before there are others
        # A frame each: one piece for all may not be found in a heap that is nearly full.
        self._out = [memoryview(bytearray(self._send)) for _ in range(send_window)]
        self._in = [memoryview(bytearray(self._recv)) for _ in self._got]
        for slot in range(len(self._got)):
            self._got[slot] = 0
        # Frames by number. To be sent: those before _base have arrived, before _sent were sent at least
        # once, before _tail are there; the peer has room for those before _limit. Received: before _next;
        # read: before _read, and _at bytes of that one.
        self._base = self._sent = self._tail = self._count = 0
        self._limit = send_window
        self._next = self._read = self._at = 0
        self._told = len(self._got)  # the credit, as the peer knows it
        self._ack = self._poke = self._armed = self.dead = False
        self._tries = self._since = 0
        self.rate(baud)

    def close(self) -> None:
        """Give the buffers up."""
        self._out = self._in = []

    def rate(self, baud: int) -> None:
        """The line's bits a second: they set how long an answer is waited for."""
        self._first = self._wait = min(_LONGEST_MS, 60 + self._window * (self._send + HEAD) * 30000 // baud)

    def write(self, data) -> int:
        """How many bytes were taken, from the beginning of ``data``; 0: no room now."""
        taken = 0
        while taken < len(data) and not self.dead:
            slot = (self._tail - 1) % self._window
            if self._sent == self._tail or self._sizes[slot] == self._send:
                if self._tail - self._base == self._window:
                    break
                slot = self._tail % self._window
                self._sizes[slot] = self._turns[slot] = 0
                self._tail += 1
            size = self._sizes[slot]
            part = min(self._send - size, len(data) - taken)
            self._out[slot][size : size + part] = data[taken : taken + part]
            self._sizes[slot] = size + part
            taken += part
        return taken

    def readinto(self, buf) -> int:
        """Put what has arrived into ``buf``; how many bytes, 0: nothing now."""
        done = 0
        while done < len(buf) and self._read < self._next:
            slot = self._read % len(self._got)
            at = self._at
            part = min(self._got[slot] - at, len(buf) - done)
            buf[done : done + part] = self._in[slot][at : at + part]
            done += part
            self._at = at + part
            if self._at == self._got[slot]:
                self._got[slot] = self._at = 0
                self._read += 1
                if self._told <= len(self._got) // 2:
                    self._ack = True
        return done

    def take(self, payload, now_ms: int) -> None:
        """A frame's payload that came; what is none of the four kinds, or makes no sense, is ignored."""
        kind = payload[0]
        size = len(payload) - HEAD
        if kind == DATA or kind == PADDED:
            if kind == PADDED:
                size = size - payload[-1] if payload[-1] else 0
            if 0 < size <= self._recv:
                self._data(payload, size)
        elif kind == ACK and size >= 3:
            self._acked(payload[1], payload[2] | payload[3] << 8, payload[4], now_ms)
        elif kind == POKE:
            self._ack = True

    def next(self, out, at: int, now_ms: int) -> int:
        """Put the payload of the frame to be sent now into ``out[at:]``; its size, 0: none is due."""
        if self._ack and not self.dead:
            self._ack = False
            most = len(self._got)
            self._told = told = self._read + most - self._next
            bits = 0
            for i in range(told - 1, 0, -1):
                bits = bits << 1 | (self._got[(self._next + i) % most] > 0)
            for value in (ACK, self._next & 255, bits & 255, bits >> 8, told):
                out[at] = value
                at += 1
            return 5
        if self.due_ms(now_ms):
            return 0
        number = self._due()
        if number < 0:
            # Nobody answered.
            self._tries += 1
            self.dead = self._tries == _TRIES
            if self.dead:
                return 0
            self._wait = min(_LONGEST_MS, self._wait * 2)
            self._since = now_ms
            number = self._base
            if number == self._sent:  # there is no credit
                out[at] = POKE
                return 1
        if number < self._sent:
            self.resent += 1
        else:
            self._sent += 1
        slot = number % self._window
        self._count += 1
        self._turns[slot] = self._count
        size = self._sizes[slot]
        out[at] = DATA
        out[at + 1] = number & 255
        at += HEAD
        out[at : at + size] = self._out[slot][:size]
        pad = min(-size % self.quantum, self._send - size) if self.quantum else 0
        if pad:
            out[at - HEAD] = PADDED
            out[at + size : at + size + pad] = bytes(pad)
            out[at + size + pad - 1] = pad
        return HEAD + size + pad

    def due_ms(self, now_ms: int) -> int:
        """Milliseconds until ``next`` has something if no frame comes before; -1: it will not."""
        if self.dead:
            return -1
        if self._base == self._sent and (self._sent == self._tail or self._sent < self._limit):
            self._armed = False
        elif not self._armed:
            self._armed = True
            self._since = now_ms
        if self._ack or self._due() >= 0:
            return 0
        if not self._armed:
            return -1
        # In a handshake the peer may calculate for a second.
        wait = _LONGEST_MS if self.quantum else self._wait
        return max(0, wait - ((now_ms - self._since) & _TICKS))

    def _due(self):
        # The frame that is to be sent now, or -1. One that is not full waits while others are under way, as
        # more may come.
        for number in range(self._base, self._sent):
            if not self._turns[number % self._window]:
                return number
        number = self._sent
        if number < self._tail and number < self._limit:
            if number == self._base or self._sizes[number % self._window] == self._send:
                return number
        return -1

    def _data(self, payload, size):
        self._ack = True
        number = self._next + ((payload[1] - self._next + 128) & 255) - 128
        most = len(self._got)
        slot = number % most
        if self._next <= number < self._read + most and not self._got[slot]:
            self._in[slot][:size] = payload[HEAD : HEAD + size]
            self._got[slot] = size
            self.received += 1
            while self._next < self._read + most and self._got[self._next % most]:
                self._next += 1

    def _acked(self, number, bits, credit, now_ms):
        ahead = (number - self._base) & 255
        if ahead > self._sent - self._base:
            return  # older than one that came before
        news = self._base == self._sent
        top = 0
        bits = (bits << 1 << ahead) | ((1 << ahead) - 1)
        for number in range(self._base, self._sent):
            slot = number % self._window
            if bits & 1 and self._turns[slot] != _ARRIVED:
                top = max(top, self._turns[slot])
                self._turns[slot] = _ARRIVED
                news = True
            bits >>= 1
        self._base += ahead
        for number in range(self._base, self._sent):
            # The line keeps the order: what went before one that has arrived is lost.
            slot = number % self._window
            if 0 < self._turns[slot] < top:
                self._turns[slot] = 0
        self._limit = max(self._limit, self._base + credit)
        if news:
            self._tries = 0
            self._wait = self._first
            self._since = now_ms
