"""Fonts, pictures and strings: complete, readable, fitting, told apart, the same every time."""

import re
import shutil
import struct
import tomllib
import zlib
from pathlib import Path

import pytest

from hubcore.labels import LAST, LETTERS
from smilehub.devices import assets, assets_fonts, assets_strings
from smilehub.devices.assets_fonts import ASCII, KEYS, AssetError, Font
from smilehub.devices.icons import ICONS

ROOT = Path(__file__).parents[2]
STRINGS = ROOT / "firmware" / "kiosk" / "strings"
BOARD = tomllib.loads((ROOT / "hardware" / "kiosk" / "board.toml").read_text())


def everything() -> tuple[list[assets_strings.Box], list[assets_strings.Language], Font]:
    boxes, languages = assets_strings.load_strings(STRINGS)
    return boxes, languages, assets_fonts.text_font({c for lang in languages for c in lang.characters})


def test_the_same_inputs_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    for path in assets.build(tmp_path):
        assert path.read_bytes() == (built / path.name).read_bytes(), path.name


def test_capitals_are_as_high_as_en_301_549_asks() -> None:
    # 5.1.4: 0.7 degrees of the field of view. Measured on ink: every capital that stands on the line.
    _, _, text = everything()
    least = 4.9 * BOARD["panel"]["distance_mm"] / 400
    for letter in "ABDEFHIKLMNPRTXZ0123456789":
        assert text.glyphs[ord(letter)].height * BOARD["panel"]["pitch_mm"] >= least, letter
    label = assets_fonts.label_font()
    assert all(label.glyphs[ord(c)].height >= 3 * text.cap for c in LETTERS)
    wall = assets_fonts.wall_font()
    assert wall.cap == 14
    assert wall.cap * BOARD["wall"]["pitch_mm"] >= 0.0122 * BOARD["wall"]["distance_mm"]


def test_a_screen_has_six_lines_of_22_to_27_characters() -> None:
    boxes, languages, text = everything()
    assert text.height == 48
    assert BOARD["panel"]["height"] // text.height == 6
    for lang in languages:
        texts = [assets_strings.tokens(box, lang.strings[box.name]) for box in boxes]
        shown = [re.sub(r"[\x00-\x1f]", "", each) for each in texts]
        mean = sum(map(text.measure, shown)) / sum(map(len, shown))
        assert 20 <= BOARD["panel"]["width"] / mean <= 28, lang.code


def strings_of(data: bytes) -> dict[bytes, tuple[int, bytes]]:
    """By the hash of its name each string's icon and glyph codes, found as the kiosk finds them."""
    _, _, _, _, index, count = struct.unpack_from("<4sBBHHH", data)
    assert len(data) == index + 5 * count
    found: dict[bytes, tuple[int, bytes]] = {}
    follows = None
    for name, at in struct.iter_unpack("<3sH", data[index:]):
        key, icon, length = struct.unpack_from("<3sBB", data, at)
        assert key == name
        assert follows in (None, at), "the next string lies behind this one"
        follows = at + 5 + length
        found[name] = icon, data[at + 5 : follows]
    assert len(found) == count
    assert follows is not None
    assert data[follows:index] == bytes(5)
    return found


def test_every_string_of_every_language_fits_its_box_as_packed(built: Path) -> None:
    """Reads the files as the kiosk does, and measures with the glyphs that are in them."""
    boxes, languages, text = everything()
    largest = int.from_bytes(built.joinpath("words.idx").read_bytes()[6:8], "little")
    assert largest <= assets_strings.RESIDENT_BYTES
    for lang in languages:
        data = built.joinpath(f"{lang.code}.str").read_bytes()
        magic, rtl, after, resident = struct.unpack_from("<4sBBH", data)
        assert (magic, rtl) == (b"SHL3", lang.rtl)
        assert resident <= largest
        strings = strings_of(data)

        def entry(code: int, data: bytes = data, after: int = after) -> tuple[int, ...]:
            assert code < after
            found = struct.unpack_from("<HBBBBB", data, 12 + 7 * (code - 1))
            assert found[2] > 0, code
            return found

        for code in (*range(1, 9), *ASCII):
            glyph = text.glyphs[code]
            at, left, advance, width, height, top = entry(code)
            assert (left - 128, advance, width, height, top) == (
                glyph.left, glyph.advance, glyph.width, glyph.height, glyph.top,
            )  # fmt: skip
            size = (height + 7) // 8 * width
            assert data[at : at + size] == assets_fonts.glyph_on_its_side(glyph)
            # What tickets and codes are made of never waits for the flash.
            assert chr(code) not in LETTERS + "0123456789\1\2\3\4" or at + size <= resident
        for box in boxes:
            shown = strings[zlib.crc32(box.name.encode()).to_bytes(4, "little")[:3]][1]
            for number, sample in enumerate(box.samples):
                shown = shown.replace(bytes((0x10 + number,)), sample.encode())
            lines = shown.split(b"\n")
            assert len(lines) <= box.lines, (lang.code, box.name)
            assert max(sum(entry(c)[2] for c in line) for line in lines) <= box.width, (lang.code, box.name)


