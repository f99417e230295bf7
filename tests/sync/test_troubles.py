"""A kiosk's faults reach the people at the laptop: in words, once, and only while they can still stand."""

import asyncio
from pathlib import Path

from peer import MemoryTransport, Peer

from smilehub.link.client import KioskClient
from smilehub.store.database import Store
from smilehub.sync.syncer import Connected, Event, Faulted, NewJournal, Stored, Synced, Syncer
from smilehub.sync.troubles import TROUBLES, reported


def sync(peer: Peer, store: Store) -> list[Event]:
    events: list[Event] = []

    async def work() -> None:
        async with KioskClient(MemoryTransport(peer)) as client:
            await Syncer(client, store, lambda: 1_800_000_000, on_event=events.append).run()

    asyncio.run(work())
    return events


def test_a_fault_is_told_once_and_after_it_is_stored(tmp_path: Path):
    peer = Peer()
    with Store.open(tmp_path / "s") as store:
        sync(peer, store)
        peer.write("fault", {"task": "wall", "error": "no answer"})
        told = [type(event) for event in sync(peer, store)]
        assert told == [Connected, Stored, Faulted, *told[3:]] and told[-1] is Synced
        assert Faulted not in [type(event) for event in sync(peer, store)]


def test_what_is_reported_is_the_newest_of_each_kind_since_the_last_start(tmp_path: Path):
    peer = Peer()
    with Store.open(tmp_path / "s") as store:
        peer.write("fault", {"task": "key", "error": "yes"})
        peer.write("boot", {"cause": "power", "firmware": "test"})
        for error in ("first", "second"):
            peer.write("fault", {"task": "clock", "error": error})
        peer.write("fault", {"task": "ui", "error": "MemoryError"})
        sync(peer, store)
        clock, ui = reported(store, peer.journal_id)
        assert (clock.task, clock.error, clock.seq) == ("clock", "second", 5)
        assert "CR2032" in clock.do and "report what it says" in ui.do


def test_a_trouble_that_is_over_is_told_no_more(tmp_path: Path):
    peer = Peer()
    with Store.open(tmp_path / "s") as store:
        peer.write("fault", {"task": "journal", "error": "records from 3 are lost: 2"})
        for task, error in (("journal", "the journal is full"), ("wall", "no answer")):
            peer.write("fault", {"task": task, "error": error})
        events = sync(peer, store)
        assert [event.task for event in events if isinstance(event, Faulted)] == [
            "journal",
            "journal",
            "wall",
        ]
        for task, error in (("wall", "no answer"), ("journal", "the journal is full")):
            peer.write("fault", {"task": task, "error": "ended: " + error})
        assert Faulted not in [type(event) for event in sync(peer, store)], "no news to worry about"
        (journal,) = reported(store, peer.journal_id)
        assert journal.error == "records from 3 are lost: 2", "that is not over"
        peer.write("fault", {"task": "wall", "error": "no answer"})
        assert len([event for event in sync(peer, store) if isinstance(event, Faulted)]) == 1
        assert [trouble.task for trouble in reported(store, peer.journal_id)] == ["journal", "wall"]


def test_the_words_are_there_for_every_trouble_of_the_firmware():
    health = Path(__file__).parents[2] / "firmware" / "services" / "health.py"
    scope: dict[str, object] = {}
    exec(health.read_text().partition("\nclass ")[0], scope)
    assert set(TROUBLES) == set(scope["TROUBLES"])  # type: ignore[call-overload]
    for means, do in TROUBLES.values():
        assert means.endswith(".") and do.endswith(".")


def test_a_wiped_kiosk_is_noticed_and_a_second_kiosk_is_not_taken_for_it(tmp_path: Path):
    before, other, after = Peer(seed=1), Peer(seed=2), Peer(seed=3)
    after.device_id = before.device_id
    with Store.open(tmp_path / "s") as store:
        for peer in (before, other):
            assert NewJournal not in [type(event) for event in sync(peer, store)]
        before.wish("day_open", {})
        sync(before, store)
        last = store.last_seq(before.journal_id)
        news = [event for event in sync(after, store) if isinstance(event, NewJournal)]
        assert news == [NewJournal(after.journal_id, before.journal_id, last)]
        assert NewJournal not in [type(event) for event in sync(after, store)]
