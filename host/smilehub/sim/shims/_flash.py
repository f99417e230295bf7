# ruff: noqa: I001, F821
"""The flash chip: the file that the guest inherits, with NOR rules and a W25Q128's typical times.

Programming clears bits, erasing sets a sector's to one. Winbond W25Q128JV datasheet, AC characteristics:
page program 0.7 ms, sector
erase 45 ms. Nothing here allocates. An armed power cut leaves the operation it hits half done.
"""

import array

import micropython

import _sim

SECTOR = micropython.const(4096)
_PAGE = micropython.const(256)
_PROGRAM_US = micropython.const(700)
_ERASE_US = micropython.const(45000)

_OPS = micropython.const(0)  # operations since power-on: page programs and sector erases
_CUT_AT = micropython.const(1)  # the operation that the armed cut hits; 0: none
_TEAR = micropython.const(2)  # how much of it is done, in 1/255
_HELD = micropython.const(3)  # calls of a block device under way
_S = array.array("l", [0, 0, 0, 0])
#: Called once when a block device's call ends; must be machine code, as it runs below the file system.
after = [None]
_file = open(4, "r+b")
_old = bytearray(SECTOR)
_erased = b"\xff" * SECTOR


def arm(ops, tear):
    """Cut the power in the ``ops``-th operation from now, after ``tear``/255 of it."""
    _S[_CUT_AT] = _S[_OPS] + ops
    _S[_TEAR] = tear


_sim.on(_sim.EV_ARM_CUT, lambda a, b, t, n: arm(b, a))


@micropython.native
def hold():
    """A block device's call begins: on a chip it is C, and no scheduled call runs until it returns."""
    _S[_HELD] += 1


@micropython.native
def release():
    """It ends."""
    _S[_HELD] -= 1
    call = after[0]
    if call is not None:
        after[0] = None
        call()


def held():
    """Whether one is under way: the file system below it must not be entered again."""
    return _S[_HELD]


@micropython.viper
def _and(old: ptr8, new: ptr8, at: int, n: int):
    for i in range(n):
        old[i] = old[i] & new[at + i]


def read(address, buf, n):
    """Read ``n`` bytes to the start of ``buf``."""
    _file.seek(address)
    _file.readinto(buf, n)
    _sim.advance(2 + n // 10)


@micropython.native
def program(address, buf, n):
    """Clear the bits that are clear in the first ``n`` bytes of ``buf``."""
    done = 0
    while done < n:
        at = address + done
        # Page by page only when one of them may be torn.
        step = _PAGE if _S[_CUT_AT] else SECTOR
        step = min(n - done, step - at % step)
        pages = (at % _PAGE + step + _PAGE - 1) // _PAGE
        _S[_OPS] += pages
        torn = _S[_OPS] == _S[_CUT_AT]
        if torn:
            step = step * _S[_TEAR] // 255
        _file.seek(at)
        _file.readinto(_old, step)
        _and(_old, buf, done, step)
        _file.seek(at)
        _file.write(_old, step)
        if torn:
            if done + step < n:
                # The byte it was at has some of its bits.
                _file.seek(at + step)
                _file.readinto(_old, 1)
                _old[0] &= buf[done + step] | 0xA5
                _file.seek(at + step)
                _file.write(_old, 1)
            _cut()
        _sim.post(_sim.FLASH_BUSY, 1, _PROGRAM_US * pages)
        _sim.advance(_PROGRAM_US * pages)
        done += step


@micropython.native
def erase(address):
    """Set the sector at ``address`` to ones."""
    _S[_OPS] += 1
    n = SECTOR
    torn = _S[_OPS] == _S[_CUT_AT]
    if torn:
        n = n * _S[_TEAR] // 255
    _file.seek(address)
    _file.write(_erased, n)
    if torn:
        if n < SECTOR:
            # Cells at the border are neither: some bits have come back.
            _file.seek(address + n)
            _file.readinto(_old, 1)
            _old[0] |= 0x5A
            _file.seek(address + n)
            _file.write(_old, 1)
        _cut()
    _sim.post(_sim.FLASH_BUSY, 0, _ERASE_US)
    _sim.advance(_ERASE_US)


def _cut():
    _sim.post(_sim.CUT, 0, _S[_OPS])
    _sim.flush()
    while True:
        _sim.wait(-1)
