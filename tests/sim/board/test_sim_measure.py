"""What the board reports of the firmware: heap, CPU, and the memory of its own process."""

from __future__ import annotations

import asyncio
from pathlib import Path

from board_bench import Bench


def test_the_heap_peak_counts_what_the_firmware_holds(tmp_path: Path) -> None:
    bench = Bench(tmp_path, measure=True)
    try:
        bench.run(
            """
            import time
            time.sleep_ms(1)
            held = bytearray(60000)
            time.sleep_ms(1)
            del held
            """
        )
        assert 60_000 < bench.board.stats.heap_peak < 80_000
    finally:
        bench.close()


def test_one_board_is_small(bench: Bench) -> None:
    bench.put(main="import time\nx = bytearray(200000)\nwhile True: time.sleep(1)\n")

    async def scene() -> int:
        await bench.board.power_on()
        await asyncio.sleep(10)
        assert bench.board.guest is not None
        text = Path(f"/proc/{bench.board.guest.pid}/smaps_rollup").read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))

    assert bench.kernel.run(scene()) < 50_000
    assert bench.board.cpu_ns() > 0


def test_idle_returns_when_only_a_long_wait_is_left(bench: Bench) -> None:
    bench.put(main="import time\nfor i in range(20): time.sleep_ms(50)\ntime.sleep(100)\n")

    async def scene() -> None:
        await bench.board.power_on()
        await bench.board.idle()

    bench.kernel.run(scene())
    assert 1_000_000 <= bench.kernel.now_us() < 1_100_000
