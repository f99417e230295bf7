"""From the kiosk's journal into the store: from where it stopped, checked, once, confirmed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hubcore import records
from hubcore.errors import HubError
from smilehub.errors import JournalShorter, RecordInvalid
from smilehub.link.client import KioskClient
from smilehub.link.messages import Hello
from smilehub.store.commands import Id
from smilehub.store.database import Row, Store
from smilehub.sync.lists import Behind, Listed, Lists, Unlisted, hand_over
from smilehub.sync.troubles import begins
from smilehub.ui import Progress, Quiet

# what the kiosk writes for a receipt: not worth one of its own
RECEIPT = int(records.build("receipt", {"journal": bytes(8), "seq": 1})[0])
_BATCH = 256  # records to a transaction: a disk flush each, about every two seconds of a serial link

# a laptop whose own clock was never set has no time to give: from 2025 on, as far as a kiosk takes it
_PLAUSIBLE_S = range(1_735_689_600, 0x8_0000_0000)

CONFIRM_ALWAYS = 1
CONFIRM_CALMLY = 64


@dataclass(frozen=True, slots=True)
class Connected:
    """A kiosk has answered."""

    event: ClassVar[str] = "connected"
    port: str
    hello: Hello


@dataclass(frozen=True, slots=True)
class NewJournal:
    """The kiosk has begun a new journal; of the one before, this store holds records up to ``last``."""

    event: ClassVar[str] = "new_journal"
    journal_id: bytes
    before: bytes
    last: int


@dataclass(frozen=True, slots=True)
class Faulted:
    """A fault came, and is stored now; ``smilehub.sync.troubles`` has the words."""

    event: ClassVar[str] = "fault"
    journal_id: bytes
    seq: int
    task: str
    error: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Records ``first`` to ``last`` are on disk; ``new`` of them were not there before."""

    event: ClassVar[str] = "stored"
    journal_id: bytes
    first: int
    last: int
    new: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The kiosk knows that everything up to ``seq`` is safe."""

    event: ClassVar[str] = "confirmed"
    journal_id: bytes
    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Records ``first`` to ``last`` are neither here nor on the kiosk any more."""

    event: ClassVar[str] = "gap"
    journal_id: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Synced:
    """The store has caught up; ``last`` is its highest seq, ``gap`` spans what the kiosk lacks."""

    event: ClassVar[str] = "synced"
    journal_id: bytes
    device_id: bytes
    new: int
    last: int
    gap: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Lost:
    """The link ended; the next attempt comes after ``retry_s`` seconds."""

    event: ClassVar[str] = "lost"
    message: str
    retry_s: float


@dataclass(frozen=True, slots=True)
class Moving:
    """The session goes over to a better way."""

    event: ClassVar[str] = "moving"
    before: str
    to: str


Event = (
    Connected
    | NewJournal
    | Stored
    | Faulted
    | Confirmed
    | Gap
    | Synced
    | Lost
    | Moving
    | Listed
    | Unlisted
    | Behind
)


def ignore(_: Event) -> None:
    """Nobody wants to know."""


