"""The laptop: a watch that keeps the store up, its fold, and commands that do not give up."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hubcore import records
from hubcore.fold import Hub
from smilehub.errors import LinkError
from smilehub.link.client import KioskClient
from smilehub.link.messages import Done
from smilehub.link.transport import Transport
from smilehub.store.database import Store
from smilehub.sync.desk import Desk
from smilehub.sync.syncer import Connected, Event, Stored
from smilehub.sync.verify import Report, verify
from smilehub.sync.watch import Watch

_AGAIN_S = 2.0


class Laptop:
    """``transport`` makes a transport to the kiosk for each attempt; ``clock`` gives UTC seconds."""

    def __init__(self, transport: Callable[[], Transport], store: Store, clock: Callable[[], int]) -> None:
        self.store = store
        #: The queue as the store's records give it.
        self.fold = Hub()
        #: Called with each record as it reaches the store.
        self.on_record: list[Callable[[records.Record], None]] = []
        self._transport = transport
        self._clock = clock
        self._client: KioskClient | None = None
        self._device_id: bytes | None = None
        self._news = asyncio.Condition()
        self._one_wish = asyncio.Lock()
        self._telling: asyncio.Task[None] | None = None

    async def watch(self) -> None:
        """Keep the store up until cancelled."""
        await Watch(self._open, self.store, self._clock, on_event=self._event).run()

    async def command(self, name: str, args: Mapping[str, Any]) -> Done:
        """Have the kiosk do it, however often the link fails meanwhile; returns once its record is stored.

        Raises KioskRefused. One wish goes out at a time: the kiosk takes an issuer's numbers in order.
        """
        async with self._one_wish:
            while True:
                try:
                    if self._client is None:
                        await asyncio.sleep(_AGAIN_S)
                        continue
                    done = await Desk(self._client, self.store, self._device_id).command(name, args)
                except LinkError:
                    await asyncio.sleep(_AGAIN_S)
                    continue
                break
        await self.until(lambda hub: hub.next_seq > done.seq)
        return done

    async def until(self, holds: Callable[[Hub], bool]) -> None:
        """Wait until the fold is as ``holds`` wants it."""
        async with self._news:
            await self._news.wait_for(lambda: holds(self.fold))

    async def verify(self) -> tuple[Report, int]:
        """Compare store and kiosk, and ask the kiosk how many records it holds. The watch must have ended."""
        async with self.connect() as client:
            report = await verify(client, self.store, self._clock)
            hello = await client.hello()
            return report, hello.next_seq - hello.first_seq

    def connect(self) -> KioskClient:
        """A fresh client, not yet connected. The port takes one at a time."""
        return KioskClient(self._transport())

    def _open(self) -> KioskClient:
        self._client = self.connect()
        return self._client

    def _event(self, event: Event) -> None:
        if isinstance(event, Connected):
            self._device_id = event.hello.device_id
        elif isinstance(event, Stored):
            for _, raw in self.store.records(event.journal_id, self.fold.next_seq):
                record = records.decode(raw)
                if self.fold.apply(event.journal_id, record):
                    for tell in self.on_record:
                        tell(record)
            self._telling = asyncio.get_running_loop().create_task(self.nudge())

    async def nudge(self) -> None:
        """Let everybody who waits in ``until`` look again."""
        async with self._news:
            self._news.notify_all()
