"""Short private names for the firmware: each name is in the kiosk's memory once, so that modules share a few.

A name counts as private that begins with one underscore, is given in a module and stands in that one alone.
It becomes ``_0``, ``_1`` … there. Modules whose classes derive from one another may share objects: they
number on.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Mapping

_PRIVATE = re.compile(r"_[A-Za-z0-9]\w*")


def shorten(sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """The sources (path in the slot → text) with short private names; lines stay what they were."""
    found = names(sources)
    return {path: _renamed(source, found[path]) for path, source in sources.items()}


def names(sources: Mapping[str, bytes]) -> dict[str, dict[str, str]]:
    """For each path its private names and what they become; with it a traceback of the kiosk can be read.

    Raises ValueError for a source that has such a short name of its own.
    """
    used = {
        path: Counter(token.string for token in _tokens(source) if _PRIVATE.fullmatch(token.string))
        for path, source in sources.items()
    }
    modules = Counter(name for counts in used.values() for name in counts)
    trees = {path: ast.parse(source) for path, source in sources.items()}
    kept = {name for path in sources for name in _in_texts(trees[path])}
    kept |= {name for path in sources for name in _constants(trees[path])}
    own = {
        path: [
            name
            for name, _ in counts.most_common()
            if modules[name] == 1 and name not in kept and name in _made(trees[path])
        ]
        for path, counts in used.items()
    }
    first: dict[str, int] = {}

    def end(path: str) -> int:
        if path not in first:
            first[path] = max((end(base) for base in _bases(trees[path]) if base in sources), default=0)
        return first[path] + len(own[path])

    for path in sources:
        end(path)
    short = {path: {name: f"_{first[path] + i}" for i, name in enumerate(own[path])} for path in sources}
    taken = modules.keys() & {name for table in short.values() for name in table.values()}
    if taken:
        raise ValueError(f"names that are what short ones look like: {', '.join(sorted(taken))}")
    return short


def _tokens(source: bytes) -> list[tokenize.TokenInfo]:
    tokens = tokenize.tokenize(io.BytesIO(source).readline)
    return [token for token in tokens if token.type == tokenize.NAME]


def _in_texts(tree: ast.Module) -> set[str]:
    """Names within texts: something may be looked up by them. In 3.11 those of f-strings are no tokens."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"\b_[A-Za-z0-9]\w*", node.value))
        elif isinstance(node, ast.JoinedStr):
            inner = list(ast.walk(node))
            found |= {part.id for part in inner if isinstance(part, ast.Name)}
            found |= {part.attr for part in inner if isinstance(part, ast.Attribute)}
    return found


def _made(tree: ast.Module) -> set[str]:
    """Names that this module gives to something: others are MicroPython's own."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def _constants(tree: ast.Module) -> set[str]:
    """Names that the compiler folds (``_NAME = const(…)``): they are in nobody's memory."""
    found: set[str] = set()
    for node in ast.walk(tree):
        call = node.value if isinstance(node, ast.Assign) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "const":
            assert isinstance(node, ast.Assign)
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _bases(tree: ast.Module) -> set[str]:
    """Paths of the modules that the bases of this module's classes are imported from."""
    come: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                come[name.asname or name.name] = node.module
    bases = [base for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases]
    if not all(isinstance(base, ast.Name) for base in bases):
        raise ValueError("a base class that is not a plain name")
    plain = [base.id for base in bases if isinstance(base, ast.Name)]
    return {come[name].replace(".", "/") + ".py" for name in plain if name in come}


def _renamed(source: bytes, short: Mapping[str, str]) -> bytes:
    lines = source.decode().splitlines(keepends=True)
    for token in reversed(_tokens(source)):
        if token.string in short:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + short[token.string] + line[column + len(token.string) :]
    return "".join(lines).encode()
