"""A bare simulated board that runs one program, and what a board weighs."""

import asyncio
import tempfile
from pathlib import Path

from smilehub.devices import image
from smilehub.devices.partitions import TABLE_OFFSET, encode_table, load_board
from smilehub.devices.sources import board_toml
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec


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
