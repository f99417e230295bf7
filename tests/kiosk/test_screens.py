"""Every screen is reached by keys and left again; what it sends, says, fits and forgets."""

import ast
import tomllib
from pathlib import Path
from typing import Any, Protocol

import pytest

from smilehub.devices import assets_fonts, assets_strings, memory

ROOT = Path(__file__).parents[2]
Steps = list[list[Any]]


class Play(Protocol):
    """conftest's: plays steps, with pictures of those called "snap" in a folder."""

    def __call__(self, steps: Steps, pictures: Path | None = None) -> list[dict[str, Any]]: ...


FULL = 480 * 320 * 2
KEY_MOST = 307_200
STRINGS = ROOT / "firmware" / "kiosk" / "strings"
CODES = [str(code) for code in tomllib.loads((STRINGS / "boxes.toml").read_text())["languages"]]

OPEN: Steps = [["wish", "day_open", {}], ["wish", "chair_open", {"chair": "2"}]]


def keys(*names: str) -> Steps:
    return [["key", name] for name in names]


def names(played: list[dict[str, Any]]) -> list[str]:
    return [state["screen"] for state in played if "screen" in state]


def presses(steps: Steps) -> int:
    return sum(8 if step[0] == "type" else step[0] == "key" for step in steps)


# idle, language, need, flags, size, pictogram, ticket
TICKET = keys("yes", "yes", "yes", "yes", "yes", "yes")
# Something is recorded a while later: without a record a kiosk does not know how long it was on.
LATER: Steps = [["wait", 90_000], ["wish", "full_today", {"full": False}]]
GIVE = [*TICKET, *keys("yes", "yes", "yes", "down", "yes")]
WITHDRAW: Steps = [*keys("back", "yes"), ["type"], *keys("yes")]


# Check-in


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


# Help, languages, silence, power


def test_help_calls_once_and_keeps_the_answers(play: Play) -> None:
    played = play(keys("yes", "yes", "down", "help", "help", "yes", "help", "back"))
    assert names(played)[-6:] == ["need", "help", "help", "need", "help", "need"]
    assert played[-1]["alerts"] == ["help"]
    assert played[-1]["at"] == 1
    again = play([*keys("help", "yes"), ["wish", "alert_ack", {}], *keys("help")])
    assert len([wish for wish in again[-1]["wishes"] if wish[0] == "alert_raise"]) == 2


def test_help_acts_when_let_go_and_lists_the_languages_when_held(play: Play) -> None:
    down: Steps = [["event", "help", "press"]]
    tapped = play([*keys("yes", "yes"), *down, ["event", "help", "release"]])
    assert names(tapped)[-2:] == ["need", "help"]
    held = play([*keys("yes", "yes"), *down, ["event", "help", "hold"], ["event", "help", "release"]])
    assert names(held)[-3:] == ["need", "language", "language"]
    assert held[-1]["alerts"] == []


@pytest.mark.parametrize(
    ("walk", "screen"),
    [
        (keys("yes", "yes", "down"), "need"),
        (keys("yes", "yes", "yes", "down", "down"), "flags"),
        (TICKET[:-1] + keys("down"), "pictogram"),
        (TICKET, "ticket"),
        (keys("yes", "yes", "yes", "down", "yes"), "emergency"),
        (keys("back", "down"), "mine"),
    ],
)
def test_the_language_changes_anywhere_and_the_place_is_kept(play: Play, walk: Steps, screen: str) -> None:
    played = play([*OPEN, *walk, ["hold", "help"], *keys("down", "yes")])
    there, listed, _, back = played[-4:]
    assert (there["screen"], listed["screen"], back["screen"]) == (screen, "language", screen)
    assert (there["at"], there["label"]) == (back["at"], back["label"])
    assert (there["language"], back["language"]) == ("en", "es")
    unchanged = play([*OPEN, *walk, ["hold", "help"], ["hold", "help"], *keys("back")])[-1]
    assert (unchanged["screen"], unchanged["language"]) == (screen, "en")


