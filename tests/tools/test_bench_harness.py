"""The benchmark harness: a row can fail, and a failed row fails the run."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tools.bench import __main__ as bench


def row(value: float, limit: str) -> dict[str, Any]:
    return {
        "id": "x-row",
        "area": "x",
        "what": "a row",
        "value": value,
        "unit": "B",
        "limit": limit,
        "beside": None,
    }


@pytest.mark.parametrize(
    ("value", "limit", "good"),
    [
        (5, "<= 5", True),
        (5.1, "<= 5", False),
        (0.8, ">= 0.8", True),
        (0.79, ">= 0.8", False),
        (0, "== 0", True),
        (1, "== 0", False),
    ],
)
def test_a_row_holds_or_misses(value: float, limit: str, good: bool) -> None:
    assert bench.holds(row(value, limit)) is good


@pytest.mark.parametrize(("value", "code"), [(1, 0), (3, 1)])
def test_a_missed_row_fails_the_run_and_is_still_written(
    value: float,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    area = SimpleNamespace(rows=lambda: [row(value, "<= 2")])
    monkeypatch.setattr(bench.importlib, "import_module", lambda _: area)
    out = tmp_path / "bench.json"
    assert bench.main(["--area", "main", "--output", str(out)]) == code
    (written,) = json.loads(out.read_text())
    assert set(written) == {"id", "area", "what", "value", "unit", "limit", "beside"}
    assert ("missed: x-row" in capsys.readouterr().out) == bool(code)
