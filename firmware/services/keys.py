"""Secrets by name in raw flash: the device key, staff's PINs; safe against a power cut at any moment."""

import os
import struct
from binascii import crc32

from hubcore.compat import const
from hubcore.errors import HubError

# An entry (docs/formats.md): what it is, length of name, length of value, 0xFF, generation of its sector,
# name and value, CRC-32 of all that.
_SECTOR = const(4096)
_ENTRY = const(64)
_HEAD = const(8)
_MAX_NAME = const(16)
_MAX_VALUE = const(36)
_FIRST = const(2)  # sectors 0 and 1 of the partition are the boot state's
_SET = const(1)
_REMOVED = const(2)
_BEGUN = const(3)  # the sector's first entry, written last
_TRIES = const(3)

_DEVICE = "device"
_BLANK = b"\xff" * _ENTRY


class KeysError(HubError):
    """The flash does not keep what is written to it."""


class KeyStore:
    """``part`` is the partition ``keys``, as ``services.journal.Journal`` takes it; ``rnd(n)`` gives n random
    bytes.

    Two sectors in turn: entries are appended to one; when it is full, what still holds is copied to the
    other, and only then that one gets its first entry, which makes it the one that counts. ``device_key`` is
    32 bytes, made at the first start, or when it was not readable: then this store is ``new``. Raises
    KeysError when flash fails.
    """

    def __init__(self, part, rnd=os.urandom):
        self._part = part
        self.rnd = rnd
        self._buf = bytearray(_ENTRY)
        self._mv = memoryview(self._buf)
        self._sector = _FIRST
        self._generation = 0
        self._at = _SECTOR  # where the next entry goes
        whole = self._find()
        self.device_key = self.get(_DEVICE) if self._generation else None
        self.new = self.device_key is None
        if self.new or not whole:
            # Or the sector that counts has lost its first entry: begin in the other one.
            self.device_key = self.device_key or rnd(32)
            self._turn()

    def get(self, name: str) -> "bytes | None":
        """What was last set under this name, or None."""
        what = name.encode()
        for at in range(self._at - _ENTRY, 0, -_ENTRY):
            kind = self._load(self._sector, at)
            if kind and self._name() == what:
                return self._value() if kind == _SET else None
        return None

    def set(self, name: str, value: bytes) -> None:
        """Keep up to 36 bytes under a name of up to 16; on return they are in flash. Raises ValueError."""
        if not 0 < len(name.encode()) <= _MAX_NAME or len(value) > _MAX_VALUE:
            raise ValueError("a key's name or value is too long")
        if self.get(name) != value:
            self._append(_SET, name, value)

    def remove(self, name: str) -> None:
        """Forget this name."""
        if self.get(name) is not None:
            self._append(_REMOVED, name, b"")

    def names(self) -> list:
        """All names, sorted."""
        found = set()
        for at in range(_ENTRY, self._at, _ENTRY):
            kind = self._load(self._sector, at)
            if kind == _SET:
                found.add(self._name().decode())
            elif kind == _REMOVED:
                found.discard(self._name().decode())
        return sorted(found)

    # Inside

    def _find(self):
        # The sector that counts, and where it goes on; False if its first entry is not readable.
        whole = True
        for sector in (_FIRST, _FIRST + 1):
            kind = self._load(sector, 0)
            generation = self._stamp() if kind == _BEGUN else 0
            if not kind and self._buf != _BLANK:
                # Torn in its making or damaged since: either way all that follows was complete before.
                for at in range(_ENTRY, _SECTOR, _ENTRY):
                    if self._load(sector, at):
                        generation = self._stamp()
                        break
            if generation > self._generation:
                self._sector, self._generation, whole = sector, generation, kind == _BEGUN
        if self._generation:
            while self._at > _ENTRY:
                self._load(self._sector, self._at - _ENTRY)
                if self._buf != _BLANK:
                    break
                self._at -= _ENTRY
        return whole

    def _append(self, kind, name, value):
        for _ in range(_TRIES):
            if self._at >= _SECTOR:
                self._turn()
            at = self._at
            self._at += _ENTRY
            if self._write(self._sector, at, kind, self._generation, name.encode(), value):
                return
        raise KeysError("The flash does not keep what is written to it.")

    def _turn(self):
        # Copy what holds to the other sector, the device key twice; its first entry last.
        held = (
            [(name, self.get(name)) for name in self.names() if name != _DEVICE] if self._generation else []
        )
        held += [(_DEVICE, self.device_key)] * 2
        other = _FIRST + 1 if self._sector == _FIRST else _FIRST
        generation = self._generation + 1
        if len(held) > _SECTOR // _ENTRY - 2:
            raise KeysError("There are too many secrets.")
        try:
            good = not self._part.ioctl(6, other)
        except OSError:
            good = False
        at = _ENTRY
        for name, value in held:
            good = good and self._write(other, at, _SET, generation, name.encode(), value)
            at += _ENTRY
        if not good or not self._write(other, 0, _BEGUN, generation, b"", b""):
            raise KeysError("The flash does not keep what is written to it.")
        self._sector, self._generation, self._at = other, generation, at

    def _load(self, sector, at):
        # Read an entry; its kind, or 0 if there is no whole one.
        self._part.readblocks(sector, self._buf, at)
        kind, name, value, _, _ = struct.unpack_from("<BBBBI", self._buf)
        if not _SET <= kind <= _BEGUN or name > _MAX_NAME or value > _MAX_VALUE:
            return 0
        (crc,) = struct.unpack_from("<I", self._buf, _ENTRY - 4)
        return kind if crc == crc32(self._mv[: _ENTRY - 4]) else 0

    def _name(self):
        return bytes(self._mv[_HEAD : _HEAD + self._buf[1]])

    def _value(self):
        start = _HEAD + self._buf[1]
        return bytes(self._mv[start : start + self._buf[2]])

    def _stamp(self):
        return struct.unpack_from("<I", self._buf, 4)[0]

    def _write(self, sector, at, kind, generation, name, value):
        # Program an entry; whether it then stands there.
        buf = self._buf
        buf[:] = _BLANK
        struct.pack_into("<BBBBI", buf, 0, kind, len(name), len(value), 0xFF, generation)
        buf[_HEAD : _HEAD + len(name)] = name
        buf[_HEAD + len(name) : _HEAD + len(name) + len(value)] = value
        struct.pack_into("<I", buf, _ENTRY - 4, crc32(self._mv[: _ENTRY - 4]))
        want = bytes(buf)
        try:
            self._part.writeblocks(sector, buf, at)
            self._part.readblocks(sector, buf, at)
        except OSError:
            return False
        return buf == want
