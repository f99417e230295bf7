"""Staying in touch with every kiosk of a hub that comes into reach: a watch for each."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

from smilehub.errors import SmilehubError
from smilehub.store.database import Store
from smilehub.sync.lists import Lists
from smilehub.sync.syncer import Event
from smilehub.sync.watch import Watch
from smilehub.sync.ways import Way

_LOOK_S = 5.0


class Reach(Protocol):
    """Who knows which of a hub's kiosks are in reach."""

    async def look(self, *, cables_only: bool = False) -> Sequence[tuple[bytes, Way]]:
        """(device id, way) of each kiosk and each way to it. Bounded in time."""
        ...


class One:
    """The ways to one kiosk, out of all that are in reach."""

    def __init__(self, reach: Reach, device_id: bytes) -> None:
        self._reach = reach
        self._device_id = device_id

    async def ways(self, *, cables_only: bool = False) -> Sequence[Way]:
        """Those that lead to it."""
        found = await self._reach.look(cables_only=cables_only)
        return [way for device_id, way in found if device_id == self._device_id]


class Fleet:
    """Watches each kiosk from when it is seen first; ``on_event(device id, event)`` hears what happens.

    One that repeating cannot mend is given up until it has been away; ``on_given_up`` hears why.
    """

    def __init__(
        self,
        reach: Reach,
        store: Store,
        clock: Callable[[], int],
        *,
        on_event: Callable[[bytes, Event], None],
        on_given_up: Callable[[bytes, SmilehubError], None],
        look_s: float = _LOOK_S,
        lists: Lists | None = None,
    ) -> None:
        self.watches: dict[bytes, Watch] = {}
        self._reach = reach
        self._store = store
        self._clock = clock
        self._tell = on_event
        self._given_up = on_given_up
        self._look_s = look_s
        self._lists = lists

    async def run(self) -> NoReturn:
        """Watch until cancelled; raises what is not one kiosk's alone, such as a StoreError."""
        lost: set[bytes] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                seen = {device_id for device_id, _ in await self._reach.look()}
                lost &= seen
                for device_id in sorted(seen - lost - set(self.watches)):
                    self.watches[device_id] = self._watch(device_id)
                    group.create_task(self._keep(device_id, lost), name=f"watch {device_id.hex()}")
                await asyncio.sleep(self._look_s)

    def _watch(self, device_id: bytes) -> Watch:
        def tell(event: Event) -> None:
            self._tell(device_id, event)

        return Watch(One(self._reach, device_id), self._store, self._clock, on_event=tell, lists=self._lists)

    async def _keep(self, device_id: bytes, lost: set[bytes]) -> None:
        try:
            await self.watches[device_id].run()
        except SmilehubError as error:
            self._given_up(device_id, error)
            lost.add(device_id)
            del self.watches[device_id]
