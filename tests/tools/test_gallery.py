"""The gallery shows every screen there is, in every language, from stories that can be read."""

import re

import pytest
from tools import gallery


def test_the_stories_take_a_picture_of_every_screen() -> None:
    screens = gallery.screens()
    assert {"idle", "ticket", "emergency", "desk", "desk_pin"} <= screens  # the source was understood
    assert gallery.shown() == screens


def test_every_story_is_in_the_gallery() -> None:
    assert sorted(path.stem for path in gallery.STORIES.glob("*.story")) == sorted(gallery.ORDER)


def test_a_story_is_told_in_every_language() -> None:
    codes = list(gallery.languages())
    assert len(codes) >= 4
    scripts = [gallery.text_of("visitor", code) for code in codes]
    assert len(set(scripts)) == len(codes)
    assert not any(re.search("[{}]", script) for script in scripts)
    assert [script.count("press down down yes\nsnap need\n") for script in scripts] == [0, 0, 1, 0]


@pytest.mark.parametrize("code", ["en", "uk"])
def test_a_page_shows_each_picture_with_words_for_who_cannot_see_it(code: str) -> None:
    root = gallery.ROOT / "build" / "gallery"
    shots = [
        gallery.Shot("visitor", "en", "idle", root / "visitor" / "en" / "01-idle.png"),
        gallery.Shot("visitor", "uk", "idle", root / "visitor" / "uk" / "01-idle.png"),
    ]
    page = gallery.page(shots, root)
    own = gallery.languages()[code]
    assert f"src='visitor/{code}/01-idle.png' alt='idle in {own}'" in page
