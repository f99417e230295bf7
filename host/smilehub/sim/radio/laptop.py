"""A laptop in the air: bleak's scanner and client backends over a station of its own.

Hand ``scanner_backend`` and ``client_backend`` to bleak as ``backend=``. They behave as BlueZ's: the MTU is
exchanged and the services are discovered while connecting; writes without response wait when too many packets
are on their way.
"""

from __future__ import annotations

import asyncio
import random
import struct
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble.hci import Address

from smilehub.sim.radio import att, gatt_client
from smilehub.sim.radio.air import SCAN_RSP, Air
from smilehub.sim.radio.station import Peer, Report, Station

#: BlueZ's defaults (src/main.conf: MinConnectionInterval 24, MaxConnectionInterval 40, supervision 42).
_INTERVAL_US = (30_000, 50_000)
_SUPERVISION_US = 420_000
_SCAN_US = (60_000, 60_000)
#: Packets that may wait before a write without response does.
_MOST_PENDING = 12
_CONFIGURATION = 0x2902
_BASE = "-0000-1000-8000-00805f9b34fb"


@dataclass
class Troubles:
    """Errors that the next calls raise instead of doing their work, in order; None lets one call pass."""

    scan: deque[BaseException | None] = field(default_factory=deque[BaseException | None])
    connect: deque[BaseException | None] = field(default_factory=deque[BaseException | None])
    write: deque[BaseException | None] = field(default_factory=deque[BaseException | None])

    @staticmethod
    def strike(queue: deque[BaseException | None]) -> None:
        """Raise the next error of the queue, if there is one."""
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


