"""Short names: nobody outside sees them, no two of one object are the same, and programs do what they did."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from smilehub.devices import boardcfg, image
from smilehub.devices.outside import OUTSIDE
from smilehub.devices.partitions import load_board
from smilehub.devices.shorten import names, shorten
from smilehub.devices.sources import board_toml, firmware_root

BASE = b"""
_TABLE = (1, 2)
class Base:
    def __init__(self):
        self._part = 1
        self._both = 2
        self.append = 3
    def _look(self, depth):
        self.shown = _TABLE
        return self._part + getattr(self, "_asked") + depth
class Trouble(Exception): pass
"""
HEIR = b"""
from a.base import Base, Trouble
def _help(x): return x._both
class Heir(Base):
    _mine = "it is mine"
    def _own(self, other):
        other.given = self._mine
        self._far = core._theirs
        return _help(self), self._far, self._look(depth=2), Trouble, self.shown
Heir()._own(core)
"""
SOURCES = {"a/base.py": BASE, "a/heir.py": HEIR, "b.py": b"_one = _two = 1\nprint(_one, '_two', _two)\n"}


def test_names_of_one_module_are_shared_and_those_of_several_are_not():
    found = names(SOURCES)
    assert found["a/base.py"] == {
        "Base": "a0",
        "_look": "a1",
        "_both": "a2",
        "depth": "a3",
        "shown": "a4",
        "_TABLE": "A",
        "_part": "B",
    }
    assert found["a/heir.py"] == {
        "Base": "a0",
        "_look": "a1",
        "_both": "a2",
        "depth": "a3",
        "shown": "a4",
        "given": "a5",  # to another's object: it might meet a name that this has
        # Whose base has two of its own numbers on.
        "_help": "C",
        "Heir": "D",
        "_own": "E",
        "_mine": "F",
        "_far": "G",
    }
    assert found["b.py"] == {"_one": "A"}


def test_what_others_may_know_by_name_stays():
    table = names(SOURCES, {"shown"})
    kept = {"append", "_asked", "__init__", "Trouble", "_theirs", "_two", "shown", "base"}
    assert not kept & {name for path in table for name in table[path]}


@pytest.mark.parametrize(
    "source",
    [
        b"from a.base import Base\nclass Other: pass\nclass Heir(Base, Other): pass\nHeir()",
        b"import a\nclass Heir(a.base.Base): pass\nHeir()",
        b"class Heir(make()): pass\nHeir()",
    ],
)
def test_bases_that_cannot_be_followed_are_refused(source: bytes):
    with pytest.raises(ValueError, match="Heir"):
        names({"a/base.py": BASE, "a/heir.py": source})


def test_who_has_a_short_name_already_keeps_it_to_itself():
    text = shorten({"a.py": b"A = B = [2]\n_long = [3]\nprint(A, B, _long)"})
    assert text["a.py"] == b"A = B = [2]\nC = [3]\nprint(A, B, C)\n"


def test_an_argument_passed_to_who_may_be_anybody_keeps_its_name():
    text = b"def ask(call, far_off):\n    return call(far_off=1)\ndef point(far_off): return 1\nask(point, 1)"
    assert b"call(far_off=1)" in shorten({"a.py": text})["a.py"].replace(b"_(", b"call(")
    text = b"def point(far_off): return far_off\npoint(far_off=1)"
    assert b"far_off" not in shorten({"a.py": text})["a.py"]


MAIN = b'''
"""A program with all that names can be used for."""
import asyncio
import sys
from pack.part import LIMIT, Base, Fault, _shared, far, table
from pack import part

class Heir(Base):
    """An heir whose own names meet those of its base."""
    __slots__ = ("_inner", "label")
    size = LIMIT
    def __init__(self, label, *, wide=False):
        super().__init__(label)
        self._inner = wide
        self.label = label
    def promised(self, step=1):
        return [self._inner, self.label, self.hidden(), step]
    @property
    def _both(self):
        return self._inner, self._count
    def __len__(self):
        return len(self.label)

def _outer(start, step=2):
    total = start
    def inner(start):
        return start + step + total
    return [inner(a) for a in range(LIMIT // 10)], (lambda step: step * total)(3)

def generate(count):
    for number in range(count):
        yield number, far(number, by=number)

def handler_one(text): return "one " + text
def handler_two(text): return "two " + text

async def later(order, name):
    await asyncio.sleep_ms(5 if name == "b" else 1)
    order.append(name)

async def main():
    order = []
    await asyncio.gather(later(order, "a"), later(order, name="b"))
    return order

heir = Heir("label", wide=True)
print(heir.promised(), heir.promised(step=-LIMIT), heir._both, len(heir), heir.size, part.LIMIT)
print(_outer(5), list(generate(3)), sorted(table, key=lambda row: -row[1]))
for which in ("one", "two"):
    print(globals()["handler_" + which]("x"), getattr(heir, "look_" + which)())
try:
    far(None, by=2)
except Fault as fault:
    print(repr(fault), fault.reason, fault.args)
try:
    heir.nowhere
except AttributeError:
    print("no such thing")
print(_shared, part.count_up(), part.count_up(), f"{heir.label!r} {LIMIT + 1:03d}")
print(asyncio.run(main()), part.LEAST ** 2, part.NOTHING)
'''
PART = b'''
from micropython import const
LIMIT = const(40)
LEAST = -3
NOTHING = None
_KEPT = const(LIMIT * 2)
_shared = [_KEPT]
counter = 0
class Fault(Exception):
    """A fault."""
    def __init__(self, reason: str, at: "int | None" = None):
        super().__init__(reason)
        self.reason = reason
class Base:
    def __init__(self, label):
        self._count: int = 0
        self._inner_base = label
    def promised(self, step=1):
        raise NotImplementedError
    def hidden(self):
        self._count += 1
        return self._inner_base, self._count, self.look_one()
    def look_one(self): return "look one"
    def look_two(self): return "look two"
    def never(self): return unused()
def unused(): return 1
def far(value, by):
    """Doc."""
    if value is None:
        raise Fault("far")
    return value * by
def count_up():
    global counter
    counter += 1
    return counter
table = [(name, len(name) * LIMIT) for name in ("a", "bbb", "cc")]
'''


def run(folder: Path, files: dict[str, bytes]) -> str:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    done = subprocess.run(
        [
            Path(sys.executable).with_name("micropython"),
            "-c",
            f"import sys\nsys.path[:] = [{str(folder)!r}, '.frozen']\nimport main",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert not done.returncode, done.stderr
    return done.stdout


def test_a_program_says_the_same_with_short_names(tmp_path: Path):
    # What is put together of texts is no text as a whole: such names are told.
    sources = {"main.py": MAIN, "pack/__init__.py": b"", "pack/part.py": PART}
    kept = {"handler_one", "handler_two", "look_one", "look_two"}
    short = shorten(sources, kept)
    for name in (b"hidden", b"_inner_base", b"generate", b"LIMIT", b"never", b"promised", b"raise NotImpl"):
        assert not any(name in text for text in short.values()), name
    said = run(tmp_path / "before", sources)
    assert len(said.splitlines()) == 8
    assert run(tmp_path / "after", short) == said
    compiled = {path[:-3] + ".mpy": image.compile_file(path, text) for path, text in short.items()}
    assert run(tmp_path / "compiled", compiled) == said
    plain = {path: image.compile_file(path, text) for path, text in sources.items()}
    assert sum(map(len, compiled.values())) < 0.85 * sum(map(len, plain.values()))


def firmware() -> dict[str, bytes]:
    root = firmware_root()
    sources = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for package in image.PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }
    return sources | {"boardcfg.py": boardcfg.source(load_board(board_toml())).encode()}


def test_the_firmware_s_names_are_told_apart():
    found = names(firmware(), {"main", "VERSION"})
    assert sum(map(len, found.values())) > 1500
    meant: dict[str, set[str]] = {}
    for path, table in found.items():
        assert len(set(table.values())) == len(table), path
        assert not {name for name in table if name in OUTSIDE or name.startswith("__")}
        for name, short in table.items():
            meant.setdefault(short, set()).add(name)
    # One that several modules share means the same in all of them, or is of no use outside of each.
    several = {name for name in set().union(*found.values()) if sum(name in t for t in found.values()) > 1}
    for short, of in meant.items():
        assert len(of) == 1 or not of & several, (short, of)


#: All places where the firmware looks something up by a name that it works out. It may be a function of a
#: module or a method, whose name stands as a text somewhere in the firmware.
_LOOKED_UP = {
    "hubcore/desk.py": {
        "getattr(desk, name)",
        "getattr(desk_seldom, 'change_class' if name == 'class' else name)",
    },
    "hubcore/steps.py": {"getattr(steps_seldom, record.kind)", "globals()"},
    "kiosk/device.py": {"getattr(driver, what)"},
    "kiosk/hub.py": {"getattr(module, what)"},
    "kiosk/wishes.py": {"getattr(fetch(module), name)"},
    "services/cable.py": {"getattr(fetch('services.door'), what)"},
    "services/staff.py": {"getattr(fetch('services.pins'), what)"},
    "services/watch.py": {"getattr(fetch('services.look'), what)"},
    # Modules of a package.
    "tasks/forget.py": {"hasattr(package, name[at + 1:])", "delattr(package, name[at + 1:])"},
}
_BY_NAME = ("getattr", "hasattr", "setattr", "delattr", "globals", "locals", "vars", "dir", "exec", "eval")


def test_what_is_looked_up_by_name_is_known():
    found: dict[str, set[str]] = {}
    for path, source in firmware().items():
        for node in ast.walk(ast.parse(source)):
            assert not isinstance(node, ast.Attribute) or node.attr != "__dict__", path
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in _BY_NAME:
                continue
            if len(node.args) < 2 or not isinstance(node.args[1], ast.Constant):
                found.setdefault(path, set()).add(ast.unparse(node))
    assert found == _LOOKED_UP, "say above what it may find, and see that its names stay"
