"""One radio with its stack: Bumble's controller, host and security manager, and our attribute protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bumble import hci
from bumble.core import ConnectionError as BumbleConnectionError
from bumble.device import (
    AdvertisingType,
    Connection,
    Device,
    DeviceConfiguration,
    LegacyAdvertiser,
)
from bumble.host import Connection as HostConnection
from bumble.host import Host

from smilehub.sim.radio.air import Air
from smilehub.sim.radio.airlink import LOCAL_HOST, TIMEOUT
from smilehub.sim.radio.att import Bearer
from smilehub.sim.radio.controller import RadioController

# Bumble tells of every packet; what matters comes as events.
logging.getLogger("bumble").addHandler(logging.NullHandler())
logging.getLogger("bumble").propagate = False

_ATT_CID = 4
_UNIT_US = 625
_REMOTE_USER = 0x13
Report = hci.HCI_LE_Advertising_Report_Event.Report


@dataclass
class Peer:
    """A connection as a station sees it."""

    handle: int
    #: Whether this side is the central.
    central: bool
    address: hci.Address
    bearer: Bearer
    connection: Connection
    #: Microseconds.
    interval_us: int
    #: Why it ended (an HCI error code), None while it lasts.
    reason: int | None = None


@dataclass
class Calls:
    """Whom a station tells what."""

    connected: Callable[[Peer], None] = lambda _: None
    disconnected: Callable[[Peer], None] = lambda _: None
    #: A connection attempt ended without one (HCI error code).
    failed: Callable[[int], None] = lambda _: None
    heard: Callable[[Report], None] = lambda _: None
    updated: Callable[[Peer, int, int, int], None] = lambda _p, _i, _l, _t: None
    encrypted: Callable[[Peer], None] = lambda _: None
    #: Packets left: there may be room again.
    flowed: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])


class _Host(Host):
    """Bumble's host without its traces, and with attribute PDUs and reports taken out at once."""

    def __init__(self, station: Station) -> None:
        super().__init__()
        self._station = station

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        elif isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)

    def on_command_processed(
        self, event: hci.HCI_Command_Complete_Event[Any] | hci.HCI_Command_Status_Event
    ) -> None:
        # Who asked may have been cancelled meanwhile: a day that is stopped.
        if self.pending_response is None or not self.pending_response.done():
            super().on_command_processed(event)

    def on_l2cap_pdu(self, connection: HostConnection, cid: int, pdu: bytes) -> None:
        if cid == _ATT_CID:
            self._station.got_att(connection.handle, pdu)
        else:
            super().on_l2cap_pdu(connection, cid, pdu)

    def on_hci_le_advertising_report_event(
        self,
        event: hci.HCI_LE_Advertising_Report_Event | hci.HCI_LE_Extended_Advertising_Report_Event,
    ) -> None:
        if isinstance(event, hci.HCI_LE_Advertising_Report_Event):
            for report in event.reports:
                self._station.calls.heard(report)


