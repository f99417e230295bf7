"""The desk's edges: what is just allowed, what is just not, and what a refusal says it is about."""

import pytest
from hubday import Day

from hubcore import desk
from hubcore.errors import Refused
from hubcore.visits import MAX_CHAIRS


def why_not(day, name, cmd=None, **args):
    """(reason, about) of a refusal, which changes nothing."""
    before = day.hub.digest()
    with pytest.raises(Refused) as caught:
        day.wish(name, cmd, **args)
    assert day.hub.digest() == before
    return caught.value.reason, caught.value.about


def decided(day, name, letter="K", **args):
    """(kind, fields) that a wish would become."""
    return desk.decide(day.hub, name, args, day.now_ms, bytes, None, letter)


BROKEN = {"need": "broken"}


@pytest.mark.parametrize(
    ("name", "args", "about"),
    [
        ("checkin", {}, "need"),
        ("checkin", {"need": ""}, "need"),
        ("checkin", {"need": True}, "need"),
        ("checkin", {"need": 3}, "need"),
        ("checkin", {"need": "credit"}, "need"),
        ("checkin", {"need": "bro ken"}, "need"),
        ("checkin", BROKEN | {"lane": "vip"}, "lane"),
        ("checkin", BROKEN | {"lane": ""}, "lane"),
        ("checkin", BROKEN | {"lane": "children"}, "lane"),
        ("checkin", BROKEN | {"pictogram": "smile"}, "pictogram"),
        ("checkin", BROKEN | {"pictogram": 32}, "pictogram"),
        ("checkin", BROKEN | {"pictogram": -1}, "pictogram"),
        ("checkin", BROKEN | {"lang": "x"}, "lang"),
        ("checkin", BROKEN | {"lang": "x" * 9}, "lang"),
        ("checkin", BROKEN | {"size": 0}, "size"),
        ("checkin", BROKEN | {"size": 7}, "size"),
        ("checkin", BROKEN | {"code": bytes(7)}, "code"),
        ("checkin", BROKEN | {"who": "x" * 25}, "who"),
        ("checkin", BROKEN | {"who": "\x7f"}, "who"),
        ("checkin", {"promise": ""}, "promise"),
        ("chair_open", {}, "chair"),
        ("chair_open", {"chair": "one two"}, "chair"),
        ("chair_open", {"chair": "x" * 13}, "chair"),
        ("chair_open", {"chair": "2", "lanes": "adult"}, "lanes"),
        ("chair_open", {"chair": "2", "lanes": ["adult", "vip"]}, "lanes"),
        ("pause", {}, "chair"),
        ("call", {"chair": False}, "chair"),
        ("seated", {}, "ticket"),
        ("left", {"ticket": "K 10"}, "ticket"),
        ("undo", {"chair": "x" * 13}, "chair"),
        ("undo", {"chair": ""}, "chair"),
        ("day_close", {"rest": "forget"}, "rest"),
        ("day_close", {"rest": 0}, "rest"),
    ],
)
def test_a_bad_argument_is_named(name, args, about):
    assert why_not(Day().opened(), name, **args) == ("bad_argument", about)


def test_a_bad_argument_about_a_ticket_is_named():
    day = Day().opened()
    label = day.checkin("checkup")
    for name, args, about in (
        ("transfer", {}, "lane"),
        ("transfer", {"lane": "vip"}, "lane"),
        ("class", {"why": "x"}, "need"),
        ("class", {"need": "rich", "why": "x"}, "need"),
        ("class", {"need": "broken"}, "why"),
        ("class", {"need": "broken", "why": " \n "}, "why"),
        ("class", {"need": "broken", "why": 5}, "why"),
        ("consent_give", {}, "purpose"),
        ("consent_give", {"purpose": "photo"}, "purpose"),
        ("consent_withdraw", {"purpose": "x" * 17}, "purpose"),
    ):
        assert why_not(day, name, ticket=label, **args) == ("bad_argument", about), (name, args)


