"""Ways through the kiosk's screens, for tests that play them on stage.py."""

from pathlib import Path
from typing import Any, Protocol

Steps = list[list[Any]]


class Play(Protocol):
    """conftest's: plays steps, with pictures of those called "snap" in a folder."""

    def __call__(self, steps: Steps, pictures: Path | None = None) -> list[dict[str, Any]]: ...


OPEN: Steps = [["wish", "day_open", {}], ["wish", "chair_open", {"chair": "2"}]]


def keys(*names: str) -> Steps:
    return [["key", name] for name in names]


def names(played: list[dict[str, Any]]) -> list[str]:
    return [state["screen"] for state in played if "screen" in state]


def presses(steps: Steps) -> int:
    return sum(8 if step[0] == "type" else step[0] == "key" for step in steps)


# idle, language, need, flags, size, pictogram, ticket
TICKET = keys("yes", "yes", "yes", "yes", "yes", "yes")
# Something is recorded a while later: without a record a kiosk does not know how long it was on.
LATER: Steps = [["wait", 90_000], ["wish", "full_today", {"full": False}]]
GIVE = [*TICKET, *keys("yes", "yes", "yes", "down", "yes")]
WITHDRAW: Steps = [*keys("back", "yes"), ["type"], *keys("yes")]
