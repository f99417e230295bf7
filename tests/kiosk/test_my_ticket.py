"""Consents, codes, and what who has a ticket may do without staff."""

import pytest
from walks_rig import GIVE, OPEN, TICKET, WITHDRAW, Play, Steps, keys, names, presses


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


@pytest.mark.parametrize("how", ["served", "left", "no_show"])
def test_who_has_gone_takes_a_consent_back_by_code_and_can_do_nothing_else(play: Play, how: str) -> None:
    ticket = play([*OPEN, *GIVE])[-1]["visits"][0][0]
    gone: Steps = [*OPEN, *GIVE, ["home"], ["wish", "call", {"chair": "2"}]]
    gone += [["wish", how, {"ticket": ticket}], *keys("back", "yes"), ["type"]]
    played = play([*gone, *keys("down", "down")])
    assert played[-1]["visits"] == [] and played[-1]["closed"] == {ticket: ["teaching"]}
    assert [state["screen"] for state in played[-3:]] == ["mine_visit"] * 3
    assert [state["at"] for state in played[-3:]] == [0, 1, 1], "two answers, no more"
    played = play([*gone, *keys("yes", "yes", "yes")])
    assert names(played)[-3:] == ["mine_done", "mine_visit", "idle"], "nothing is left but to finish"
    assert played[-1]["wishes"][-1] == ["consent_withdraw", {"ticket": ticket, "purpose": "teaching"}]
    assert played[-1]["closed"] == {ticket: []}
    assert presses(WITHDRAW) <= presses(GIVE)
    assert names(play([*gone, *keys("down", "yes")]))[-1] == "idle"


def test_a_family_takes_consents_back_for_who_has_gone_too(play: Play) -> None:
    family = keys("yes", "yes", "yes", "yes", "down", "yes", "yes")
    given: Steps = [*OPEN, *family, *keys("yes", "yes", "yes", "yes", "down", "yes"), ["home"]]
    first, second = (visit[0] for visit in play(given)[-1]["visits"])
    gone: Steps = [*given, ["wish", "left", {"ticket": first}], *keys("back", "yes"), ["type"]]
    played = play([*gone, *keys("yes")])
    assert (played[-1]["label"], played[-1]["others"]) == (second, [first])
    assert played[-1]["closed"] == {first: []} and played[-1]["visits"][0][2] == []
    # What is given later is given for who is here.
    played = play([*gone, *keys("yes", "yes", "down", "yes")])
    assert names(played)[-1] == "mine_done"
    assert played[-1]["closed"] == {first: []} and len(played[-1]["visits"][0][2]) == 1


def test_a_visit_that_ends_while_its_screen_shows_leaves_only_what_can_be_taken_back(play: Play) -> None:
    ticket = play([*OPEN, *GIVE])[-1]["visits"][0][0]
    here: Steps = [*OPEN, *GIVE, ["home"], *keys("back", "yes"), ["type"], *keys("down")]
    ended: Steps = [*here, ["wish", "left", {"ticket": ticket}]]
    played = play(ended)
    assert (played[-2]["at"], played[-1]["at"]) == (1, 1), "the harmless answer is chosen"
    assert played[-1]["sent"] > 0
    assert names(play([*ended, *keys("yes")]))[-1] == "idle"
    assert play([*ended, *keys("up", "yes")])[-1]["closed"] == {ticket: []}


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
