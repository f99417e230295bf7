"""What one of the two interpreters lacks, ``const`` on CPython, and tables that keep their size."""

try:
    from micropython import const
except ImportError:

    def const(__expr):
        """MicroPython's compiler folds const(...); CPython just calls it."""
        return __expr


def roomy(entries: int) -> dict:
    """An empty dict with room, which MicroPython's keeps if entries go one by one, but not if it is cleared.

    In the middle of the day the device has no room in one piece for a larger table.
    """
    table = {i: None for i in range(entries)}
    for i in range(entries - 1, -1, -1):
        del table[i]
    return table