class Syncer:
    """Brings one kiosk's records into one store.

    ``clock`` gives UTC seconds; a kiosk that does not know the time is given it, unless it is absurd. A
    receipt is sent once ``confirm_every`` records wait for one (receipts are records too, but never lead to
    another). Before all else the kiosk is given the revocation list that ``lists`` has for it, if any.
    """

    def __init__(
        self,
        client: KioskClient,
        store: Store,
        clock: Callable[[], int],
        *,
        on_event: Callable[[Event], None] = ignore,
        progress: Progress | None = None,
        confirm_every: int = CONFIRM_ALWAYS,
        lists: Lists | None = None,
    ) -> None:
        self.client = client
        self.store = store
        self._clock = clock
        self._tell = on_event
        self._progress = progress or Quiet()
        self._confirm_every = confirm_every
        self._lists = lists
        self._hello: Hello | None = None
        self._batch: list[Row] = []
        self._new = 0
        self._gap: tuple[int, int] | None = None
        self._open: set[Id] = set()
        self._answers: list[tuple[Id, str, int]] = []
        self._held = 0  # the highest seq that was stored when this run began
        self._faults: list[Faulted] = []

    @property
    def next_seq(self) -> int:
        """The seq that the store lacks first, of the journal greeted last."""
        return 1 if self._hello is None else self.store.last_seq(self._hello.journal_id) + 1

    async def run(self) -> Synced:
        """Greet the kiosk and fetch everything that it has and the store lacks.

        May be cut off anywhere and run again. Raises a LinkError, ProtocolError, VersionMismatch,
        RecordInvalid, RecordConflict, JournalShorter or StoreError; what had arrived before is stored.
        """
        hello = await self.client.hello()
        if self._hello is None or self._hello.journal_id != hello.journal_id:
            self._tell(Connected(self.client.transport.name, hello))
        self._hello = hello
        if self._lists is not None:
            await hand_over(self.client, hello, self._lists, self._tell)
        self._new = 0
        before = None if self.store.journal(hello.journal_id) else self.store.newest_journal(hello.device_id)
        self.store.add_journal(hello.journal_id, hello.device_id)
        if before is not None:
            self._tell(NewJournal(hello.journal_id, before.journal_id, before.last))
        last = self.store.last_seq(hello.journal_id)
        if hello.next_seq <= last:
            raise JournalShorter(
                f"The kiosk's journal ends at record {hello.next_seq - 1}, but this laptop holds {last}."
            )
        self._gap = None
        self._held = last
        self._open = self.store.commands.unanswered()
        if 0 < last < hello.first_seq - 1:
            self._missing(last + 1, hello.first_seq - 1)
        now = self._clock()
        if hello.clock_s is None and now in _PLAUSIBLE_S:
            await self.client.set_clock(now)
        # the last record that both should have comes once more: other bytes would show that the
        # journal is not the one that was stored
        await self._pull(hello, max(last, hello.first_seq, 1))
        if await self._confirm(hello):
            await self._pull(hello, self.next_seq)
        synced = Synced(hello.journal_id, hello.device_id, self._new, self.next_seq - 1, self._gap)
        self._tell(synced)
        return synced

    async def _pull(self, hello: Hello, from_seq: int) -> None:
        total = hello.next_seq - 1

        def take(first: int, raws: Sequence[bytes]) -> None:
            for seq, raw in enumerate(raws, first):
                record = read(seq, raw)
                self._batch.append(
                    Row(seq, record.code, record.boot, record.uptime_ms, record.clock_s, bytes(raw))
                )
                self._note(record)
                if len(self._batch) >= _BATCH:
                    self._flush(hello)
            self._progress.update(first + len(raws) - 1, max(total, first + len(raws) - 1))

        try:
            await self.client.pull(hello.journal_id, from_seq, None, take, self._missing)
        finally:
            self._flush(hello)

    def _missing(self, first: int, last: int) -> None:
        assert self._hello is not None
        self._gap = (self._gap[0] if self._gap else first, last)
        self._tell(Gap(self._hello.journal_id, first, last))

    def _note(self, record: records.Record) -> None:
        """A record tells of a fault, or what became of a command whose answer was lost."""
        if begins(record) and record.seq > self._held and self._hello is not None:
            task, error = record.body["task"], record.body["error"]
            self._faults.append(Faulted(self._hello.journal_id, record.seq, task, error))
        issuer, counter = record.body.get("cmd", ("", 0)) if record.kind else ("", 0)
        cmd = issuer, counter
        if cmd in self._open:
            self._open.discard(cmd)
            refused = record.kind == "command_done"
            self._answers.append((cmd, record.body["reason"] if refused else "done", record.seq))

    def _flush(self, hello: Hello) -> None:
        rows, self._batch = self._batch, []
        answers, self._answers = self._answers, []
        faults, self._faults = self._faults, []
        if rows:
            new = self.store.add(hello.journal_id, rows)
            self._new += new
            for cmd, outcome, seq in answers:
                self.store.commands.note(cmd, outcome, seq)
            if new:
                self._tell(Stored(hello.journal_id, rows[0].seq, rows[-1].seq, new))
            for fault in faults:
                self._tell(fault)

    async def _confirm(self, hello: Hello) -> bool:
        worth = self.store.last_seq(hello.journal_id, but=RECEIPT)
        if worth - self.store.confirmed(hello.journal_id) < self._confirm_every:
            return False
        last = self.store.last_seq(hello.journal_id)
        await self.client.receipt(hello.journal_id, last)
        self.store.confirmed(hello.journal_id, last)
        self._tell(Confirmed(hello.journal_id, last))
        return True


def read(seq: int, raw: bytes) -> records.Record:
    """The record that the kiosk calls ``seq``. Raises RecordInvalid if the bytes are not that record."""
    try:
        record = records.decode(raw)
    except HubError as error:
        raise RecordInvalid(f"Record {seq} from the kiosk cannot be read: {error}.") from error
    if record.seq != seq:
        raise RecordInvalid(f"What the kiosk sent as record {seq} calls itself record {record.seq}.")
    return record
