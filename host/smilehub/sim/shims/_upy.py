# ruff: noqa: I001
"""``micropython`` as the firmware sees it: the built-in one, with an interrupt character that the board's
console minds."""

from micropython import *

import _sim

__name__ = "micropython"


def kbd_intr(char):
    """Set the character that raises KeyboardInterrupt (-1 or None: none)."""
    _sim.post(_sim.KBD_INTR, 0, -1 if char is None else int(char))
    _sim.flush()
