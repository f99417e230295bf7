"""Bumble's controller on our air: its advertiser, scanner and initiator keep their times, and its packets
wait for connection events."""

from __future__ import annotations

import asyncio

from bumble import hci, ll
from bumble.controller import Connection, Controller
from bumble.core import PhysicalTransport

from smilehub.sim.radio.air import Advertiser, Air
from smilehub.sim.radio.airlink import AirLink, End
from smilehub.sim.radio.conditions import DATA_LENGTH, Path
from smilehub.sim.radio.receivers import UNIT_US, Initiator, Scanner

_SUCCESS = hci.HCI_ErrorCode.SUCCESS


class RadioController(Controller):
    """A controller with an ESP32's limits: legacy advertising, packets of 251 bytes."""

    le_acl_data_packet_length = DATA_LENGTH
    supported_max_tx_octets = supported_max_rx_octets = suggested_max_tx_octets = DATA_LENGTH
    total_num_le_acl_data_packets = 24
    le_features = Controller.le_features & ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    def __init__(self, name: str, air: Air, address: hci.Address) -> None:
        self.air = air
        #: Set by the host while it has no room for packets.
        self.full = False
        #: As ``airlink.Node``.
        self.busy_us = 0
        self.air_links: dict[int, AirLink] = {}
        self._advertiser: Advertiser | None = None
        self._scanner: Scanner | None = None
        self._initiator: Initiator | None = None
        super().__init__(name, link=air, public_address=address)

    # ---- HCI, without the traces that cost more than the work ----

    def on_packet(self, packet: bytes) -> None:
        if packet[0] == hci.HCI_ACL_DATA_PACKET:
            self.on_hci_acl_data_packet(hci.HCI_AclDataPacket.from_bytes(packet))
        else:
            self.on_hci_command_packet(hci.HCI_Command.from_bytes(packet))

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self.host:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    # ---- the power ----

    def stop(self) -> None:
        """Advertise, scan and connect no more; connections stay."""
        self._set_advertiser(None)
        self._set_scanner(None)
        self._set_initiator(None)

    def vanish(self) -> None:
        """The power is gone, without a word to anybody."""
        self.stop()
        for handle, link in list(self.air_links.items()):
            link.leave(self, handle)
        self.air_links.clear()
        self.le_connections.clear()
        self.hci_sink = None

    # ---- advertising ----

    def enable_advertising(self, enabled: bool) -> None:
        """LE Set Advertising Enable."""
        legacy = self.le_legacy_advertiser
        legacy.enabled = enabled
        self._set_advertiser(
            Advertiser(
                self.name,
                legacy.address,
                int(legacy.advertising_type),
                bytes(legacy.advertising_data),
                bytes(legacy.scan_response_data),
                max(1, legacy.advertising_interval_min) * UNIT_US,
                self,
            )
            if enabled
            else None
        )

    def _set_advertiser(self, advertiser: Advertiser | None) -> None:
        if self._advertiser is not None:
            self.air.silence(self._advertiser)
        self._advertiser = advertiser
        if advertiser is not None:
            self.air.advertise(advertiser)

    # ---- scanning ----

    def enable_scanning(self, enabled: bool) -> None:
        """LE Set Scan Enable."""
        self.le_scan_enable = enabled
        self._set_scanner(Scanner(self) if enabled else None)

    def _set_scanner(self, scanner: Scanner | None) -> None:
        if self._scanner is not None:
            self.air.deafen(self._scanner)
        self._scanner = scanner
        if scanner is not None:
            self.air.listen(scanner)

    # ---- connecting ----

    def initiate(self, command: hci.HCI_LE_Create_Connection_Command) -> bool:
        """LE Create Connection; False while another one waits."""
        if self._initiator is not None:
            return False
        self._set_initiator(Initiator(self, command))
        return True

    def cancel(self) -> bool:
        """LE Create Connection Cancel; False if none waits."""
        if self._initiator is None:
            return False
        self._set_initiator(None)
        error = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        self._complete(error, 0, hci.Role.CENTRAL, hci.Address.ANY, (0, 0, 0))
        return True

    def connect(
        self, command: hci.HCI_LE_Create_Connection_Command, advertiser: Advertiser, path: Path
    ) -> None:
        """The initiator heard whom it waits for."""
        peripheral = advertiser.owner
        if peripheral is None or advertiser.address in self.le_connections:
            return
        self._set_initiator(None)
        forced = self.air.timing.interval_us
        interval = command.connection_interval_max if forced is None else max(6, forced // 1250)
        shape = (interval, command.max_latency, command.supervision_timeout)
        own = (
            self.public_address
            if command.own_address_type == hci.OwnAddressType.PUBLIC
            else self.random_address
        )
        central = self._end(hci.Role.CENTRAL, own, advertiser.address)
        arrived = not self.air.lost(path)
        other = peripheral.connected(own, *shape) if arrived else End(_Nobody(advertiser.node), 0, own)
        link = AirLink(self.air, central, other, interval * 1250, command.supervision_timeout * 10_000)
        self.air_links[central.handle] = link
        if isinstance(other.node, RadioController):
            other.node.air_links[other.handle] = link
        else:
            link.never_was()
        self._complete(_SUCCESS, central.handle, hci.Role.CENTRAL, advertiser.address, shape)

    def connected(self, initiator: hci.Address, interval: int, latency: int, timeout: int) -> End:
        """As ``air.Connectable``; advertising ends with the connection."""
        assert self._advertiser is not None
        end = self._end(hci.Role.PERIPHERAL, self._advertiser.address, initiator)
        self.le_legacy_advertiser.enabled = False
        self._set_advertiser(None)
        self._complete(_SUCCESS, end.handle, hci.Role.PERIPHERAL, initiator, (interval, latency, timeout))
        return end

    def _end(self, role: hci.Role, own: hci.Address, peer: hci.Address) -> End:
        handle = self.allocate_connection_handle()
        self.le_connections[peer] = Connection(
            controller=self,
            handle=handle,
            role=role,
            self_address=own,
            peer_address=peer,
            link=self.air,
            transport=PhysicalTransport.LE,
            link_type=hci.HCI_Connection_Complete_Event.LinkType.ACL,
        )
        return End(self, handle, own)

    def _complete(
        self, status: int, handle: int, role: hci.Role, peer: hci.Address, shape: tuple[int, int, int]
    ) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=status,
                connection_handle=handle,
                role=role,
                peer_address_type=peer.address_type,
                peer_address=peer,
                connection_interval=shape[0],
                peripheral_latency=shape[1],
                supervision_timeout=shape[2],
                central_clock_accuracy=0,
            )
        )

    def _set_initiator(self, initiator: Initiator | None) -> None:
        if self._initiator is not None:
            self.air.deafen(self._initiator)
        self._initiator = initiator
        if initiator is not None:
            self.air.listen(initiator)

    # ---- connections ----

    @property
    def accepts(self) -> bool:
        """As ``airlink.Node``."""
        return not self.full

    def room(self) -> None:
        """The host takes packets again."""
        self.full = False
        for link in self.air_links.values():
            link.room()

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        link = self.air_links.get(packet.connection_handle)
        if link is not None:
            link.put(packet.connection_handle, self, packet)

    def hang_up(self, handle: int, reason: int) -> bool:
        """Disconnect; False if there is no such connection."""
        link = self.air_links.get(handle)
        if link is not None:
            link.put(handle, self, ll.TerminateInd(reason))
        return link is not None

    def on_hci_le_connection_update_command(self, command: hci.HCI_LE_Connection_Update_Command) -> None:
        link = self.air_links.get(command.connection_handle)
        known = link is not None
        error = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING if known else error, command.op_code)
        if link is not None:
            link.update(command.connection_interval_max, command.max_latency, command.supervision_timeout)

    def got_acl(self, handle: int, packet: hci.HCI_AclDataPacket) -> None:
        """As ``airlink.Node``."""
        first = 2 if packet.pb_flag == 0 else 1
        self.send_hci_packet(hci.HCI_AclDataPacket(handle, first, 0, len(packet.data), packet.data))

    def got_control(self, handle: int, packet: ll.ControlPdu) -> None:
        """As ``airlink.Node``."""
        connection = self.find_le_connection_by_handle(handle)
        if connection is not None:
            self.on_ll_control_pdu(connection.peer_address, packet)

    def completed(self, handle: int) -> None:
        """As ``airlink.Node``."""
        self.send_hci_packet(hci.HCI_Number_Of_Completed_Packets_Event([handle], [1]))

    def updated(self, handle: int, interval: int, latency: int, timeout: int) -> None:
        """As ``airlink.Node``."""
        self.send_hci_packet(
            hci.HCI_LE_Connection_Update_Complete_Event(_SUCCESS, handle, interval, latency, timeout)
        )

    def gone(self, handle: int, reason: int) -> None:
        """As ``airlink.Node``."""
        self.air_links.pop(handle, None)
        connection = self.find_le_connection_by_handle(handle)
        if connection is not None:
            self.on_le_disconnected(connection, reason)


class _Nobody:
    """The end of a connection whose CONNECT_IND was lost."""

    accepts = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.busy_us = 0

    def got_acl(self, handle: int, packet: hci.HCI_AclDataPacket) -> None:
        pass

    def got_control(self, handle: int, packet: ll.ControlPdu) -> None:
        pass

    def completed(self, handle: int) -> None:
        pass

    def updated(self, handle: int, interval: int, latency: int, timeout: int) -> None:
        pass

    def gone(self, handle: int, reason: int) -> None:
        pass
