"""What is taken out of the sources, what stays, and that programs do the same with less."""

import ast

import pytest

from smilehub.devices.lean import lean


def made_lean(sources: dict[str, str], *kept: str) -> dict[str, str]:
    """The sources made lean, without what every class takes back."""
    trees = {path: ast.parse(text) for path, text in sources.items()}
    lean(trees, set(kept))
    back = "    del __module__, __qualname__\n"
    return {path: ast.unparse(tree).replace(back, "") for path, tree in trees.items()}


def one(text: str, *kept: str) -> str:
    return made_lean({"a.py": text}, *kept)["a.py"]


def test_what_is_for_people_goes():
    text = '''"""Doc."""
class A:
    """Doc."""
    __slots__ = ("x",)
    x: "int"
    y: int = 3
    def f(self, a: int, *b: str) -> "int | None":
        """Doc."""
    async def g(self) -> None:
        """Doc."""
        await self.f("text")
A().g()
'''
    assert one(text) == (
        "class A:\n    y = 3\n\n    def f(self, a, *b):\n        pass\n\n"
        "    async def g(self):\n        await self.f('text')\nA().g()"
    )


def test_a_class_takes_back_what_nobody_asks_it_for():
    tree = ast.parse("class A: x = 1\nA()")
    lean({"a.py": tree})
    assert ast.unparse(tree) == "class A:\n    del __module__, __qualname__\n    x = 1\nA()"


BASE = "class A:\n    def f(self): raise NotImplementedError\n    def g(self): raise NotImplementedError\n"


def test_a_method_that_an_heir_has_need_not_be_promised():
    text = BASE + "class B(A):\n    def f(self): return 1\nB().f(), B().g()"
    assert one(text) == (
        "class A:\n\n    def g(self):\n        raise NotImplementedError\n\n"
        "class B(A):\n\n    def f(self):\n        return 1\n(B().f(), B().g())"
    )
    asks = BASE + "class B(A):\n    def f(self): return super().f()\nB().f(), B().g()"
    assert "def f(self):\n        raise" in one(asks)


CONSTANTS = """
from micropython import const
LIMIT = const(40)
_OWN = const(LIMIT * 2)
LEAST = -3
TEXT = "once"
TWICE = "twice"
NOTHING = None
TABLE = (LIMIT, _OWN)
LARGE = 1 << 40
later = 5
def more():
    global later
    later += 1
    return TABLE, TWICE + TWICE, LARGE, NOTHING
"""


def test_constants_stand_where_they_are_used():
    use = """
from a import LIMIT, LEAST, TEXT as words, later, more
import a
from b import other
print(LIMIT, LEAST ** 2, words, a.LIMIT, a.later, later, other.LIMIT, more())
"""
    got = made_lean({"a.py": CONSTANTS, "b/other.py": "LIMIT = 7", "c.py": use})
    assert got["c.py"] == (
        "from a import later, more\nimport a\nfrom b import other\n"
        "print(40, (-3) ** 2, 'once', 40, a.later, later, 7, more())"
    )
    assert got["a.py"] == (
        "TWICE = 'twice'\nTABLE = (40, 80)\nLARGE = 1 << 40\nlater = 5\n\ndef more():\n"
        "    global later\n    later += 1\n    return (TABLE, TWICE + TWICE, LARGE, None)"
    )
    assert got["b/other.py"] == ""


@pytest.mark.parametrize(
    "use",
    [
        "import a\na.LIMIT = 3",
        "import a\ndef f(module): return module.LIMIT\nf(a)",
        "import a\ngetattr(a, 'LIMIT')",
    ],
)
def test_a_constant_that_somebody_may_ask_for_or_set_stays(use: str):
    assert made_lean({"a.py": "LIMIT = 40", "b.py": use})["a.py"] == "LIMIT = 40"


def test_a_constant_that_is_set_from_outside_is_asked_for_each_time():
    sources = {"a.py": "LIMIT = 40\nprint(LIMIT)", "b.py": "import a\na.LIMIT = 3\nprint(a.LIMIT)"}
    assert made_lean(sources) == sources


def test_who_binds_the_name_of_an_imported_constant_keeps_its_own():
    sources = {"a.py": "LIMIT = 40", "b.py": "from a import LIMIT\nfor LIMIT in range(3):\n    print(LIMIT)"}
    assert made_lean(sources) == sources


def test_who_may_be_asked_for_an_imported_constant_keeps_it():
    sources = {
        "a.py": "LIMIT = 40",
        "b.py": "from a import LIMIT\nprint(LIMIT)",
        "c.py": "import b\n\ndef f(module):\n    return module.LIMIT\nf(b)",
    }
    assert made_lean(sources) == sources | {"b.py": "from a import LIMIT\nprint(40)"}


@pytest.mark.parametrize(
    "text",
    [
        "LIMIT = 4\ndef f(LIMIT): return LIMIT\nf(1)",
        "LIMIT = 4\nfor LIMIT in range(3):\n    print(LIMIT)",
        "if __name__:\n    LIMIT = 4\nelse:\n    LIMIT = 5\nprint(LIMIT)",
        "try:\n    print()\nexcept OSError as LIMIT:\n    print(LIMIT)\nLIMIT = 4",
    ],
)
def test_what_is_bound_twice_is_no_constant(text: str):
    assert one(text) == ast.unparse(ast.parse(text))


def test_who_imports_in_a_circle_gets_no_constant_before_its_time():
    got = made_lean(
        {"a.py": "from b import TWO\nONE = 1\nprint(TWO)", "b.py": "from a import ONE\nTWO = ONE + 1"}
    )
    assert got["b.py"] == "from a import ONE\nTWO = ONE + 1"


UNUSED = """
def used(): return 1
def unused(): return needed()
def needed(): return 2
def again(n): return again(n - 1)
def by_text(): return 3
def asked(): return 4
def __del__(): pass
class Part:
    def append(self): return 5
    def nobody(self): return 6
    @property
    def looked(self): return 7
    @other
    def made(self): return 8
print(used(), Part, "by_text", [].other)
"""


def test_what_nothing_names_goes_and_what_it_alone_named():
    got = one(UNUSED, "asked")
    assert all(f"def {name}(" not in got for name in ("unused", "needed", "again", "nobody", "looked"))
    assert all(f"def {name}(" in got for name in ("used", "by_text", "asked", "__del__", "append", "made"))


def test_an_import_that_shows_no_names_is_refused():
    with pytest.raises(ValueError, match=r"a\.py"):
        one("from b import *")


def test_where_a_module_lasts_tuples_with_texts_are_made_of_lists():
    text = "T = (('a', 1), (2, 3), 'b')\ndef f(x=('c',)): return x, ('d', 'e'), T\nprint(f())"
    tree = ast.parse(text)
    lean({"a.py": tree}, set(), {"a.py"})
    assert ast.unparse(tree) == (
        "T = tuple([tuple(['a', 1]), (2, 3), 'b'])\n\n"
        "def f(x=('c',)):\n    return (x, ('d', 'e'), T)\nprint(f())"
    )
    scope: dict[str, object] = {}
    exec(ast.unparse(tree), scope)
    assert scope["T"] == (("a", 1), (2, 3), "b")
    assert one(text).startswith("T = (('a', 1), (2, 3), 'b')")