def test_what_is_just_allowed():
    day = Day().opened()
    for args in (
        {"lang": "xx"},
        {"lang": "x" * 8},
        {"pictogram": 0},
        {"pictogram": 31},
        {"size": 6},
        {"size": 1},
    ):
        fields = decided(day, "checkin", **BROKEN, **args)[1]
        assert len(fields.get("others", [])) == args.get("size", 1) - 1
        assert fields["lang"] == args.get("lang", "en")
    assert decided(day, "checkin", **BROKEN, pictogram=0)[1]["pictogram"] == "sun"
    assert decided(day, "checkin", **BROKEN, pictogram=31)[1]["pictogram"] == "train"
    assert decided(day, "chair_open", chair="!" + "z" * 11)[1] == {"chair": "!" + "z" * 11, "lanes": []}
    assert decided(day, "chair_open", chair=7)[1]["chair"] == "7", "a number is a name, too"
    lanes = ("child", "adult", "child")
    assert decided(day, "chair_open", chair="2", lanes=lanes)[1]["lanes"] == ["adult", "child"]
    assert decided(day, "full_today", who="x")[1] == {"full": True, "who": "x"}
    assert decided(day, "full_today", full=False)[1] == {"full": False}
    assert decided(day, "full_today", full=0)[1] == {"full": True}, "nothing but false is false"
    assert decided(day, "pause", chair="1")[1] == {"chair": "1", "paused": True}
    label = day.checkin()
    for purpose in ("x", "x" * 16):
        assert decided(day, "consent_withdraw", ticket=label, purpose=purpose)[1]["purpose"] == purpose


def test_a_checkin_without_more_said_is_the_plainest():
    day = Day().opened()
    assert decided(day, "checkin", "C", **BROKEN) == (
        "checkin",
        {
            "label": "C10",
            "need": "urgent",
            "said": "broken",
            "lane": "any",
            "lang": "en",
            "pictogram": "sun",
            "by": "self",
        },
    )
    fields = decided(day, "checkin", need="non-urgent", by="staff", lane="child")[1]
    assert "said" not in fields and (fields["need"], fields["by"], fields["lane"]) == (
        "non-urgent",
        "staff",
        "child",
    )
    assert decided(day, "checkin", need="non-urgent", by="doctor")[1]["by"] == "self"


def test_what_does_not_stand_in_the_books_is_named():
    day = Day().opened()
    label = day.checkin()
    assert why_not(day, "fly") == ("unknown_command", "")
    assert why_not(day, "seated", ticket="k99999999999999999") == ("unknown_ticket", "K999999999999999")
    assert why_not(day, "consent_give", ticket="K9", purpose="study") == ("unknown_ticket", "K9")
    assert why_not(day, "checkin", promise="k9" * 9) == ("unknown_promise", "K9" * 8)
    assert why_not(day, "seated", ticket=label.lower()) == ("wrong_state", label + " is waiting, not called")
    assert why_not(day, "served", ticket=label) == (
        "wrong_state",
        label + " is waiting, not called or seated",
    )
    assert why_not(day, "requeue", ticket=label)[1] == label + " is waiting, not called or seated"
    assert why_not(day, "transfer", ticket=label, lane="any") == ("no_change", label)
    assert why_not(day, "call", chair="9") == why_not(day, "pause", chair="9") == ("chair_closed", "9")
    assert why_not(day, "alert_ack") == ("alert_unknown", "")
    assert why_not(day, "alert_ack", alert="x" * 20) == ("alert_unknown", "x" * 16)
    assert why_not(day, "alert_ack", alert=2) == ("alert_unknown", "2")
    assert why_not(day, "alert_raise", why="help", ticket="K9") == ("unknown_ticket", "K9")


