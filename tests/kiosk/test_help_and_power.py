"""Help, the languages, silence, and what a visitor sees again when power returns."""

from pathlib import Path

import pytest
from walks_rig import LATER, OPEN, TICKET, Play, Steps, keys, names


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
