"""Staying in touch: connect, catch up, listen, and after every loss wait a little longer and begin again."""

import asyncio
import enum
from collections.abc import Callable
from typing import NoReturn

from smilehub.errors import KioskFault, LinkError, NotAPort, PortForbidden, ProtocolError
from smilehub.link.client import KioskClient
from smilehub.link.messages import Head
from smilehub.store.database import Store
from smilehub.sync.syncer import CONFIRM_CALMLY, Event, Lost, Syncer, ignore

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
POLL_S = 30.0
_ODD_ANSWERS = 5
_DOUBLINGS = 10  # by then every pause is the longest


class Phase(enum.Enum):
    """What a watch is doing."""

    CONNECTING = "connecting"
    CATCHING_UP = "catching up"
    LISTENING = "listening"
    WAITING = "waiting"


class Watch:
    """Keeps a store up with one kiosk until cancelled.

    ``connect`` makes a fresh client for each attempt. After a loss the pause doubles from half a second to
    half a minute; a successful catch-up resets it. Notices lead to a pull at once, and a greeting every
    ``poll_s`` makes up for lost ones. What no repeating can mend (store errors, conflicts, other versions,
    a forbidden port) is raised.
    """

    def __init__(
        self,
        connect: Callable[[], KioskClient],
        store: Store,
        clock: Callable[[], int],
        *,
        on_event: Callable[[Event], None] = ignore,
        poll_s: float = POLL_S,
    ) -> None:
        self.phase = Phase.WAITING
        self._connect = connect
        self._store = store
        self._clock = clock
        self._tell = on_event
        self._poll_s = poll_s
        self._losses = 0
        self._odd = 0

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        while True:
            try:
                await self._session()
            except (PortForbidden, NotAPort):
                raise
            except LinkError as error:
                pause = self._pause(error)
            except (ProtocolError, KioskFault) as error:
                # a kiosk that restarts may cut an answer short; one that goes on like this will not mend
                self._odd += 1
                if self._odd >= _ODD_ANSWERS:
                    raise
                pause = self._pause(error)
            self.phase = Phase.WAITING
            await asyncio.sleep(pause)

    async def _session(self) -> NoReturn:
        self.phase = Phase.CONNECTING
        async with self._connect() as client:
            syncer = Syncer(
                client, self._store, self._clock, on_event=self._tell, confirm_every=CONFIRM_CALMLY
            )
            while True:
                self.phase = Phase.CATCHING_UP
                await syncer.run()
                self._losses = self._odd = 0
                self.phase = Phase.LISTENING
                await self._listen(client, syncer)

    async def _listen(self, client: KioskClient, syncer: Syncer) -> None:
        """Return when the journal has grown, or when it is time to ask."""
        known = syncer.next_seq
        try:
            async with asyncio.timeout(self._poll_s):
                while True:
                    notices = [await client.next_notice(), *client.pending_notices()]
                    if any(isinstance(notice, Head) and notice.next_seq > known for notice in notices):
                        return
        except TimeoutError:
            return

    def _pause(self, error: Exception) -> float:
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._losses, _DOUBLINGS))
        self._losses += 1
        self._tell(Lost(str(error), pause))
        return pause
