"""Short private names: nobody outside sees them, and no two of one object are the same."""

import ast
import re

import pytest

from smilehub.devices import image
from smilehub.devices.shorten import names, shorten
from smilehub.devices.sources import firmware_root

BASE = b"""
from micropython import const
_FOLDED = const(3)
_TABLE = (1, _FOLDED)
class Base:
    def __init__(self):
        self._part = 1
        self._both = 2
        self.named = 3
    def _look(self):
        return self._part + getattr(self, "_asked")
"""
HEIR = b"""
from a.base import Base
def _help(x): return x._both
class Heir(Base):
    _mine = "it's _mine"
    def _own(self):
        self._look_far = core._theirs
        return _help(self), self._look_far, f"{self._deep}", self._deep
"""
SOURCES = {"a/base.py": BASE, "a/heir.py": HEIR, "b.py": b"_one = 1\n_asked = 2\n__all__ = ()\n"}


def test_names_of_one_module_alone_become_short():
    assert names(SOURCES) == {
        "a/base.py": {"_part": "_0", "_TABLE": "_1", "_look": "_2"},
        "a/heir.py": {"_help": "_3", "_look_far": "_4", "_own": "_5"},
        "b.py": {"_one": "_0"},
    }


def test_what_others_may_know_by_name_stays():
    text = shorten(SOURCES)
    assert text["b.py"] == b"_0 = 1\n_asked = 2\n__all__ = ()\n"
    for kept in (b"_both", b"_asked", b"__init__", b"_FOLDED", b"named"):
        assert kept in text["a/base.py"]
    assert b"_mine" in text["a/heir.py"]


def test_a_source_with_names_that_look_short_is_refused():
    with pytest.raises(ValueError, match="_0"):
        names({"a.py": b"_mine = _0 = 1"})


def test_the_firmware_means_the_same_with_short_names():
    root = firmware_root()
    sources = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for package in image.PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }
    table = names(sources)
    assert sum(map(len, table.values())) > 200
    for path, text in shorten(sources).items():
        back = {short.encode(): name.encode() for name, short in table[path].items()}
        assert len(back) == len(table[path])
        again = b"".join(back.get(part, part) for part in re.split(rb"\b(_\d+)\b", text))
        assert ast.dump(ast.parse(again)) == ast.dump(ast.parse(sources[path])), path
