"""The icons of answers, menus and the staff desk, drawn by us: 48 x 48 pixels on the kiosk, in this order."""

from smilehub.devices.drawing import GRID, Drawing, load

SIZE = 48
_INK = 42  # pixels of the 48: rows of long lists are no higher


def _framed(drawing: Drawing) -> Drawing:
    """The drawing, smaller, in the middle of an empty frame."""
    scale = _INK / SIZE
    edge = GRID * (1 - scale) / 2
    return tuple(shape.moved(edge, edge, scale, scale) for shape in drawing)


ICONS: dict[str, Drawing] = {name: _framed(drawing) for name, drawing in load("icons.txt").items()}
