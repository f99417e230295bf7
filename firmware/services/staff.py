"""Who works at the desk, and how long a wrong PIN makes the next try wait (services.pins knows PINs)."""

import gc

from hubcore.compat import const
from tasks.forget import fetch, forget

_LONGEST_MS = const(60_000)


class Staff:
    """``hub`` is the KioskHub. ``who`` is signed in, or None.

    A wrong PIN costs nothing, nor does the second; then the next try counts only after 1, 2, 4 … 60 s of
    powered time. That is per person: nobody can lock another out, and alerts never wait for a PIN. Wrong
    tries are records, so that a power cut ends no wait; the day's opening does. PINs and the key store are in
    memory only while they are asked.
    """

    def __init__(self, hub):
        self._hub = hub
        self._misses = {}  # name: (how many, queue time in ms of the last)
        self._kept = None  # what undoes the last change of a PIN
        self.who = None

    def names(self) -> tuple:
        """Everybody who has a PIN, sorted."""
        return self._ask("names")

    def set(self, name: str, pin) -> None:
        """Give somebody a PIN, the first or a new one. Raises Refused. A record is to follow.

        If the power fails before that, the change holds though no record tells of it: a PIN that was taken
        away must open nothing, and a laptop repeats a command that was not answered.
        """
        self._kept = self._ask("give", name, pin)

    def remove(self, name: str) -> None:
        """Take somebody's PIN away, as ``set``."""
        self._kept = self._ask("take", name)

    def restore(self, name: str) -> None:
        """Undo the last ``set`` or ``remove``: it could not be recorded."""
        self._ask("put", name, self._kept)

    def heard(self, record) -> None:
        """A record of a kind "staff_…", or of the day's opening, new or from the journal."""
        name = record.body.get("staff")
        if name is None:
            if record.kind == "day_opened":
                self._misses.clear()
        elif record.kind == "staff_refused":
            self._missed(name)
        else:
            self._misses.pop(name, None)
            if record.kind == "staff_removed" and self.who == name:
                self.who = None

    def _missed(self, name):
        self._misses[name] = self._misses.get(name, (0, 0))[0] + 1, self._hub.now_ms()

    def wait_ms(self, name: str) -> int:
        """Milliseconds until this person's next try counts."""
        count, since = self._misses.get(name, (0, 0))
        if count < 3:
            return 0
        pause = min(_LONGEST_MS, 1000 << min(count - 3, 6))
        return max(0, since + pause - self._hub.now_ms())

    def sign_in(self, name: str, pin: str) -> bool:
        """Whether that was the right PIN; recorded either way. While ``wait_ms`` lasts no try counts."""
        if self.wait_ms(name):
            return False
        if not self._ask("fits", name, pin):
            if self._hub.note("staff_refused", {"staff": name, "why": "wrong PIN"}) is None:
                self._missed(name)
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

    def _ask(self, what, *args):
        try:
            return getattr(fetch("services.pins"), what)(self._hub.secrets(), *args)
        finally:
            forget("services.pins", "services.keys")
            gc.collect()
