"""``esp32`` of the ESP32 port: partitions of the flash chip, and NVS."""

import struct

import _flash
import _nvs
import _sim
import micropython
from _arg import integer, octets, writable

_BLOCK = 4096
_INVALID_ARG = (-0x102, "ESP_ERR_INVALID_ARG")
_INVALID_SIZE = (-0x104, "ESP_ERR_INVALID_SIZE")
_NOT_FOUND = (-0x105, "ESP_ERR_NOT_FOUND")
_OTA_VALIDATE_FAILED = (-0x1503, "ESP_ERR_OTA_VALIDATE_FAILED")

HEAP_DATA = 4
HEAP_EXEC = 1
WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


def _read_table():
    """Rows (type, subtype, address, size, label) of the partition table at 0x8000."""
    rows = []
    row = bytearray(32)
    for at in range(0x8000, 0x8C00, 32):
        _flash.read(at, row, 32)
        magic, kind, subtype, address, size, label, flags = struct.unpack("<HBBII16sI", row)
        if magic != 0x50AA:
            break
        rows.append((kind, subtype, address, size, label.rstrip(b"\0").decode(), bool(flags & 1)))
    return rows


_table = _read_table()


def _running():
    """The application that runs: the one OTA data chose, or factory. Here the interpreter lies in no
    partition."""
    for row in _table:
        if row[0] == 0 and row[1] == 0:
            return row
    for row in _table:
        if row[0] == 0:
            return row
    return None


