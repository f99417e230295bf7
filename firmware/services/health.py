"""What is wrong with the device and stays so until somebody sees to it."""

from hubcore.records import clean

TROUBLES = ("clock", "wall", "panel", "key", "journal", "laptop", "slot", "day", "radio")


class Health:
    """``standing`` holds the troubles there are, in the order of TROUBLES; ``listeners`` are called with the
    name of one that begins or ends. ``hub`` gives ``fault(task, error)`` and ``note(kind, fields)``."""

    def __init__(self, hub):
        self._hub = hub
        self._told = {}  # what was recorded of those that stand, where the next one would be recorded too
        self.standing = ()
        self.listeners = []

    def set(self, name: str, on: bool, detail: str = "") -> None:
        """A trouble begins (a fault record with ``detail``) or ends (one with "ended: " before it); the same
        again is no news. One that comes and goes is at last recorded as standing: for good, until the next
        boot."""
        if on == (name in self.standing):
            return
        self.standing = tuple(each for each in TROUBLES if (on if each == name else each in self.standing))
        self.tell(name)
        if on:
            detail = detail or name
            if self._hub.fault(name, detail):
                self._told[name] = detail
        elif name in self._told:
            self._hub.note("fault", {"task": name, "error": clean("ended: " + self._told.pop(name), 160)})

    def tell(self, name: str) -> None:
        """Call the listeners."""
        for listener in self.listeners:
            try:
                listener(name)
            except Exception as error:  # noqa: BLE001 - a screen's failure must not hide the trouble
                self._hub.fault("listener", error)