def test_a_chair_that_cannot_is_named():
    day = Day().opened(("1", "2"))
    assert why_not(day, "call", chair="1") == ("nobody_waits", "1")
    label = day.checkin()
    day.wish("call", chair="1")
    assert why_not(day, "call", chair="1") == why_not(day, "chair_close", chair="1") == ("chair_busy", "1")
    assert why_not(day, "day_close") == ("chair_busy", "1")
    day.wish("pause", chair="2")
    assert why_not(day, "call", chair="2") == ("chair_paused", "2")
    assert why_not(day, "undo", chair="2") == ("nothing_to_undo", " at chair 2")
    day.wish("undo", chair="1")
    assert why_not(day, "undo") == ("nothing_to_undo", "")
    day.wish("chair_close", chair="1")
    assert why_not(day, "call", chair="1") == ("chair_closed", "1")
    assert decided(day, "transfer", ticket=label, lane="child") == (
        "transferred",
        {"label": label, "lane": "child"},
    )


def test_who_must_not_be_left_behind_is_named():
    day = Day().opened()
    label = day.checkin("injury")
    assert why_not(day, "day_close") == ("emergency_waiting", label)
    assert why_not(day, "defer", ticket=label) == ("emergency_waiting", label)
    day.wish("full_today")
    assert why_not(day, "promise", need="injury") == ("bad_argument", "need")
    promised = day.wish("promise", need="broken").body["label"]
    assert why_not(day, "checkin", promise=promised) == ("promise_tomorrow", promised)
    assert why_not(day, "checkin", need="broken") == ("full", "")


def test_only_in_an_open_day():
    day = Day()
    for name, args in (
        ("checkin", BROKEN),
        ("promise", BROKEN),
        ("day_close", {}),
        ("full_today", {}),
        ("chair_open", {"chair": "1"}),
        ("call", {"chair": "1"}),
        ("defer", {"ticket": "K10"}),
    ):
        assert why_not(day, name, **args) == ("day_closed", ""), name
    assert why_not(day, "undo") == ("nothing_to_undo", "")
    day.opened()
    assert why_not(day, "day_open") == ("day_is_open", "")
    assert why_not(day, "promise", need="broken") == ("not_full", "")


def test_so_many_chairs_and_no_more():
    day = Day().opened([f"c{n}" for n in range(MAX_CHAIRS)])
    assert MAX_CHAIRS == len(day.hub.chairs) == 16
    assert why_not(day, "chair_open", chair="c16") == ("too_many_chairs", "")
    assert day.wish("chair_open", chair="c15", lanes=["child"]).body["lanes"] == ["child"]
    day.record("chair_opened", chair="c16", lanes=[])
    assert len(day.hub.chairs) == 16, "nor from a journal that somebody else wrote"


def test_the_last_label_and_none_after_it():
    day = Day().opened()
    for n in range(10, 998):
        day.hub.used.add(n)
    assert decided(day, "checkin", **BROKEN, size=2)[1]["others"] == ["K999"]
    assert desk_refuses(day, size=3) == "no_labels"
    day.hub.used.add(999)
    assert decided(day, "checkin", **BROKEN)[1]["label"] == "K998"
    assert desk_refuses(day, size=2) == "no_labels"


def desk_refuses(day, **args):
    with pytest.raises(Refused) as caught:
        decided(day, "checkin", **BROKEN, **args)
    return caught.value.reason


def test_the_last_place_is_for_one_not_for_two():
    day = Day().opened()
    day.wish("full_today")
    for _ in range(desk.MAX_VISITS - 2):
        day.wish("promise", need="broken")
    day.wish("full_today", full=False)
    day.checkin("broken")
    assert why_not(day, "checkin", need="broken", size=2) == ("full", "")
    day.checkin("broken")
    day.wish("full_today")
    assert why_not(day, "promise", need="broken") == ("full", "")
    assert len(day.wish("checkin", need="injury", size=6).body["others"]) == 5
    assert why_not(day, "checkin", need="injury", size=2) == ("full", "")
    assert "others" not in day.wish("checkin", need="injury").body


