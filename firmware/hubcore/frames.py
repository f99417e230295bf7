"""Frames on the link: a payload with its CRC-32, stuffed by COBS (Cheshire, Baker 1999), then a zero."""

from binascii import crc32

from hubcore.compat import const
from hubcore.errors import FrameError

MAX_PAYLOAD = 1024

ROOM = 6  # bytes before the largest payload that its frame needs (encode_in)

_BLOCK = const(254)
# CRC-32 of any data followed by its own CRC-32, little-endian.
_RESIDUE = const(0x2144DF1C)


def encode(payload, max_payload: int = MAX_PAYLOAD) -> bytes:
    """The frame of one payload, with its closing zero. Raises FrameError if it is empty or too long."""
    size = len(payload)
    if not 0 < size <= max_payload:
        raise FrameError("a frame carries 1 to " + str(max_payload) + " bytes")
    at = (size + 4) // _BLOCK + 2
    buf = memoryview(bytearray(at + size + 4))
    buf[at : at + size] = payload
    return bytes(buf[: encode_in(buf, at, size)])


def encode_in(buf: memoryview, at: int, size: int) -> int:
    """Frame the payload ``buf[at : at + size]`` where it is: the frame is ``buf[:n]``; returns n.

    ``at`` is ROOM or more, at the end 4 bytes are free. Nothing larger than a block of 254 bytes is made.
    """
    end = at + size
    buf[end : end + 4] = crc32(buf[at:end]).to_bytes(4, "little")
    end += 4
    pos = 0
    while True:
        # The frame stays behind what it is made of: it is longer by a byte a block, and by two.
        run = bytes(buf[at : min(end, at + _BLOCK)]).find(b"\0")
        zero = run >= 0
        if not zero:
            run = min(_BLOCK, end - at)
        buf[pos + 1 : pos + 1 + run] = buf[at : at + run]
        buf[pos] = run + 1
        pos += 1 + run
        at += run
        if at == end:
            buf[pos] = 0
            return pos + 1
        if zero:
            at += 1
            if at == end:
                buf[pos] = 1
                buf[pos + 1] = 0
                return pos + 2


class Decoder:
    """Takes bytes as they come, gives whole payloads. ``dropped`` counts the frames that were bad."""

    def __init__(self, max_payload: int = MAX_PAYLOAD):
        size = max_payload + 4
        self._buf = bytearray(size + size // _BLOCK + 1)
        self._view = memoryview(self._buf)
        self._max = max_payload
        self._n = 0
        self._over = False
        self.dropped = 0

    def feed(self, data) -> list:
        """The payloads that end within ``data``. What does not decode is dropped and counted."""
        payloads = []
        if not isinstance(data, (bytes, bytearray)):
            data = bytes(data)
        view = memoryview(data)
        start = 0
        end = len(data)
        while start < end:
            zero = data.find(b"\0", start)
            stop = end if zero < 0 else zero
            self._take(view[start:stop])
            if zero < 0:
                break
            start = zero + 1
            if self._n or self._over:
                payload = None if self._over else self._decode()
                self._n = 0
                self._over = False
                if payload is None:
                    self.dropped += 1
                else:
                    payloads.append(payload)
        return payloads

    def _take(self, part) -> None:
        n = self._n + len(part)
        if n > len(self._buf):
            self._over = True
        else:
            self._buf[self._n : n] = part
            self._n = n

    def _decode(self):
        """The payload of the frame in the buffer, unstuffed in place, or None."""
        buf = self._buf
        view = self._view
        end = self._n
        pos = out = 0
        while pos < end:
            code = buf[pos]
            run = code - 1
            pos += 1
            if pos + run > end:
                return None
            view[out : out + run] = view[pos : pos + run]
            pos += run
            out += run
            if code < 255 and pos < end:
                buf[out] = 0
                out += 1
        if not 4 < out <= self._max + 4 or crc32(view[:out]) != _RESIDUE:
            return None
        return bytes(view[: out - 4])
