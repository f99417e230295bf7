"""The PINs of who works at the desk: six presses a person, kept keyed; in memory only while they are asked.

``keys`` is the KeyStore.
"""

from hubcore.compat import const
from hubcore.errors import Refused
from services.codes import hmac, presses

PIN_LENGTH = 6
MAX_STAFF = 16

_MARK = "."  # before a name of staff in the key store
_SALT = const(8)


def names(keys) -> tuple:
    """Everybody who has a PIN, sorted."""
    return tuple(name[1:] for name in keys.names() if name[0] == _MARK)


def give(keys, name: str, pin) -> "bytes | None":
    """Give somebody a PIN, the first or a new one; what ``put`` needs to undo that. Raises Refused."""
    if not presses(pin, PIN_LENGTH):
        raise Refused("bad_argument", "pin")
    there = names(keys)
    if name not in there and len(there) >= MAX_STAFF:
        raise Refused("too_many_staff")
    kept = keys.get(_MARK + name)
    salt = keys.rnd(_SALT)
    keys.set(_MARK + name, salt + _seal(keys, name, salt, pin))
    return kept


def take(keys, name: str) -> bytes:
    """Take somebody's PIN away; what ``put`` needs to undo that. Raises Refused."""
    kept = keys.get(_MARK + name)
    if kept is None:
        raise Refused("unknown_staff", name)
    keys.remove(_MARK + name)
    return kept


def put(keys, name: str, kept: "bytes | None") -> None:
    """Undo ``give`` or ``take``."""
    if kept is None:
        keys.remove(_MARK + name)
    else:
        keys.set(_MARK + name, kept)


def fits(keys, name: str, pin: str) -> bool:
    """Whether that is their PIN."""
    kept = keys.get(_MARK + name)
    return kept is not None and kept[_SALT:] == _seal(keys, name, kept[:_SALT], pin)


def _seal(keys, name, salt, pin):
    return hmac(keys.device_key, name.encode(), b"\0", salt, pin.encode())[:16]
