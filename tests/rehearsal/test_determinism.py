"""The same seed gives the same bytes: journal, store and pictures."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smilehub.devices.partitions import load_board
from smilehub.devices.sources import board_toml

_VISITORS = 3


def _demo(folder: Path, seed: int, unplug: int, hash_seed: int, visitors: int = _VISITORS) -> dict[str, Any]:
    """A day in a process of its own, whose sets and dictionaries are hashed in another way each time."""
    command = [str(Path(sys.executable).parent / "smilehub"), "demo", "--headless", "--json"]
    command += ["--visitors", str(visitors), "--seed", str(seed), "--unplug", str(unplug)]
    done = subprocess.run(
        [*command, "--keep", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        check=True,
    )
    return json.loads(done.stdout)


def _journal(folder: Path) -> bytes:
    partition = load_board(board_toml()).partition("journal")
    return (folder / "flash.bin").read_bytes()[partition.offset : partition.end]


def _records(folder: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(folder / "store.sqlite") as store:
        return store.execute("SELECT * FROM records ORDER BY 1, 2").fetchall()


def _pictures(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("lcd.png", "wall.png")]


@pytest.mark.parametrize("unplug", [0, 3])
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(unplug: int, tmp_path: Path) -> None:
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    reports = [_demo(folder, 6, unplug, number) for number, folder in ((1, one), (2, two))]
    varies = ("seconds", "heap_peak_bytes", "lcd_png", "wall_png", "store", "flash")
    assert [{k: v for k, v in report.items() if k not in varies} for report in reports] == [
        {k: v for k, v in reports[0].items() if k not in varies}
    ] * 2
    assert reports[0]["power_failures"] == unplug
    assert _journal(one) == _journal(two)
    assert _records(one) == _records(two) != []
    assert _pictures(one) == _pictures(two)
    if unplug == 0:
        _demo(other, 7, 0, 1, visitors=1)
        assert _journal(one) != _journal(other)
        assert _records(one)[0] != _records(other)[0]
