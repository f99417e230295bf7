"""A controller's receiver while it scans, and while it waits for somebody to connect to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bumble import hci

from smilehub.sim.radio.air import ADV_IND, ADV_SCAN_IND, SCAN_RSP, Advertiser
from smilehub.sim.radio.conditions import Path

if TYPE_CHECKING:
    from smilehub.sim.radio.controller import RadioController

#: Times of advertising and scanning are counted in these.
UNIT_US = 625
_Report = hci.HCI_LE_Advertising_Report_Event.Report


class _Window:
    """A receiver that is on for ``window_us`` at the beginning of every ``interval_us``."""

    def __init__(self, controller: RadioController, interval: int, window: int) -> None:
        self.node = controller.name
        self.controller = controller
        self._interval_us = max(1, interval) * UNIT_US
        self._window_us = window * UNIT_US
        self._since = controller.air.kernel.now_us()

    def open_at(self, now_us: int) -> bool:
        return (now_us - self._since) % self._interval_us < self._window_us


class Scanner(_Window):
    def __init__(self, controller: RadioController) -> None:
        super().__init__(controller, controller.le_scan_interval, controller.le_scan_window)
        self._active = controller.le_scan_type == 1

    def heard(self, advertiser: Advertiser, path: Path) -> None:
        air = self.controller.air
        self._report(advertiser, path, advertiser.kind, advertiser.data)
        asks = self._active and advertiser.kind in (ADV_IND, ADV_SCAN_IND)
        # The request and the response may each be lost.
        if asks and not air.lost(path) and not air.lost(path):
            self._report(advertiser, path, SCAN_RSP, advertiser.scan_response)

    def _report(self, advertiser: Advertiser, path: Path, kind: int, data: bytes) -> None:
        report = _Report(kind, advertiser.address.address_type, advertiser.address, data, path.rssi)
        self.controller.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))


class Initiator(_Window):
    def __init__(self, controller: RadioController, command: hci.HCI_LE_Create_Connection_Command) -> None:
        super().__init__(controller, command.le_scan_interval, command.le_scan_window)
        self._command = command

    def heard(self, advertiser: Advertiser, path: Path) -> None:
        if advertiser.kind == ADV_IND and advertiser.address == self._command.peer_address:
            self.controller.connect(self._command, advertiser, path)
