"""Builds the kiosk's assets once and runs its screens under the real MicroPython."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from smilehub.devices import assets

ROOT = Path(__file__).parents[2]
Steps = list[list[Any]]


class Play(Protocol):
    """Plays steps (see stage.py); one dict for the start and for each step."""

    def __call__(self, steps: Steps, pictures: Path | None = None) -> list[dict[str, Any]]: ...


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    assets.build(folder)
    return folder


@pytest.fixture
def play(built: Path) -> Play:
    """Play steps, with pictures of those called "snap" in a folder."""

    def run(steps: Steps, pictures: Path | None = None) -> list[dict[str, Any]]:
        out = subprocess.run(
            [
                str(Path(sys.executable).parent / "micropython"),
                "-X",
                "heapsize=8M",
                str(Path(__file__).parent / "stage.py"),
                str(ROOT / "firmware"),
                str(built),
                "-" if pictures is None else str(pictures),
            ],
            input=json.dumps(steps),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert out.returncode == 0, out.stdout[-2000:] + out.stderr
        return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]

    return run
