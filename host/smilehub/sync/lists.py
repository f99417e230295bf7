"""The newest revocation list, handed to a kiosk that has not had it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from hubcore import requests
from smilehub.errors import KioskFault, KioskRefused
from smilehub.link.client import KioskClient
from smilehub.link.messages import Hello

_HIGHEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Listed:
    """The kiosk has taken the revocation list with this number."""

    event: ClassVar[str] = "listed"
    device_id: bytes
    sequence: int


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The kiosk could not keep the revocation list; it is given again at the next sync."""

    event: ClassVar[str] = "unlisted"
    device_id: bytes
    message: str


@dataclass(frozen=True, slots=True)
class Behind:
    """The kiosk holds the list ``held``, which this authority never made: its own newest is ``sequence``."""

    event: ClassVar[str] = "lists_behind"
    device_id: bytes
    held: int
    sequence: int


class Lists(Protocol):
    """Who has the revocation lists (smilehub.trust.given.RevocationLists)."""

    def due(self, device_id: bytes, serial: bytes) -> tuple[int, bytes] | None:
        """(sequence, list) that the kiosk with this certificate should be given, if any."""
        ...

    def given(self, device_id: bytes, serial: bytes, sequence: int) -> None:
        """It has this one or a newer one."""
        ...


async def hand_over(
    client: KioskClient, hello: Hello, lists: Lists, tell: Callable[[Listed | Unlisted | Behind], None]
) -> None:
    """Give the kiosk that has just been greeted the newest list, unless it has had it from here.

    A kiosk that cannot keep it still gives its records. Raises a LinkError; what ``lists`` raises.
    """
    serial: bytes = getattr(client.transport, "peer_serial", b"")
    due = lists.due(hello.device_id, serial) if requests.REVOKE in hello.ops else None
    if due is None:
        return
    sequence, listed = due
    try:
        await client.revoke(listed)
        tell(Listed(hello.device_id, sequence))
    except KioskRefused as refused:  # it holds one that is as new
        held = int(refused.about) if refused.about.isascii() and refused.about.isdecimal() else 0
        if sequence < held <= _HIGHEST:
            tell(Behind(hello.device_id, held, sequence))
            sequence = held
    except KioskFault as fault:
        tell(Unlisted(hello.device_id, fault.message))
        return
    lists.given(hello.device_id, serial, sequence)
