"""`smilehub sync`: the kiosk's records into the store, once or for as long as it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import JournalGap
from smilehub.ui import Ui

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.store.database import Store
    from smilehub.sync.syncer import Event, Faulted


@click.command()
@click.option("--watch", is_flag=True, help="Stay connected and store every record as it comes.")
@_common.kiosk_options
def sync(watch: bool, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Bring the kiosk's records to this laptop.

    Continues where it stopped, however it was stopped; nothing is stored twice.

    \b
    smilehub sync                        the only kiosk that is connected
    smilehub sync --port /dev/ttyUSB1    this one
    smilehub sync --watch --json         for a program that follows along
    """
    ui = _common.ui_for(as_json)
    if watch:
        _watch(ui, port, store_path)
    _once(ui, port, store_path)


def _once(ui: Ui, port: str | None, store_path: Path | None) -> None:
    from smilehub.sync.syncer import Faulted, Synced, Syncer

    faults: dict[str, Faulted] = {}

    def tell(event: "Event") -> None:
        _tell(ui, event)
        if isinstance(event, Faulted):
            faults[event.task] = event

    async def work(client: "KioskClient", store: "Store") -> Synced:
        with ui.progress("Records") as progress:
            return await Syncer(client, store, _common.utc_now, on_event=tell, progress=progress).run()

    synced = _common.with_kiosk(port, store_path, work)
    for fault in faults.values():  # the newest of each kind: a year's first sync may bring many
        _warn(ui, fault)
    if synced.gap is not None:
        first, last = synced.gap
        raise JournalGap(f"Records {first} to {last} are neither in this store nor on the kiosk any more.")


def _watch(ui: Ui, port: str | None, store_path: Path | None) -> NoReturn:
    from smilehub.devices.ports import choose
    from smilehub.sync.watch import Watch

    path = choose(port)

    async def work() -> None:
        with _common.open_store(store_path) as store:
            watch = Watch(
                lambda: _common.make_client(path),
                store,
                _common.utc_now,
                on_event=lambda event: _tell(ui, event, watching=True),
            )
            await watch.run()

    _common.run(work())
    raise AssertionError("a watch ends only by an error or by Ctrl-C")


def _tell(ui: Ui, event: "Event", *, watching: bool = False) -> None:
    """One event, as a JSON line or as a sentence where a person cares."""
    from dataclasses import asdict

    from smilehub.sync.syncer import Connected, Faulted, Gap, Lost, NewJournal, Stored, Synced

    ui.data({"event": event.event, **asdict(event)})
    match event:
        case Connected(port, hello):
            ui.say(
                f"Kiosk {hello.letter or hello.device_id.hex()} at {port}, journal {hello.journal_id.hex()}."
            )
        case NewJournal(_, before, last):
            ui.warn(
                f"This kiosk has begun a new journal: its flash was wiped. The {last} records of journal "
                f"{before.hex()} stay on this laptop; whoever waited then has to check in again."
            )
        case Faulted() if watching:
            _warn(ui, event)
        case Stored(_, first, last, _) if watching:
            ui.say(f"Stored records {first} to {last}." if last > first else f"Stored record {last}.")
        case Synced(_, _, new, last, _) if not watching:
            ui.say(f"{new} new record{'' if new == 1 else 's'}; this laptop holds {last}.")
        case Gap(_, first, last):
            ui.warn(f"Records {first} to {last} are neither in this store nor on the kiosk any more.")
        case Lost(message, retry_s):
            ui.warn(f"{message} Trying again in {retry_s:g} s.")
        case _:
            pass


def _warn(ui: Ui, fault: "Faulted") -> None:
    """A fault in plain words: what it means, what to do, what the kiosk says itself."""
    from smilehub.sync.troubles import Trouble

    trouble = Trouble(fault.task, fault.seq, None, fault.error)
    ui.warn(f"{trouble.means} {trouble.do} (Record {fault.seq}, {fault.task}: {fault.error})")
