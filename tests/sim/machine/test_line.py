"""The host's side of a UART by itself: pacing in chunks, and the pseudo-terminal in real time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from machine_bench import SPEC, Bench, Probe

from smilehub.sim import peripherals
from smilehub.sim.board import Board
from smilehub.sim.kernel import Kernel
from smilehub.sim.linkport import Faults, PtyLink
from smilehub.sim.spec import parse_spec
from smilehub.sim.uart import CHUNK_NS, Pacer, Uarts


class Clock:
    """Time that moves from one callback to the next."""

    def __init__(self) -> None:
        self.now = 0
        self.calls: list[tuple[int, Callable[..., object], tuple[Any, ...]]] = []

    def now_us(self) -> int:
        return self.now

    def call_at_us(self, at_us: int, callback: Callable[..., object], *args: Any) -> Any:
        self.calls.append((at_us, callback, args))
        return self

    def cancel(self) -> None:
        self.calls.clear()

    def run(self, until_us: int | None = None) -> None:
        while self.calls and (until_us is None or self.calls[0][0] <= until_us):
            at, callback, args = self.calls.pop(0)
            self.now = max(self.now, at)
            callback(*args)


def test_every_byte_comes_at_most_a_chunk_after_its_time() -> None:
    clock = Clock()
    got: list[tuple[int, bytes]] = []
    pacer = Pacer(clock, lambda data: got.append((clock.now, data)), baud=115200)
    pacer.put(bytes(range(100)), 1000)
    pacer.put(b"next", 1500)
    pacer.put(b"later", 50_000)
    clock.run()
    assert b"".join(data for _, data in got) == bytes(range(100)) + b"nextlater"
    assert pacer.passed == 109 and pacer.pending == 0
    count = 0
    for at, data in got:
        for _ in data:
            count += 1
            due = 1000 + count * 86.805 if count <= 104 else 50_000 + (count - 104) * 86.805
            assert due <= at + 1 <= due + CHUNK_NS / 1000 + 1
    assert max(len(data) for _, data in got) == 11


def test_slow_lines_hand_over_byte_by_byte() -> None:
    clock = Clock()
    got: list[tuple[int, bytes]] = []
    pacer = Pacer(clock, lambda data: got.append((clock.now, data)), baud=300, bits=11)
    pacer.put(b"abc", 0)
    clock.run()
    assert got == [(36_667, b"a"), (73_334, b"b"), (110_000, b"c")]


def test_a_cleared_line_is_free_at_once() -> None:
    clock = Clock()
    got = bytearray()
    pacer = Pacer(clock, got.extend, baud=9600)
    pacer.put(bytes(100), 0)
    clock.run(10_000)
    assert 7 <= len(got) <= 9
    pacer.clear()
    got.clear()
    pacer.put(b"x", 20_000)
    clock.run()
    assert got == b"x" and clock.now == 21_042


def test_a_late_clock_hands_over_all_that_has_passed() -> None:
    clock = Clock()
    got: list[bytes] = []
    pacer = Pacer(clock, got.append, baud=115200)
    pacer.put(bytes(100), 0)
    clock.now = 5_000
    clock.run(5_000)
    assert len(got[0]) == 57


def test_faults_are_seeded() -> None:
    def damage(seed: int) -> bytes:
        faults = Faults()
        faults.loss = faults.noise = 0.1
        faults.random.seed(seed)
        return faults.apply(bytes(1000))

    assert damage(1) == damage(1) != damage(2)
    assert 800 < len(damage(1)) < 980 and damage(1).count(0) < len(damage(1))


def test_same_seed_same_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peripherals.PARTS, "probe", Probe)
    runs: list[list[str]] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        bench = Bench(tmp_path / name)

        async def talk(bench: Bench) -> None:
            await bench.until("ready")
            await bench.link.open()
            for n in range(1, 30):
                await bench.link.send(bytes(n))
                await asyncio.sleep(0.003)

        try:
            runs.append(
                bench.run(
                    """
from machine import UART
import time, asyncio
u = UART(1, 115200, tx=17, rx=18)
print('ready')
async def main():
    r = asyncio.StreamReader(u)
    n = 0
    while n < 435:
        n += len(await r.read(64))
        print(n, time.ticks_us())
asyncio.run(main())
""",
                    talk,
                )
            )
        finally:
            bench.close()
    assert runs[0] == runs[1] and len(runs[0]) > 30


def test_pseudo_terminal_echoes_and_may_be_reopened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peripherals.PARTS, "probe", Probe)
    bench = Bench(tmp_path)
    bench.load(
        """
from machine import UART
import asyncio
u = UART(1, 115200, tx=17, rx=18)
print('ready')
async def main():
    s = asyncio.StreamReader(u)
    while True:
        s.write(await s.read(100))
        await s.drain()
asyncio.run(main())
"""
    )
    bench.close()
    kernel = Kernel.real()
    spec = parse_spec(SPEC)
    board = Board(kernel, spec, bench.flash)
    uarts = Uarts(board)
    link = uarts.links["link"]
    assert isinstance(link, PtyLink)

    def client(data: bytes) -> bytes:
        """Blocking, in a thread, as another program would be."""
        fd = os.open(link.path, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(fd, data)
            got = b""
            end = time.monotonic() + 10
            while len(got) < len(data) and time.monotonic() < end:
                got += os.read(fd, 4096)
            return got
        finally:
            os.close(fd)

    async def session() -> None:
        await board.power_on()
        async with asyncio.timeout(20):
            while "ready" not in board.console_text():
                await asyncio.sleep(0.02)
            for n in (1, 1000, 30):
                data = bytes(i & 255 for i in range(n))
                began = kernel.now_us()
                assert await asyncio.to_thread(client, data) == data
                # Never faster than the line.
                assert kernel.now_us() - began >= n * 86.8

    try:
        kernel.run(session())
    finally:
        uarts.close()
        board.close()
        kernel.close()


def test_what_nobody_reads_is_lost_not_kept(tmp_path: Path) -> None:
    class Line:
        far: Any = None

        class Side:
            pending = 0
            on_passed: Any = None

            def clear(self) -> None:
                pass

        to_board = Side()
        to_outside = Side()

        def send(self, data: bytes) -> None:
            pass

    loop = asyncio.new_event_loop()
    line = Line()
    link = PtyLink(line, loop)
    try:
        for _ in range(40):
            line.far(bytes(1000))
            time.sleep(0.001)
        assert link.lost >= 30_000
    finally:
        link.shut()
        link.shut()
        loop.close()
