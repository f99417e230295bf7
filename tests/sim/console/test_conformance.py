"""`make conformance` says plainly what it lacks, and tells a known exception from a failure."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tools import conformance_radio

ROOT = Path(__file__).parents[3]
TOOL = ROOT / "tools" / "conformance.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("directory", "sentence"),
    [("", "MICROPYTHON=DIR"), ("/nowhere", "no folder /nowhere"), ("/usr", "not a MicroPython checkout")],
)
def test_without_a_checkout_it_says_so(directory: str, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.conformance", "--micropython", directory],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_only_the_known_lines_are_excused(tool: ModuleType) -> None:
    known = "./test_resume.sh: FAIL\n10c10\n< mpremote: no device found\n---\n> 5\n"
    assert tool.judge_mpremote("test_resume", 0, known).known
    worse = known + "< 7\n"
    assert not tool.judge_mpremote("test_resume", 0, worse).known
    assert not tool.judge_mpremote("test_mount", 0, known).known
    assert tool.judge_mpremote("test_mount", None, "").outcome == "fail"
    assert tool.judge_mpremote("test_mount", 0, "./test_mount.sh: OK\n").outcome == "pass"
    assert tool.judge_mpremote("test_mount", 0, "./test_mount.sh: skip\n").outcome == "skip"


@pytest.mark.parametrize(
    ("code", "out", "outcome"),
    [
        (0, "multi_bluetooth/ble_mtu.py on 0|2: pass\n1 tests performed\n", "pass"),
        (0, "multi_bluetooth/ble_mtu.py on 0|2: skip\n", "skip"),
        (1, "multi_bluetooth/ble_mtu.py on 0|2: --- a\n+++ b\n-x\n+pass\nFAIL\n### TEST ###\n", "fail"),
        (1, "Traceback (most recent call last):\n", "fail"),
        (None, "", "fail"),
    ],
)
def test_what_the_runner_of_several_boards_says_is_understood(
    code: int | None, out: str, outcome: str
) -> None:
    assert conformance_radio.judge("multi_bluetooth/ble_mtu.py", code, out).outcome == outcome
