"""Tries mutants of hubcore with its tests, in copies of a process that has collected them."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tools.mutation.mutants import Mutant, compiled, function_code
from tools.mutation.pool import Died, Job, Say, pool
from tools.mutation.reach import Trace, fails, reach_job, seconds_of

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware" / "hubcore"
TESTS = ROOT / "tests" / "hubcore"

# What looks at the source, or at what another process makes of it.
_ELSEWHERE = ("test_both.py", "test_source.py")
_EXAMPLES = 40
_PATIENCE = 10  # a test that takes so many times as long has noticed something, too
_LEAST_S = 0.5
_START_S = 20.0


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: "killed", "slow" (killed: it took too long), "survived" or "unreached"."""

    mutant: Mutant
    fate: str
    seconds: float

    @property
    def killed(self) -> bool:
        return self.fate in ("killed", "slow")


class Broken(RuntimeError):
    """The tests cannot judge mutants; the message says why."""


def run(chosen: list[Mutant], workers: int, tell: Callable[[int], None]) -> list[Verdict]:
    """Try every mutant; `tell(how many are done)`. Raises Broken when the tests fail without any mutant."""
    verdicts: dict[int, Verdict] = {}
    durations: dict[str, float] = {}

    def exchange(say: Say) -> None:
        code = _collect(_Exchange(chosen, workers, say))
        if code:
            say({"broken": f"pytest ended with code {code}"})

    # One copy collects the tests and makes copies of itself in turn: this process stays as it is.
    for _, answer in pool([exchange], 1):
        if isinstance(answer, Died):
            raise Broken(f"the process with the tests ended: {answer.why}")
        if "broken" in answer:
            raise Broken(answer["broken"])
        durations.update(answer.get("durations", {}))
        _note(verdicts, chosen, answer)
        tell(len(verdicts))
    left = [at for at in range(len(chosen)) if at not in verdicts]
    for job, answer in pool([_reimport(at, chosen[at], durations) for at in left], workers):
        _note(verdicts, chosen, _slow(left[job]) if isinstance(answer, Died) else answer)
        tell(len(verdicts))
    return [verdicts[at] for at in range(len(chosen))]


def _note(verdicts: dict[int, Verdict], chosen: list[Mutant], answer: dict[str, Any]) -> None:
    if "mutant" in answer:
        at = answer["mutant"]
        verdicts[at] = Verdict(chosen[at], answer["fate"], answer["seconds"])


def _slow(at: int) -> dict[str, Any]:
    return {"mutant": at, "fate": "slow", "seconds": 0.0}


def _said(at: int, killed: bool, since: float) -> dict[str, Any]:
    return {
        "mutant": at,
        "fate": "killed" if killed else "survived",
        "seconds": time.process_time() - since,
    }


def _path(mutant: Mutant) -> Path:
    return CORE / f"{mutant.module}.py"


def _collect(plugin: object) -> int:
    """Collect the tests quietly, and do with them what the plugin does. Returns pytest's exit code."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(ROOT)
    # The core of this checkout, whatever is installed or imported; and nothing compiled of a mutant is kept.
    sys.path[:0] = [str(ROOT / "firmware"), str(ROOT / "host")]
    sys.dont_write_bytecode = True
    for name in [name for name in sys.modules if name.partition(".")[0] == "hubcore"]:
        del sys.modules[name]
    arguments = ["-x", "-s", "-q", "--tb=no", "-o", "addopts=", "-p", "no:cacheprovider", "-p", "no:xdist"]
    arguments += ["-p", "no:timeout", "-p", "no:faulthandler", str(TESTS)]
    arguments += [f"--ignore={TESTS / name}" for name in _ELSEWHERE]
    return int(pytest.main(arguments, plugins=[plugin, _FewExamples()]))


class _FewExamples:
    """Properties are tried with few examples, always the same, and a failure is not made smaller."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makemodule(self, module_path: Path, parent: object) -> None:
        del module_path, parent
        # After conftest.py has chosen a profile, before a test file takes it over.
        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=_EXAMPLES,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")