class Partition:
    """One partition as a block device of 4096-byte blocks (or smaller ones, through a cache)."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, id, block_size=_BLOCK):
        if isinstance(id, tuple):
            row = id
        elif isinstance(id, int):
            if id not in (0, 1):
                raise ValueError
            row = _running()
        elif isinstance(id, str):
            row = None
            for kind in (0, 1):
                for candidate in _table:
                    if row is None and candidate[0] == kind and candidate[4] == id:
                        row = candidate
        else:
            raise TypeError("can't convert '" + type(id).__name__ + "' object to str implicitly")
        if row is None:
            raise OSError(2)
        self._row = row
        self._address = row[2]
        self._size = row[3]
        self._block = block_size
        self._cache = bytearray(_BLOCK) if block_size < _BLOCK else None

    def __repr__(self):
        return "<Partition type=%u, subtype=%u, address=%u, size=%u, label=%s, encrypted=%u>" % self._row

    @staticmethod
    def find(type=0, subtype=0xFF, label=None, block_size=_BLOCK):
        """The partitions that match; 0xFF is any subtype."""
        if label is not None and not isinstance(label, str):
            raise TypeError("can't convert '" + label.__class__.__name__ + "' object to str implicitly")
        found = []
        for row in _table:
            # Any type (0xFF) is accepted only with any subtype, as in esp_partition_find.
            if type in (row[0], 0xFF) and subtype in (row[1], 0xFF) and label in (None, row[4]):
                found.append(Partition(row, block_size))
        return found

    def info(self):
        """(type, subtype, address, size, label, encrypted)"""
        return self._row

    @micropython.native
    def readblocks(self, block, buf, offset=0):
        """Read ``len(buf)`` bytes from ``block`` on, at ``offset`` bytes."""
        _flash.hold()
        try:
            self._read(block, buf, offset)
        finally:
            _flash.release()

    @micropython.native
    def _read(self, block, buf, offset):
        at = integer(block) * self._block + integer(offset)
        buf = writable(buf)
        n = len(buf)
        self._check(at, n)
        _flash.read(self._address + at, buf, n)

    @micropython.native
    def writeblocks(self, block, buf, offset=None):
        """Program ``buf``; without ``offset`` the blocks are erased first."""
        _flash.hold()
        try:
            self._write(block, buf, offset)
        finally:
            _flash.release()

    @micropython.native
    def _write(self, block, buf, offset):
        at = integer(block) * self._block
        buf = octets(buf)
        n = len(buf)
        if offset is None:
            if self._cache is None:
                self._check(at, n)
                if at % _BLOCK:
                    raise OSError(*_INVALID_ARG)
                if n % _BLOCK:
                    raise OSError(*_INVALID_SIZE)
                for sector in range(at, at + n, _BLOCK):
                    _flash.erase(self._address + sector)
            else:
                self._check(at, n)
                self._erase_within(at, at + n)
        else:
            at += integer(offset)
            self._check(at, n)
        _flash.program(self._address + at, buf, n)

    @micropython.native
    def ioctl(self, op, arg):
        """Block device protocol: 1 init, 2 deinit, 3 sync, 4 count, 5 size, 6 erase."""
        _flash.hold()
        try:
            return self._control(op, arg)
        finally:
            _flash.release()

    @micropython.native
    def _control(self, op, arg):
        if op in (1, 2, 3):
            return 0
        if op == 4:
            return self._size // self._block
        if op == 5:
            return self._block
        if op == 6:
            if self._block != _BLOCK:
                return -22
            at = integer(arg) * _BLOCK
            self._check(at, _BLOCK)
            _flash.erase(self._address + at)
            return 0
        return None

    def set_boot(self):
        """Boot from this partition next time. Refused: the image in it is not a valid application here."""
        if self._row[0] != 0:
            raise OSError(*_INVALID_ARG)
        if self._row != _running():
            raise OSError(*_OTA_VALIDATE_FAILED)

    def get_next_update(self):
        """The OTA partition to write next. OSError ENOENT when the table has none."""
        slots = [row for row in _table if row[0] == 0 and 0x10 <= row[1] < 0x20]
        if not slots:
            raise OSError(2)
        return Partition(slots[0])

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        """Keep the running application. Without OTA data there is none to mark, as ESP-IDF says."""
        for row in _table:
            if row[0] == 1 and row[1] == 0:
                return
        raise OSError(*_NOT_FOUND)

    def _check(self, at, n):
        if at < 0 or at > self._size:
            raise OSError(*_INVALID_ARG)
        if at + n > self._size:
            raise OSError(*_INVALID_SIZE)

    def _erase_within(self, start, end):
        """Erase, keeping what lies beside the bytes in the same sectors."""
        cache = self._cache
        address = start // _BLOCK * _BLOCK
        while address < end:
            base = self._address + address
            _flash.read(base, cache, _BLOCK)
            for i in range(max(0, start - address), min(_BLOCK, end - address)):
                cache[i] = 0xFF
            _flash.erase(base)
            _flash.program(base, cache, _BLOCK)
            address += _BLOCK


class NVS:
    """A namespace of the key-value store in partition ``nvs`` (format: ``_nvs``)."""

    def __init__(self, namespace):
        _nvs.check_name(namespace)
        self._space = namespace
        self._store = _nvs.store(_table)

    def __repr__(self):
        return "<NVS namespace>"

    def set_i32(self, key, value):
        """Keep a 32-bit integer."""
        if not -(1 << 31) <= integer(value) < 1 << 31:
            raise OverflowError("overflow converting long int to machine word")
        self._store.put(self._space, key, _nvs.I32, struct.pack("<i", value))

    def get_i32(self, key):
        """The integer; OSError if there is none."""
        return struct.unpack("<i", self._store.get(self._space, key, _nvs.I32))[0]

    def set_blob(self, key, value):
        """Keep bytes."""
        self._store.put(self._space, key, _nvs.BLOB, bytes(octets(value)))

    def get_blob(self, key, buffer):
        """Read the bytes into ``buffer``; returns how many. OSError if it is too short."""
        buffer = writable(buffer)
        value = self._store.get(self._space, key, _nvs.BLOB)
        if len(value) > len(buffer):
            raise OSError(*_nvs.INVALID_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        """Forget one key; OSError if there is none."""
        self._store.erase(self._space, key)

    def commit(self):
        """Make changes durable; here they are already."""


def mcu_temperature():
    """Degrees Celsius: a room's, and the chip's own warmth."""
    return 32


def wake_on_ext0(pin=None, level=None):
    """Accepted; deep sleep ends by its timer here."""


def wake_on_ext1(pins=None, level=None):
    """Accepted; deep sleep ends by its timer here."""


def idf_heap_info(capabilities):
    """[(total, free, largest free block, lowest free)] of the region that holds MicroPython's heap."""
    import gc

    total = _sim.config["heap"]
    return [(total, gc.mem_free(), gc.mem_free(), gc.mem_free())]
