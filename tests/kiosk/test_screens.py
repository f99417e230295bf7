"""Every screen is reached by keys and left again; what it sends, says and forgets."""

from collections.abc import Callable
from typing import Any

import pytest

Steps = list[list[Any]]
Play = Callable[[Steps], list[dict[str, Any]]]

FULL = 480 * 320 * 2


def keys(*names: str) -> Steps:
    return [["key", name] for name in names]


def names(played: list[dict[str, Any]]) -> list[str]:
    return [state["screen"] for state in played]


TO_TICKET = keys("yes", "yes", "yes", "yes", "yes", "yes")


def test_the_shortest_walk_to_a_ticket(play: Play) -> None:
    played = play(TO_TICKET)
    assert names(played) == ["idle", "language", "need", "flags", "lane", "pictogram", "ticket"]
    assert played[-1]["wishes"] == [
        ["checkin", {"need": "toothache", "lane": "any", "lang": "en", "pictogram": "sun"}]
    ]
    assert played[-1]["label"] == "K10"
    # Every picture that a key makes is on the panel, and none is sent twice.
    assert all(state["whole"] and state["sent"] <= FULL for state in played)


@pytest.mark.parametrize(
    ("downs", "need", "flags"),
    [
        (0, "toothache", True),
        (1, "swelling", True),
        (2, "bleeding", True),
        (3, "broken", True),
        (4, "checkup", False),
    ],
)
def test_each_need(play: Play, downs: int, need: str, flags: bool) -> None:
    walk = keys(
        "yes",
        "down",
        "yes",
        *["down"] * downs,
        "yes",
        *(["yes"] if flags else []),
        "down",
        "yes",
        "up",
        "yes",
    )
    last = play(walk)[-1]
    assert last["screen"] == "ticket"
    assert last["wishes"] == [["checkin", {"need": need, "lane": "adult", "lang": "es", "pictogram": "cup"}]]


def test_any_key_begins_and_back_leads_out_of_everything(play: Play) -> None:
    for first in ("up", "down", "yes", "back"):
        assert names(play(keys(first))) == ["idle", "language"]
    walk = keys("yes", "yes", "down", "yes", "yes", "yes", "back", "back", "back", "back", "back")
    played = play(walk)
    assert names(played)[-6:] == ["pictogram", "lane", "flags", "need", "language", "idle"]
    assert played[-3]["at"] == 1, "back returns to the answer as it was"
    assert not played[-1]["wishes"]
    assert played[-1]["need"] is None


@pytest.mark.parametrize(
    ("downs", "flag"), [(1, "breathing"), (2, "swelling_face"), (3, "bleeding_heavy"), (4, "injury")]
)
def test_a_red_flag_shows_help_first_and_then_records(play: Play, downs: int, flag: str) -> None:
    played = play(keys("yes", "yes", "yes", *["down"] * downs, "yes", "back"))
    assert names(played)[-2:] == ["emergency", "idle"]
    name, args = played[-2]["wishes"][0]
    assert (name, args["need"]) == ("checkin", flag)
    assert played[-2]["sent"] == FULL, "in two parts, each once"
    assert len(played[-2]["shows"]) == 2
    assert played[-2]["accent"] == [0xB0, 0x00, 0x20]
    assert played[-1]["accent"] == [0x10, 0x30, 0x70], "and idle is in its own colour again"
    assert played[-2]["whole"]


def test_a_red_flag_works_when_nothing_else_does(play: Play) -> None:
    for trouble in (["hub", "day_open", False], ["hub", "full", True], ["hub", "refuse", "journal_full"]):
        played = play([trouble, *keys("yes", "yes", "yes", "down", "yes")])
        assert played[-1]["screen"] == "emergency"
    assert [wish[0] for wish in played[-1]["wishes"]] == ["checkin", "alert_raise"]


@pytest.mark.parametrize(("trouble", "value"), [("day_open", False), ("full", True)])
def test_closed_and_full_are_said_before_more_is_asked(play: Play, trouble: str, value: bool) -> None:
    played = play([["hub", trouble, value], *keys("yes", "yes", "yes", "yes", "yes")])
    assert names(played)[-2:] == ["sorry", "idle"]
    assert not played[-1]["wishes"]


@pytest.mark.parametrize("reason", ["journal_full", "full", "a_reason_without_words"])
def test_a_refused_ticket_is_never_shown(play: Play, reason: str) -> None:
    played = play([["hub", "refuse", reason], *TO_TICKET, ["key", "yes"]])
    assert names(played)[-2:] == ["sorry", "idle"]
    assert played[-1]["label"] is None


def test_help_calls_once_and_keeps_the_answers(play: Play) -> None:
    played = play(keys("yes", "yes", "down", "help", "help", "yes", "help", "back"))
    assert names(played) == ["idle", "language", "need", "need", "help", "help", "need", "help", "need"]
    assert played[-1]["wishes"] == [["alert_raise", {"why": "help"}]]
    assert played[-1]["at"] == 1
    again = play([*keys("help", "yes"), ["alerts"], *keys("help", "yes")])
    assert names(again)[-4:] == ["idle", "idle", "help", "idle"]
    assert len(again[-1]["wishes"]) == 2


