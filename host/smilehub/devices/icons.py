"""The icons of answers, menus and the staff desk, drawn by us: 48 x 48 pixels on the kiosk, in this order."""

from smilehub.devices.drawing import Drawing, load

SIZE = 48
ICONS: dict[str, Drawing] = load("icons.txt")
