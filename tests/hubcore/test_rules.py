"""Places that promises hold, names that can be shown, consents after care, and arguments of any kind."""

import pytest
from hubday import Day, fold
from hypothesis import given, settings
from hypothesis import strategies as st
from test_people import CODE, family, next_day
from test_refusals import why_not

from hubcore import desk, desk_seldom, records
from hubcore.errors import Refused
from hubcore.visits import HOLD_MS, MAX_CLOSED, MAX_VISITS
from smilehub.link.reasons import REASONS

HOLD_S = HOLD_MS // 1000


def promised(count=MAX_VISITS):
    """A day on which ``count`` people come first; the labels, in the order in which they were promised it."""
    day = Day().opened()
    labels = [day.checkin("checkup") for _ in range(count)]
    for label in labels:
        day.sleep(1)
        day.wish("defer", ticket=label)
    next_day(day)
    return day, labels


# Promises and places


def test_a_promise_has_its_place_for_two_hours():
    day, labels = promised()
    day.sleep(HOLD_S - 1)
    assert why_not(day, "checkin", need="broken") == ("full", "")
    assert len(day.hub.promises) == MAX_VISITS
    day.sleep(1)
    label = day.checkin("broken")
    assert set(day.hub.promises) == set(labels[:-1]), "the one promised last gives way"
    assert list(day.hub.visits) == [label]
    assert why_not(day, "checkin", promise=labels[-1]) == ("unknown_promise", labels[-1])
    assert fold(day.raws).digest() == day.hub.digest()


def test_a_promise_is_redeemed_late_as_long_as_nobody_needs_its_place():
    day, labels = promised(3)
    day.sleep(2 * HOLD_S)
    for _ in range(MAX_VISITS - 3):
        day.checkin("broken")
    assert set(day.hub.promises) == set(labels)
    assert day.wish("checkin", promise=labels[-1]).body["label"] == labels[-1]
    day.checkin("broken")
    assert set(day.hub.promises) == {labels[0]}
    assert day.hub.visits[labels[-1]].arrival == 0


def test_a_family_takes_as_many_places_as_it_needs_and_no_more():
    day, labels = promised()
    day.sleep(HOLD_S)
    family(day, 4)
    assert set(day.hub.promises) == set(labels[:-4])
    assert len(day.hub.visits) + len(day.hub.promises) == MAX_VISITS
    labels = labels[:-4]
    body = day.wish("checkin", promise=labels[-1], size=3).body
    assert len(body["others"]) == 2
    assert set(day.hub.promises) == set(labels[:-3]), "its own promise is not one that gives way"


def test_not_more_can_come_than_promises_give_way():
    day, _ = promised(2)
    day.sleep(HOLD_S)
    for _ in range(MAX_VISITS - 2):
        day.checkin("broken")
    assert why_not(day, "checkin", need="broken", size=3) == ("full", "")
    assert len(family(day, 2)) == 2
    assert not day.hub.promises
    assert why_not(day, "checkin", need="broken") == ("full", "")


def test_a_family_does_not_give_way_to_itself():
    day, labels = promised(1)
    day.sleep(HOLD_S)
    for _ in range(MAX_VISITS - 1):
        day.checkin("broken")
    assert why_not(day, "checkin", promise=labels[0], size=2) == ("full", "")
    day.wish("checkin", promise=labels[0])


def test_an_emergency_has_a_place_of_its_own_and_takes_none_of_a_promise():
    day, labels = promised()
    day.sleep(HOLD_S)
    for _ in range(7):
        day.checkin("injury")
    assert set(day.hub.promises) == set(labels)
    day.checkin("injury")
    assert set(day.hub.promises) == set(labels[:-1])


def test_who_comes_tomorrow_may_need_a_place_that_nobody_came_for():
    day, labels = promised()
    day.sleep(HOLD_S)
    day.wish("full_today")
    label = day.wish("promise", need="broken").body["label"]
    assert set(day.hub.promises) == {*labels[:-1], label}
    assert not day.hub.promises[label].due
    for _ in range(MAX_VISITS - 1):
        day.wish("promise", need="broken")
    assert not [visit for visit in day.hub.promises.values() if visit.due]
    assert why_not(day, "promise", need="broken") == ("full", ""), "tomorrow's promises give way to nobody"


