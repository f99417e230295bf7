"""What the interpreter runs first: hands over to ``_stock`` and leaves nothing of itself in ``__main__``."""

import _sim
import _stock

try:
    _stock.install()
except BaseException:
    # A fault of the simulator: without this the prompt would come up on the host's files.
    _sim.post(_sim.BOOTED, 2, 0)
    _sim.flush()
    raise
_stock.run(globals())