class SimScanner(BaseBleakScanner):
    """bleak's scanner backend. Every advertisement is reported; a scan response is merged into it."""

    laptop: Laptop

    def __init__(
        self,
        detection_callback: Any,
        service_uuids: list[str] | None,
        scanning_mode: str = "active",
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._parts: dict[str, dict[bool, bytes]] = {}

    async def start(self) -> None:
        laptop = self.laptop
        Troubles.strike(laptop.troubles.scan)
        await laptop.ready()
        self.seen_devices = {}
        self._parts.clear()
        laptop.scanners.append(self)
        laptop.scan_changed()

    async def stop(self) -> None:
        if self in self.laptop.scanners:
            self.laptop.scanners.remove(self)
            self.laptop.scan_changed()

    def heard(self, report: Report) -> None:
        """A report of the controller."""
        address = _text(report.address)
        parts = self._parts.setdefault(address, {})
        parts[report.event_type == SCAN_RSP] = bytes(report.data)
        if False not in parts:
            return
        advert = _advertisement(parts[False] + parts.get(True, b""), report.rssi)
        if not self.is_allowed_uuid(advert.service_uuids):
            return
        device = self.create_or_update_device(
            address, address, advert.local_name or address.replace(":", "-"), report.address, advert
        )
        self.call_detection_callbacks(device, advert)


class SimClient(BaseBleakClient):
    """bleak's client backend."""

    laptop: Laptop

    def __init__(self, address_or_ble_device: BLEDevice | str, **kwargs: Any) -> None:
        wanted: Any = kwargs.pop("services", None)
        super().__init__(
            address_or_ble_device,
            disconnected_callback=kwargs.get("disconnected_callback"),
            timeout=kwargs.get("timeout", 10.0),
        )
        details: Any = address_or_ble_device.details if isinstance(address_or_ble_device, BLEDevice) else None
        self._address = details if isinstance(details, Address) else _address(self.address)
        self._wanted: set[str] | None = {str(u).lower() for u in wanted} if wanted else None
        self._peer: Peer | None = None
        self._notify: dict[int, NotifyCallback] = {}
        self._flow = asyncio.Event()
        self._name = (
            address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None
        ) or self.address

    @property
    def name(self) -> str:
        return self._name

    @property
    def mtu_size(self) -> int:
        return self._bearer().mtu

    @property
    def is_connected(self) -> bool:
        return self._peer is not None and self._peer.reason is None

    async def connect(self, pair: bool = False, **kwargs: Any) -> None:
        laptop = self.laptop
        Troubles.strike(laptop.troubles.connect)
        if self.is_connected:
            raise BleakError("already connected")
        try:
            peer = await laptop.connect(self._address, float(kwargs.get("timeout", self._timeout)))
        except TimeoutError:
            raise BleakDeviceNotFoundError(
                self.address, f"Device with address {self.address} was not found."
            ) from None
        self._peer = peer
        laptop.clients[peer.handle] = self
        station = await laptop.ready()
        station.calls.flowed.append(self._flow.set)
        peer.bearer.notified = self._notified
        try:
            await self._wait(lambda done: peer.bearer.exchange_mtu(lambda r: done(r.error, r.pdu)), "MTU")
            self.services = await self._discover()
        except BaseException:
            await self.disconnect()
            raise
        if pair:
            await self.pair()

    async def disconnect(self) -> None:
        peer = self._peer
        if peer is None or peer.reason is not None:
            return
        gone = asyncio.Event()
        self._gone = gone
        station = self.laptop.station
        if station is not None:
            station.disconnect(peer.handle)
            await gone.wait()

    _gone: asyncio.Event | None = None

    def gone(self) -> None:
        """The connection ended."""
        self.services = None
        self._notify.clear()
        self._flow.set()
        station = self.laptop.station
        if station is not None and self._flow.set in station.calls.flowed:
            station.calls.flowed.remove(self._flow.set)
        if self._gone is not None:
            self._gone.set()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        self._bearer()
        assert self._peer is not None
        await self._peer.connection.pair()

    async def unpair(self) -> None:
        raise NotImplementedError("this laptop keeps no bonds")

    # ---- values ----

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(characteristic.handle, f"characteristic {characteristic.uuid}")

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(descriptor.handle, f"descriptor {descriptor.uuid}")

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        Troubles.strike(self.laptop.troubles.write)
        await self._write(
            characteristic.handle, bytes(data), response, f"characteristic {characteristic.uuid}"
        )

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._write(descriptor.handle, bytes(data), True, f"descriptor {descriptor.uuid}")

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        self._notify[characteristic.handle] = callback
        wanted = 1 if "notify" in characteristic.properties else 2
        await self._configure(characteristic, wanted)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        await self._configure(characteristic, 0)
        self._notify.pop(characteristic.handle, None)

    async def _configure(self, characteristic: BleakGATTCharacteristic, value: int) -> None:
        for descriptor in characteristic.descriptors:
            if descriptor.uuid == f"{_CONFIGURATION:08x}{_BASE}":
                await self._write(descriptor.handle, struct.pack("<H", value), True, "notifications")
                return
        raise BleakError(f"characteristic {characteristic.uuid} does not notify")

    async def _read(self, handle: int, what: str) -> bytearray:
        bearer = self._bearer()
        value = await self._wait(lambda done: gatt_client.read_long(bearer, handle, done), what)
        self.laptop.received_bytes += len(value)
        return bytearray(value)

    async def _write(self, handle: int, data: bytes, response: bool, what: str) -> None:
        bearer = self._bearer()
        if response:
            await self._wait(
                lambda done: gatt_client.write_long(bearer, handle, data, lambda error: done(error, b"")),
                what,
            )
        else:
            if len(data) > bearer.mtu - 3:
                raise BleakError(f"{len(data)} bytes do not fit a write without response")
            bearer.command(handle, data)
            station = self.laptop.station
            while station is not None and station.pending() > _MOST_PENDING:
                self._flow.clear()
                await self._flow.wait()
                self._bearer()
        self.laptop.sent_bytes += len(data)

    def _notified(self, handle: int, value: bytes, _indicated: bool) -> None:
        self.laptop.received_bytes += len(value)
        callback = self._notify.get(handle)
        if callback is not None:
            callback(bytearray(value))

    def _bearer(self) -> att.Bearer:
        if self._peer is None or self._peer.reason is not None:
            raise BleakError("Not connected")
        return self._peer.bearer

    async def _wait(self, begin: Callable[[Callable[[int, bytes], None]], None], what: str) -> bytes:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(error: int, value: bytes) -> None:
            if future.done():
                return
            if error == att.DISCONNECTED:
                future.set_exception(BleakError("disconnected"))
            elif error == att.TIMED_OUT:
                future.set_exception(BleakError(f"{what}: no answer"))
            elif error:
                future.set_exception(BleakGATTProtocolError(error))
            else:
                future.set_result(value)

        begin(done)
        return await future

    # ---- discovery ----

    async def _discover(self) -> BleakGATTServiceCollection:
        bearer = self._bearer()
        services: list[gatt_client.Service] = []
        await self._wait(
            lambda done: gatt_client.services(bearer, services.append, lambda e: done(e, b"")), "services"
        )
        found = BleakGATTServiceCollection()
        for service in services:
            uuid = _uuid(service.uuid)
            if self._wanted is not None and uuid not in self._wanted:
                continue
            entry = BleakGATTService(service, service.start, uuid)
            found.add_service(entry)
            await self._discover_in(found, entry, service)
        return found

    async def _discover_in(
        self, found: BleakGATTServiceCollection, entry: BleakGATTService, service: gatt_client.Service
    ) -> None:
        bearer = self._bearer()
        items: list[gatt_client.Characteristic] = []
        await self._wait(
            lambda done: gatt_client.characteristics(
                bearer, service.start, service.end, items.append, lambda e: done(e, b"")
            ),
            "characteristics",
        )
        for index, item in enumerate(items):
            characteristic = BleakGATTCharacteristic(
                item,
                item.value_handle,
                _uuid(item.uuid),
                list(gatt_char_props_to_strs(item.properties)),
                lambda: bearer.mtu - 3,
                entry,
            )
            found.add_characteristic(characteristic)
            last = items[index + 1].handle - 1 if index + 1 < len(items) else service.end
            await self._discover_descriptors(found, characteristic, item.value_handle + 1, last)

    async def _discover_descriptors(
        self, found: BleakGATTServiceCollection, characteristic: BleakGATTCharacteristic, start: int, end: int
    ) -> None:
        bearer = self._bearer()
        descriptors: list[tuple[int, bytes]] = []
        await self._wait(
            lambda done: gatt_client.descriptors(
                bearer, start, end, lambda h, u: descriptors.append((h, u)), lambda e: done(e, b"")
            ),
            "descriptors",
        )
        for handle, kind in descriptors:
            found.add_descriptor(BleakGATTDescriptor(handle, handle, _uuid(kind), characteristic))


def _text(address: Address) -> str:
    return bytes(address)[::-1].hex(":").upper()


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text.replace(":", ""))[::-1], Address.PUBLIC_DEVICE_ADDRESS)


def _uuid(little: bytes) -> str:
    if len(little) < 16:
        return f"{int.from_bytes(little, 'little'):08x}{_BASE}"
    return str(uuid.UUID(bytes=little[::-1]))


def _advertisement(data: bytes, rssi: int) -> AdvertisementData:
    name: str | None = None
    power: int | None = None
    makers: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    uuids: list[str] = []
    at = 0
    while at + 1 < len(data) and data[at]:
        kind, value = data[at + 1], data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]
        width = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}.get(kind)
        if width is not None:
            uuids += [_uuid(value[i : i + width]) for i in range(0, len(value) - width + 1, width)]
        elif kind in (0x08, 0x09):
            name = value.decode(errors="replace")
        elif kind == 0x0A and value:
            power = value[0] - 256 if value[0] > 127 else value[0]
        elif kind in (0x16, 0x20, 0x21):
            width = {0x16: 2, 0x20: 4, 0x21: 16}[kind]
            service_data[_uuid(value[:width])] = value[width:]
        elif kind == 0xFF and len(value) >= 2:
            makers[value[0] | value[1] << 8] = value[2:]
    return AdvertisementData(name, makers, service_data, uuids, power, rssi, ())
