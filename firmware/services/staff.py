"""Who works at the desk, and how long a wrong PIN makes the next try wait (services.pins knows PINs)."""

import gc

from hubcore.compat import const
from tasks.forget import fetch, forget

_LONGEST_MS = const(60_000)


class Staff:
    """``hub`` is the KioskHub. ``who`` is signed in, or None.

    A wrong PIN costs nothing, nor does the second; then the next try counts only after 1, 2, 4 … 60 s. That
    is per person and of this boot: nobody can lock another out, and alerts never wait for a PIN. A power cut
    ends the wait: whoever pulls the plug for every three tries still waits for every start, and each wrong
    try stays in the journal. PINs and the key store are in memory only while they are asked.
    """

    def __init__(self, hub):
        self._hub = hub
        self._misses = {}  # name: (how many, uptime ms of the last)
        self.who = None

    def names(self) -> tuple:
        """Everybody who has a PIN, sorted."""
        return self._ask("names")

    def set(self, name, pin) -> None:
        """Give somebody a PIN, the first or a new one. Raises Refused."""
        self._ask("give", name, pin)
        self._misses.pop(name, None)

    def remove(self, name) -> None:
        """Take somebody's PIN away. Raises Refused."""
        self._ask("take", name)
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
        if not self._ask("fits", name, pin):
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

    def _ask(self, what, *args):
        try:
            return getattr(fetch("services.pins"), what)(self._hub.secrets(), *args)
        finally:
            forget("services.pins", "services.keys")
            gc.collect()
