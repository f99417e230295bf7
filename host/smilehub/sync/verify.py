"""Does the laptop hold what the kiosk holds? Every record checked, and both folds compared."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hubcore import records
from hubcore.errors import HubError
from hubcore.fold import Hub
from smilehub.link.client import KioskClient
from smilehub.store.database import Store
from smilehub.sync.lists import Lists
from smilehub.sync.syncer import CONFIRM_CALMLY, Event, Syncer, ignore

_CATCH_UPS = 5  # records may come in between the pull and the kiosk's own digest
_NAMED = 5


@dataclass(slots=True)
class Report:
    """What was found. ``faults`` are sentences; with none of them, all is well."""

    journal_id: bytes
    records: int = 0
    next_seq: int = 1
    unknown: int = 0
    kiosk_digest: bytes | None = None
    store_digest: bytes | None = None
    faults: list[str] = field(default_factory=list[str])

    @property
    def agrees(self) -> bool | None:
        """Whether the two folds are the same; None if the kiosk was not asked."""
        return None if self.kiosk_digest is None else self.kiosk_digest == self.store_digest

    @property
    def ok(self) -> bool:
        """Nothing was found wrong."""
        return not self.faults


async def verify(
    client: KioskClient,
    store: Store,
    clock: Callable[[], int],
    *,
    on_event: Callable[[Event], None] = ignore,
    lists: Lists | None = None,
) -> Report:
    """Catch up, check the store by itself, then compare its fold with the kiosk's at the same next seq.

    Raises what a sync raises; what is merely wrong is in the report.
    """
    syncer = Syncer(client, store, clock, on_event=on_event, confirm_every=CONFIRM_CALMLY, lists=lists)
    synced, state = await syncer.run(), await client.state()
    for _ in range(_CATCH_UPS):
        if (state.journal_id, state.next_seq) == (synced.journal_id, synced.last + 1):
            break
        synced, state = await syncer.run(), await client.state()
    report, hub = check(store, synced.journal_id)
    if (state.journal_id, state.next_seq) != (synced.journal_id, report.next_seq):
        report.faults.append("The kiosk writes faster than its records could be fetched; try again.")
        return report
    report.kiosk_digest = state.digest
    report.store_digest = hub.digest()
    if not report.agrees:
        report.faults.append(
            f"At record {state.next_seq - 1} the kiosk's state and the one folded from the store differ."
        )
    return report


def check(store: Store, journal_id: bytes) -> tuple[Report, Hub]:
    """Check what the store holds of one journal, without the kiosk; returns the fold as well."""
    report = Report(journal_id)
    report.faults += [f"The store's file is damaged: {line}." for line in store.check()]
    report.faults += [
        f"Record {seq} exists twice with different bytes." for seq, _ in store.conflicts(journal_id)[:_NAMED]
    ]
    hub = Hub()
    expected = None
    for seq, raw in store.records(journal_id):
        if expected is not None and seq != expected:
            report.faults.append(f"Records {expected} to {seq - 1} are missing.")
            hub.skip(seq)  # as the kiosk does
        expected = seq + 1
        report.records += 1
        try:
            record = records.decode(raw)
            if record.seq != seq:
                raise ValueError(f"it calls itself record {record.seq}")
            report.unknown += record.kind is None
            hub.apply(journal_id, record)
        except (HubError, ValueError) as error:
            report.faults.append(f"Record {seq} cannot be read: {error}.")
            hub.skip(seq + 1)
    report.next_seq = expected or 1
    return report, hub


def fold(store: Store, journal_id: bytes) -> Hub:
    """The state of the hub as the store's records give it; what cannot be read is left out."""
    hub = Hub()
    for seq, raw in store.records(journal_id):
        if hub.journal_id is not None:
            hub.skip(seq)
        try:
            hub.apply(journal_id, records.decode(raw))
        except HubError:
            hub.skip(seq + 1)
    return hub
