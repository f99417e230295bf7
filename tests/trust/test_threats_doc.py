"""docs/threats.md: every test that it names exists, and no row claims more than it points to."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)
ADVERSARIES = (
    "Passer-by",
    "Visitor",
    "Radio neighbour",
    "Thief",
    "Evil laptop",
    "Evil technician",
    "Supply chain",
)


def rows() -> list[list[str]]:
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "asset"]


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_what_it_names_is_there(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in names if name else any(one.startswith("test_") for one in names)


def test_every_adversary_is_there() -> None:
    assert tuple(re.findall(r"^## ([^:]+):", TEXT, re.M)) == ADVERSARIES
    assert len(rows()) > 40


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row[:2])[:60])
def test_a_row_says_what_holds_it_or_that_nothing_does(row: list[str]) -> None:
    assert len(row) == 4 and all(row)
    held, by = row[2:]
    assert held in ("held", "partly", "not held")
    if held == "not held":
        assert re.search(r"will |would |Accepted|revoke|Begin a new|Set new|trusted|must", by), (
            "and what then?"
        )
    if held == "held" and "`tests/" not in by:
        # What is so because something is absent has no test of its own.
        assert by in ("a label and a pictogram are all a visitor is",)
