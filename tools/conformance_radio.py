"""MicroPython's own Bluetooth tests between two simulated boards in one air, for `make conformance`.

`tests/multi_bluetooth` of a MicroPython checkout and aioble's `multitests` of a micropython-lib checkout, the
latter with aioble in the boards' `/lib`. Run with `--serve FOLDER` this is the two boards, in real time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from littlefs import LittleFS

from smilehub.sim.board import Board
from smilehub.sim.console import Console
from smilehub.sim.flash import create, write_partition
from smilehub.sim.kernel import Kernel
from smilehub.sim.radio import Radio
from smilehub.sim.spec import BoardSpec, parse_spec

ROOT = Path(__file__).resolve().parent.parent
MULTI_TESTS = Path("tests/multi_bluetooth")
AIOBLE = Path("micropython/bluetooth/aioble")
_CHOICE = ("ble_*.py", "perf_gatt_*.py", "stress_*.py")
_BOARDS = 2
_ONE_TEST = 120.0
_VFS_BYTES = 0x200000

#: Tests that are not run, and why.
SKIPPED: Mapping[str, str] = {
    "multi_bluetooth/ble_l2cap.py": "ESP32 builds have no L2CAP channels",
    "multi_bluetooth/stress_deepsleep_reconnect.py": "waits for the banner of a release",
    "aioble/ble_shutdown.py": "needs L2CAP channels, which ESP32 builds lack",
    "aioble/perf_l2cap.py": "needs L2CAP channels, which ESP32 builds lack",
}

Run = Callable[[Sequence["str | Path"], Path, float], "tuple[int | None, str]"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test: pass, fail or skip, and what was said."""

    test: str
    outcome: str
    detail: str = ""


def spec() -> BoardSpec:
    """A board with nothing on it but flash and radio."""
    rows = [
        {"name": "nvs", "type": "data", "subtype": "nvs", "offset": 0x9000, "size": 0x6000},
        {"name": "factory", "type": "app", "subtype": "factory", "offset": 0x10000, "size": 0x10000},
        {"name": "vfs", "type": "data", "subtype": "fat", "offset": 0x20000, "size": _VFS_BYTES},
    ]
    board = {"id": "bare", "chip": "esp32s3", "flash_mb": 4, "heap_limit": 204_800}
    return parse_spec({"board": board, "partition": rows})


def play(copy: Path, library: Path | None, folder: Path, run: Run) -> Generator[Verdict]:
    """All tests, one by one. `copy` is a copy of MicroPython's `tests` and `tools`; `library` a
    micropython-lib checkout, without which aioble's tests are skipped. Raises RuntimeError if the boards do
    not start."""
    tests = copy / "tests"
    chosen = [path for pattern in _CHOICE for path in sorted((copy / MULTI_TESTS).glob(pattern))]
    modules = None
    if library is not None:
        modules = library / AIOBLE / "aioble"
        theirs = tests / "aioble"
        shutil.copytree(library / AIOBLE / "multitests", theirs)
        chosen += sorted(theirs.glob("*.py"))
    else:
        yield Verdict("aioble", "skip", "say where micropython-lib is: MICROPYTHON_LIB=DIR")
    with boards(folder, modules) as ports:
        for path in chosen:
            name = path.relative_to(tests).as_posix()
            if name in SKIPPED:
                yield Verdict(name, "skip", SKIPPED[name])
                continue
            command: list[str | Path] = [sys.executable, "run-multitests.py"]
            for port in ports:
                command += ["-t", f"port:{port}"]
            code, out = run([*command, name], tests, _ONE_TEST)
            yield judge(name, code, out)


def judge(name: str, code: int | None, out: str) -> Verdict:
    """What the runner's output says of one test."""
    if code is None:
        return Verdict(name, "fail", "did not end")
    verdict = re.search(r"(?:: |^)(pass|FAIL|skip)$", out, re.MULTILINE)
    if verdict is None:
        return Verdict(name, "fail", out.strip()[-600:])
    if verdict[1] == "FAIL":
        return Verdict(name, "fail", out.partition("### TEST ###")[0].strip()[-1500:])
    return Verdict(name, verdict[1])


@contextlib.contextmanager
def boards(folder: Path, modules: Path | None) -> Generator[list[str]]:
    """Two boards in a process of their own; gives the paths of their consoles. Raises RuntimeError."""
    folder.mkdir(exist_ok=True)
    said = folder / "ports.json"
    command: list[str | Path] = [sys.executable, "-m", "tools.conformance_radio", "--serve", folder]
    if modules is not None:
        command += ["--modules", modules]
    with (folder / "boards.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            for _ in range(300):
                if said.exists() or process.poll() is not None:
                    break
                time.sleep(0.1)
            if not said.exists():
                raise RuntimeError(f"The boards did not start: {(folder / 'boards.log').read_text()}")
            yield json.loads(said.read_text())
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def serve(folder: Path, modules: Path | None) -> None:
    """Be the boards until SIGTERM."""
    kernel = Kernel.real()
    radio = Radio(kernel)
    made: list[tuple[Board, Console]] = []
    for number in range(_BOARDS):
        flash = folder / f"board{number}.bin"
        create(flash, spec())
        write_partition(flash, "vfs", _filesystem(modules))
        console = Console(kernel.loop)
        # Twice the chip's heap: a PC's objects are twice as large.
        board = Board(kernel, spec(), flash, seed=number, console=console)
        radio.board(board, f"board{number}")
        made.append((board, console))

    async def scene() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        for board, _ in made:
            await board.power_on()
        while not all(board.booted for board, _ in made):
            await asyncio.sleep(0.05)
        ready = folder / "ports.part"
        ready.write_text(json.dumps([console.path for _, console in made]))
        ready.rename(folder / "ports.json")
        await stop.wait()

    try:
        kernel.run(scene())
    finally:
        for board, _ in made:
            board.close()
        kernel.close()


def _filesystem(modules: Path | None) -> bytes:
    fs = LittleFS(
        block_size=4096, block_count=_VFS_BYTES // 4096, read_size=32, prog_size=32, lookahead_size=32
    )
    with fs.open("boot.py", "w") as file:
        file.write("# a fresh board's\n")
    if modules is not None:
        fs.mkdir("lib")
        fs.mkdir("lib/aioble")
        for path in sorted(modules.glob("*.py")):
            with fs.open(f"lib/aioble/{path.name}", "wb") as file:
                file.write(path.read_bytes())
    return bytes(fs.context.buffer)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the boards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--modules", type=Path)
    options = parser.parse_args(argv)
    serve(options.serve, options.modules)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
