"""What the bench measures on pictures: it sees low letters, pale colours, cut text and flashes."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from tools.bench import kiosk, looks

from smilehub.devices.assets_fonts import label_font, text_font

BLACK, WHITE, BLUE = (0, 0, 0), (255, 255, 255), (16, 48, 112)


@pytest.fixture(scope="module")
def letters() -> looks.Type:
    return looks.Type([text_font("Ññ"), label_font()], pictures=True)


def written(
    text: str, at: tuple[int, int] = (8, 40), ground: looks.Colour = BLACK, ink: looks.Colour = WHITE
) -> Image.Image:
    """A panel's picture with a line of text in the kiosk's own type."""
    font = text_font("Ññ")
    image = Image.new("RGB", (480, 320), ground)
    x, y = at
    for char in text:
        glyph = font.glyphs[ord(char)]
        if glyph.width:
            bits = Image.frombytes("1", (glyph.width, glyph.height), glyph.bits)
            image.paste(ink, (x + glyph.left, y + glyph.top), bits)
        x += glyph.advance
    return image


def test_a_capital_is_as_high_as_its_ink(letters: looks.Type) -> None:
    found = looks.regions(written("Hello Title"))
    assert letters.capitals(found) == [text_font().cap] * 2  # H and T; l is higher than a capital
    assert letters.capitals(looks.regions(written("open"))) == []  # and its holes are no letters


def test_text_in_another_smaller_type_counts_as_what_it_is(letters: looks.Type) -> None:
    image = written("Hello Title")
    ImageDraw.Draw(image).text((8, 200), "SMALL PRINT", fill=WHITE, font=ImageFont.load_default(24))
    assert min(letters.capitals(looks.regions(image))) < 24


@pytest.mark.parametrize(
    ("ink", "ground", "ratio"),
    [(WHITE, BLACK, 21.0), (BLACK, (255, 255, 0), 19.6), ((119, 119, 119), WHITE, 4.48)],
)
def test_contrast_is_that_of_wcag(ink: looks.Colour, ground: looks.Colour, ratio: float) -> None:
    assert looks.contrast(ink, ground) == pytest.approx(ratio, abs=0.1)
    found = looks.regions(written("Hello", ink=ink, ground=ground))
    assert {looks.contrast(one.colour, one.ground) for one in found} == {looks.contrast(ink, ground)}


def test_a_letter_cut_by_the_edge_is_seen_and_a_whole_one_at_it_is_not(letters: looks.Type) -> None:
    def cut(image: Image.Image) -> int:
        return letters.cut(looks.regions(image), 480, 320)

    assert cut(written("Hello", (470, 40))) == 1
    assert cut(written("Hello", (8, 286))) >= 3  # a bar may look like a stroke that is known
    glyph = text_font().glyphs[ord("H")]
    assert cut(written("H", (480 - glyph.left - glyph.width, 40))) == 0
    assert cut(written("Hello")) == 0


@pytest.mark.parametrize(("hz", "seconds"), [(1, 4), (2, 4), (3, 4), (4, 4), (10, 2)])
def test_flashes_are_counted_by_the_second(hz: int, seconds: int) -> None:
    history = [(i / (2 * hz), float(i % 2)) for i in range(2 * hz * seconds)]
    assert looks.flashes(history) == hz


def test_what_changes_little_or_once_is_no_flash() -> None:
    assert looks.flashes([(i / 100, i % 2 * 0.09) for i in range(400)]) == 0
    assert looks.flashes([(0.0, 0.0), (1.0, 1.0)]) == 0
    assert looks.flashes([]) == 0
    # a slow swell in small steps counts as the one flash that it is
    assert (
        looks.flashes(
            [(i / 100, i / 50) for i in range(50)] + [(0.5 + i / 100, 1 - i / 50) for i in range(50)]
        )
        == 1
    )


def test_leds_are_read_off_the_walls_picture() -> None:
    picture = Image.new("RGB", (40, 20), (34, 26, 25))
    picture.paste((250, 40, 20), (5, 0, 10, 5))
    leds = looks.leds(picture, 5, (8, 4))
    assert [(x, y) for y in range(4) for x in range(8) if leds.getpixel((x, y)) == WHITE] == [(1, 0)]


def test_a_string_beyond_its_box_counts(tmp_path: Path) -> None:
    assert kiosk.strings_unfit() == 0
    (tmp_path / "boxes.toml").write_text(
        'languages = ["en"]\n[strings]\n'
        '"a.wide" = {width = 90, lines = 1}\n"a.fits" = {width = 90, lines = 1}\n'
    )
    (tmp_path / "en.toml").write_text(
        'endonym = "English"\nbegin = "Start"\n[strings]\n"a.wide" = "Wider than it"\n"a.fits" = "Fits"\n'
    )
    assert kiosk.strings_unfit(tmp_path) == 1