def test_few_letters_of_a_text_are_read_from_flash(built: Path) -> None:
    _, languages, _ = everything()
    for lang in languages:
        data = built.joinpath(f"{lang.code}.str").read_bytes()
        resident = int.from_bytes(data[6:8], "little")
        codes = b"".join(text for _, text in strings_of(data).values())
        rare = 0
        for code in codes:
            if code != 10 and not 0x10 <= code < 0x18:
                at, _, _, width, height, _ = struct.unpack_from("<HBBBBB", data, 12 + 7 * (code - 1))
                rare += at + (height + 7) // 8 * width > resident
        assert rare <= 0.06 * len(codes), lang.code


def test_glyphs_are_told_apart_and_keep_to_their_places() -> None:
    _, languages, text = everything()
    for glyph in text.glyphs.values():
        assert glyph.left + glyph.width <= glyph.advance
    for lang in languages:
        letters = sorted(lang.characters | set(map(chr, ASCII)))
        marks = {"’": "'", "´": "'", "\u00a0": " ", "\u202f": " "}  # may look like ASCII's
        shapes = {}
        for letter in letters:
            glyph = text.glyphs[ord(letter)]
            other = shapes.setdefault((glyph.bits, glyph.top, glyph.width), letter)
            # Latin and Cyrillic share shapes, each by itself has none twice.
            same_script = letter.isascii() == other.isascii()
            assert other == letter or not same_script or marks.get(letter) == other, (letter, other)
    assert len({text.glyphs[code].bits for code in KEYS.values()}) == len(KEYS)


def test_ukrainian_takes_its_latin_looking_letters_from_ascii() -> None:
    boxes, languages, text = everything()
    ukrainian = next(lang for lang in languages if lang.code == "uk")
    for letter in "ґєіїҐЄІЇщЩжЖ’":
        assert ord(letter) in assets_fonts.text_font([letter]).glyphs
    packed = assets_strings.Packed(text, boxes, ukrainian, list(ICONS))
    letters = {c for c in ukrainian.characters if ord(c) > 0x7F}
    own = packed.data[5] - 0x7F + 14  # from 0x7F on, and 14 codes below that
    assert own <= len(letters) - 10


def test_every_label_fits_beside_its_pictogram_and_on_the_wall() -> None:
    label = assets_fonts.label_font()
    widest = max(label.measure(letter + str(LAST)) for letter in LETTERS)
    assert 8 + widest <= BOARD["panel"]["width"] - 8 - max(assets.PICTOGRAM_SIZES)
    wall = assets_fonts.wall_font()
    for letter in LETTERS:
        assert wall.measure(letter + "888") + 11 + wall.measure("12") <= BOARD["wall"]["columns"] * 8
    for code in map(ord, LETTERS + "0123456789"):
        assert wall.glyphs[code].top + wall.glyphs[code].height <= 14


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
    colours = re.search(r"^COLOURS = \((.*)\)", source, re.M)
    assert colours is not None
    black, white, yellow = (int(c, 16) for c in colours[1].split(", "))
    accents = [int(c, 16) for c in re.findall(r"^[A-Z]+ = const\((0x[0-9A-F]{6})\)", source, re.M)]
    assert len(accents) == 3
    for fg, bg in [(white, black), (black, yellow), *((white, accent) for accent in accents)]:
        assert contrast(fg, bg) >= 4.5, (hex(fg), hex(bg))
    # A ground tells a chosen row and a heading from what is around them.
    for accent in (yellow, *accents):
        assert contrast(accent, white if accent != yellow else black) >= 3
    inks = re.findall(r"^[A-Z]+ = \((\w+, \w+)\)", source, re.M)
    assert inks == ["WHITE, BLACK", "BLACK, YELLOW", "WHITE, ACCENT"]
    elsewhere = [path for path in (ROOT / "firmware" / "kiosk").glob("*.py") if path.name != "canvas.py"]
    for path in elsewhere:
        # Others draw in these inks alone, on no accent of their own.
        assert not re.search(r"begin\(0x|\((BLACK|WHITE|YELLOW|ACCENT), ", path.read_text()), path.name


