"""MicroPython's own tests against the simulated board: `make conformance MICROPYTHON=DIR`, DIR being a
checkout. aioble's tests come from micropython-lib: MICROPYTHON_LIB=DIR, or the checkout's own submodule.

The board is a stock one: its file system empty, no application, so that what upstream expects of a fresh
board holds. The tests run from copies in a temporary folder; nothing in the checkout changes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smilehub.devices.image import build_image
from smilehub.devices.sources import board_toml
from smilehub.sim.spec import load_spec
from tools import conformance_radio

MPREMOTE_TESTS = Path("tools/mpremote/tests")
#: Of tests/: what a board of this kind is asked (facts: basics, the file systems, asyncio, select, time,
# machine).
CHOICE = (
    "basics/*.py",
    "micropython/*.py",
    "extmod/vfs_lfs*.py",
    "extmod/vfs_fat*.py",
    "extmod/asyncio*.py",
    "extmod/select*.py",
    "extmod/time*.py",
    "extmod/machine*.py",
)
_ONE_MPREMOTE_TEST = 120.0
_BATCH = 25
_BATCH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Known:
    """A test that fails for a reason.

    `lines`: for mpremote, the lines by which output and expectation may differ.
    """

    reason: str
    lines: tuple[str, ...] = ()


KNOWN_MPREMOTE: Mapping[str, Known] = {
    "test_resume": Known(
        "last line only: after `disconnect` mpremote looks for a board among USB ports, and ours is none",
        ("< mpremote: no device found", "> 5"),
    ),
    "test_unicode": Known(
        "last eval only: this interpreter's own build escapes non-ASCII text in repr()",
        (r"< '\u65e5\u672c\u8a9e'", "> '日本語'"),
    ),
}

_BARE = Known("fails in the interpreter's own build too, without a board")
_SYS = Known("the board's `sys` is a module of its own and can be written to; a chip's cannot")
_MODULE = Known("the board's `micropython` is a module from a file, and shows it")
KNOWN_TESTS: Mapping[str, Known] = {
    "basics/builtin_help.py": _MODULE,
    "basics/builtin_pow3.py": _BARE,
    "basics/builtin_pow3_intbig.py": _BARE,
    "basics/module2.py": _SYS,
    "basics/string_crlf_conversion.py": Known("the interpreter's own console takes line feeds for returns"),
    "basics/sys_tracebacklimit.py": _SYS,
    "extmod/machine_pulse.py": Known("time_pulse_us takes a chip's own pins only, as the ESP32 port's does"),
    "extmod/machine_spi_rate.py": Known("times the bus by the wall's clock: a busy PC is late"),
    "extmod/select_poll_fd.py": _BARE,
    "extmod/vfs_lfs_mtime.py": Known("files get the time of the PC, time.time_ns() tells the board's"),
    "micropython/const2.py": _MODULE,
    "micropython/schedule_kbd_intr.py": _BARE,
    "micropython/viper_unop.py": _BARE,
}


@dataclass(frozen=True, slots=True)
class Result:
    """One test: `outcome` is pass, fail or skip; `known` why a failure is none of the board's."""

    suite: str
    test: str
    outcome: str
    detail: str = ""
    known: str = ""


class Unusable(Exception):
    """The tests cannot run here; the message says why."""


def checkout(text: str) -> Path:
    """The checkout named on the command line. Raises Unusable."""
    if not text:
        raise Unusable(
            "Say where a MicroPython checkout is: make conformance MICROPYTHON=DIR "
            "(git clone https://github.com/micropython/micropython)."
        )
    path = Path(text).expanduser()
    if not path.is_dir():
        raise Unusable(f"There is no folder {path}.")
    for part in ("tests/run-tests.py", "tools/pyboard.py", str(MPREMOTE_TESTS / "run-mpremote-tests.sh")):
        if not (path / part).is_file():
            raise Unusable(f"{path} is not a MicroPython checkout: {part} is not there.")
    return path.resolve()


def library(text: str, source: Path) -> Path | None:
    """The micropython-lib checkout named, or the one within MicroPython's, or None. Raises Unusable."""
    path = Path(text).expanduser() if text else source / "lib" / "micropython-lib"
    if (path / conformance_radio.AIOBLE / "multitests").is_dir():
        return path.resolve()
    if text:
        raise Unusable(f"{path} is not a micropython-lib checkout: {conformance_radio.AIOBLE} is not there.")
    return None


