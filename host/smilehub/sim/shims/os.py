"""``os`` of the ESP32 port: file system calls of the built-in module, the board's name and its random
numbers."""

import builtins
import hashlib
import io
import struct
import sys
from collections import namedtuple

import _sim
import _sys
from _native import os as _native

chdir = _native.chdir
getcwd = _native.getcwd
ilistdir = _native.ilistdir
listdir = _native.listdir
mkdir = _native.mkdir
mount = _native.mount
remove = _native.remove
rename = _native.rename
rmdir = _native.rmdir
sep = _native.sep
stat = _native.stat
statvfs = _native.statvfs
umount = _native.umount
unlink = _native.unlink
VfsFat = _native.VfsFat
VfsLfs2 = _native.VfsLfs2

_Uname = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))
_drawn = 0


def uname():
    """What this system is: the simulated board's name, the interpreter's real version."""
    version = ".".join(str(n) for n in sys.implementation[1][:3])
    return _Uname("esp32", "esp32", version, sys.version.split("; ")[-1], _sim.config["machine"])


def urandom(n):
    """``n`` random bytes: in virtual time from the board's seed, so that a run can be repeated."""
    global _drawn
    if not _sim.virtual:
        return _native.urandom(n)
    out = bytearray()
    while len(out) < n:
        out += hashlib.sha256(struct.pack("<qq", _sim.config["seed"], _drawn)).digest()
        _drawn += 1
    return bytes(out[:n])


def sync():
    """Nothing is held back: the flash is written through."""


def dupterm(stream, index=0):
    """Have ``stream`` get what is printed from now on, too (None: no more); returns the one before."""
    before = _dup[0]
    _dup[0] = stream
    builtins.print = _print if stream else _builtin_print
    _sys.print_exception = _print_exception if stream else _builtin_exception
    return before


def _print(*args, sep=" ", end="\n", file=None):
    _builtin_print(*args, sep=sep, end=end, file=file or sys.stdout)
    if file is None:
        _dup[0].write((sep.join([str(arg) for arg in args]) + end).encode())


def _print_exception(error, file=None):
    _builtin_exception(error, file or sys.stdout)
    if file is None:
        text = io.StringIO()
        _builtin_exception(error, text)
        _dup[0].write(text.getvalue().encode())


_dup = [None]
_builtin_print = print
_builtin_exception = sys.print_exception
