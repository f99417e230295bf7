"""Finding one's ticket by its pictogram; in memory only while somebody looks (kiosk.mine)."""

from hubcore.labels import PICTOGRAMS
from kiosk.grid import Grid, used
from kiosk.mine_code import standing
from kiosk.screens import List


def screens(ui) -> dict:
    """Both by name, made anew."""
    return {"mine_find": Find(ui), "mine_found": Found(ui)}


class Find(Grid):
    """The pictograms of those who are here: which is yours?"""

    title = "find.title"
    columns = 8
    width = 60
    height = 64
    size = 52

    def enter(self) -> None:
        self.at = 0
        taken = used(self.ui.hub.fold)
        put = 0
        for i in range(len(PICTOGRAMS)):
            if taken >> i & 1:
                self.order[put] = i
                put += 1
        self.shown = put

    def choose(self, i: int) -> None:
        self.ui.answers.pictogram = self.order[i]
        self.ui.show("mine_found")


class Found(List):
    """The tickets with that pictogram and where each stands; changing anything takes the code."""

    title = "found.title"

    def __init__(self, ui):
        super().__init__(ui)
        self._labels = ()

    def enter(self) -> None:
        super().enter()
        name = PICTOGRAMS[self.ui.answers.pictogram]
        self._labels = sorted([v.label for v in self.ui.hub.fold.visits.values() if v.pictogram == name])

    def count(self) -> int:
        return len(self._labels)

    def text(self, i: int):
        return standing(self.ui, self._labels[i])

    def choose(self, i: int) -> None:
        self.ui.show("mine_code")
