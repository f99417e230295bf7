"""Stories: what they may say, and that the same story and seed give the same pictures."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from smilehub.cli._app import app
from smilehub.errors import SimulationError, UsageError
from smilehub.rehearsal import script, story
from smilehub.rehearsal.hub import SimulatedHub

_DAY = """
snap closed
laptop day_open
laptop chair_open 1 adult,child
press yes   # the languages
snap
laptop checkin need=toothache lane=adult lang=en pictogram=fish
laptop call 1
wait 1 s
snap called
power off 10s
laptop served $1
"""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("dance", "nothing that can happen"),
        ("press", "so few"),
        ("press left", "no key 'left'"),
        ("chord up", "so few"),
        ("type udxy", "u, d, y and b"),
        ("hold yes please", "a time is needed"),
        ("hold yes 2 weeks", "a time is needed"),
        ("wait", "a time is needed"),
        ("wait 5", "a time is needed"),
        ("wait 101 h", "longer than"),
        ("power", "so few"),
        ("power maybe", "so few"),
        ("break chair", "no part 'chair'"),
        ("snap a/b", "name is of letters"),
        ("snap a b", "so many"),
        ("laptop call 1 2", "no more words"),
        ("laptop served $first", "no ticket"),
        ("unplug now", "nothing that can happen"),
    ],
)
def test_a_line_that_says_nothing_is_refused_by_its_number(line: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"a.story, line 3: .*{why}"):
        script.parse(f"# so it begins\nsnap\n{line}\n", "a.story")


def test_a_story_without_a_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="takes no picture"):
        script.parse("press yes\n")


def test_times_and_arguments_are_read_as_people_write_them() -> None:
    assert [step.words for step in script.parse("wait 5 s\nwait 300ms\nsnap\n")][:2] == [
        ("5", "s"),
        ("300ms",),
    ]
    with pytest.raises(UsageError, match="line 1"):
        script.parse("laptop call 1 2\nsnap")
    script.parse("laptop full_today full=true\nlaptop day_close tomorrow\nsnap")


def play(folder: Path, text: str, seed: int = 3) -> list[story.Picture]:
    to = folder / "pictures"
    to.mkdir(parents=True)
    hub = SimulatedHub(folder / "hub", seed, measure=False)
    try:
        return story.play(hub, script.parse(text), to)
    finally:
        hub.close()


def test_the_same_story_and_seed_give_the_same_pictures(tmp_path: Path) -> None:
    first, again = (play(tmp_path / name, _DAY) for name in ("one", "two"))
    assert [Path(picture.file).name for picture in first] == ["01-closed.png", "02.png", "03-called.png"]
    assert [picture.line for picture in first] == [2, 6, 10]
    assert [Path(p.file).read_bytes() for p in first] == [Path(p.file).read_bytes() for p in again]
    assert len({Path(picture.file).read_bytes() for picture in first}) == 3
    panel, wall = (480, 320), (480, 80)
    with Image.open(first[2].file) as image:
        assert image.width == 480
        assert image.height >= panel[1] + wall[1]
        lit = image.crop((0, 0, *wall)).convert("RGB").getextrema()[0][1]
        assert lit > 200  # somebody is called on the wall
    assert first[2].tones > 0


def test_a_refused_command_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match="Line 2 of the story cannot happen: The day is closed"):
        play(tmp_path, "snap\nlaptop call 1\nsnap\n")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["01.png"]


def test_a_ticket_that_was_not_given_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"Line 1 .* there is no \$1"):
        play(tmp_path, "laptop served $1\nsnap\n")


def test_the_command_lists_what_it_wrote_and_replaces_only_pictures(tmp_path: Path) -> None:
    told = tmp_path / "short.story"
    told.write_text("snap first\nbreak panel\nwait 1 s\nsnap\n")
    to = tmp_path / "to"
    to.mkdir()
    (to / "01-old.png").write_bytes(b"")
    command = ["sim", "kiosk", "--story", str(told), "--to", str(to), "--json"]
    result = CliRunner().invoke(app, command, standalone_mode=False)
    assert result.exception is None, result.output
    listed = json.loads(result.output.splitlines()[-1])
    assert [Path(p["file"]).name for p in listed["pictures"]] == ["01-first.png", "02.png"]
    assert sorted(path.name for path in to.iterdir()) == ["01-first.png", "02.png"]
    with Image.open(to / "02.png") as image:
        assert max(high for _, high in image.crop((0, 100, 480, 420)).convert("RGB").getextrema()) == 0
    (to / "letter.txt").write_text("dear")
    result = CliRunner().invoke(app, command, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert (to / "01-first.png").exists()


def test_the_help_says_what_a_story_may_say() -> None:
    shown = CliRunner().invoke(app, ["sim", "kiosk", "--help"], env={"COLUMNS": "100"}).output
    for word in (
        "press KEY",
        "hold KEY",
        "laptop COMMAND",
        "power off",
        "break PART",
        "snap [NAME]",
        "unplug",
    ):
        assert word in shown
