"""The air: who hears whose advertisements, and the connections between controllers.

Advertisers are only played out while somebody listens, and idle connections cost nothing: a day in which
nobody scans takes no time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bumble.core import PhysicalTransport
from bumble.hci import Address
from bumble.link import LocalLink

from smilehub.sim.kernel import Kernel
from smilehub.sim.radio.conditions import Path, Timing

if TYPE_CHECKING:
    import asyncio

    from bumble.controller import Controller
    from bumble.ll import AdvertisingPdu, ControlPdu

    from smilehub.sim.radio.airlink import AirLink, End

ADV_IND = 0
ADV_SCAN_IND = 2
ADV_NONCONN_IND = 3
SCAN_RSP = 4
#: Random delay between advertising events, µs (Core 5.4, Vol 6, Part B, 4.4.2.2.1).
_JITTER_US = 10_000


class Connectable(Protocol):
    """A controller that advertises."""

    def connected(self, initiator: Address, interval: int, latency: int, timeout: int) -> End:
        """A CONNECT_IND came for it: its end of the connection. Units of 1.25 ms and 10 ms."""
        ...


@dataclass
class Advertiser:
    """One that advertises. ``node`` names the radio it belongs to; ``kind`` is the type of its packets."""

    node: str
    address: Address
    kind: int
    data: bytes
    scan_response: bytes
    interval_us: int
    #: Who takes a connection; None: one that cannot be connected to, whatever it says.
    owner: Connectable | None = field(default=None, repr=False)
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)
    #: Events that went out while somebody listened.
    events: int = 0


class Listener(Protocol):
    """One that may hear advertisements."""

    node: str

    def open_at(self, now_us: int) -> bool:
        """Whether its receiver is on."""
        ...

    def heard(self, advertiser: Advertiser, path: Path) -> None:
        """An advertising packet arrived."""
        ...


@dataclass
class Counts:
    """What has passed through the air."""

    adverts: int = 0
    #: Connection events that took place with something to send, or on a lossy path.
    events: int = 0
    #: Packets with a payload that arrived, and the payload's bytes (L2CAP headers included).
    packets: int = 0
    bytes: int = 0
    #: Packets lost, advertisements included.
    lost: int = 0


class Air(LocalLink):
    """The link that all controllers of a simulation share."""

    def __init__(self, kernel: Kernel, seed: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.random = random.Random(f"air {seed}")
        self.timing = Timing()
        self.counts = Counts()
        self.links: list[AirLink] = []
        #: Called with sender, receiver and payload for every data packet that arrives.
        self.taps: list[Callable[[str, str, bytes], None]] = []
        self._paths: dict[tuple[str, str], Path] = {}
        self._advertisers: list[Advertiser] = []
        self._listeners: list[Listener] = []

    # ---- paths ----

    def path(self, a: str, b: str) -> Path:
        """What lies between two radios. Call ``changed`` after changing it."""
        return self._paths.setdefault((min(a, b), max(a, b)), Path())

    def changed(self) -> None:
        """Paths were changed: connections take notice."""
        for link in list(self.links):
            link.path_changed()

    def lost(self, path: Path) -> bool:
        """Whether the next packet on this path is lost."""
        if path.drop:
            path.drop -= 1
        elif path.open and (not path.loss or self.random.random() >= path.loss):
            return False
        self.counts.lost += 1
        return True

    # ---- advertising ----

    def advertise(self, advertiser: Advertiser) -> None:
        """It advertises from now on."""
        self._advertisers.append(advertiser)
        if self._listeners:
            self._plan(advertiser, self.random.randrange(_JITTER_US))

    def silence(self, advertiser: Advertiser) -> None:
        """It advertises no more."""
        if advertiser.timer is not None:
            advertiser.timer.cancel()
            advertiser.timer = None
        if advertiser in self._advertisers:
            self._advertisers.remove(advertiser)

    def listen(self, listener: Listener) -> None:
        """It listens from now on."""
        self._listeners.append(listener)
        for advertiser in self._advertisers:
            if advertiser.timer is None:
                # Nobody knows where in its interval it stands.
                self._plan(advertiser, self.random.randrange(advertiser.interval_us + _JITTER_US))

    def deafen(self, listener: Listener) -> None:
        """It listens no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners:
            for advertiser in self._advertisers:
                if advertiser.timer is not None:
                    advertiser.timer.cancel()
                    advertiser.timer = None

    def _plan(self, advertiser: Advertiser, in_us: int) -> None:
        at = self.kernel.now_us() + max(1, in_us)
        advertiser.timer = self.kernel.call_at_us(at, self._event, advertiser)

    def _event(self, advertiser: Advertiser) -> None:
        advertiser.timer = None
        advertiser.events += 1
        self.counts.adverts += 1
        now = self.kernel.now_us()
        for listener in list(self._listeners):
            if listener.node == advertiser.node or not listener.open_at(now):
                continue
            path = self.path(listener.node, advertiser.node)
            if path.open and not self.lost(path):
                listener.heard(advertiser, path)
                if advertiser not in self._advertisers:
                    # It was connected to.
                    return
        if self._listeners:
            self._plan(advertiser, advertiser.interval_us + self.random.randrange(_JITTER_US))

    # ---- what Bumble's controllers call ----

    def add_controller(self, controller: Controller) -> None:
        pass

    def remove_controller(self, controller: Controller) -> None:
        pass

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        raise NotImplementedError("data goes by connections")

    def send_advertising_pdu(self, sender_controller: Controller, packet: AdvertisingPdu) -> None:
        raise NotImplementedError("advertisers are the air's own")

    def send_ll_control_pdu(
        self, sender_address: Address, receiver_address: Address, packet: ControlPdu
    ) -> None:
        for link in self.links:
            if link.sends(sender_address, receiver_address, packet):
                return