def test_the_firmware_shows_every_string_and_no_other() -> None:
    names = {box.name for box in assets_strings.load_strings(STRINGS)[0]}
    code = "".join(path.read_text() for path in (ROOT / "firmware" / "kiosk").rglob("*.py"))
    literals = set(re.findall(r'"([a-z0-9_.]+)"', code))
    prefixes = {name.split(".")[0] for name in names}
    used = {name for name in literals if re.fullmatch(rf"({'|'.join(prefixes)})\.\w*[^\W_]", name)}
    assert used <= names
    # A name put together of parts counts if all of them stand in the program.
    whole = "".join(path.read_text() for path in (ROOT / "firmware").rglob("*.py"))
    words = set(re.findall(r"\w+", whole))
    for name in names - used:
        if name.startswith("desk."):  # put together of many parts: test_staff_desk.py shows every one
            continue
        prefix, suffix = name.split(".", 1)
        ends = [suffix[len(start) :] for start in words if start.endswith("_") and suffix.startswith(start)]
        assert f'"{prefix}.' in code, name
        assert words & {suffix, *ends}, name


@pytest.fixture
def strings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STRINGS, tmp_path / "strings"))


def change(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def spanish(name: str) -> str:
    """The line of a string in es.toml."""
    match = re.search(rf'^"{re.escape(name)}" = "(.*)"\n', (STRINGS / "es.toml").read_text(), re.M)
    assert match is not None
    return match[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "es.toml lacks need.bleeding"),
        ('"need.blood" = "Sangrado"', "es.toml lacks need.bleeding"),
        ('"need.bleeding" = "Sangrado que no para desde ayer"', "es.toml: need.bleeding does not fit"),
        ('"need.bleeding" = "Sangrado 漢"', "Noto Sans has no"),
        ('"need.bleeding" = "Sangrado {}"', "need.bleeding must hold {} 0 times"),
        ('"need.bleeding" = "Pulse {left}"', "{left} is no key"),
        ('"need.bleeding" = "Sangrado {"', "has a brace"),
        ('"need.bleeding" = "Ǻ"', "higher than a line"),
    ],
)
def test_a_wrong_string_fails_the_build(strings: Path, tmp_path: Path, text: str | None, says: str) -> None:
    change(strings, "es.toml", spanish("need.bleeding"), "" if text is None else text + "\n")
    with pytest.raises(AssetError, match=re.escape(says)):
        assets.build(tmp_path / "out", strings)


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("es.toml", "[strings]\n", '[strings]\n"need.more" = "x"\n', "es.toml has need.more"),
        ("es.toml", "endonym", 'direction = "up"\nendonym', "ltr or rtl"),
        ("boxes.toml", 'icon = "', 'icon = "no such ', "which nobody drew"),
        ("boxes.toml", "[strings]\n", '[strings]\n"X" = { width = 1, lines = 1 }\n', "is no name"),
        ("boxes.toml", "lines = 1,", "rows = 1, lines = 1,", "has rows, which means nothing"),
    ],
)
def test_a_wrong_file_fails_the_build(
    strings: Path, tmp_path: Path, name: str, old: str, new: str, says: str
) -> None:
    change(strings, name, old, new)
    with pytest.raises(AssetError, match=says):
        assets.build(tmp_path / "out", strings)


def test_keys_and_values_have_codes_of_their_own() -> None:
    box = assets_strings.Box("a.b", 464, 2, ("K888", "999"))
    _, _, font = everything()
    text = assets_strings.tokens(box, "{} waits {}: press {yes} or {back}")
    assert text == "\x10 waits \x11: press \x03 or \x04"
    assert assets_strings.fit(font, box, text) == ["\x10 waits \x11: press \x03", "or \x04"]


def test_a_tight_row_has_no_room_for_an_accent_on_a_capital() -> None:
    font = assets_fonts.text_font("Éé")
    box = assets_strings.Box("a.b", 464, 1, (), None, True)
    assert assets_strings.fit(font, box, "été") == ["été"]
    with pytest.raises(AssetError, match="too high"):
        assets_strings.fit(font, box, "Été")


def test_the_icons_of_strings_are_numbers_beside_them(built: Path) -> None:
    boxes, languages, _ = everything()
    icons = list(ICONS)
    for lang in languages:
        strings = strings_of(built.joinpath(f"{lang.code}.str").read_bytes())
        for box in boxes:
            number = strings[zlib.crc32(box.name.encode()).to_bytes(4, "little")[:3]][0]
            assert (icons[number] if number != 255 else None) == box.icon
    assert any(box.icon for box in boxes)
