"""Joins canvas, fonts, words and screens into a Ui."""

from kiosk.canvas import TILE_BYTES, Canvas
from kiosk.glyphs import Font, Pictures
from kiosk.registry import SCREENS
from kiosk.ui import Ui
from kiosk.words import Words


def build_ui(panel, hub, assets: str, canvas_class=Canvas):
    """A Ui for a panel, its fonts, pictures and words from the folder `assets`; OSError when one is
    missing."""
    tile = bytearray(TILE_BYTES)
    words = Words(assets)
    text = Font(assets + "/text.fnt", words)
    # What is read from flash goes into the panel's strip, unless it is sent through it.
    pictures = Pictures(assets + "/pictures.bin", panel.strip)
    ui = Ui(canvas_class(panel, words, text, pictures, tile), hub, words)
    for name, screen in SCREENS:
        ui.screens[name] = screen(ui)
    return ui
