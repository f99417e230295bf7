"""Joins canvas, fonts, words and screens into a Ui."""

from kiosk.canvas import TILE_BYTES, Canvas
from kiosk.glyphs import Pictures
from kiosk.registry import SCREENS
from kiosk.ui import Ui
from kiosk.words import Words


def build_ui(panel, hub, assets: str, tile=None, canvas_class=Canvas):
    """A Ui for a panel, its fonts, pictures and words from the folder `assets`; OSError when one is missing.

    `tile` is what parts of a picture are drawn in, a bytearray of TILE_BYTES that others may use in between.
    """
    if tile is None:
        tile = bytearray(TILE_BYTES)
    words = Words(assets, tile)
    pictures = Pictures(assets + "/pictures.bin")
    ui = Ui(canvas_class(panel, words, pictures, tile), hub, words)
    for name, screen in SCREENS:
        ui.screens[name] = screen(ui)
    return ui
