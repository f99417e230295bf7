"""The built wheel by itself: `pip install smilehub[sim]` in an empty environment runs the demo.

Nothing is fetched: what the wheel's own metadata asks for, and no more, is lent from the developers'
environment, but for what the locks leave out. So a dependency that was not declared, or a file that was not
packed, fails here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.lock import UNUSED

ROOT = Path(__file__).resolve().parents[2]
NOT_DECLARED = ("pytest", "hypothesis", "cbor2", "ruff", "hatchling", "tools", "kiosk", "drivers")


def run(*command: str | Path, cwd: Path, home: Path | None = None) -> str:
    """What a command says on stdout, away from this checkout."""
    env = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    env["HOME"] = str(home or Path.home())
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def needed(requirements: list[str], extras: frozenset[str], found: set[str]) -> set[str]:
    """The distributions that requirements lead to, by name, all the way down."""
    for text in requirements:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found and name not in UNUSED:
            found.add(name)
            needed(distribution(name).requires or [], frozenset(requirement.extras), found)
    return found


def lend(names: set[str], folder: Path) -> None:
    """Put what those distributions installed into a folder, by links."""
    for name in names:
        installed = distribution(name)
        for file in installed.files or []:
            top = file.parts[0]
            target = Path(str(installed.locate_file(top)))
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(target.resolve())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "-q")
    run(sys.executable, "-m", "pip", "wheel", *options, "-w", folder, ROOT, cwd=folder)
    (built,) = folder.glob("smilehub-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("empty") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    options = ("--no-deps", "--no-index", "--disable-pip-version-check", "-q")
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, wheel, cwd=folder)
    (site,) = folder.glob("lib/python*/site-packages")
    lent = folder / "lent"
    lent.mkdir()
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(packed.read(name).decode())
    lend(needed(metadata.get_all("Requires-Dist") or [], frozenset({"sim"}), set()), lent)
    (site / "lent.pth").write_text(f"{lent}\n")
    return python


def test_the_wheel_holds_sources_and_nothing_that_was_made_of_them(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.endswith((".pyc", ".mpy", ".part")) or "__pycache__" in name]
    for wanted in (
        "smilehub/_hardware/kiosk/board.toml",
        "smilehub/_firmware/boot/boot.py",
        "smilehub/_firmware/drivers/ds3231.py",
        "smilehub/_firmware/hubcore/fold.py",
        "hubcore/fold.py",
        "smilehub/sim/shims/_launch.py",
    ):
        assert wanted in names


def test_the_environment_has_the_wheel_and_what_it_declares_and_nothing_else(
    python: Path, tmp_path: Path
) -> None:
    look = (
        "import importlib.util as u, json, hubcore, smilehub\n"
        f"there = [n for n in {NOT_DECLARED!r} if u.find_spec(n)]\n"
        "print(json.dumps([smilehub.__file__, hubcore.__file__, there]))\n"
    )
    smilehub, hubcore, there = json.loads(run(python, "-c", look, cwd=tmp_path))
    environment = python.parents[1]
    assert Path(smilehub).is_relative_to(environment)
    assert Path(hubcore).is_relative_to(environment)
    assert there == []


def test_the_installed_wheel_runs_a_clinic_day(python: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command = (python.with_name("smilehub"), "demo", "--headless", "--visitors", "2", "--json")
    report: dict[str, Any] = json.loads(run(*command, cwd=tmp_path, home=home))
    assert report["visitors"] == report["tickets_issued"] == 2
    assert report["queue_agrees"] is report["journal_verified"] is True
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"], "nothing is left in the way"
