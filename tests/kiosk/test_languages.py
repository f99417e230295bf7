"""More languages than idle has room for, and one that runs from right to left: no screen knows of either."""

from pathlib import Path

from PIL import Image, ImageChops
from walks_rig import Play, Steps, keys

Box = tuple[int, int, int, int]

OPEN: Steps = [["wish", "day_open", {}], ["wish", "chair_open", {"chair": "2", "lanes": ["child"]}]]
TURN_MS = 8000
BLACK, WHITE, YELLOW = (0, 0, 0), (255, 255, 255), (255, 218, 65)


def shot(folder: Path, name: str) -> Image.Image:
    data = bytearray((folder / f"{name}.rgb").read_bytes())
    data[::2], data[1::2] = data[1::2], data[::2]
    return Image.frombytes("RGB", (480, 320), bytes(data), "raw", "BGR;16")


def where(image: Image.Image, colour: tuple[int, int, int], box: Box = (0, 0, 480, 320)) -> Box:
    """The box, within a box, of the pixels of a colour."""
    part = image.crop(box)
    other = ImageChops.difference(part, Image.new("RGB", part.size, colour)).convert("L")
    found = other.point([255] + [0] * 255).getbbox()
    assert found is not None
    return found[0] + box[0], found[1] + box[1], found[2] + box[0], found[3] + box[1]


def mirrored(box: Box) -> Box:
    return 480 - box[2], box[1], 480 - box[0], box[3]


def test_languages_that_idle_has_no_room_for_take_turns(play_many: Play, tmp_path: Path) -> None:
    turns: Steps = [["snap", "0"], ["wait", TURN_MS - 1], ["snap", "early"]]
    for turn in "123":
        turns += [["wait", TURN_MS], ["snap", turn]]
    played = play_many([*OPEN, *turns], tmp_path)
    assert not played[-1]["faults"]
    assert played[len(OPEN)]["left_ms"] == TURN_MS
    sent = [state["sent"] for state in played if state["step"] == ["wait", TURN_MS]]
    assert all(0 < each <= 4 * 48 * 480 * 2 for each in sent)
    pictures = [shot(tmp_path, name) for name in ("0", "1", "2", "3")]
    assert shot(tmp_path, "early").tobytes() == pictures[0].tobytes() == pictures[3].tobytes()
    lines = [
        {picture.crop((0, y, 480, y + 48)).tobytes() for y in range(56, 248, 48)} for picture in pictures
    ]
    assert [len(each) for each in lines] == [4] * 4
    assert len(lines[0] | lines[1]) == 6, "all six within two turns"
    assert len(lines[0] | lines[1] | lines[2]) == 6
    for picture in pictures:  # heading and status stay
        assert picture.crop((0, 0, 480, 52)).tobytes() == pictures[0].crop((0, 0, 480, 52)).tobytes()
        assert picture.crop((0, 252, 480, 320)).tobytes() == pictures[0].crop((0, 252, 480, 320)).tobytes()


def test_no_turn_is_taken_while_somebody_is_there(play_many: Play) -> None:
    played = play_many([*OPEN, ["key", "yes"], ["wait", TURN_MS], ["key", "back"], ["wait", 1]])
    assert [state["screen"] for state in played[-4:]] == ["language", "language", "idle", "idle"]
    assert [state["sent"] for state in (played[-3], played[-1])] == [0, 0]


def test_all_languages_are_in_the_list(play_many: Play) -> None:
    played = play_many([*OPEN, ["key", "yes"], *[["key", "down"]] * 5, ["key", "yes"]])
    assert (played[-1]["screen"], played[-1]["language"]) == ("need", "yy")
    assert not played[-1]["faults"]


def test_from_right_to_left_every_screen_is_the_other_way_round(play_many: Play, tmp_path: Path) -> None:
    def look(name: str) -> Steps:
        return [step for code in ("en", "xx") for step in (["language", code], ["snap", f"{name}-{code}"])]

    played = play_many(
        [
            *OPEN, ["wish", "checkin", {"need": "toothache"}], ["wish", "checkin", {"need": "toothache"}],
            ["wish", "chair_open", {"chair": "1"}], ["wish", "call", {"chair": "1"}], *look("idle"),
            *keys("yes", "yes"), *look("need"), *keys("down"), *look("next"),
            *keys("up", "yes", "yes", "yes", "yes"), *look("pictogram"), *keys("yes"), *look("ticket"),
            ["home"], *keys("back", "yes", "up", "up"), *look("code"),
        ],
        tmp_path,
    )  # fmt: skip
    assert not played[-1]["faults"]
    assert played[-1]["screen"] == "mine_code"

    def both(name: str) -> tuple[Image.Image, Image.Image]:
        return shot(tmp_path, f"{name}-en"), shot(tmp_path, f"{name}-xx")

    # The chosen answer, its arrow and its picture; the row and the picture make a mirrored shape.
    for name in ("need", "next"):
        left, right = both(name)
        assert where(left, YELLOW)[1::2] == where(right, YELLOW)[1::2]
        below = where(left, YELLOW)[3] - 1  # only the picture is so far down
        assert left.getpixel((401, below)) == YELLOW == right.getpixel((480 - 402, below))
        assert left.getpixel((398, below)) == right.getpixel((480 - 399, below)) != YELLOW
    # A heading begins at its own side.
    left, right = both("need")
    assert where(left, WHITE, (0, 0, 480, 52))[0] < 20
    assert where(right, WHITE, (0, 0, 480, 52))[2] > 460
    # Idle: how many wait, then who was called.
    left, right = both("idle")
    assert where(left, WHITE, (0, 252, 480, 300))[0] < 16
    assert where(right, WHITE, (0, 252, 480, 300))[2] > 464
    assert where(left, WHITE, (0, 252, 480, 300))[2] < 330
    assert where(right, WHITE, (0, 252, 480, 300))[0] > 150
    # The grid, the ticket's picture and its label, the boxes of a code.
    left, right = both("pictogram")
    assert where(right, YELLOW) == mirrored(where(left, YELLOW))
    left, right = both("ticket")
    for area in ((340, 60, 480, 170), (0, 60, 300, 170)):
        found = where(left, WHITE, area)
        other = where(right, WHITE, mirrored(area))
        assert found[1::2] == other[1::2]
        assert found[2] - found[0] == other[2] - other[0]
        assert abs(mirrored(found)[0] - other[0]) <= 20  # a picture is not itself turned round
    left, right = both("code")
    assert (_inside(left, 16), _inside(left, 16 + 7 * 56)) == (True, False)
    assert (_inside(right, 20), _inside(right, 20 + 7 * 56)) == (False, True)


def _inside(image: Image.Image, x: int) -> bool:
    """Whether there is a symbol in the box of a code at x."""
    return image.crop((x + 6, 76, x + 46, 116)).getbbox() is not None
