"""The board's clock: simulated, repeatable, and with an ESP32's ticks."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from board_bench import Bench

from smilehub.sim.board import BoardError
from smilehub.sim.guest import GuestHung


def test_an_hour_of_asyncio_takes_no_time(bench: Bench) -> None:
    start = time.perf_counter()
    lines = bench.run(
        """
        import asyncio, time
        async def main():
            t = time.ticks_ms()
            await asyncio.sleep(3600)
            print(time.ticks_diff(time.ticks_ms(), t))
        asyncio.run(main())
        """,
        seconds=4000,
    )
    assert 3_600_000 <= int(lines[0]) <= 3_600_002
    assert bench.kernel.now_us() >= 3_600_000_000
    assert time.perf_counter() - start < 20


def test_ticks_wrap_a_minute_after_power_on(bench: Bench) -> None:
    lines = bench.run(
        """
        import time
        a = time.ticks_ms()
        time.sleep(61)
        b = time.ticks_ms()
        print(a < 1 << 30, b < a, time.ticks_diff(b, a), time.ticks_add(a, 61000) - b)
        print(time.ticks_diff(0, (1 << 30) - 1), time.ticks_diff(1 << 29, 0), time.ticks_us() < 1 << 30)
        try:
            time.ticks_add(0, 1 << 29)
        except OverflowError as e:
            print(e)
        """,
        seconds=100,
    )
    first, second, third = lines
    a, b, diff, rest = first.split()
    assert (a, b) == ("True", "True")
    assert abs(int(diff) - 61000) <= 1 and abs(int(rest)) <= 1
    assert second == "1 -536870912 True"
    assert third == "ticks interval overflow"


def test_asyncio_tasks_keep_their_order_across_the_wrap(bench: Bench) -> None:
    lines = bench.run(
        """
        import asyncio, time
        async def at(name, ms):
            await asyncio.sleep_ms(ms)
            print(name)
        async def main():
            await asyncio.sleep(59)
            t = time.ticks_ms()
            await asyncio.gather(at("c", 3000), at("a", 500), at("b", 1500))
            print(time.ticks_ms() < t)
            task = asyncio.create_task(at("never", 100000))
            await asyncio.sleep_ms(10)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                print("cancelled")
            try:
                await asyncio.wait_for(at("late", 5000), 1)
            except asyncio.TimeoutError:
                print("timeout")
        asyncio.run(main())
        """,
        seconds=200,
    )
    assert lines == ["a", "b", "c", "True", "cancelled", "timeout"]


def test_epoch_is_2000_and_the_rtc_starts_there(bench: Bench) -> None:
    lines = bench.run(
        """
        import time
        print(time.gmtime(0), time.mktime((2026, 11, 22, 5, 16, 7, 0, 0)), time.gmtime(848639767))
        time.sleep(100)
        print(time.time(), time.time_ns() // 1000000000, time.localtime())
        """,
        seconds=200,
    )
    assert lines[0] == "(2000, 1, 1, 0, 0, 0, 5, 1) 848639767 (2026, 11, 22, 5, 16, 7, 6, 326)"
    assert lines[1] == "100 100 (2000, 1, 1, 0, 1, 40, 5, 1)"


TRACE = """
import asyncio, os, random, time
async def worker(n):
    for i in range(20):
        await asyncio.sleep_ms(random.randrange(1, 50))
        print(n, i, time.ticks_us(), os.urandom(3))
async def main():
    await asyncio.gather(*[worker(n) for n in range(4)])
asyncio.run(main())
"""


def _trace(folder: Path, seed: int) -> str:
    folder.mkdir()
    bench = Bench(folder, seed=seed)
    try:
        bench.run(TRACE)
        return bench.text
    finally:
        bench.close()


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    first = _trace(tmp_path / "a", 7)
    assert first.count("\n") > 80
    assert _trace(tmp_path / "b", 7) == first
    assert _trace(tmp_path / "c", 8) != first


def test_random_numbers_differ_from_boot_to_boot(bench: Bench) -> None:
    bench.put(main="import os, random\nprint('drew', os.urandom(8), random.getrandbits(30))\n")

    async def scene() -> None:
        await bench.board.power_on()
        await bench.until(">>> ")
        bench.board.reset()
        await asyncio.sleep(1)

    bench.kernel.run(scene())
    drawn = re.findall("drew .*", bench.text)
    assert len(drawn) == 2 and drawn[0] != drawn[1]


def test_sleep_is_interrupted_by_nothing_and_ends_on_time(bench: Bench) -> None:
    lines = bench.run(
        """
        import time
        t = time.ticks_us()
        time.sleep_us(250); a = time.ticks_us()
        time.sleep_ms(3); b = time.ticks_us()
        time.sleep(0.5); c = time.ticks_us()
        time.sleep(-1); time.sleep_ms(0)
        print(time.ticks_diff(a, t), time.ticks_diff(b, a), time.ticks_diff(c, b))
        """
    )
    assert lines == ["260 3010 500010"]


def test_a_guest_that_never_looks_at_its_clock_is_named(bench: Bench) -> None:
    bench.kernel.hang_seconds = 0.3
    bench.put(main="while True: pass\n")

    async def scene() -> None:
        await bench.board.power_on()
        await asyncio.sleep(10)

    with pytest.raises(GuestHung, match="computes without"):
        bench.kernel.run(scene())


def test_power_on_twice_is_refused(bench: Bench) -> None:
    async def scene() -> None:
        await bench.board.power_on()
        with pytest.raises(BoardError, match="on already"):
            await bench.board.power_on()

    bench.kernel.run(scene())
