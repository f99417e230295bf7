"""The desk: what is refused and why, in words."""

import pytest
from hubday import Day

from hubcore import desk, records
from hubcore.errors import Refused
from smilehub.link.reasons import words


def refused(day, name, **args):
    with pytest.raises(Refused) as caught:
        day.wish(name, **args)
    sentence, hint = words(caught.value.reason, caught.value.about, "")
    assert sentence.endswith(".") and "%" not in sentence and "  " not in sentence and hint
    assert caught.value.about in sentence
    kind, fields = desk.refusal(name, caught.value, ("desk", 1))
    assert records.build(kind, fields)
    return caught.value.reason


def test_reasons_in_a_closed_hub():
    day = Day()
    assert refused(day, "checkin", need="toothache") == "day_closed"
    assert refused(day, "day_close") == "day_closed"
    assert refused(day, "chair_open", chair="1") == "day_closed"
    assert refused(day, "call", chair="1") == "day_closed"
    assert refused(day, "undo") == "nothing_to_undo"
    assert refused(day, "alert_ack") == "alert_unknown"
    assert refused(day, "fly") == "unknown_command"
    assert day.checkin("breathing") in day.hub.visits, "an emergency is always taken"


def test_reasons_in_an_open_hub():
    day = Day().opened()
    assert refused(day, "day_open") == "day_is_open"
    assert refused(day, "call", chair="1") == "nobody_waits"
    assert refused(day, "call", chair="9") == "chair_closed"
    assert refused(day, "seated", ticket="K10") == "unknown_ticket"
    label = day.checkin()
    assert refused(day, "seated", ticket=label) == "wrong_state"
    day.wish("call", chair="1")
    assert refused(day, "call", chair="1") == "chair_busy"
    assert refused(day, "chair_close", chair="1") == "chair_busy"
    assert refused(day, "day_close") == "chair_busy"
    day.wish("seated", ticket=label.lower())
    assert refused(day, "no_show", ticket=label) == "wrong_state"
    day.wish("served", ticket=label)
    day.wish("chair_close", chair="1")
    assert refused(day, "call", chair="1") == "chair_closed"


def test_full_today_takes_emergencies_only():
    day = Day().opened()
    day.wish("full_today")
    assert refused(day, "checkin", need="broken") == "full"
    assert day.hub.visits[day.checkin("injury")].need == "emergency"
    day.wish("full_today", full=False)
    assert day.checkin("broken")


def test_no_more_visits_at_a_time_than_the_memory_holds():
    day = Day().opened()
    labels = [day.checkin("broken") for _ in range(desk.MAX_VISITS)]
    assert refused(day, "checkin", need="broken") == "full"
    for _ in range(desk.MAX_EMERGENCIES - desk.MAX_VISITS):
        day.checkin("injury")
    assert refused(day, "checkin", need="injury") == "full"
    day.wish("left", ticket=labels[0])
    assert day.checkin("injury")


def test_the_day_is_not_closed_on_an_emergency():
    day = Day().opened()
    label = day.checkin("injury")
    assert refused(day, "day_close") == "emergency_waiting"
    day.wish("left", ticket=label, why="ambulance")
    day.checkin("checkup")
    assert day.wish("day_close").body == {"day": 1, "deferred": 1, "rest": "tomorrow"}


def test_only_so_many_emergencies_can_be_taken_into_a_new_day():
    day = Day()
    labels = [day.checkin("injury") for _ in range(records.MAX_CARRIED + 1)]
    assert refused(day, "day_open") == "emergencies_waiting"
    day.wish("left", ticket=labels[0])
    assert refused(day, "day_open") == "alerts_standing"
    day.wish("alert_ack")
    day.wish("day_open")
    assert sorted(day.hub.visits) == sorted(labels[1:])


