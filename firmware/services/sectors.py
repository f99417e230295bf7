"""The ring of sectors in a raw flash partition: headers, entries, what is live and what is damaged."""

import struct
from binascii import crc32

from hubcore import records
from hubcore.compat import const

_SECTOR = const(4096)
_HEADER = const(32)
_ENTRY = const(12)
_MARK = const(24)  # where a header's retired mark lies
_NEXT = const(28)  # where it says that the sector after it was begun
_WINDOW = const(2048)
_BACK = const(1024)  # the half of the buffer that what was written is read back into
_MAX_FAULTS = const(16)

MAGIC = b"SHJ1"
BLANK = b"\xff" * 64
NO_HEAD = BLANK[:_HEADER]


class Sectors:
    """Sectors by number; number n lies at place n mod (sectors of the partition). docs/formats.md.

    ``part`` is an ``esp32.Partition`` or anything with its readblocks(block, buf, offset),
    writeblocks(block, buf, offset) and ioctl(4 | 5 | 6, block) for blocks of 4,096 bytes. The live run is
    ``_first`` to ``_last``; ``_last`` 0: nothing written yet. ``buf``, 2,048 bytes, may be used by others
    whenever nothing is being asked of the journal.
    """

    def __init__(self, part, buf=None):
        self._part = part
        self._sectors = part.ioctl(4, 0)
        self._mv = self._buf = memoryview(bytearray(_WINDOW) if buf is None else buf)[:_WINDOW]
        self._head = self._mv[:_HEADER]  # of the sector whose header was looked at last
        self.id = None
        self.faults = []
        self._first = self._last = 0
        self._salt = 0

    def newest(self, kind):
        """Yield (sector, seq, view) of each record of a kind below 24: the newest sector first, each from its
        beginning. The views are of the journal's own buffer, as of ``read_from``."""
        for number in range(self._last, self._first - 1, -1):
            for seq, _, size, begin in self._walk(number, self._buf, self._mv, _HEADER, kind):
                yield number, seq, self._mv[begin : begin + size]

    # Headers

    def _header(self, index):
        # (journal id, number, first seq) of the sector at that place, or None.
        self._part.readblocks(index, self._head, 0)
        if self._head == NO_HEAD:  # as are nearly all of a young journal: nothing more is made of it
            return None
        magic, ident, number, seq, crc = struct.unpack_from("<4s8sIII", self._buf, 0)
        if magic != MAGIC or crc != crc32(self._mv[:20]) or self._retired():
            return None
        return ident, number, seq

    def _retired(self, mark=_MARK):
        # One flipped bit must not drop a sector: three bytes of the mark's four count.
        return sum(1 for b in self._mv[mark : mark + 4] if b != 0xFF) >= 3

    def _mark(self, number, mark):
        # Program a mark of a header. Raises OSError.
        self._buf[0:4] = b"\0\0\0\0"
        self._part.writeblocks(number % self._sectors, self._mv[:4], mark)

    def _live(self, number):
        head = self._header(number % self._sectors)
        return head if head and head[0] == self.id and head[1] == number else None

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

    def _walk(self, number, buf, mv, at=_HEADER, kind=0):
        # Yield (seq, place in the sector, length, place of the payload in buf) of each valid entry from `at`.
        # With a kind, others are passed over by their length alone: that is a search's time and litter.
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
                if kind and (size < 2 or buf[o + _ENTRY] != 0x86 or buf[o + _ENTRY + 1] != kind):
                    at += _ENTRY + (size + 3 & ~3)
                    continue
                if seq > last and crc == self._crc(mv, o, size):
                    last = seq
                    yield seq, at, size, o + _ENTRY
                    at += _ENTRY + (size + 3 & ~3)
                    continue
            at += 4  # damaged or torn: whatever is whole behind it is found again by its CRC

    def _fill(self, index, mv, at):
        size = min(len(mv), _SECTOR - at)
        self._part.readblocks(index, mv[:size], at)
        return size

    def _crc(self, mv, at, size):
        return crc32(mv[at + _ENTRY : at + _ENTRY + size], crc32(mv[at : at + 8], self._salt))

    def _blank_to(self, index, at):
        # Where the erased stretch that begins at `at` ends, in steps of 64 bytes.
        chunk = self._mv[:64]
        while at < _SECTOR:
            size = min(64, _SECTOR - at)
            chunk = self._mv[:size]
            self._part.readblocks(index, chunk, at)
            if chunk != BLANK[:size]:
                break
            at += size
        return at

    def _first_entry(self, number):
        for seq, _, _, _ in self._walk(number, self._buf, self._mv):
            return seq
        return 0

    def _fault(self, what, seq, count):
        fault = (what, seq, count)
        if fault not in self.faults and len(self.faults) < _MAX_FAULTS:
            self.faults.append(fault)
