"""Names of arguments that nobody passes by name: the same few in every function.

On the kiosk the names of a function's arguments are in memory, unlike those of its other variables.
"""

from __future__ import annotations

import ast
import string
from collections.abc import Mapping

#: MicroPython has the first without being told its text.
NAMES = "_" + string.ascii_lowercase

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def share(trees: Mapping[str, ast.Module]) -> None:
    """Call the arguments of every function as NAMES are, in their order, but those that some call passes by
    name. Raises ValueError for a call with ``**``, which does not show what it passes.
    """
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    passed = {argument.arg for call in nodes if isinstance(call, ast.Call) for argument in call.keywords}
    if None in passed:
        raise ValueError("arguments that are passed as a mapping")
    for node in nodes:  # functions before those that are in them
        if isinstance(node, _FUNCTIONS):
            _rename(node, passed)


def _rename(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, passed: set[str | None]) -> None:
    body = function.body if isinstance(function.body, list) else [function.body]
    inside = [node for part in body for node in ast.walk(part)]
    if any(isinstance(node, ast.ClassDef | ast.Nonlocal) for node in inside):
        return
    given = [*function.args.posonlyargs, *function.args.args]
    given += [argument for argument in (function.args.vararg, function.args.kwarg) if argument]
    fixed = {node.asname or node.name for node in inside if isinstance(node, ast.alias)}
    fixed |= {node.name for node in inside if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    changed = [argument for argument in given if argument.arg not in passed | fixed]
    others = {argument.arg for argument in [*given, *function.args.kwonlyargs] if argument not in changed}
    for node in inside:
        found = (getattr(node, field, None) for field in ("id", "arg", "name"))
        others |= {name for name in found if isinstance(name, str)}
        if isinstance(node, ast.Global):
            others |= set(node.names)
    others -= {argument.arg for argument in changed}
    # Not what a function within calls something of its own.
    others |= {name for node in inside if isinstance(node, _FUNCTIONS) for name in _own(node)}
    free = (name for name in NAMES if name not in others)
    table = {argument.arg: name for argument, name in zip(changed, free, strict=False)}
    for argument in changed:
        argument.arg = table.get(argument.arg, argument.arg)
    for part in body:
        _put(part, table)


def _put(node: ast.AST, table: Mapping[str, str]) -> None:
    """Rename the variables in ``node`` that are those of the function around it."""
    if isinstance(node, ast.Name):
        node.id = table.get(node.id, node.id)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        node.name = table.get(node.name, node.name)
    if isinstance(node, _FUNCTIONS):
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                _put(default, table)
        own = _own(node)
        body = node.body if isinstance(node.body, list) else [node.body]
        table = {name: new for name, new in table.items() if name not in own}
        for part in body:
            _put(part, table)
        return
    for child in ast.iter_child_nodes(node):
        _put(child, table)


def _own(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """Names that are bound in a function itself: not in those within, nor for a comprehension alone."""
    found = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    todo: list[ast.AST] = [*function.body] if isinstance(function.body, list) else [function.body]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        if isinstance(node, ast.comprehension):
            todo += [node.iter, *node.ifs]
        elif not isinstance(node, _FUNCTIONS):
            todo += ast.iter_child_nodes(node)
        else:
            todo += [default for default in [*node.args.defaults, *node.args.kw_defaults] if default]
    return found
