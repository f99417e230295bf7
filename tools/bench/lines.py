"""Kiosks on simulated lines with a long journal each, and what mpremote makes of a line of the same rate."""

import asyncio
import contextlib
import functools
import os
import random
import subprocess
import sys
import tempfile
import termios
import time
import tty
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from hubcore import desk, records
from hubcore.fold import Hub
from services.journal import Journal
from smilehub.devices import image, memory
from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml, firmware_root
from smilehub.errors import LinkClosed
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim.board import Board, device_id
from smilehub.sim.flash import write_partition
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import LinkPort
from smilehub.sim.spec import load_spec
from smilehub.sim.uart import Uarts
from smilehub.store.database import Store
from smilehub.sync.syncer import Synced, Syncer
from smilehub.trust.authority import Authority

BAUD = 115200
_SECTOR = 4096
_UTC_S = 1_777_879_800
_MPREMOTE_BYTES = 64 * 1024
_UP_S = 10.0
_ERASES = b"""
from machine import Timer
from esp32 import Partition
_erase = Partition.find(Partition.TYPE_DATA, label="app_b")[0].ioctl
Timer(3).init(period=2000, callback=lambda _: _erase(6, 0))
"""


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
        hub.apply(b"\0" * 8, records.decode(records.encode(code, seq, 1, now, _UTC_S, body)))
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


@functools.cache
def journal_of(count: int, seed: int) -> tuple[bytes, tuple[bytes, ...]]:
    """A journal's partition with ``count`` records, or a few more, and the bytes of these."""
    part = _Partition(load_board(board_toml("kiosk")).partition("journal").size)
    journal = Journal(part)
    journal.open()
    written: list[bytes] = []
    for code, body, uptime in day_records(count, seed):
        journal.append(code, body, uptime, _UTC_S)
        written.append(records.encode(code, len(written) + 1, journal.boot, uptime, _UTC_S, body))
    return bytes(part.data), tuple(written)


