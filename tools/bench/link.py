"""How much of a serial line's rate a sync uses, and what mpremote makes of the same line."""

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from pathlib import Path

from hubcore import desk, records
from hubcore.fold import Hub
from services.journal import Journal
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sync.syncer import Syncer

BAUD = 115200
_BYTES_PER_S = BAUD / 10
_SECTOR = 4096
_MPREMOTE_BYTES = 64 * 1024


class _Partition:
    """The journal's part of a flash image, as ``esp32.Partition`` gives it to the firmware."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(b"\xff") * size

    def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
        at = block * _SECTOR + offset
        memoryview(buf)[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: bytes, offset: int = 0) -> None:
        at = block * _SECTOR + offset
        for i, byte in enumerate(buf):
            self.data[at + i] &= byte

    def ioctl(self, op: int, arg: int) -> int:
        if op == 4:
            return len(self.data) // _SECTOR
        if op == 5:
            return _SECTOR
        if op == 6:
            self.data[arg * _SECTOR : (arg + 1) * _SECTOR] = b"\xff" * _SECTOR
        return 0


def day_records(count: int, seed: int) -> Iterator[tuple[int, dict[str, object], int]]:
    """(kind, body, uptime in ms) of a busy day: visitors checked in, called, seated, served."""
    rng = random.Random(seed)
    hub = Hub()
    seq = 0
    now = 0

    def wish(name: str, args: Mapping[str, object]) -> tuple[int, dict[str, object], int]:
        nonlocal seq
        cmd = None if name == "checkin" else ("laptop-bench", seq)
        kind, fields = desk.decide(hub, name, dict(args), hub.now_ms(1, now), rng.randbytes, cmd)
        code, body = records.build(kind, fields)
        seq += 1
        hub.apply(b"\0" * 8, records.decode(records.encode(code, seq, 1, now, 1_777_879_800, body)))
        return code, body, now

    yield wish("day_open", {})
    yield wish("chair_open", {"chair": "1", "lanes": ["any"]})
    while seq < count:
        now += rng.randrange(1_000, 20_000)
        said = rng.choice(["toothache", "swelling", "broken", "checkup"])
        yield wish("checkin", {"need": said, "lane": "adult", "lang": "en", "pictogram": rng.randrange(8)})
        yield wish("call", {"chair": "1"})
        ticket = {"ticket": hub.chairs["1"].visit}
        yield wish("seated", ticket)
        yield wish("served", ticket)


def filled_flash(path: Path, count: int) -> int:
    """Put a journal of ``count`` records into a flash file; returns how many were written."""
    region = load_board(board_toml("kiosk")).partition("journal")
    part = _Partition(region.size)
    journal = Journal(part)
    journal.open()
    written = 0
    for code, body, uptime in day_records(count, seed=3):
        journal.append(code, body, uptime, 1_777_879_800)
        written += 1
    with path.open("r+b") as flash:
        flash.seek(region.offset)
        flash.write(part.data)
    return written


def sync_share(count: int = 10_000) -> float:
    """Record bytes of a first sync of ``count`` records ÷ what the line could carry in its (virtual) time."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        hub = SimulatedHub(Path(folder), 1, measure=False)
        try:
            filled_flash(hub.flash, count)
            return hub.kernel.run(_first_sync(hub, count))
        finally:
            hub.close()


async def _first_sync(hub: SimulatedHub, count: int) -> float:
    await hub.power_on()
    async with hub.laptop.connect() as client:
        loop = asyncio.get_running_loop()
        began = loop.time()
        synced = await Syncer(client, hub.store, hub.clock).run()
        took = loop.time() - began
    if synced.new < count:
        raise RuntimeError(f"only {synced.new} of {count} records arrived")
    payload = sum(len(raw) for _, raw in hub.store.records(synced.journal_id))
    return payload / (_BYTES_PER_S * took)


def mpremote_share() -> float:
    """File bytes of `mpremote fs cp` of 64 KiB ÷ what a console paced at that rate could carry."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as name:
        folder = Path(name)
        bin_ = Path(sys.executable).parent
        console = folder / "console"
        command = [
            bin_ / "smilehub",
            "sim",
            "kiosk",
            "--flash",
            folder / "flash.bin",
            "--console-link",
            console,
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as board:
            try:
                while not console.exists():
                    time.sleep(0.05)
                source = folder / "file.bin"
                source.write_bytes(random.Random(1).randbytes(_MPREMOTE_BYTES))
                took = asyncio.run(_paced_copy(bin_ / "mpremote", console, source))
            finally:
                board.terminate()
    return _MPREMOTE_BYTES / (_BYTES_PER_S * took)


async def _paced_copy(mpremote: Path, console: Path, source: Path) -> float:
    """Seconds of the copy over a pseudo-terminal in between, which passes bytes at the line's rate."""
    master, slave = os.openpty()
    tty.setraw(slave)
    far = os.open(console, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(far, termios.TCSANOW)
    passing = [asyncio.create_task(_pass(a, b)) for a, b in ((master, far), (far, master))]
    began = time.monotonic()
    copy = await asyncio.create_subprocess_exec(
        *(mpremote, "connect", os.ttyname(slave), "fs", "cp", source, ":file.bin"),
        stdout=subprocess.DEVNULL,
    )
    code = await copy.wait()
    took = time.monotonic() - began
    for task in passing:
        task.cancel()
    await asyncio.gather(*passing, return_exceptions=True)
    for fd in (master, slave, far):
        os.close(fd)
    if code:
        raise RuntimeError(f"mpremote ended with {code}")
    return took


async def _pass(source: int, sink: int) -> None:
    loop = asyncio.get_running_loop()
    os.set_blocking(source, False)
    due = loop.time()
    while True:
        readable = asyncio.Event()
        loop.add_reader(source, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(source)
        with contextlib.suppress(BlockingIOError):
            data = os.read(source, 256)
            due = max(due, loop.time()) + len(data) / _BYTES_PER_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            os.write(sink, data)
