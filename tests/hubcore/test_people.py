"""Families, codes, promises, pauses, undo, and the person at the desk: from the wish to the fold."""

import pytest
from hubday import JOURNAL, Day, fold
from test_desk import refused
from test_fold import standing

from hubcore import reading, records, table
from hubcore.classes import AMBULANCE, PURPOSES, SAID
from hubcore.desk import MAX_EMERGENCIES, MAX_VISITS
from hubcore.errors import Refused

CODE = b"12345678"
OTHER = b"abcdefgh"


def family(day, size=3, **args):
    body = day.wish("checkin", need="toothache", size=size, code=CODE, **args).body
    return [body["label"], *body["others"]]


def next_day(day, rest="tomorrow"):
    day.wish("day_close", rest=rest)
    day.sleep(600)
    return day.wish("day_open")


# Families


def test_a_family_checks_in_at_once_and_stands_in_its_order():
    day = Day().opened()
    before = day.checkin("broken")
    labels = family(day, 6, lane="child", lang="uk", pictogram="snail")
    after = day.checkin("broken", lane="child")
    assert len(set(labels)) == 6
    first = day.hub.visits[labels[0]]
    for rank, label in enumerate(labels):
        visit = day.hub.visits[label]
        assert (visit.group, visit.code, visit.rank, visit.seq) == (labels[0], CODE, rank, first.seq)
        assert (visit.lane, visit.lang, visit.pictogram, visit.need) == ("child", "uk", "snail", "urgent")
    assert [v.label for v in day.hub.order(day.now_ms, 9)] == [before, *labels, after]
    assert [v.label for v in day.hub.by_code(CODE)] == sorted(labels)
    assert day.hub.by_code(OTHER) == []
    assert day.hub.counts["issued"] == 8 and day.hub.arrived == [0, 8, 0]
    assert day.hub.visits[after].group is None and day.hub.visits[after].code is None


def test_one_of_a_family_leaves_or_all_who_are_still_here():
    day = Day().opened()
    labels = family(day, 4)
    stranger = day.checkin()
    assert day.wish("left", ticket=labels[1]).body == {"label": labels[1]}
    day.wish("call", chair="1")
    assert day.hub.chairs["1"].visit == labels[0]
    before = standing(day.hub)
    body = day.wish("left", ticket=labels[2], family=True, why="bus").body
    assert body == {"label": labels[2], "others": sorted([labels[0], labels[3]]), "why": "bus"}
    assert list(day.hub.visits) == [stranger]
    assert day.hub.chairs["1"].visit is None and day.hub.counts["left"] == 4
    day.wish("undo")
    assert standing(day.hub) == before
    assert "others" not in day.wish("left", ticket=stranger, family=True).body


def test_one_who_returns_to_the_queue_stands_where_the_family_stands():
    day = Day().opened()
    labels = family(day, 3)
    day.wish("call", chair="1")
    day.wish("requeue", ticket=labels[0], why="fetches a coat")
    assert [v.label for v in day.hub.order(day.now_ms, 9)] == labels
    day.wish("transfer", ticket=labels[1], lane="adult")
    day.wish("transfer", ticket=labels[1], lane="any")
    assert [v.label for v in day.hub.order(day.now_ms, 9)] == labels


def test_an_emergency_of_a_family_is_one_alert():
    day = Day().opened()
    body = day.wish("checkin", need="sepsis", size=2).body
    assert [alert.label for alert in day.hub.alerts.values()] == [body["label"]]
    assert day.hub.counts["waiting"] == 2 and body["said"] == "sepsis" and body["need"] == "emergency"


@pytest.mark.parametrize("size", [0, 7, True, "2", 1.0])
def test_a_family_has_one_to_six_members(size):
    day = Day().opened()
    assert refused(day, "checkin", need="broken", size=size) == "bad_argument"


def test_a_family_needs_room_for_all():
    day = Day().opened()
    for _ in range(MAX_VISITS - 2):
        day.checkin("broken")
    assert refused(day, "checkin", need="broken", size=3) == "full"
    family(day, 2)
    assert refused(day, "checkin", need="broken") == "full"
    assert MAX_VISITS == 40 and MAX_EMERGENCIES == 47


# Withdrawal codes


