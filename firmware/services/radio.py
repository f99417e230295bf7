"""The one owner of ``bluetooth``: advertises, and lets one central in at a time (services.central)."""

import asyncio

from hubcore.compat import const
from tasks.forget import fetch, forget
from tasks.wake import Wake

_CONNECT = const(1)  # interrupts
_DISCONNECT = const(2)
_WRITTEN = const(3)
_MTU = const(21)

_EVERY_US = const(200_000)
_AGAIN_MS = const(1_000)


class Radio:
    """``hub_key`` is None on a kiosk that is not enrolled: nobody can connect. ``device`` is the 6 bytes of
    its id; ``health`` gets the trouble "radio"; ``refuse(why, way)`` records who was turned away.

    As a carrier (services.session): ``opened`` counts those who proved the hub key; from then until
    ``ended`` ``peer`` may be read from and written to. Whoever served them calls ``hang_up`` in any case:
    before that nobody else is let in.
    """

    way = "air"

    def __init__(self, hub_key: "bytes | None", device: bytes, health, refuse):
        self.hub_key = hub_key
        self.device = device
        self.on = True
        self.opened = 0
        self.ended = True
        self.wake = Wake()
        self.ble = None
        self.payload = None  # what is advertised, 31 bytes at most
        self.answer = None  # to those who ask for more
        self.tx = 0  # the handle of what is notified
        self.health = health
        self.refuse = refuse
        self.peer = None  # services.central.Central, while somebody is connected
        self.pulse = Wake()
        self.held = False  # by the session
        self._flag = asyncio.ThreadSafeFlag()
        self._shown = None
        self.conn = self._extra = -1
        self._reset()

    def _reset(self):
        # While somebody is connected the interrupt alone writes these.
        self.gone = self.broken = False
        self.mtu = 23

    # The carrier

    def handshaking(self, on: bool) -> None:
        """Fill the last value of a flight: that a handshake's length varies by some bytes shall not show."""
        if self.peer:
            self.peer.pad = on

    def wait(self, seconds: int) -> None:
        """Tell the laptop that the handshake waits."""
        if self.peer:
            self.peer.wait(seconds)

    def hang_up(self, reason: int = 0) -> None:
        """The session is over, whoever ended it: the next central may come."""
        if self.held:  # else somebody may be about to prove the key
            self.held = False
            self.peer.end(reason)
            self.pulse.set()

    # For the kiosk

    def switch(self, on: bool) -> None:
        """On or off; off sends nothing and ends the session."""
        self.on = on
        self.pulse.set()

    def advertise(self, payload: bytes) -> None:
        """Advertise these 31 bytes at most (AD structures) from now on, connected or not."""
        self.payload = payload
        self._shown = None
        self.pulse.set()

    def close(self) -> None:
        """Nothing is to come any more, now that the program ends."""
        if self.ble:
            self.ble.active(False)

    async def run(self, turn) -> None:
        """The task: for ever."""
        if not self.ble:
            turn.rest()
            self.ble = await fetch("services.greet").start(self, self._irq)
            forget("services.greet")
            self._watcher = asyncio.create_task(self._watch())
        while True:
            turn.begin()
            due = self._step()
            turn.rest()
            await self.pulse.wait(due)

    # Inside

    async def _watch(self):
        while True:
            await self._flag.wait()
            self.pulse.set()

    def _irq(self, event, data):
        # On a chip it may run between any two steps of a task.
        if event == _CONNECT:
            if self.conn < 0:
                self.conn = data[0]
            else:
                self._extra = data[0]
        elif event == _DISCONNECT:
            self._shown = None  # it may have been a connection that failed, and the advertising with it
            if data[0] == self.conn:
                self.gone = True
        elif event == _MTU:
            if data[0] == self.conn:
                if data[1] < self.mtu:
                    self.broken = True
                self.mtu = data[1]
        elif event == _WRITTEN and data[0] == self.conn:
            try:
                self.peer.written(data[1])  # nobody has anything to write before there is one
            except Exception:  # noqa: BLE001 - a handler that raises is never called again
                self.broken = True
        else:
            return
        self._flag.set()

    def _step(self):
        # Do what is due; ms until there may be more, or None.
        ble = self.ble
        due = None
        if self._extra >= 0:
            ble.gap_disconnect(self._extra)
            self._extra = -1
        if not self.peer and self.conn >= 0:
            self.peer = fetch("services.central").Central(self)
            forget("services.central")
        if self.peer:
            due = self.peer.step()
            if self.peer.over:
                self.peer = None
                self._reset()
                self.conn = -1
        show = 0
        if self.on:
            show = 1 if self.peer or not self.hub_key else 2
        if show != self._shown:
            self._shown = show
            try:
                ble.gap_advertise(
                    _EVERY_US if show else None, self.payload, resp_data=self.answer, connectable=show > 1
                )
            except OSError:
                self._shown = None
                due = _AGAIN_MS
        return due