def test_a_new_day_takes_over_what_must_not_be_forgotten():
    day = Day().opened()
    day.sleep(100)
    label = day.checkin("injury", lane="child", lang="uk", pictogram="cup", by="staff")
    seq = day.hub.visits[label].seq
    day.sleep(20)
    day.wish("alert_raise", ("desk", 7), why="device")
    day.record("day_closed", day=1, deferred=0, rest="tomorrow")
    day.sleep(10.9)
    kind, fields = decided(day, "day_open")
    assert kind == "day_opened"
    assert fields == {
        "day": 2,
        "rates": [12, 4, 1],
        "issuers": [["desk", 7]],
        "visits": [[label, seq, "emergency", "child", "uk", "cup", "staff", 30]],
        "alerts": [[seq, 30, "emergency", label], [seq + 1, 10, "device", None]],
    }


def test_four_emergencies_and_four_alerts_are_taken_over_not_five():
    day = Day()
    for _ in range(4):
        day.checkin("injury")
    assert len(decided(day, "day_open")[1]["visits"]) == 4
    day.wish("alert_raise", why="help")
    assert why_not(day, "day_open") == ("alerts_standing", "")
    day.wish("alert_ack")
    assert len(decided(day, "day_open")[1]["alerts"]) == 4
    day.checkin("injury")
    assert why_not(day, "day_open") == ("emergencies_waiting", "")


def test_alerts_and_their_reasons():
    day = Day().opened()
    for why, fields in (
        ("device", {"why": "device"}),
        ("other", {"why": "other"}),
        ("smoke\x1b", {"why": "other", "note": "smoke "}),
        ("n" * 70, {"why": "other", "note": "n" * 60}),
        ("", {"why": "other"}),
        (None, {"why": "other"}),
        (5, {"why": "other"}),
    ):
        assert decided(day, "alert_raise", why=why)[1] == fields
    first, second, third = (day.wish("alert_raise", why="help").seq for _ in range(3))
    assert decided(day, "alert_ack") == ("alert_acknowledged", {"alert": first})
    assert decided(day, "alert_ack", alert=third)[1] == {"alert": third}
    day.wish("alert_ack", alert=second)
    assert sorted(day.hub.alerts) == [first, third]
    for _ in range(13):
        day.wish("alert_raise", why="help")
    assert decided(day, "alert_raise", why="help")
    day.wish("alert_raise", why="device")
    assert why_not(day, "alert_raise", why="help") == ("help_called", "")


def test_a_refused_command_is_noted_under_its_name():
    refused = Refused("chair_busy", "2")
    note = {"reason": "chair_busy", "cmd": ["desk", 3]}
    assert desk.refusal("call", refused, ("desk", 3)) == ("command_done", {"command": "call", **note})
    assert desk.refusal("", refused, ("desk", 3))[1]["command"] == "?"
    assert desk.refusal("c" * 20, refused, ("desk", 3))[1]["command"] == "c" * 16


def test_a_wish_has_its_command_and_its_person_only_if_it_came_with_them():
    day = Day().opened()
    args = {"full": True, "who": "w" * 24}
    assert desk.decide(day.hub, "full_today", args, 0, bytes, ("desk", 5))[1] == {
        **args,
        "cmd": ["desk", 5],
    }
    assert decided(day, "full_today", who=None)[1] == {"full": True}
    label = day.checkin()
    day.wish("call", chair="1")
    assert decided(day, "requeue", ticket=label, why=" coat ") == (
        "requeued",
        {"label": label, "why": " coat "},
    )
    assert decided(day, "recall", ticket=label, why="coat") == ("recalled", {"label": label})
    undone = day.hub.undoable().seq
    assert decided(day, "undo") == ("corrected", {"undone": undone, "chair": "1", "why": "made by mistake"})
    assert decided(day, "undo", chair="1", why="oops")[1] == {"undone": undone, "chair": "1", "why": "oops"}


def test_no_more_of_a_family_than_a_record_holds_leave_at_once():
    day = Day().opened()
    body = day.wish("checkin", need="broken", size=6).body
    day.wish("checkin", need="broken", size=2)
    day.checkin("broken")
    fields = decided(day, "left", ticket=body["label"], family=True)[1]
    assert fields == {"label": body["label"], "others": sorted(body["others"])}
    for anything in ("yes", 1, False):
        assert decided(day, "left", ticket=body["label"], family=anything)[1] == {"label": body["label"]}
