"""Which screens stay in memory, by the names that `Ui.show` takes; kiosk.groups has the others."""

from kiosk import screens

SCREENS = (
    ("language", screens.Language),
    ("warning", screens.Warning),
    ("sorry", screens.Sorry),
    ("help", screens.Help),
)
