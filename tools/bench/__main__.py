"""Run the benchmark areas, print a table, write bench.json; exit 1 if a row misses its limit."""

import argparse
import importlib
import json
import operator
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
AREAS = ("main", "queue", "kiosk", "link")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}

Row = dict[str, Any]


def holds(row: Row) -> bool:
    """Whether the row's value is within its limit, such as ``<= 40000``."""
    sign, limit = str(row["limit"]).split()
    return _COMPARE[sign](float(row["value"]), float(limit))


def measure(areas: Iterable[str]) -> list[Row]:
    """Measure the areas one after the other, saying which on stderr; rows in the order of the areas."""
    rows: list[Row] = []
    for area in areas:
        print(f"measuring {area} ...", file=sys.stderr, flush=True)
        module = importlib.import_module(f"tools.bench.{area}")
        for row in module.rows():
            rows.append(row)
            print(_line(row), flush=True)
    return rows


def main(argv: list[str] | None = None) -> int:
    """Parse the arguments, measure, print and write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--area", choices=AREAS, help="measure one area only")
    parser.add_argument("--output", type=Path, default=ROOT / "bench.json", help="where the rows are written")
    options = parser.parse_args(argv)
    print(_HEAD)
    rows = measure([options.area] if options.area else AREAS)
    options.output.write_text(json.dumps(rows, indent=1) + "\n")
    missed = [row["id"] for row in rows if not holds(row)]
    summary = f"{len(rows) - len(missed)} of {len(rows)} within their limits"
    print(f"{summary}; missed: {', '.join(missed)}" if missed else summary)
    return 1 if missed else 0


_HEAD = f"{'id':<15} {'value':>14} {'unit':<8} {'limit':<12} {'':<5} {'beside':>12}  what"


def _line(row: Row) -> str:
    beside = "" if row["beside"] is None else f"{row['beside']:.6g}"
    verdict = "ok" if holds(row) else "MISS"
    cells = f"{row['id']:<15} {row['value']:>14.6g} {row['unit']:<8} {row['limit']:<12} {verdict:<5}"
    return f"{cells} {beside:>12}  {row['what']}"


if __name__ == "__main__":
    sys.exit(main())
