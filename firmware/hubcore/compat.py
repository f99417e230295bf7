"""What one of the two interpreters lacks: ``const`` on CPython."""

try:
    from micropython import const
except ImportError:

    def const(__expr):
        """MicroPython's compiler folds const(...); CPython just calls it."""
        return __expr
