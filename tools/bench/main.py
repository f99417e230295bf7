"""Area main: pixels, CPU and heap of the kiosk over a clinic day, the pick, the sync, the simulator."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smilehub.devices import image, memory
from smilehub.devices.sources import firmware_root
from tools.bench import bare, clinic, lines, shims

_VISITORS, _FEW_VISITORS = 200, 50
_CPU_VISITORS = 20
_CPU_RUNS = 5
_ESP32_FACTOR = 60
_MOST_DEVICE_BYTES = 204_800

_PICK = """
import sys, time
sys.path.insert(0, {firmware!r})
from hubcore.apq import Node, Waiting
from hubcore.classes import RATES
def fill(n):
    waiting = Waiting()
    for i in range(n):
        waiting.add(Node(i // 4, i), ("adult", "child", "any")[i % 3], 1 + i % 2, i // 4)
    return waiting
def best(call):
    least = None
    for _ in range(7):
        since = time.ticks_us()
        for _ in range(2000):
            call()
        took = time.ticks_diff(time.ticks_us(), since)
        least = took if least is None or took < least else least
    return least
few, many = fill(10), fill(10000)
now = 10000
nodes = list(many.order(now, RATES, 10000))
since = time.ticks_us()
sorted(nodes, key=lambda node: -RATES[1] * (now - node.arrival))
sort = time.ticks_diff(time.ticks_us(), since) * 2000
lanes = ("adult", "any")
print([best(lambda: few.pick(lanes, now, RATES)), best(lambda: many.pick(lanes, now, RATES)), sort])
"""


def rows() -> Iterator[dict[str, Any]]:
    """Measure and yield the area's rows."""
    yield from _panel_and_heap()
    yield _key_cpu()
    yield _pick()
    yield _row(
        "m-sync",
        "record bytes / (baud/10 x time), 10,000 records at 115200; beside: mpremote fs cp of 64 KiB",
        lines.sync_share(10_000).share,
        "share",
        ">= 0.8",
        lines.mpremote_share(),
    )
    yield _row(
        "m-board-mem", "one more board in the process tree, PSS", bare.board_memory_mb(), "MB", "<= 50"
    )


def declared_bytes() -> int:
    """B of ARCHITECTURE.md: declared buffers, resident assets and loaded .mpy of the kiosk, bytes."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        return memory.declared_bytes(image.build_app(Path(folder)))


def _panel_and_heap() -> Iterator[dict[str, Any]]:
    declared = declared_bytes()
    limit = memory.heap_here(_MOST_DEVICE_BYTES, declared)
    # More heap than the board has, so that a kiosk that needs too much gives a figure and not an end.
    few = clinic.watch(_FEW_VISITORS, heap_bytes=2 * limit)
    day = clinic.watch(_VISITORS, heap_bytes=2 * limit)
    moves = sorted(press.pixel_bytes for press in day.presses if press.key == "down")
    p95 = moves[int(len(moves) * 0.95)]
    yield _row("m-redraw-move", "pixel bytes of a selection move, p95 of the day", p95, "B", "<= 100000")
    worst = max(press.pixel_bytes for press in day.presses)
    yield _row("m-redraw-any", "pixel bytes of any key press, worst of the day", worst, "B", "<= 307200")
    peak = day.report.heap_peak_bytes
    on_board = memory.heap_on_board(peak, declared)
    # The same day unmeasured, so with collections as on the board, and with no more heap than the limit: a
    # proof that it is enough, fragments and all.
    try:
        report = clinic.watch(_VISITORS, heap_bytes=limit, measure=False).report
        said = f"the day passes with {limit} here"
    except Exception as error:  # noqa: BLE001 - whatever a day without memory ends with, it is a miss
        report = day.report
        said = f"but the day FAILS with {limit} here: {str(error)[:200]}"
        on_board = max(on_board, _MOST_DEVICE_BYTES + 1)
    what = f"heap peak of {_VISITORS} visitors, ESP32 bytes ({peak} here); {said}"
    yield _row("m-heap-peak", what, on_board, "B", f"<= {_MOST_DEVICE_BYTES}")
    growth = 100 * (day.at_rest / few.at_rest - 1)
    what = f"heap in use at rest after {_VISITORS} visitors ({day.at_rest} B here) over after {_FEW_VISITORS}"
    yield _row("m-heap-growth", what, growth, "%", "<= 1")
    share = report.seconds / report.clinic_seconds
    yield _row("m-day", f"{_VISITORS} visitors headless, wall / clinic seconds", share, "share", "<= 0.003")


def _key_cpu() -> dict[str, Any]:
    calibrations = shims.Shims()
    runs: list[list[clinic.Press]] = []
    with shims.one_core():
        for _ in range(_CPU_RUNS):
            calibrations.calibrate()
            runs.append(clinic.watch(_CPU_VISITORS, measure=False).presses)
        calibrations.calibrate()
    drawn = clinic.drawn(runs, calibrations.cost())
    own_ns = statistics.median(ns for _, ns, _ in drawn.presses)
    what = f"CPU x {_ESP32_FACTOR}, key press to last SPI byte, median"
    what = f"{what}; the simulator's {drawn.share:.0%} taken off; machine busy: +{calibrations.busy:.0%}"
    return _row("m-key-cpu", what, own_ns * _ESP32_FACTOR / 1e6, "ms", "<= 100")


def _pick() -> dict[str, Any]:
    """Inside MicroPython: time for 2,000 picks, best of seven."""
    program = _PICK.format(firmware=str(firmware_root()))
    command = [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=64M", "-c", program]
    ratios: list[float] = []
    sorts: list[float] = []
    for _ in range(3):
        few, many, sort = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        ratios.append(many / few)
        sorts.append(sort / few)
    return _row(
        "m-pick",
        "pick with 10,000 waiting / with 10; beside: sorting all 10,000 / pick with 10",
        statistics.median(ratios),
        "ratio",
        "<= 1.2",
        statistics.median(sorts),
    )


def _row(
    name: str, what: str, value: float, unit: str, limit: str, beside: float | None = None
) -> dict[str, Any]:
    return {
        "id": name,
        "area": "main",
        "what": what,
        "value": value,
        "unit": unit,
        "limit": limit,
        "beside": beside,
    }