def test_help_is_called_no_more_than_is_useful_but_emergencies_always():
    day = Day()
    for _ in range(16):
        day.wish("alert_raise", why="help")
    assert refused(day, "alert_raise", why="help") == "help_called"
    day.wish("alert_raise", why="emergency")
    day.checkin("breathing")
    assert len(day.hub.alerts) == 18


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("checkin", {}),
        ("checkin", {"need": "credit"}),
        ("checkin", {"need": "broken", "lane": "vip"}),
        ("checkin", {"need": "broken", "pictogram": "smile"}),
        ("checkin", {"need": "broken", "pictogram": 32}),
        ("checkin", {"need": "broken", "lang": "x" * 9}),
        ("checkin", {"need": ["broken"]}),
        ("chair_open", {"chair": "one two"}),
        ("chair_open", {"chair": "1", "lanes": ["vip"]}),
        ("chair_open", {"chair": "1", "lanes": 5}),
        ("chair_open", {"chair": "1", "lanes": [["any"]]}),
        ("chair_open", {"chair": "x" * 13}),
        ("seated", {}),
        ("seated", {"ticket": "\x1b[2J"}),
        ("consent_give", {"ticket": "K10", "purpose": ""}),
    ],
)
def test_bad_arguments(name, args):
    day = Day().opened()
    assert refused(day, name, **args) in ("bad_argument", "unknown_ticket")


def test_alerts_say_why():
    day = Day().opened()
    label = day.checkin()
    body = day.wish("alert_raise", why="a visitor\nfell", ticket=label).body
    assert body == {"why": "other", "note": "a visitor fell", "label": label}
    assert day.wish("alert_raise", why="help").body == {"why": "help"}
    second = max(day.hub.alerts)
    day.wish("alert_ack", alert=second)
    assert list(day.hub.alerts) == [min(day.hub.alerts)]
    assert refused(day, "alert_ack", alert="all") == "alert_unknown"


def test_consent_is_given_and_withdrawn():
    day = Day().opened()
    label = day.checkin()
    for purpose in ("teaching", "study", "study"):
        day.wish("consent_give", ticket=label, purpose=purpose)
    assert day.hub.visits[label].consents == ("study", "teaching")
    day.wish("consent_withdraw", ticket=label, purpose="study")
    assert day.hub.visits[label].consents == ("teaching",)
    assert refused(day, "consent_give", ticket=label, purpose="photo") == "bad_argument"
    day.wish("consent_withdraw", ticket=label, purpose="photo")
    assert day.hub.visits[label].consents == ("teaching",), "of a version that knew another one"


def test_an_any_lane_visitor_comes_to_every_chair_and_others_to_their_own():
    day = Day().opened(())
    day.wish("chair_open", chair="A", lanes=["adult"])
    day.wish("chair_open", chair="C", lanes=["child"])
    day.wish("chair_open", chair="B")
    child = day.checkin("broken", lane="child")
    day.sleep(10)
    anywhere = day.checkin("broken")
    emergency = day.checkin("injury", lane="child")
    assert day.wish("call", chair="A").body["label"] == emergency, "every chair takes an emergency"
    assert day.hub.pick("C", day.now_ms).label == child == day.hub.pick("B", day.now_ms).label
    day.wish("left", ticket=emergency)
    assert day.wish("call", chair="A").body["label"] == anywhere
    assert (day.hub.place(child, day.now_ms), day.hub.place(anywhere, day.now_ms)) == (1, 0)


def test_what_may_use_the_reserved_space():
    assert (
        records.urgent("called", {})
        and records.urgent("alert_raised", {})
        and records.urgent("consent_withdrawn", {})
    )
    assert records.urgent("checkin", {"need": "emergency"}) and not records.urgent(
        "checkin", {"need": "urgent"}
    )


def test_every_wish_carries_its_command():
    day = Day()
    assert day.wish("day_open", ("desk", 1)).body["cmd"] == ["desk", 1]
    assert day.wish("chair_open", ("desk", 2), chair=1).body["cmd"] == ["desk", 2]
    assert day.hub.done("desk", 2)
