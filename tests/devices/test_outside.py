"""The names that stay because MicroPython has them: none is missing."""

import ast
import subprocess
import sys
from pathlib import Path

import smilehub.sim
from smilehub.devices.outside import OUTSIDE

_WALK = """
import asyncio, builtins, asyncio.event, asyncio.lock, asyncio.stream, sys
seen = set()
names = set()
def walk(it, depth):
    if id(it) in seen or depth > 4:
        return
    seen.add(id(it))
    for name in dir(it):
        names.add(name)
        more = getattr(it, name, None)
        if not isinstance(more, (int, str, bytes, tuple, list, dict)):
            walk(more, depth + 1)
for name in ("array binascii collections errno framebuf gc hashlib io json micropython os random select "
             "socket struct sys time tls vfs _asyncio builtins asyncio").split():
    walk(__import__(name), 0)
for it in 1, "", b"", bytearray(), memoryview(b""), [], (), {}, set(), frozenset(), range(3), Exception():
    walk(it, 0)
walk((i for i in ()), 0)
print(*names)
"""
#: Of those of ESP32 modules that the firmware uses.
_STUBS = ("bluetooth", "esp32", "machine", "neopixel", "tls", "vfs")


def test_all_that_the_interpreter_has_is_known():
    micropython = Path(sys.executable).with_name("micropython")
    said = subprocess.run([micropython, "-c", _WALK], capture_output=True, text=True, check=True).stdout
    names = {name for name in said.split() if not name.startswith("__")}
    assert len(names) > 400
    assert {"append", "popitem", "ticks_ms", "FrameBuffer"} <= names
    assert not names - OUTSIDE


def test_all_that_an_esp32_has_is_known():
    found: set[str] = set()
    for module in _STUBS:
        names = (f"{module}.pyi", f"stdlib/{module}/__init__.pyi")
        paths = [Path(folder, name) for folder in sys.path for name in names if Path(folder, name).is_file()]
        assert paths, f"no stubs of {module}"
        found |= _defined(ast.parse(paths[0].read_text()).body)
    assert {"gatts_register_services", "PULL_UP", "TYPE_DATA", "VfsLfs2", "wrap_socket"} <= found
    assert not {name for name in found if not name.startswith("__")} - OUTSIDE


def test_the_simulated_modules_have_no_other_public_names():
    shims = Path(str(smilehub.sim.__path__[0])) / "shims"
    for module in ("bluetooth", "esp32", "machine", "neopixel", "os", "select", "time"):
        names = _defined(ast.parse((shims / f"{module}.py").read_text()).body)
        assert not {name for name in names if not name.startswith("_")} - OUTSIDE, module


def _defined(body: list[ast.stmt]) -> set[str]:
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef | ast.If):
            found |= _defined(node.body)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found
