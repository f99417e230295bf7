"""The check-in by keys: every answer, a day closed or full, and what is an emergency and no ticket."""

from pathlib import Path

import pytest
from walks_rig import OPEN, TICKET, Play, Steps, keys, names, presses

KEY_MOST = 307_200  # bytes that a key may send


def test_the_shortest_walk_to_an_urgent_ticket(play: Play) -> None:
    played = play([*OPEN, *TICKET])[len(OPEN) :]
    assert names(played) == ["idle", "language", "need", "flags", "size", "pictogram", "ticket"]
    assert presses(TICKET) <= 8
    name, args = played[-1]["wishes"][-1]
    assert name == "checkin"
    assert (args["need"], args["lane"], args["lang"], args["pictogram"], args["size"], args["by"]) == (
        "toothache", "any", "en", "sun", 1, "self",
    )  # fmt: skip
    label = played[-1]["label"]
    assert [visit[0] for visit in played[-1]["visits"]] == [label]
    assert len(played[-1]["code"]) == 8
    assert all(state["sent"] <= KEY_MOST for state in played)


@pytest.mark.parametrize(
    ("moves", "need"),
    [
        ((), "toothache"),
        (("down",), "swelling"),
        (("down", "down"), "bleeding"),
        (("down", "down", "down"), "broken"),
        (("up", "up"), "denture"),
        (("up",), "checkup"),
    ],
)
def test_each_need_and_its_questions(play: Play, moves: tuple[str, ...], need: str) -> None:
    flags = [] if need == "checkup" else ["yes"]
    last = play([*OPEN, *keys("yes", "yes", *moves, "yes", *flags, "yes", "yes")])[-1]
    assert last["screen"] == "ticket"
    assert last["wishes"][-1][1]["need"] == need


def test_the_lane_is_asked_only_where_it_matters(play: Play) -> None:
    day: Steps = [["wish", "day_open", {}]]
    walk = keys("yes", "yes", "yes", "yes")
    assert names(play([*day, *walk]))[-1] == "lane", "no chair is open yet"
    everything: Steps = [*day, ["wish", "chair_open", {"chair": "1"}]]
    assert names(play([*everything, *walk]))[-1] == "size"
    adults: Steps = [*everything, ["wish", "chair_open", {"chair": "2", "lanes": ["adult"]}]]
    played = play([*adults, *walk, *keys("down", "down", "yes", "yes", "yes")])
    assert names(played)[-4:] == ["lane", "size", "pictogram", "ticket"]
    assert played[-1]["wishes"][-1][1]["lane"] == "child"


def test_a_family_gets_linked_tickets_page_by_page(play: Play) -> None:
    walk = keys("yes", "yes", "yes", "yes", "down", "down", "yes", "yes")
    played = play([*OPEN, *walk, *keys("yes", "yes", "back", "back", "back", "yes", "yes", "yes")])
    ticket = played[len(OPEN) + len(walk)]
    assert ticket["screen"] == "ticket"
    assert len(ticket["others"]) == 2
    assert len(ticket["visits"]) == 3
    assert names(played)[-8:] == ["ticket"] * 7 + ["seat"], "three pages, none of which back leads out of"


def test_more_pictures_are_a_key_away_and_free_ones_come_first(play: Play) -> None:
    walk = TICKET[:-1]
    played = play([*OPEN, *walk, *keys("up", "yes", "yes")])
    assert played[-3]["at"] == 8
    assert played[-2]["at"] == 0
    assert played[-1]["wishes"][-1][1]["pictogram"] == "leaf", "the ninth of them"
    again = play([*OPEN, *TICKET, ["home"], *TICKET])[-1]
    assert again["wishes"][-1][1]["pictogram"] == "fish", "the sun is somebody's"
    round_again = play([*OPEN, *walk, *keys(*["up", "yes"] * 4, "yes")])[-1]
    assert round_again["wishes"][-1][1]["pictogram"] == "sun", "after the last page the first"