def test_silence_warns_then_forgets(play: Play) -> None:
    played = play([*OPEN, *TICKET[:3], ["wait", 44_999], ["wait", 1], ["wait", 24_999], ["wait", 1]])
    assert [state["warned"] for state in played[-4:]] == [False, True, True, False]
    assert names(played)[-4:] == ["flags", "flags", "flags", "idle"]
    assert played[-1]["need"] is None
    assert played[-1]["left_ms"] is None, "idle wakes for nothing"


def test_one_key_extends_and_does_nothing_else(play: Play) -> None:
    played = play([*OPEN, *TICKET[:3], ["wait", 60_000], ["key", "yes"], ["wait", 44_000], ["key", "yes"]])
    assert names(played)[-4:] == ["flags", "flags", "flags", "size"]
    assert [state["warned"] for state in played[-4:]] == [True, False, False, False]


def test_nothing_of_a_warning_is_left_at_home(play: Play) -> None:
    played = play([*OPEN, *TICKET[:3], ["wait", 60_000], ["home"], ["key", "yes"]])
    assert names(played)[-2:] == ["idle", "language"]


def test_help_does_not_wait_for_the_warning(play: Play) -> None:
    played = play([*OPEN, *TICKET[:3], ["wait", 60_000], ["key", "help"], ["key", "back"]])
    assert names(played)[-3:] == ["flags", "help", "flags"]
    assert played[-1]["alerts"] == ["help"]


@pytest.mark.parametrize(
    ("walk", "screen", "ms"),
    [
        (TICKET, "ticket", 60_000),
        (TICKET + keys("yes"), "seat", 60_000),
        (TICKET + keys("yes", "yes"), "intro", 30_000),
        (keys("back", "down", "yes"), "sorry", 30_000),
    ],
)
def test_what_holds_no_half_answers_ends_by_itself(play: Play, walk: Steps, screen: str, ms: int) -> None:
    played = play([*OPEN, *walk, ["wait", ms - 1], ["wait", 1]])
    assert names(played)[-3:] == [screen, screen, "idle"]


def test_a_code_half_typed_is_forgotten(play: Play) -> None:
    played = play([*keys("back", "yes", "up", "up"), ["wait", 45_000], ["wait", 25_000], *keys("back", "yes"),
                   ["type", "uuuuuu"]])  # fmt: skip
    assert played[-1]["screen"] == "mine_code", "eight keys again, not six"


def test_a_place_is_kept_through_a_power_cut(play: Play, tmp_path: Path) -> None:
    played = play([*OPEN, *TICKET, ["wait", 20_000], ["power"], ["key", "yes"], ["snap", "a"]], tmp_path)
    assert names(played)[-3:-1] == ["ticket", "idle"]
    assert played[-3]["label"] == played[-4]["label"]
    later = play([*OPEN, *TICKET, ["home"], *LATER, ["power"], ["snap", "kept"], ["key", "yes"],
                  ["key", "back"], ["snap", "usual"]], tmp_path)  # fmt: skip
    assert names(later)[-6:] == ["idle", "idle", "idle", "language", "idle", "idle"]
    kept, usual = ((tmp_path / f"{name}.rgb").read_bytes() for name in ("kept", "usual"))
    assert kept[: 52 * 960] != usual[: 52 * 960], "idle says so until somebody presses a key"
    assert kept[52 * 960 :] == usual[52 * 960 :]


def test_a_family_sees_all_its_labels_again_after_a_power_cut(play: Play, tmp_path: Path) -> None:
    walk = keys("yes", "yes", "yes", "yes", "down", "down", "yes", "yes")
    again: Steps = [["snap", "0"], ["key", "yes"], ["snap", "1"], ["key", "yes"], ["snap", "2"]]
    pages = [*again, *keys("back", "back", "back", "yes", "yes")]
    played = play([*OPEN, *walk, ["wait", 20_000], ["power"], *pages, ["key", "yes"]], tmp_path)
    before, after = played[len(OPEN) + len(walk)], played[len(OPEN) + len(walk) + 2]
    assert len(before["others"]) == 2
    assert (after["label"], set(after["others"])) == (before["label"], set(before["others"]))
    assert names(played)[-len(pages) - 2 :] == ["ticket"] * (len(pages) + 1) + ["idle"]
    first, second, third = ((tmp_path / f"{page}.rgb").read_bytes() for page in range(3))
    labels = slice(64 * 960, 164 * 960)
    assert len({first[labels], second[labels], third[labels]}) == 3
    assert not played[-1]["faults"]


