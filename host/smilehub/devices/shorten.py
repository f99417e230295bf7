"""Short names for the firmware: on the kiosk a name's text is in memory, and in every module that uses it.

A name that the firmware gives to something in one module alone becomes ``_0``, ``_1`` … there, and modules
share those. Modules whose classes derive from one another may share objects: they number on. A name that
several modules use becomes the same short one in all of them, which nothing else is called.

A name stays when anything else may know it: MicroPython (``smilehub.devices.outside``), a text of the
firmware by which something may be looked up, an import of a module, a caller that is no source here
(``kept``); and that of an exception, which is what a fault's record tells.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import keyword
import re
import string
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from collections.abc import Set as AbstractSet

from smilehub.devices.arguments import NAMES, share
from smilehub.devices.lean import lean
from smilehub.devices.outside import OUTSIDE

_DIGITS = string.digits + string.ascii_lowercase + string.ascii_uppercase
_WORD = re.compile(r"[A-Za-z_]\w*")
_FIELDS = ("id", "attr", "arg", "name", "asname")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def shorten(
    sources: Mapping[str, bytes],
    kept: AbstractSet[str] = frozenset(),
    lasting: AbstractSet[str] = frozenset(),
) -> dict[str, bytes]:
    """The sources (path in the slot → text) as they are compiled: lean, with short names, laid out anew.

    ``kept`` are names that others use who are not among the sources, ``lasting`` the paths of modules that
    stay in memory. Raises ValueError for what it cannot see through.
    """
    trees = _lean(sources, kept, lasting)
    for path, table in _names(trees, kept).items():
        _rename(trees[path], table)
    return {path: ast.unparse(tree).encode() + b"\n" for path, tree in trees.items()}


def names(sources: Mapping[str, bytes], kept: AbstractSet[str] = frozenset()) -> dict[str, dict[str, str]]:
    """For each path what names become there, arguments left aside: a traceback of the kiosk is read so."""
    return _names(_lean(sources, kept, frozenset()), kept)


def _lean(
    sources: Mapping[str, bytes], kept: AbstractSet[str], lasting: AbstractSet[str]
) -> dict[str, ast.Module]:
    trees = {path: ast.parse(source) for path, source in sources.items()}
    lean(trees, kept, lasting)
    share(trees)
    return trees


def _names(trees: Mapping[str, ast.Module], kept: AbstractSet[str]) -> dict[str, dict[str, str]]:
    modules = {path: _Module(tree) for path, tree in trees.items()}
    where = Counter(name for module in modules.values() for name in module.uses)
    defined = {name for module in modules.values() for name in module.defined}
    other = {name for module in modules.values() for name in module.stored} | OUTSIDE
    stays = {name for name in where if name.startswith("__")}
    stays |= OUTSIDE | kept | set(NAMES)
    for module in modules.values():
        stays |= module.texts | (module.words & defined) | module.modules(trees)
        # Who is called is known by name alone: what else has that name may take its arguments by their names.
        stays |= {arg for called, arg in module.keywords if called not in defined or called in other}
        stays |= module.folded
    stays |= _exceptions(modules)
    given = {name for module in modules.values() for name in module.given if len(name) > 1} - stays
    foreign = {name for module in modules.values() for name in module.foreign}
    own = {
        path: [
            name
            for name, _ in module.uses.most_common()
            if name in given and where[name] == 1 and name not in foreign and name in module.given
        ]
        for path, module in modules.items()
    }
    alone = {name for table in own.values() for name in table}
    common = [name for name, _ in where.most_common() if name in given and name not in alone]
    taken = where.keys() | stays
    codes = itertools.chain(string.ascii_uppercase, _codes("_"))
    private = list(itertools.islice((name for name in codes if name not in taken), 999))
    shared = dict(zip(common, (name for name in _codes() if name not in taken), strict=False))
    first: dict[str, int] = {}

    def end(path: str) -> int:
        if path not in first:
            bases = [base for base in modules[path].bases() if base in modules and base != path]
            first[path] = max((end(base) for base in bases), default=0)
        return first[path] + len(own[path])

    for path in modules:
        end(path)
    return {
        path: {name: shared[name] for name in module.uses if name in shared}
        | {name: private[first[path] + i] for i, name in enumerate(own[path])}
        for path, module in modules.items()
    }


def _rename(tree: ast.AST, table: Mapping[str, str]) -> None:
    """Give every name in ``tree`` that ``table`` has its new one."""
    for node in ast.walk(tree):
        for field in _FIELDS:
            name = getattr(node, field, None)
            if isinstance(name, str) and name in table:
                setattr(node, field, table[name])
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [table.get(name, name) for name in node.names]


class _Module(ast.NodeVisitor):
    """What one source says of names."""

    def __init__(self, tree: ast.Module) -> None:
        self.uses: Counter[str] = Counter()
        self.given: set[str] = set()  # names that it gives to what lives longer than a call, and of arguments
        self.defined: set[str] = set()  # those of functions and classes
        self.stored: set[str] = set()  # all others, locals included
        self.foreign: set[str] = set()  # attributes that it gives to what is not its class's `self`
        self.texts: set[str] = set()
        self.words: set[str] = set()  # in texts
        self.folded: set[str] = set()  # by the compiler (``_NAME = const(…)``): they are in nobody's memory
        self.keywords: set[tuple[str, str]] = set()  # (name called, name of the argument)
        self.heirs: dict[str, list[str]] = {}  # class → bases
        self._imported: dict[str, str] = {}
        self._modules: set[str] = set()
        self._from: set[tuple[str, str]] = set()  # (name, module)
        self._globals: set[str] = set()
        self._scopes: list[ast.AST] = []
        self._assigned: set[str] = set()
        for node in ast.walk(tree):
            for field in _FIELDS:
                name = getattr(node, field, None)
                if isinstance(name, str):
                    self.uses[name] += 1
            if isinstance(node, ast.Global | ast.Nonlocal):
                self._globals |= set(node.names)
                self.uses.update(node.names)
            elif isinstance(node, ast.Import):
                self._modules |= {part for alias in node.names for part in alias.name.split(".")}
            elif isinstance(node, ast.ImportFrom) and node.module:
                self._from |= {(alias.name, node.module) for alias in node.names}
                for alias in node.names:
                    self._imported[alias.asname or alias.name] = node.module
        self.visit(tree)

    def modules(self, paths: Container[str]) -> set[str]:
        """Names by which it asks for modules, if those are at ``paths``."""
        found = {name: f"{module}.{name}".replace(".", "/") for name, module in self._from}
        return {name for name, path in found.items() if f"{path}.py" in paths} | self._modules

    def bases(self) -> set[str]:
        """Paths of the modules that the bases of this module's classes are imported from."""
        plain = {base for bases in self.heirs.values() for base in bases}
        return {self._imported[base].replace(".", "/") + ".py" for base in plain if base in self._imported}

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.given.add(node.name)
            self.defined.add(node.name)
        if isinstance(node, ast.ClassDef):
            self._heir(node)
        elif isinstance(node, ast.arg):
            self._give(node.arg)
        elif isinstance(node, ast.alias) and node.asname:
            self._give(node.asname)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self._give(node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.stored.add(node.id)
            local = any(isinstance(scope, _SCOPES) for scope in self._scopes[-1:])
            if not local or node.id in self._globals:
                self.given.add(node.id)
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            self._give(node.attr)
            if not self._of_self(node.value):
                self.foreign.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            self.texts.add(text)
            self.words |= set(_WORD.findall(text))
        elif isinstance(node, ast.Assign):
            self._assigned = {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if called == "const":
                self.folded |= self._assigned
            self.keywords |= {(called, argument.arg) for argument in node.keywords if argument.arg}
        scope = isinstance(node, (*_SCOPES, ast.ClassDef))
        if scope:
            self._scopes.append(node)
        self.generic_visit(node)
        if scope:
            self._scopes.pop()

    def _give(self, name: str) -> None:
        self.stored.add(name)
        self.given.add(name)

    def _heir(self, node: ast.ClassDef) -> None:
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        outside = [base for base in node.bases if isinstance(base, ast.Attribute) and base.attr in OUTSIDE]
        if len(bases) + len(outside) != len(node.bases) or len(bases) > 1:
            raise ValueError(f"{node.name}: bases other than one plain name")
        self.heirs[node.name] = bases

    def _of_self(self, value: ast.expr) -> bool:
        """Whether ``value`` is the object that the method of a class is called for."""
        if len(self._scopes) < 2 or not isinstance(self._scopes[-2], ast.ClassDef):
            return False
        method = self._scopes[-1]
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) or not method.args.args:
            return False
        if any(isinstance(by, ast.Name) and by.id != "property" for by in method.decorator_list):
            return False
        return isinstance(value, ast.Name) and value.id == method.args.args[0].arg


def _exceptions(modules: Mapping[str, _Module]) -> set[str]:
    """Names of the classes that derive from an exception."""
    heirs = [(name, base) for module in modules.values() for name, of in module.heirs.items() for base in of]
    found = {name for name, kind in vars(builtins).items() if isinstance(kind, type)}
    found = {name for name in found if issubclass(vars(builtins)[name], BaseException)}
    more = {name for name, base in heirs if base in found}
    while more - found:
        found |= more
        more = {name for name, base in heirs if base in found}
    return found


def _codes(head: str = string.ascii_letters) -> Iterator[str]:
    """Names, the short ones first: a character of ``head``, then one, two … letters and digits."""
    for length in range(1, 4):
        for one in head:
            for rest in itertools.product(_DIGITS, repeat=length):
                name = one + "".join(rest)
                if not keyword.iskeyword(name):
                    yield name