class Rig:
    """A kiosk whose journal holds ``count`` records, with a laptop's store; several may share a ``kernel``.

    ``erasing``: it erases a sector of its flash every two seconds besides, 45 ms each.
    """

    def __init__(
        self,
        kernel: Kernel,
        folder: Path,
        seed: int,
        count: int,
        *,
        erasing: bool = False,
        store: Store | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        flash = folder / "flash.bin"
        toml = board_toml("kiosk")
        authority = Authority.from_seed(seed)
        flash.write_bytes(_flash(erasing))
        board = load_board(toml)
        with flash.open("r+b") as file:
            file.seek(board.partition("keys").offset + image.IDENTITY_SECTOR * _SECTOR)
            file.write(authority.issue_kiosk(device_id(seed)).blob)
        self.identity = authority.issue_person("laptop", "bench")
        #: The records of the kiosk's journal before it was switched on.
        self.records: tuple[bytes, ...] = ()
        if count:
            journal, self.records = journal_of(count, seed)
            write_partition(flash, "journal", journal)
        self.kernel = kernel
        spec = load_spec(toml)
        self.board = Board(kernel, spec, flash, seed=seed, heap_bytes=memory.kiosk_heap(spec.heap_limit))
        self.uarts = Uarts(self.board)
        link = self.uarts.links["link"]
        assert isinstance(link, LinkPort)
        self.port = link
        self.wire = Wire(link)
        self.store = store or Store.open(folder / "store.sqlite", command="bench", clock=self.clock)

    def clock(self) -> int:
        """UTC seconds."""
        return _UTC_S + self.kernel.now_us() // 1_000_000

    async def power_on(self) -> None:
        """Switch on and wait until it has long started."""
        await self.board.power_on()
        await asyncio.sleep(_UP_S)

    def client(self, *rates: int) -> KioskClient:
        """A laptop's, not yet connected; ``rates`` are tried beyond 115,200 bits a second."""
        return KioskClient(SecureTransport(CableTransport(self.wire, rates=rates), self.identity))

    async def sync(self, client: KioskClient) -> Synced:
        """What a connected laptop does first."""
        return await Syncer(client, self.store, self.clock).run()

    def stored(self, from_seq: int = 1) -> list[bytes]:
        """The store's records of this kiosk's journal."""
        journal = self.store.newest_journal(device_id(self.board.seed))
        return [raw for _, raw in self.store.records(journal.journal_id, from_seq)] if journal else []

    def last(self) -> int:
        """The highest seq of them; 0: none."""
        journal = self.store.newest_journal(device_id(self.board.seed))
        return journal.last if journal else 0

    def wrong(self) -> int:
        """How many of the records are not where they belong in the store."""
        stored = self.stored()[: len(self.records)]
        return sum(mine != theirs for mine, theirs in zip_longest(self.records, stored))

    def check(self) -> None:
        """Raises RuntimeError unless the laptop has them all."""
        if wrong := self.wrong():
            raise RuntimeError(f"{wrong} records are lost, doubled or changed")

    def close(self) -> None:
        """Switch off and close the store."""
        self.board.close()
        self.uarts.close()
        self.store.close()


class Wire:
    """The virtual link port as the laptop's transports are: a broken one is a closed link.

    ``sent`` and ``received`` count bytes.
    """

    def __init__(self, port: LinkPort) -> None:
        self._port = port
        self.name = port.name
        self.mtu = port.mtu
        self.has_rates = port.has_rates
        self.set_baud = port.set_baud
        self.close = port.close
        self.sent = self.received = 0

    async def open(self) -> None:
        with _told(self.name):
            await self._port.open()

    async def send(self, data: bytes) -> None:
        self.sent += len(data)
        with _told(self.name):
            await self._port.send(data)

    async def receive(self) -> bytes:
        with _told(self.name):
            data = await self._port.receive()
        self.received += len(data)
        return data


@contextlib.contextmanager
def _told(name: str) -> Generator[None]:
    try:
        yield
    except LinkClosed:
        raise
    except OSError as error:
        raise LinkClosed(f"{name} ended") from error


@functools.cache
def _flash(erasing: bool) -> bytes:
    """A kiosk's flash as it ships; ``erasing``: its boot.py starts a timer that erases what nobody uses."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        path = Path(folder) / "flash.bin"
        board = image.build_image(board_toml("kiosk"), path)
        if erasing:
            files = {name: (firmware_root() / "boot" / name).read_bytes() for name in ("boot.py", "main.py")}
            files["boot.py"] += _ERASES
            write_partition(path, "vfs", image.pack_littlefs(files, board.partition("vfs").size))
        return path.read_bytes()


@contextlib.contextmanager
def a_rig(count: int, *, erasing: bool = False) -> Generator[Rig]:
    """A kiosk with so many records, alone on its clock."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        kernel = Kernel.virtual(1)
        rig = Rig(kernel, Path(folder), 1, count, erasing=erasing)
        try:
            yield rig
        finally:
            rig.close()
            kernel.close()


@dataclass(frozen=True, slots=True)
class Share:
    """Of the bytes that a line could carry, how many were records of a first sync; seconds until it began;
    bytes changed on the line."""

    share: float
    opening_s: float
    changed: int


def sync_share(count: int, baud: int = BAUD, *, noise: float = 0.0, erasing: bool = False) -> Share:
    """Sync ``count`` records; ``noise`` is the share of bytes with a wrong bit. Raises RuntimeError if one is
    not stored as it was."""
    with a_rig(count, erasing=erasing) as rig:

        async def run() -> Share:
            loop = asyncio.get_running_loop()
            await rig.power_on()
            for number, faults in enumerate((rig.port.to_board, rig.port.to_laptop)):
                faults.random = random.Random(number)
                faults.noise = noise
            asked = loop.time()
            async with rig.client(*([] if baud == BAUD else [baud])) as client:
                began = loop.time()
                erased = rig.board.stats.flash_ops
                await rig.sync(client)
                took = loop.time() - began
                erased = rig.board.stats.flash_ops - erased
            rig.check()
            if erasing and erased < took // 2:
                raise RuntimeError(f"only {erased} erases and writes in {took:.1f} s")
            changed = rig.port.to_board.changed + rig.port.to_laptop.changed
            if noise and not changed:
                raise RuntimeError("no byte was changed on the line")
            share = sum(map(len, rig.records)) / (baud / 10 * took)
            return Share(share, began - asked, changed)

        return rig.kernel.run(run())


def mpremote_share(baud: int = BAUD) -> float:
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
                took = asyncio.run(_paced_copy(bin_ / "mpremote", console, source, baud / 10))
            finally:
                board.terminate()
    return _MPREMOTE_BYTES / (baud / 10 * took)


async def _paced_copy(mpremote: Path, console: Path, source: Path, bytes_per_s: float) -> float:
    """Seconds of the copy over a pseudo-terminal in between, which passes bytes at the line's rate."""
    master, slave = os.openpty()
    tty.setraw(slave)
    far = os.open(console, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(far, termios.TCSANOW)
    passing = [asyncio.create_task(_pass(a, b, bytes_per_s)) for a, b in ((master, far), (far, master))]
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


async def _pass(source: int, sink: int, bytes_per_s: float) -> None:
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
            due = max(due, loop.time()) + len(data) / bytes_per_s
            await asyncio.sleep(max(0.0, due - loop.time()))
            os.write(sink, data)