def test_a_promise_not_yet_read_is_shown_again_after_a_power_cut(play: Play) -> None:
    full: Steps = [*OPEN, ["wish", "full_today", {"full": True}], *TICKET]
    played = play([*full, ["wait", 20_000], ["power"], *keys("yes")])
    assert names(played)[-2:] == ["ticket", "idle"]
    assert played[-2]["promises"] == [played[-2]["label"]]
    assert names(play([*full, ["home"], *LATER, ["power"]]))[-1] == "idle"
    others = [["wish", "day_close", {}], ["wish", "day_open", {}], ["power"]]
    assert names(play([*OPEN, *TICKET, ["home"], *others]))[-1] == "idle", "that was yesterday"


def test_staff_who_have_come_sign_in_over_an_emergency(play: Play) -> None:
    played = play([*OPEN, *keys("yes", "yes", "yes", "down", "yes"), ["hold", "yes"], ["wait", 30_000]])
    assert names(played)[-3:] == ["emergency", "desk_in", "idle"]
    assert sorted(played[-1]["alerts"]) == ["emergency", "help"], "nothing is taken away"


def test_an_emergency_not_yet_seen_is_shown_again_after_a_power_cut(play: Play) -> None:
    walk = keys("yes", "yes", "yes", "down", "yes")
    played = play([*OPEN, *walk, ["wait", 20_000], ["power"], ["wish", "alert_ack", {}]])
    assert names(played)[-2:] == ["emergency", "idle"]


def test_idle_draws_only_what_differs(play: Play) -> None:
    played = play(
        [*OPEN, ["wait", 3_600_000], *TICKET, ["home"], ["wait", 1], ["wish", "call", {"chair": "2"}],
         ["trouble", "wall"]]
    )  # fmt: skip
    idle = [state for state in played if state["screen"] == "idle"]
    sent = [state["sent"] for state in idle[-4:]]
    assert sent[1] == 0
    assert 0 < sent[2] <= 480 * 48 * 2, "one line"
    assert sent[3] > 0
    assert played[len(OPEN) + 1]["sent"] == 0, "an hour of nothing"


# Consents, codes, my ticket


def test_consents_come_after_the_ticket_and_mean_no_until_somebody_says_yes(play: Play) -> None:
    played = play([*OPEN, *TICKET, *keys("yes", "yes", "yes", "yes", "yes")])
    assert names(played)[-6:] == ["ticket", "seat", "intro", "consent", "consent", "idle"]
    assert played[-1]["visits"][0][2] == []
    assert play([*OPEN, *GIVE])[-1]["visits"][0][2] == ["teaching"]
    assert play([*OPEN, *GIVE, *keys("yes")])[-1]["visits"][0][2] == ["teaching"], "no is chosen anew"
    both = play([*OPEN, *GIVE, *keys("down", "yes")])[-1]
    assert (both["screen"], both["visits"][0][2]) == ("idle", ["study", "teaching"])


@pytest.mark.parametrize(("size", "pages"), [("yes", 1), ("down down down down down yes", 6)])
def test_home_is_few_presses_from_the_ticket(play: Play, size: str, pages: int) -> None:
    walk: Steps = [*OPEN, *keys("yes", "yes", "yes", "yes", *size.split(), "yes")]
    # From seat back shows the ticket once more; from the questions it leads home.
    seat = keys(*["yes"] * pages, "back", "yes")
    for home, most in ((keys("yes", "back"), 2), (keys("yes", "yes", "yes", "yes"), 4)):
        played = play([*walk, *seat, *home])
        assert names(played)[len(walk)] == "ticket"
        assert names(played)[-1] == "idle"
        assert names(played).count("seat") == 2
        assert "idle" not in names(played)[len(walk) : -1]
        assert presses(seat) + presses(home) <= pages + 2 + most