@contextlib.contextmanager
def board(folder: Path) -> Generator[str]:
    """A stock board in a process of its own; gives the path of its console."""
    flash = folder / "flash.bin"
    toml = board_toml("kiosk")
    build_image(toml, flash)
    with flash.open("r+b") as file:
        for row in load_spec(toml).partitions:
            if row.type == 1 and row.name == "vfs":
                file.seek(row.offset)
                file.write(b"\xff" * row.size)
    port = folder / "port"
    smilehub = Path(sys.executable).with_name("smilehub")
    with (folder / "board.log").open("wb") as log:
        process = subprocess.Popen(
            [smilehub, "sim", "kiosk", "--flash", flash, "--console-link", port],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            for _ in range(300):
                if port.exists() or process.poll() is not None:
                    break
                time.sleep(0.1)
            if not port.exists():
                raise Unusable(f"The board did not start: {(folder / 'board.log').read_text()}")
            # Not the link's name: for a path in /dev/pts mpremote reads as fast as bytes come.
            yield str(port.resolve())
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def environment() -> dict[str, str]:
    """What the tests see: this environment's programs first, and no PYTHONUNBUFFERED (it changes the order of
    lines).
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
    return env


def run(command: Sequence[str | Path], folder: Path, seconds: float) -> tuple[int | None, str]:
    """Run to the end or the time-out (None); the whole process group goes with it."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=seconds)
        return process.returncode, out.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        return None, out.decode(errors="replace")


def mpremote_suite(copy: Path, port: str) -> Generator[Result]:
    """`tools/mpremote/tests`, one by one."""
    folder = copy / MPREMOTE_TESTS
    for script in sorted(folder.glob("test_*.sh")):
        code, out = run(
            ["bash", "./run-mpremote-tests.sh", "-t", port, f"./{script.name}"], folder, _ONE_MPREMOTE_TEST
        )
        yield judge_mpremote(script.stem, code, out)


def judge_mpremote(name: str, code: int | None, out: str) -> Result:
    """What the runner's output says of one test."""
    verdict = re.search(r"\.sh: (OK|FAIL|CRASH|skip)$", out, re.MULTILINE)
    if code is None or verdict is None:
        return Result("mpremote", name, "fail", "did not end" if code is None else out.strip()[-300:])
    if verdict[1] == "skip":
        return Result("mpremote", name, "skip")
    if verdict[1] == "OK":
        return Result("mpremote", name, "pass")
    lines = [line for line in out[verdict.end() :].splitlines() if line.startswith(("<", ">"))]
    known = KNOWN_MPREMOTE.get(name)
    allowed = known is not None and verdict[1] == "FAIL" and set(lines) <= set(known.lines)
    return Result(
        "mpremote", name, "fail", "\n".join(lines) or verdict[1], known.reason if known and allowed else ""
    )


def tests_suite(copy: Path, port: str) -> Generator[Result]:
    """The choice of `tests/`, in batches: one that hangs costs no more than its batch."""
    tests = copy / "tests"
    files: list[str] = []
    for pattern in CHOICE:
        for path in sorted(tests.glob(pattern)):
            files.append(path.relative_to(tests).as_posix())
    with_unittest = [
        f for f in files if re.search(r"^\s*import unittest", (tests / f).read_text(), re.MULTILINE)
    ]
    for name in with_unittest:
        yield Result("tests", name, "skip", "needs the unittest package on the board")
    left = [name for name in files if name not in with_unittest]
    while left:
        batch, left = left[:_BATCH], left[_BATCH:]
        yield from run_batch(tests, port, batch)


def run_batch(tests: Path, port: str, batch: Sequence[str]) -> Generator[Result]:
    """Some tests in one call of run-tests.py; if it does not end, those it has not reported, one by one."""
    results = tests / "results"
    shutil.rmtree(results, ignore_errors=True)
    command = [sys.executable, "run-tests.py", "-t", f"port:{port}", "-r", str(results), *batch]
    limit = _BATCH_SECONDS if len(batch) > 1 else 60.0
    code, out = run(command, tests, limit)
    report = results / "_results.json"
    seen: set[str] = set()
    if report.is_file():
        for name, outcome, detail in json.loads(report.read_text())["results"]:
            seen.add(name)
            known = KNOWN_TESTS.get(name)
            reason = known.reason if known is not None and outcome == "fail" else ""
            yield Result("tests", name, outcome, str(detail), reason)
    missing = [name for name in batch if name not in seen]
    if len(batch) == 1:
        for name in missing:
            known = KNOWN_TESTS.get(name)
            said = "did not end" if code is None else (out.strip().splitlines() or ["no result"])[-1]
            yield Result("tests", name, "fail", said, known.reason if known is not None else "")
        return
    for name in missing:
        yield from run_batch(tests, port, [name])


def radio_suite(copy: Path, source: Path | None, folder: Path) -> Generator[Result]:
    """Bluetooth between two boards of its own. Raises Unusable."""
    try:
        for verdict in conformance_radio.play(copy, source, folder, run):
            yield Result("radio", verdict.test, verdict.outcome, verdict.detail)
    except RuntimeError as error:
        raise Unusable(str(error)) from error


def table(results: Sequence[Result]) -> str:
    """The outcome by area, failures, and the exceptions that were needed."""
    areas: dict[str, list[Result]] = {}
    for result in results:
        area = "tests/" + result.test.partition("/")[0]
        if result.suite != "tests":
            area = "mpremote" if result.suite == "mpremote" else result.test.partition("/")[0]
        areas.setdefault(area, []).append(result)
    lines = [f"{'':<20}{'pass':>6}{'fail':>6}{'known':>6}{'skip':>6}"]
    for area, of_area in areas.items():
        counts = [
            sum(r.outcome == "pass" for r in of_area),
            sum(r.outcome == "fail" and not r.known for r in of_area),
            sum(bool(r.known) for r in of_area),
            sum(r.outcome == "skip" for r in of_area),
        ]
        lines.append(f"{area:<20}" + "".join(f"{count:>6}" for count in counts))
    known = [r for r in results if r.known]
    if known:
        lines += ["", "Known exceptions:"]
        lines += [f"  {r.test:<36} {r.known}" for r in known]
    skipped = [r for r in results if r.outcome == "skip" and r.suite == "radio"]
    if skipped:
        lines += ["", "Not run:"]
        lines += [f"  {r.test:<44} {r.detail}" for r in skipped]
    failed = [r for r in results if r.outcome == "fail" and not r.known]
    if failed:
        lines += ["", "Failures:"]
        for result in failed:
            lines.append(f"  {result.suite} {result.test}")
            lines += [f"      {line}" for line in result.detail.splitlines()[:12]]
    passed = {r.test for r in results if r.outcome == "pass"}
    cured = sorted(passed & (set(KNOWN_MPREMOTE) | set(KNOWN_TESTS)))
    if cured:
        lines += ["", "Pass although they are listed as exceptions: " + ", ".join(cured)]
    return "\n".join(lines)


def _told(results: Generator[Result]) -> Generator[Result]:
    for result in results:
        print(f"{'known' if result.known else result.outcome:<6}{result.test}", flush=True)
        yield result


def _terminated(number: int, _: object) -> None:
    sys.exit(128 + number)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 if nothing failed beyond the known exceptions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--micropython", default="", metavar="DIR", help="a MicroPython checkout")
    parser.add_argument(
        "--micropython-lib",
        default=os.environ.get("MICROPYTHON_LIB", ""),
        metavar="DIR",
        help="a micropython-lib checkout, for aioble's tests",
    )
    parser.add_argument("--only", choices=("mpremote", "tests", "radio"), help="one of the three suites")
    options = parser.parse_args(argv)
    results: list[Result] = []
    # A SIGTERM too must stop the board.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        source = checkout(options.micropython)
        theirs = library(options.micropython_lib, source)
        with tempfile.TemporaryDirectory(prefix="smilehub-conformance-") as name:
            copy = Path(name) / "micropython"
            for part in ("tools", "tests"):
                shutil.copytree(source / part, copy / part, symlinks=True)
            if options.only != "radio":
                with board(Path(name)) as port:
                    for suite, play in (("mpremote", mpremote_suite), ("tests", tests_suite)):
                        if options.only in (None, suite):
                            results += _told(play(copy, port))
            if options.only in (None, "radio"):
                results += _told(radio_suite(copy, theirs, Path(name) / "radio"))
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    print()
    print(table(results))
    return int(any(r.outcome == "fail" and not r.known for r in results))


if __name__ == "__main__":
    raise SystemExit(main())