def _arm(seconds: float) -> None:
    """Let this process be ended when it has computed for so long from now."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _allowed(seconds: float) -> float:
    return max(_LEAST_S, _PATIENCE * seconds)


# ---- functions: their code is exchanged ----


class _Exchange:
    """A pytest plugin: instead of running the tests, tries with them the mutants of functions."""

    def __init__(self, chosen: list[Mutant], workers: int, say: Say) -> None:
        self._chosen = chosen
        self._workers = workers
        self._say = say
        self._imports = Trace(CORE)

    def pytest_sessionstart(self) -> None:
        self._imports.start()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._say({"broken": f"{report.nodeid} cannot be imported:\n{report.longreprtext}"})

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._imports.stop()
        items = session.items
        ((_, seconds),) = pool([lambda say: say(seconds_of(items))], 1)
        failed = [item.nodeid for item, took in zip(items, seconds, strict=True) if took is None]
        if failed:
            self._say({"broken": "these fail without any mutant:\n" + "\n".join(failed)})
            return True
        self._say({"durations": {item.nodeid: s for item, s in zip(items, seconds, strict=True)}})
        reached: dict[str, set[int]] = {}
        parts = [range(part, len(items), self._workers) for part in range(self._workers)]
        for _, found in pool([reach_job(items, part, CORE) for part in parts], self._workers):
            for line, numbers in found.items():
                reached.setdefault(line, set()).update(numbers)
        functions = _functions()
        imported = self._imports.lines
        order = sorted(range(len(items)), key=lambda test: seconds[test])
        jobs: list[tuple[int, Job]] = []
        for at, mutant in enumerate(self._chosen):
            if mutant.function is None or (mutant.module, *mutant.function) not in functions:
                continue
            lines = [f"{mutant.module}:{n}" for n in range(mutant.lines[0], mutant.lines[1] + 1)]
            if imported.intersection(lines):
                continue  # tables are made with it: too late here
            tests = {test for line in lines for test in reached.get(line, set[int]())}
            if not tests:
                self._say({"mutant": at, "fate": "unreached", "seconds": 0.0})
                continue
            function = functions[mutant.module, *mutant.function]
            code = function_code(compiled(mutant, _path(mutant)), mutant.function)
            if code is not None and code.co_freevars == function.__code__.co_freevars:
                trials = [(items[test], seconds[test]) for test in order if test in tests]
                jobs.append((at, _exchange(at, function, code, trials)))
        for job, answer in pool([job for _, job in jobs], self._workers):
            self._say(_slow(jobs[job][0]) if isinstance(answer, Died) else answer)
        return True


def _exchange(
    at: int, function: FunctionType, code: CodeType, trials: list[tuple[pytest.Item, float]]
) -> Job:
    def job(say: Say) -> None:
        since = time.process_time()
        function.__code__ = code
        killed = False
        for i, (item, seconds) in enumerate(trials):
            _arm(_allowed(seconds))
            if fails(item, trials[i + 1][0] if i + 1 < len(trials) else None):
                killed = True
                break
        say(_said(at, killed, since))

    return job


def _functions() -> dict[tuple[str, str, int], FunctionType]:
    """Every function of the imported hubcore by (module, qualified name, first line)."""
    found: dict[tuple[str, str, int], FunctionType] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("hubcore."):
            for function in _in(module):
                if function.__module__ == name:
                    code = function.__code__
                    found[name.partition(".")[2], code.co_qualname, code.co_firstlineno] = function
    return found


def _in(owner: ModuleType | type) -> Iterator[FunctionType]:
    for value in vars(owner).values():
        inner = getattr(value, "__func__", value)
        for one in (inner.fget, inner.fset) if isinstance(inner, property) else (inner,):
            if isinstance(one, FunctionType):
                unwrapped = inspect.unwrap(one)
                if isinstance(unwrapped, FunctionType):
                    yield unwrapped
        if isinstance(value, type) and isinstance(owner, ModuleType) and value.__module__ == owner.__name__:
            yield from _in(value)


# ---- the rest: what is executed at import ----


class _Changed(importlib.machinery.SourceFileLoader, importlib.abc.MetaPathFinder):
    """Finds one module of hubcore with a mutant in it."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"hubcore.{mutant.module}", str(_path(mutant)))
        self._mutant = mutant

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        del path, target
        if fullname == self.name:
            return importlib.util.spec_from_file_location(fullname, self.path, loader=self)
        return None

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return compiled(self._mutant, _path(self._mutant))


class _QuickestFirst:
    def __init__(self, durations: dict[str, float]) -> None:
        self._durations = durations

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._durations.get(item.nodeid, 0.0))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        _arm(_allowed(self._durations.get(item.nodeid, _LEAST_S)))


def _reimport(at: int, mutant: Mutant, durations: dict[str, float]) -> Job:
    def job(say: Say) -> None:
        since = time.process_time()
        sys.meta_path.insert(0, _Changed(mutant))
        _arm(_START_S)
        say(_said(at, _collect(_QuickestFirst(durations)) != pytest.ExitCode.OK, since))

    return job
