"""What the simulator's own code costs the guest's CPU, so that a firmware's figure can do without it.

A guest's CPU is that of its firmware and of the shims beneath it, whose messages stand for a chip's hardware.
A bare board that sends nothing but such messages, kind by kind in small batches, tells what each costs at the
least: the cheapest batch counts. Only that is taken off, so a firmware's figure is rather too high than too
low. A program whose own work is known, with messages in between as a key press has, proves it each time.
"""

import asyncio
import itertools
import os
import statistics
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from smilehub.devices.sources import board_toml
from smilehub.sim.board import Board
from smilehub.sim.control import Kind
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec
from tools.bench import bare

#: So far may the known work, found again between messages, be off: too short would flatter the firmware, too
#: long, as on a busy machine, only makes it look slower.
SHORT, LONG = 0.15, 0.30

_LARGE = 2048  # more bytes than these go out at once, fewer are collected (sim/shims/_sim.py)
_ROUNDS = 40
_BATCH = 100
_WAITS, _WINDOWS, _STRIPS, _READS, _WORK = 5, 30, 3, 2, 270  # the known program: as much as a press has
_SETTLED_US = 2_000_000
_GAP_S = 5.05  # the guest sleeps so long after a batch, and is looked at meanwhile
_SIZES = (4, 1024, _LARGE, _LARGE + 1, 3840)  # 3,840: a strip of the kiosk's panel
_FLASH_READ_US, _FLASH_BYTES_A_US = 2, 10  # what the simulated chip takes for a read (sim/shims/_flash.py)
# What a native function would cost too is the firmware's: built-ins stand in for it.
_PROGRAM = f"""
import time
from esp32 import Partition
from machine import Pin, SPI
pin = Pin(10, Pin.OUT)
write = SPI(1, baudrate=40_000_000, sck=Pin(12), mosi=Pin(11), miso=Pin(13)).write
nap = time.sleep_ms
stir = time._sim.stir
look = time.ticks_us
def many(call, what):
    for _ in range({_BATCH}):
        call(what)
def twice(call):
    for _ in range({_BATCH} // 2):
        call(0)
        call(1)
block = bytearray(32)
read = Partition.find(Partition.TYPE_DATA, label="keys")[0].readblocks
def fetch(call):
    for _ in range({_BATCH}):
        call(0, block, 0)
def syncs():
    for _ in range({_BATCH}):
        stir()
        look()
def press(pin, write, nap, read, span, strip):
    total = 0
    for _ in range({_WAITS}):
        for _ in range({_WINDOWS} // {_WAITS}):
            pin(0)
            for i in range({_WORK}):
                total += i
            for i in range({_READS}):
                for i in range({_WORK}):
                    total -= i
                read(0, block, 0)
            write(span)
            pin(1)
            for i in range({_STRIPS}):
                for i in range({_WORK}):
                    total -= i
                write(strip)
            pin(0)
            pin(1)
        nap(1)
    return total
sizes = [bytearray(n) for n in {_SIZES}]
jobs = [(many, len, sizes[0]), (many, nap, 5), (syncs,), (twice, bool), (twice, pin)]
jobs += [(many, write, buf) for buf in sizes]
jobs += [(fetch, "".format), (fetch, read)]
jobs += [(press, bool, len, bool, "".format, sizes[0], sizes[-1])]
jobs += [(press, pin, write, nap, read, sizes[0], sizes[-1])]
for _ in range({_ROUNDS}):
    for job in jobs:
        time.sleep(5)
        job[0](*job[1:])
time.sleep(5)
"""
_NAMES = ("empty", "wait", "sync", "bools", "pins", *map(str, _SIZES), "formats", "reads", "work", "press")


@dataclass(frozen=True, slots=True)
class Said:
    """What a guest told its board: waits, pin changes, SPI writes of few and of many bytes; and what it read
    of its flash, which on a chip is the file system's own, in machine code."""

    hops: int = 0
    pins: int = 0
    small: int = 0
    small_bytes: int = 0
    large: int = 0
    reads: int = 0
    read_bytes: int = 0

    def __sub__(self, before: "Said") -> "Said":
        return Said(
            self.hops - before.hops,
            self.pins - before.pins,
            self.small - before.small,
            self.small_bytes - before.small_bytes,
            self.large - before.large,
            self.reads - before.reads,
            self.read_bytes - before.read_bytes,
        )

    @property
    def flash_ns(self) -> float:
        """What the chip takes for the reads."""
        return 1000 * (_FLASH_READ_US * self.reads + self.read_bytes / _FLASH_BYTES_A_US)


