"""The hub on the kiosk: one durable record a wish, the same state after a restart, help when full."""

from collections.abc import Callable

import pytest
from journal_torture import SECTOR, Nor, Random

from hubcore import records
from hubcore.fold import Hub
from kiosk.hub import KioskHub, NotDone
from services.clock import Clock
from services.journal import Journal

VISITOR = {"need": "urgent", "lang": "en", "lane": "any", "pictogram": 1}


class Bench:
    """One flash and one clock; ``boot`` starts a hub on them."""

    def __init__(self, sectors: int = 64) -> None:
        self.nor = Nor(sectors)
        self.ms = 0
        self.rnd = Random(3)
        self.hub = self.boot()

    def boot(self) -> KioskHub:
        clock = Clock(self._ticks(self.ms), lambda a, b: a - b)
        self.hub = KioskHub(Journal(self.nor), clock, rnd=self.rnd.bytes)
        self.hub.start("power", "1.2.3", 0)
        return self.hub

    def _ticks(self, start: int) -> Callable[[], int]:
        return lambda: self.ms - start

    def kinds(self, start: int = 1) -> list[str]:
        reader = self.hub.journal.read_from(start, bytearray(2048))
        return [records.decode(bytes(view)).kind for _, view in reader]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_wish_is_one_record_and_everybody_hears_it(bench: Bench) -> None:
    heard: list[str] = []
    bench.hub.listeners.append(lambda record: heard.append(record.kind))
    opened = bench.hub.wish("day_open", {}, ("desk", 1))
    assert opened == {"seq": 2, "already": False}
    taken = bench.hub.wish("checkin", VISITOR)
    assert taken["ticket"] in bench.hub.fold.visits
    assert heard == ["day_opened", "fault", "checkin"]  # the fault: nobody has set the clock yet
    assert bench.kinds() == ["boot", *heard]


def test_a_command_is_done_once_even_across_a_restart(bench: Bench) -> None:
    bench.hub.wish("day_open", {}, ("desk", 1))
    bench.hub.wish("checkin", VISITOR)
    bench.hub.wish("chair_open", {"chair": "2"}, ("desk", 2))
    called = bench.hub.wish("call", {"chair": "2"}, ("desk", 3))
    for _ in range(2):
        assert bench.hub.wish("call", {"chair": "2"}, ("desk", 3)) == called | {"already": True}
        bench.boot()
    assert bench.hub.wish("chair_open", {"chair": "2"}, ("desk", 2)) == {"seq": 0, "already": True}
    assert bench.kinds().count("called") == 1


def test_a_refusal_is_kept_once_and_told_again(bench: Bench) -> None:
    for _ in range(3):
        with pytest.raises(NotDone) as caught:
            bench.hub.wish("call", {"chair": "2"}, ("desk", 1))
        assert (caught.value.reason, caught.value.seq) == ("day_closed", 2)
        bench.boot()
    assert bench.kinds().count("command_done") == 1
    with pytest.raises(NotDone):
        bench.hub.wish("call", {"chair": "2"})
    assert bench.kinds().count("command_done") == 1


def test_the_state_after_a_restart_is_that_of_all_records(bench: Bench) -> None:
    for day in range(3):
        bench.hub.wish("day_open", {}, ("desk", 10 * day))
        for _ in range(20):
            bench.ms += 7_000
            bench.hub.wish("checkin", VISITOR)
        bench.hub.wish("day_close", {}, ("desk", 10 * day + 1))
    bench.hub.wish("day_open", {}, ("desk", 99))
    bench.hub.wish("checkin", VISITOR)
    before = bench.hub
    after = bench.boot()
    whole = Hub()
    for _, view in after.journal.read_from(1, bytearray(2048)):
        whole.apply(after.journal.id, records.decode(bytes(view)))
    assert after.fold.digest() == whole.digest()
    assert after.fold.counts == before.fold.counts
    assert after.fold.visits.keys() == before.fold.visits.keys()
    assert after.fold.boot == 2


def test_a_full_journal_takes_no_visitors_but_still_serves_those_who_wait() -> None:
    bench = Bench(11)
    hub = bench.hub
    hub.wish("day_open", {})
    hub.wish("chair_open", {"chair": "1"})
    hub.wish("checkin", VISITOR)
    with pytest.raises(NotDone, match="journal_full") as caught:
        while True:
            hub.wish("left", {"ticket": hub.wish("checkin", VISITOR)["ticket"]})
    assert caught.value.reason == "journal_full"
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            hub.wish("full_today", {"full": False})
    ticket = hub.wish("call", {"chair": "1"}, ("desk", 2))["ticket"]
    with pytest.raises(NotDone, match="journal_full"):  # although the call has begun a sector
        hub.wish("checkin", VISITOR)
    hub.wish("seated", {"ticket": ticket})
    hub.wish("consent_withdraw", {"ticket": ticket, "purpose": "photo"})
    hub.wish("undo", {})
    hub.wish("served", {"ticket": ticket})
    assert hub.wish("checkin", VISITOR | {"need": "emergency"})["ticket"] in hub.fold.visits
    hub.wish("alert_raise", {"why": "help"})
    assert bench.boot().fold.counts == hub.fold.counts
    bench.hub.wish("alert_ack", {})