def test_care_does_not_depend_on_consents(play: Play) -> None:
    for answers in (keys("yes", "yes", "yes", "yes", "yes"), keys("yes", "yes", "back"), GIVE[6:]):
        played = play([*OPEN, *TICKET, *answers, ["wish", "call", {"chair": "2"}]])
        assert played[-1]["visits"][0][1] == "called"


def test_back_from_the_second_consent_is_the_first(play: Play) -> None:
    played = play([*OPEN, *TICKET, *keys("yes", "yes", "yes", "yes", "back", "back", "back", "back")])
    assert names(played)[-5:] == ["consent", "consent", "intro", "idle", "mine"]


def test_withdrawing_takes_no_more_presses_than_giving(play: Play) -> None:
    played = play([*OPEN, *GIVE, ["home"], *WITHDRAW])
    assert played[len(OPEN) + len(GIVE)]["visits"][0][2] == ["teaching"]
    assert (played[-1]["screen"], played[-1]["visits"][0][2]) == ("mine_done", [])
    assert presses(WITHDRAW) <= presses(GIVE)
    study = [*TICKET, *keys("yes", "yes", "yes", "yes", "down", "yes")]
    played = play([*OPEN, *study, ["home"], *WITHDRAW])
    assert played[len(OPEN) + len(study)]["visits"][0][2] == ["study"]
    assert played[-1]["visits"][0][2] == []
    assert presses(WITHDRAW) <= presses(study)


def test_who_was_promised_tomorrow_takes_a_consent_back_too(play: Play) -> None:
    mine: Steps = [*keys("back", "yes"), ["type"], *keys("yes", "yes")]
    played = play([*OPEN, *GIVE, ["home"], ["wish", "day_close", {}], *mine])
    assert names(played)[-2:] == ["mine_done", "mine_visit"]
    assert played[-1]["wishes"][-1] == [
        "consent_withdraw", {"ticket": played[-1]["promises"][0], "purpose": "teaching"},
    ]  # fmt: skip
    assert names(play([*OPEN, *GIVE, ["home"], ["wish", "day_close", {}], *mine, ["key", "yes"]]))[-1] == (
        "mine_leave"
    ), "it is off the list"


def test_the_code_speaks_its_owners_language_and_gives_and_leaves(play: Play) -> None:
    french = keys("yes", "down", "down", "yes", "yes", "yes", "yes", "yes")
    mine: Steps = [*OPEN, *french, ["home"], *keys("back", "yes"), ["type"]]
    played = play([*mine, *keys("down", "yes", "yes", "yes", "yes", "down", "yes", "yes")])
    menu = played[len(mine)]
    assert (menu["screen"], menu["language"]) == ("mine_visit", "fr")
    assert names(played)[-8:] == [
        f"mine_{name}" for name in ("visit", "done", "visit", "leave", "visit", "visit", "done", "visit")
    ]
    left = play([*mine, *keys("yes", "down", "yes", "yes")])
    assert names(left)[-4:] == ["mine_leave", "mine_leave", "mine_done", "idle"]
    assert left[-1]["visits"] == []
    assert left[-1]["language"] == "en"
    closed = play([*mine, *keys("up", "yes")])
    assert names(closed)[-1] == "idle"


def test_a_family_leaves_and_consents_together(play: Play) -> None:
    family = keys("yes", "yes", "yes", "yes", "down", "yes", "yes")
    given: Steps = [*OPEN, *family, *keys("yes", "yes", "yes", "yes", "down", "yes"), ["home"]]
    played = play([*given, *keys("back", "yes"), ["type"], *keys("down", "yes", "down", "yes")])
    assert [visit[2] for visit in played[len(given)]["visits"]] == [["teaching"]] * 2
    assert played[-1]["screen"] == "mine_done"
    assert played[-1]["visits"] == []


def test_back_is_a_symbol_while_a_code_is_typed_and_holding_it_leaves(play: Play) -> None:
    played = play([*OPEN, *keys("back", "yes", "back", "back", "up"), ["hold", "back"]])
    assert names(played)[-4:] == ["mine_code", "mine_code", "mine_code", "mine"]


