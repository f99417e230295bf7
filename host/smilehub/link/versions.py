"""Which versions of the protocol this program speaks, and what to say to a kiosk that shares none."""

from typing import Any

from smilehub.errors import VersionMismatch

VERSIONS: tuple[int, int] = (2, 2)


def mismatch(where: str, theirs: Any, ours: tuple[int, int] = VERSIONS) -> VersionMismatch:
    """The error for a kiosk at ``where`` that speaks ``theirs`` (lowest, highest)."""
    pair = theirs if isinstance(theirs, (list, tuple)) and len(theirs) == 2 else ("?", "?")
    older = isinstance(pair[1], int) and pair[1] < ours[0]
    return VersionMismatch(
        f"The kiosk at {where} speaks protocol version {_span(pair)}, this program {_span(ours)}.",
        hint="Update the kiosk's firmware." if older else "Update smilehub on this laptop.",
    )


def _span(pair: Any) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]} to {pair[1]}"
