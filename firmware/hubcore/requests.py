"""Requests, replies and notices on the link as values: packed and unpacked here, sent and answered elsewhere.

A message is a frame's payload: the byte FRAME_MESSAGE, then a CBOR array; see docs/formats.md.
"""

from hubcore import cbor
from hubcore.compat import const
from hubcore.errors import CodecError, RequestError

FRAME_MESSAGE = 1
VERSIONS = (1, 1)  # lowest and highest version of the protocol spoken here

REQUEST = 0
REPLY = 1
NOTICE = 2

HELLO = 1
PULL = 2
COMMAND = 3
RECEIPT = 4
STATE = 5
SET_CLOCK = 6
CANCEL = 7  # of version 2, as all that follow
HEALTH = 8
LOGS = 9
CONFIG_GET = 10
CONFIG_SET = 11
FILE_LIST = 12
FILE_READ = 13
FILE_WRITE = 14
FILE_REMOVE = 15
REVOKE = 16

# What a role may ask: a bit an op.
ROLES = {"laptop": 0x10DFE, "technician": 0x1F7E2}

DONE = 0
BAD_REQUEST = 1  # result: {0: sentence}
BAD_VERSION = 2  # result: {0: [lowest, highest]}
UNKNOWN_OP = 3  # result: {0: sentence}
REFUSED = 4  # result: {0: reason for a log, 1: reason code, 2: seq of the command_done, 3: what it is about}
OTHER_JOURNAL = 5  # result: {0: sentence, 1: journal id here}
JOURNAL_FULL = 6  # result: as of REFUSED
FAULT = 7  # result: {0: sentence}; the kiosk could not do it
FORBIDDEN = 8  # result: {0: sentence}; not with this role
CANCELLED = 9  # result: {}
LATE = 10  # result: {}; the deadline passed before it was begun
BUSY = 11  # result: {0: sentence}; too many requests are under way

MOST_UNDER_WAY = 4
MOST_ASKED = 1024  # bytes of a message to the kiosk, without its length
MOST_SAID = 2800  # and of one to the laptop

TOPIC_HEAD = 1  # value: [journal id, next seq]
TOPIC_ALERT = 2  # value: {0: seq, 1: why, 2: label or null, 3: level; level 0 when acknowledged}

_MAX_ID = const(0xFFFF)
_MAX_SEQ = const(0xFFFFFFFF)


def pack_request(request_id: int, op: int, args: dict) -> bytes:
    """The payload of a request; ids count up and wrap at 65,535."""
    return _pack((REQUEST, request_id, op, args))


def pack_reply(request_id: int, status: int, result, more: bool = False) -> bytes:
    """The payload of a reply; ``more``: further replies to the same request follow."""
    return _pack((REPLY, request_id, status, result, more))


def pack_notice(topic: int, value) -> bytes:
    """The payload of a notice: what the kiosk says unasked."""
    return _pack((NOTICE, topic, value))


def message(parts: tuple) -> bytes:
    """A message of version 2: its length (u16, big-endian), then the CBOR array of ``parts``, which are
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
    if kind == REQUEST and n >= 4:
        good = _number(parts[1], _MAX_ID) and _number(parts[2], _MAX_ID) and isinstance(parts[3], dict)
        if n == 4 or not _number(parts[4], _MAX_SEQ):
            parts[4:] = (None,)
        n = 5
    elif kind == REPLY and n >= 5:
        good = _number(parts[1], _MAX_ID) and _number(parts[2], _MAX_ID) and isinstance(parts[4], bool)
        n = 5
    elif kind == NOTICE and n >= 3:
        good = _number(parts[1], _MAX_ID)
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


def unpack(payload) -> tuple:
    """A version 1 frame's payload, as ``parse``; a request without its deadline."""
    if len(payload) < 2 or payload[0] != FRAME_MESSAGE:
        raise RequestError("this frame is not a message")
    parts = parse(memoryview(payload)[1:])
    return parts[:4] if parts[0] == REQUEST else parts


def choose_version(lowest: int, highest: int):
    """The highest version that both sides speak, or None."""
    version = min(highest, VERSIONS[1])
    return version if version >= max(lowest, VERSIONS[0]) else None


def parse_hello(args: dict) -> tuple:
    """(lowest, highest, laptop's name) of a hello's arguments. Raises RequestError."""
    span = args.get(0)
    if (
        not isinstance(span, list)
        or len(span) != 2
        or not _number(span[0], _MAX_ID)
        or not _number(span[1], _MAX_ID)
    ):
        raise RequestError("hello lacks the versions that the laptop speaks")
    return span[0], span[1], _text(args.get(1, ""), 32, "the laptop's name")


def parse_pull(args: dict) -> tuple:
    """(journal id, from seq, most records) of a pull's arguments. Raises RequestError."""
    return _journal(args.get(0)), _counted(args.get(1), "from seq"), _counted(args.get(2), "most records")


def parse_command(args: dict) -> tuple:
    """((issuer, counter), name, named arguments) of a command's arguments. Raises RequestError."""
    cmd = args.get(0)
    if not isinstance(cmd, list) or len(cmd) != 2:
        raise RequestError("a command has an issuer and a counter")
    issuer = _text(cmd[0], 16, "the issuer")
    counter = _counted(cmd[1], "the counter")
    named = args.get(2, {})
    if not isinstance(named, dict):
        raise RequestError("a command's arguments are a map")
    for key in named:
        if not isinstance(key, str):
            raise RequestError("a command's arguments have names")
    return (issuer, counter), _text(args.get(1), 16, "the command's name"), named


def parse_receipt(args: dict) -> tuple:
    """(journal id, highest seq stored) of a receipt's arguments. Raises RequestError."""
    return _journal(args.get(0)), _counted(args.get(1), "the highest seq")


def parse_set_clock(args: dict) -> int:
    """UTC seconds of a set_clock's arguments. Raises RequestError."""
    utc = args.get(0)
    if not isinstance(utc, int) or isinstance(utc, bool) or not 0 <= utc <= 0xFFFFFFFFF:
        raise RequestError("the time is a number of seconds since 1970")
    return utc


def _pack(parts: tuple) -> bytes:
    buf = bytearray(128)
    buf[0] = FRAME_MESSAGE
    end = cbor.dump_into(buf, 1, parts)
    return bytes(memoryview(buf)[:end])


def _number(value, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _counted(value, what: str) -> int:
    if not _number(value, _MAX_SEQ):
        raise RequestError(what + " is not a number from 0 to 4294967295")
    return value


def _text(value, most: int, what: str) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise RequestError(what + " is not a text of at most " + str(most) + " characters")
    return value


def _journal(value) -> bytes:
    if not isinstance(value, bytes) or len(value) != 8:
        raise RequestError("a journal id has 8 bytes")
    return value
