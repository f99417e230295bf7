"""How true the heap's model is: `make heap MICROPYTHON=DIR`, DIR being a checkout of MicroPython.

ARCHITECTURE.md (Heap) says what the kiosk's program takes on an ESP32 from what it takes here, where a
pointer is twice as wide. This builds the checkout's unix port twice, for 64 and for 32 bits (gcc with -m32
must work: Debian's gcc-multilib), loads the same program into both, and compares what the 32-bit one needs
with what the model says. An ESP32's heap has the same blocks and objects as any 32-bit one.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from smilehub.devices import image, memory

#: So far may the model be off: more than that flattering, or that pessimistic.
FLATTERS, EXCEEDS = 0.01, 0.05

# No library that needs another checkout, and nothing frozen: as small a port as runs the program's modules.
_WITHOUT = ("MICROPY_PY_SSL=0", "MICROPY_SSL_MBEDTLS=0", "MICROPY_PY_BTREE=0", "MICROPY_PY_FFI=0")
_FLAGS = "-Wno-error -DMICROPY_PY_HASHLIB_MD5=0 -DMICROPY_PY_HASHLIB_SHA1=0 -DMICROPY_PY_CRYPTOLIB=0"
_PROGRAM = """
import gc, sys
sys.path[:] = [{extmod!r}, {app!r}]
import asyncio, binascii, framebuf, hashlib, struct, time
class Anything:
    def __init__(self, *args, **kwargs): pass
    def __getattr__(self, name): return 0
class Module:
    def __getattr__(self, name): return Anything
for name in ("machine", "esp32", "bluetooth", "tls", "neopixel", "vfs"):
    sys.modules[name] = Module()
names = {names!r}.split()
gc.collect()
before = gc.mem_alloc()
for name in names:
    __import__(name)
gc.collect()
print(gc.mem_alloc() - before)
"""


class Unusable(Exception):
    """Nothing can be compared here; the message says why."""


def modules(files: dict[str, bytes]) -> list[str]:
    """What stays in the kiosk's memory, and the largest set of what takes turns: paths without suffix."""
    code = {name.removesuffix(".mpy"): len(data) for name, data in files.items() if name.endswith(".mpy")}
    turns = {name for row in memory.TURNS for group in row for name in group}
    largest = max(memory.TURNS[0], key=lambda group: sum(code[name] for name in group))
    return [name for name in code if not name.endswith("__init__") and (name not in turns or name in largest)]


def build(source: Path, folder: Path, bits: int) -> Path:
    """The checkout's unix port for so many bits. Raises Unusable."""
    flags = f"{_FLAGS} -m{bits}"
    command = ["make", "-C", str(source / "ports" / "unix"), f"-j{os.cpu_count() or 1}", f"BUILD={folder}"]
    command += [*_WITHOUT, "MICROPY_PY_BLUETOOTH=0", "FROZEN_MANIFEST="]
    command += [f"CFLAGS_EXTRA={flags}", f"LDFLAGS_EXTRA=-m{bits}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise Unusable(
            f"MicroPython could not be built for {bits} bits (Debian: apt install gcc-multilib):\n{said}"
        )
    return folder / "micropython"


def used(interpreter: Path, source: Path, app: Path, names: Sequence[str]) -> int:
    """Bytes of heap that the program's modules take in this interpreter. Raises Unusable."""
    program = _PROGRAM.format(
        extmod=str(source / "extmod"), app=str(app), names=" ".join(name.replace("/", ".") for name in names)
    )
    command = [str(interpreter), "-X", "heapsize=4M", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(
            f"the program's modules could not be loaded:\n{done.stdout[-500:]}{done.stderr[-500:]}"
        )
    return int(done.stdout)


def main(argv: Sequence[str] | None = None) -> int:
    """Compare and print; 0 if the model is close enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--micropython", default="", metavar="DIR", help="a MicroPython checkout")
    options = parser.parse_args(argv)
    source = Path(options.micropython or "/nowhere").expanduser().resolve()
    if not (source / "ports" / "unix" / "Makefile").is_file():
        print("Say where a MicroPython checkout is: make heap MICROPYTHON=DIR.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="smilehub-heap-") as name:
        folder = Path(name)
        files = image.build_app(folder / "app")
        names = modules(files)
        same = memory.code_bytes([files[f"{name}.mpy"] for name in names])
        try:
            here, there = (
                used(build(source, folder / str(bits), bits), source, folder / "app", names)
                for bits in (64, 32)
            )
        except Unusable as error:
            print(error, file=sys.stderr)
            return 2
    says = memory.heap_on_board(here, same)
    off = says / there - 1
    print(f"{len(names)} modules, {sum(len(files[f'{name}.mpy']) for name in names):,} bytes of .mpy")
    print(f"  as large on both sides   {same:>9,} bytes")
    print(f"  heap of 64 bits          {here:>9,}")
    print(f"  the model's for 32 bits  {says:>9,.0f}")
    print(f"  heap of 32 bits          {there:>9,}   the model is off by {off:+.1%}")
    return int(not -FLATTERS <= off <= EXCEEDS)


if __name__ == "__main__":
    raise SystemExit(main())
