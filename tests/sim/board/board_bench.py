"""A bare board for the simulator's own tests: real MicroPython, 1 MB of flash, no parts."""

from __future__ import annotations

import asyncio
import textwrap
from pathlib import Path

from littlefs import LittleFS

from smilehub.sim.board import Board
from smilehub.sim.flash import create, write_partition
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import parse_spec

VFS_BYTES = 0x20000
RAW_OFFSET = 0x60000
SPEC = parse_spec(
    {
        "board": {"id": "bare", "chip": "esp32s3", "flash_mb": 1, "heap_limit": 200_000},
        "partition": [
            {"name": "nvs", "type": "data", "subtype": "nvs", "offset": 0x9000, "size": 0x6000},
            {"name": "factory", "type": "app", "subtype": "factory", "offset": 0x10000, "size": 0x10000},
            {"name": "vfs", "type": "data", "subtype": "fat", "offset": 0x20000, "size": VFS_BYTES},
            {"name": "raw", "type": "data", "subtype": "undefined", "offset": RAW_OFFSET, "size": 0x10000},
        ],
    }
)


def filesystem(data: bytes | None = None) -> LittleFS:
    """An empty file system of vfs, or the one in ``data``."""
    fs = LittleFS(
        block_size=4096,
        block_count=VFS_BYTES // 4096,
        read_size=32,
        prog_size=32,
        lookahead_size=32,
        mount=data is None,
    )
    if data is not None:
        fs.context.buffer = bytearray(data)
        fs.mount()
    return fs


class Bench:
    """One board in virtual time."""

    def __init__(
        self, folder: Path, *, seed: int = 1, heap_bytes: int = 400_000, measure: bool = False
    ) -> None:
        self.kernel = Kernel.virtual(seed)
        self.kernel.hang_seconds = 10
        self.flash = folder / "flash.bin"
        create(self.flash, SPEC)
        self.board = Board(self.kernel, SPEC, self.flash, seed=seed, heap_bytes=heap_bytes, measure=measure)

    def put(self, **files: str) -> None:
        """Make vfs anew with these files (``main="…"`` becomes main.py)."""
        fs = filesystem()
        for name, text in files.items():
            with fs.open(f"{name}.py", "w") as file:
                file.write(textwrap.dedent(text))
        write_partition(self.flash, "vfs", bytes(fs.context.buffer))

    @property
    def text(self) -> str:
        return self.board.console_text().replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """What was printed before the prompt."""
        return self.text.split("MicroPython ")[0].splitlines()

    async def until(self, text: str, seconds: float = 60) -> None:
        """Wait, in the kernel's seconds, until the console shows ``text``."""
        pause = 0.01
        async with asyncio.timeout(seconds):
            while text not in self.text:
                assert self.board.failure is None, self.board.failure
                await asyncio.sleep(pause)
                pause = min(1.0, pause * 1.1)

    def run(self, main: str, seconds: float = 60) -> list[str]:
        """Run a main.py to the prompt; the lines it printed."""
        self.put(main=main)

        async def scene() -> None:
            await self.board.power_on()
            await self.until(">>> ", seconds)

        self.kernel.run(scene())
        return self.lines

    def close(self) -> None:
        self.board.close()
        self.kernel.close()
