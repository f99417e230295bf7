"""Messages on the link: a CBOR array with its length before it; their numbers are in hubcore.requests."""

from hubcore import cbor
from hubcore.compat import const
from hubcore.errors import CodecError, RequestError

VERSIONS = (2, 2)  # lowest and highest version of the protocol spoken here

_REQUEST = const(0)
_REPLY = const(1)
_NOTICE = const(2)
_MAX_ID = const(0xFFFF)
_MAX_SEQ = const(0xFFFFFFFF)


def message(parts: tuple) -> bytes:
    """A message: its length (u16, big-endian), then the CBOR array of ``parts``, which are
    (REQUEST, id, op, args[, deadline in ms]), (REPLY, id, status, result, more) or (NOTICE, topic, value)."""
    buf = bytearray(128)
    end = cbor.dump_into(buf, 2, parts)
    buf[0] = end - 2 >> 8
    buf[1] = end - 2 & 255
    return bytes(memoryview(buf)[:end])


def parse(payload) -> tuple:
    """The parts of a message, without its length: (REQUEST, id, op, args, deadline in ms or None),
    (REPLY, id, status, result, more) or (NOTICE, topic, value); what later versions add is left out.

    Raises RequestError for anything else; its code is the status to answer with.
    """
    try:
        parts = cbor.loads(payload)
    except CodecError as error:
        raise RequestError("this message cannot be read: " + str(error)) from None
    if not isinstance(parts, list) or not parts:
        raise RequestError("a message is an array")
    kind = parts[0]
    n = len(parts)
    if kind == _REQUEST and n >= 4:
        good = number(parts[1], _MAX_ID) and number(parts[2], _MAX_ID) and isinstance(parts[3], dict)
        if n == 4 or not number(parts[4], _MAX_SEQ):
            parts[4:] = (None,)
        n = 5
    elif kind == _REPLY and n >= 5:
        good = number(parts[1], _MAX_ID) and number(parts[2], _MAX_ID) and isinstance(parts[4], bool)
        n = 5
    elif kind == _NOTICE and n >= 3:
        good = number(parts[1], _MAX_ID)
        n = 3
    else:
        good = False
    if not good or isinstance(kind, bool):
        raise RequestError("a message is a request, a reply or a notice")
    return tuple(parts[:n])


class Reader:
    """Puts a stream's bytes together to messages of at most ``most`` bytes.

    Fill ``space()`` from its beginning, then tell ``filled(n)``.
    """

    def __init__(self, most: int):
        self._most = most
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._buf = bytearray(2)
        self._n = 0
        self._sized = False

    def space(self) -> memoryview:
        """Where the next bytes belong: never more than what this message lacks."""
        return memoryview(self._buf)[self._n :]

    def filled(self, n: int):
        """A whole message's payload, or None.

        Raises RequestError for a length that nothing may have: there is no going on from it.
        """
        self._n += n
        buf = self._buf
        if self._n < len(buf):
            return None
        if self._sized:
            self.clear()
            return buf
        size = buf[0] << 8 | buf[1]
        if not 0 < size <= self._most:
            raise RequestError("a message is too long")
        self._buf = bytearray(size)
        self._n = 0
        self._sized = True
        return None


def number(value, most: int) -> bool:
    """Whether that is an integer from 0 to ``most``."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
