"""The journal against power cuts at every flash operation, damage, a full ring and worn flash."""

import pytest
from journal_torture import SECTOR, Nor, Random, Workload, cut_everywhere, damage, readable

from services.journal import Journal, JournalError, JournalFull


def fresh(sectors: int = 6, reserve: int = 2) -> tuple[Nor, Journal]:
    nor = Nor(sectors)
    journal = Journal(nor, reserve=reserve)
    journal.open()
    return nor, journal


def reopened(nor: Nor, reserve: int = 2) -> Journal:
    journal = Journal(nor, reserve=reserve)
    journal.open()
    return journal


def fill(journal: Journal, reserve: bool = False, size: int = 400) -> int:
    count = 0
    try:
        while True:
            journal.append_raw(bytes([count % 251]) * size, reserve=reserve)
            count += 1
    except JournalFull:
        return count


@pytest.mark.parametrize("seed", range(2))
def test_nothing_acknowledged_is_lost_by_a_cut_anywhere(seed: int) -> None:
    assert cut_everywhere(seed, 420) > 2000


def test_damage_costs_only_what_is_damaged_and_is_told() -> None:
    lost = [damage(seed) for seed in range(150)]
    assert 0 < sum(lost) < 150 * 5


def test_garbage_never_stops_the_journal() -> None:
    for seed in range(30):
        rnd = Random(seed)
        nor = Nor(3, rnd.bytes(3 * SECTOR))
        journal = reopened(nor, 1)
        assert journal.faults == [("new", 1, 0)]
        journal.append_raw(b"first")
        assert readable(reopened(nor, 1)) == {1: b"first"}


def test_a_new_journal_has_a_new_id_and_keeps_it() -> None:
    nor, journal = fresh()
    other = fresh()[1]
    assert len(journal.id) == 8
    assert journal.id != other.id
    journal.append_raw(b"x")
    assert reopened(nor).id == journal.id
    assert not reopened(nor).faults


def test_each_restart_begins_a_new_boot() -> None:
    nor, journal = fresh()
    for boot in (1, 2, 3):
        assert journal.boot == boot
        journal.append(29, {0: "t", 1: "e"}, 5, None)
        journal = reopened(nor)
    torn = bytearray(nor.data)
    torn[SECTOR + 32 + 2 * 28 + 20] ^= 1  # within the last record, wherever exactly
    assert reopened(Nor(6, torn)).boot in (3, 4)


def test_a_full_journal_refuses_but_keeps_room_for_what_may_not_wait() -> None:
    nor, journal = fresh()
    count = fill(journal)
    assert not journal.room()
    assert journal.room(reserve=True)
    more = fill(journal, reserve=True)
    assert more >= 2 * 9
    assert not journal.room(reserve=True)
    assert journal.used == journal.total
    assert len(readable(reopened(nor))) == count + more


def test_what_may_wait_takes_none_of_the_reserve() -> None:
    nor, journal = fresh()
    fill(journal)
    journal.append_raw(bytes(400), reserve=True)
    for one in (journal, reopened(nor)):
        assert not one.room()
        assert one.room(reserve=True)
        with pytest.raises(JournalFull):
            one.append_raw(b"may wait")
    journal.confirm(journal.next_seq - 1)
    assert journal.room()
    journal.append_raw(b"may wait")


def test_sectors_are_used_again_only_when_confirmed_and_before_the_open_day() -> None:
    nor, journal = fresh()
    count = fill(journal, reserve=True)
    journal.keep_from = 15
    journal.confirm(count)
    assert fill(journal, reserve=True) == 9
    assert 10 <= journal.first_seq <= 15
    journal.keep_from = None
    again = fill(journal, reserve=True)
    assert again >= 3 * 9
    held = readable(reopened(nor))
    assert sorted(held) == list(range(journal.first_seq, journal.next_seq))


