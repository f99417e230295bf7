"""A board's bonds, which its firmware keeps: MicroPython's ``_IRQ_GET_SECRET`` and ``_IRQ_SET_SECRET``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from bumble.hci import Address
from bumble.keys import KeyStore, PairingKeys

#: NimBLE's number of what is known of a peer (BLE_STORE_OBJ_TYPE_PEER_SEC).
PEER = 2

Answer = Callable[[int, bytes], None]
"""Takes 0 and the value, or an error."""
Get = Callable[[int, bytes, Answer], None]
"""Asks the firmware for a secret, by its type and key."""
Put = Callable[[int, bytes, "bytes | None"], None]
"""Hands a secret to the firmware to keep, or (None) to forget."""


class Secrets(KeyStore):
    """The keys of bonded peers. What the firmware does not keep is forgotten with the connection."""

    def __init__(self, get: Get, put: Put) -> None:
        self._ask = get
        self._put = put
        #: Whether the last keys found for a peer came about with authentication.
        self.authenticated: dict[str, bool] = {}

    async def get(self, _name: str) -> PairingKeys | None:
        """The keys of a peer, if the firmware has them."""
        future: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

        def answer(error: int, value: bytes) -> None:
            if not future.done():
                future.set_result(None if error else value)

        self._ask(PEER, _key(_name), answer)
        value = await future
        if not value:
            return None
        keys = PairingKeys.from_dict(json.loads(value))
        key = keys.ltk or keys.ltk_central
        self.authenticated[_name] = bool(key is not None and key.authenticated)
        return keys

    async def update(self, name: str, keys: PairingKeys) -> None:
        """Keep the keys of a new bond."""
        self._put(PEER, _key(name), json.dumps(keys.to_dict(), separators=(",", ":")).encode())

    async def delete(self, name: str) -> None:
        """Forget a bond."""
        self._put(PEER, _key(name), None)

    async def get_all(self) -> list[tuple[str, PairingKeys]]:
        """None: addresses here are public, so that nobody has to be resolved."""
        return []


def _key(name: str) -> bytes:
    address = Address(name)
    return bytes([address.address_type]) + bytes(address)[::-1]
