"""Who works at the desk: a PIN of six presses a person, kept keyed; wrong ones make the next try wait."""

from hubcore.compat import const
from hubcore.errors import Refused
from services.codes import presses
from services.keys import hmac

PIN_LENGTH = 6
MAX_STAFF = 16

_MAX_NAME = const(12)
_MARK = "."  # before a name of staff in the key store
_SALT = const(8)
_LONGEST_MS = const(60_000)


class Staff:
    """``hub`` gives ``clock`` and ``note(kind, fields)``; ``keys`` is the KeyStore, ``rnd(n)`` gives n random
    bytes. ``who`` is signed in, or None.

    A wrong PIN costs nothing, nor does the second; then the next try counts only after 1, 2, 4 … 60 s. That
    is per person and of this boot: nobody can lock another out, and alerts never wait for a PIN.
    """

    def __init__(self, hub, keys, rnd):
        self._hub = hub
        self._keys = keys
        self._rnd = rnd
        self._misses = {}  # name: (how many, uptime ms of the last)
        self.who = None

    def names(self) -> tuple:
        """Everybody who has a PIN, sorted."""
        return tuple(name[1:] for name in self._keys.names() if name[0] == _MARK)

    def set(self, name, pin) -> None:
        """Give somebody a PIN, the first or a new one. Raises Refused."""
        _check(name)
        if not presses(pin, PIN_LENGTH):
            raise Refused("bad_argument", "pin")
        names = self.names()
        if name not in names and len(names) >= MAX_STAFF:
            raise Refused("too_many_staff")
        salt = self._rnd(_SALT)
        self._keys.set(_MARK + name, salt + self._seal(name, salt, pin))
        self._misses.pop(name, None)

    def remove(self, name) -> None:
        """Take somebody's PIN away. Raises Refused."""
        _check(name)
        if name not in self.names():
            raise Refused("unknown_staff", name)
        self._keys.remove(_MARK + name)
        self._misses.pop(name, None)
        if self.who == name:
            self.who = None

    def wait_ms(self, name: str) -> int:
        """Milliseconds until this person's next try counts."""
        count, since = self._misses.get(name, (0, 0))
        if count < 3:
            return 0
        pause = min(_LONGEST_MS, 1000 << min(count - 3, 6))
        return max(0, since + pause - self._hub.clock.uptime_ms())

    def sign_in(self, name: str, pin: str) -> bool:
        """Whether that was the right PIN; recorded either way. While ``wait_ms`` lasts no try counts."""
        if self.wait_ms(name):
            return False
        kept = self._keys.get(_MARK + name)
        if kept is None or kept[_SALT:] != self._seal(name, kept[:_SALT], pin):
            count = self._misses.get(name, (0, 0))[0]
            self._misses[name] = count + 1, self._hub.clock.uptime_ms()
            self._hub.note("staff_refused", {"staff": name, "why": "wrong PIN"})
            return False
        self._misses.pop(name, None)
        self.who = name
        self._hub.note("staff_signed_in", {"staff": name})
        return True

    def sign_out(self) -> None:
        """Nobody is at the desk any more."""
        if self.who is not None:
            name, self.who = self.who, None
            self._hub.note("staff_signed_out", {"staff": name})

    def _seal(self, name, salt, pin):
        return hmac(self._keys.device_key, name.encode(), b"\0", salt, pin.encode())[:16]


def _check(name):
    if not isinstance(name, str) or not 1 <= len(name) <= _MAX_NAME:
        raise Refused("bad_argument", "staff")
    for char in name:
        if not "!" <= char <= "~":
            raise Refused("bad_argument", "staff")