@pytest.mark.parametrize("code", ["12345678", b"1234567", b"123456789", 5, bytearray(8)])
def test_a_code_is_eight_bytes(code):
    assert refused(Day().opened(), "checkin", need="broken", code=code) == "bad_argument"


def test_five_misses_pause_then_three_each_twice_as_long_until_lifted():
    day = Day().opened()
    minutes = []
    for misses in (5, 3, 3, 3, 3):
        for _ in range(misses):
            assert day.hub.code_pause_ms(day.now_ms) == 0
            day.sleep(1)
            day.wish("code_miss")
        minutes.append(day.hub.code_pause_ms(day.now_ms) / 60_000)
        assert refused(day, "code_miss") == "code_paused"
        day.sleep(minutes[-1] * 60 - 1)
        assert day.hub.code_pause_ms(day.now_ms) == 1000
        assert refused(day, "code_miss") == "code_paused"
        day.sleep(1)
    assert minutes == [10, 20, 40, 80, 160] and day.hub.misses == 17
    day.wish("code_lift")
    assert (day.hub.misses, day.hub.code_until_ms) == (0, 0)
    for _ in range(4):
        day.wish("code_miss")
    assert day.hub.code_pause_ms(day.now_ms) == 0
    day.wish("code_miss")
    assert day.hub.code_pause_ms(day.now_ms) == 600_000
    day.wish("code_lift", who="nurse")
    assert day.hub.code_pause_ms(day.now_ms) == 0


def test_a_pause_survives_a_power_cut_and_ends_with_the_day():
    day = Day().opened()
    for _ in range(5):
        day.wish("code_miss")
    day.outage()
    day.record("boot", cause="power", firmware="test")
    assert day.hub.code_pause_ms(day.now_ms) == 600_000
    next_day(day)
    assert (day.hub.code_pause_ms(day.now_ms), day.hub.misses) == (0, 0)


def test_the_longest_pause_does_not_grow_for_ever():
    day = Day().opened()
    for _ in range(5 + 3 * 30):
        day.record("code_missed")
    assert day.hub.code_pause_ms(day.now_ms) == 600_000 << 8


def test_the_odds_of_a_guess_are_below_two_per_cent_a_day():
    """Whoever guesses whenever it is allowed, for ten hours, with as many codes out as there can be."""
    day = Day().opened()
    guesses = 0
    while day.now_ms < 10 * 3_600_000:
        pause = day.hub.code_pause_ms(day.now_ms)
        if pause:
            day.sleep(pause / 1000)
            continue
        day.wish("code_miss")
        guesses += 1
    assert guesses == 20
    assert 1 - (1 - MAX_VISITS / 4**8) ** guesses < 0.02


# Tomorrow first


def test_a_promise_is_redeemed_first_of_its_class():
    day = Day().opened()
    day.wish("full_today")
    body = day.wish("promise", need="checkup", lane="child", lang="fr", pictogram=9, code=CODE).body
    assert body == {
        "label": body["label"],
        "need": "non-urgent",
        "lane": "child",
        "lang": "fr",
        "pictogram": "moon",
        "said": "checkup",
        "code": CODE,
    }
    label = body["label"]
    assert [v.label for v in day.hub.by_code(CODE)] == [label]
    assert (day.hub.counts["deferred"], day.hub.counts["issued"], len(day.hub.waiting)) == (1, 1, 0)
    assert refused(day, "checkin", promise=label) == "promise_tomorrow"
    assert refused(day, "checkin", promise="K999") == "unknown_promise"
    opening = next_day(day)
    assert opening.body["since"] == 1 and day.hub.promises[label].due and not day.hub.full
    day.wish("chair_open", chair="1")
    day.sleep(300)
    others = [day.checkin("checkup", lane="child"), day.checkin("checkup", lane="child")]
    day.wish("full_today")
    body = day.wish("checkin", promise=label.lower()).body
    assert body == {
        "label": label,
        "need": "non-urgent",
        "lane": "child",
        "lang": "fr",
        "pictogram": "moon",
        "code": CODE,
        "by": "self",
        "promise": label,
    }
    assert not day.hub.promises and day.hub.visits[label].arrival_s == 0 and not day.hub.visits[label].due
    assert day.hub.visits[label].code == CODE
    assert [v.label for v in day.hub.order(day.now_ms, 9)] == [label, *others]
    assert refused(day, "checkin", promise=label) == "unknown_promise"


