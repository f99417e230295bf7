"""A simulated board that runs the real drivers and one test's program, in virtual time."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from smilehub.devices.image import pack_littlefs
from smilehub.devices.partitions import TABLE_OFFSET, encode_table, load_board
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]
BOARD_TOML = ROOT / "hardware" / "kiosk" / "board.toml"

FOREVER = 10**12

PRELUDE = """
import json, time
from machine import Pin, SPI
def panel(width=480, height=320, rotation=1, *buffers):
    from drivers.st7796 import ST7796
    out = [Pin(n, Pin.OUT) for n in (10, 9, 14, 21)]
    spi = SPI(1, baudrate=40_000_000, sck=Pin(12), mosi=Pin(11), miso=Pin(13))
    return ST7796(spi, *out, width, height, rotation, *buffers)
def wall():
    from drivers.max7219 import Matrix
    spi = SPI(2, baudrate=4_000_000, sck=Pin(40), mosi=Pin(41), miso=Pin(39))
    return Matrix(spi, Pin(42, Pin.OUT), 12, 2)
def keypad():
    from drivers.keypad import Keypad
    pins = {"up": 4, "down": 5, "yes": 6, "back": 7, "help": 15}
    return Keypad({name: Pin(n, Pin.IN, Pin.PULL_UP) for name, n in pins.items()})
def rtc():
    from drivers.ds3231 import DS3231
    from machine import I2C
    return DS3231(I2C(1, scl=Pin(2), sda=Pin(1), freq=400_000))
def sounder():
    from drivers.sounder import Sounder
    from machine import PWM
    return Sounder(PWM(Pin(16), freq=1000, duty_u16=0))
def pixel():
    from drivers.pixel import Pixel
    from neopixel import NeoPixel
    return Pixel(NeoPixel(Pin(48), 1))
def say(value):
    print("SAY " + json.dumps(value))
"""


class Rig:
    """One board whose main.py is PRELUDE and the program."""

    def __init__(self, folder: Path, program: str, *, seed: int = 1, board_toml: Path = BOARD_TOML) -> None:
        self.kernel = Kernel.virtual(seed)
        described = load_board(board_toml)
        files = {
            f"{package}/{path.name}": path.read_bytes()
            for package in ("drivers", "tasks")
            for path in (ROOT / "firmware" / package).glob("*.py")
        }
        files["boot.py"] = b""
        files["main.py"] = (PRELUDE + program).encode()
        vfs = described.partition("vfs")
        image = bytearray(b"\xff") * described.flash_bytes
        table = encode_table(described.partitions)
        image[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
        packed = pack_littlefs(files, vfs.size)
        image[vfs.offset : vfs.offset + len(packed)] = packed
        flash = folder / "flash.bin"
        flash.write_bytes(image)
        self.board = Board(self.kernel, load_spec(board_toml), flash, seed=seed)

    def run(self, script: Callable[[Board], Awaitable[None]] | None = None) -> list[Any]:
        """Power on, let `script` act as soon as the program waits for a second or more, and wait until the
        program has nothing more to do. The board stays on. Returns what the program said."""

        async def day() -> None:
            await self.board.power_on()
            await self.board.idle()
            if script is not None:
                await script(self.board)
            await self.board.idle(for_us=FOREVER)

        self.kernel.run(day())
        return self.said()

    def said(self) -> list[Any]:
        """All that the program has said, in every boot."""
        text = self.board.console_text()
        assert "Traceback" not in text, text
        return [json.loads(said) for said in re.findall(r"SAY (.*)", text)]

    def close(self) -> None:
        """Switch off."""
        self.board.close()
        self.kernel.close()


async def wait_ms(ms: int) -> None:
    """Let virtual time pass."""
    await asyncio.sleep(ms / 1000)


def no_violations(parts: Iterable[Any]) -> None:
    """Fail with the list of what the parts' datasheets forbid."""
    found = [violation for part in parts for violation in part.violations]
    assert found == []
