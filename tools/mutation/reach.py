"""What the collected tests do by themselves: whether they pass, how long they take, which lines they run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tools.mutation.pool import Job, Say

_CALLS_TRACED = 400  # of one function in one test: its lines are known by then


def fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run a test; `following` is the one that comes next, for which fixtures are kept."""
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def seconds_of(items: list[pytest.Item]) -> list[float | None]:
    """Seconds of CPU that each test takes; None for one that fails."""
    found: list[float | None] = []
    for i, item in enumerate(items):
        since = time.process_time()
        failed = fails(item, items[i + 1] if i + 1 < len(items) else None)
        found.append(None if failed else time.process_time() - since)
    return found


def reach_job(items: list[pytest.Item], part: range, core: Path) -> Job:
    """Says which of those tests (by number) execute a line of the core: "module:line" -> numbers."""

    def job(say: Say) -> None:
        reached: dict[str, list[int]] = {}
        for i, number in enumerate(part):
            following = items[part[i + 1]] if i + 1 < len(part) else None
            for path, line in _lines(items[number], following, core):
                reached.setdefault(f"{Path(path).stem}:{line}", []).append(number)
        say(reached)

    return job


def _lines(item: pytest.Item, following: pytest.Item | None, core: Path) -> set[tuple[str, int]]:
    """The lines of the core that a test executes."""
    folder = f"{core}{os.sep}"
    lines: set[tuple[str, int]] = set()
    calls: dict[CodeType, int] = {}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def called(frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(folder):
            return None
        calls[code] = calls.get(code, 0) + 1
        return local if calls[code] <= _CALLS_TRACED else None

    sys.settrace(called)
    try:
        fails(item, following)
    finally:
        sys.settrace(None)
    return lines
