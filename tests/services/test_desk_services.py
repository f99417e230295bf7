"""Codes, staff, standing troubles and the day left open, on the kiosk's hub."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_torture import Nor, Random

from hubcore import records
from hubcore.desk import MAX_VISITS
from kiosk.hub import KioskHub, NotDone
from services.clock import Clock
from services.codes import KEYS, Codes
from services.journal import Journal
from smilehub.store.database import Row, Store
from smilehub.sync.troubles import reported

VISITOR = {"need": "urgent", "lang": "en", "lane": "any", "pictogram": 1}
DAY_S = 86_400
#: 2026-05-04 07:30 UTC, a Monday.
MORNING = 1_777_879_800


class Chip:
    """A clock chip as the driver shows it: it goes on while the power is away."""

    def __init__(self, bench: "Bench", utc: int | None) -> None:
        self.bench = bench
        self.offset = None if utc is None else utc - bench.ms // 1000
        self.absent = False

    def read(self) -> int | None:
        if self.absent:
            raise OSError(19)
        return None if self.offset is None else self.offset + self.bench.ms // 1000

    def write(self, utc_s: int) -> None:
        if self.absent:
            raise OSError(19)
        self.offset = utc_s - self.bench.ms // 1000


class Bench:
    def __init__(self, utc: int | None = MORNING, sectors: int = 64, tz: str = "UTC0") -> None:
        self.nor = Nor(sectors)
        self.secrets = Nor(4)
        self.ms = 0
        self.tz = tz
        self.rnd = Random(3)
        self.chip = Chip(self, utc)
        self.hub = self.boot()

    def boot(self, off_s: int = 0, damaged: str = "") -> KioskHub:
        self.ms += off_s * 1000
        start = self.ms
        clock = Clock(lambda: self.ms - start, lambda a, b: a - b, self.chip)
        self.hub = KioskHub(Journal(self.nor), clock, rnd=self.rnd.bytes, keys=self.secrets, tz=self.tz)
        self.hub.start("power", "1.2.3", 0, damaged)
        return self.hub

    def run(self, seconds: int) -> None:
        """Time passes in steps of the housekeeping, though longer ones."""
        for _ in range(seconds // 60):
            self.ms += 60_000
            self.hub.idle()

    def all(self) -> list[records.Record]:
        reader = self.hub.journal.read_from(1, bytearray(2048))
        return [records.decode(bytes(view)) for _, view in reader]

    def faults(self) -> list[str]:
        return [record.body["task"] for record in self.all() if record.kind == "fault"]


def wear(bench: Bench) -> None:
    """The journal's flash keeps nothing from now on."""

    def fails(_block: int, _buf: bytes, _offset: int) -> None:
        raise OSError(5)

    bench.nor.writeblocks = fails  # type: ignore[method-assign]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.hub.wish("day_open", {})
    return bench


# Codes


def test_a_ticket_has_a_code_that_finds_it_even_after_a_restart(bench: Bench) -> None:
    done = bench.hub.wish("checkin", VISITOR | {"size": 3}, ("desk", 1))
    code = done["code"]
    assert len(code) == 8
    labels = sorted([done["ticket"], *done["others"]])
    assert len(labels) == 3
    hub = bench.boot()
    assert sorted(visit.label for visit in hub.withdraw(code)) == labels
    again = hub.wish("checkin", VISITOR | {"size": 3}, ("desk", 1))
    assert again["already"]
    assert "code" not in again
    assert code.encode() not in bench.nor.data


def test_an_emergency_has_no_code(bench: Bench) -> None:
    for need in ("emergency", "breathing"):
        done = bench.hub.wish("checkin", VISITOR | {"need": need})
        assert "code" not in done
        assert bench.hub.fold.visits[done["ticket"]].code is None


def test_a_promise_keeps_its_code_when_it_is_redeemed(bench: Bench) -> None:
    hub = bench.hub
    hub.wish("full_today", {"full": True})
    done = hub.wish("promise", VISITOR)
    hub.wish("day_close", {})
    hub.wish("day_open", {})
    (promise,) = hub.withdraw(done["code"])
    again = hub.wish("checkin", {"promise": promise.label})
    assert "code" not in again
    assert [visit.label for visit in hub.withdraw(done["code"])] == [again["ticket"]]