def test_a_sync_and_a_new_day_make_room_in_a_full_journal() -> None:
    bench = Bench(11)
    bench.hub.wish("day_open", {})
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            bench.hub.wish("left", {"ticket": bench.hub.wish("checkin", VISITOR)["ticket"]})
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            bench.hub.wish("full_today", {"full": False})
    hub = bench.boot()
    assert not hub.set_clock(1_800_000_000)  # no room for the record of it, but the laptop gets on
    assert hub.clock.utc_s() == 1_800_000_000
    hub.receipt(hub.journal.next_seq - 1)
    with pytest.raises(NotDone, match="journal_full"):
        hub.wish("checkin", VISITOR)
    hub.wish("day_close", {})
    hub.wish("day_open", {})
    for _ in range(100):
        hub.wish("left", {"ticket": hub.wish("checkin", VISITOR)["ticket"]})


def test_an_entirely_full_journal_leaves_a_kiosk_that_starts_and_shows() -> None:
    bench = Bench(4)
    bench.hub.wish("day_open", {})
    with pytest.raises(NotDone):
        while True:
            bench.hub.wish("alert_raise", {"why": "emergency", "note": "x" * 50})
    waiting = len(bench.hub.fold.alerts)
    hub = bench.boot()
    assert len(hub.fold.alerts) == waiting
    assert hub.now_ms() >= 0
    with pytest.raises(NotDone):
        hub.wish("alert_raise", {"why": "emergency"})


def test_receipts_are_few(bench: Bench) -> None:
    hub = bench.hub
    hub.wish("day_open", {})
    assert hub.receipt(hub.journal.next_seq - 1)
    for _ in range(10):
        bench.ms += 700_000
        assert not hub.receipt(hub.journal.next_seq - 1)
    hub.wish("checkin", VISITOR)
    assert hub.receipt(hub.journal.next_seq - 1)
    written = 0
    for _ in range(250):
        bench.ms += 200
        hub.wish("left", {"ticket": hub.wish("checkin", VISITOR)["ticket"]})
        written += hub.receipt(hub.journal.next_seq - 1)
    assert written == 2
    assert hub.journal.confirmed == hub.journal.next_seq - 1
    assert bench.boot().journal.confirmed > 400
    with pytest.raises(NotDone, match="journal_shorter"):
        bench.hub.receipt(bench.hub.journal.next_seq)


def test_what_the_journal_lost_is_recorded_once(bench: Bench) -> None:
    for _ in range(80):
        with pytest.raises(NotDone):
            bench.hub.wish("call", {"chair": "1"}, ("desk", bench.hub.journal.next_seq))
    bench.nor.data[SECTOR + 400] ^= 0x20
    bench.hub.wish("day_open", {})
    for _ in range(3):
        hub = bench.boot()
    assert list(hub.journal.read_from(1, bytearray(2048)))[-1][0] == hub.journal.next_seq - 1
    hub.idle()
    assert bench.kinds().count("fault") == 2  # the clock, and the loss
    bench.boot().idle()
    bench.boot()
    assert bench.kinds().count("fault") == 2


def test_a_listener_that_fails_takes_nothing_with_it(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_record: object) -> None:
        raise ValueError("no screen")

    heard: list[int] = []
    bench.hub.listeners.append(breaks)
    bench.hub.listeners.append(lambda record: heard.append(record.seq))
    bench.hub.wish("day_open", {})
    assert bench.hub.fold.day_open
    assert 2 in heard
    assert bench.hub.fold.faults >= 1
    assert "no screen" in capsys.readouterr().out


def test_the_same_fault_does_not_fill_the_journal(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    before = bench.hub.journal.next_seq
    for _ in range(100):
        bench.hub.fault("ui", ValueError("again"))
    bench.hub.fault("ui", ValueError("another"))
    assert bench.hub.journal.next_seq == before + 8 + 1
    capsys.readouterr()


def test_the_clock_is_recorded_when_it_is_news(bench: Bench) -> None:
    assert bench.hub.set_clock(1_777_000_000)
    assert not bench.hub.set_clock(1_777_000_001)
    bench.ms += 60_000
    assert bench.hub.clock.utc_s() == 1_777_000_060
    assert not bench.hub.set_clock(1_777_000_060)
    assert bench.hub.set_clock(1_777_009_999)
    bench.hub.wish("day_open", {})
    assert bench.kinds() == ["boot", "clock_set", "clock_set", "day_opened"]


def test_uptime_counts_across_wraps() -> None:
    period = 1 << 30
    now = period - 60_000

    def diff(a: int, b: int) -> int:
        return (a - b + period // 2) % period - period // 2

    clock = Clock(lambda: now % period, diff)
    total = 0
    for step in [1, 59_998, 1, 1, 400_000_000, 400_000_000, 400_000_000, 86_400_000, 0]:
        now += step
        total += step
        assert clock.uptime_ms() == total
    now -= 5  # never back
    assert clock.uptime_ms() == total
