"""A bare simulated board that runs one program: what the simulator itself costs, and what a board weighs."""

import asyncio
import itertools
import tempfile
from pathlib import Path

from smilehub.devices import image
from smilehub.devices.partitions import TABLE_OFFSET, encode_table, load_board
from smilehub.devices.sources import board_toml
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec
from tools.bench.clinic import ShimCost

_TIMES = 2000
_ROUNDS = 3  # the cheapest counts: it takes the least off the firmware's figure
_STRIP = 3840  # what the kiosk's panel driver sends at a time
_STRIPS = 80  # so often for a whole picture
_SHIMS = f"""
import time
from machine import Pin, SPI
cs, dc, rst = (Pin(n, Pin.OUT, value=1) for n in (10, 9, 14))
pin = Pin(38, Pin.OUT)
spi = SPI(1, baudrate=40_000_000, sck=Pin(12), mosi=Pin(11), miso=Pin(13))
strip = bytearray({_STRIP})
write = spi.write
for _ in range({_ROUNDS}):
    time.sleep(5)
    for i in range({_TIMES}):
        time.sleep_ms(5)
    time.sleep(5)
    for i in range({_TIMES}):
        pin(1)
    time.sleep(5)
    for i in range({_TIMES} // {_STRIPS}):
        cs(0)
        dc(0)
        write(b"\x2c")
        dc(1)
        for j in range({_STRIPS} - 1):
            write(strip)
        cs(1)
time.sleep(5)
"""


def flash_with(program: str, folder: Path) -> Path:
    """A flash file whose boot.py is ``program`` and nothing else."""
    board = load_board(board_toml("kiosk"))
    vfs = board.partition("vfs")
    flash = bytearray(b"\xff") * board.flash_bytes
    table = encode_table(board.partitions)
    flash[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
    packed = image.pack_littlefs({"boot.py": program.encode()}, vfs.size)
    flash[vfs.offset : vfs.offset + len(packed)] = packed
    path = folder / "flash.bin"
    path.write_bytes(flash)
    return path


def shim_cost() -> ShimCost:
    """Measure what a wait, a pin and a strip of SPI bytes cost the guest in the simulator's code alone."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        kernel = Kernel.virtual(1)
        board = Board(kernel, load_spec(board_toml("kiosk")), flash_with(_SHIMS, Path(folder)))
        marks: list[int] = []

        async def run() -> None:
            await board.power_on()
            for _ in range(3 * _ROUNDS + 1):
                await board.idle(2_000_000)
                marks.append(board.cpu_ns())
                await asyncio.sleep(5.5)

        try:
            kernel.run(run())
        finally:
            board.close()
            kernel.close()
    costs = [(after - before) / _TIMES for before, after in itertools.pairwise(marks)]
    return ShimCost(min(costs[0::3]), min(costs[1::3]), min(costs[2::3]))


def board_memory_mb(boards: int = 4) -> float:
    """Proportional set size of one more kiosk in the process tree, MB: the last of ``boards``."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        kernel = Kernel.virtual(1)
        spec = load_spec(board_toml("kiosk"))
        all_boards: list[Board] = []
        sizes: list[float] = []

        async def run() -> None:
            for number in range(boards):
                flash = Path(folder) / f"{number}.bin"
                image.build_image(board_toml("kiosk"), flash)
                board = Board(kernel, spec, flash, seed=number)
                all_boards.append(board)
                await board.power_on()
                await asyncio.sleep(10)
                sizes.append(
                    sum(_pss_kb(pid) for pid in ("self", *(b.guest.pid for b in all_boards if b.guest)))
                )

        try:
            kernel.run(run())
        finally:
            for board in all_boards:
                board.close()
            kernel.close()
    return (sizes[-1] - sizes[-2]) / 1024


def _pss_kb(pid: int | str) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError("the kernel tells no proportional set size")
