"""A hub's register: to whom it issued what, and whom it took back."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from smilehub.errors import UsageError

KIOSK = "kiosk"
_LONGEST = 32
_LONGEST_BYTES = 48


@dataclass(frozen=True, slots=True)
class Issued:
    """One certificate of this hub: to whom, since when, and since when no more (UTC seconds, or None).

    ``name`` is that of a person's computer, or a kiosk's device id in hex.
    """

    serial: bytes
    role: str
    name: str
    issued_s: int
    revoked_s: int | None = None


def listed(issued: Iterable[Issued]) -> list[bytes]:
    """The serials that stand in a revocation list: people's."""
    return [one.serial for one in issued if one.role != KIOSK and one.revoked_s is not None]


def merged(here: Iterable[Issued], there: Iterable[Issued]) -> tuple[Issued, ...]:
    """All that stands in either register; who was taken back in one of them is."""
    found = {one.serial: one for one in here}
    for one in there:
        known = found.setdefault(one.serial, one)
        if known.revoked_s is None:
            found[one.serial] = replace(known, revoked_s=one.revoked_s)
    return tuple(found.values())


def check_name(name: str) -> str:
    """A name of a hub or a person's computer, in the one way of writing it. Raises UsageError."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or not name.isprintable() or len(name) > _LONGEST or len(name.encode()) > _LONGEST_BYTES:
        raise UsageError(
            f"This is not a name: it needs 1 to {_LONGEST} characters.", hint="A short word or two will do."
        )
    return name
