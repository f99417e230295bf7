"""Journal, supervisor and watchdog under the real interpreter, whose asyncio they are written for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("script", "last"), [("journal_torture.py", "cuts "), ("supervisor_probe.py", "OK ")]
)
def test_on_micropython(script: str, last: str) -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    done = subprocess.run(
        [interpreter, "-X", "heapsize=6M", HERE / script],
        env=os.environ | {"MICROPYPATH": f".frozen:{HERE.parents[1] / 'firmware'}:{HERE}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(last), done.stdout
