"""The staff desk: every act by keys on the real hub, its words in every language, and alerts above all."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smilehub.link.reasons import REASONS

ROOT = Path(__file__).parents[2]
STRINGS = ROOT / "firmware" / "kiosk" / "strings"
LANGUAGES: list[str] = tomllib.loads((STRINGS / "boxes.toml").read_text())["languages"]

Steps = list[list[Any]]
State = dict[str, Any]
Desk = Callable[[Steps], list[State]]

PIN = ("up", "down", "yes", "back", "up", "down")
WRONG = ("up",) * 6
STAFF: Steps = [["pin", "ana", "udybud"]]


def keys(*names: str) -> Steps:
    return [["key", name] for name in names]


IN: Steps = [*STAFF, ["hold", "yes"], *keys("yes", *PIN)]
#: Signed in, the day open, chair 1 there and chosen, two who wait.
OPEN: Steps = [
    ["wish", "day_open", {}],
    ["wish", "chair_open", {"chair": "1"}],
    ["wish", "checkin", {"need": "toothache", "pictogram": "fish"}],
    ["wait", 2000],
    ["wish", "checkin", {"need": "checkup", "pictogram": "kite"}],
    ["wait", 180_000],
    *IN,
]


@pytest.fixture
def desk(built: Path) -> Desk:
    def run(steps: Steps) -> list[State]:
        out = subprocess.run(
            [
                str(Path(sys.executable).parent / "micropython"),
                "-X",
                "heapsize=8M",
                str(Path(__file__).parent / "desk_stage.py"),
                str(ROOT / "firmware"),
                str(built),
                "-",
            ],
            input=json.dumps(steps),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert out.returncode == 0, out.stdout[-2000:] + out.stderr
        states = [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]
        assert states[-1]["faults"] == [], "nothing is clipped and nothing overlaps"
        for state in states:
            if state["step"][0] == "key":
                assert state["sent"] <= 307_200, state
        return states

    return run


def choose(*rows: str) -> Steps:
    """Take rows by their names, one after the other."""
    return [["choose", *rows]]


# Signing in


def test_without_staff_the_desk_says_how_to_set_one(desk: Desk) -> None:
    played = desk([["hold", "yes"], *keys("yes")])
    assert played[1]["screen"] == "desk_in"
    assert "desk.none" in played[1]["seen"]
    assert played[-1]["screen"] == "idle"


def test_a_name_and_a_pin_open_the_desk(desk: Desk) -> None:
    played = desk(IN)
    assert [state["screen"] for state in played[2:]] == ["desk_in", *["desk_pin"] * 6, "desk"]
    assert played[-1]["who"] == "ana"


def test_wrong_pins_cost_ever_more_time_and_never_more_than_a_minute(desk: Desk) -> None:
    steps = [*STAFF, ["hold", "yes"], *keys("yes")]
    waits: list[int] = []
    for _ in range(11):
        seconds = [["wait", 1000]] * 62
        counted = desk([*steps, *keys(*WRONG), *seconds])[-63:]
        assert {state["screen"] for state in counted} == {"desk_wait"}
        # As long as a sentence counts down; then another one says that it goes on.
        waits.append(next(i for i, state in enumerate(counted) if "desk.again" in state["seen"]))
        assert all(state["left_ms"] <= 1000 for state in counted[: waits[-1]]), "every second is shown"
        steps += [*keys(*WRONG), ["wait", 1000 * waits[-1] + 500], *keys("yes")]
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert desk([*steps, *keys(*PIN)])[-1]["who"] == "ana"


def test_while_a_pin_waits_keys_do_nothing_and_help_works(desk: Desk) -> None:
    steps = [*STAFF, ["hold", "yes"], *keys("yes", *WRONG, "yes", *WRONG, "yes", *WRONG, "yes", *WRONG)]
    played = desk([*steps, *keys("yes", "yes", "help")])
    assert [state["screen"] for state in played[-3:]] == ["desk_wait", "desk_wait", "help"]
    assert played[-1]["alerts"] == ["help"]


def test_leaving_the_pin_and_the_names(desk: Desk) -> None:
    played = desk([*STAFF, ["hold", "yes"], *keys("yes", "up"), ["hold", "back"], *keys("back")])
    assert [state["screen"] for state in played[-3:]] == ["desk_pin", "desk_in", "idle"]


# The three commonest acts


def test_calling_seating_and_serving_take_two_presses_each(desk: Desk) -> None:
    played = desk([*OPEN, *keys("yes", "yes", "yes", "yes", "yes", "yes")])
    after = played[-5::2]
    assert [state["screen"] for state in after] == ["desk"] * 3
    acts = [state["wishes"][0] for state in after]
    assert [name for name, _ in acts] == ["call", "seated", "served"]
    assert all(args["who"] == "ana" for _, args in acts)
    assert played[-1]["counts"]["served"] == 1
    assert played[-1]["at"] == 0, "and the next call is two presses away again"


def test_a_move_sends_two_rows(desk: Desk) -> None:
    queue = [*OPEN, *choose("queue")]
    for played in (desk([*OPEN, *keys("down", "down")]), desk([*queue, *keys("down", "up")])):
        for state in played[-2:]:
            assert 0 < state["sent"] <= 100_000


def test_the_board_tells_the_time_where_it_is_known(desk: Desk) -> None:
    noon = 1_777_896_000  # Monday, 4 May 2026, 12:00 UTC
    played = desk([*OPEN, ["clock", noon + 30], ["wait", 29_000], ["wait", 1000], ["wait", 50_000]])
    unknown, known, before, after, later = (state["title"] for state in played[-5:])
    assert unknown == "Waiting 2 ?0  "
    assert (known, before, after, later) == (*[unknown + "12:00"] * 2, *[unknown + "12:01"] * 2)
    assert 0 < played[-2]["sent"] <= 480 * 52 * 2, "the heading alone is drawn"
    assert played[-1]["sent"] == 0
    closed = desk([["clock", noon], *IN])[-1]
    assert closed["title"].endswith(" 12:00")


# Tickets

CALLED = [*OPEN, *keys("yes", "yes")]


@pytest.mark.parametrize(
    ("path", "wish", "extra"),
    [
        (("*", "no_show"), "no_show", {}),
        (("*", "requeue"), "requeue", {}),
        (("*", "defer"), "defer", {}),
        (("*", "left"), "left", {}),
        (("*", "transfer", "lane_child"), "transfer", {"lane": "child"}),
        (
            ("*", "class", "need_non", "why_better"),
            "class",
            {"need": "non-urgent", "why": "it is better"},
        ),
    ],
)
def test_what_changes_a_visit_is_explained_and_then_done(
    desk: Desk, path: tuple[str, ...], wish: str, extra: dict[str, str]
) -> None:
    steps = [*CALLED, *choose(*path)]
    asked = desk([*steps, *keys("back")])
    assert asked[-2]["screen"] == "desk_sure"
    assert f"desk.sure_{wish}" in asked[-2]["seen"]
    assert asked[-1]["wishes"] == [] and asked[-1]["screen"] != "desk_sure", "back does nothing"
    called = desk(CALLED)[-1]
    label = called["chairs"]["1"][1]
    done = desk([*steps, *keys("yes")])[-1]
    assert done["wishes"] == [[wish, {"ticket": label, "who": "ana", **extra}]]
    assert done["screen"] == "desk"
    if label in done["visits"]:
        assert done["arrivals"][label] == called["arrivals"][label], "all waiting time is kept, as it said"


def test_recall_is_done_at_once_and_may_be_repeated(desk: Desk) -> None:
    steps = [*CALLED, *choose("*", "recall")]
    assert desk(steps)[-1]["wishes"][0][0] == "recall"


def test_the_queue_lists_in_the_order_of_the_pick_and_leads_to_a_ticket(desk: Desk) -> None:
    steps = [*OPEN, *choose("queue")]
    queue = desk(steps)[-1]
    assert [queue["visits"][label][2] for label in queue["rows"]] == ["urgent", "non-urgent"]
    played = desk([*steps, *keys("down", "yes", "back", "back")])
    assert [state["screen"] for state in played[-3:]] == ["desk_acts", "desk_queue", "desk"]
    assert played[-3]["rows"] == ["transfer", "class", "defer", "left"]
    empty = desk([["wish", "day_open", {}], *IN, *choose("queue"), *keys("yes", "down", "back")])
    assert [state["screen"] for state in empty[-4:]] == ["desk_queue"] * 3 + ["desk"]


def test_an_emergency_is_never_put_off_until_tomorrow(desk: Desk) -> None:
    steps = [*OPEN, ["wish", "checkin", {"need": "injury"}], ["wait", 1000], *keys("yes")]
    here = desk([*steps, *choose("queue")])[-1]
    assert here["visits"][here["rows"][0]][2] == "emergency"
    acts = desk([*steps, *choose("queue"), *keys("yes")])[-1]
    assert acts["rows"] == ["transfer", "class", "left"]


def test_a_ticket_that_moved_on_meanwhile_leaves_no_dead_screen(desk: Desk) -> None:
    label = desk(CALLED)[-1]["chairs"]["1"][1]
    steps = [*CALLED, *keys("yes"), ["wish", "served", {"ticket": label}]]
    played = desk(steps)
    assert played[-2]["rows"][0] == "seated"
    assert played[-1]["rows"][0] == "call"
    queued = [*OPEN, *choose("queue"), *keys("down", "yes")]
    last = desk(queued)[-1]
    gone = next(label for label, visit in last["visits"].items() if visit[2] == "non-urgent")
    assert desk([*queued, ["wish", "left", {"ticket": gone}]])[-1]["screen"] == "desk"


def test_undo_says_what_it_undoes(desk: Desk) -> None:
    steps = [*CALLED, *choose("undo")]
    asked = desk(steps)[-1]
    assert {"desk.sure_undo", "desk.call"} <= set(asked["seen"])
    done = desk([*steps, *keys("yes")])[-1]
    assert done["wishes"][0][0] == "undo"
    assert done["chairs"]["1"][1] is None
    nothing = desk([*OPEN, *choose("undo")])[-1]
    assert nothing["screen"] == "desk_say" and "desk.no_nothing_to_undo" in nothing["seen"]


@pytest.mark.parametrize("act", ["left", "defer", "transfer", "class"])
def test_undo_names_every_act_without_a_chair(desk: Desk, act: str) -> None:
    more = {"transfer": ("lane_child",), "class": ("need_non", "why_seen")}.get(act, ())
    first = desk([*OPEN, *choose("queue")])[-1]["visits"]
    steps = [*OPEN, *choose("queue"), *keys("yes"), *choose(act, *more), *keys("yes")]
    assert desk(steps)[-1]["visits"] != first
    asked = [*steps, *choose("undo")]
    assert f"desk.{act}" in desk(asked)[-1]["seen"]
    assert desk([*asked, *keys("yes")])[-1]["visits"] == first


# The day and its chairs


def test_a_day_is_opened_a_chair_with_its_lane_opened_paused_and_closed(desk: Desk) -> None:
    steps = [*IN, *choose("day_open"), *keys("yes")]
    assert desk(steps)[-1]["day_open"]
    steps = [*steps, *choose("chair_open", "*", "lane_child")]
    opened = desk(steps)[-1]
    assert opened["wishes"] == [["chair_open", {"chair": "1", "lanes": ["child"], "who": "ana"}]]
    steps = [*steps, ["wish", "chair_open", {"chair": "2"}]]
    here = desk(steps)[-1]
    steps = [*steps, *keys(*["up"] * here["at"]), *choose("*", "pause")]
    assert desk(steps)[-1]["chairs"]["1"] == [True, None, True]
    assert desk([*steps, *keys("yes")])[-1]["rows"] == ["unpause", "chair_close"]
    again = [*steps, *choose("*", "unpause")]
    assert desk(again)[-1]["chairs"]["1"] == [True, None, False]
    closed = [*steps, *choose("*", "chair_close"), *keys("yes")]
    assert desk(closed)[-1]["chairs"]["1"][0] is False
    # A closed chair is offered again, before a new one.
    assert desk([*closed, *choose("chair_open")])[-1]["rows"] == ["*", "*"]


def test_full_today_and_not(desk: Desk) -> None:
    steps = [*OPEN, *choose("full"), *keys("yes")]
    assert desk(steps)[-1]["full"] is True
    assert desk([*steps, *choose("unfull"), *keys("yes")])[-1]["full"] is False


@pytest.mark.parametrize(("row", "rest", "kept"), [("all_tomorrow", "tomorrow", 2), ("all_left", "left", 0)])
def test_closing_settles_all_at_once(desk: Desk, row: str, rest: str, kept: int) -> None:
    steps = [*OPEN, *choose("day_close", row)]
    assert desk(steps)[-1]["day_open"], "it asks first"
    done = desk([*steps, *keys("yes")])[-1]
    assert done["wishes"] == [["day_close", {"rest": rest, "who": "ana"}]]
    assert not done["day_open"] and not done["visits"]
    assert len(done["promises"]) == kept


def test_closing_settles_one_by_one(desk: Desk) -> None:
    steps = [*CALLED, *choose("day_close")]
    busy = desk([*steps, *keys("yes", "yes")])[-1]
    assert busy["screen"] == "desk_say" and "desk.no_chair_busy" in busy["seen"], "somebody is at a chair"
    first, second = desk(steps)[-1]["rows"][2:]
    called = desk(CALLED)[-1]["chairs"]["1"][1]
    how = {called: "served"}
    steps = [*steps, *choose(first, how.get(first, "left"))]
    assert desk(steps)[-1]["rows"][2:] == [second]
    here = desk(steps)[-1]
    steps = [*steps, *keys(*["up"] * here["at"])]
    steps = [*steps, *choose(second, how.get(second, "left"))]
    assert desk(steps)[-1]["rows"] == ["all_done"]
    done = desk([*steps, *keys("yes", "yes")])[-1]
    assert not done["day_open"]
    assert (done["counts"]["served"], done["counts"]["left"]) == (1, 1)


def test_who_was_promised_is_welcomed(desk: Desk) -> None:
    steps = [*OPEN, *choose("day_close", "all_tomorrow"), *keys("yes")]
    steps = [*steps, *choose("day_open"), *keys("yes")]
    listed = desk([*steps, *choose("promised")])[-1]
    assert len(listed["rows"]) == 2
    steps += choose("promised")
    label = listed["rows"][0]
    asked = desk([*steps, *keys("yes", "yes", "back", "back", "back")])[-5:]
    assert [state["screen"] for state in asked] == [
        "desk_pick", "desk_sure", "desk_pick", "desk_promised", "desk",
    ]  # fmt: skip
    assert asked[0]["rows"] == ["come", "wont"] and "desk.sure_promised" in asked[1]["seen"]
    done = desk([*steps, *keys("yes", "yes", "yes")])[-1]
    assert done["wishes"] == [["checkin", {"promise": label, "by": "staff", "who": "ana"}]]
    assert label in done["visits"]


def test_who_was_promised_and_wont_come_gives_up_the_place_and_undo_gives_it_back(desk: Desk) -> None:
    steps = [*OPEN, *choose("day_close", "all_tomorrow"), *keys("yes")]
    steps += [*choose("day_open"), *keys("yes"), *choose("promised")]
    label, other = desk(steps)[-1]["rows"]
    steps += [*keys("yes"), *choose("wont")]
    assert "desk.sure_wont" in desk(steps)[-1]["seen"]
    assert desk([*steps, *keys("back", "back")])[-1]["promises"] == sorted([label, other]), "it asks first"
    steps += keys("yes")
    gone = desk(steps)[-1]
    assert (gone["screen"], gone["promises"]) == ("desk", [other])
    assert gone["wishes"] == [["left", {"ticket": label, "who": "ana"}]]
    back = desk([*steps, *choose("undo"), *keys("yes")])[-1]
    assert back["promises"] == sorted([label, other])


def test_a_day_left_over_is_settled_in_one_act(desk: Desk) -> None:
    steps: Steps = [*OPEN[: -len(IN)], ["wait", 17 * 3_600_000], *IN]
    done = desk([*steps, *choose("settle"), *keys("yes")])[-1]
    assert not done["day_open"]
    assert len(done["promises"]) == 2
    refused = desk([*steps, ["fail", "journal_full"], *choose("settle"), *keys("yes")])[-1]
    assert refused["day_open"]
    assert refused["screen"] == "desk_say" and "desk.no_journal_full" in refused["seen"]


def test_the_pause_of_codes_is_lifted(desk: Desk) -> None:
    assert "lift" not in desk(OPEN)[-1]["rows"]
    steps = [*OPEN, *[["wish", "code_miss", {}]] * 5, ["wait", 1000]]
    steps = [*steps, *choose("lift"), *keys("yes")]
    done = desk(steps)[-1]
    assert done["wishes"][0][0] == "code_lift"
    assert "lift" not in done["rows"]


def test_every_trouble_has_something_to_do(desk: Desk) -> None:
    for name in ("clock", "wall", "panel", "key", "journal", "laptop", "slot", "day", "radio"):
        steps = [*OPEN, ["trouble", name], *choose("health", f"t_{name}"), *keys("yes"), ["well", name]]
        played = desk(steps)
        assert f"desk.fix_{name}" in played[-3]["seen"]
        assert [state["screen"] for state in played[-3:]] == ["desk_say", "desk_health", "desk"]


# Refusals


#: Reasons that no act of the desk's can bring, and why not.
ELSEWHERE = {
    "alert_unknown": "the screen of an alert goes on to the next when somebody else took it",
    "bad_argument": "its acts have all that they need",
    "code_paused": "visitors type codes",
    "help_called": "visitors call for help",
    "journal_shorter": "laptops send receipts",
    "no_labels": "check-ins for somebody are visitors' screens; who was promised has a label",
    "not_full": "check-ins for somebody are visitors' screens",
    "promise_tomorrow": "it lists today's promises",
    "too_many_staff": "laptops set PINs",
    "unknown_command": "its acts are this program's own",
    "unknown_staff": "laptops set PINs",
}


def test_what_can_refuse_an_act_of_the_desk_has_a_sentence() -> None:
    words = tomllib.loads((STRINGS / "en.toml").read_text())["strings"]
    sources = ("hubcore/desk", "hubcore/desk_seldom", "kiosk/wishes", "kiosk/receipts", "services/pins")
    found: set[str] = set()
    for source in sources:
        text = (ROOT / "firmware" / f"{source}.py").read_text()
        found |= set(re.findall(r"\b(?:Refused|NotDone)\(\s*\"(\w+)\"", text))
    assert len(found) > 25, "the sources were understood"
    assert {reason for reason in found if f"desk.no_{reason}" not in words} == set(ELSEWHERE)


def test_every_refusal_is_said_in_words_of_every_language(desk: Desk) -> None:
    words = tomllib.loads((STRINGS / "en.toml").read_text())["strings"]
    reasons = [*sorted(REASONS), "a_reason_of_tomorrow"]
    for language in LANGUAGES:
        steps: Steps = [*OPEN, ["language", language]]
        for reason in reasons:
            steps += [["fail", reason], *keys("yes", "yes", "yes", "back")]
        played = desk(steps)[-5 * len(reasons) :]
        for i, reason in enumerate(reasons):
            _, acts, said, again, board = played[5 * i : 5 * i + 5]
            names = [name for name in said["seen"] if name.startswith("desk.no_")]
            name = f"desk.no_{reason}"
            assert names == [name if name in words else "desk.no_other"]
            screens = [state["screen"] for state in (acts, said, again, board)]
            assert screens == ["desk_acts", "desk_say", "desk_acts", "desk"], "any key goes on"


def test_a_flash_that_fails_is_said_and_the_desk_goes_on(desk: Desk) -> None:
    played = desk([*OPEN, ["broken"], *keys("yes", "yes", "yes", "yes")])
    assert "desk.no_other" in played[-3]["seen"]
    assert played[-1]["wishes"][0][0] == "call"


# Alerts

PLACES = {
    "desk": [],
    "desk_acts": keys("yes"),
    "desk_queue": keys("down", "yes"),
    "desk_sure": keys("down", "down", "down", "down", "yes"),
    "desk_pick": keys("down", "down", "down", "down", "down", "yes"),
    "desk_close": keys("down", "down", "down", "down", "down", "down", "yes"),
    "desk_say": keys("down", "down", "down", "yes"),
    "need": keys("down", "down", "yes", "yes"),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_alert_stands_above_everything_and_one_press_takes_it(desk: Desk, place: str) -> None:
    here = [*OPEN, *PLACES[place]]
    assert desk(here)[-1]["screen"] == place
    alert: Steps = [["wish", "checkin", {"need": "breathing"}]]
    played = desk([*here, *alert, *keys("yes"), ["wait", 800], *keys("up", "back", "yes")])
    assert [state["screen"] for state in played[-6:]] == ["desk_alert"] * 5 + [place]
    assert played[-5]["wishes"] == [], "a press that was meant for the screen below does not take it"
    assert played[-1]["wishes"][0][0] == "alert_ack" and played[-1]["wishes"][0][1]["who"] == "ana"
    assert "desk.alert_ambulance" in played[-6]["seen"]
    assert played[-1]["alerts"] == []


def test_the_emergency_comes_before_help_and_each_is_taken(desk: Desk) -> None:
    steps = [*OPEN, ["wish", "alert_raise", {"why": "help"}], ["wish", "checkin", {"need": "bleeding_heavy"}]]
    played = desk([*steps, ["wait", 800], *keys("yes"), ["wait", 800], *keys("yes")])
    assert "desk.alert_emergency" in played[-5]["seen"]
    assert "desk.alert_ambulance" not in played[-5]["seen"]
    assert "desk.alert_help" in played[-3]["seen"]
    assert [state["alerts"] for state in played[-3:]] == [["help"], ["help"], []]
    assert played[-1]["screen"] == "desk"


def test_no_key_covers_an_alert_with_the_languages(desk: Desk) -> None:
    played = desk([*OPEN, ["wish", "alert_raise", {"why": "help"}], ["hold", "help"]])
    assert played[-1]["screen"] == "desk_alert"


def test_an_alert_that_the_laptop_takes_goes_away(desk: Desk) -> None:
    played = desk([*OPEN, ["wish", "alert_raise", {"why": "device"}], ["wish", "alert_ack", {}]])
    assert [state["screen"] for state in played[-2:]] == ["desk_alert", "desk"]


def test_a_call_without_a_record_is_shown_too(desk: Desk) -> None:
    played = desk([*OPEN, ["alarm", "emergency"], ["wait", 800], *keys("yes")])
    assert [state["screen"] for state in played[-3:]] == ["desk_alert", "desk_alert", "desk"]


def test_an_alert_that_cannot_be_taken_does_not_lock_the_desk(desk: Desk) -> None:
    steps = [*OPEN, ["wish", "alert_raise", {"why": "help"}], ["wait", 800], ["fail", "journal_full"]]
    played = desk([*steps, *keys("yes", "back")])
    assert played[-2]["screen"] == "desk_alert" and "desk.no_journal_full" in played[-2]["seen"]
    assert played[-1]["screen"] == "idle"


def test_every_kind_of_alert_has_words(desk: Desk) -> None:
    for why in ("emergency", "help", "device", "other"):
        assert f"desk.alert_{why}" in desk([*OPEN, ["wish", "alert_raise", {"why": why}]])[-1]["seen"]


# Check-in on somebody's behalf


def test_a_check_in_for_somebody_is_the_visitors_own_and_staff_stay(desk: Desk) -> None:
    played = desk([*OPEN, ["language", "es"], *choose("checkin"), *keys(*["yes"] * 12)])
    screens = [state["screen"] for state in played]
    ticket = screens.index("ticket")
    name, args = played[ticket]["wishes"][-1]
    assert name == "checkin"
    assert (args["by"], args["who"], args["lang"]) == ("staff", "ana", "en")
    assert {"language", "need", "flags", "pictogram"} <= set(screens), "the same questions"
    back = played[screens.index("desk", ticket)]
    assert back["who"] == "ana"
    assert back["language"] == "es", "the staff's language is back"
    assert len(back["visits"]) == 3


def test_back_from_a_check_in_leads_to_the_desk(desk: Desk) -> None:
    last = desk([*OPEN, *choose("checkin"), *keys("back")])[-1]
    assert last["screen"] == "desk"


# Leaving


def test_back_goes_to_sign_out_first_and_then_out(desk: Desk) -> None:
    played = desk([*OPEN, *keys("back", "back")])
    assert played[-2]["rows"][played[-2]["at"]] == "leave" and played[-2]["who"] == "ana"
    assert played[-1]["who"] is None and played[-1]["screen"] == "idle"


@pytest.mark.parametrize("place", PLACES)
def test_silence_signs_out_after_two_minutes_from_anywhere(desk: Desk, place: str) -> None:
    steps = [*OPEN, *PLACES[place]]
    if place == "need":
        steps += [["wait", 45_000 - 95_000 + 95_000]]
    played = desk([*steps, ["wait", 119_000 if place != "need" else 20_000], ["wait", 10_000]])
    assert played[-2]["who"] == "ana" and played[-2]["warned"]
    assert played[-1]["who"] is None and played[-1]["screen"] == "idle"
    assert played[-1]["loaded"] == [] and played[-1]["held"] == []


def test_one_key_in_time_stays_and_does_nothing_else(desk: Desk) -> None:
    played = desk([*OPEN, ["wait", 100_000], *keys("yes"), ["wait", 90_000]])
    assert [state["warned"] for state in played[-3:]] == [True, False, False]
    assert played[-1]["screen"] == "desk" and played[-1]["who"] == "ana"


def test_who_is_removed_from_the_laptop_is_out_at_the_next_act(desk: Desk) -> None:
    played = desk([*OPEN, ["wish", "staff_remove", {"staff": "ana"}], *keys("yes", "yes")])
    assert played[-1]["screen"] == "idle" and played[-1]["wishes"] == []


def test_signing_out_gives_all_memory_back(desk: Desk) -> None:
    heap: Steps = [["heap"]]
    there = [["hold", "yes"], *keys("yes", *PIN, "yes", "back")]
    away = [*choose("queue"), *keys("back", "back", "back")]
    once = [*there, *heap, *away, *heap]
    played = desk([*OPEN[: -len(IN)], *STAFF, *once * 5])
    assert played[-1]["screen"] == "idle" and played[-1]["loaded"] == [] and played[-1]["held"] == []
    heaps = [state["heap"] for state in played if state["step"] == ["heap"]]
    signed_in, out = heaps[0::2], heaps[1::2]
    assert out[4] <= out[1] + 200, "nothing is left of a session"
    assert signed_in[4] - out[4] > 10_000, "the desk is not there while nobody uses it"


# Words


def test_nothing_is_clipped_in_any_language_and_every_string_is_shown(desk: Desk) -> None:
    seen: set[str] = set()
    for language in LANGUAGES:
        for state in desk(tour(language)):
            seen |= set(state["seen"])
    every = set(tomllib.loads((STRINGS / "boxes.toml").read_text())["strings"])
    # Refusals have a test of their own.
    assert {name for name in every - seen if name.startswith("desk.") and name[:7] != "desk.no"} == set()


def tour(language: str) -> Steps:
    """Through every screen of the desk, with the longest names and numbers."""
    say: Steps = [["language", language]]
    steps: Steps = [["hold", "yes"], *say, *keys("back")]
    steps += [["pin", "ana", "udybud"], ["pin", "WWWWWWWWWWWW", "uuuuuu"], ["hold", "yes"], *say]
    wrong = ("down",) * 6
    steps += keys("yes", *wrong, "yes", *wrong, "yes", *wrong)
    steps += [["wait", 3000], *keys("back", "down", "yes", *PIN), *say, *keys("yes", "yes")]
    for chair, lanes in (("1", []), ("WWWWWWWWWWWW", ["child"]), ("9", ["adult"])):
        steps.append(["wish", "chair_open", {"chair": chair, "lanes": lanes}])
    for need in ("toothache", "checkup", "swelling", "broken", "checkup"):
        steps.append(["wish", "checkin", {"need": need, "pictogram": "umbrella"}])
    steps += [["wait", 90_000], *keys("back"), ["wait", 90_000], *keys("down")]
    # The first chair: every act on who is called and who is seated, and what each explains.
    steps += [*choose("*"), *keys("back"), *choose("*", "chair_close"), *keys("back", "back")]
    steps += [*choose("*", "pause", "*"), *keys("back"), *choose("*", "unpause", "*", "call", "*")]
    for act in ("no_show", "requeue", "defer", "left"):
        steps += [*choose(act), *keys("back")]
    steps += [*choose("transfer", "lane_adult"), *keys("back", "back")]
    steps += [*choose("class", "need_non", "why_worse"), *keys("back", "back"), *choose("seated", "*")]
    steps += [*keys("back"), *choose("queue"), *keys("down", "down", "down", "yes", "back", "back")]
    # The rest of the board.
    steps += [*choose("undo"), *keys("back"), *choose("full"), *keys("yes"), *choose("unfull"), *keys("back")]
    steps += [*choose("chair_open", "*"), *keys("back")]
    steps += [*choose("day_close", "all_tomorrow"), *keys("back"), *choose("all_left"), *keys("back")]
    steps += [*keys("down", "down", "yes", "back", "back"), *choose("*", "served", "undo"), *keys("back")]
    for name in ("clock", "wall", "panel", "key", "journal", "laptop", "slot", "day", "radio"):
        steps += [["trouble", name], *choose("health", f"t_{name}"), *keys("back", "back")]
    for _ in range(5):
        steps.append(["wish", "code_miss", {}])
    steps += [["wait", 1000], *choose("lift"), *keys("back")]
    # Tomorrow: who was promised, and nobody; then a day that nobody closed.
    steps += [*choose("day_close", "all_tomorrow"), *keys("yes"), *choose("day_open"), *keys("yes")]
    steps += [*choose("promised"), *keys("yes", "yes", "back", "down", "yes", "back", "back", "back")]
    steps += [*choose("queue"), *keys("back")]
    steps += [*choose("day_close", "all_done"), *keys("yes"), *choose("day_open"), *keys("yes")]
    steps += [["wait", 17 * 3_600_000], ["hold", "yes"], *keys("down", "yes", *PIN), *say]
    steps += [*choose("settle"), *keys("yes")]
    for why in ("help", "device", "other"):
        steps.append(["wish", "alert_raise", {"why": why}])
    steps.append(["wish", "checkin", {"need": "sepsis"}])
    for _ in range(4):
        steps += [["wait", 1000], *keys("yes")]
    return steps
