"""The fold: conservation, duplicates, partial journals, undo, time."""

import pytest
from hubday import JOURNAL, Day, busy, check, evening, fold
from hypothesis import given, settings
from hypothesis import strategies as st

from hubcore import account, records, table
from hubcore.errors import RecordError, Refused
from hubcore.records import MAX_CARRIED, MAX_ISSUERS

SEEDS = st.integers(0, 10**6)


def standing(hub):
    """The state but for the position, the time, the commands and what can be undone."""
    chairs = {name: account.of_chair(chair)[:-1] for name, chair in hub.chairs.items()}
    visits = {label: account.of_visit(visit) for label, visit in [*hub.visits.items(), *hub.promises.items()]}
    order = [visit.label for visit in hub.order(10**9, 10**6)]
    rest = sorted(hub.promises), list(hub.busy), hub.misses, hub.code_until_ms, list(hub.arrived)
    return (
        *(chairs, visits, order, dict(hub.counts), sorted(hub.alerts)),
        *(hub.last_call, hub.full, hub.day_open, rest),
    )


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.data())
def test_any_duplication_folds_to_the_same_state(seed, data):
    day = busy(seed, 80)
    repeated = []
    for at, raw in enumerate(day.raws):
        repeated.append(raw)
        if data.draw(st.integers(0, 9)) == 0:
            back = data.draw(st.integers(0, at))
            repeated += day.raws[back : at + 1]
    assert fold(repeated).digest() == day.hub.digest()


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_a_journal_that_begins_anywhere_before_the_days_opening_folds_to_the_same(seed):
    day = busy(seed, 250)
    kinds = [records.decode(raw).kind for raw in day.raws]
    last = len(kinds) - 1 - kinds[::-1].index("day_opened")
    since = records.decode(day.raws[last]).body.get("since", last + 1) - 1
    for first in {0, since // 2, max(0, since - 1), since}:
        hub = fold(day.raws[first:])
        assert hub.digest() == day.hub.digest(), first
        check(hub)


def test_every_kind_occurs_in_the_days_these_tests_draw():
    seen = {records.decode(raw).kind for seed in range(8) for raw in busy(seed, 300).raws}
    assert seen == set(table.KINDS[1:])


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_undo_puts_back_exactly_what_the_act_changed(seed):
    day = busy(seed, 60)
    if not day.hub.day_open:
        for _ in list(day.hub.alerts):
            day.wish("alert_ack")
        evening(day)
        day.opened()
    for chair in ("1", "2"):
        day.record("chair_opened", chair=chair, lanes=[])
    for _ in range(3):
        day.sleep(61)
        hub = day.hub
        chair = day.rng.choice(("1", "2"))
        if hub.chairs[chair].visit is None:
            if hub.pick(chair, day.now_ms) is None:
                day.checkin("injury")
            acts = [("call", {"chair": chair})]
        else:
            ticket = {"ticket": hub.chairs[chair].visit}
            acts = [("served", ticket), ("left", ticket)]
            if hub.visits[ticket["ticket"]].state == "called":
                acts += [("recall", ticket), ("seated", ticket), ("no_show", ticket)]
        for name, args in acts:
            before = standing(hub)
            day.wish(name, **args)
            assert standing(hub) != before
            day.sleep(5)
            day.wish("undo", chair=chair)
            assert standing(hub) == before, name
            with pytest.raises(Refused):
                day.wish("undo", chair=chair)
        day.wish(*[acts[-1][0]], **acts[-1][1])


def test_undo_of_acts_on_two_chairs_is_as_if_they_had_not_been():
    day = Day().opened(("1", "2"))
    for _ in range(4):
        day.checkin()
        day.sleep(60)
    before = standing(day.hub)
    day.wish("call", chair="1")
    day.wish("call", chair="2")
    assert day.hub.last_call[1] == "2"
    day.wish("undo", chair="1")
    assert day.hub.last_call[1] == "2"
    day.wish("undo", chair="2")
    assert standing(day.hub) == before and day.hub.last_call is None


def test_undo_reaches_the_newest_act_of_any_chair():
    day = Day().opened(("1", "2"))
    first, second = day.checkin(), day.checkin()
    day.wish("call", chair="1")
    day.wish("call", chair="2")
    day.wish("seated", ticket=first)
    assert day.wish("undo", why="wrong button").body["why"] == "wrong button"
    assert day.hub.visits[first].state == "called"
    day.wish("undo")
    assert day.hub.visits[second].state == "waiting"
    with pytest.raises(Refused) as refused:
        day.wish("undo")
    assert refused.value.reason == "nothing_to_undo"


def test_undo_does_not_reach_a_visit_that_moved_on():
    day = Day().opened(("1", "2"))
    label = day.checkin()
    day.wish("call", chair="1")
    undone = day.record("transferred", label=label, lane="child").seq
    day.wish("call", chair="2")
    before = standing(day.hub)
    with pytest.raises(Refused):
        day.wish("undo", chair="1")
    day.record("corrected", undone=undone, chair="1", why="x")
    assert standing(day.hub) == before


def test_requeue_transfer_and_class_change_keep_the_arrival():
    day = Day().opened()
    first = day.checkin("checkup", lane="adult")
    day.sleep(100)
    day.checkin("checkup", lane="adult")
    day.wish("call", chair="1")
    day.record("requeued", label=first)
    visit = day.hub.visits[first]
    assert (visit.state, visit.chair, visit.arrival_s) == ("waiting", None, 0)
    assert [v.label for v in day.hub.order(day.now_ms, 1)] == [first]
    day.record("transferred", label=first, lane="child")
    day.record("class_changed", label=first, need="urgent", why="pain")
    assert (visit.lane, visit.need, visit.source, visit.arrival_s) == ("child", "urgent", "staff", 0)
    day.record("class_changed", label=first, need="emergency", why="swelling")
    assert [alert.label for alert in day.hub.alerts.values()] == [first]
    day.record("deferred", label=first)
    assert day.hub.counts["deferred"] == 1


# Order: nothing but need, lane and waiting time


OTHER = {
    "label": lambda rng, value: value,
    "lang": lambda rng, value: rng.choice(("en", "hi", "ar", "th")),
    "pictogram": lambda rng, value: rng.choice(("sun", "fish", "tree", "cup")),
    "said": lambda rng, value: rng.choice(("toothache", "x")),
    "purpose": lambda rng, value: rng.choice(("photo", "story")),
    "why": lambda rng, value: value if value in ("help", "emergency", "other") else "another reason",
}
LANE_NAMES = {"any": "any", "adult": "z-lane", "child": "a-lane"}


@settings(max_examples=25, deadline=None)
@given(SEEDS, SEEDS)
def test_every_other_field_changes_no_order(seed, other):
    day = busy(seed, 120)
    rng = Day(other).rng
    numbers = list(range(10, 1000))
    rng.shuffle(numbers)
    names = {}

    def renamed(label):
        return names.setdefault(label, f"{'ACEHKMPTX'[len(names) % 9]}{numbers[len(names)]}")

    def changed(record):
        fields = dict(record.body)
        for name, value in fields.items():
            if name in OTHER:
                fields[name] = OTHER[name](rng, value)
            if name == "label" or (name == "promise" and isinstance(value, str)):
                fields[name] = renamed(value)
            if name == "others":
                fields[name] = [renamed(label) for label in value]
            if name == "code":
                fields[name] = rng.randbytes(8)
            if name == "lane":
                fields[name] = LANE_NAMES[value]
            if name == "lanes":
                fields[name] = [LANE_NAMES[lane] for lane in value]
            if name == "visits":
                fields[name] = [
                    [renamed(v[0]), *v[1:3], LANE_NAMES[v[3]], "th", "cup", *v[6:]] for v in value
                ]
            if name == "alerts":
                fields[name] = [[*a[:3], a[3] and renamed(a[3])] for a in value]
        if record.kind == "clock_set":
            fields["utc"] = rng.randrange(2**33)
        code, body = records.build(record.kind, fields)
        clock_s = rng.choice((None, rng.randrange(2**33)))
        return records.decode(records.encode(code, record.seq, record.boot, record.uptime_ms, clock_s, body))

    one, two = fold([]), fold([])
    for raw in day.raws:
        record = records.decode(raw)
        one.apply(JOURNAL, record)
        two.apply(b"another1", changed(record))
        later = one.queue_ms + 1000
        assert two.queue_ms + 1000 == later
        assert [renamed(v.label) for v in one.order(later, 10**6)] == [
            v.label for v in two.order(later, 10**6)
        ]
        for name in one.chairs:
            pick = one.pick(name, later)
            assert (pick and renamed(pick.label)) == (two.pick(name, later) and two.pick(name, later).label)
        assert one.counts == two.counts


def test_clock_jumps_change_no_order_but_are_known():
    plain, jumpy = Day(3).opened(), Day(3).opened()
    for step, need in enumerate(("checkup", "toothache", "checkup", "broken")):
        for day in (plain, jumpy):
            day.sleep(100)
            day.checkin(need)
        jumpy.clock_s = (2_000_000_000, 5, None, 2**33)[step]
        jumpy.record("clock_set", utc=(2_000_000_000, 5, 7, 2**33)[step], source="laptop")
    assert [v.label for v in plain.hub.order(plain.now_ms, 9)] == [
        v.label for v in jumpy.hub.order(jumpy.now_ms, 9)
    ]
    early = records.decode(jumpy.raws[2])
    assert early.clock_s is None
    assert account.utc_of(jumpy.hub, early) == 2**33 - 300, (
        "the boot's last clock_set corrects its earlier records"
    )
    assert account.utc_of(plain.hub, early) is None


def test_an_outage_counts_for_nobody():
    """ARCHITECTURE.md, Time: queue time is powered time, so an hour without power adds to no wait."""
    day = Day().opened()
    early = day.checkin("checkup")
    day.sleep(300)
    late = day.checkin("toothache")
    day.clock_s = 1_900_000_000
    before = day.now_ms
    day.outage()
    day.clock_s += 3600
    assert day.now_ms == before, "boot n+1 begins where the last record of boot n stood"
    day.sleep(60)
    day.record("boot", cause="power", firmware="test")
    why = day.hub.why(day.hub.visits[early], day.now_ms)
    assert (why["waited_s"], why["priority"]) == (360, 360)
    assert day.hub.why(day.hub.visits[late], day.now_ms)["priority"] == 4 * 60
    assert day.hub.pick("1", day.now_ms).label == early


def test_queue_time_never_runs_back():
    day = Day().opened()
    day.sleep(50)
    day.checkin()
    assert day.hub.now_ms(1, 10) == day.hub.queue_ms == 50_000
    assert day.hub.now_ms(0, 10**9) == 50_000


# Commands


def test_the_highest_counter_of_each_issuer_is_known():
    day = Day().opened()
    first = day.wish("checkin", ("desk", 5), need="broken").seq
    assert day.hub.done("desk", 5) and day.hub.done("desk", 4) and not day.hub.done("desk", 6)
    assert not day.hub.done("other", 0)
    assert day.hub.issuer_seq["desk"] == first


def test_issuers_are_bounded_and_carried_into_the_next_day():
    day = Day().opened()
    for n in range(MAX_ISSUERS + 3):
        day.wish("alert_raise", (f"laptop{n}", 7), why="help")
        day.wish("alert_ack")
    day.wish("day_close", ("laptop9", 8))
    day.wish("day_open", ("laptop10", 8))
    expected = {f"laptop{n}": 7 for n in range(3, 9)} | {"laptop9": 8, "laptop10": 8}
    assert dict(day.hub.issuers) == expected
    assert next(iter(day.hub.issuers)) == "laptop3"


# Days and alerts


def test_emergencies_and_alerts_outlive_the_night():
    day = Day().opened()
    day.checkin("checkup")
    day.wish("day_close")
    assert day.hub.counts["deferred"] == 1 and not day.hub.visits
    label = day.checkin("breathing")
    day.sleep(59)
    assert [alert.level(day.now_ms) for alert in day.hub.alerts.values()] == [1]
    day.opened()
    visit = day.hub.visits[label]
    assert (visit.need, visit.arrival_s, day.hub.counts["issued"]) == ("emergency", -59, 1)
    day.sleep(1)
    assert [alert.level(day.now_ms) for alert in day.hub.alerts.values()] == [2]
    assert day.hub.pick("1", day.now_ms) is visit
    alert = next(iter(day.hub.alerts.values()))
    day.wish("alert_ack")
    assert alert.level(day.now_ms) == 0 and not day.hub.alerts


def test_the_fullest_opening_fits_into_a_record():
    fields = {
        "day": 65535,
        "rates": [1000] * 3,
        "issuers": [["i" * 15 + str(n), 2**32 - 1] for n in range(MAX_ISSUERS)],
        "visits": [
            [f"K{990 + n}", records.MAX_SEQ - n, "non-urgent", "l" * 7, "l" * 8, "train", "staff", 10**6]
            for n in range(MAX_CARRIED)
        ],
        "alerts": [[records.MAX_SEQ - n, 10**6, "other", "K999"] for n in range(MAX_CARRIED)],
        "cmd": ["i" * 16, 2**32 - 1],
        "who": "w" * 24,
        "since": records.MAX_SEQ,
    }
    code, body = records.build("day_opened", fields)
    worst = (records.MAX_SEQ, records.MAX_SEQ, records.MAX_MS, 0xFFFFFFFFF)
    assert len(records.encode(code, *worst, body)) == 509


def test_state_does_not_grow_with_the_day():
    day = Day().opened()
    sizes = []
    for n in range(300):
        label = day.checkin()
        day.wish("call", chair="1")
        day.wish("served", ticket=label)
        if n in (20, 299):
            sizes.append(sum(len(str(part)) for part in account.parts(day.hub)))
    assert sizes[1] - sizes[0] < 60, "numbers get longer, nothing else"


def test_more_than_990_tickets_in_a_day_reuse_only_what_nobody_holds():
    day = Day().opened()
    held = {day.checkin() for _ in range(20)}
    day.wish("full_today")
    held.add(day.wish("promise", need="broken").body["label"])
    day.wish("full_today", full=False)
    gone = day.checkin()
    day.wish("left", ticket=gone)
    held.add(gone)
    for _ in range(1100):
        label = day.checkin("injury")
        assert label not in held
        day.wish("call", chair="1")
        day.wish("served", ticket=label)
    assert held - {gone} <= set(day.hub.visits) | set(day.hub.promises)
    day.wish("undo")
    day.wish("undo")
    assert gone in day.hub.visits, "who left is undone after the last chair's act"


# What is not in order


def test_gaps_and_strangers_are_refused():
    day = Day().opened()
    hub = fold(day.raws[:1])
    label = day.checkin()
    with pytest.raises(RecordError, match="missing"):
        hub.apply(JOURNAL, records.decode(day.raws[2]))
    with pytest.raises(RecordError, match="another journal"):
        hub.apply(b"x" * 8, records.decode(day.raws[1]))
    hub.skip(3)
    assert hub.apply(JOURNAL, records.decode(day.raws[2]))
    assert label in hub.visits
    assert not hub.apply(JOURNAL, records.decode(day.raws[2]))


def test_an_unknown_kind_moves_only_the_position():
    day = Day().opened()
    raw = records.encode(999, day.hub.next_seq, 1, day.uptime_ms, None, {15: ["desk", 9], 0: "K47"})
    before = standing(day.hub)
    assert day.hub.apply(JOURNAL, records.decode(raw))
    assert standing(day.hub) == before and not day.hub.done("desk", 9)
