"""What is wrong with the device and stays so until somebody sees to it."""

TROUBLES = ("clock", "wall", "panel", "key", "journal", "laptop", "slot", "day")


class Health:
    """``standing`` holds the troubles there are, in the order of TROUBLES; ``listeners`` are called with the
    name of one that begins or ends. ``hub`` gives ``fault(task, error)``."""

    def __init__(self, hub):
        self._hub = hub
        self.standing = ()
        self.listeners = []

    def set(self, name: str, on: bool, detail: str = "") -> None:
        """A trouble begins (one fault record, with ``detail``) or ends; the same again is no news."""
        if on == (name in self.standing):
            return
        self.standing = tuple(each for each in TROUBLES if (on if each == name else each in self.standing))
        self.tell(name)
        if on:
            self._hub.fault(name, detail or name)

    def tell(self, name: str) -> None:
        """Call the listeners."""
        for listener in self.listeners:
            try:
                listener(name)
            except Exception as error:  # noqa: BLE001 - a screen's failure must not hide the trouble
                self._hub.fault("listener", error)
