"""What the device asks of the source: small integers, no floats, no imports but its own."""

import ast
from pathlib import Path

import pytest

MODULES = sorted((Path(__file__).resolve().parents[2] / "firmware" / "hubcore").glob("*.py"))
HOT = ("apq", "cbor", "frames")
MAY_IMPORT = {"binascii", "collections", "hashlib", "hubcore", "micropython"}


def nodes(module):
    return list(ast.walk(ast.parse(module.read_text())))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_float_and_no_division_that_makes_one(module):
    for node in nodes(module):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not isinstance(getattr(node, "op", None), ast.Div), node.lineno


@pytest.mark.parametrize("module", [path for path in MODULES if path.stem in HOT], ids=lambda path: path.stem)
def test_hot_paths_have_no_constant_beyond_small_integers(module):
    for node in nodes(module):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value >= 2**30), (
            node.lineno
        )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_imports_only_what_both_interpreters_have(module):
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] in MAY_IMPORT
        elif isinstance(node, ast.Import):
            assert all(alias.name in MAY_IMPORT for alias in node.names)