def test_unconfirmed_records_are_never_overwritten() -> None:
    _, journal = fresh()
    count = fill(journal, reserve=True)
    journal.confirm(5)
    assert fill(journal, reserve=True) == 0
    assert sorted(readable(journal)) == list(range(1, count + 1))


def test_a_confirmation_beyond_the_end_confirms_only_what_is_here() -> None:
    _, journal = fresh()
    journal.append_raw(b"x")
    journal.confirm(99)
    assert journal.confirmed == 1


def test_the_next_sector_is_erased_ahead_of_need() -> None:
    nor, journal = fresh()
    journal.append_raw(bytes(300))
    while not journal.prepare():
        journal.append_raw(bytes(300))
    kinds: list[bool] = []
    nor.watch = lambda _nor, _block, _offset, new: kinds.append(new is None)
    for _ in range(10):
        journal.append_raw(bytes(300))
    assert len(kinds) == 12  # ten entries, a header, a mark in the sector before
    assert not any(kinds)
    assert not journal.prepare()


def test_worn_flash_moves_on_to_a_sector_that_keeps_what_is_written() -> None:
    nor, journal = fresh()
    journal.append_raw(b"\0" * 100)
    nor.bad = SECTOR + 32 + 112 + 40  # in the first sector, within the next entry
    journal.append_raw(b"\0" * 100)
    journal.append_raw(b"\0" * 101)
    held = readable(reopened(nor))
    assert [len(raw) for raw in held.values()] == [100, 100, 101]


def test_flash_that_keeps_nothing_is_an_error() -> None:
    class Dead(Nor):
        def writeblocks(self, block: int, buf: bytes, offset: int) -> None:
            raise OSError(5)

    journal = Journal(Dead(6), reserve=2)
    journal.open()
    with pytest.raises(JournalError):
        journal.append_raw(b"x")


def test_a_reader_sees_what_is_appended_while_it_reads() -> None:
    _, journal = fresh()
    journal.append_raw(b"1")
    reader = journal.read_from(1, bytearray(1024))
    seen = [bytes(next(reader)[1])]
    for n in range(2, 40):
        journal.append_raw(str(n).encode() * 50)
        seen.append(bytes(next(reader)[1]))
    assert next(reader, None) is None
    assert seen == [b"1"] + [str(n).encode() * 50 for n in range(2, 40)]
    assert not journal.faults


def test_a_slow_reader_goes_on_where_the_ring_still_holds() -> None:
    _, journal = fresh()
    fill(journal, reserve=True)
    reader = journal.read_from(1, bytearray(1024))
    assert next(reader)[0] == 1
    journal.confirm(journal.next_seq - 1)
    fill(journal, reserve=True)
    seqs = [seq for seq, _ in reader]
    assert seqs == list(range(journal.first_seq, journal.next_seq))
    assert not journal.faults


def test_sectors_with_a_damaged_header_are_read_all_the_same() -> None:
    nor, journal = fresh(8)
    fill(journal)
    want = readable(journal)
    for sector in (1, 3, 6):  # the oldest, one between, the newest
        damaged = Nor(8, nor.data)
        damaged.data[sector * SECTOR + 5] ^= 0xFF
        journal = reopened(damaged)
        assert readable(journal) == want, sector
        journal.append_raw(b"next", reserve=True)
        assert list(readable(reopened(damaged)).items())[-1] == (len(want) + 1, b"next")
        assert [fault[0] for fault in reopened(damaged).faults] == ["header"]


@pytest.mark.parametrize("sectors", [(1,), (6,), (1, 2, 3), (2, 5, 6)])
def test_headers_overwritten_whole_cost_no_record(sectors: tuple[int, ...]) -> None:
    nor, journal = fresh(8)
    fill(journal)
    want = readable(journal)
    for seed in range(20):
        rnd = Random(seed)
        damaged = Nor(8, nor.data)
        for sector in sectors:
            damaged.data[sector * SECTOR : sector * SECTOR + 32] = rnd.bytes(32)
        journal = reopened(damaged)
        assert readable(journal) == want
        assert len(journal.faults) == len(sectors)


