"""A laptop in the air: a station of its own, and bleak's backends over it.

Hand ``scanner_backend`` and ``client_backend`` to bleak as ``backend=``.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field

from bleak.exc import BleakError
from bumble.hci import Address

from smilehub.sim.radio.air import Air
from smilehub.sim.radio.bleak_backend import SimClient, SimScanner
from smilehub.sim.radio.station import Peer, Report, Station

#: BlueZ's defaults (src/main.conf: MinConnectionInterval 24, MaxConnectionInterval 40, supervision 42).
_INTERVAL_US = (30_000, 50_000)
_SUPERVISION_US = 420_000
_SCAN_US = (60_000, 60_000)


@dataclass
class Troubles:
    """Errors that the next calls raise instead of doing their work, in order; None lets one call pass."""

    scan: deque[BaseException | None] = field(default_factory=deque[BaseException | None])
    connect: deque[BaseException | None] = field(default_factory=deque[BaseException | None])
    write: deque[BaseException | None] = field(default_factory=deque[BaseException | None])

    def strike(self, queue: deque[BaseException | None]) -> None:
        """Raise the next error of one of the queues, if there is one."""
        error = queue.popleft() if queue else None
        if error is not None:
            raise error


class Laptop:
    """One laptop's radio. ``scanner_backend`` and ``client_backend`` are classes bound to it."""

    def __init__(self, air: Air, name: str, *, seed: int = 0) -> None:
        self.air = air
        self.name = name
        self.troubles = Troubles()
        self.address = b"\x5c\xf3\x70" + random.Random(f"laptop {name} {seed}").randbytes(3)
        self.supervision_us = _SUPERVISION_US
        self.interval_us = _INTERVAL_US
        #: Payload bytes (attribute protocol) sent and received since the laptop was made.
        self.sent_bytes = 0
        self.received_bytes = 0
        self.station: Station | None = None
        self.scanners: list[SimScanner] = []
        self._starting: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._connected: asyncio.Future[Peer] | None = None
        self.clients: dict[int, SimClient] = {}
        self.scanner_backend = type("SimScannerOf" + name.title(), (SimScanner,), {"laptop": self})
        self.client_backend = type("SimClientOf" + name.title(), (SimClient,), {"laptop": self})

    def vanish(self) -> None:
        """The program was killed, or the laptop's battery died: its connections just fall silent.

        The next call starts a fresh station.
        """
        station, self.station = self.station, None
        self._starting = None
        self.clients.clear()
        self.scanners.clear()
        if station is not None:
            station.vanish()

    async def ready(self) -> Station:
        """The station, switched on."""
        if self.station is None:
            self.station = Station(self.air, self.name, self.address)
            self._starting = asyncio.get_running_loop().create_task(self._start(self.station))
        if self._starting is not None:
            await asyncio.shield(self._starting)
        return self.station

    async def _start(self, station: Station) -> None:
        await station.start()
        calls = station.calls
        calls.heard = self._heard
        calls.connected = self._on_connected
        calls.disconnected = self._on_disconnected
        calls.failed = self._on_failed
        self._starting = None

    async def retime(self, interval_us: int) -> None:
        """Give its connections another interval, as a system does when a device asks it to."""
        station = await self.ready()
        for peer in list(station.peers.values()):
            milliseconds = interval_us / 1000
            await peer.connection.update_parameters(milliseconds, milliseconds, 0, self.supervision_us / 1000)

    def scan_changed(self) -> None:
        """Scanners came or went."""
        station = self.station
        if station is not None:
            if self.scanners:
                station.scan(*_SCAN_US, active=True)
            else:
                station.stop_scanning()

    def _heard(self, report: Report) -> None:
        for scanner in list(self.scanners):
            scanner.heard(report)

    async def connect(self, address: Address, seconds: float) -> Peer:
        """Connect. Raises TimeoutError, BleakError."""
        station = await self.ready()
        async with self._connecting:
            self._connected = asyncio.get_running_loop().create_future()
            station.connect(
                address, interval_us=self.interval_us, timeout_us=self.supervision_us, scan_us=_SCAN_US
            )
            try:
                return await asyncio.wait_for(asyncio.shield(self._connected), seconds)
            except (TimeoutError, asyncio.CancelledError):
                # It may have been made in this very moment.
                if self._connected.done() and self._connected.exception() is None:
                    station.disconnect(self._connected.result().handle)
                elif not self._connected.done():
                    station.cancel()
                raise
            finally:
                self._connected.cancel()
                self._connected = None

    def _on_connected(self, peer: Peer) -> None:
        if self._connected is not None and not self._connected.done():
            self._connected.set_result(peer)

    def _on_failed(self, error: int) -> None:
        if self._connected is not None and not self._connected.done():
            self._connected.set_exception(BleakError(f"failed to connect: HCI error 0x{error:02x}"))

    def _on_disconnected(self, peer: Peer) -> None:
        client = self.clients.pop(peer.handle, None)
        if client is not None:
            client.gone()
