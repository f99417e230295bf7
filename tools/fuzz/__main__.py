"""Fuzz one target, or all of them one after the other: `python -m tools.fuzz [TARGET …] [--runs N]`.

A run is the same for the same seed. What a target stumbles over is kept in build/fuzz/ and shown; the exit
code is then 1. atheris is there on Linux for CPython 3.11 to 3.13 (pyproject.toml).
"""

import argparse
import contextlib
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "build" / "fuzz"
_LONGEST = 1200  # bytes of an input: a message to the kiosk has 1,026 at most


def fuzz(name: str, runs: int, seed: int, keep: Path) -> None:
    """Fuzz one target in this process, which atheris ends."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["hubcore", "smilehub"]):
        targets: Any = importlib.import_module("tools.fuzz.targets")
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(targets.seeds(name)):
            Path(corpus, f"{number:03}").write_bytes(data)
        options = [f"-runs={runs}", f"-seed={seed}", f"-max_len={_LONGEST}", "-timeout=20", "-verbosity=0"]
        atheris.Setup(
            [sys.argv[0], *options, f"-artifact_prefix={keep}/{name}-", corpus], targets.TARGETS[name]
        )
        atheris.Fuzz()


def run(name: str, runs: int, seed: int = 1) -> tuple[bool, str]:
    """Fuzz one target in a process of its own; (nothing was found, what it said)."""
    FOUND.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tools.fuzz", name, "--runs", str(runs), "--seed", str(seed), "--here"]
    with contextlib.suppress(KeyboardInterrupt):
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
        )
        return done.returncode == 0, done.stdout + done.stderr
    return False, "stopped"


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="TARGET")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true", help="in this process, which then ends")
    options = parser.parse_args()
    if options.here:
        fuzz(options.names[0], options.runs, options.seed, FOUND)
        return 0
    from tools.fuzz.targets import TARGETS

    failed = 0
    for name in options.names or TARGETS:
        fine, text = run(name, options.runs, options.seed)
        print(f"{name}: {'nothing found' if fine else text}", flush=True)
        failed += not fine
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
