"""Every screen is reached by keys in every language, fits, and leaves nothing in memory."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest
from walks_rig import LATER, OPEN, TICKET, Play, Steps, keys, names

from smilehub.devices import assets_fonts, assets_strings, memory

ROOT = Path(__file__).parents[2]
FULL = 480 * 320 * 2
STRINGS = ROOT / "firmware" / "kiosk" / "strings"
CODES = [str(code) for code in tomllib.loads((STRINGS / "boxes.toml").read_text())["languages"]]


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


def test_what_nobody_uses_can_be_dropped_and_comes_back(play: Play) -> None:
    used, left = play([*OPEN, *TICKET[:2], ["wait", 10_000], ["spare"], ["home"]])[-2:]
    assert (used["spared"], used["screen"], used["groups"]) == (True, "need", ["need"])
    assert (left["screen"], left["groups"]) == ("idle", ["idle", "need"])
    begun = TICKET[:-1]
    played = play([*OPEN, *begun, ["home"], ["wait", 4999], ["spare"], ["wait", 1], ["spare"], *TICKET])
    early, _, late = played[-9:-6]
    assert (early["spared"], early["groups"]) == (False, ["idle", "need"])
    assert (late["spared"], late["groups"], late["screen"]) == (True, ["idle"], "idle")
    assert names(played)[-7:] == ["idle", "language", "need", "flags", "size", "pictogram", "ticket"]


def groups_after(play: Play, *steps: Any) -> list[list[str]]:
    """What is in memory after each key, when there is time to read each screen."""
    walk: Steps = [step for one in steps for step in (one, ["read"])]
    return [
        state["groups"] for state in play([*OPEN, ["home"], ["read"], *walk]) if state["step"] == ["read"]
    ]


def test_what_comes_next_is_in_memory_before_it_is_shown(play: Play) -> None:
    idle, language, need, flags, size, pictogram, ticket, seat = groups_after(play, *TICKET, *keys("yes"))
    assert idle == language == ["idle", "need"]
    assert need == flags == size == pictogram == ["need", "pictogram"]
    assert ticket == seat == ["idle", "pictogram"]
    _, mine, code = groups_after(play, *keys("back", "yes"))
    assert mine == code == ["idle", "mine", "mine_code"]


def test_a_ticket_is_written_with_no_more_than_its_own_screens_in_memory(play: Play) -> None:
    walk = [step for key in TICKET for step in (key, ["read"])]
    assert play([*OPEN, ["read"], *walk])[-1]["wished"] == ["pictogram"]


def test_nothing_in_use_makes_room_for_what_comes_next(play: Play) -> None:
    walk = [*keys("yes", "yes", "yes"), ["home"], *keys("back", "yes"), ["read"], ["hold", "help"], ["read"]]
    before, after = (state for state in play([*OPEN, *walk]) if state["step"] == ["read"])
    assert (before["screen"], after["screen"]) == ("mine_code", "language")
    assert after["groups"] == before["groups"]


@pytest.mark.parametrize("part", [1, 2, 3])
def test_a_picture_that_memory_lacks_for_is_drawn_once_more(play: Play, tmp_path: Path, part: int) -> None:
    whole, lacking = (
        play([*OPEN, *TICKET[:2], ["home"], *keys("back"), press, ["snap", press[0]]], tmp_path)[-1]
        for press in (["key", "down"], ["lack", part, "down"])
    )
    assert whole["screen"] == lacking["screen"] == "mine"
    assert (tmp_path / "key.rgb").read_bytes() == (tmp_path / "lack.rgb").read_bytes()
    assert lacking["groups"] == ["mine"] != whole["groups"], "what nobody uses has made room"


def test_visitors_leave_nothing_on_the_heap(play: Play) -> None:
    played = play([*OPEN, ["visits", 30], ["visits", 90]])
    heaps = [state["heap"] for state in played if "heap" in state]
    assert heaps[1] <= heaps[0] * 1.01


def test_what_takes_turns_in_memory_is_counted() -> None:
    source = (ROOT / "firmware" / "kiosk" / "groups.py").read_text()
    tables: dict[str, Any] = {"const": int}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign):
            exec(ast.unparse(node), tables)
    groups = {name: {f"kiosk/{module}" for module in modules} for name, modules in tables["GROUPS"].items()}
    assert tables["BESIDE"].keys() <= groups.keys()
    together = [(name, other) for name in groups for other in (name, *tables["BESIDE"].get(name, ()))]
    for name, other in together:
        if name == "desk_alert" and other in ("idle", "mine", "mine_code", "mine_find", "desk_in"):
            continue  # with staff signed in nobody is there
        assert any(groups[name] | groups[other] <= each for each in memory.TURNS[0]), (name, other)