def test_a_redeemed_promise_may_be_told_anew():
    day = Day().opened()
    label = day.checkin("checkup")
    day.wish("defer", ticket=label, why="closing")
    next_day(day)
    day.sleep(60)
    body = day.wish(
        "checkin", promise=label, need="toothache", lang="es", code=OTHER, size=2, by="staff"
    ).body
    assert (body["need"], body["said"], body["lang"], body["by"]) == ("urgent", "toothache", "es", "staff")
    assert (body["code"], body["label"], len(body["others"])) == (OTHER, label, 1)
    assert {visit.arrival_s for visit in day.hub.visits.values()} == {0}


def test_a_promise_is_dropped_after_its_day():
    day = Day().opened()
    label = day.checkin("checkup")
    day.wish("defer", ticket=label)
    assert list(day.hub.promises) == [label] and not day.hub.visits
    first = next_day(day)
    assert first.body["since"] == 1
    assert list(day.hub.promises) == [label]
    second = next_day(day)
    assert "since" not in second.body
    assert not day.hub.promises
    assert fold(day.raws[second.seq - 1 :]).digest() == day.hub.digest()


def test_the_days_opening_says_where_a_fold_must_start():
    day = Day().opened()
    next_day(day)
    day.checkin("checkup", code=CODE)
    second = day.hub.opened_seq
    third = next_day(day)
    assert third.body["since"] == second
    assert fold(day.raws[second - 1 :]).digest() == fold(day.raws).digest() == day.hub.digest()
    assert fold(day.raws[third.seq - 1 :]).digest() != day.hub.digest()
    assert len(fold(day.raws[second - 1 :]).by_code(CODE)) == 1


def test_an_opening_that_names_no_start_takes_no_promise_over():
    day = Day().opened()
    day.checkin("checkup")
    day.wish("day_close")
    day.record("day_opened", day=2, rates=[12, 4, 1], issuers=[], visits=[], alerts=[])
    assert not day.hub.promises


def test_a_family_that_was_deferred_comes_back_together_under_its_labels():
    day = Day().opened()
    labels = family(day, 3)
    stranger = day.checkin("checkup", code=OTHER)
    next_day(day)
    assert sorted(day.hub.promises) == sorted([*labels, stranger])
    body = day.wish("checkin", promise=labels[1]).body
    assert body["label"] == body["promise"] == labels[1]
    assert body["others"] == sorted([labels[0], labels[2]])
    assert list(day.hub.promises) == [stranger]
    assert {visit.group for visit in day.hub.visits.values()} == {labels[1]}
    assert day.hub.by_code(CODE)[0].state == "waiting"


def test_labels_of_promises_are_not_drawn():
    day = Day().opened()
    labels = {day.checkin("checkup") for _ in range(MAX_VISITS - 4)}
    next_day(day)
    assert not labels & {day.checkin("checkup") for _ in range(4)}
    assert refused(day, "checkin", need="checkup") == "full"
    label = min(labels)
    assert day.wish("checkin", promise=label).body["label"] == label, "a promise has its place already"
    day.wish("left", ticket=min(day.hub.promises))
    assert day.checkin("checkup")


def test_promises_are_given_only_while_full_and_never_to_emergencies():
    day = Day()
    assert refused(day, "promise", need="broken") == "day_closed"
    day.opened()
    assert refused(day, "promise", need="broken") == "not_full"
    day.wish("full_today")
    assert refused(day, "promise", need="injury") == "bad_argument"
    label = day.checkin("injury")
    assert refused(day, "defer", ticket=label) == "emergency_waiting"
    for _ in range(MAX_VISITS - 1):
        day.wish("promise", need="broken")
    assert refused(day, "promise", need="broken") == "full"


def test_who_was_promised_tomorrow_may_give_it_up_and_take_consents_back():
    day = Day().opened()
    labels = family(day, 2)
    day.wish("consent_give", ticket=labels[0], purpose="study")
    for label in labels:
        day.wish("defer", ticket=label)
    assert day.hub.promises[labels[0]].consents == ("study",)
    assert refused(day, "seated", ticket=labels[0]) == "unknown_ticket"
    day.wish("consent_withdraw", ticket=labels[0], purpose="study")
    assert day.hub.promises[labels[0]].consents == ()
    next_day(day)
    before = standing(day.hub)
    day.wish("left", ticket=labels[0], family=True)
    assert not day.hub.promises and day.hub.counts["left"] == 0, "counted on its own day"
    day.wish("undo")
    assert standing(day.hub) == before and day.hub.promises[labels[0]].due


