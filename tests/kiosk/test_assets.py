"""Fonts, pictograms and strings: complete, readable, fitting, the same every time."""

import re
import shutil
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from hubcore.labels import LAST, LETTERS, PICTOGRAMS
from smilehub.devices import assets

ROOT = Path(__file__).parents[2]
STRINGS = ROOT / "firmware" / "kiosk" / "strings"
BOARD = tomllib.loads((ROOT / "hardware" / "kiosk" / "board.toml").read_text())


def test_the_same_inputs_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    for path in assets.build(tmp_path):
        assert path.read_bytes() == (built / path.name).read_bytes(), path.name


def test_capitals_are_as_high_as_en_301_549_asks() -> None:
    # 5.1.4: 0.7 degrees of the field of view.
    text = assets.text_font(assets.load_strings(STRINGS)[1])
    assert text.cap * BOARD["panel"]["pitch_mm"] >= 4.9 * BOARD["panel"]["distance_mm"] / 400
    wall = assets.wall_font()
    assert wall.cap == 14
    assert wall.cap * BOARD["wall"]["pitch_mm"] >= 0.0122 * BOARD["wall"]["distance_mm"]


def test_a_screen_has_six_lines_of_22_to_27_characters() -> None:
    boxes, languages = assets.load_strings(STRINGS)
    text = assets.text_font(languages)
    assert BOARD["panel"]["height"] // text.height == 6
    everything = [lang.strings[box.name] for lang in languages for box in boxes]
    mean = sum(text.measure(s.replace("{}", "")) for s in everything) / sum(len(s) for s in everything)
    assert 22 <= BOARD["panel"]["width"] / mean <= 28


def test_every_label_fits_beside_its_pictogram_and_on_the_wall() -> None:
    label = assets.label_font()
    widest = max(label.measure(letter + str(LAST)) for letter in LETTERS)
    assert 8 + widest <= BOARD["panel"]["width"] - 8 - assets.PICTOGRAM_LARGE
    wall = assets.wall_font()
    for letter in LETTERS:
        assert wall.measure(letter + "888") + 11 + wall.measure("12") <= BOARD["wall"]["columns"] * 8
    for code in map(ord, LETTERS + "0123456789"):
        assert wall.glyphs[code].top + wall.glyphs[code].height <= 14


def test_pictograms_can_be_told_apart_in_one_colour() -> None:
    size = assets.PICTOGRAM_SMALL
    bits = {name: int.from_bytes(assets.draw_pictogram(name, size).tobytes()) for name in PICTOGRAMS}
    for name, value in bits.items():
        assert 0.08 <= value.bit_count() / size**2 <= 0.7, name
    for one, other in combinations(PICTOGRAMS, 2):
        union = (bits[one] | bits[other]).bit_count()
        assert (bits[one] ^ bits[other]).bit_count() / union >= 0.4, (one, other)


def contrast(one: int, other: int) -> float:
    """WCAG 2.2 contrast ratio of two RGB888 colours after the panel's RGB565."""

    def luminance(colour: int) -> float:
        red, green, blue = (colour >> 19) / 31, (colour >> 10 & 63) / 63, (colour >> 3 & 31) / 31
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_pair_of_text_and_ground_has_contrast() -> None:
    source = (ROOT / "firmware" / "kiosk" / "canvas.py").read_text()
    black, white, yellow = (int(c, 16) for c in re.findall(r"COLOURS = .*", source)[0][11:-1].split(", "))
    accents = [int(c, 16) for c in re.findall(r"^[A-Z]+ = const\((0x[0-9A-F]{6})\)", source, re.M)]
    assert len(accents) == 3
    for fg, bg in [(white, black), (black, yellow), *((white, accent) for accent in accents)]:
        assert contrast(fg, bg) >= 4.5, (hex(fg), hex(bg))
    inks = re.findall(r"= Ink\((\w+, \w+)\)", source)
    assert inks == ["WHITE, BLACK", "BLACK, YELLOW", "WHITE, ACCENT"]


def test_the_firmware_shows_every_string_and_no_other() -> None:
    names = {box.name for box in assets.load_strings(STRINGS)[0]}
    code = "".join(path.read_text() for path in (ROOT / "firmware" / "kiosk").glob("*.py"))
    used = set(re.findall(r'"([a-z]+\.[a-z_]+)"', code))
    assert used <= names
    assert {name for name in names - used if not name.startswith("sorry.")} == set()


@pytest.fixture
def strings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STRINGS, tmp_path / "strings"))


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"need.bleeding" = "Sangrado"\n', "", "es.toml lacks need.bleeding"),
        ('"need.bleeding"', '"need.blood"', "es.toml lacks need.bleeding"),
        ("[strings]\n", '[strings]\n"need.more" = "x"\n', "es.toml has need.more"),
        ("Sangrado", "Sangrado que no para desde ayer", "need.bleeding does not fit"),
        ("Sangrado", "Sangrado 漢", "Noto Sans has no"),
        ("En espera: {}", "En espera", "idle.waiting must hold"),
    ],
)
def test_a_wrong_language_file_fails_the_build(
    strings: Path, tmp_path: Path, old: str, new: str, says: str
) -> None:
    change(strings, "es.toml", old, new)
    with pytest.raises(assets.AssetError, match=says):
        assets.build(tmp_path / "out", strings)


def test_a_character_beyond_ascii_is_built_as_soon_as_a_language_needs_it(
    strings: Path, tmp_path: Path
) -> None:
    change(strings, "es.toml", "Sangrado", "Кровь Щї")
    assets.build(tmp_path / "out", strings)
    _, languages = assets.load_strings(strings)
    font = assets.text_font(languages)
    assert font.glyphs[ord("Щ")].height > 20
    assert font.height == 48, "a line stays as high as the screens expect"
