"""Modules that are in memory only while they are needed, without leaving the heap full of holes."""

import gc
import sys

_CLOSE = 16384  # bytes
_threshold = getattr(gc, "threshold", int)  # a laptop's Python has no such thing
_free = getattr(gc, "mem_free", None)  # nor this

sheds = []  # called where memory lacks: they give up what can be had again


def fetch(name: str):
    """A module by its full name, loaded if it is not there. Where memory lacks for it, ``shed`` makes room.

    What loading throws away is used again soon: else what stays would lie everywhere in the heap, and leave
    no room in one piece for anything larger.
    """
    if name not in sys.modules:
        before = _threshold()
        _threshold(_CLOSE)
        try:
            __import__(name)
        except MemoryError:
            shed()
            __import__(name)
        finally:
            _threshold(before)
    return sys.modules[name]


def shed() -> None:
    """Make room in memory."""
    for call in sheds:
        call()
    gc.collect()


def room(size: int) -> bool:
    """Have ``size`` bytes of memory free, collecting only if need be; False if it took a ``shed``."""
    if _free and _free() < size:
        gc.collect()
        if _free() < size:
            shed()
            return False
    return True


def forget(*names) -> None:
    """Drop modules, so that the next import loads them anew; nothing may refer to what they made of code."""
    for name in names:
        if sys.modules.pop(name, None) is None:
            continue
        at = name.rfind(".")
        package = sys.modules.get(name[:at]) if at > 0 else None
        if package is not None and hasattr(package, name[at + 1 :]):
            delattr(package, name[at + 1 :])