def test_back_held_after_seven_symbols_leaves_and_is_no_wrong_code(play: Play) -> None:
    held: Steps = [["type", "udybudy"], ["hold", "back"], *keys("yes")]
    played = play([*OPEN, *TICKET, ["home"], *keys("back", "yes"), *held * 6, ["type"]])
    assert names(played)[-4:] == ["mine_code", "mine", "mine_code", "mine_visit"], "five misses would pause"
    # As the eighth symbol it counts when it is let go, or when another key follows.
    wrong: Steps = [["type", "uuuuuuub"]]
    typed = play([*OPEN, *TICKET, ["home"], *keys("back", "yes"), *wrong * 4, ["type", "uuuuuuu"],
                  ["event", "back", "press"], ["event", "back", "release"], ["type"]])  # fmt: skip
    assert names(typed)[-4:] == ["mine_code"] * 3 + ["sorry"], "five misses"
    typed = play([*OPEN, *TICKET, ["home"], *keys("back", "yes"), *wrong * 4, ["type", "uuuuuuu"],
                  ["event", "back", "press"], ["event", "up", "press"], ["type"]])  # fmt: skip
    assert names(typed)[-4:] == ["mine_code"] * 3 + ["sorry"]


def test_wrong_codes_pause_the_entry(play: Play) -> None:
    wrong: Steps = [["type", "udybudyb"]] * 5
    played = play([*OPEN, *TICKET, ["home"], *keys("back", "yes"), *wrong, ["type"]])
    assert names(played)[-6:-2] == ["mine_code"] * 4
    assert played[-1]["screen"] == "sorry"


def test_a_ticket_is_found_by_its_picture_without_a_code(play: Play) -> None:
    # The fish is the second picture in use.
    two: Steps = [*OPEN, *TICKET, ["home"], *TICKET, ["home"], *TICKET, ["home"]]
    find = keys("back", "down", "yes")
    played = play([*two, *find, *keys("down", "yes", "yes", "back")])
    assert names(played)[-4:] == ["mine_find", "mine_found", "mine_code", "mine_code"]
    played = play([*two, *find, *keys("yes", "back", "back", "back")])
    assert names(played)[-5:] == ["mine_find", "mine_found", "mine_find", "mine", "idle"]
    nobody = play([*OPEN, *find, *keys("yes")])
    assert names(nobody)[-2:] == ["sorry", "idle"]


# Everything, in every language


