"""Wall, sounder and light on the simulated board, before a hub that a script plays, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from smilehub.devices.image import compile_file, pack_littlefs
from smilehub.devices.partitions import TABLE_OFFSET, encode_table, load_board
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec

ROOT = Path(__file__).resolve().parents[2]
BOARD_TOML = ROOT / "hardware" / "kiosk" / "board.toml"
FILES = [
    *(
        "drivers/__init__",
        "drivers/max7219",
        "drivers/sounder",
        "drivers/pixel",
        "tasks/__init__",
        "tasks/wake",
    ),
    *("kiosk/__init__", "kiosk/wall", "kiosk/signs", "kiosk/glyphs"),
    *(f"hubcore/{name}" for name in ("__init__", "records", "cbor", "classes", "compat", "errors", "labels")),
]

PROGRAM = """
import asyncio
import time
from machine import PWM, SPI, Pin
from neopixel import NeoPixel
from drivers.max7219 import Matrix
from drivers.pixel import Pixel
from drivers.sounder import Sounder
from kiosk.glyphs import Font
from kiosk.signs import Signs
from kiosk.wall import Wall


class Thing:
    def __init__(self, **fields):
        for name in fields:
            setattr(self, name, fields[name])


class Alert(Thing):
    def level(self, now_ms):
        return 2 if now_ms - self.raised_ms >= 60000 else 1


class Turn:
    begin = rest = lambda self: None


class Fold:
    day_open = True
    alerts = {}
    made = []  # (label, chair), newest first
    visits = {}

    def calls(self, n):
        return self.made[:n]


class Hub:
    fold = Fold()
    alarm = None
    alarm_ms = 0
    start = time.ticks_ms()

    def now_ms(self):
        return time.ticks_diff(time.ticks_ms(), self.start)

    @property
    def alarm_level(self):
        return 2 if self.now_ms() - self.alarm_ms >= 60000 else 1


hub = Hub()
health = Thing(standing=())
spi = SPI(2, baudrate=4_000_000, sck=Pin(40), mosi=Pin(41), miso=Pin(39))
wall = Wall(Matrix(spi, Pin(42, Pin.OUT), 12, 2), Font("wall.fnt"), hub)
signs = Signs(hub, Sounder(PWM(Pin(16), freq=1000, duty_u16=0)), Pixel(NeoPixel(Pin(48), 1)), health)


def tell(kind=None):
    record = Thing(kind=kind)
    wall.changed(record)
    signs.changed(record)


def call(label, chair, kind="called"):
    hub.fold.made = [(label, chair)] + [made for made in hub.fold.made if made[1] != chair]
    tell(kind)


def alert(why):
    hub.fold.alerts[len(hub.fold.alerts) + 1] = Alert(why=why, raised_ms=hub.now_ms())
    tell("alert_raised")


def unrecorded(why):
    hub.alarm = why
    hub.alarm_ms = hub.now_ms()
    tell()


def acknowledge():
    hub.fold.alerts.clear()
    tell("alert_acknowledged")


async def main():
    before = [act for at, act in SCRIPT if at < 0]
    for act in before:
        exec(act)
    asyncio.create_task(wall.run(Turn()))
    asyncio.create_task(signs.run(Turn()))
    start = time.ticks_ms()
    for at, act in SCRIPT[len(before):]:
        await asyncio.sleep_ms(max(0, at - time.ticks_diff(time.ticks_ms(), start)))
        exec(act)
    await asyncio.sleep(100_000)


asyncio.run(main())
"""

#: A picture of the wall: rows of LEDs.
Picture = tuple[tuple[bool, ...], ...]


class Room:
    """What stood on the wall, was heard and shone while the script was played; times in ms from its start.

    What the script does at a time below 0 is done before the tasks begin.
    """

    def __init__(
        self, folder: Path, font: Path, script: Iterable[tuple[int, str]], ms: int, *, broken: str = ""
    ):
        described = load_board(BOARD_TOML)
        files = {
            f"{name}.mpy": compile_file(f"{name}.py", (ROOT / "firmware" / f"{name}.py").read_bytes())
            for name in FILES
        }
        files["boot.py"] = b""
        files["wall.fnt"] = font.read_bytes()
        files["main.py"] = PROGRAM.replace("SCRIPT", repr(list(script))).encode()
        vfs = described.partition("vfs")
        image = bytearray(b"\xff") * described.flash_bytes
        table = encode_table(described.partitions)
        image[TABLE_OFFSET : TABLE_OFFSET + len(table)] = table
        packed = pack_littlefs(files, vfs.size)
        image[vfs.offset : vfs.offset + len(packed)] = packed
        flash = folder / "flash.bin"
        flash.write_bytes(image)
        kernel = Kernel.virtual(3)
        board = Board(kernel, load_spec(BOARD_TOML), flash, seed=3)
        self.wall: list[tuple[int, Picture]] = []
        self.latches: list[int] = []
        try:
            if broken:
                board.part(broken).broken = True
            kernel.run(self._watch(kernel, board, ms))
            text = board.console_text()
            assert "Traceback" not in text, text
            self.tones: list[tuple[int, int, int]] = [
                (tone.freq, self._ms(tone.from_us), self._ms(tone.to_us or kernel.now_us()))
                for tone in board.part("sounder").heard()
            ]
            history: list[tuple[int, Any]] = board.part("pixel").history
            self.light: list[tuple[int, tuple[int, int, int]]] = [(self._ms(us), c) for us, c in history]
            self.violations = [
                v for name in ("wall", "sounder", "pixel") for v in board.part(name).violations
            ]
        finally:
            board.close()
            kernel.close()

    def _ms(self, us: int) -> int:
        return (us - self._start_us) // 1000

    async def _watch(self, kernel: Kernel, board: Board, ms: int) -> None:
        await board.power_on()
        wall = board.part("wall")
        self._start_us = 0
        while not wall.latches:  # the wall's first picture is sent when the tasks begin
            await asyncio.sleep(0.01)
        self._start_us = kernel.now_us() - 20_000  # what the script does is seen a little later, never before
        seen = shown = -1
        for at in range(0, ms, 20):
            if wall.latches != seen:  # perhaps in the middle of a picture: look when it is whole
                seen = wall.latches
                self.latches.append(at)
            elif seen != shown:
                shown = seen
                picture: Picture = tuple(tuple(row) for row in wall.pixels())
                if not self.wall or picture != self.wall[-1][1]:
                    self.wall.append((at - 20, picture))
            await asyncio.sleep(0.02)


def fastest(times: Iterable[int]) -> int:
    """The most changes within any second."""
    at = sorted(times)
    return max((sum(1 for other in at if one <= other < one + 1000) for one in at), default=0)