def test_of_promises_of_one_moment_the_latest_ticket_gives_way_first():
    day = Day().opened()
    single = day.checkin("checkup")
    labels = family(day, 3)
    next_day(day)
    day.sleep(HOLD_S)
    for _ in range(MAX_VISITS - 4):
        day.checkin("broken")
    for left in ([single, *labels[:2]], [single, labels[0]], [single], []):
        day.checkin("broken")
        assert set(day.hub.promises) == set(left)


def test_staff_release_a_promise():
    day, labels = promised()
    assert why_not(day, "checkin", need="broken") == ("full", "")
    day.wish("left", ticket=labels[3].lower(), why="phoned")
    assert labels[3] not in day.hub.promises
    day.checkin("broken")
    day.wish("undo")
    assert labels[3] in day.hub.promises


# Consents after care


def served(day, *purposes, code=CODE):
    body = day.wish("checkin", need="broken", code=code).body
    for purpose in purposes:
        day.wish("consent_give", ticket=body["label"], purpose=purpose)
    for name, args in (
        ("call", {"chair": "1"}),
        ("seated", {"ticket": body["label"]}),
        ("served", {"ticket": body["label"]}),
    ):
        day.wish(name, **args)
    return body["label"]


def test_a_code_finds_consents_of_who_was_served_until_the_next_day():
    day = Day().opened()
    label = served(day, "study", "teaching")
    assert [visit.label for visit in day.hub.by_code(CODE)] == [label]
    day.wish("day_close")
    day.wish("consent_withdraw", ticket=label, purpose="study")
    assert day.hub.closed[label].consents == ("teaching",)
    assert day.hub.find(label) is day.hub.closed[label]
    assert fold(day.raws).digest() == day.hub.digest()
    day.wish("day_open")
    assert day.hub.by_code(CODE) == [] and not day.hub.closed


def test_only_who_gave_a_consent_is_kept_and_only_the_last_few():
    day = Day().opened()
    served(day)
    served(day, "study", code=None)
    assert not day.hub.closed
    labels = [served(day, "study") for _ in range(MAX_CLOSED + 2)]
    assert sorted(day.hub.closed) == sorted(labels[2:])
    for _ in range(MAX_VISITS - 3):
        day.checkin("broken")
    assert sorted(day.hub.closed) == sorted(labels[-3:]), "they take nobody's place"
    day.checkin("broken")
    assert sorted(day.hub.closed) == sorted(labels[-2:])


def test_staff_withdraw_a_consent_for_any_label_of_the_day():
    day = Day().opened()
    label = served(day, "study", code=None)
    other = label[0] + str(int(label[1:]) % 89 + 10)
    assert label != other
    before = day.hub.digest()
    body = day.wish("consent_withdraw", ticket=label.lower(), purpose="study").body
    assert body == {"label": label, "purpose": "study"}
    day.hub.next_seq -= 1
    assert day.hub.digest() == before
    day.hub.next_seq += 1
    assert why_not(day, "consent_withdraw", ticket=other, purpose="study") == ("unknown_ticket", other)
    assert why_not(day, "consent_withdraw", ticket="C" + label[1:], purpose="study")[0] == "unknown_ticket"
    assert why_not(day, "consent_give", ticket=label, purpose="study") == ("unknown_ticket", label)
    next_day(day)
    assert why_not(day, "consent_withdraw", ticket=label, purpose="study") == ("unknown_ticket", label)


def test_an_undone_end_of_a_visit_keeps_what_was_withdrawn_after_it():
    day = Day().opened()
    label = served(day, "study", "teaching")
    day.wish("consent_withdraw", ticket=label, purpose="study")
    day.wish("undo", chair="1")
    assert day.hub.visits[label].consents == ("teaching",) and not day.hub.closed


