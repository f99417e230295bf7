"""Pairing of a board's connections: Bumble's security manager, NimBLE's settings, the module's events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bumble.device import Connection
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.smp import PairingMethod

from smilehub.sim.radio.secrets import Secrets
from smilehub.sim.radio.station import Peer, Station

_INPUT = 2
_DISPLAY = 3
_COMPARE = 4
#: ``io`` of BLE.config: display only, display and yes/no, keyboard only, none, keyboard and display.
_CAPABILITY = (
    PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
    PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY,
    PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
    PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
)
_KEY_BYTES = 16

Ask = Callable[[Peer, int, int], None]
"""Raises the passkey event: for whom, the action, the number to compare."""


class _Delegate(PairingDelegate):
    """Asks the firmware by its passkey event, and waits for ``gap_passkey``."""

    def __init__(self, security: Security, connection: Connection, io: int) -> None:
        super().__init__(io_capability=_CAPABILITY[io])
        self._security = security
        self._connection = connection

    async def compare_numbers(self, number: int, digits: int) -> bool:
        return bool(await self._security.ask(self._connection, _COMPARE, number))

    async def get_number(self) -> int | None:
        return await self._security.ask(self._connection, _INPUT, 0)

    async def generate_passkey(self) -> int:
        return await self._security.ask(self._connection, _DISPLAY, 0)


class Security:
    """The settings of BLE.config that concern pairing, and the pairings under way."""

    def __init__(self) -> None:
        self._settings = {"bond": 0, "mitm": 0, "io": 3, "le_secure": 0}
        self._station: Station | None = None
        self._ask: Ask = lambda _peer, _action, _number: None
        self._secrets: Secrets | None = None
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def configure(self, key: str, value: int) -> None:
        """One of bond, mitm, io, le_secure."""
        self._settings[key] = int(value)

    def attach(self, station: Station, ask: Ask, secrets: Secrets) -> None:
        """Pair this station's connections from now on."""
        self._station = station
        self._ask = ask
        self._secrets = secrets
        station.device.keystore = secrets
        station.device.pairing_config_factory = self._config

    def pair(self, peer: Peer) -> None:
        """Pair, or as a peripheral ask the central to."""
        if not peer.central:
            peer.connection.request_pairing()
            return
        task = asyncio.get_running_loop().create_task(self._pair(peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def answer(self, action: int, value: int) -> bool:
        """What ``gap_passkey`` says; False if nobody asked."""
        future = self._answers.pop(action, None)
        if future is None or future.done():
            return False
        future.set_result(value)
        return True

    async def ask(self, connection: Connection, action: int, number: int) -> int:
        """Raise the passkey event and wait for the answer."""
        station = self._station
        assert station is not None
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[action] = future
        self._ask(station.peers[connection.handle], action, number)
        return await future

    def encrypted(self, peer: Peer, tell: Callable[[int], None]) -> None:
        """A connection's encryption changed: tell the event's flags."""
        station = self._station
        assert station is not None
        connection = peer.connection
        sessions: dict[int, Any] = station.device.smp_manager.sessions
        session = sessions.get(connection.handle)
        if session is None or session.completed:
            # By the keys of a bond.
            known = self._secrets.authenticated if self._secrets is not None else {}
            authenticated = known.get(str(connection.peer_address), False)
            peer.bearer.authenticated = authenticated
            tell(int(connection.is_encrypted) | authenticated << 1 | 4 | _KEY_BYTES << 8)
            return

        # The keys are still to be exchanged, but how they came about and whether they stay is settled.
        authenticated = session.pairing_method != PairingMethod.JUST_WORKS
        peer.bearer.authenticated = authenticated
        tell(1 | authenticated << 1 | bool(session.bonding) << 2 | _KEY_BYTES << 8)

    def _config(self, connection: Connection) -> PairingConfig:
        settings = self._settings
        return PairingConfig(
            sc=bool(settings["le_secure"]),
            mitm=bool(settings["mitm"]),
            bonding=bool(settings["bond"]),
            identity_address_type=PairingConfig.AddressType.PUBLIC,
            delegate=_Delegate(self, connection, min(4, settings["io"])),
        )

    async def _pair(self, peer: Peer) -> None:
        try:
            name = str(peer.connection.peer_address)
            if self._secrets is not None and await self._secrets.get(name) is not None:
                await peer.connection.encrypt()
            else:
                await peer.connection.pair()
        except (Exception, asyncio.CancelledError):  # noqa: BLE001 - Bumble has an error for each way to fail
            return
