"""Takes out of the firmware's sources what costs memory on the kiosk and does nothing there.

What is for people and for other interpreters goes (docstrings, annotations, ``__slots__``, methods that only
say that an heir has one). Constants stand where they are used, instead of in a module that is asked for them.
What nothing names any more is left out. What the program does stays the same: each step says when it is
taken.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from smilehub.devices.outside import OUTSIDE
from smilehub.devices.unused import bound, drop

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SMALL = 1 << 30  # what an integer of 31 bits holds, which is no object
_ARITHMETIC = (ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)


def lean(
    trees: Mapping[str, ast.Module],
    kept: AbstractSet[str] = frozenset(),
    lasting: AbstractSet[str] = frozenset(),
) -> None:
    """Take out of the sources (path in the slot → tree) what the kiosk does not need.

    ``kept`` are names that others use who are not among the sources, ``lasting`` the paths of modules that
    stay in memory. Raises ValueError for what it cannot see through.
    """
    for path, tree in trees.items():
        if any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree)):
            raise ValueError(f"{path}: an import of *, which does not show what it binds")
        _Bare().visit(tree)
    _drop_promises(trees)
    drop(trees, _fold(trees), OUTSIDE | kept | words(trees.values()))
    for path in lasting & trees.keys():
        _List().visit(trees[path])


def words(trees: Iterable[ast.AST]) -> set[str]:
    """Words in the texts of the sources: names by which something may be looked up."""
    found: set[str] = set()
    for text in texts(trees):
        found |= set(re.findall(r"[A-Za-z_]\w*", text))
    return found


def texts(trees: Iterable[ast.AST]) -> set[str]:
    """The texts of the sources, bytes as well."""
    nodes = (node for tree in trees for node in ast.walk(tree))
    found = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return {
        text if isinstance(text, str) else text.decode("latin-1")
        for text in found
        if isinstance(text, str | bytes)
    }


class _Bare(ast.NodeTransformer):
    """Without docstrings, annotations and ``__slots__``: MicroPython has no use for them. Nor for two names
    that it gives to every class itself, which are taken back before the class's own take up more room.
    """

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # pyright: ignore[reportAttributeAccessIssue]
        if hasattr(node, "returns"):
            node.returns = None  # pyright: ignore[reportAttributeAccessIssue]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        names: list[ast.expr] = [ast.Name(name, ast.Del()) for name in ("__module__", "__qualname__")]
        node.body.insert(0, ast.Delete(names))
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.visit_Assign(ast.Assign([node.target], node.value, lineno=node.lineno))

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if bound(node) == "__slots__" else self.generic_visit(node)


def _drop_promises(trees: Mapping[str, ast.Module]) -> None:
    """Drop methods that only raise NotImplementedError, if another class has one of that name and nobody asks
    ``super()`` for it. (Who still got there would now see an AttributeError.)
    """
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    methods = Counter(part.name for node in classes for part in node.body if isinstance(part, _FUNCTIONS))
    asked = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Name) and node.value.func.id == "super"
    }
    for node in classes:
        idle = [
            part
            for part in node.body
            if isinstance(part, _FUNCTIONS) and methods[part.name] > 1 and part.name not in asked
            if isinstance(part.body[0], ast.Raise) and isinstance(part.body[0].exc, ast.Name)
            if part.body[0].exc.id == "NotImplementedError"
        ]
        node.body = [part for part in node.body if part not in idle]


def _fold(trees: Mapping[str, ast.Module]) -> set[tuple[str, str]]:
    """Put constants where they are used; which names were, as (path, name).

    A constant is a name that its module binds once, at its top, to a small number, a truth value or None, or
    to a text that is used once; and that is never set as an attribute. A module that imports it, and binds no
    other of that name, gets its value instead, as does who asks for ``module.NAME``.
    """
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    set_later = {
        node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    }
    loaded = (node for node in nodes if isinstance(node, ast.Name | ast.Attribute))
    loaded = (node for node in loaded if isinstance(node.ctx, ast.Load))
    uses = Counter(node.id if isinstance(node, ast.Name) else node.attr for node in loaded)
    known: dict[str, dict[str, ast.expr]] = {}

    def there(module: str) -> dict[str, ast.expr]:
        path = module.replace(".", "/") + ".py"
        if path in trees and path not in known:
            known[path] = {}  # for who imports in a circle
            known[path] = fold(trees[path])
        return known.get(path, {})

    def fold(tree: ast.Module) -> dict[str, ast.expr]:
        bindings = Counter(_bindings(tree))
        values: dict[str, ast.expr] = {}
        modules: dict[str, dict[str, ast.expr]] = {}
        for node in ast.walk(tree):
            for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
                name = alias.asname or alias.name
                if bindings[name] != 1:
                    continue
                if isinstance(node, ast.Import):
                    modules[name] = there(alias.name)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules[name] = there(f"{node.module}.{alias.name}")
                    if alias.name in there(node.module):
                        values[name] = there(node.module)[alias.name]
        _Put(values, modules).visit(tree)
        for node in tree.body:
            name = bound(node)
            if name and bindings[name] == 1 and name not in set_later:
                assert isinstance(node, ast.Assign)
                value = _value(node.value, values, uses[name] < 2)
                if value is not None:
                    values[name] = value
        _Put(values, {}).visit(tree)
        return values

    for path in trees:
        there(path.removesuffix(".py"))
    return {(path, name) for path, values in known.items() for name in values}


class _Put(ast.NodeTransformer):
    """Values instead of names, and instead of attributes of modules."""

    def __init__(self, values: Mapping[str, ast.expr], modules: Mapping[str, Mapping[str, ast.expr]]) -> None:
        self._values = values
        self._modules = modules

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._values.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            value = self._modules.get(node.value.id, {}).get(node.attr)
            if value is not None:
                return value
        return self.generic_visit(node)


def _value(node: ast.expr, known: Mapping[str, ast.expr], text: bool) -> ast.expr | None:
    """What an expression comes to, if it is one of constants and takes no memory, or ``text`` and one."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        node = node.args[0]
    if not all(isinstance(part, _ARITHMETIC) for part in ast.walk(node)):
        return None
    try:
        scope = {name: ast.literal_eval(value) for name, value in known.items()}
        value = eval(compile(ast.Expression(node), "const", "eval"), {"__builtins__": {}}, scope)
    except (ArithmeticError, NameError, TypeError, ValueError):
        return None
    if isinstance(value, int) and -_SMALL <= value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    small = isinstance(value, int) and 0 <= value < _SMALL
    return ast.Constant(value) if small or value is None or (text and isinstance(value, str)) else None


class _List(ast.NodeTransformer):
    """Tuples with texts are made of a list where a module is loaded: of a list the compiler makes its texts
    names (see interned), of a tuple that is a constant each becomes an object.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node  # which would make it anew at each call

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        self.generic_visit(node)
        if not any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in node.elts):
            return node
        return ast.Call(ast.Name("tuple", ast.Load()), [ast.List(node.elts, ast.Load())], [])


def _bindings(tree: ast.AST) -> Iterator[str]:
    """Each name as often as something is bound to it, in whatever scope."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.ExceptHandler)):
            yield node.name or ""
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