def test_a_day_closes_with_everybody_settled_as_staff_say():
    for rest, promised, count in (("tomorrow", 2, "deferred"), ("left", 0, "left")):
        day = Day().opened()
        family(day, 2)
        body = day.wish("day_close", rest=rest).body
        assert body == {"day": 1, "deferred": 2, "rest": rest}
        assert (len(day.hub.promises), day.hub.counts[count], len(day.hub.visits)) == (promised, 2, 0)
        assert refused(day, "undo") == "nothing_to_undo"
    assert refused(Day().opened(), "day_close", rest="forget") == "bad_argument"


def test_older_records_without_the_new_fields_mean_what_they_meant():
    day = Day().opened()
    label, other = day.checkin(), day.checkin()
    day.record("deferred", label=label)
    assert not day.hub.promises and day.hub.counts["deferred"] == 1
    day.record("day_closed", day=1, deferred=1)
    assert not day.hub.promises and day.hub.counts["deferred"] == 2 and other not in day.hub.visits


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (
            "8606183c021a000111701a713fb300a8006"
            "34b343701010263616e790362686904010500066662726f6b656e0f82646465736b07",
            {
                "label": "K47",
                "need": "urgent",
                "lane": "any",
                "lang": "hi",
                "pictogram": "fish",
                "by": "self",
                "said": "broken",
                "cmd": ["desk", 7],
            },
        ),
        ("8614183c021a000111701a713fb300a30007016132026178", {"undone": 7, "chair": "2", "why": "x"}),
        (
            "8602183c021a000111701a713fb300a5000201830c0401028182646465736b07"
            "038188634b3437050063616e796268690700183c04818405183c00634b3437",
            {
                "day": 2,
                "rates": [12, 4, 1],
                "issuers": [["desk", 7]],
                "visits": [["K47", 5, "emergency", "any", "hi", "cup", "self", 60]],
                "alerts": [[5, 60, "emergency", "K47"]],
            },
        ),
    ],
)
def test_records_of_the_version_before_are_read(raw, body):
    for read in (records.decode, reading.replay):
        record = read(bytes.fromhex(raw))
        assert (record.body, record.seq, record.boot, record.uptime_ms) == (body, 60, 2, 70_000)
        assert record.clock_s == 1_900_000_000


# Acts of staff


def test_the_person_at_the_desk_is_in_the_record():
    day = Day()
    assert day.wish("day_open", who="dr-okoye").body["who"] == "dr-okoye"
    assert refused(day, "chair_open", chair="1", who="two words") == "bad_argument"
    assert refused(day, "chair_open", chair="1", who="x" * 25) == "bad_argument"
    body = day.wish("chair_open", ("desk", 3), chair="1", who="x" * 24).body
    assert (body["who"], body["cmd"]) == ("x" * 24, ["desk", 3])
    assert "who" not in day.wish("full_today").body


def test_a_paused_chair_calls_nobody_but_serves_whom_it_has():
    day = Day().opened(("1", "2"))
    label, _ = day.checkin(), day.checkin()
    day.wish("call", chair="1")
    day.wish("pause", chair="1")
    assert day.hub.chairs["1"].paused and not day.hub.chairs["2"].paused
    day.wish("served", ticket=label)
    assert refused(day, "call", chair="1") == "chair_paused"
    assert refused(day, "pause", chair="9") == "chair_closed"
    day.wish("pause", chair="1", paused=False)
    assert day.wish("call", chair="1")
    day.wish("pause", chair="2")
    day.wish("chair_open", chair="2")
    assert not day.hub.chairs["2"].paused, "opening it ends the pause"