# Names


@pytest.mark.parametrize("sign", '{}~|^`_"$%*;<=>@[]\\')
def test_a_name_is_written_in_what_the_screens_show(sign):
    day = Day().opened()
    assert sign not in desk_seldom.NAME_SIGNS
    assert why_not(day, "chair_open", chair="A" + sign) == ("bad_name", "A" + sign)
    assert why_not(day, "staff_set", staff=sign + "b") == ("bad_name", sign + "b")
    assert why_not(day, "staff_remove", staff=None) == ("bad_argument", "staff")
    assert desk.decide(day.hub, "staff_remove", {"staff": sign}, 0, bytes)[1] == {"staff": sign}, "one of old"


@pytest.mark.parametrize("sign", desk_seldom.NAME_SIGNS + "09azAZ")
def test_a_name_may_have_any_sign_that_they_show(sign):
    day = Day()
    day.wish("day_open")
    day.wish("chair_open", chair=sign)
    assert day.wish("staff_set", staff=sign, who="ana").body == {"staff": sign, "who": "ana"}


def test_two_chairs_never_look_alike_on_the_wall():
    day = Day().opened(("a1", "B"))
    assert why_not(day, "chair_open", chair="A1") == ("chair_alike", "a1")
    assert why_not(day, "chair_open", chair="b") == ("chair_alike", "B")
    day.wish("chair_close", chair="B")
    assert why_not(day, "chair_open", chair="b") == ("chair_alike", "B")
    day.wish("chair_open", chair="B")
    for reason in ("chair_alike", "bad_name"):
        assert "%s" in REASONS[reason][0]


# Arguments

NAMES_OF_ARGS = [
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
WISHES = [*desk._USUAL, *desk._SELDOM, *desk._MOVES, "fly"]
odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.binary(max_size=9)
    | st.text(max_size=9)
    | st.sampled_from(["1", "adult", "study", "toothache", "emergency", "K10", 0, 1, 2, 8, "x", "left"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=3), inner),
    max_leaves=4,
)


def lively():
    day = Day(3).opened()
    tickets = [day.checkin(), day.checkin("injury"), day.checkin("checkup", code=CODE)]
    day.wish("defer", ticket=tickets[2])
    day.wish("call", chair="1")
    return day, tickets


ODD = (
    None,
    True,
    -1,
    0,
    2,
    2**64,
    b"",
    b"12345678",
    "",
    "x",
    "\ud800",
    [],
    [1],
    ["x"],
    {},
    {"x": 1},
    [[]],
    1.5,
)


@pytest.mark.parametrize("name", WISHES)
def test_no_argument_of_a_wrong_type_breaks_anything(name):
    day, tickets = LIVELY
    sane = {
        "ticket": tickets[0],
        "chair": "1",
        "need": "broken",
        "staff": "Ana",
        "why": "seen",
        "lane": "child",
    }
    for arg in NAMES_OF_ARGS:
        for value in ODD:
            try:
                kind, fields = desk.decide(day.hub, name, sane | {arg: value}, day.now_ms, day.rng.randbytes)
            except Refused as refused:
                assert refused.reason in REASONS
            else:
                records.build(kind, fields)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WISHES), st.dictionaries(st.sampled_from(NAMES_OF_ARGS), odd, max_size=5), st.data())
def test_a_wish_of_any_kind_becomes_a_record_or_is_refused(name, args, data):
    day, tickets = LIVELY
    if data.draw(st.booleans()):
        args = {"ticket": tickets[0], "chair": "1", "need": "broken"} | args
    before = day.hub.digest()
    try:
        kind, fields = desk.decide(day.hub, name, args, day.now_ms, day.rng.randbytes, ("desk", 1))
    except Refused as refused:
        assert refused.reason in REASONS
        assert records.build(*desk.refusal(name, refused, ("desk", 1)))
    else:
        code, body = records.build(kind, fields)
        records.encode(code, 1, 1, 0, None, body)
    assert day.hub.digest() == before


LIVELY = lively()
