"""Runs under MicroPython: folds a journal (one record a line, in hex), printing for each record its kind, how
many bytes of memory were taken to apply it, garbage included, and how many of them it keeps.

Arguments: folder of hubcore, journal file.
"""

import gc
import sys
from binascii import unhexlify

sys.path.insert(0, sys.argv[1])

from hubcore import records, steps
from hubcore.fold import Hub

hub = Hub()
with open(sys.argv[2]) as f:  # noqa: PTH123 - MicroPython has no pathlib
    for line in f:
        record = records.decode(unhexlify(line.strip()))
        steps.ready(record.kind)
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        hub.apply(b"journal1", record)
        taken = gc.mem_alloc() - before
        gc.enable()
        gc.collect()
        print(record.kind, taken, gc.mem_alloc() - before)