def test_moving_sends_two_rows(play: Play) -> None:
    played = play(keys("yes", "yes", "down", "down", "up", "up", "up"))
    for state in played[3:7]:
        assert 0 < state["sent"] <= 90_000
        assert state["whole"]
    assert played[7]["sent"] == 0, "at the end of the list nothing moves and nothing is sent"


def test_moving_among_pictures_wraps_and_sends_two_cells(play: Play) -> None:
    played = play([*TO_TICKET[:-1], *keys("up", *["down"] * 8)])
    assert [state["at"] for state in played[-9:]] == [7, 0, 1, 2, 3, 4, 5, 6, 7]
    assert all(0 < state["sent"] <= 60_000 and state["whole"] for state in played[-9:])


def test_silence_warns_then_forgets(play: Play) -> None:
    played = play([*TO_TICKET[:3], ["wait", 44_999], ["wait", 1], ["wait", 24_999], ["wait", 1]])
    assert [state["warned"] for state in played[-4:]] == [False, True, True, False]
    assert names(played)[-4:] == ["flags", "flags", "flags", "idle"]
    assert played[-1]["need"] is None
    assert played[-1]["left_ms"] is None, "idle wakes for nothing"


def test_help_does_not_wait_for_the_warning(play: Play) -> None:
    played = play([*TO_TICKET[:3], ["wait", 60_000], ["key", "help"], ["key", "back"]])
    assert names(played)[-3:] == ["flags", "help", "flags"]
    assert played[-2]["wishes"] and played[-1]["whole"]


def test_one_key_extends_and_does_nothing_else(play: Play) -> None:
    played = play([*TO_TICKET[:3], ["wait", 60_000], ["key", "yes"], ["wait", 44_000], ["key", "yes"]])
    assert names(played)[-4:] == ["flags", "flags", "flags", "lane"]
    assert [state["warned"] for state in played[-4:]] == [True, False, False, False]


@pytest.mark.parametrize(
    ("walk", "screen", "ms"),
    [
        (keys("yes", "yes", "yes", "yes", "yes", "yes"), "ticket", 60_000),
        (keys("yes", "yes", "yes", "down", "yes"), "emergency", 120_000),
        ([["hub", "full", True], *keys("yes", "yes", "yes", "yes")], "sorry", 30_000),
    ],
)
def test_what_holds_no_half_answers_ends_by_itself(play: Play, walk: Steps, screen: str, ms: int) -> None:
    played = play([*walk, ["wait", ms - 1], ["wait", 1]])
    assert names(played)[-3:] == [screen, screen, "idle"]


def test_an_unread_ticket_is_shown_again_after_a_restart(play: Play) -> None:
    played = play([*TO_TICKET, ["wait", 20_000], ["restart"], ["key", "yes"]])
    assert names(played)[-3:] == ["ticket", "ticket", "idle"]
    assert played[-2]["label"] == "K10"
    assert names(play([*TO_TICKET, ["wait", 60_000], ["restart"]]))[-1] == "idle"


def test_a_ticket_that_was_called_at_once_is_shown_again_too(play: Play) -> None:
    for state, screen in (("called", "ticket"), ("seated", "idle")):
        assert names(play([*TO_TICKET, ["visit", "state", state], ["restart"]]))[-1] == screen


def test_an_emergency_stays_one_after_a_restart(play: Play) -> None:
    played = play([*keys("yes", "yes", "yes", "down", "yes"), ["restart"], ["wait", 120_000]])
    assert names(played)[-3:] == ["emergency", "emergency", "idle"]
    assert played[-2]["label"] == "K10"


def test_idle_shows_the_hub_and_sends_only_when_it_changes(play: Play) -> None:
    played = play(
        [
            ["wait", 3_600_000],
            ["hub", "counts", {"waiting": 7}],
            ["hub", "counts", {"waiting": 7}],
            ["hub", "last_call", ["K47", "2"]],
            ["hub", "day_open", False],
        ]
    )
    assert [state["sent"] > 0 for state in played] == [True, False, True, False, True, True]
    assert all(state["whole"] for state in played)


def test_changes_of_the_hub_leave_other_screens_alone(play: Play) -> None:
    played = play([*keys("yes", "yes"), ["hub", "counts", {"waiting": 7}]])
    assert played[-1]["sent"] == 0


@pytest.mark.parametrize("language", [0, 1])
def test_nothing_is_clipped_on_any_screen(play: Play, language: int) -> None:
    choose = keys("yes", *["down"] * language, "yes")
    walks: Steps = [
        *choose, *keys("yes", "yes", "yes", "yes", "help", "back", "back"),
        *choose, *keys("yes", "down", "yes", "yes"),
        *choose, ["wait", 46_000], ["key", "yes"], ["wait", 80_000],
        ["hub", "last_call", ["K999", "88"]],
    ]  # fmt: skip
    for reason in ("day_closed", "full", "journal_full", "other"):
        walks += [["hub", "refuse", reason], *choose, *keys("yes", "yes", "yes", "yes", "yes")]
    walks += [["hub", "day_open", False], ["hub", "full", True], ["hub", "day_open", True]]
    played = play(walks)
    assert {"idle", "ticket", "help", "emergency", "sorry"} <= set(names(played))
    assert played[-1]["clipped"] == []


def test_visitors_leave_nothing_on_the_heap(play: Play) -> None:
    heaps = [state["heap"] for state in play([["visits", 50], ["visits", 150]]) if "heap" in state]
    assert heaps[1] <= heaps[0] * 1.01
