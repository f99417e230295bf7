"""My ticket: who has one already says which. In memory only while somebody asks (kiosk.groups)."""

from kiosk.screens import Choice


def screens(ui) -> dict:
    """The screen by its name, made anew."""
    return {"mine": Mine(ui)}


class Mine(Choice):
    """How to say which ticket."""

    title = "mine.title"
    table = (("code", "mine.code"), ("find", "mine.find"))

    def take(self, value) -> None:
        if value == "code":
            self.ui.show("mine_code")
        elif self.ui.hub.fold.visits:
            self.ui.show("mine_find")
        else:
            self.ui.answers.reason = "nobody"
            self.ui.end("sorry")
