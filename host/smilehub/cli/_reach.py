"""Which kiosks of this laptop's hub are in reach, by cable or in the air; nobody else's is spoken to."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smilehub.cli import _hub
from smilehub.devices import ports
from smilehub.errors import (
    LinkError,
    NoAuthority,
    NoIdentity,
    PortBusy,
    RoleForbidden,
    SmilehubError,
    StoreMissing,
    TrustError,
)
from smilehub.link.air import AirTransport, Backend, Heard, scan
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.serial import SerialTransport
from smilehub.link.tls import SecureTransport
from smilehub.store.database import Store, default_path
from smilehub.sync.ways import Way
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity
from smilehub.trust.register import KIOSK

SCAN_S = 3.0
_FRESH_S = 10.0  # so long what was heard in the air still counts
_AGAIN_S = 30.0  # until a port that gave no answer is asked again

#: Stands for this system's Bluetooth; tests put a virtual radio's here.
AIR = Backend()


def by_cable(path: str, device_id: bytes | None = None, *, role: str | None = None) -> KioskClient:
    """A client for the kiosk at a serial port. ``role``: whose identity to show, if not the first.

    Raises RoleForbidden, NoIdentity if there is none of that role.
    """
    cable = CableTransport(SerialTransport(path))
    # who has no identity of the role that is needed hears it before anything is opened
    identity = (lambda: _identity(None)) if role is None else _identity(role)
    return _client(SecureTransport(cable, identity, expect_device=device_id))


def by_air(device_id: bytes, *, role: str | None = None) -> KioskClient:
    """A client for a kiosk in the air. Raises NoIdentity."""
    identity = _identity(role)
    air = AirTransport(device_id, identity.hub_key, backend=AIR)
    return _client(SecureTransport(air, identity, expect_device=device_id))


def _identity(role: str | None) -> Identity:
    """What this laptop shows; if it is the authority too, with all that was taken back until now."""
    try:
        identity = Identity.load(role=role)
    except NoIdentity:
        if role is None:
            raise
        Identity.load()
        raise RoleForbidden(
            f"This laptop has no identity of a {role}.", hint=_hub.how_to_become(role)
        ) from None
    authority = _hub.here()
    if authority is None or authority.hub != identity.hub:
        return identity
    return replace(identity, revoked=identity.revoked | authority.revoked)


def _client(session: SecureTransport) -> KioskClient:
    return KioskClient(session, name="laptop")


def enrolled(store_path: Path | None) -> frozenset[bytes]:
    """The ids of the kiosks that this laptop has issued keys to, or has records of."""
    known: set[bytes] = set()
    try:
        issued = Authority.load().issued
        known.update(bytes.fromhex(one.name) for one in issued if one.role == KIOSK and one.revoked_s is None)
    except (NoAuthority, TrustError):
        pass  # another laptop issues this hub's keys
    path = store_path or default_path()
    if path.exists():
        try:
            with Store.open(path, write=False) as store:
                known.update(journal.device_id for journal in store.journals())
        except StoreMissing:
            pass
    return frozenset(known)


async def heard(known: frozenset[bytes], seconds: float = SCAN_S) -> dict[bytes, Heard]:
    """The known kiosks that advertise. Raises AirOff and its like; NoIdentity if there is none to show."""
    Identity.load()
    if not known:
        return {}
    found: dict[bytes, Heard] = {}
    for one in await scan(seconds, AIR):
        for device_id in known:
            if device_id == (one.device_id or device_id[:-3] + one.tail):
                found.setdefault(device_id, one)
    return found


@dataclass(slots=True)
class _Asked:
    """A port that was asked who is there: when, and the answer."""

    at_s: float
    device_id: bytes | None = None
    error: SmilehubError | None = None


class Reach:
    """All kiosks in reach and all ways to them, for a watch that goes on.

    ``silent(path, error)`` hears why a port leads to no kiosk, once for each reason.
    """

    def __init__(self, store_path: Path | None, silent: Callable[[str, SmilehubError], None]) -> None:
        self._store_path = store_path
        self._silent = silent
        self._known: frozenset[bytes] = frozenset()
        self._asked: dict[str, _Asked] = {}
        self._heard: dict[bytes, Heard] = {}
        self._heard_s = float("-inf")
        self._looking = asyncio.Lock()

    async def look(self, *, cables_only: bool = False) -> Sequence[tuple[bytes, Way]]:
        """As smilehub.sync.fleet.Reach."""
        async with self._looking:
            found = await self._cables()
            if not cables_only:
                found += await self._air({device_id for device_id, _ in found})
            return found

    async def _cables(self) -> list[tuple[bytes, Way]]:
        paths = [port.path for port in ports.discover() if port.role == "link"]
        self._asked = {path: asked for path, asked in self._asked.items() if path in paths}
        now = asyncio.get_running_loop().time()
        for path in paths:
            asked = self._asked.get(path)
            if asked is None or (asked.device_id is None and now - asked.at_s >= _AGAIN_S):
                answer = self._asked[path] = await self._ask(path, now)
                if answer.error is not None and (asked is None or str(asked.error) != str(answer.error)):
                    self._silent(path, answer.error)
        return [
            (device_id, Way("cable", path, lambda path=path, device_id=device_id: by_cable(path, device_id)))
            for path, asked in self._asked.items()
            if (device_id := asked.device_id) is not None
        ]

    async def _ask(self, path: str, now: float) -> _Asked:
        cable = CableTransport(SerialTransport(path), rates=())
        try:
            await cable.open()
        except PortBusy:
            return _Asked(now)  # another program of ours keeps it up
        except SmilehubError as error:
            return _Asked(now, error=error)
        await cable.close()
        return _Asked(now, cable.device_id)

    async def _air(self, on_cables: set[bytes]) -> list[tuple[bytes, Way]]:
        now = asyncio.get_running_loop().time()
        if now - self._heard_s >= _FRESH_S:
            self._known = enrolled(self._store_path)
            if self._known - on_cables:
                try:
                    self._heard = await heard(self._known)
                except (LinkError, NoIdentity):
                    self._heard = {}
                self._heard_s = asyncio.get_running_loop().time()
        return [
            (
                device_id,
                Way("air", one.address, lambda device_id=device_id: by_air(device_id), one.signal_dbm),
            )
            for device_id, one in self._heard.items()
            if device_id not in on_cables
        ]
