# ruff: noqa: E402
"""What the interpreter runs first: hands over to ``_stock`` and leaves nothing of itself in ``__main__``."""

import gc

# While the shims load, what is thrown away is used again at once: they stay at the heap's beginning, and
# the firmware gets one piece of it.
gc.threshold(4096)

import _sim
import _stock

try:
    _stock.install()
except BaseException:
    # A fault of the simulator: without this the prompt would come up on the host's files.
    _sim.post(_sim.BOOTED, 2, 0)
    _sim.flush()
    raise
gc.threshold(-1)
del gc
_stock.run(globals())