def test_class_transfer_and_requeue_keep_the_whole_wait():
    day = Day().opened()
    label = day.checkin("checkup")
    day.sleep(100)
    assert refused(day, "class", ticket=label, need="toothache") == "bad_argument"
    assert refused(day, "class", ticket=label, need="toothache", why="\n") == "bad_argument"
    assert refused(day, "class", ticket=label, need="rich", why="x") == "bad_argument"
    body = day.wish("class", ticket=label, need="swelling", why="cannot swallow").body
    assert body == {"label": label, "need": "urgent", "why": "cannot swallow"}
    why = day.hub.why(day.hub.visits[label], day.now_ms)
    assert (why["waited_s"], why["rate"], why["priority"], why["source"]) == (100, 4, 400, "staff")
    assert refused(day, "transfer", ticket=label, lane="any") == "no_change"
    assert refused(day, "transfer", ticket=label) == "bad_argument"
    assert day.wish("transfer", ticket=label, lane="adult", why="tall").body["why"] == "tall"
    assert refused(day, "requeue", ticket=label) == "wrong_state"
    day.wish("call", chair="1")
    day.wish("transfer", ticket=label, lane="adult")
    assert day.hub.visits[label].state == "waiting"
    day.wish("call", chair="1")
    day.wish("seated", ticket=label)
    day.wish("requeue", ticket=label)
    why = day.hub.why(day.hub.visits[label], day.now_ms)
    assert (why["waited_s"], why["priority"], why["lane"]) == (100, 400, "adult")


ACTS = [
    ("left", {}),
    ("left", {"family": True}),
    ("defer", {}),
    ("transfer", {"lane": "child"}),
    ("class", {"need": "checkup", "why": "x"}),
    ("class", {"need": "injury", "why": "x"}),
    ("requeue", {}),
    ("recall", {}),
    ("seated", {}),
    ("no_show", {}),
    ("served", {}),
]


