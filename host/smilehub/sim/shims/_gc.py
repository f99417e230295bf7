"""``gc`` while the heap is measured: collections come so often that what is in use is what is needed.

A program that lets garbage gather until the heap is full would otherwise show nothing but the heap's size.
"""

import gc as _native
from gc import *

_MOST = 8192


def threshold(*amount):
    """As the built-in, but never above 8 KiB, nor off."""
    if not amount:
        return _native.threshold()
    (wanted,) = amount
    _native.threshold(wanted if 0 <= wanted <= _MOST else _MOST)
    return None
