"""Bare boards and laptops in one air, in virtual time."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from littlefs import LittleFS

from smilehub.sim.board import Board
from smilehub.sim.flash import create, write_partition
from smilehub.sim.kernel import Kernel
from smilehub.sim.radio import Laptop, Radio
from smilehub.sim.radio.board_radio import BoardRadio
from smilehub.sim.spec import parse_spec

T = TypeVar("T")

VFS_BYTES = 0x20000
SPEC = parse_spec(
    {
        "board": {"id": "bare", "chip": "esp32s3", "flash_mb": 1, "heap_limit": 200_000},
        "partition": [
            {"name": "nvs", "type": "data", "subtype": "nvs", "offset": 0x9000, "size": 0x6000},
            {"name": "factory", "type": "app", "subtype": "factory", "offset": 0x10000, "size": 0x10000},
            {"name": "vfs", "type": "data", "subtype": "fat", "offset": 0x20000, "size": VFS_BYTES},
        ],
    }
)

#: What every program begins with: numbers of events, a log of them, and a wait for one.
PRELUDE = """
import bluetooth, time
ble = bluetooth.BLE()
seen = []
def irq(event, data):
    seen.append((event, tuple(bytes(x) if isinstance(x, memoryview) else x for x in data)))
def wait(event, ms=10000):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        for i, (e, data) in enumerate(seen):
            if e == event:
                del seen[i]
                return data
        time.sleep_ms(5)
    raise OSError("no event %d, but %s" % (event, seen))
def events(event):
    return [data for e, data in seen if e == event]
ble.active(True)
ble.irq(irq)
SERVICE = bluetooth.UUID("6E400001-B5A3-F393-E0A9-E50E24DCCA9E")
TX = bluetooth.UUID("6E400003-B5A3-F393-E0A9-E50E24DCCA9E")
RX = bluetooth.UUID("6E400002-B5A3-F393-E0A9-E50E24DCCA9E")
UART = (SERVICE, ((TX, 2 | 16 | 32), (RX, 8 | 4)))
ADV = b"\\x02\\x01\\x06\\x06\\x09Kiosk"
"""


class Air:
    """Boards and laptops that share one kernel."""

    def __init__(self, folder: Path, *, seed: int = 1) -> None:
        self.folder = folder
        self.seed = seed
        self.kernel = Kernel.virtual(seed)
        self.kernel.hang_seconds = 10
        self.radio = Radio(self.kernel, seed=seed)
        self.boards: dict[str, Board] = {}
        self.radios: dict[str, BoardRadio] = {}

    def board(self, name: str, main: str, *, prelude: str = PRELUDE, radio: bool = True) -> Board:
        """A board that will run the prelude and ``main``; without ``radio`` nobody gives it one."""
        flash = self.folder / f"{name}.bin"
        create(flash, SPEC)
        fs = LittleFS(
            block_size=4096, block_count=VFS_BYTES // 4096, read_size=32, prog_size=32, lookahead_size=32
        )
        with fs.open("main.py", "w") as file:
            file.write(prelude + textwrap.dedent(main))
        write_partition(flash, "vfs", bytes(fs.context.buffer))
        board = Board(self.kernel, SPEC, flash, seed=self.seed + len(self.boards), heap_bytes=400_000)
        if radio:
            self.radios[name] = self.radio.board(board, name)
        self.boards[name] = board
        return board

    def laptop(self, name: str = "laptop") -> Laptop:
        return self.radio.laptop(name)

    def text(self, name: str) -> str:
        return self.boards[name].console_text().replace("\r\n", "\n")

    def lines(self, name: str) -> list[str]:
        """What a board printed before its prompt."""
        return self.text(name).split("MicroPython ")[0].splitlines()

    async def until(self, name: str, text: str, seconds: float = 60) -> None:
        """Wait until a board's console shows ``text``."""
        try:
            async with asyncio.timeout(seconds):
                while text not in self.text(name):
                    failure = self.boards[name].failure
                    assert failure is None, failure
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"no {text!r} on {name}: {self.text(name)[-2000:]}") from None

    async def on(self, *names: str) -> None:
        """Switch boards on, one after the other."""
        for name in names or self.boards:
            await self.boards[name].power_on()

    def run(self, scene: Coroutine[Any, Any, T]) -> T:
        return self.kernel.run(scene)

    def close(self) -> None:
        for board in self.boards.values():
            board.close()
        self.kernel.close()
