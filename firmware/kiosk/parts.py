"""Joins canvas, fonts, words and screens into a Ui."""

from micropython import const

from kiosk import checkin, screens
from kiosk.canvas import Canvas
from kiosk.glyphs import Font, Pictograms
from kiosk.ui import Ui
from kiosk.words import Words

_SCRATCH = const(1800)  # a pictogram of 120 x 120
_SCREENS = (
    ("idle", screens.Idle),
    ("warning", screens.Warning),
    ("sorry", screens.Sorry),
    ("help", screens.Help),
    ("emergency", screens.Emergency),
    ("language", checkin.Language),
    ("need", checkin.Need),
    ("flags", checkin.Flags),
    ("lane", checkin.Lane),
    ("pictogram", checkin.Pictogram),
    ("ticket", checkin.Ticket),
)


def build_ui(panel, hub, assets: str, canvas_class=Canvas):
    """A Ui for a panel, its fonts, pictures and words from the folder `assets`; OSError when one is
    missing."""
    text = Font(assets + "/text.fnt", True, None)
    words = Words(assets)
    # One buffer for what is read from flash a picture at a time: the largest glyph or pictogram.
    scratch = bytearray(_SCRATCH)
    label = Font(assets + "/label.fnt", False, scratch)
    pictograms = Pictograms(assets + "/pictograms.bin", scratch)
    ui = Ui(canvas_class(panel, text), hub, words, label, pictograms)
    for name, screen in _SCREENS:
        ui.screens[name] = screen(ui)
    return ui
