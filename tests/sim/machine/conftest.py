"""The bench of these tests as a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from machine_bench import Bench, Probe

from smilehub.sim import peripherals


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setitem(peripherals.PARTS, "probe", Probe)
    bench = Bench(tmp_path)
    yield bench
    bench.close()
