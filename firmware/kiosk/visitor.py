"""What check-in and lookup share: on whose behalf, the ticket or why there is none, and the consents."""

from kiosk.screens import attempt
from kiosk.words import plain

_KEYS = "udyb"  # the keys of a code; the glyph of each is its position here plus one

# Purpose, the question, and the lines that take it back and give it later.
PURPOSES = (
    ("teaching", "consent.teaching", "visit.stop_teaching", "visit.allow_teaching"),
    ("study", "consent.study", "visit.stop_study", "visit.allow_study"),
)


def consent(ui, wish: str, purpose: str) -> bool:
    """Give a consent for every ticket of the family that is open, or take it back for all; False if that
    failed."""
    answers = ui.answers
    fold = ui.hub.fold
    give = wish == "consent_give"
    for label in (answers.label,) + tuple(answers.others):
        visit = fold.find(label)
        if visit is None or (purpose in visit.consents) == give or (give and label in fold.closed):
            continue
        if attempt(ui, wish, {"ticket": label, "purpose": purpose}) is None:
            return False
    return True


def sign(ui, args: dict) -> dict:
    """Add to a wish on whose behalf it is."""
    args["by"] = ui.answers.by
    if args["by"] == "staff" and ui.staff is not None:
        args["who"] = ui.staff.who
    return args


def sorry(ui, reason: str) -> None:
    """Show why something cannot be, unless the visitor goes home from here anyway."""
    ui.answers.reason = reason
    ui.end("sorry")


def show_ticket(ui, result) -> None:
    """Show what a check-in's wish gave, or why it gave nothing."""
    answers = ui.answers
    if result is None:
        sorry(ui, answers.reason)
        return
    answers.label = result["ticket"]
    answers.others = result.get("others") or ()
    code = result.get("code")
    answers.code = bytes([_KEYS.index(key) + 1 for key in code]) if code else None
    ui.end("ticket")


def chair(ui, name: str):
    """What of a chair's name fits beside other words: its end tells it from the others."""
    return ui.words.tail(plain(name), 96)
