"""The front desk's wishes: numbered in the store before they are sent, so that each happens once."""

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from hubcore import cbor
from smilehub.errors import KioskRefused, LinkClosed, LinkError, NoAnswer, ProtocolError
from smilehub.link.client import KioskClient
from smilehub.link.messages import Done
from smilehub.store.database import Store

_UNSURE = (
    "It may have been done all the same. Give the very same command again: it keeps its number, "
    "and the kiosk does it only once."
)
# What must not be read in the store: a PIN. Whether a wish is the very same is told by a hash instead, with
# a key that this process forgets; given again by another process it gets a number of its own: harmless.
_SECRET = frozenset({"staff_set"})
_KEY = os.urandom(32)


class Desk:
    """Sends commands to one kiosk, under the laptop's certificate and the store's name and counter."""

    def __init__(self, client: KioskClient, store: Store, device_id: bytes | None = None) -> None:
        self._client = client
        self._store = store
        self._device_id = device_id

    async def command(self, name: str, args: Mapping[str, Any]) -> Done:
        """Have the kiosk carry out ``name``; a lost answer is asked for again under the same number.

        Raises KioskRefused with the kiosk's reason; JournalFull; a LinkError if it never answers, and then
        the same command given next, even by another process, goes under the same number; StoreError before
        anything is sent.
        """
        if self._device_id is None:
            self._device_id = (self._client.greeting or await self._client.hello()).device_id
        kept = cbor.dumps(dict(args))
        if name in _SECRET:
            kept = hashlib.blake2b(kept, key=_KEY, digest_size=16).digest()
        serial: bytes = getattr(self._client.transport, "own_serial", b"")
        cmd = self._store.commands.issue(self._device_id, name, kept, serial)
        try:
            # the kiosk itself puts before it whose certificate it sees
            done = await self._client.command(name, args, (cmd[0][2 * len(serial[:4]) :], cmd[1]))
        except KioskRefused as refusal:
            self._store.commands.settle(cmd, refusal.reason or "refused", None)
            raise
        except ProtocolError:
            self._store.commands.settle(cmd, "rejected", None)
            raise
        except (NoAnswer, LinkClosed) as error:
            raise type(error)(error.message, hint=_UNSURE) from error
        except LinkError:
            raise
        self._store.commands.settle(cmd, "done", done.seq)
        return done
