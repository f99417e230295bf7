"""Joins canvas, fonts, words and screens into a Ui."""

from micropython import const

from kiosk.canvas import TILE_BYTES, Canvas
from kiosk.glyphs import Font, Pictures
from kiosk.registry import SCREENS
from kiosk.ui import Ui
from kiosk.words import Words

_SCRATCH = const(1200)  # a large picture is read in two pieces


def build_ui(panel, hub, assets: str, canvas_class=Canvas):
    """A Ui for a panel, its fonts, pictures and words from the folder `assets`; OSError when one is
    missing."""
    tile = bytearray(TILE_BYTES)
    words = Words(assets)
    text = Font(assets + "/text.fnt", words)
    pictures = Pictures(assets + "/pictures.bin", bytearray(_SCRATCH))
    ui = Ui(canvas_class(panel, words, text, pictures, tile), hub, words)
    for name, screen in SCREENS:
        ui.screens[name] = screen(ui)
    return ui
