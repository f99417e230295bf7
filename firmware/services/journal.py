"""The journal: a ring of records in a raw flash partition, durable on return (docs/formats.md)."""

import os
import struct
from binascii import crc32

from hubcore import records
from hubcore.compat import const
from hubcore.errors import HubError

_SECTOR = const(4096)
_HEADER = const(32)
_ENTRY = const(12)
_MARK = const(24)  # where a header's retired mark lies
_WINDOW = const(2048)
_BACK = const(1024)  # the half of the buffer that what was written is read back into
_MAX_FAULTS = const(16)
_TRIES = const(3)

_MAGIC = b"SHJ1"
_BLANK = b"\xff" * 64
_FULL = "The journal is full."
_WORN = "The flash does not keep what the journal writes."


class JournalFull(HubError):
    """No sector is left that this record may use."""

    hint = "Sync with the laptop: confirmed records of past days make room."


class JournalError(HubError):
    """The flash does not keep what is written to it."""

    hint = "Restart the kiosk; if it happens again, its flash is worn out: use another kiosk."


class Journal:
    """Append and read records. ``open()`` first.

    ``part`` is an ``esp32.Partition`` or anything with its readblocks(block, buf, offset),
    writeblocks(block, buf, offset) and ioctl(4 | 5 | 6, block) for blocks of 4,096 bytes. ``faults`` lists
    what was found damaged, as tuples (what, seq, how many): ("lost", first seq lost, records), ("header",
    first seq of the sector, 0), ("before", first seq held, 0) when what came before it was not dropped but is
    unreadable, ("new", 1, 0) when nothing of an older journal was readable.
    """

    def __init__(self, part, reserve: int = 8):
        self._part = part
        self._reserve = reserve
        self._sectors = part.ioctl(4, 0)
        self._buf = bytearray(_WINDOW)
        self._mv = memoryview(self._buf)
        self.id = None
        self.boot = 1
        self.next_seq = 1
        self.first_seq = 1
        self.faults = []
        self.keep_from = None  # the seq of the newest day_opened: it and what follows is never reused
        self.confirmed = 0
        self._first = self._last = 0  # sector numbers of the live run; _last 0: nothing written yet
        self._at = _SECTOR  # where the next entry goes in sector _last
        self._ready = 0  # number of the sector that is erased ahead
        self._spare = False  # known: the current sector is not of the reserve
        self._salt = 0

    # Opening

    def open(self) -> None:
        """Find the journal, recover a torn tail, or begin a new one. Damage never raises."""
        newest = 0
        dirty = False
        for index in range(self._sectors):
            head = self._header(index)
            if head:
                if head[1] % self._sectors == index and head[1] > newest:
                    newest, self.id = head[1], head[0]
            elif not dirty and self._buf[:_HEADER] != _BLANK[:_HEADER]:
                # A lone torn header is what a cut at the very first record leaves: nothing was lost.
                dirty = self._blank_to(index, _HEADER) < _SECTOR
        if not newest:
            self._begin(dirty)
            return
        self._salt = crc32(self.id)
        self._last = newest
        first = newest
        low = max(1, newest - self._sectors + 1)
        for number in range(newest - 1, low - 1, -1):
            if self._live(number):
                for hole in range(number + 1, first):
                    self._salvageable(hole, hole)  # read by its entries all the same, but reported
                first = number
        self._first = first
        self._salvage_ends()
        head = self._header(self._first % self._sectors)
        self.first_seq = head[2] if head else self._first_entry(self._first) or 1
        self._open_tail()

    def _begin(self, dirty):
        self.id = os.urandom(8)
        self._salt = crc32(self.id)
        self._first, self._last = 1, 0
        if dirty:
            self._fault("new", 1, 0)

    def _salvage_ends(self):
        # A live sector whose header is damaged hides at either end of the run: its entries say so.
        number = self._last + 1
        while number - self._first < self._sectors and self._salvageable(number, number - self._sectors):
            if self._first_entry(number) < self._end_seq(self._last):
                break
            self._last = number
            number += 1
        low = max(1, self._last - self._sectors + 1)
        while self._first > low and self._salvageable(self._first - 1, self._first - 1):
            head = self._live(self._first)
            if head and self._first_entry(self._first - 1) >= head[2]:
                break
            self._first -= 1
        if self._first > low and self._ruined(self._first - 1):
            head = self._live(self._first)
            self._fault("before", head[2] if head else self._first_entry(self._first), 0)

    def _open_tail(self):
        # The last sector: what it holds decides the next seq and where to write.
        number = self._last
        head = self._live(number)
        self.next_seq = head[2] if head else self._end_seq(number - 1)
        end = _HEADER
        last = None
        for last in self._walk(number, self._buf, self._mv):
            end = last[1] + _ENTRY + (last[2] + 3 & ~3)
            self.next_seq = last[0] + 1
        clean = head and self._blank_to(number % self._sectors, end) == _SECTOR
        self._at = end if clean else _SECTOR
        while not last and number > self._first:  # nothing in it yet: the one before knows the boot number
            number -= 1
            for last in self._walk(number, self._buf, self._mv):
                self.next_seq = max(self.next_seq, last[0] + 1)
        if last:
            view = self._mv[: last[2]]
            self._part.readblocks(number % self._sectors, view, last[1] + _ENTRY)
            try:
                self.boot = records.decode(bytes(view)).boot + 1
            except HubError:
                pass  # a record of a later format; order within a boot is by seq, so boot 1 does no harm

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
            struct.pack_into("<I", self._buf, 8, self._crc(mv, size))
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

    def read_from(self, seq: int, buf: bytearray | None = None):
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

    def sectors(self):
        """Yield the first seq of each live sector, newest first: for a search backwards."""
        for number in range(self._last, self._first - 1, -1):
            head = self._live(number)
            seq = head[2] if head else self._first_entry(number)
            if seq:
                yield seq

    # Sectors

    def _header(self, index):
        # (journal id, number, first seq) of the sector at that place, or None.
        head = self._mv[:_HEADER]
        self._part.readblocks(index, head, 0)
        magic, ident, number, seq, crc = struct.unpack_from("<4s8sIII", self._buf, 0)
        if magic != _MAGIC or crc != crc32(self._mv[:20]) or self._retired():
            return None
        return ident, number, seq

    def _retired(self):
        # One flipped bit must not drop a sector: three bytes of the mark's four count.
        return sum(1 for b in self._mv[_MARK : _MARK + 4] if b != 0xFF) >= 3

    def _live(self, number):
        head = self._header(number % self._sectors)
        return head if head and head[0] == self.id and head[1] == number else None

    def _ruined(self, number):
        # Whether a sector that this journal once had is neither live, nor dropped, nor blank.
        index = number % self._sectors
        if self._header(index) or self._buf[:_HEADER] == _BLANK[:_HEADER]:
            return False
        if self._retired() and number > 0:
            # An erase that was cut short only sets bits of the header that was retired; damage clears some.
            old = struct.pack("<4s8sI", _MAGIC, self.id, number)
            if all(self._buf[i] & old[i] == old[i] for i in range(len(old))):
                return False
        return self._blank_to(index, _HEADER) < _SECTOR  # else it is a header torn before any record

    def _salvageable(self, number, old):
        # `old` is the number under which that place was last retired, if it was.
        if not self._ruined(old) or not self._first_entry(number):
            return False
        self._fault("header", self._first_entry(number), 0)
        return True

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

    def _find(self, seq):
        # The newest live sector that begins at or before seq; an older one where headers are damaged.
        low, high = self._first, self._last
        while low < high:
            mid = middle = (low + high + 1) >> 1
            head = self._live(mid)
            while not head and mid > low + 1:
                mid -= 1
                head = self._live(mid)
            if not head:
                return low
            if head[2] <= seq:
                if mid < middle:
                    # what lies between is damaged: beyond it, if that begins early enough
                    right = middle + 1
                    while right <= high and not self._live(right):
                        right += 1
                    if right > high or self._live(right)[2] > seq:
                        return mid
                    mid = right
                low = mid
            else:
                high = mid - 1
        return low

    def _advance(self, reserve):
        if self._free() <= (0 if reserve else self._reserve):
            raise JournalFull(_FULL)
        self._spare = False
        for _ in range(_TRIES):
            number = self._last + 1
            if self._ready != number:
                self._erase(number)
            struct.pack_into("<4s8sII", self._buf, 0, _MAGIC, self.id, number, self.next_seq)
            struct.pack_into("<III", self._buf, 20, crc32(self._mv[:20]), 0xFFFFFFFF, 0xFFFFFFFF)
            self._last = number
            if self._program(number, 0, _HEADER):
                self._at = _HEADER
                return
            self._at = _SECTOR
        raise JournalError(_WORN)

    def _erase(self, number):
        index = number % self._sectors
        if self._first <= self._last and number - self._sectors >= self._first:
            # Retired first, in one small program: a half erased sector must not look like a damaged live one.
            self._buf[0:4] = b"\0\0\0\0"
            try:
                self._part.writeblocks(index, self._mv[:4], _MARK)
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

    def _program(self, number, at, size):
        # Program the buffer's first bytes and compare what then stands there.
        index = number % self._sectors
        back = self._mv[_BACK : _BACK + size]
        try:
            self._part.writeblocks(index, self._mv[:size], at)
            self._part.readblocks(index, back, at)
        except OSError:
            return False
        return self._mv[:size] == back

    # Entries

    def _walk(self, number, buf, mv, at=_HEADER):
        # Yield (seq, place in the sector, length, place of the payload in buf) of each valid entry from `at`.
        index = number % self._sectors
        base = have = last = 0
        while at + _ENTRY <= _SECTOR:
            if at < base or at + _ENTRY > base + have:
                base, have = at, self._fill(index, mv, at)
            o = at - base
            size, check, seq, crc = struct.unpack_from("<HHII", buf, o)
            if size == 0xFFFF and check == 0xFFFF:
                clear = self._blank_to(index, at)
                if clear == _SECTOR:
                    return
                if buf is self._buf:
                    have = 0
                if clear > at:
                    at = clear
                    continue
            elif size ^ check == 0xFFFF and 0 < size <= records.MAX_RECORD and at + _ENTRY + size <= _SECTOR:
                if o + _ENTRY + size > have:
                    base, have, o = at, self._fill(index, mv, at), 0
                if seq > last and crc == self._crc(mv[o : o + _ENTRY + size], size):
                    last = seq
                    yield seq, at, size, o + _ENTRY
                    at += _ENTRY + (size + 3 & ~3)
                    continue
            at += 4  # damaged or torn: whatever is whole behind it is found again by its CRC

    def _fill(self, index, mv, at):
        size = min(len(mv), _SECTOR - at)
        self._part.readblocks(index, mv[:size], at)
        return size

    def _crc(self, mv, size):
        return crc32(mv[_ENTRY : _ENTRY + size], crc32(mv[:8], self._salt))

    def _blank_to(self, index, at):
        # Where the erased stretch that begins at `at` ends, in steps of 64 bytes.
        chunk = self._mv[:64]
        while at < _SECTOR:
            size = min(64, _SECTOR - at)
            chunk = self._mv[:size]
            self._part.readblocks(index, chunk, at)
            if chunk != _BLANK[:size]:
                break
            at += size
        return at

    def _first_entry(self, number):
        for seq, _, _, _ in self._walk(number, self._buf, self._mv):
            return seq
        return 0

    def _end_seq(self, number):
        # The seq after the last record up to and including sector `number`.
        while number >= self._first:
            last = 0
            for seq, _, _, _ in self._walk(number, self._buf, self._mv):
                last = seq
            if last:
                return last + 1
            head = self._live(number)
            if head:
                return head[2]
            number -= 1
        return 1

    def _fault(self, what, seq, count):
        fault = (what, seq, count)
        if fault not in self.faults and len(self.faults) < _MAX_FAULTS:
            self.faults.append(fault)