def test_a_language_chosen_on_the_way_does_not_spoil_the_first_question(play: Play) -> None:
    begun = keys("yes", "yes")
    on_the_way: Steps = [["hold", "help"], *keys("down", "yes")]
    played = play([*OPEN, *begun, *on_the_way, *keys("back", "yes")])
    assert names(played)[-3:] == ["need", "language", "need"]
    left: Steps = [["hold", "help"], *keys("back")]
    assert names(play([*OPEN, *begun, *left, *keys("back", "yes")]))[-3:] == ["need", "language", "need"]
    twice: Steps = [["hold", "help"], ["key", "help"], ["hold", "help"], *keys("yes", "yes", "yes")]
    assert names(play([*OPEN, *begun, *twice]))[-6:] == [
        "language", "help", "language", "help", "language", "need",
    ]  # fmt: skip


def test_moving_is_cheap_and_long_lists_wrap(play: Play) -> None:
    played = play([*OPEN, *keys("yes", "yes", "down", "up", "up", "down")])[len(OPEN) + 3 :]
    assert [state["at"] for state in played] == [1, 0, 5, 0]
    assert all(0 < state["sent"] <= 100_000 for state in played)
    played = play([*OPEN, *TICKET[:-1], *keys("up", "up", "down", "down", "down")])[len(OPEN) + 6 :]
    assert [state["at"] for state in played] == [8, 7, 8, 0, 1]
    assert all(0 < state["sent"] <= 100_000 for state in played)


def test_any_key_but_back_begins_and_back_leads_out_of_everything(play: Play) -> None:
    for first in ("up", "down", "yes"):
        assert names(play(keys(first)))[-1] == "language"
    assert names(play(keys("back")))[-1] == "mine"
    walk = keys("yes", "down", "yes", "down", "yes", "yes", "down", "down", "yes")
    played = play([*OPEN, *walk, *keys("back", "back", "back", "back", "back")])
    assert names(played)[-6:] == ["pictogram", "size", "flags", "need", "language", "idle"]
    assert [state["at"] for state in played[-5:-1]] == [2, 0, 1, 1], "each answer is still highlighted"
    assert played[-1]["need"] is None
    assert played[-1]["language"] == "en"
    assert not played[-1]["visits"]


# When there is no ticket


def test_closed_is_said_before_more_is_asked(play: Play) -> None:
    played = play(keys("yes", "yes", "yes", "yes", "yes"))
    assert names(played)[-2:] == ["sorry", "idle"]
    assert not played[-1]["wishes"]


def test_a_full_day_offers_tomorrow_and_keeps_the_promise(play: Play) -> None:
    full: Steps = [*OPEN, ["wish", "full_today", {"full": True}]]
    played = play([*full, *keys("yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes")])
    assert names(played)[-5:] == ["offer", "pictogram", "ticket", "seat", "idle"]
    assert played[-1]["wishes"][-1][0] == "promise"
    assert played[-3]["code"]
    assert played[-1]["promises"] and not played[-1]["visits"]
    assert names(play([*full, *keys("yes", "yes", "yes", "yes", "down", "yes")]))[-2:] == ["offer", "idle"]


def test_a_promise_is_redeemed_by_its_code(play: Play) -> None:
    full: Steps = [*OPEN, ["wish", "full_today", {"full": True}]]
    tomorrow: Steps = [["wish", "day_close", {}], ["wish", "day_open", {}]]
    promised = keys("yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes")
    played = play([*full, *promised, *tomorrow, *keys("back", "yes"), ["type"], *keys("yes")])
    assert names(played)[-2:] == ["mine_visit", "ticket"]
    assert played[-1]["wishes"][-1] == ["checkin", {"promise": played[-2]["label"], "by": "self"}]
    assert len(played[-1]["visits"]) == 1
    assert played[-1]["promises"] == []


@pytest.mark.parametrize("reason", ["journal_full", "full", "a_reason_without_words"])
def test_a_refused_ticket_is_never_shown(play: Play, reason: str) -> None:
    played = play([*OPEN, ["refuse", reason], *TICKET, ["key", "yes"]])
    assert names(played)[-2:] == ["sorry", "idle"]
    assert played[-1]["label"] is None