def test_five_misses_pause_and_are_recorded(bench: Bench) -> None:
    code = bench.hub.wish("checkin", VISITOR)["code"]
    wrong = "udybuuuu" if code != "udybuuuu" else "udybuuud"
    for _ in range(5):
        assert bench.hub.withdraw(wrong) is None
    with pytest.raises(NotDone, match="code_paused"):
        bench.boot().withdraw(code)
    bench.ms += 10 * 60_000
    assert bench.hub.withdraw(code)
    assert [record.kind for record in bench.all()].count("code_missed") == 5


def test_without_a_journal_no_code_is_taken(bench: Bench) -> None:
    hub = bench.hub
    code = hub.wish("checkin", VISITOR)["code"]
    wrong = "udybuuuu" if code != "udybuuuu" else "udybuuud"
    append = bench.nor.writeblocks
    wear(bench)
    with pytest.raises(NotDone, match="journal_worn"):
        hub.withdraw(wrong)
    for kiosk in (hub, bench.boot()):
        for presses in (wrong, code):
            with pytest.raises(NotDone, match="code_paused"):
                kiosk.withdraw(presses)
    bench.nor.writeblocks = append  # type: ignore[method-assign]
    assert bench.boot().withdraw(code)


def test_without_room_no_code_is_taken_and_a_pause_is_lifted_from_the_reserve() -> None:
    bench = Bench(sectors=11)
    hub = bench.hub
    hub.wish("day_open", {})
    code = hub.wish("checkin", VISITOR)["code"]
    wrong = "udybuuuu" if code != "udybuuuu" else "udybuuud"
    for _ in range(5):
        hub.withdraw(wrong)
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            hub.wish("chair_open", {"chair": "1"})
    with pytest.raises(NotDone, match="code_paused"):
        hub.withdraw(code)
    hub.wish("code_lift", {})
    assert hub.withdraw(code)
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            hub.wish("code_lift", {})
    guesses = 0
    with pytest.raises(NotDone, match=r"code_paused|journal_full"):
        while guesses < 30:
            hub.withdraw(wrong)
            guesses += 1
    assert guesses <= 5
    with pytest.raises(NotDone, match="code_paused"):
        bench.boot().withdraw(wrong)


def test_a_consent_is_withdrawn_by_code_after_the_visit(bench: Bench) -> None:
    hub = bench.hub
    hub.wish("chair_open", {"chair": "1"})
    done = hub.wish("checkin", VISITOR)
    label = done["ticket"]
    hub.wish("consent_give", {"ticket": label, "purpose": "study"})
    hub.wish("call", {"chair": "1"})
    for act in ("seated", "served"):
        hub.wish(act, {"ticket": label})
    hub = bench.boot()
    assert [visit.label for visit in hub.withdraw(done["code"])] == [label]
    hub.wish("consent_withdraw", {"ticket": label, "purpose": "study"})
    assert hub.fold.find(label).consents == ()


def test_codes_are_even_and_none_is_hit_by_leaning_on_two_keys() -> None:
    codes = Codes(b"k" * 32, Random(9).bytes)
    seen: dict[str, int] = {}
    for _ in range(400):
        code, mac = codes.fresh(lambda _mac: False)
        assert mac == codes.mac(code)
        assert len(set(code)) >= 3
        for at, key in enumerate(code):
            seen[f"{at}{key}"] = seen.get(f"{at}{key}", 0) + 1
    assert len(seen) == 8 * len(KEYS)
    assert min(seen.values()) > 60
    taken: list[bytes] = []
    for _ in range(300):
        taken.append(codes.fresh(lambda mac: mac in taken)[1])
    assert len(set(taken)) == 300


# Staff


def test_staff_are_set_from_the_laptop_and_sign_in(bench: Bench) -> None:
    hub = bench.hub
    assert hub.wish("staff_list", {}) == {"seq": 0, "already": False, "staff": []}
    hub.wish("staff_set", {"staff": "Olha", "pin": "udybud"}, ("desk", 1))
    hub.wish("staff_set", {"staff": "Ana", "pin": "yyyyyy"}, ("desk", 2))
    hub = bench.boot()
    assert hub.staff.names() == ("Ana", "Olha")
    assert not hub.staff.sign_in("Ana", "udybud")
    assert hub.staff.who is None
    assert hub.staff.sign_in("Olha", "udybud")
    assert hub.staff.who == "Olha"
    hub.staff.sign_out()
    hub.wish("staff_remove", {"staff": "Olha"}, ("desk", 3))
    assert not hub.staff.sign_in("Olha", "udybud")
    assert hub.wish("staff_list", {})["staff"] == ["Ana"]
    kinds = [record.kind for record in bench.all() if record.kind and record.kind.startswith("staff")]
    assert kinds == [
        "staff_set",
        "staff_set",
        "staff_refused",
        "staff_signed_in",
        "staff_signed_out",
        "staff_removed",
        "staff_refused",
    ]
    assert b"udybud" not in bench.nor.data + bench.secrets.data


