"""A small board for the tests of `machine`: real MicroPython, a recording part on every bus, a link port."""

from __future__ import annotations

import asyncio
import random
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from smilehub.devices.image import pack_littlefs
from smilehub.sim.board import Board
from smilehub.sim.control import Cause
from smilehub.sim.flash import create
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import LinkPort
from smilehub.sim.peripherals.base import Drive, Part, SpiMode
from smilehub.sim.spec import parse_spec
from smilehub.sim.uart import Uarts

_VFS = 0x40000
SPEC = {
    "board": {"id": "test", "chip": "esp32s3", "flash_mb": 1, "heap_limit": 200_000},
    "partition": [
        {"name": "nvs", "type": "data", "subtype": "nvs", "offset": 0x9000, "size": 0x6000},
        {"name": "vfs", "type": "data", "subtype": "fat", "offset": 0x10000, "size": _VFS},
        {"name": "raw", "type": "data", "subtype": "undefined", "offset": 0x60000, "size": 0x10000},
    ],
    "uart": {"link": {"id": 1, "tx": 17, "rx": 18, "baud": 115200, "rxbuf": 256}},
    "spi": {"1": {"sck": 12, "mosi": 11, "miso": 13, "baud": 40_000_000}},
    "probe": {"part": "probe", "spi": 1, "i2c": 0, "cs": 10, "dc": 9, "pin": 4},
}


class Probe(Part):
    """Writes down what it sees; inverts SPI; is a memory of 8 bytes at I2C address 0x42; drives its pin."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.seen: list[tuple[Any, ...]] = []
        self.memory = bytearray(8)
        self.at = 0
        self.drives: Drive | None = None

    def connect(self, drive: Drive, rnd: random.Random) -> None:
        self.drives = drive

    def gpio(self, role: str, level: int, t_us: int) -> None:
        self.seen.append(("gpio", role, level, t_us))

    def pwm(self, role: str, duty_u16: int, freq_hz: int, t_us: int) -> None:
        self.seen.append(("pwm", role, duty_u16, freq_hz))

    def spi_setup(self, mode: SpiMode, t_us: int) -> None:
        self.seen.append(("setup", mode.baud, mode.polarity, mode.phase))

    def spi_write(self, data: bytes, t_us: int) -> None:
        self.seen.append(("write", data, t_us))

    def spi_transfer(self, data: bytes, t_us: int) -> bytes:
        return bytes(255 - byte for byte in data)

    def i2c_write(self, addr: int, data: bytes, t_us: int) -> bool:
        if addr != 0x42:
            return False
        if data:
            self.at = data[0]
            self.memory[self.at : self.at + len(data) - 1] = data[1:]
        return True

    def i2c_read(self, addr: int, count: int, t_us: int) -> bytes | None:
        return bytes(self.memory[self.at : self.at + count]) if addr == 0x42 else None


class Bench:
    """One board in virtual time. `run` boots it with a main.py and waits until that has printed `done`."""

    def __init__(self, folder: Path) -> None:
        self.kernel = Kernel.virtual(seed=1)
        self.flash = folder / "flash.bin"
        self.spec = parse_spec(SPEC)
        create(self.flash, self.spec)
        self.board = Board(self.kernel, self.spec, self.flash, seed=1)
        self.uarts = Uarts(self.board)

    @property
    def link(self) -> LinkPort:
        link = self.uarts.links["link"]
        assert isinstance(link, LinkPort)
        return link

    @property
    def probe(self) -> Probe:
        return self.board.part("probe")

    @property
    def lines(self) -> list[str]:
        return self.board.console_text().replace("\r\n", "\n").split("\n")

    def load(self, source: str) -> None:
        """Put main.py on the board's file system."""
        text = textwrap.dedent(source) + "\nprint('done')\n"
        image = pack_littlefs({"main.py": text.encode()}, _VFS)
        with self.flash.open("r+b") as file:
            file.seek(0x10000)
            file.write(image)

    async def until(self, text: str, seconds: float = 60) -> None:
        """Wait for a line of the console that holds ``text``."""
        end = self.kernel.now_us() + seconds * 1e6
        while not any(text in line for line in self.lines):
            if self.kernel.now_us() > end or self.board.failure:
                pytest.fail(f"no {text!r} in:\n{self.board.console_text()}")
            await asyncio.sleep(0.005)

    def run(self, source: str, beside: Callable[[Bench], Awaitable[None]] | None = None) -> list[str]:
        """Boot with this main.py, with ``beside`` at its side; the lines it printed before `done`."""
        self.load(source)

        async def session() -> None:
            await self.board.power_on(Cause.POWER)
            if beside is not None:
                await beside(self)
            await self.until("done")

        self.kernel.run(session())
        text = "\n".join(self.lines)
        assert "Traceback" not in text, text
        return text[: text.index("done")].strip().split("\n")

    def close(self) -> None:
        """Power off and leave nothing behind."""
        self.uarts.close()
        self.board.close()
        self.kernel.close()
