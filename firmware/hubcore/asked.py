"""The arguments of requests, read with care; in the kiosk's memory only meanwhile."""

from hubcore.compat import const
from hubcore.errors import RequestError
from hubcore.messages import VERSIONS, number

# What a role may ask: a bit an op.
ROLES = {"laptop": 0x10DFE, "technician": 0x1F7E2}

_MAX_ID = const(0xFFFF)
_MAX_SEQ = const(0xFFFFFFFF)
_MAX_UTC = const(0x7FFFFFFFF)  # half of what a record's clock holds: it goes on from there


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
        or not number(span[0], _MAX_ID)
        or not number(span[1], _MAX_ID)
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
    if not isinstance(utc, int) or isinstance(utc, bool) or not 0 <= utc <= _MAX_UTC:
        raise RequestError("the time is a number of seconds since 1970")
    return utc


def _counted(value, what: str) -> int:
    if not number(value, _MAX_SEQ):
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
