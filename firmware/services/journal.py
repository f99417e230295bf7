"""The journal: a ring of records in a raw flash partition, durable on return (docs/formats.md)."""

import struct
from binascii import crc32

from hubcore import records
from hubcore.compat import const
from hubcore.errors import HubError
from services.sectors import MAGIC, Sectors
from tasks.forget import fetch, forget

_SECTOR = const(4096)
_HEADER = const(32)
_ENTRY = const(12)
_MARK = const(24)
_NEXT = const(28)
_TRIES = const(3)

_FULL = "The journal is full."
_WORN = "The flash does not keep what the journal writes."


class JournalFull(HubError):
    """No sector is left that this record may use."""


class JournalError(HubError):
    """The flash does not keep what is written to it."""


class Journal(Sectors):
    """Append and read records. ``open()`` first.

    ``faults`` lists what was found damaged, as tuples (what, seq, how many): ("lost", first seq lost,
    records), ("header", first seq of the sector, 0), ("before", first seq held, 0) when what came before it
    was not dropped but is unreadable, ("new", 1, 0) when nothing of an older journal was readable.

    Where the newest records are gone, ``next_seq`` and ``boot`` jump by 256 a sector: more than can have been
    acknowledged there, so that no identity comes a second time.
    """

    def __init__(self, part, reserve: int = 8, buf=None):
        super().__init__(part, buf)
        self._reserve = reserve
        self.boot = 1
        self.next_seq = 1
        self.first_seq = 1
        self.keep_from = None  # the seq of the newest day_opened: it and what follows is never reused
        self.confirmed = 0
        self._at = _SECTOR  # where the next entry goes in sector _last
        self._ready = 0  # number of the sector that is erased ahead
        self._spare = False  # known: the current sector is not of the reserve

    # Opening

    def open(self) -> None:
        """Find the journal, recover a torn tail, or begin a new one. Damage never raises."""
        fetch("services.recovery").find(self)
        forget("services.recovery")

    # Writing

    def append(
        self, kind_code: int, body: dict, uptime_ms: int, clock_s: int | None, reserve: bool = False
    ) -> bytes:
        """Write one record of this boot; return its bytes once they are programmed and read back.

        ``reserve`` allows the last sectors. Raises JournalFull, JournalError, or as ``records.encode``.
        """
        raw = records.encode(kind_code, self.next_seq, self.boot, uptime_ms, clock_s, body)
        return self.append_raw(raw, reserve)

    def append_raw(self, raw: bytes, reserve: bool = False) -> bytes:
        """Write a record that is encoded already and carries ``next_seq``; otherwise as ``append``."""
        size = len(raw)
        need = _ENTRY + (size + 3 & ~3)
        mv = self._mv
        if not reserve and not self._usable():
            raise JournalFull(_FULL)
        for _ in range(_TRIES):
            if self._at + need > _SECTOR:
                self._advance(reserve)
            struct.pack_into("<HHI", self._buf, 0, size, size ^ 0xFFFF, self.next_seq)
            mv[_ENTRY : _ENTRY + size] = raw
            struct.pack_into("<I", self._buf, 8, self._crc(mv, 0, size))
            for i in range(_ENTRY + size, need):
                self._buf[i] = 0xFF
            if self._program(self._last, self._at, need):
                self._at += need
                self.next_seq += 1
                return raw
            self._at = _SECTOR  # what stands there now is not known: go on in a fresh sector
        raise JournalError(_WORN)

    def room(self, reserve: bool = False) -> bool:
        """Whether one more record of any size could be written now."""
        if self._at + _ENTRY + records.MAX_RECORD <= _SECTOR:
            return reserve or self._usable()
        return self._free() > (0 if reserve else self._reserve)

    def prepare(self) -> bool:
        """Erase the sector after the current one once that is half full; for idle moments. True if it did."""
        if self._at < _SECTOR // 2 or self._ready > self._last or not self._free():
            return False
        self._erase(self._last + 1)
        return True

    def confirm(self, seq: int) -> None:
        """The laptop holds every record up to ``seq``: sectors before it may be used again."""
        self.confirmed = max(self.confirmed, min(seq, self.next_seq - 1))

    @property
    def total(self) -> int:
        """Bytes of the partition."""
        return self._sectors * _SECTOR

    @property
    def used(self) -> int:
        """Bytes of sectors that hold records which may not be dropped yet."""
        return (self._sectors - self._free()) * _SECTOR

    # Reading

    def read(self, seq: int) -> bytes | None:
        """The record of that seq, or None if it is not held or not readable."""
        for found, view in self.read_from(seq):
            return bytes(view) if found == seq else None
        return None

    def read_from(self, seq: int, buf=None):
        """Yield (seq, memoryview of the record) from ``seq`` on, in order, to the journal's end.

        ``buf`` (the caller's, at least 1,024 bytes) is read into; each view is valid until the next is asked
        for. Records appended meanwhile are included. Damage is skipped and added to ``faults``. Without
        ``buf`` the journal's own is used, and nothing else may be asked of it until the reader is done.
        """
        if buf is None:
            buf = self._buf
        mv = memoryview(buf)
        seq = max(seq, self.first_seq)
        if seq >= self.next_seq:
            return
        number = self._find(seq)
        at = _HEADER
        while number <= self._last and seq < self.next_seq:
            idle = True
            for found, place, size, begin in self._walk(number, buf, mv, at):
                at = place + _ENTRY + (size + 3 & ~3)
                if found < seq:
                    continue
                if found > seq:
                    self._fault("lost", seq, found - seq)
                seq = found + 1
                idle = False
                yield found, mv[begin : begin + size]
                if number < self._first:
                    break
            if number < self._first:  # its sector was used again while the reader slept
                number, at = self._first, _HEADER
                seq = max(seq, self.first_seq)
            elif idle:  # else look again: more may have been appended behind what the buffer held
                number, at = number + 1, _HEADER
        if seq < self.next_seq:
            self._fault("lost", seq, self.next_seq - seq)

    def scan(self) -> int:
        """Read everything held, filling ``faults``; returns how many records are readable."""
        count = 0
        for _ in self.read_from(1):
            count += 1
        return count

    # Inside

    def _free(self):
        # Sectors that could be begun now, those included whose records are confirmed and of past days.
        limit = self.confirmed
        if self.keep_from is not None:
            limit = min(limit, self.keep_from - 1)
        free = self._sectors - (self._last - self._first + 1)
        if limit >= self.first_seq:
            free += self._find(limit + 1) - self._first
        return free

    def _usable(self):
        # Whether the current sector may take what can wait: one of the reserve may not.
        if not self._spare:
            self._spare = self._free() >= self._reserve
        return self._spare

    def _advance(self, reserve):
        if self._free() <= (0 if reserve else self._reserve):
            raise JournalFull(_FULL)
        self._spare = False
        before = self._last
        for _ in range(_TRIES):
            number = self._last + 1
            if self._ready != number:
                self._erase(number)
            struct.pack_into("<4s8sII", self._buf, 0, MAGIC, self.id, number, self.next_seq)
            struct.pack_into("<III", self._buf, 20, crc32(self._mv[:20]), 0xFFFFFFFF, 0xFFFFFFFF)
            self._last = number
            if self._program(number, 0, _HEADER):
                self._at = _HEADER
                self._point(before)
                return
            self._at = _SECTOR
        raise JournalError(_WORN)

    def _point(self, before):
        # Say in the sector before that there is one after it: should that be destroyed, it is known.
        if before >= self._first:
            try:
                self._mark(before, _NEXT)
            except OSError:
                pass

    def _erase(self, number):
        index = number % self._sectors
        if self._first <= self._last and number - self._sectors >= self._first:
            # Retired first, in one small program: a half erased sector must not look like a damaged live one.
            try:
                self._mark(index, _MARK)
            except OSError:
                raise JournalError(_WORN) from None
            self._first += 1
            head = self._live(self._first)
            self.first_seq = head[2] if head else self._first_entry(self._first) or self.first_seq
        try:
            failed = self._part.ioctl(6, index)
        except OSError:
            failed = True
        if failed:
            raise JournalError(_WORN)
        self._ready = number
