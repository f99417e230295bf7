"""The ways to a kiosk: a cable or the air, as a search finds them, the cable first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from smilehub.link.client import KioskClient

Kind = Literal["cable", "air"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a kiosk. ``name`` tells it from others: a port's path, or a device's address.

    ``connect`` makes a fresh client, not yet connected. ``signal_dbm`` is how loud it was heard, in the air.
    """

    kind: Kind
    name: str
    connect: Callable[[], KioskClient] = field(compare=False, repr=False)
    signal_dbm: int | None = field(default=None, compare=False)


class Finder(Protocol):
    """Who knows which ways there are to one kiosk."""

    async def ways(self, *, cables_only: bool = False) -> Sequence[Way]:
        """All that are there now, in no order; none if it is out of reach. Bounded in time.

        ``cables_only``: the air need not be searched.
        """
        ...


class Fixed:
    """A finder that knows a single way, whether or not it is there."""

    def __init__(self, connect: Callable[[], KioskClient], name: str = "", kind: Kind = "cable") -> None:
        self._way = Way(kind, name, connect)

    async def ways(self, *, cables_only: bool = False) -> Sequence[Way]:
        """That one."""
        return (self._way,)


def best(ways: Sequence[Way], failed: frozenset[str] = frozenset()) -> Way | None:
    """The way to try: one that has not failed before one that has, cable before air, loud before faint."""
    return min(
        ways,
        key=lambda way: (way.name in failed, way.kind != "cable", -(way.signal_dbm or -200), way.name),
        default=None,
    )
