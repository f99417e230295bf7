"""The icons of answers, menus and the staff desk, drawn by us, in this order; `SIZES` pixels on the kiosk,
the larger one beside the answers for the one that is chosen."""

from smilehub.devices.drawing import GRID, Drawing, load

SIZES = (44, 80)
_INK = 0.92  # of their width: no icon touches a letter or the screen's edge


def _framed(drawing: Drawing) -> Drawing:
    """The drawing, smaller, in the middle of an empty frame."""
    edge = GRID * (1 - _INK) / 2
    return tuple(shape.moved(edge, edge, _INK, _INK) for shape in drawing)


ICONS: dict[str, Drawing] = {name: _framed(drawing) for name, drawing in load("icons.txt").items()}
