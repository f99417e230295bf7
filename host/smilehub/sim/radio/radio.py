"""The virtual radio of a simulation: its boards, its laptops, and what happens to the air between them."""

from __future__ import annotations

import random
from collections.abc import Callable

from bumble.hci import Address

from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.radio.air import ADV_NONCONN_IND, Advertiser, Air, Counts
from smilehub.sim.radio.board_radio import BoardRadio
from smilehub.sim.radio.conditions import Path, Timing
from smilehub.sim.radio.laptop import Laptop

_FLOOD_US = 20_000


class Radio:
    """One air on one kernel. Everything in it is decided by ``seed``."""

    def __init__(self, kernel: Kernel, *, seed: int = 0) -> None:
        self.air = Air(kernel, seed)
        self._kernel = kernel
        self._seed = seed
        self._flood: list[Advertiser] = []

    # ---- who is there ----

    def board(self, board: Board, name: str = "kiosk") -> BoardRadio:
        """Give a board its radio, before it is switched on. ``name`` is its place in the air."""
        return BoardRadio(self.air, board, name)

    def laptop(self, name: str = "laptop") -> Laptop:
        """A laptop: its ``scanner_backend`` and ``client_backend`` are bleak's ``backend=``."""
        return Laptop(self.air, name, seed=self._seed)

    # ---- what is between them ----

    @property
    def timing(self) -> Timing:
        """How connections keep time; for those made from now on."""
        return self.air.timing

    @property
    def counts(self) -> Counts:
        """What has passed through the air."""
        return self.air.counts

    def path(self, a: str, b: str) -> Path:
        """What lies between two of them now."""
        return self.air.path(a, b)

    def cut(self, a: str, b: str) -> None:
        """No packet passes any more; connections end with their supervision time-out."""
        self._change(a, b, is_open=False)

    def mend(self, a: str, b: str) -> None:
        """Undo ``cut``."""
        self._change(a, b, is_open=True)

    def loss(self, a: str, b: str, share: float) -> None:
        """Lose this share of packets, 0 to 1."""
        if not 0 <= share <= 1:
            raise ValueError("a share from 0 to 1")
        self.air.path(a, b).loss = share
        self.air.changed()

    def drop(self, a: str, b: str, packets: int) -> None:
        """Lose the next so many packets, of whatever kind."""
        self.air.path(a, b).drop = packets

    def snap(self, a: str, b: str) -> None:
        """Their connections end now, on both sides, as after a supervision time-out; the air stays open."""
        for link in list(self.air.links):
            if {link.central.node.name, link.peripheral.node.name} == {a, b}:
                link.snap()

    def tap(self, call: Callable[[str, str, bytes], None]) -> None:
        """Call with sender, receiver and payload (L2CAP) for every data packet that arrives."""
        self.air.taps.append(call)

    def distance(self, a: str, b: str, metres: float) -> None:
        """Put them so far apart: signal, loss and range follow."""
        self.air.path(a, b).at(metres)
        self.air.changed()

    def flood(self, count: int, interval_us: int = _FLOOD_US) -> None:
        """So many strangers advertise around everybody (0: they leave)."""
        for stranger in self._flood:
            self.air.silence(stranger)
        chance = random.Random(f"flood {self._seed}")
        self._flood = [
            Advertiser(
                f"stranger {i}",
                Address(chance.randbytes(5) + b"\xc0", Address.RANDOM_DEVICE_ADDRESS),
                ADV_NONCONN_IND,
                b"\x02\x01\x06" + b"\x1b\xff\xff\xff" + chance.randbytes(24),
                b"",
                interval_us,
            )
            for i in range(count)
        ]
        for stranger in self._flood:
            self.air.advertise(stranger)

    def _change(self, a: str, b: str, *, is_open: bool) -> None:
        self.air.path(a, b).open = is_open
        self.air.changed()
