"""Builds the kiosk's assets once and runs its screens under the real MicroPython."""

import json
import shutil
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


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kiosk's assets with two languages more, English in words: "xx" from right to left, and "yy"."""
    folder = tmp_path_factory.mktemp("many")
    strings = Path(shutil.copytree(ROOT / "firmware" / "kiosk" / "strings", folder / "strings"))
    english = (strings / "en.toml").read_text()
    rtl = english.replace("{}{next}{}", "{}-{}")
    (strings / "xx.toml").write_text('direction = "rtl"\n' + rtl.replace("{yes} Start", "{yes} XX"))
    (strings / "yy.toml").write_text(english.replace("{yes} Start", "{yes} YY"))
    boxes = (strings / "boxes.toml").read_text()
    at = boxes.index("]", boxes.index("languages ="))
    (strings / "boxes.toml").write_text(boxes[:at] + ', "xx", "yy"' + boxes[at:])
    assets.build(folder / "assets", strings)
    return folder / "assets"


@pytest.fixture
def play(built: Path) -> Play:
    """Play steps, with pictures of those called "snap" in a folder."""
    return player(built)


@pytest.fixture
def play_many(many: Path) -> Play:
    """As `play`, with the languages of `many`."""
    return player(many)


def player(assets_folder: Path) -> Play:
    """A `Play` with the assets of a folder."""

    def run(steps: Steps, pictures: Path | None = None) -> list[dict[str, Any]]:
        out = subprocess.run(
            [
                str(Path(sys.executable).parent / "micropython"),
                "-X",
                "heapsize=8M",
                str(Path(__file__).parent / "stage.py"),
                str(ROOT / "firmware"),
                str(assets_folder),
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