class Meter:
    """Counts what the guest of a kiosk's board says; made before the board has power."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._messages = board.stats.messages
        self._large = 0
        self._small_bytes = 0
        panel = board.part("panel")
        taken = panel.spi_write

        def spi_write(data: bytes, t_us: int) -> None:
            if len(data) > _LARGE:
                self._large += 1
            else:
                self._small_bytes += len(data)
            taken(data, t_us)

        panel.spi_write = spi_write

    def said(self) -> Said:
        """Since the board was made."""
        messages = self._messages
        guest = self._board.guest
        return Said(
            messages[Kind.WAIT] + messages[Kind.SYNC],
            messages[Kind.GPIO_OUT],
            messages[Kind.SPI_WRITE] - self._large,
            self._small_bytes,
            self._large,
            *(guest.reads() if guest else (0, 0)),
        )


@dataclass(frozen=True, slots=True)
class Cost:
    """The least CPU, ns, that each thing said takes in the simulator's code."""

    hop: float
    pin: float
    small: float
    small_byte: float
    large: float
    read: float

    def of(self, said: Said) -> float:
        """The least that all of it took, ns."""
        return (
            self.hop * said.hops
            + self.pin * said.pins
            + self.small * said.small
            + self.small_byte * said.small_bytes
            + self.large * said.large
            + self.read * said.reads
        )

    def own(self, cpu_ns: float, said: Said) -> float:
        """What is left of the guest's CPU for its firmware, ns; never below 0."""
        return max(0.0, cpu_ns - self.of(said))


@dataclass(slots=True)
class Shims:
    """The cheapest of several calibrations, made before, between and after the runs that they are for.

    ``least``: CPU of each batch's best run, ns; ``press``: what the known program says.
    """

    least: dict[str, int] = field(default_factory=dict[str, int])
    press: Said = field(default_factory=Said)
    _works: list[int] = field(default_factory=list[int])

    def calibrate(self) -> None:
        """Run the bare board once; a second."""
        with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
            kernel = Kernel.virtual(1)
            flash = bare.flash_with(_PROGRAM, Path(folder))
            board = Board(kernel, load_spec(board_toml("kiosk")), flash)
            meter = Meter(board)
            marks: list[tuple[int, Said]] = []

            async def run() -> None:
                await board.power_on()
                for _ in range(len(_NAMES) * _ROUNDS + 1):
                    await board.idle(_SETTLED_US)
                    marks.append((board.cpu_ns(), meter.said()))
                    await asyncio.sleep(_GAP_S)

            try:
                kernel.run(run())
            finally:
                board.close()
                kernel.close()
        for name, (before, after) in zip(itertools.cycle(_NAMES), itertools.pairwise(marks), strict=False):
            took = after[0] - before[0]
            self.least[name] = min(took, self.least.get(name, took))
            if name == "work":
                self._works.append(took)
            elif name == "press":
                self.press = after[1] - before[1]

    @property
    def busy(self) -> float:
        """By what share the same work usually took longer than at best: others' load on this machine."""
        return statistics.median(self._works) / min(self._works) - 1

    def cost(self) -> Cost:
        """What all calibrations prove. Raises RuntimeError if known work is not found again with it."""
        least = self.least
        each = {name: (ns - least["empty"]) / _BATCH for name, ns in least.items()}
        small, *some, over, strip = (each[str(size)] for size in _SIZES)
        slopes = ((ns - small) / size for size, ns in zip(_SIZES[1:], some, strict=False))
        cost = Cost(
            min(each["wait"], each["sync"]),
            each["pins"] - each["bools"],
            small,
            max(0.0, min(slopes)),
            min(over, strip),
            each["reads"] - each["formats"],
        )
        error = self.error(cost)
        if not -SHORT <= error <= LONG:
            raise RuntimeError(
                f"work of {least['work'] / 1e6:.3f} ms comes out {error:+.0%} of it with {cost}, after "
                f"{cost.of(self.press) / 1e6:.3f} ms were taken off: nothing measured with it would be true"
            )
        return cost

    def error(self, cost: Cost) -> float:
        """By what share the known work is found too long (+) or too short (-) among messages."""
        # The wait that ends each batch is no part of it.
        least, rest = self.least, self.least["empty"] - cost.hop
        return (least["press"] - rest - cost.of(self.press)) / (least["work"] - rest - cost.hop) - 1


@contextmanager
def one_core() -> Generator[None]:
    """Keep to one core: guest and host take turns, so its caches stay warm and the kernel moves neither."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
