"""What a visitor may allow, and take back."""

from kiosk.screens import attempt

# Purpose, the question, and the lines that take it back and give it later.
PURPOSES = (
    ("teaching", "consent.teaching", "visit.stop_teaching", "visit.allow_teaching"),
    ("study", "consent.study", "visit.stop_study", "visit.allow_study"),
)


def consent(ui, wish: str, purpose: str) -> bool:
    """Give or take back a consent for every ticket of the family that is still open; False if that failed."""
    answers = ui.answers
    fold = ui.hub.fold
    for label in (answers.label,) + tuple(answers.others):
        visit = fold.visits.get(label) or fold.promises.get(label)
        if visit is None or (purpose in visit.consents) == (wish == "consent_give"):
            continue
        if attempt(ui, wish, {"ticket": label, "purpose": purpose}) is None:
            return False
    return True