def test_a_new_pin_replaces_the_old_one_and_ends_the_wait(bench: Bench) -> None:
    staff = bench.hub.staff
    bench.hub.wish("staff_set", {"staff": "Ana", "pin": "yyyyyy"})
    for _ in range(4):
        staff.sign_in("Ana", "uuuuuu")
        bench.ms += staff.wait_ms("Ana")
    staff.sign_in("Ana", "uuuuuu")
    assert staff.wait_ms("Ana")
    bench.hub.wish("staff_set", {"staff": "Ana", "pin": "dddddd"})
    assert staff.wait_ms("Ana") == 0
    assert not staff.sign_in("Ana", "yyyyyy")
    assert staff.sign_in("Ana", "dddddd")


def test_each_wrong_pin_makes_that_person_alone_wait_longer(bench: Bench) -> None:
    staff = bench.hub.staff
    for name in ("Ana", "Olha"):
        bench.hub.wish("staff_set", {"staff": name, "pin": "yyyyyy"})
    waits: list[int] = []
    for _ in range(11):
        assert not staff.sign_in("Ana", "uuuuuu")
        waits.append(staff.wait_ms("Ana") // 1000)
        if waits[-1]:
            bench.ms += 1000 * waits[-1] - 1
            assert not staff.sign_in("Ana", "yyyyyy")  # right, but too early
            bench.ms += 1
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert staff.wait_ms("Olha") == 0
    assert staff.sign_in("Ana", "yyyyyy")
    assert staff.wait_ms("Ana") == 0


def test_a_power_cut_ends_no_wait_but_a_new_day_does(bench: Bench) -> None:
    bench.hub.wish("staff_set", {"staff": "Ana", "pin": "yyyyyy"})
    for _ in range(9):
        assert not bench.hub.staff.sign_in("Ana", "uuuuuu")
        bench.ms += bench.hub.staff.wait_ms("Ana")
    assert not bench.hub.staff.sign_in("Ana", "uuuuuu")
    for _ in range(3):
        assert bench.boot().staff.wait_ms("Ana") == 60_000
        assert not bench.hub.staff.sign_in("Ana", "yyyyyy")
    bench.hub.wish("alert_raise", {"why": "help"})
    bench.ms += 60_000
    assert bench.boot().staff.wait_ms("Ana") == 60_000, "powered time counts, as far as records tell of it"
    bench.ms += 60_000
    assert not bench.hub.staff.sign_in("Ana", "uuuuuu")
    assert bench.hub.staff.wait_ms("Ana") == 60_000
    bench.hub.wish("day_close", {})
    bench.hub.wish("day_open", {})
    assert bench.hub.staff.wait_ms("Ana") == bench.boot().staff.wait_ms("Ana") == 0
    assert bench.hub.staff.sign_in("Ana", "yyyyyy")


def test_wrong_pins_count_where_no_record_can_be_made(bench: Bench) -> None:
    staff = bench.hub.staff
    bench.hub.wish("staff_set", {"staff": "Ana", "pin": "yyyyyy"})
    wear(bench)
    for _ in range(4):
        staff.sign_in("Ana", "uuuuuu")
        bench.ms += staff.wait_ms("Ana")
    staff.sign_in("Ana", "uuuuuu")
    assert staff.wait_ms("Ana") == 4000


def test_a_pin_changes_only_with_its_record(bench: Bench) -> None:
    hub = bench.hub
    hub.wish("staff_set", {"staff": "Ana", "pin": "yyyyyy"})
    hub.staff.sign_in("Ana", "yyyyyy")
    wear(bench)
    for name, args in (
        ("staff_set", {"staff": "Ana", "pin": "uuuuuu"}),
        ("staff_set", {"staff": "Olha", "pin": "uuuuuu"}),
        ("staff_remove", {"staff": "Ana"}),
    ):
        with pytest.raises(NotDone, match="journal_worn"):
            hub.wish(name, args)
    assert hub.staff.who == "Ana"
    assert hub.staff.names() == ("Ana",)
    assert hub.staff.sign_in("Ana", "yyyyyy")
    assert not hub.staff.sign_in("Ana", "uuuuuu")


def test_a_power_cut_between_a_pin_and_its_record_is_made_up_for_by_the_laptop(bench: Bench) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    bench.hub.wish("staff_set", {"staff": "Ana", "pin": "yyyyyy"})
    for name, args in (
        ("staff_set", {"staff": "Olha", "pin": "uuuuuu"}),
        ("staff_remove", {"staff": "Ana"}),
    ):
        bench.hub.journal.append_raw = cut  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            bench.hub.wish(name, args, ("desk", 1))
        bench.boot()
    assert bench.hub.staff.names() == ("Olha",), "what was taken away opens nothing"
    bench.hub.wish("staff_set", {"staff": "Olha", "pin": "uuuuuu"}, ("desk", 1))
    with pytest.raises(NotDone, match="unknown_staff"):
        bench.hub.wish("staff_remove", {"staff": "Ana"}, ("desk", 2))


@pytest.mark.parametrize(
    ("name", "args", "reason"),
    [
        ("staff_set", {"staff": "Ana", "pin": "yyyyy"}, "bad_argument"),
        ("staff_set", {"staff": "A{na}", "pin": "yyyyyy"}, "bad_name"),
        ("staff_set", {"staff": "Ana", "pin": "yyyyyy", "who": ["x"]}, "bad_argument"),
        ("staff_set", {"staff": ["Ana"], "pin": "yyyyyy"}, "bad_argument"),
        ("staff_set", {"staff": "Ana", "pin": ["y"] * 6}, "bad_argument"),
        ("staff_set", {"staff": "Ana", "pin": "yyyyyx"}, "bad_argument"),
        ("staff_set", {"staff": "Ana"}, "bad_argument"),
        ("staff_set", {"staff": "", "pin": "yyyyyy"}, "bad_argument"),
        ("staff_set", {"staff": "A na", "pin": "yyyyyy"}, "bad_argument"),
        ("staff_set", {"staff": "A" * 13, "pin": "yyyyyy"}, "bad_argument"),
        ("staff_remove", {"staff": "Nobody"}, "unknown_staff"),
    ],
)
def test_staff_that_cannot_be_are_refused(bench: Bench, name: str, args: dict[str, str], reason: str) -> None:
    with pytest.raises(NotDone, match=reason):
        bench.hub.wish(name, args, ("desk", 1))
    assert bench.all()[-1].body["reason"] == reason


def test_a_seventeenth_person_is_refused(bench: Bench) -> None:
    for n in range(16):
        bench.hub.wish("staff_set", {"staff": f"S{n}", "pin": "yyyyyy"})
    with pytest.raises(NotDone, match="too_many_staff"):
        bench.hub.wish("staff_set", {"staff": "S16", "pin": "yyyyyy"})
    bench.hub.wish("staff_set", {"staff": "S3", "pin": "uuuuuu"})


# Troubles


def test_a_trouble_is_one_fault_and_is_told_at_both_ends(bench: Bench) -> None:
    told: list[str] = []
    health = bench.hub.health
    health.listeners.append(told.append)
    health.set("wall", True, "dark")
    health.set("clock", True, "stands")
    health.set("wall", True, "dark")
    assert health.standing == ("clock", "wall")
    health.set("wall", False)
    assert health.standing == ("clock",)
    assert told == ["wall", "clock", "wall"]
    assert bench.faults() == ["wall", "clock", "wall"]
    assert bench.all()[-1].body["error"] == "ended: dark"
    assert bench.boot().health.standing == (), "what a start finds well has not ended"
    assert bench.faults() == ["wall", "clock", "wall"]


def test_a_trouble_that_comes_and_goes_is_recorded_as_standing_at_last(bench: Bench) -> None:
    for _ in range(20):
        bench.hub.health.set("key", True, "loose")
        bench.hub.health.set("key", False)
    told = [record.body["error"] for record in bench.all() if record.kind == "fault"]
    assert told == ["loose", "ended: loose"] * 7 + ["loose"]


def test_what_has_ended_is_what_the_laptop_takes_for_it(bench: Bench, tmp_path: Path) -> None:
    health = bench.hub.health
    health.set("wall", True, "dark")
    health.set("panel", True)
    health.set("wall", False)
    journal = bench.hub.journal
    with Store.open(tmp_path / "store") as store:
        store.add_journal(journal.id, b"kiosk1")
        for _, view in journal.read_from(1, bytearray(2048)):
            record = records.decode(bytes(view))
            row = Row(record.seq, record.code, record.boot, record.uptime_ms, record.clock_s, bytes(view))
            store.add(journal.id, [row])
        assert [trouble.task for trouble in reported(store, journal.id)] == ["panel"]


def test_the_clock_comes_from_the_chip_and_is_checked_every_hour() -> None:
    bench = Bench()
    assert bench.hub.clock.utc_s() == MORNING
    assert bench.all()[0].clock_s == MORNING
    assert bench.chip.offset is not None
    bench.chip.offset += 5  # the crystal of the ESP32 drifts
    bench.run(3600)
    assert bench.hub.clock.utc_s() == MORNING + 3600 + 5
    assert [record.kind for record in bench.all()] == ["boot", "clock_set"]
    bench.chip.offset += 4000
    bench.run(3600)
    assert bench.hub.health.standing == ("clock",)
    assert bench.hub.clock.utc_s() == MORNING + 7200 + 5


@pytest.mark.parametrize("how", ["battery", "absent"])
def test_a_clock_that_knows_nothing_stands_until_it_is_set(how: str) -> None:
    bench = Bench(None)
    if how == "absent":
        bench.chip.absent = True
        bench.boot()
    hub = bench.hub
    assert hub.clock.utc_s() is None
    assert hub.local() is None
    assert hub.health.standing == ("clock",)
    hub.wish("day_open", {})
    hub.wish("checkin", VISITOR)
    hub.set_clock(MORNING)
    assert hub.health.standing == (() if how == "battery" else ("clock",)), "the chip is asked at once"
    bench.run(3600)
    assert hub.clock.utc_s() == MORNING + 3600
    assert hub.health.standing == (() if how == "battery" else ("clock",))
    assert bench.boot().clock.utc_s() == (MORNING + 3600 if how == "battery" else None)


def test_a_week_without_a_laptop_is_told_and_ends_with_a_receipt() -> None:
    bench = Bench()
    for _ in range(6):
        bench.boot(DAY_S)
        assert not bench.hub.health.standing
    bench.boot(DAY_S)
    assert bench.hub.health.standing == ("laptop",)
    bench.boot()
    assert bench.hub.health.standing == ("laptop",)
    bench.hub.receipt(bench.hub.journal.next_seq - 1)
    assert not bench.hub.health.standing
    assert not bench.boot(6 * DAY_S).health.standing
    assert bench.faults() == ["laptop", "laptop", "laptop"]


def test_a_damaged_slot_is_recorded() -> None:
    bench = Bench()
    hub = bench.boot(damaged="app_a: kiosk/hub.mpy")
    assert hub.health.standing == ("slot",)
    assert [record.body["error"] for record in bench.all() if record.kind == "fault"] == [
        "app_a: kiosk/hub.mpy"
    ]


def test_a_full_journal_is_a_trouble_until_there_is_room() -> None:
    bench = Bench(sectors=11)
    hub = bench.hub
    hub.wish("day_open", {})
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            hub.wish("left", {"ticket": hub.wish("checkin", VISITOR)["ticket"]})
    assert hub.health.standing == ("journal",)
    assert bench.boot().health.standing == ("journal",)
    hub = bench.hub
    hub.receipt(hub.journal.next_seq - 1)
    hub.wish("day_close", {})
    hub.wish("day_open", {})
    hub.idle()
    assert not hub.health.standing


def test_who_becomes_an_emergency_does_so_in_a_full_journal_too() -> None:
    hub = Bench(sectors=16).hub
    hub.wish("day_open", {})
    label = hub.wish("checkin", VISITOR)["ticket"]
    with pytest.raises(NotDone, match="journal_full"):
        while True:
            hub.wish("chair_open", {"chair": "1"})
    hub.wish("class", {"ticket": label, "need": "emergency", "why": "worse"})
    assert [alert.label for alert in hub.fold.alerts.values()] == [label]
    with pytest.raises(NotDone, match="journal_full"):
        hub.wish("class", {"ticket": label, "need": "urgent", "why": "better"})


def test_worn_flash_refuses_but_a_call_for_help_is_still_heard(bench: Bench) -> None:
    told: list[str] = []
    hub = bench.hub
    hub.health.listeners.append(told.append)
    wear(bench)
    with pytest.raises(NotDone, match="journal_worn"):
        hub.wish("checkin", VISITOR)
    assert hub.health.standing == ("journal",)
    assert hub.alarm is None
    with pytest.raises(NotDone, match="journal_worn"):
        hub.wish("alert_raise", {"why": "help"})
    assert hub.alarm == "help"
    with pytest.raises(NotDone, match="journal_worn"):
        hub.wish("checkin", VISITOR | {"need": "breathing"})
    assert hub.alarm == "emergency"
    hub.wish("alert_ack", {})
    assert hub.alarm is None
    assert told == ["journal", "alarm", "alarm", "alarm"]
    hub.idle()
    assert hub.health.standing == ("journal",)


def test_a_call_without_a_record_stands_until_it_is_acknowledged_itself(bench: Bench) -> None:
    hub = bench.hub
    helped = hub.wish("alert_raise", {"why": "help"})["seq"]
    danger = hub.wish("checkin", VISITOR | {"need": "breathing"})["seq"]
    keeps = bench.nor.writeblocks
    wear(bench)
    with pytest.raises(NotDone, match="journal_worn"):
        hub.wish("checkin", VISITOR | {"need": "breathing"})
    bench.nor.writeblocks = keeps  # type: ignore[method-assign]
    assert hub.alarm_level == 1
    bench.ms += 59_999
    assert hub.alarm_level == 1
    bench.ms += 1
    assert hub.alarm_level == 2
    hub.wish("alert_ack", {"alert": helped})
    with pytest.raises(NotDone, match="alert_unknown"):
        hub.wish("alert_ack", {"alert": helped})
    assert hub.alarm == "emergency"
    hub.wish("alert_ack", {})
    assert (hub.alarm, sorted(hub.fold.alerts)) == (None, [danger])


def test_who_was_promised_a_place_has_it_although_emergencies_came(bench: Bench) -> None:
    hub = bench.hub
    hub.wish("full_today", {"full": True})
    kept = hub.wish("promise", VISITOR)["ticket"]
    hub.wish("day_close", {})
    hub.wish("day_open", {})
    for _ in range(MAX_VISITS - 1):
        hub.wish("checkin", VISITOR)
    hub.wish("checkin", VISITOR | {"need": "breathing"})
    with pytest.raises(NotDone, match="full"):
        hub.wish("checkin", VISITOR)
    assert hub.wish("checkin", {"promise": kept})["ticket"] == kept


def test_secrets_that_are_gone_are_told(bench: Bench) -> None:
    bench.secrets.data[:] = Random(1).bytes(len(bench.secrets.data))
    bench.boot()
    assert "keys" in bench.faults()


# The day left open


def test_a_day_left_open_over_night_takes_no_visitor_until_it_is_settled() -> None:
    bench = Bench()
    hub = bench.hub
    hub.wish("day_open", {})
    hub.wish("chair_open", {"chair": "1"})
    hub.wish("chair_open", {"chair": "2"})
    for _ in range(3):
        hub.wish("checkin", VISITOR)
    hub.wish("seated", {"ticket": hub.wish("call", {"chair": "1"})["ticket"]})
    hub.wish("call", {"chair": "2"})
    hub.wish("checkin", VISITOR | {"need": "emergency"})
    assert hub.taking
    hub = bench.boot(DAY_S)
    assert hub.left_over
    assert not hub.taking
    assert hub.health.standing == ("day",)
    with pytest.raises(NotDone, match="day_closed"):
        hub.wish("checkin", VISITOR)
    hub.wish("checkin", VISITOR | {"by": "staff"})
    hub.wish("checkin", VISITOR | {"need": "emergency"})
    assert hub.settle("Ana") == 6
    assert not hub.fold.day_open
    assert not hub.fold.visits
    assert not hub.fold.alerts
    assert len(hub.fold.promises) == 3
    hub.idle()
    assert not hub.health.standing
    assert not hub.taking
    hub.wish("day_open", {})
    assert hub.taking
    kinds = [str(r.kind) for r in bench.all() if r.kind != "fault"][-8:]  # a fault tells that it is over
    assert kinds[-2:] == ["day_closed", "day_opened"]
    alerts = ["alert_acknowledged"] * 2
    assert sorted(kinds[:-2]) == [*alerts, "deferred", "left", "left", "served"]
    assert all(r.body.get("who") == "Ana" for r in bench.all() if r.kind in ("served", "left", "day_closed"))


def test_a_power_cut_past_midnight_ends_no_evening() -> None:
    bench = Bench(MORNING + 15 * 3600, tz="EET-2EEST,M3.5.0/3,M10.5.0/4")  # 01:30 where the kiosk stands
    bench.hub.wish("day_open", {})
    assert not bench.boot(3600).left_over
    assert bench.boot(2 * 3600).left_over  # 04:30


def test_a_long_day_is_left_over_without_any_clock() -> None:
    bench = Bench(None)
    bench.hub.wish("day_open", {})
    bench.run(15 * 3600)
    bench.hub.wish("checkin", VISITOR)
    assert not bench.hub.left_over
    assert not bench.boot(DAY_S).left_over  # nobody knows how long the power was away
    bench.run(3600 + 60)
    assert bench.hub.left_over
    assert bench.boot().left_over
    assert "day" in bench.hub.health.standing


def test_a_clock_set_later_dates_the_day_too() -> None:
    bench = Bench()
    bench.hub.wish("day_open", {})
    bench.chip.offset = None
    hub = bench.boot(DAY_S)
    assert not hub.left_over
    hub.set_clock(MORNING + DAY_S)
    assert hub.left_over


def test_a_summer_time_change_moves_the_shown_clock_alone() -> None:
    bench = Bench(1_774_744_200, tz="EET-2EEST,M3.5.0/3,M10.5.0/4")  # 2026-03-29 00:30 UTC, an hour before
    bench.hub.wish("day_open", {})
    ticket = bench.hub.wish("checkin", VISITOR)["ticket"]
    assert bench.hub.local() == (2026, 3, 29, 2, 30)
    bench.run(3600)
    assert bench.hub.local() == (2026, 3, 29, 4, 30)
    assert bench.hub.now_ms() == 3_600_000
    assert bench.hub.fold.why(bench.hub.fold.visits[ticket], bench.hub.now_ms())["waited_s"] == 3600
    assert [record.kind for record in bench.all()] == ["boot", "day_opened", "checkin"]


# Arguments

STRANGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.binary(max_size=9)
    | st.text(max_size=9)
    | st.sampled_from(["1", "urgent", "study", "Ana", "udybud", 0, 1, 2, b"12345678"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=3), inner),
    max_leaves=4,
)
ARGS = [
    "need",
    "lane",
    "lang",
    "pictogram",
    "size",
    "by",
    "code",
    "promise",
    "rest",
    "full",
    "chair",
    "lanes",
    "paused",
    "ticket",
    "why",
    "family",
    "purpose",
    "alert",
    "who",
    "staff",
    "pin",
]
WISHES = [
    "checkin",
    "promise",
    "day_open",
    "day_close",
    "full_today",
    "chair_open",
    "chair_close",
    "pause",
    "call",
    "recall",
    "seated",
    "served",
    "no_show",
    "requeue",
    "defer",
    "transfer",
    "class",
    "left",
    "undo",
    "consent_give",
    "consent_withdraw",
    "alert_raise",
    "alert_ack",
    "code_miss",
    "code_lift",
    "staff_set",
    "staff_remove",
    "staff_list",
]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(WISHES), st.dictionaries(st.sampled_from(ARGS), STRANGE, max_size=4), st.booleans())
def test_a_wish_with_any_arguments_is_done_or_refused(name: str, args: dict[str, Any], sane: bool) -> None:
    hub = lively().hub
    if sane:
        ticket = next(iter(hub.fold.visits), "K10")
        args = {"ticket": ticket, "chair": "1", "need": "urgent", "staff": "Ana", "pin": "udybud"} | args
    before = hub.journal.next_seq
    try:
        done = hub.wish(name, args, ("desk", before))
    except NotDone as refused:
        assert refused.seq == before
    else:
        assert done["seq"] in (0, before)


@cache
def lively() -> Bench:
    """A hub that goes on from example to example."""
    bench = Bench(sectors=512)
    bench.hub.wish("checkin", {"need": "emergency", "size": 2})
    for name in ("day_open", "chair_open", "call"):
        bench.hub.wish(name, {"chair": "1"})
    return bench
