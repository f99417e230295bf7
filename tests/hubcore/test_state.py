"""The state after a record, to the number: what a kiosk and a laptop must agree on."""

import pytest
from hubday import JOURNAL, Day, fold

from hubcore import account, records
from hubcore.errors import RecordError
from hubcore.fold import Hub
from hubcore.visits import Act, Alert, Chair, Visit


def bits(*numbers):
    used = bytearray(125)
    for n in numbers:
        used[n // 8] |= 1 << n % 8
    return used


def test_a_hub_before_its_first_record():
    hub = Hub()
    counts = dict.fromkeys(
        ("issued", "waiting", "called", "seated", "served", "left", "deferred", "absent"), 0
    )
    assert list(account.parts(hub)) == [
        [None, 1, 0, 0, 0],
        [],
        [0, False, False, (12, 4, 1), 0, counts, bytes(125)],
        [0, 0, [0, 0, 0], [0, 0, 0], None],
        [0, 0, 0, 0],
    ]
    assert hub.now_ms(0, 5) == 5 and hub.confirmed == 0 and hub.opened_seq == 0
    assert (hub.last_call, hub.calls(3), hub.undoable(), hub.by_code(b"12345678")) == (None, [], None, [])


def test_a_day_to_the_number():
    """One seated, one promised, one absent, an alert, a miss, acts to undo: all that a digest covers."""
    day = Day(5)
    day.sleep(1)
    day.record("boot", cause="power", firmware="test")
    day.record("day_opened", day=3, rates=[12, 5, 2], issuers=[["desk", 4]], visits=[], alerts=[])
    day.sleep(10)
    day.record("chair_opened", chair="1", lanes=["adult"], cmd=["desk", 5])
    day.record("chair_opened", chair="2", lanes=[])
    common = {"lang": "fr", "pictogram": "fish", "by": "self"}
    day.record(
        "checkin", label="K10", need="urgent", lane="adult", code=b"12345678", others=["K17"], **common
    )
    day.sleep(5)
    day.record("checkin", label="A99", need="non-urgent", lane="any", **(common | {"by": "staff"}))
    day.record("checkin", label="A98", need="non-urgent", lane="any", **common)
    day.record("called", label="K10", chair="1")
    day.sleep(25)
    day.record("recalled", label="K10")
    day.record("seated", label="K10")
    day.record("consent_given", label="K10", purpose="study")
    day.record("called", label="A98", chair="2")
    day.sleep(100)
    day.record("no_show", label="A98")
    day.record("deferred", label="A99", promise=True)
    day.record("code_missed")
    day.record("alert_raised", why="help", label="K17")
    day.record("fault", task="ui", error="x")
    counts = {"issued": 4, "waiting": 1, "called": 0, "seated": 1, "served": 0, "left": 0}
    head = ["K10", 5, 1, "adult", "fr", "fish", "self"]
    seated = [*head, "seated", "1", 1, 10, 10, ("study",), b"12345678", "K10", 0, False]
    other = ["K17", *head[1:], "waiting", None, 0, 0, 10, (), b"12345678", "K10", 1, False]
    gone = ["A98", 7, 2, "any", "fr", "fish", "self", "absent", None, 0, 13, 15, (), None, None, 0, False]
    kept = ["A99", 6, 2, "any", "fr", "fish", "staff", "deferred", None, 0, 14, 15, (), None, None, 0, False]
    was_called = (False, "called", "adult", 1, "self", 1, 9, ("K10", 9), 15)
    was_on_call = (False, "called", "any", 2, "self", 0, 12, ("A98", 12), 40)
    was_waiting = (False, "waiting", "any", 2, "staff", 0, 0, None, -1)
    found = list(account.parts(day.hub))
    assert found[:2] == [[JOURNAL, 18, 1, -1000, 140_000], [["desk", 5, 3]]]
    assert found[2][:5] == [3, True, False, (12, 5, 2), 1]
    assert found[2][5:] == [counts | {"deferred": 1, "absent": 1}, bits(10, 17, 98, 99)]
    assert found[3] == [1, 0, [0, 2, 2], [1, 10, 100], ["deferred", 14, [[None, was_waiting, -1, kept]]]]
    assert found[4] == [2, 2, 1, 1]
    seated_act = ["seated", 10, [["1", was_called, -1, seated]]]
    no_show = ["no_show", 13, [["2", was_on_call, 10, gone]]]
    assert found[5] == ["1", ("adult",), True, False, "K10", ("K10", 9), 15, seated_act]
    assert found[6] == ["2", (), True, False, None, ("A98", 12), 140, no_show]
    assert found[7:] == [seated, other, kept, [16, 140_000, "help", "K17"]]
    assert fold(day.raws).digest() == day.hub.digest()


# Days


def opening(books, **fields):
    return books.record(
        "day_opened", **({"day": 2, "rates": [12, 4, 1], "issuers": [], "visits": [], "alerts": []} | fields)
    )


def test_an_opening_carries_over_what_it_says():
    day = Day().opened()
    for _ in range(2):
        day.record("code_missed")
    day.record("fault", task="ui", error="x")
    day.checkin()
    day.wish("call", chair="1")
    row = ["K47", 5, "emergency", "child", "uk", "cup", "staff", 90]
    day.sleep(7)
    opened = opening(
        day,
        day=9,
        rates=[10, 3, 2],
        issuers=[["a", 3], ["b", 0]],
        visits=[row],
        alerts=[[5, 90, "help", None]],
    )
    hub = day.hub
    assert (hub.day, hub.day_open, hub.opened_seq, hub.rates) == (9, True, opened.seq, (10, 3, 2))
    assert (hub.faults, hub.misses, hub.code_until_ms, hub.busy, hub.full) == (0, 0, 0, [0, 0, 0], False)
    assert hub.arrived == [1, 0, 0] and not hub.chairs and hub.undo is None and hub.last_call is None
    assert dict(hub.issuers) == {"a": 3, "b": 0} and not hub.issuer_seq
    (visit,) = hub.visits.values()
    assert (
        visit.label,
        visit.seq,
        visit.need,
        visit.lane,
        visit.lang,
        visit.pictogram,
        visit.source,
    ) == tuple(row[:7])
    assert (visit.arrival_s, visit.state, visit.act) == (-90, "waiting", 0)
    assert hub.used.bits == bits(47)
    (alert,) = hub.alerts.values()
    assert (alert.seq, alert.raised_ms, alert.why, alert.label) == (5, -90_000, "help", None)
    assert hub.queue_ms == 0 and day.now_ms == 0
    day.sleep(3)
    assert day.now_ms == 3000 and hub.why(visit, day.now_ms)["waited_s"] == 93


def test_a_day_closed_by_a_strange_journal_leaves_nobody_at_a_chair():
    day = Day().opened(("1", "2"))
    emergency = day.checkin("injury")
    day.wish("call", chair="1")
    served = day.checkin()
    day.wish("call", chair="2")
    day.wish("seated", ticket=served)
    waiting, left = day.checkin("injury"), day.checkin("checkup")
    day.wish("full_today")
    day.record("day_closed", day=1, deferred=9, rest="left")
    assert list(day.hub.visits) == [waiting]
    counts = {name: n for name, n in day.hub.counts.items() if n}
    assert counts == {"issued": 4, "waiting": 1, "served": 1, "left": 2}
    assert not day.hub.full and not day.hub.day_open and not day.hub.chairs and not day.hub.promises
    assert {emergency, left}.isdisjoint(day.hub.promises) and day.hub.undoable() is None


def test_nothing_opens_a_chair_at_night():
    day = Day()
    day.record("chair_opened", chair="1", lanes=[])
    assert not day.hub.chairs


# Records that do not fit the state


def test_who_is_here_or_promised_is_not_taken_twice():
    day = Day().opened()
    common = {"need": "urgent", "lane": "any", "lang": "en", "pictogram": "sun"}
    day.record("checkin", label="K10", by="self", **common)
    day.sleep(5)
    for act in (
        lambda: day.record("checkin", label="K10", by="staff", **common),
        lambda: day.record("promised", label="K10", **common),
    ):
        act()
        assert day.hub.counts["issued"] == 1 and day.hub.visits["K10"].arrival_s == 0 and not day.hub.promises
    day.record("promised", label="K11", **common)
    first = day.hub.promises["K11"]
    day.record("promised", label="K11", **(common | {"lang": "fr"}))
    assert day.hub.promises["K11"] is first and day.hub.counts["deferred"] == 1
    day.record("checkin", label="K12", by="self", others=["K10", "K11", "K13"], **common)
    assert sorted(day.hub.visits) == ["K10", "K11", "K12", "K13"] and not day.hub.promises
    assert [day.hub.visits[label].group for label in sorted(day.hub.visits)] == [None, "K12", "K12", "K12"]
    assert [day.hub.visits[label].rank for label in sorted(day.hub.visits)] == [0, 2, 0, 3]


def test_a_promised_visit_in_the_books():
    day = Day().opened()
    day.sleep(4000.5)
    day.record(
        "promised",
        label="K11",
        need="non-urgent",
        lane="child",
        lang="fr",
        pictogram="moon",
        code=b"87654321",
    )
    visit = day.hub.promises["K11"]
    assert (visit.state, visit.lane, visit.need, visit.arrival_s, visit.due) == (
        "deferred",
        "child",
        "non-urgent",
        4000,
        False,
    )
    assert (visit.source, visit.code, visit.lang, visit.pictogram) == ("self", b"87654321", "fr", "moon")
    assert day.hub.arrived == [0, 0, 0] and day.hub.used.has(11)


def test_a_call_that_does_not_fit_does_nothing():
    day = Day().opened(("1", "2"))
    first, second = day.checkin(), day.checkin()
    day.wish("call", chair="1")
    for label, chair in ((second, "1"), (first, "2"), (second, "9"), ("K9" + "99", "2")):
        before = list(account.parts(day.hub))[2:]
        day.record("called", label=label, chair=chair)
        assert list(account.parts(day.hub))[2:] == before
    day.record("recalled", label=second)
    day.record("chair_closed", chair="1")
    day.record("chair_closed", chair="9")
    day.record("chair_paused", chair="9", paused=True)
    day.record("class_changed", label="K9" + "99", need="emergency", why="x")
    day.record("consent_given", label="K9" + "99", purpose="study")
    day.record("corrected", undone=3, chair="9", why="x")
    day.record("corrected", undone=3, why="x")
    day.record("corrected", undone=day.hub.chairs["1"].undo.seq + 1, chair="1", why="x")
    assert list(account.parts(day.hub))[2:] == before
    day.record("chair_closed", chair="2")
    day.record("chair_paused", chair="2", paused=True)
    assert not day.hub.chairs["2"].open and not day.hub.chairs["2"].paused


def test_a_change_of_class_raises_one_alert_and_counts_the_whole_wait():
    day = Day().opened()
    label = day.checkin("checkup")
    day.sleep(30)
    change = day.wish("class", ticket=label, need="injury", why="x").seq
    assert [(alert.seq, alert.raised_ms, alert.label) for alert in day.hub.alerts.values()] == [
        (change, 30_000, label)
    ]
    day.wish("class", ticket=label, need="sepsis", why="y")
    assert list(day.hub.alerts) == [change], "it was one before"
    day.wish("call", chair="1")
    day.wish("class", ticket=label, need="checkup", why="z")
    assert (day.hub.visits[label].cls, day.hub.visits[label].state, len(day.hub.waiting)) == (2, "called", 0)


# Chairs


def test_a_chair_is_busy_from_its_call_or_from_the_last_visitor_while_others_wait():
    day = Day().opened()
    chair = day.hub.chairs["1"]
    assert chair.since == -1
    first, second = day.checkin(), day.checkin()
    day.wish("call", chair="1")
    assert chair.since == 0
    day.sleep(100)
    day.wish("served", ticket=first)
    assert (chair.since, day.hub.busy) == (100, [1, 10, 100])
    day.sleep(600)
    day.wish("call", chair="1")
    assert chair.since == 100, "ten minutes to turn around"
    day.sleep(19)
    day.wish("no_show", ticket=second)
    assert (chair.since, day.hub.busy) == (-1, [2, 10 + 61, 100 + 61**2])
    day.checkin()
    day.sleep(5)
    day.wish("call", chair="1")
    assert chair.since == day.now_ms // 1000 == 724
    day.wish("undo")
    assert chair.since == -1 and day.hub.busy[0] == 2


def test_from_ten_minutes_on_a_chair_was_not_busy_between_two():
    day = Day().opened()
    first = day.checkin()
    day.checkin()
    day.wish("call", chair="1")
    day.wish("served", ticket=first)
    day.sleep(601)
    day.wish("call", chair="1")
    assert day.hub.chairs["1"].since == 601


def test_a_pause_ends_what_a_free_chair_was_busy_with():
    day = Day().opened()
    first = day.checkin()
    day.checkin()
    day.wish("call", chair="1")
    day.sleep(50)
    day.wish("pause", chair="1")
    assert day.hub.chairs["1"].since == 0, "it has a visitor"
    day.wish("served", ticket=first)
    assert day.hub.chairs["1"].since == 50
    day.wish("pause", chair="1", paused=False)
    assert day.hub.chairs["1"].since == -1
    day.wish("chair_close", chair="1")
    assert (day.hub.chairs["1"].since, day.hub.chairs["1"].undo) == (-1, None)


def test_which_chair_takes_whom():
    visit = Visit("K10", 1, 0, "en", "sun", "self")
    for lanes, picks in (((), ()), (("any",), ()), (("adult", "any"), ()), (("adult",), ("adult", "any"))):
        chair = Chair("1", lanes)
        assert (chair.lanes, chair.picks, chair.open, chair.paused) == (lanes, picks, True, False)
        for lane in ("any", "adult", "child"):
            visit.lane = lane
            for visit.cls in (0, 1, 2):
                assert chair.takes(visit) is (visit.cls == 0 or not picks or lane != "child")
    chair.close()
    visit.cls = 0
    assert not chair.takes(visit) and account.of_chair(chair) == [
        "1",
        ("adult",),
        False,
        False,
        None,
        None,
        -1,
        None,
    ]
    chair.serve(())
    assert chair.open and chair.picks == ()


def test_an_alert_escalates_after_a_minute():
    alert = Alert(7, 5000, "help", None)
    assert [alert.level(ms) for ms in (5000, 64_999, 65_000, 10**7)] == [1, 1, 2, 2]
    alert.acknowledged = True
    assert alert.level(10**7) == 0


# Codes, consents, clocks, receipts


def test_a_visit_keeps_no_more_than_eight_purposes():
    day = Day().opened()
    label = day.checkin()
    for purpose in "abcdefgh":
        day.record("consent_given", label=label, purpose=purpose)
    day.record("consent_given", label=label, purpose="i")
    assert day.hub.visits[label].consents == tuple("abcdefgh")
    day.record("consent_given", label=label, purpose="a")
    assert day.hub.visits[label].consents == tuple("abcdefgh")
    day.record("consent_withdrawn", label=label, purpose="a")
    day.record("consent_withdrawn", label=label, purpose="z")
    assert day.hub.visits[label].consents == tuple("bcdefgh")


def test_the_clock_of_eight_boots_is_known():
    day = Day()
    records_of = []
    for boot in range(1, 10):
        day.record("clock_set", utc=1000 * boot, source="laptop")
        day.sleep(2.5)
        records_of.append(day.record("fault", task="ui", error="x"))
        day.outage()
    assert sorted(day.hub.offsets) == [2, 3, 4, 5, 6, 7, 8, 9]
    assert account.utc_of(day.hub, records_of[8]) == 9002
    assert account.utc_of(day.hub, records_of[0]) is None, "the ninth boot back is forgotten"
    day.boot -= 1
    day.sleep(10)
    day.record("clock_set", utc=50, source="laptop")
    assert day.hub.offsets[9] == 50_000 - 10_000


def test_receipts_only_rise_and_only_of_this_journal():
    day = Day()
    for journal, seq, confirmed in ((JOURNAL, 5, 5), (JOURNAL, 3, 5), (b"another1", 9, 5), (JOURNAL, 6, 6)):
        day.record("receipt", journal=journal, seq=seq)
        assert day.hub.confirmed == confirmed


def test_faults_are_counted():
    day = Day()
    for n in (1, 2, 3):
        day.record("fault", task="ui", error="x")
        assert day.hub.faults == n


# The position, the time, the commands


def test_what_is_missing_is_named():
    day = Day()
    for _ in range(6):
        day.record("code_lifted")
    hub = fold(day.raws[:3])
    with pytest.raises(RecordError) as caught:
        hub.apply(JOURNAL, records.decode(day.raws[5]))
    assert str(caught.value) == "records 4 to 5 are missing" and hub.next_seq == 4
    hub.skip(2)
    assert hub.next_seq == 4
    hub.skip(6)
    assert hub.apply(JOURNAL, records.decode(day.raws[5])) is True and hub.next_seq == 7
    assert hub.apply(JOURNAL, records.decode(day.raws[5])) is False and hub.next_seq == 7


def test_queue_time_goes_on_over_boots():
    day = Day()
    day.sleep(10)
    day.record("code_lifted")
    assert [day.hub.now_ms(1, ms) for ms in (0, 10_000, 12_000)] == [10_000, 10_000, 12_000]
    assert day.hub.now_ms(2, 3000) == 13_000 and day.hub.now_ms(0, 3000) == 10_000
    day.outage()
    day.sleep(4)
    day.record("code_lifted")
    assert (day.hub.queue_ms, day.hub.base_ms, day.hub.boot) == (14_000, 10_000, 2)
    assert day.hub.now_ms(2, 5000) == 15_000


def test_commands_are_known_by_their_highest_counter():
    day = Day()
    for counter, seq in ((3, 1), (2, 1), (5, 3), (5, 3)):
        day.record("code_lifted", cmd=["desk", counter])
        assert day.hub.issuer_seq == {"desk": seq}
    assert [day.hub.done("desk", n) for n in (0, 5, 6)] == [True, True, False]
    assert not day.hub.done("other", 0)
    for n in range(8):
        day.record("code_lifted", cmd=[f"i{n}", 0])
    assert list(day.hub.issuers) == [f"i{n}" for n in range(8)] == list(day.hub.issuer_seq)
    day.record("code_lifted", cmd=["i0", 1])
    day.record("code_lifted", cmd=["i8", 1])
    assert list(day.hub.issuers) == ["i2", "i3", "i4", "i5", "i6", "i7", "i0", "i8"], "i1 was silent longest"


# Questions


def test_a_second_more_makes_the_difference():
    day = Day().opened()
    patient = day.checkin("checkup")
    day.sleep(600)
    urgent = day.checkin("toothache")
    for now_ms, first in ((800_999, patient), (801_000, urgent)):
        second = urgent if first == patient else patient
        assert day.hub.pick("1", now_ms).label == first
        assert [visit.label for visit in day.hub.order(now_ms, 9)] == [first, second]
        assert (day.hub.place(first, now_ms), day.hub.place(second, now_ms)) == (1, 2)
    assert day.hub.place("K999", 0) == 0
    emergency = day.checkin("injury")
    assert [day.hub.place(label, 801_000) for label in (emergency, urgent, patient)] == [1, 2, 3]


def test_a_call_is_explained_by_all_that_the_order_knows():
    day = Day().opened()
    label = day.checkin("checkup", lane="child")
    seq = day.hub.visits[label].seq
    day.sleep(90)
    assert day.hub.why(day.hub.visits[label], 90_999) == {
        "need": "non-urgent",
        "source": "self",
        "lane": "child",
        "seq": seq,
        "waited_s": 90,
        "strictly_first": False,
        "rate": 1,
        "priority": 90,
    }
    emergency = day.checkin("injury", by="staff")
    why = day.hub.why(day.hub.visits[emergency], 100_000)
    assert why["strictly_first"] is True
    assert (why["source"], why["rate"], why["waited_s"], why["priority"]) == ("staff", 12, 10, 120)


def test_the_last_call_is_asked_for_by_number():
    day = Day().opened()
    label = day.checkin()
    day.wish("call", chair="1")
    day.wish("served", ticket=label)
    assert day.hub.calls(1) == day.hub.calls(5) == [(label, "1")] == [day.hub.last_call]
    assert day.hub.calls(0) == []


def test_an_act_knows_its_visit_and_its_chair():
    day = Day().opened()
    label = day.checkin()
    day.wish("call", chair="1")
    act = day.hub.undoable()
    assert isinstance(act, Act) and act is day.hub.undoable("1") and day.hub.undoable("2") is None
    assert (act.kind, act.visit.label, act.chair, act.standing()) == ("called", label, "1", True)
    day.wish("seated", ticket=label)
    assert act.standing() is False and day.hub.undoable().kind == "seated"


def test_a_place_counts_those_who_may_be_called_before():
    day = Day().opened()
    adult, child, anywhere, second = (day.checkin(lane=lane) for lane in ("adult", "child", "any", "child"))
    places = [day.hub.place(label, day.now_ms) for label in (adult, child, anywhere, second)]
    assert places == [1, 1, 3, 3]


def test_nothing_of_a_closed_day_is_undone():
    day = Day().opened()
    label = day.checkin("injury")
    day.wish("class", ticket=label, need="sepsis", why="x")
    assert day.hub.undoable()
    day.record("day_closed", day=1, deferred=0)
    assert label in day.hub.visits and day.hub.undoable() is None


def test_the_label_of_who_has_gone_stays_taken_for_the_day():
    day = Day().opened()
    gone = [day.checkin() for _ in range(3)]
    for label in gone:
        day.wish("left", ticket=label)
    later = day.checkin()
    assert all(day.hub.used.has(int(label[1:])) for label in (*gone, later)) and day.hub.used.count == 4


def test_a_chair_is_busy_from_the_first_second_of_the_day():
    day = Day().opened()
    first = day.checkin()
    day.checkin()
    day.wish("call", chair="1")
    day.wish("served", ticket=first)
    day.sleep(50)
    day.wish("call", chair="1")
    assert day.hub.chairs["1"].since == 0
