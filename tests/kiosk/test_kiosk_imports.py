"""Which module of the kiosk imports which: never in a circle."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

KIOSK = Path(__file__).parents[2] / "firmware" / "kiosk"


def imported(path: Path) -> set[str]:
    """The modules of the kiosk that a module imports, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "kiosk":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kiosk."):
            found.add(node.module.removeprefix("kiosk."))
    return found


def test_no_module_of_the_kiosk_imports_one_that_imports_it() -> None:
    modules = {path.stem: imported(path) for path in KIOSK.glob("*.py") if path.stem != "__init__"}
    assert {"screens", "wiring"} <= modules["registry"] | modules["build"], "the sources were understood"
    order = list(TopologicalSorter(modules).static_order())  # raises CycleError
    assert set(order) == set(modules), "and every module that is imported is there"
