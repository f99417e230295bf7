"""Builds the kiosk's assets once and runs its screens under the real MicroPython."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smilehub.devices import assets

ROOT = Path(__file__).parents[2]
Steps = list[list[Any]]
Play = Callable[[Steps], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    assets.build(folder)
    return folder


@pytest.fixture
def play(built: Path) -> Play:
    """Play steps (see stage.py) and return one dict for the start and for each step."""

    def run(steps: Steps) -> list[dict[str, Any]]:
        out = subprocess.run(
            [
                str(Path(sys.executable).parent / "micropython"),
                str(Path(__file__).parent / "stage.py"),
                str(ROOT / "firmware"),
                str(built),
                "-",
            ],
            input=json.dumps(steps),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert out.returncode == 0, out.stdout + out.stderr
        return [json.loads(line) for line in out.stdout.splitlines()][:-1]

    return run
