"""Mutation testing of hubcore: `python -m tools.mutate`. Would its tests notice if the code were a bit wrong?

Each mutant, one small change, is run against the tests of tests/hubcore that execute its lines, the quickest
first, until one fails. Properties are tried with few, always the same examples, so that a run gives the same
answer every time. Mutants that nobody can notice, since they do the same, stand with a reason in
tools/mutate-equivalent.toml and do not count. The exit code is 1 when fewer than 85 % are noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

from tools.mutation import trial
from tools.mutation.mutants import Mutant, find
from tools.mutation.trial import Broken, Verdict

LIMIT = 85.0
EQUIVALENT = Path(__file__).with_name("mutate-equivalent.toml")


class Stale(ValueError):
    """An entry of mutate-equivalent.toml is about no mutant; the message says which."""


def mutants(modules: list[str] | None = None, *, equivalent: Path = EQUIVALENT) -> list[Mutant]:
    """The mutants of hubcore, or of some of its modules, that a test could notice. Raises Stale."""
    found = [mutant for path in sorted(trial.CORE.glob("*.py")) for mutant in find(path.stem, path)]
    keys = {(mutant.module, mutant.text, mutant.what) for mutant in found}
    same: set[tuple[str, str, str]] = set()
    listed = tomllib.loads(equivalent.read_text(encoding="utf-8")) if equivalent.is_file() else {}
    for entry in listed.get("same", []):
        key = (str(entry["module"]), str(entry["line"]), str(entry["what"]))
        if key not in keys or not entry["why"]:
            raise Stale(f"{equivalent.name}: no mutant (or no reason): {' | '.join(key)}")
        same.add(key)
    return [
        mutant
        for mutant in found
        if (mutant.module, mutant.text, mutant.what) not in same and (not modules or mutant.module in modules)
    ]


def score(verdicts: list[Verdict]) -> float:
    """Share of mutants killed, in percent; 100 of none."""
    return 100 * sum(verdict.killed for verdict in verdicts) / len(verdicts) if verdicts else 100.0


def main(arguments: list[str] | None = None) -> int:
    """Try mutants and say which survive. Exit code 1 below the limit, 2 when it cannot be told."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, drawn at random")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (1)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="at a time (2)")
    parser.add_argument("modules", nargs="*", help="of hubcore; all when none is given")
    options = parser.parse_args(arguments)
    since = time.monotonic()
    try:
        chosen = mutants(options.modules)
        if options.sample is not None and options.sample < len(chosen):
            chosen = random.Random(options.seed).sample(chosen, options.sample)
        verdicts = trial.run(chosen, options.workers, lambda done: _progress(done, len(chosen)))
    except (Broken, Stale) as error:
        print(f"\n{error}" if sys.stderr.isatty() else str(error), file=sys.stderr)
        return 2
    share = score(verdicts)
    if options.json:
        print(json.dumps(_report(verdicts, time.monotonic() - since), indent=1))
    else:
        _print(verdicts, time.monotonic() - since)
    return 0 if share >= LIMIT else 1


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total} mutants", end="" if done < total else "\r\033[K", file=sys.stderr)


def _report(verdicts: list[Verdict], seconds: float) -> dict[str, Any]:
    return {
        "score": round(score(verdicts), 2),
        "limit": LIMIT,
        "seconds": round(seconds, 1),
        "mutants": len(verdicts),
        "killed": sum(verdict.killed for verdict in verdicts),
        "slow": sum(verdict.fate == "slow" for verdict in verdicts),
        "modules": [
            {"module": name, "mutants": len(rows), "killed": sum(row.killed for row in rows)}
            for name, rows in _by_module(verdicts)
        ],
        "survivors": [
            {
                "module": verdict.mutant.module,
                "line": verdict.mutant.line,
                "text": verdict.mutant.text,
                "what": verdict.mutant.what,
                "fate": verdict.fate,
            }
            for verdict in _survivors(verdicts)
        ],
    }


def _print(verdicts: list[Verdict], seconds: float) -> None:
    for verdict in _survivors(verdicts):
        mutant = verdict.mutant
        aside = "   (no test comes here)" if verdict.fate == "unreached" else ""
        print(f"firmware/hubcore/{mutant.module}.py:{mutant.line}: {mutant.what}   {mutant.text}{aside}")
    print(f"\n{'module':12}{'mutants':>8}{'killed':>8}{'slow':>6}{'share':>8}")
    for name, rows in [*_by_module(verdicts), ("all", verdicts)]:
        slow = sum(row.fate == "slow" for row in rows)
        killed = sum(row.killed for row in rows)
        print(f"{name:12}{len(rows):8}{killed:8}{slow:6}{score(rows):7.1f}%")
    print(f"\n{seconds:.0f} s; at least {LIMIT:g} % must be killed")


def _by_module(verdicts: list[Verdict]) -> list[tuple[str, list[Verdict]]]:
    names = sorted({verdict.mutant.module for verdict in verdicts})
    return [(name, [v for v in verdicts if v.mutant.module == name]) for name in names]


def _survivors(verdicts: list[Verdict]) -> list[Verdict]:
    left = [verdict for verdict in verdicts if not verdict.killed]
    return sorted(left, key=lambda verdict: (verdict.mutant.module, verdict.mutant.line))


if __name__ == "__main__":
    sys.exit(main())
