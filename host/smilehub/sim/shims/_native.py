# ruff: noqa: E402, I001, F401
"""The interpreter's own modules, which the shims stand in for."""

import sys

# Built-ins are fetched with an empty path: shims of the same names would hide them, and stay out of
# sys.modules, where the launcher puts the shims.
_path = sys.path[:]
sys.path[:] = []
import machine
import micropython
import os
import select
import time
import vfs

sys.path[:] = _path
