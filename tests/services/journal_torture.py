"""Torture of the journal under both interpreters: NOR flash in memory, power cuts, damage.

Run as a program (see test_on_micropython) it prints a line of figures.
"""

from services.journal import Journal, JournalFull

SECTOR = 4096


class Random:
    """xorshift32: the same numbers on both interpreters."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 88172645463325252) & 0xFFFFFFFF or 1

    def next(self, limit):
        x = self.state
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        self.state = x
        return x % limit

    def bytes(self, n):
        return bytes(self.next(256) for _ in range(n))


class Nor:
    """A partition with NOR rules: a program clears bits, an erase sets a sector; each can be watched."""

    def __init__(self, sectors, data=None):
        self.data = bytearray(data) if data is not None else bytearray(b"\xff" * (sectors * SECTOR))
        self.sectors = sectors
        self.watch = None
        self.operations = 0
        self.bad = None  # a place whose lowest bit is stuck at 1

    def readblocks(self, block, buf, offset=0):
        at = block * SECTOR + offset
        assert at + len(buf) <= len(self.data)
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset):
        assert 0 <= block < self.sectors and offset + len(buf) <= SECTOR
        self.operations += 1
        if self.watch:
            self.watch(self, block, offset, bytes(buf))
        at = block * SECTOR + offset
        for i in range(len(buf)):
            self.data[at + i] &= buf[i]
        if self.bad is not None:
            self.data[self.bad] |= 1

    def ioctl(self, command, block):
        if command == 4:
            return self.sectors
        if command == 5:
            return SECTOR
        if command == 6:
            self.operations += 1
            if self.watch:
                self.watch(self, block, 0, None)
            at = block * SECTOR
            self.data[at : at + SECTOR] = b"\xff" * SECTOR
            return 0
        raise ValueError(command)


# How much is done: per cent of the bytes, or so many bytes if negative. "bits": any subset of the bits.
TEARS = {
    "before": 0,
    "byte": -1,
    "dozen": -12,
    "quarter": 25,
    "half": 50,
    "most": 90,
    "bits": 0,
    "after": 100,
}


def tear(data, block, offset, new, how, rnd):
    """What the flash holds when the power goes within one operation (``new`` None: an erase)."""
    at = block * SECTOR + offset
    size = SECTOR if new is None else len(new)
    if how == "bits":
        for i in range(size):
            want = 0xFF if new is None else data[at + i] & new[i]
            mask = rnd.next(256)
            data[at + i] = (data[at + i] & ~mask) | (want & mask)
        return
    share = TEARS[how]
    for i in range(min(size, -share) if share < 0 else size * share // 100):
        data[at + i] = 0xFF if new is None else data[at + i] & new[i]


def readable(journal, buf=None, start=1):
    """seq → bytes of all that can be read."""
    return {seq: bytes(view) for seq, view in journal.read_from(start, buf or bytearray(1024))}


def record(rnd, seq):
    return seq.to_bytes(4, "little") + rnd.bytes(8 + rnd.next(60) if rnd.next(8) else 300 + rnd.next(209))


class Workload:
    """Random appends, confirmations, idle erases and restarts over one flash; knows what was acknowledged."""

    def __init__(self, nor, rnd):
        self.nor = nor
        self.rnd = rnd
        self.acknowledged = {}
        self.floor = 0
        self.pending = None
        self.restart()

    def restart(self):
        self.journal = Journal(self.nor, reserve=2)
        self.journal.open()
        self.journal.confirm(self.floor)

    def step(self):
        choice = self.rnd.next(40)
        if choice == 0:
            self.restart()
        elif choice < 4:
            self.journal.prepare()
        elif choice < 6:
            self.floor = max(self.floor, self.journal.next_seq - 1 - self.rnd.next(80))
            self.journal.confirm(self.floor)
        else:
            seq = self.journal.next_seq
            raw = record(self.rnd, seq)
            self.pending = seq, raw
            try:
                assert self.journal.append_raw(raw, reserve=self.rnd.next(2) == 0) == raw
            except JournalFull:
                self.floor = seq - 1
                self.journal.confirm(self.floor)
            else:
                self.acknowledged[seq] = raw
            self.pending = None


def check_after_cut(data, sectors, acknowledged, pending, floor, rnd, report):
    """Open what a cut left; every promise of the journal must hold. Returns the reopened journal."""
    nor = Nor(sectors, data)
    journal = Journal(nor, reserve=2)
    journal.open()
    journal.confirm(floor)
    held = readable(journal)
    assert not journal.faults, (report, journal.faults)
    extra = [seq for seq in held if seq not in acknowledged]
    assert len(extra) <= 1, (report, extra)
    for seq in extra:
        assert pending and seq == pending[0] and held[seq] == pending[1], (report, seq)
    for seq, raw in acknowledged.items():
        if seq in held:
            assert held[seq] == raw, (report, seq)
        else:
            assert seq <= floor, (report, seq, "acknowledged, unconfirmed, lost")
    assert sorted(held) == list(range(journal.first_seq, journal.next_seq)), (report, "gap")
    if acknowledged:
        assert journal.next_seq > max(acknowledged), report
    journal.confirm(journal.next_seq - 1)
    more = dict(held)
    for _ in range(3):
        seq = journal.next_seq
        more[seq] = journal.append_raw(record(rnd, seq), reserve=True)
    again = Journal(nor, reserve=2)
    again.open()
    after = readable(again)
    assert not again.faults, (report, again.faults)
    for seq in after:
        assert after[seq] == more[seq], (report, seq)
    assert sorted(after) == list(range(again.first_seq, journal.next_seq)), report
    return journal


def cut_everywhere(seed, steps, sectors=6, tears=TEARS, every=1):
    """Cut the power at each flash operation of a workload, in every way; returns the number of cuts."""
    rnd = Random(seed)
    nor = Nor(sectors)
    moments = []

    def watch(flash, block, offset, new):
        if flash.operations % every == 0:
            moments.append(
                (bytes(flash.data), block, offset, new, len(work.acknowledged), work.pending, work.floor)
            )

    work = Workload(nor, rnd)
    nor.watch = watch
    for _ in range(steps):
        work.step()
    order = list(work.acknowledged.items())
    order.sort()
    cuts = 0
    for number, (before, block, offset, new, count, pending, floor) in enumerate(moments):
        for how in tears:
            data = bytearray(before)
            tear(data, block, offset, new, how, rnd)
            check_after_cut(data, sectors, dict(order[:count]), pending, floor, rnd, (seed, number, how))
            cuts += 1
    return cuts


def damage(seed, sectors=6, steps=150, hits=3, size=40):
    """Overwrite random stretches of a journal; what is read is right, and what is missing is reported."""
    rnd = Random(seed)
    nor = Nor(sectors)
    work = Workload(nor, rnd)
    for _ in range(steps):
        work.step()
    held = readable(work.journal)
    for _ in range(hits):
        at = rnd.next(len(nor.data) - size)
        if rnd.next(3) == 0:
            at = at // SECTOR * SECTOR  # headers too
        stretch = rnd.bytes(1 + rnd.next(size))
        nor.data[at : at + len(stretch)] = stretch
    journal = Journal(nor, reserve=2)
    journal.open()
    left = readable(journal)
    for seq in left:
        assert left[seq] == held[seq], (seed, seq)
    lost = {seq for seq in held if journal.first_seq <= seq < journal.next_seq} - set(left)
    told = set()
    for what, seq, count in journal.faults:
        if what == "lost":
            told |= set(range(seq, seq + count))
    assert lost <= told, (seed, sorted(lost), journal.faults)
    before = journal.next_seq
    journal.confirm(before - 1)
    for _ in range(3):
        raw = record(rnd, journal.next_seq)
        journal.append_raw(raw, reserve=True)
    assert sorted(readable(journal, start=before)) == list(range(before, before + 3)), seed
    return len(lost)


if __name__ == "__main__":
    print("cuts", cut_everywhere(7, 60, every=3), "lost", sum(damage(seed, steps=60) for seed in range(6)))