@pytest.mark.parametrize(("name", "args"), ACTS, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("called", [False, True])
def test_every_act_is_undone_exactly(name, args, called):
    if not called and name in ("requeue", "recall", "seated", "no_show", "served"):
        return
    day = Day().opened(("1", "2"))
    labels = family(day, 3, lane="adult")
    day.checkin("broken", lane="child")
    day.wish("consent_give", ticket=labels[0], purpose="study")
    for chair in ("1", "2") if called else ("2",):
        day.wish("call", chair=chair)
        day.sleep(50)
    if not called:
        day.wish("requeue", ticket=labels[0])
    if called:
        day.wish("recall", ticket=labels[0])
    before = standing(day.hub)
    act = day.wish(name, ticket=labels[0], who="nurse", **args)
    assert standing(day.hub) != before
    day.sleep(30)
    body = day.wish("undo").body
    assert standing(day.hub) == before
    assert body["undone"] == act.seq
    assert ("chair" in body) == ((called and name != "class") or (args.get("family") is True and called))
    assert fold(day.raws).digest() == day.hub.digest()
    with pytest.raises(Refused):
        assert day.wish("undo").body["undone"] != act.seq
        raise Refused("nothing_to_undo")


def test_undo_of_a_class_lets_the_call_before_it_be_undone():
    day = Day().opened()
    label = day.checkin("checkup")
    call = day.wish("call", chair="1").seq
    change = day.wish("class", ticket=label, need="broken", why="x").seq
    assert (day.hub.undoable().seq, day.hub.undoable("1")) == (change, None)
    assert day.hub.undoable().visit.label == label and day.hub.undoable().chair is None
    day.wish("undo")
    assert day.hub.visits[label].source == "self"
    assert (day.hub.undoable().seq, day.hub.undoable().chair, day.hub.undoable().kind) == (
        call,
        "1",
        "called",
    )


def test_undo_of_a_change_to_emergency_takes_its_alert_back():
    day = Day().opened()
    label = day.checkin("checkup")
    day.wish("alert_raise", why="help")
    day.wish("class", ticket=label, need="emergency", why="wrong row")
    alert = day.hub.alerts[max(day.hub.alerts)]
    assert alert.level(day.now_ms) == 1
    day.wish("undo")
    assert [a.why for a in day.hub.alerts.values()] == ["help"] and alert.level(day.now_ms) == 0


def test_a_family_that_left_two_chairs_is_put_back_only_while_both_are_free():
    day = Day().opened(("1", "2"))
    labels = family(day, 2)
    day.wish("call", chair="1")
    day.wish("call", chair="2")
    day.wish("left", ticket=labels[0], family=True)
    assert day.hub.undoable("1") is day.hub.undoable("2") is day.hub.undoable()
    day.checkin()
    day.wish("call", chair="2")
    assert day.hub.undoable("1") is None
    day.wish("undo", chair="2")
    assert refused(day, "undo", chair="1") == "nothing_to_undo"


def test_calls_are_those_who_have_yet_to_come_newest_first():
    day = Day().opened(("1", "2", "3"))
    assert day.hub.calls(3) == []
    labels = [day.checkin() for _ in range(3)]
    for chair in ("1", "2", "3"):
        day.wish("call", chair=chair)
    assert day.hub.calls(3) == [(labels[2], "3"), (labels[1], "2"), (labels[0], "1")]
    assert day.hub.calls(2) == [(labels[2], "3"), (labels[1], "2")]
    day.wish("recall", ticket=labels[0])
    assert day.hub.visits[labels[0]].recalls == 1
    assert day.hub.calls(1) == [(labels[0], "1")]
    day.wish("seated", ticket=labels[0])
    assert day.hub.calls(9) == [(labels[2], "3"), (labels[1], "2")]
    for label in labels[1:]:
        day.wish("no_show", ticket=label)
    assert day.hub.calls(9) == [(labels[0], "1")] == [day.hub.last_call]
    assert day.hub.calls(0) == []


def test_what_a_visitor_says_counts_as_its_class():
    """By SDCEP, Management of Acute Dental Problems."""
    classes = [{said for said, cls in SAID.items() if cls == n} for n in range(3)]
    assert classes[0] == {"breathing", "swelling_face", "bleeding_heavy", "injury", "sepsis"}
    assert classes[1] == {"toothache", "swelling", "bleeding", "broken", "denture"}
    assert classes[2] == {"checkup"} and len(SAID) == 11


def test_what_is_said_and_asked():
    assert set(AMBULANCE) == {"breathing", "sepsis", "injury"} and {SAID[name] for name in AMBULANCE} == {0}
    assert SAID["denture"] == 1 and PURPOSES == ("teaching", "study")
    assert (
        records.urgent("code_missed", {})
        and records.urgent("deferred", {})
        and records.urgent("requeued", {})
    )
    assert records.urgent("code_lifted", {}) and not records.urgent("promised", {})


def test_staff_events_change_nothing_but_the_position():
    day = Day().opened()
    before = standing(day.hub)
    for kind in ("staff_set", "staff_removed", "staff_signed_in", "staff_signed_out"):
        day.record(kind, staff="nurse", who="dr-x", cmd=["desk", 9])
    assert standing(day.hub) == before and day.hub.done("desk", 9)


@pytest.mark.parametrize("kind", ["checkin", "left", "promised", "alert_raised", "fault", "corrected"])
def test_the_longest_record_of_a_kind_fits(kind):
    longest = {
        "label": "K999",
        "need": "urgent",
        "lane": "l" * 7,
        "lang": "l" * 8,
        "pictogram": "train",
        "by": "staff",
        "said": "s" * 24,
        "code": bytes(8),
        "others": ["K999"] * 5,
        "promise": "K999",
        "who": "w" * 24,
        "cmd": ["i" * 16, 2**32 - 1],
        "why": "y" * 60,
        "note": "n" * 60,
        "task": "t" * 24,
        "error": "e" * 160,
        "undone": records.MAX_SEQ,
        "chair": "c" * 12,
    }
    if kind == "alert_raised":
        longest["why"] = "emergency"
    row = next(line for line in table.LINES.split("\n") if f" {kind}:" in line).split(":")[1]
    names = [part.split("=")[0].split(".")[-1].rstrip("?") for part in row.split()]
    if kind != "fault":
        names += ["who", "cmd"]
    code, body = records.build(kind, {name: longest[name] for name in names})
    worst = (records.MAX_SEQ, records.MAX_SEQ, records.MAX_MS, 0xFFFFFFFFF)
    assert len(records.encode(code, *worst, body)) <= 300 < records.MAX_RECORD


def test_another_journals_promise_is_not_ours():
    day = Day().opened()
    day.checkin("checkup")
    next_day(day)
    hub = fold(day.raws, b"another1")
    assert hub.digest() != day.hub.digest() and hub.journal_id != JOURNAL