class Station:
    """A radio that is switched on. ``name`` is its place in the air (``Air.path``)."""

    def __init__(self, air: Air, name: str, address: bytes, *, mtu: int = 517) -> None:
        self.air = air
        self.name = name
        #: What this side offers in an exchange.
        self.mtu = mtu
        self.calls = Calls()
        self.peers: dict[int, Peer] = {}
        self.address = hci.Address(address[::-1], hci.Address.PUBLIC_DEVICE_ADDRESS)
        self.controller = RadioController(name, air, self.address)
        self.host = _Host(self)
        self.host.controller = self.controller
        config = DeviceConfiguration(
            name=name, gap_service_enabled=False, gatt_service_enabled=False, address=self.address
        )
        self.device = Device(config=config, host=self.host)
        self.device.connect_own_address_type = hci.OwnAddressType.PUBLIC
        self.device.on(Device.EVENT_CONNECTION, self._connected)
        self.device.on(Device.EVENT_CONNECTION_FAILURE, self._failed)
        self.new_bearer: Callable[[Bearer], None] = lambda _: None

    async def start(self) -> None:
        """Switch on."""
        await self.device.power_on()
        queue = self.host.le_acl_packet_queue
        assert queue is not None
        queue.on("flow", self._flowed)
        self._own_advertiser()

    def shut(self) -> None:
        """Switch off in good order: peers are told, nobody is called any more."""
        self._hush()
        self.controller.stop()
        for peer in list(self.peers.values()):
            self.disconnect(peer.handle)

    def vanish(self) -> None:
        """Lose power."""
        self._hush()
        self.controller.vanish()
        for peer in self.peers.values():
            peer.reason = TIMEOUT
            peer.bearer.end()
        self.peers.clear()

    def _hush(self) -> None:
        self.calls = Calls()
        for peer in self.peers.values():
            peer.bearer.hush()

    # ---- advertising and scanning ----

    def advertise(self, kind: int, interval_us: int, data: bytes, response: bytes) -> None:
        """Advertise from now on, in place of what was advertised."""
        unit = max(0x20, min(0x4000, interval_us // _UNIT_US))
        controller = self.controller
        controller.on_hci_le_set_advertising_parameters_command(
            hci.HCI_LE_Set_Advertising_Parameters_Command(
                advertising_interval_min=unit,
                advertising_interval_max=unit,
                advertising_type=kind,
                own_address_type=hci.OwnAddressType.PUBLIC,
                peer_address_type=0,
                peer_address=hci.Address.ANY,
                advertising_channel_map=7,
                advertising_filter_policy=0,
            )
        )
        controller.on_hci_le_set_advertising_data_command(
            hci.HCI_LE_Set_Advertising_Data_Command(advertising_data=data)
        )
        controller.on_hci_le_set_scan_response_data_command(
            hci.HCI_LE_Set_Scan_Response_Data_Command(scan_response_data=response)
        )
        controller.enable_advertising(True)

    def stop_advertising(self) -> None:
        """Advertise no more."""
        self.controller.enable_advertising(False)

    def scan(self, interval_us: int, window_us: int, *, active: bool) -> None:
        """Scan from now on."""
        self.stop_scanning()
        unit = max(4, min(0x4000, interval_us // _UNIT_US))
        self.controller.on_hci_le_set_scan_parameters_command(
            hci.HCI_LE_Set_Scan_Parameters_Command(
                le_scan_type=int(active),
                le_scan_interval=unit,
                le_scan_window=max(4, min(unit, window_us // _UNIT_US)),
                own_address_type=hci.OwnAddressType.PUBLIC,
                scanning_filter_policy=0,
            )
        )
        self.controller.enable_scanning(True)

    def stop_scanning(self) -> None:
        """Scan no more."""
        self.controller.enable_scanning(False)

    # ---- connections ----

    def connect(
        self,
        address: hci.Address,
        *,
        interval_us: tuple[int, int],
        timeout_us: int,
        scan_us: tuple[int, int] = (10_000, 10_000),
    ) -> bool:
        """Wait for the address to advertise, and connect; False while another attempt is under way."""
        return self.controller.initiate(
            hci.HCI_LE_Create_Connection_Command(
                le_scan_interval=scan_us[0] // _UNIT_US,
                le_scan_window=scan_us[1] // _UNIT_US,
                initiator_filter_policy=0,
                peer_address_type=address.address_type,
                peer_address=address,
                own_address_type=hci.OwnAddressType.PUBLIC,
                connection_interval_min=max(6, interval_us[0] // 1250),
                connection_interval_max=max(6, interval_us[1] // 1250),
                max_latency=0,
                supervision_timeout=timeout_us // 10_000,
                min_ce_length=0,
                max_ce_length=0,
            )
        )

    def cancel(self) -> bool:
        """Give the attempt up; False if there is none."""
        return self.controller.cancel()

    def disconnect(self, handle: int) -> bool:
        """Hang up; False if there is no such connection."""
        return self.controller.hang_up(handle, _REMOTE_USER)

    def pending(self) -> int:
        """Packets of all connections that have not left."""
        queue = self.host.le_acl_packet_queue
        return 0 if queue is None else queue.pending

    def got_att(self, handle: int, pdu: bytes) -> None:
        """An attribute PDU came."""
        peer = self.peers.get(handle)
        if peer is not None:
            peer.bearer.receive(pdu)

    # ---- events ----

    def _own_advertiser(self) -> None:
        # Bumble asks its own advertiser under which address a central came.
        self.device.legacy_advertiser = LegacyAdvertiser(
            self.device,
            AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE,
            hci.OwnAddressType.PUBLIC,
            hci.Address.ANY,
            False,
        )

    def _connected(self, connection: Connection) -> None:
        self._own_advertiser()
        handle = connection.handle
        bearer = Bearer(
            lambda pdu: self.host.send_l2cap_pdu(handle, _ATT_CID, pdu),
            self.air.kernel,
            preferred_mtu=self.mtu,
        )
        self.new_bearer(bearer)
        peer = Peer(
            handle,
            connection.role == hci.Role.CENTRAL,
            connection.peer_address,
            bearer,
            connection,
            round(connection.parameters.connection_interval * 1000),
        )
        self.peers[handle] = peer

        def disconnected(reason: int) -> None:
            self.peers.pop(handle, None)
            peer.reason = reason
            bearer.end()
            self.calls.disconnected(peer)

        def updated() -> None:
            shape = connection.parameters
            peer.interval_us = round(shape.connection_interval * 1000)
            self.calls.updated(
                peer,
                round(shape.connection_interval / 1.25),
                shape.peripheral_latency,
                round(shape.supervision_timeout / 10),
            )

        def encrypted() -> None:
            bearer.encrypted = connection.is_encrypted
            self.calls.encrypted(peer)

        connection.on(Connection.EVENT_DISCONNECTION, disconnected)
        connection.on(Connection.EVENT_CONNECTION_PARAMETERS_UPDATE, updated)
        connection.on(Connection.EVENT_CONNECTION_ENCRYPTION_CHANGE, encrypted)
        self.calls.connected(peer)

    def _failed(self, error: BumbleConnectionError) -> None:
        self.calls.failed(error.error_code or LOCAL_HOST)

    def _flowed(self) -> None:
        for call in list(self.calls.flowed):
            call()
