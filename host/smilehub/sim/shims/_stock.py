# ruff: noqa: I001, F821
"""From the interpreter's start to its prompt as an ESP32 goes: shims in place, the exact heap, _boot,
boot.py, main.py."""

import gc
import io
import sys
import uctypes

import _native
import _sim

_COMPLAINT = """\
The filesystem appears to be corrupted. If you had important data there, you
may want to make a flash snapshot to try to recover it. Otherwise, perform
factory reprogramming of MicroPython firmware (completely erase flash, followed
by firmware programming).
"""

_BOOT_PY = """\
# This file is executed on every boot (including wake-boot from deepsleep)
#import esp
#esp.osdebug(None)
#import webrepl
#webrepl.start()
"""

# Written to the console as the launcher's last act; sim/terminal.py takes it out.
_REPL_MARK = b"\xff\xfeREPL"
_SHIMS = sys.path[0]
_threshold = [gc.threshold]
_ballast = [None] * 6


def run(main):
    """Do all a board does before its prompt; ``main`` is the namespace of ``__main__``."""
    main.clear()
    main["__name__"] = "__main__"
    _shrink(_sim.config["heap"])
    # Each call frees what the one before had on its stack.
    for at in range(1, len(_ballast)):
        _trim(_sim.config["heap"], at)
    _settle()
    given = gc.mem_free()
    try:
        _mount()
    except BaseException as error:  # noqa: BLE001 - a board prints whatever its program raised
        _free_heap()
        _print(error)
    # Only now may Ctrl-C interrupt: the port runs _boot.py without an interrupt character, and an exception
    # in the middle of a mount would look like a damaged file system.
    _sim.post(_sim.BOOTED, 0, given)
    _sim.flush()
    # A boot.py that failed keeps main.py from running, as in the port's main.c.
    try:
        if _file("boot.py", main) and not _sim.config["raw"]:
            _file("main.py", main)
        _sim.post(_sim.BOOTED, 1, gc.mem_free())
        _sim.flush()
    except KeyboardInterrupt:
        pass  # it came when both had ended: there is nothing left to stop
    while True:
        try:
            sys.stdout.buffer.write(_REPL_MARK)
            break
        except KeyboardInterrupt:
            continue  # the console waits for the mark


def install():
    """Greet the host, and put every shim where ``import`` looks first."""
    _sim.start()
    loaded = sys.modules
    # Built-ins of these names would be found before a file; so these have others.
    import _upy

    loaded["micropython"] = _upy
    import _flash
    import _sys
    import _tasks
    import _tls
    import _vfs
    import esp32
    import os
    import select
    import time

    names = {"time": time, "select": select, "os": os, "vfs": _vfs, "sys": _sys, "_asyncio": _tasks}
    names["esp32"] = esp32
    names["tls"] = _tls
    for name in ("bluetooth", "machine", "neopixel"):
        try:
            names[name] = __import__(name)
        except ImportError:
            pass
    import random

    random.seed(_sim.config["seed"])
    names["random"] = random
    if _sim.config["measure"]:
        import _gc

        names["gc"] = _gc
        _threshold[0] = _gc.threshold
    for name, module in names.items():
        loaded[name] = module
    for name in ("time", "select", "os", "machine", "random", "bluetooth"):
        if name in loaded:
            loaded["u" + name] = loaded[name]
    loaded["umicropython"] = _upy
    for name in list(loaded):
        if name.startswith("_") and name != "_asyncio":
            del loaded[name]
    if _sim.config["cut"]:
        _flash.arm(*_sim.config["cut"])
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []


def _shrink(want):
    """Fill the heap until exactly ``want`` bytes are free, in one piece, to the heap's granularity of 32."""
    # What the shims' compilation left behind is holes among them: fill these first, largest pieces first.
    gc.collect()
    probe = bytearray(want // 2)
    tail = uctypes.addressof(probe)
    del probe
    held = None
    for size in (16384, 4096, 1024, 256, 64, 32):
        gc.collect()
        while True:
            piece = bytearray(size)
            if uctypes.addressof(piece) >= tail:
                break
            held = (held, piece)
    piece = None
    _ballast[0] = held


def _trim(want, at):
    gc.collect()
    # A bytearray's own header takes one block.
    spare = gc.mem_free() - want - 32
    if spare >= 32:
        _ballast[at] = bytearray(spare // 32 * 32)


def _settle():
    gc.collect()
    if _sim.config["measure"]:
        _sim.measure_from(gc.mem_alloc())
    _threshold[0](-1)


def _mount():
    import os
    import vfs
    from esp32 import Partition

    _native.vfs.umount("/")
    bdev = Partition.find(Partition.TYPE_DATA, label="vfs")
    if not bdev:
        bdev = Partition.find(Partition.TYPE_DATA, label="ffat", block_size=512)
    bdev = bdev[0] if bdev else None
    try:
        if bdev:
            vfs.mount(bdev, "/")
    except OSError:
        _setup(bdev)
    if bdev:
        os.chdir("/")
    gc.collect()


def _setup(bdev):
    import vfs

    block = bytearray(bdev.ioctl(5, 0))
    bdev.readblocks(0, block)
    for b in block:
        if b != 0xFF:
            _corrupted()
    print("Performing initial setup")
    kind = vfs.VfsLfs2 if bdev.info()[4] == "vfs" else vfs.VfsFat
    kind.mkfs(bdev)
    vfs.mount(kind(bdev), "/")
    with open("/boot.py", "w") as f:
        f.write(_BOOT_PY)


def _corrupted():
    import time

    while True:
        print(_COMPLAINT)
        time.sleep(3)


def _file(name, main):
    """Run a file if it is there; False if it raised. SystemExit is a soft reset."""
    import os

    try:
        os.stat(name)
    except OSError:
        return True
    try:
        execfile(name, main)
    except SystemExit:
        _sim.post(_sim.RESET, 5, 0)
        _sim.flush()
        while True:
            _sim.wait(-1)
    except BaseException as error:  # noqa: BLE001 - a board prints whatever its program raised
        _free_heap()
        _print(error)
        return False
    return True


def _free_heap():
    """As the port's REPL does: a heap that the program left locked would allow no way out but a reset.

    A Ctrl-C amid a collection leaves the collector's own lock, which another collection takes away.
    """
    gc.collect()
    for _ in range(8):
        try:
            bytearray(64)
            return
        except MemoryError:
            _native.micropython.heap_unlock()


def _print(error):
    """The traceback without the frames that a board does not have: those of this launcher and of the
    shims."""
    text = io.StringIO()
    sys.print_exception(error, text)
    for line in text.getvalue().split("\n"):
        if line and not line.startswith('  File "' + _SHIMS):
            print(line)
