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

_CALLS_TRACED = 3000  # of one function in one test: more than a day has tickets


def fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run a test; `following` is the one that comes next, for which fixtures are kept."""
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def seconds_of(items: list[pytest.Item]) -> list[float | None]:
    """Seconds of CPU that each test takes with all its fixtures; None for one that fails."""
    found: list[float | None] = []
    for item in items:
        since = time.process_time()
        # Nothing is kept for the next: a test that comes first for a mutant makes its fixtures itself.
        failed = fails(item, None)
        found.append(None if failed else time.process_time() - since)
    return found


def reach_job(items: list[pytest.Item], part: range, core: Path) -> Job:
    """Says which of those tests (by number) execute a line of the core: "module:line" -> numbers."""

    def job(say: Say) -> None:
        reached: dict[str, list[int]] = {}
        for i, number in enumerate(part):
            following = items[part[i + 1]] if i + 1 < len(part) else None
            trace = Trace(core)
            trace.start()
            try:
                fails(items[number], following)
            finally:
                trace.stop()
            for line in trace.lines:
                reached.setdefault(line, []).append(number)
        say(reached)

    return job


class Trace:
    """From `start` to `stop`, which lines of the core are executed: `lines` as "module:line"."""

    def __init__(self, core: Path) -> None:
        self._folder = f"{core}{os.sep}"
        self._calls: dict[CodeType, int] = {}
        self._seen: set[tuple[str, int]] = set()

    def start(self) -> None:
        sys.settrace(self._called)

    def stop(self) -> None:
        sys.settrace(None)

    @property
    def lines(self) -> set[str]:
        return {f"{Path(path).stem}:{line}" for path, line in self._seen}

    def _called(self, frame: FrameType, event: str, argument: Any) -> Any:
        del event, argument
        code = frame.f_code
        if not code.co_filename.startswith(self._folder):
            return None
        self._calls[code] = self._calls.get(code, 0) + 1
        return self._line if self._calls[code] <= _CALLS_TRACED else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        del argument
        if event == "line":
            self._seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line
