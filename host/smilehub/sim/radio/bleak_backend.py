"""bleak's scanner and client over a laptop's station.

They behave as BlueZ's: the MTU is exchanged and the services are discovered while connecting; writes without
response wait when too many packets are on their way.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble.hci import Address

from smilehub.sim.radio import att, gatt_client
from smilehub.sim.radio.adverts import advertisement, uuid_text
from smilehub.sim.radio.air import SCAN_RSP
from smilehub.sim.radio.station import Peer, Report

if TYPE_CHECKING:
    from smilehub.sim.radio.laptop import Laptop

#: Packets that may wait before a write without response does.
_MOST_PENDING = 12
_CONFIGURATION = b"\x02\x29"


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
        laptop.troubles.strike(laptop.troubles.scan)
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
        advert = advertisement(parts[False] + parts.get(True, b""), report.rssi)
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
        laptop.troubles.strike(laptop.troubles.connect)
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
        self.laptop.troubles.strike(self.laptop.troubles.write)
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
            if descriptor.uuid == uuid_text(_CONFIGURATION):
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
            uuid = uuid_text(service.uuid)
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
                uuid_text(item.uuid),
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
            found.add_descriptor(BleakGATTDescriptor(handle, handle, uuid_text(kind), characteristic))


def _text(address: Address) -> str:
    return bytes(address)[::-1].hex(":").upper()


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text.replace(":", ""))[::-1], Address.PUBLIC_DEVICE_ADDRESS)
