"""Small wrong changes of a Python module: found in its syntax tree, and made there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_SIGNS: dict[type[ast.AST], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.And: "and",
    ast.Or: "or",
}
# Fields of nodes that hold no code that runs.
_SKIPPED = {"annotation", "returns", "type_comment"}


@dataclass(frozen=True)
class Mutant:
    """One change. `function` is where it is, as (qualified name, first line) of the outermost function, or
    None when it is executed at import; `lines` those of its statement's own part."""

    module: str
    number: int
    line: int
    text: str
    what: str
    function: tuple[str, int] | None
    lines: tuple[int, int]


@dataclass(frozen=True)
class _Site:
    line: int
    what: str
    function: tuple[str, int] | None
    lines: tuple[int, int]
    change: Callable[[], None]


def find(module: str, path: Path) -> list[Mutant]:
    """All mutants of a file, in the order of its text."""
    source = path.read_text(encoding="utf-8")
    text = source.splitlines()
    return [
        Mutant(module, number, site.line, text[site.line - 1].strip(), site.what, site.function, site.lines)
        for number, site in enumerate(_sites(ast.parse(source)))
    ]


def compiled(mutant: Mutant, path: Path) -> CodeType:
    """The module's code with that change."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    list(_sites(tree))[mutant.number].change()
    return compile(ast.fix_missing_locations(tree), str(path), "exec")


def function_code(code: CodeType, function: tuple[str, int]) -> CodeType | None:
    """The code of a function in a module's code."""
    for const in code.co_consts:
        if isinstance(const, CodeType):
            if (const.co_qualname, const.co_firstlineno) == function:
                return const
            found = function_code(const, function)
            if found is not None:
                return found
    return None


def _sites(tree: ast.Module) -> Iterator[_Site]:
    yield from _body(tree, "", None, (1, 1))


Function = tuple[str, int] | None
Lines = tuple[int, int]


def _body(node: ast.AST, prefix: str, function: Function, lines: Lines) -> Iterator[_Site]:
    """The changes below a node, its own fields first to last."""
    for name, value in ast.iter_fields(node):
        if name in _SKIPPED or isinstance(node, ast.JoinedStr):
            continue
        if isinstance(value, ast.AST):
            yield from _visit(value, partial(setattr, node, name), prefix, function, lines)
        elif isinstance(value, list):
            items: list[Any] = value
            for i, item in enumerate(items):
                if isinstance(item, ast.AST):
                    yield from _visit(item, partial(items.__setitem__, i), prefix, function, lines)


def _visit(
    node: ast.AST, put: Callable[[Any], None], prefix: str, function: Function, lines: Lines
) -> Iterator[_Site]:
    if isinstance(node, ast.stmt):
        lines = _own_lines(node)
    if isinstance(node, ast.ClassDef):
        yield from _body(node, f"{prefix}{node.name}.", function, lines)
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and function is None:
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        # Defaults and decorators are executed where the function is made.
        yield from _body(node.args, prefix, None, lines)
        for i, statement in enumerate(node.body):
            place = partial(node.body.__setitem__, i)
            yield from _visit(statement, place, prefix, (f"{prefix}{node.name}", first), lines)
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    line = getattr(node, "lineno", lines[0])
    for what, change in _changes(node, put):
        yield _Site(line, what, function, lines, change)
    yield from _body(node, prefix, function, lines)


def _own_lines(node: ast.stmt) -> Lines:
    """A statement without the statements in it."""
    inner: list[ast.stmt] = getattr(node, "body", [])
    last = node.end_lineno or node.lineno
    if inner:
        last = max(node.lineno, min(last, inner[0].lineno - 1))
    return node.lineno, last


def _changes(node: ast.AST, put: Callable[[Any], None]) -> Iterator[tuple[str, Callable[[], None]]]:
    match node:
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                other = _COMPARE[type(op)]
                yield f"{_SIGNS[type(op)]} -> {_SIGNS[other]}", partial(ops.__setitem__, i, other())
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            other = _ARITHMETIC[type(op)]
            yield f"{_SIGNS[type(op)]} -> {_SIGNS[other]}", partial(setattr, node, "op", other())
        case ast.BoolOp(op=op):
            other = ast.Or if isinstance(op, ast.And) else ast.And
            yield f"{_SIGNS[type(op)]} -> {_SIGNS[other]}", partial(setattr, node, "op", other())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not dropped", partial(put, operand)
        case ast.Constant(value=bool(value)):
            yield f"{value} -> {not value}", partial(setattr, node, "value", not value)
        case ast.Constant(value=int(value)):
            yield f"{value} -> {value + 1}", partial(setattr, node, "value", value + 1)
        case ast.Return(value=ast.expr() as value):
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield "return None", partial(setattr, node, "value", ast.Constant(None))
        case _:
            pass
    test = getattr(node, "test", None)
    if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        yield "condition negated", partial(setattr, node, "test", ast.UnaryOp(ast.Not(), test))
    if _can_go(node):
        yield f"{_called(node)} dropped", partial(put, ast.copy_location(ast.Pass(), node))


def _can_go(node: ast.AST) -> bool:
    """Whether a module without this statement is still one that somebody might write."""
    match node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete() | ast.Raise():
            return True
        case ast.Continue() | ast.Break():
            return True
        case ast.Assign(targets=targets):
            return all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
        case _:
            return False


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Expr):
        return "call"
    return "assignment" if isinstance(node, ast.Assign | ast.AugAssign) else type(node).__name__.lower()
