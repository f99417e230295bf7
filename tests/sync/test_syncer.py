"""Sync: everything once, resumable at any cut, stopped by what must not be stored."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jumping import run
from peer import MemoryTransport, Noise, Peer

from hubcore import records
from smilehub.errors import JournalShorter, LinkClosed, LinkError, RecordConflict, RecordInvalid
from smilehub.link.client import KioskClient
from smilehub.store.database import Store
from smilehub.sync.desk import Desk
from smilehub.sync.syncer import CONFIRM_CALMLY, Event, Lost, Stored, Synced, Syncer
from smilehub.sync.verify import check, fold, verify
from smilehub.sync.watch import Watch


def clock() -> int:
    return 1_800_000_000


def sync(transport: MemoryTransport, store: Store, **options) -> Synced:
    async def work() -> Synced:
        async with KioskClient(transport, timeout=0.5) as client:
            return await Syncer(client, store, clock, **options).run()

    return run(work())


def held(store: Store, peer: Peer) -> list[bytes]:
    return [raw for _, raw in store.records(peer.journal_id)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def day() -> Peer:
    peer = Peer()
    peer.chunk = 5
    peer.busy_day(20)
    return peer


def test_everything_is_stored_and_confirmed_once(path: Path, day: Peer):
    with Store.open(path) as store:
        synced = sync(MemoryTransport(day), store)
        assert held(store, day) == day.raws
        assert synced.last == day.next_seq - 1 == synced.new
        assert day.receipts == [day.next_seq - 2], "the receipt's own record came along, and led to none"
        again = sync(MemoryTransport(day), store)
        assert again.new == 0
        assert len(day.receipts) == 1, "nothing new, nothing to confirm"


def test_a_calm_syncer_confirms_only_when_enough_waits(path: Path, day: Peer):
    with Store.open(path) as store:
        sync(MemoryTransport(day), store, confirm_every=CONFIRM_CALMLY)
        assert day.receipts == []
        for _ in range(CONFIRM_CALMLY):
            day.write("fault", {"task": "x", "error": ""})
        sync(MemoryTransport(day), store, confirm_every=CONFIRM_CALMLY)
        assert len(day.receipts) == 1


def test_cut_at_every_frame_and_resumed(path: Path, day: Peer):
    with Store.open(path) as store:
        cuts = 0
        for n in range(1, 200):
            try:
                sync(MemoryTransport(day, Noise({n: "cut"})), store)
                break
            except LinkClosed:
                cuts += 1
                assert held(store, day) == day.raws[: len(held(store, day))]
        assert cuts > 5
        assert held(store, day) == day.raws
        assert len(day.receipts) <= 2


@settings(max_examples=40, deadline=None)
@given(plan=st.dictionaries(st.integers(0, 120), st.sampled_from(["hush", "cut"]), max_size=25))
def test_any_noise_any_cuts(tmp_path_factory: pytest.TempPathFactory, plan: dict[int, str]):
    peer = Peer()
    peer.chunk = 4
    peer.busy_day(15)
    noise = Noise(plan)  # one plan over all attempts: its troubles come once each
    with Store.open(tmp_path_factory.mktemp("noise") / "store.sqlite") as store:
        for _ in range(30):
            try:
                sync(MemoryTransport(peer, noise), store)
                break
            except LinkError:
                continue
        assert held(store, peer) == peer.raws
        assert check(store, peer.journal_id)[0].ok


@pytest.mark.parametrize("now", [-5, 0, 946_684_799, 2**35, 99_999_999_999])
def test_a_laptop_with_an_absurd_clock_syncs_and_keeps_it_to_itself(path: Path, now: int):
    peer = Peer(clock_s=None)

    async def work() -> None:
        with Store.open(path) as store:
            async with KioskClient(MemoryTransport(peer)) as client:
                await Syncer(client, store, lambda: now).run()

    run(work())
    assert peer.clock_s is None


def test_a_clock_that_is_not_known_is_given(path: Path):
    peer = Peer(clock_s=None)
    with Store.open(path) as store:
        sync(MemoryTransport(peer), store)
        assert held(store, peer) == peer.raws
    assert peer.clock_s == clock()


def test_unknown_kinds_are_kept_byte_for_byte(path: Path, day: Peer):
    day.write_raw(999, {0: "from the future", 7: [1, 2]})

    async def work():
        async with KioskClient(MemoryTransport(day)) as client:
            return await verify(client, store, clock)

    with Store.open(path) as store:
        report = run(work())
        assert report.ok and report.agrees
        assert report.unknown == 1
        assert held(store, day) == day.raws


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xff\xff", "cannot be read"),
        (records.encode(28, 3, 1, 5, None, {0: "no journal", 1: 1}), "cannot be read"),
        (records.encode(999, 77, 1, 5, None, {}), "calls itself record 77"),
        (b"\x86" + b"\x00" * 600, "cannot be read"),
    ],
)
def test_a_record_that_is_none_stops_before_it(path: Path, day: Peer, raw: bytes, said: str):
    day.raws[9] = raw
    with Store.open(path) as store:
        with pytest.raises(RecordInvalid, match=f"(?i)record 10.*{said}|{said}"):
            sync(MemoryTransport(day), store)
        assert held(store, day) == day.raws[:9]
        assert day.receipts == []


def test_another_journal_under_the_same_id_is_a_conflict(path: Path, day: Peer):
    with Store.open(path) as store:
        sync(MemoryTransport(day), store)
        mine = held(store, day)
        other = Peer()
        other.busy_day(30)
        assert other.journal_id == day.journal_id
        other.raws[len(mine) - 1] = records.encode(29, len(mine), 1, 1, None, {0: "x", 1: "other"})
        with pytest.raises(RecordConflict):
            sync(MemoryTransport(other), store)
        assert held(store, day) == mine
        assert store.conflicts(day.journal_id) == [(len(mine), other.raws[len(mine) - 1])]
        assert "exists twice" in check(store, day.journal_id)[0].faults[0]


def test_a_kiosk_that_was_set_back_is_noticed(path: Path, day: Peer):
    with Store.open(path) as store:
        sync(MemoryTransport(day), store)
        del day.raws[-3:]
        with pytest.raises(JournalShorter, match="but this laptop holds"):
            sync(MemoryTransport(day), store)


def test_recycled_records_are_a_gap_only_for_who_had_the_earlier_ones(path: Path, tmp_path: Path, day: Peer):
    with Store.open(path) as store, Store.open(tmp_path / "new.sqlite") as fresh:
        sync(MemoryTransport(day), store)
        before = day.next_seq
        for n in range(30):
            day.wish("full_today", {"full": n % 2 == 0})
        del day.raws[: before + 9]
        day.first_seq = before + 10
        synced = sync(MemoryTransport(day), store)
        assert synced.gap == (before, before + 9)
        assert [f"Records {before} to {before + 9} are missing."] == check(store, day.journal_id)[0].faults
        assert sync(MemoryTransport(day), fresh).gap is None


def test_verify_compares_the_folds(path: Path, day: Peer):
    async def work():
        async with KioskClient(MemoryTransport(day)) as client:
            return await verify(client, store, clock)

    with Store.open(path) as store:
        report = run(work())
        assert report.ok and report.agrees is True
        assert report.records == day.next_seq - 1
        day.hub.full = True  # the kiosk's memory goes wrong
        report = run(work())
        assert not report.ok and report.agrees is False
        assert fold(store, day.journal_id).counts["issued"] == 20


def test_two_journals_live_side_by_side(path: Path, day: Peer):
    other = Peer(seed=2)
    with Store.open(path) as store:
        sync(MemoryTransport(day), store)
        sync(MemoryTransport(other), store)
        assert {journal.journal_id for journal in store.journals()} == {day.journal_id, other.journal_id}
        assert held(store, day) == day.raws and held(store, other) == other.raws


def test_watch_stores_what_comes_and_survives_losses(path: Path, day: Peer):
    events: list[Event] = []
    lines: list[MemoryTransport] = []

    def connect() -> KioskClient:
        lines.append(MemoryTransport(day, Noise({3: "cut"}) if len(lines) < 3 else None))
        return KioskClient(lines[-1], timeout=0.5)

    async def work():
        loop = asyncio.get_running_loop()
        watching = asyncio.create_task(Watch(connect, store, clock, on_event=events.append).run())
        began = loop.time()
        while not any(isinstance(event, Synced) for event in events):
            await asyncio.sleep(0.1)
        assert 0.5 + 1 + 2 <= loop.time() - began < 6, "pauses double"
        day.write("fault", {"task": "x", "error": "news"})
        lines[-1].say(day.head())
        await asyncio.sleep(1)
        assert held(store, day) == day.raws
        day.write("fault", {"task": "x", "error": "its notice is lost"})
        await asyncio.sleep(31)
        assert held(store, day) == day.raws
        await lines[-1].close()
        day.write("fault", {"task": "x", "error": "after a loss"})
        await asyncio.sleep(5)
        assert held(store, day) == day.raws
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    with Store.open(path) as store:
        run(work())
    assert [event.retry_s for event in events if isinstance(event, Lost)] == [0.5, 1.0, 2.0, 0.5]
    assert sum(event.new for event in events if isinstance(event, Stored)) == day.next_seq - 1


def test_watch_stops_at_what_repeating_cannot_mend(path: Path, day: Peer):
    day.raws[4] = b"\xff"
    with Store.open(path) as store, pytest.raises(RecordInvalid):
        run(Watch(lambda: KioskClient(MemoryTransport(day)), store, clock).run())


@settings(max_examples=40, deadline=None)
@given(plan=st.dictionaries(st.integers(0, 30), st.sampled_from(["hush", "cut"]), max_size=12))
def test_a_wish_given_until_it_is_answered_happens_once(
    tmp_path_factory: pytest.TempPathFactory, plan: dict[int, str]
):
    peer = Peer()
    noise = Noise(plan)
    wishes = [("day_open", {}), ("chair_open", {"chair": "1", "lanes": []}), ("full_today", {"full": True})]

    async def work(name: str, args: dict):
        async with KioskClient(MemoryTransport(peer, noise), timeout=0.5) as client:
            await Desk(client, store).command(name, args)

    path = tmp_path_factory.mktemp("wish") / "store.sqlite"
    for name, args in wishes:
        for _ in range(30):
            with Store.open(path) as store:  # each try is a program of its own
                try:
                    run(work(name, args))
                    break
                except LinkError:
                    continue
    assert peer.commands == wishes


def test_a_sync_learns_what_became_of_an_unanswered_wish(path: Path):
    peer = Peer()

    async def wish(noise: Noise):
        async with KioskClient(MemoryTransport(peer, noise), timeout=0.5) as client:
            return await Desk(client, store, peer.device_id).command("full_today", {"full": True})

    peer.wish("day_open", {})
    with Store.open(path) as store:
        with pytest.raises(LinkError, match="does not answer"):
            run(wish(Noise({1: "hush"})))
        assert store.commands.unanswered() == {(store.commands.issuer, 1)}
        sync(MemoryTransport(peer), store)
        assert store.commands.unanswered() == set()
        assert run(wish(Noise())).already, "who still waits for the answer repeats the same wish"
        with pytest.raises(LinkError):
            run(wish(Noise({1: "hush"})))
        sync(MemoryTransport(peer), store)
    with Store.open(path) as store:
        assert not run(wish(Noise())).already, (
            "another program means a new one: the first is known to be done"
        )
        assert peer.hub.issuers == {store.commands.issuer: 3}
    assert len(peer.commands) == 3


def test_an_unanswered_wish_that_never_arrived_keeps_its_number(path: Path):
    peer = Peer()

    async def wish(noise: Noise):
        async with KioskClient(MemoryTransport(peer, noise), timeout=0.5) as client:
            return await Desk(client, store, peer.device_id).command("day_open", {})

    with Store.open(path) as store:
        with pytest.raises(LinkError):
            run(wish(Noise({0: "hush"})))
        sync(MemoryTransport(peer), store)
        run(wish(Noise()))
        assert peer.hub.issuers == {store.commands.issuer: 1}
