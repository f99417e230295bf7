"""What the air does to packets: how far two radios are apart, what is lost, how long it all takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: A packet weaker than this is noise (an ESP32's receiver at 1 Mbit/s, rounded).
SENSITIVITY_DBM = -95
_INTERFRAME_US = 150
#: Preamble, access address, header, message integrity check and CRC, in bytes.
_OVERHEAD = 14
#: The longest payload of one packet with the data length extension, which every controller here has.
DATA_LENGTH = 251


@dataclass(slots=True)
class Timing:
    """How this air's controllers behave; what a connection asks for overrides ``interval_us``.

    ``packets_per_event``: exchanges in one connection event, at most (controllers give up earlier than the
    air would). ``interval_us``: force every connection's interval; None: the longest the central allows.
    """

    interval_us: int | None = None
    packets_per_event: int = 6


@dataclass(slots=True)
class Path:
    """What lies between two radios; the same in both directions.

    ``loss``: share of packets lost; ``drop``: so many of the next ones are. ``rssi``: dBm at either end.
    ``open``: False cuts the air.
    """

    loss: float = 0.0
    drop: int = 0
    rssi: int = -55
    open: bool = True

    def at(self, metres: float) -> None:
        """Set loss and signal as so many metres indoors give them; out of range closes the path."""
        self.rssi = round(-40 - 30 * math.log10(max(metres, 0.1)))
        self.open = self.rssi >= SENSITIVITY_DBM
        # The last 10 dB above the receiver's limit lose more and more.
        margin = self.rssi - SENSITIVITY_DBM
        self.loss = 0.0 if margin >= 10 else min(0.9, (10 - margin) / 10)


def exchange_us(to_peripheral: int, to_central: int) -> int:
    """Air time of one exchange in a connection event: two packets with payloads of so many bytes, at 1
    Mbit/s, and the pauses after them."""
    return 8 * (to_peripheral + to_central + 2 * _OVERHEAD) + 2 * _INTERFRAME_US