@pytest.mark.parametrize("how", ["erased", "noise", "two"])
def test_a_newest_sector_that_is_gone_costs_no_identity(how: str) -> None:
    nor, journal = fresh(8)
    count = fill(journal)
    want = readable(journal)
    newest = SECTOR * ((count + 8) // 9)
    gone = 1
    if how == "two":
        gone = 2
        nor.data[newest - SECTOR : newest] = Random(3).bytes(SECTOR)
    nor.data[newest : newest + SECTOR] = b"\xff" * SECTOR if how == "erased" else Random(2).bytes(SECTOR)
    journal = reopened(nor)
    left = (count - 1) // 9 * 9 - 9 * (gone - 1)
    assert journal.faults == [("lost", left + 1, 256 * gone)]
    assert journal.next_seq == left + 1 + 256 * gone > count
    assert reopened(nor).next_seq == journal.next_seq
    journal.append(29, {0: "t", 1: "e"}, 5, None, reserve=True)
    again = reopened(nor)
    assert again.next_seq == journal.next_seq
    assert again.boot > 256 * gone
    held = readable(again)
    assert {seq: held[seq] for seq in held if seq <= left} == {s: r for s, r in want.items() if s <= left}
    assert again.faults == [("lost", left + 1, 256 * gone)]  # the same words: recorded once


def test_a_newest_sector_overwritten_behind_its_header_costs_no_identity() -> None:
    nor, journal = fresh(8)
    for n in range(5):
        journal.append_raw(bytes([n]) * 200)
    whole = bytes(nor.data)
    at = SECTOR + 32 + 212 * 2
    nor.data[at : at + 212 * 3] = Random(2).bytes(212 * 3)
    journal = reopened(nor)
    assert journal.next_seq == 3 + 256
    assert journal.append_raw(b"next") == b"next"
    assert sorted(readable(reopened(nor))) == [1, 2, 3 + 256]
    torn = bytearray(whole)
    torn[at + 212 * 2 + 100] ^= 4  # what a cut leaves: the last one was never acknowledged
    assert reopened(Nor(8, torn)).next_seq == 5


def test_an_oldest_sector_that_is_unreadable_is_told() -> None:
    nor, journal = fresh(8)
    fill(journal)
    want = readable(journal)
    nor.data[SECTOR : 2 * SECTOR] = Random(1).bytes(SECTOR)
    journal = reopened(nor)
    assert journal.faults == [("before", 10, 0)]
    assert readable(journal) == {seq: raw for seq, raw in want.items() if seq >= 10}
    journal.confirm(journal.next_seq - 1)
    fill(journal, reserve=True)
    assert not reopened(nor).faults


def test_an_older_journal_never_shines_through() -> None:
    nor, journal = fresh()
    fill(journal)
    for sector in range(6):
        nor.data[sector * SECTOR] ^= 0x55
    journal = reopened(nor)
    assert journal.faults == [("new", 1, 0)]
    journal.append_raw(b"new")
    assert readable(reopened(nor)) == {1: b"new"}


def test_reading_from_anywhere_with_damaged_headers() -> None:
    nor, journal = fresh(12)
    fill(journal)
    want = readable(journal)
    for sector in (3, 4, 7):
        nor.data[sector * SECTOR] ^= 0x40
    journal = reopened(nor)
    for start in range(1, journal.next_seq, 7):
        assert readable(journal, start=start) == {s: r for s, r in want.items() if s >= start}


def test_a_workload_with_idle_erases_and_restarts_keeps_all() -> None:
    work = Workload(Nor(8), Random(5))
    for _ in range(2000):
        work.step()
    held = readable(reopened(work.nor))
    assert held
    assert all(work.acknowledged[seq] == raw for seq, raw in held.items())
    assert min(held) <= work.floor + 1