# Emergency


@pytest.mark.parametrize(
    ("moves", "flag"),
    [
        (("down",), "breathing"),
        (("down", "down"), "swelling_face"),
        (("down", "down", "down"), "bleeding_heavy"),
        (("up", "up"), "injury"),
        (("up",), "sepsis"),
    ],
)
def test_a_red_flag_is_an_emergency_at_once(play: Play, moves: tuple[str, ...], flag: str) -> None:
    played = play([*OPEN, *keys("yes", "yes", "yes", *moves, "yes")])
    last = played[-1]
    assert last["screen"] == "emergency"
    assert last["wishes"][-1][1]["need"] == flag
    assert last["alerts"] == ["emergency"]
    assert last["sent"] <= KEY_MOST


def test_only_airway_sepsis_and_injury_ask_for_an_ambulance(play: Play, tmp_path: Path) -> None:
    flagged = {"breathing": 1, "swelling": 2, "bleeding": 3, "injury": 4, "sepsis": 5}
    for name, downs in flagged.items():
        play([*OPEN, *keys("yes", "yes", "yes", *["down"] * downs, "yes"), ["snap", name]], tmp_path)
    # The band between the text and the label says it, or is empty.
    band = {name: (tmp_path / f"{name}.rgb").read_bytes()[148 * 960 : 244 * 960] for name in flagged}
    assert len(set(band["swelling"])) <= 2 and band["swelling"] == band["bleeding"]
    assert band["breathing"] == band["injury"] == band["sepsis"] != band["swelling"]


def test_no_key_loses_an_emergency_and_each_calls_again(play: Play) -> None:
    walk = keys("yes", "yes", "yes", "down", "yes")
    played = play([*OPEN, *walk, *keys("yes", "back", "up", "down", "help", "back")])
    assert names(played)[-6:] == ["emergency"] * 6
    assert sorted(played[-1]["alerts"]) == ["emergency", "help"], "called again, and not once a key"
    assert [wish[0] for wish in played[-1]["wishes"]] == ["checkin", "alert_raise"]


def test_an_emergency_ends_for_others_but_stands(play: Play) -> None:
    walk = keys("yes", "yes", "yes", "down", "yes")
    played = play([*OPEN, *walk, ["wait", 59_999], ["wait", 1], *TICKET])
    assert names(played)[-9:-6] == ["emergency", "emergency", "idle"]
    assert played[-1]["screen"] == "ticket"
    assert played[-1]["alerts"] == ["emergency"]
    acknowledged = play([*OPEN, *walk, ["wait", 1000], ["wish", "alert_ack", {}]])
    assert names(acknowledged)[-2:] == ["emergency", "idle"]


def test_idle_says_that_an_emergency_stands(play: Play, tmp_path: Path) -> None:
    walk = keys("yes", "yes", "yes", "down", "yes")
    play(
        [*OPEN, ["snap", "before"], *walk, ["home"], ["snap", "during"], ["wish", "alert_ack", {}],
         ["snap", "after"]],
        tmp_path,
    )  # fmt: skip
    before, during, after = (
        (tmp_path / f"{name}.rgb").read_bytes()[: 52 * 960] for name in ("before", "during", "after")
    )
    assert before == after != during
    red = (0xB0 & 0xF8) << 8 | 0x20 >> 3
    assert during[-2:] == red.to_bytes(2)


def test_a_red_flag_works_when_nothing_else_does(play: Play) -> None:
    walk = keys("yes", "yes", "yes", "down", "yes")
    for trouble in ([], [*OPEN, ["wish", "full_today", {"full": True}]]):
        assert play([*trouble, *walk])[-1]["alerts"] == ["emergency"]
    refused = play([*OPEN, ["refuse", "journal_full"], *walk])[-1]
    assert refused["screen"] == "emergency"
    assert refused["alerts"] == ["emergency"]