def everywhere(code: str) -> Steps:
    """A walk through every screen, each drawn in a language and pictured."""

    def look(*names: str) -> Steps:
        return [step for name in names for step in (["language", code], ["snap", f"{name}-{code}"])]

    def walk(*stops: Any) -> Steps:
        out: Steps = [["home"]]
        for stop in stops:
            out += keys(stop) if stop in ("up", "down", "yes", "back", "help") else look(stop)
        return out

    return [
        *look("idle-closed"), *walk("yes", "yes", "yes", "yes", "sorry-closed"),
        *OPEN, ["wish", "chair_open", {"chair": "12", "lanes": ["child"]}],
        *walk("yes", "language", "yes", "need", "yes", "flags", "yes", "lane", "yes", "size", "down", "down",
              "yes", "pictogram", "yes", "ticket-family", "yes", "yes", "yes", "seat", "yes", "intro", "yes",
              "consent-teaching", "yes", "consent-study", "down", "yes"),
        ["home"], *look("idle-open"),
        *walk("back", "mine", "yes", "code", "yes"), ["type", "udybudy"], *look("code-wrong"),
        *walk("back", "down", "yes", "find", "yes", "found"),
        ["home"], *keys("back", "yes"), ["type"], *look("visit"), *keys("yes"), *look("done-withdrawn"),
        *keys("yes", "down", "yes"), *look("done-given"), *keys("yes", "yes"), *look("leave"),
        *keys("down", "yes"), *look("done-left"),
        *walk("yes", "yes", "yes", "yes", "yes", "yes", "yes", "ticket"),
        ["wish", "call", {"chair": "2"}], *look("ticket-called"),
        *walk("help", "help"), ["home"], *look("idle-help"), ["wish", "alert_ack", {}],
        *walk("yes", "yes", "yes", "down", "yes", "emergency", "help", "emergency-again"),
        ["home"], *look("idle-emergency"), ["wish", "alert_ack", {}], ["wish", "alert_ack", {}],
        *walk("yes", "yes"), ["wait", 46_000], *look("warning"),
        ["home"],
        *[step for reason in ("full", "journal_full", "other")
          for step in (["refuse", reason], *keys("yes", "yes", "yes", "yes", "yes", "yes", "yes"),
                       *look(f"sorry-{reason}"), ["home"])], ["refuse", None],
        *LATER, ["power"], *look("idle-kept"), *keys("yes"),
        *[step for name in ("clock", "wall", "panel", "key", "journal", "laptop", "slot", "day")
          for step in (["trouble", name], ["home"], *look(f"idle-{name}"), ["well", name])],
        ["wish", "full_today", {"full": True}], ["home"], *look("idle-full"),
        *walk("yes", "yes", "yes", "yes", "offer", "yes", "yes", "yes", "ticket-tomorrow", "yes",
              "seat-tomorrow"),
    ]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_every_screen_in_every_language_fits(play: Play, code: str, tmp_path: Path) -> None:
    played = play(everywhere(code), tmp_path)
    seen = set(names(played))
    assert seen == {
        "idle", "sorry", "help", "emergency", "language", "need", "flags", "offer", "lane", "size",
        "pictogram", "ticket", "seat", "intro", "consent", "mine", "mine_code", "mine_visit", "mine_leave",
        "mine_done", "mine_find", "mine_found",
    }  # fmt: skip
    assert played[-1]["faults"] == []
    assert all(state["sent"] <= FULL * 1.25 for state in played if "sent" in state)
    assert len(list(tmp_path.iterdir())) >= 40


def test_rows_of_six_have_no_accented_capital() -> None:
    # They are 44 lines high: what rises above a small letter's accent has no room.
    boxes, languages = assets_strings.load_strings(STRINGS)
    font = assets_fonts.text_font({char for language in languages for char in language.characters})
    for language in languages:
        for box in boxes:
            if box.name.split(".")[0] in ("need", "flag", "size") and not box.name.endswith(".title"):
                for char in language.strings[box.name]:
                    glyph = font.glyphs[ord(char)]
                    assert not glyph.height or glyph.top >= 5, (language.code, box.name, char)


def test_what_few_use_leaves_memory_again(play: Play) -> None:
    mine: Steps = [*keys("back", "yes"), ["type"], ["home"]]
    desk: Steps = [["hold", "yes"], *keys("back"), ["home"]]
    # The first time leaves the names in them behind; after that nothing grows.
    played = play([*OPEN, *TICKET, ["home"], *[*mine, *desk, ["visits", 1]] * 4])
    passing = [state["passing"] for state in played if "passing" in state]
    assert any("mine" in modules for modules in passing)
    assert any("desk" in modules for modules in passing)
    assert passing[-1] == []
    heaps = [state["heap"] for state in played if "heap" in state]
    assert heaps[3] <= heaps[0] * 1.002


def test_visitors_leave_nothing_on_the_heap(play: Play) -> None:
    played = play([*OPEN, ["visits", 30], ["visits", 90]])
    heaps = [state["heap"] for state in played if "heap" in state]
    assert heaps[1] <= heaps[0] * 1.01


def test_what_takes_turns_in_memory_is_counted() -> None:
    source = (ROOT / "firmware" / "kiosk" / "groups.py").read_text()
    table = next(node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    named = ast.literal_eval(table.value).items()
    groups = {name: {f"kiosk/{module}" for module in modules} for name, modules in named}
    for name, modules in groups.items():
        others = {"need": ("idle", "desk_alert"), "desk": ("desk_alert",)}.get(name, (name,))
        for other in others:
            assert any(modules | groups[other] <= each for each in memory.TURNS[0]), (name, other)
