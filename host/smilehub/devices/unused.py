"""Leaves out of sources what nothing names any more."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from smilehub.devices.outside import OUTSIDE

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def drop(
    trees: Mapping[str, ast.Module], folded: AbstractSet[tuple[str, str]], stays: AbstractSet[str]
) -> None:
    """Leave out definitions that nothing names but they themselves, until there are no more of them.

    What goes are functions, classes and methods, and of ``folded``, which are (path, name), what is bound or
    imported; imports of ``const`` without any use too. Names of ``stays`` stay, since somebody may look
    something up by them whom no source shows, and those that Python gives a meaning (``__init__``).
    """
    uses = Counter(name for tree in trees.values() for name in _uses(tree))
    asked = Counter(name for tree in trees.values() for name in _asked(tree))
    inside = {path: Counter(_uses(tree, imports=False)) for path, tree in trees.items()}
    owners: list[tuple[str, ast.Module | ast.ClassDef]] = []
    imports: list[tuple[str, list[ast.stmt], ast.ImportFrom]] = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef):
                owners.append((path, node))
            for body in (getattr(node, field, None) for field in ("body", "orelse", "finalbody")):
                if isinstance(body, list):
                    imports += [(path, body, part) for part in body if isinstance(part, ast.ImportFrom)]

    def idle(path: str, part: ast.stmt) -> bool:
        name = part.name if isinstance(part, (*_FUNCTIONS, ast.ClassDef)) else bound(part)
        if not name or name.startswith("__") or name in stays:
            return False
        if isinstance(part, ast.Assign):
            return (path, name) in folded and not uses[name]
        decorators: list[ast.expr] = getattr(part, "decorator_list", [])
        if not all(isinstance(by, ast.Name) and by.id in OUTSIDE for by in decorators):
            return False
        return not uses[name] or uses[name] == Counter(_uses(part))[name]

    def needed(path: str, alias: ast.alias) -> bool:
        name = alias.asname or alias.name
        if inside[path][name] or (name != "const" and ((path, name) not in folded or name in stays)):
            return True
        return bool(asked[f".{name}"] or asked[f"{_module(path)}.{name}"])

    def forget(path: str, part: ast.AST) -> None:
        uses.subtract(_uses(part))
        asked.subtract(_asked(part))
        inside[path].subtract(_uses(part, imports=False))

    again = True
    while again:
        again = False
        for path, owner in owners:
            gone = [part for part in owner.body if idle(path, part)]
            for part in gone:
                forget(path, part)
                again = True
            if gone:
                owner.body[:] = [part for part in owner.body if part not in gone]
                if not owner.body and isinstance(owner, ast.ClassDef):
                    owner.body[:] = [ast.Pass()]
        for path, body, part in imports:
            gone = [alias for alias in part.names if not needed(path, alias)]
            if gone and part in body:
                forget(path, part)
                part.names = [alias for alias in part.names if alias not in gone]
                uses.update(_uses(part))
                asked.update(_asked(part))
                again = True
                if not part.names:
                    body[:] = [other for other in body if other is not part] or [ast.Pass()]


def bound(node: ast.AST) -> str | None:
    """The one name that an assignment binds, if it does no more."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _uses(tree: ast.AST, imports: bool = True) -> Iterator[str]:
    """Each name as often as it stands for something that is bound elsewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias) and imports:
            yield from node.name.split(".")
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _asked(tree: ast.AST) -> Iterator[str]:
    """What is taken from other modules: ``.name`` of one that is not known here, or ``module.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield f".{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
