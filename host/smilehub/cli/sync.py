"""`smilehub sync`: the kiosk's records into the store, once or for as long as it runs."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import JournalGap, LinkError, NoIdentity, SmilehubError
from smilehub.ui import Quiet, Ui

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.store.database import Store
    from smilehub.sync.syncer import Event, Faulted, Synced
    from smilehub.ui import Progress


@click.command()
@click.option("--watch", is_flag=True, help="Stay connected and store every record as it comes.")
@_common.kiosk_options
def sync(watch: bool, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Bring the kiosk's records to this laptop.

    Continues where it stopped, however it was stopped; nothing is stored twice. Without --port all kiosks of
    this laptop's hub that are in reach: by cable, or else in the air. From the laptop that is the hub's
    authority each kiosk also learns whose identities were taken back.

    \b
    smilehub sync                        every kiosk in reach
    smilehub sync --port /dev/ttyUSB1    this one
    smilehub sync --watch --json         for a program that follows along
    """
    ui = _common.ui_for(as_json)
    if watch:
        _watch(ui, port, store_path)
    elif port is not None:
        _report(ui, [_one(ui, port, store_path)])
    else:
        _report(ui, _all(ui, store_path))


class _Heard:
    """What one kiosk's sync tells: passed on, and its faults kept for the end."""

    def __init__(self, ui: Ui) -> None:
        self._ui = ui
        self.faults: dict[str, Faulted] = {}

    def __call__(self, event: "Event") -> None:
        from smilehub.sync.syncer import Faulted

        _tell(self._ui, event)
        if isinstance(event, Faulted):
            self.faults[event.task] = event


def _one(ui: Ui, port: str, store_path: Path | None) -> "tuple[Synced, _Heard]":
    from smilehub.sync.syncer import Syncer
    from smilehub.trust.given import RevocationLists

    heard = _Heard(ui)

    async def work(client: "KioskClient", store: "Store") -> "Synced":
        with ui.progress("Records") as progress:
            syncer = Syncer(
                client,
                store,
                _common.utc_now,
                on_event=heard,
                progress=progress,
                lists=RevocationLists(),
            )
            return await syncer.run()

    return _common.with_kiosk(port, store_path, work), heard


def _all(ui: Ui, store_path: Path | None) -> "list[tuple[Synced, _Heard]]":
    """Sync every kiosk in reach: those on cables together, then what is left in the air one by one.

    Raises NoDevice if there is none; the first error, once all others are done.
    """
    from smilehub.cli import _reach
    from smilehub.devices import ports
    from smilehub.sync.syncer import Syncer
    from smilehub.trust.given import RevocationLists

    lists = RevocationLists()
    links = [port.path for port in ports.discover() if port.role == "link"]
    done: list[tuple[Synced, _Heard]] = []
    errors: list[SmilehubError] = []

    async def one(client: "KioskClient", store: "Store", progress: "Progress") -> None:
        heard = _Heard(ui)
        try:
            async with client:
                syncer = Syncer(
                    client, store, _common.utc_now, on_event=heard, progress=progress, lists=lists
                )
                done.append((await syncer.run(), heard))
        except SmilehubError as error:
            errors.append(error)

    async def work() -> None:
        known = _reach.enrolled(store_path)
        in_air: list[bytes] = []
        if not links:
            try:
                in_air = list(await _reach.heard(known))
            except (LinkError, NoIdentity):
                pass  # what is missing first of all is a cable
            if not in_air:
                ports.choose(None)
        with _common.open_store(store_path) as store, ui.progress("Records") as bar:
            progress = bar if len(links) + len(in_air) == 1 else Quiet()
            await asyncio.gather(*(one(_reach.by_cable(path), store, progress) for path in links))
            there = {synced.device_id for synced, _ in done}
            if links and known - there:
                try:
                    in_air = list(await _reach.heard(known - there))
                except (LinkError, NoIdentity):
                    in_air = []
            for device_id in in_air:
                if device_id not in there:
                    await one(_reach.by_air(device_id), store, progress)

    _common.run(work())
    if errors:
        for error in errors[1:]:
            ui.warn(f"{error.message} {error.hint}")
        raise errors[0]
    return done


def _report(ui: Ui, done: "list[tuple[Synced, _Heard]]") -> None:
    """Warn of faults, and raise JournalGap for what is missing."""
    for _, heard in done:
        for fault in heard.faults.values():  # the newest of each kind: a year's first sync may bring many
            _warn(ui, fault)
    for synced, _ in done:
        if synced.gap is not None:
            first, last = synced.gap
            raise JournalGap(
                f"Records {first} to {last} are neither in this store nor on the kiosk any more."
            )


def _watch(ui: Ui, port: str | None, store_path: Path | None) -> NoReturn:
    from smilehub.cli import _reach
    from smilehub.devices.ports import choose
    from smilehub.sync.fleet import Fleet
    from smilehub.sync.watch import Watch
    from smilehub.trust.given import RevocationLists

    lists = RevocationLists()
    path = None if port is None else choose(port)

    def tell(event: "Event") -> None:
        _tell(ui, event, watching=True)

    def silent(where: str, error: SmilehubError) -> None:
        ui.data({"event": "silent", "port": where, "message": error.message})
        ui.warn(f"{error.message} {error.hint}")

    def give_up(device_id: bytes, error: SmilehubError) -> None:
        ui.data({"event": "given_up", "device_id": device_id, "message": error.message})
        ui.warn(f"Kiosk {device_id.hex()}: {error.message} {error.hint}")

    async def work() -> None:
        with _common.open_store(store_path) as store:
            if path is not None:
                one = partial(_reach.by_cable, path)
                await Watch(one, store, _common.utc_now, on_event=tell, lists=lists).run()
            ui.say("Looking for kiosks on cables and in the air.")
            reach = _reach.Reach(store_path, silent)
            fleet = Fleet(
                reach,
                store,
                _common.utc_now,
                on_event=lambda _, event: tell(event),
                on_given_up=give_up,
                lists=lists,
            )
            await fleet.run()

    _common.run(work())
    raise AssertionError("a watch ends only by an error or by Ctrl-C")


def _tell(ui: Ui, event: "Event", *, watching: bool = False) -> None:
    """One event, as a JSON line or as a sentence where a person cares."""
    from dataclasses import asdict

    from smilehub.sync.lists import Behind, Listed, Unlisted
    from smilehub.sync.syncer import (
        Connected,
        Faulted,
        Gap,
        Lost,
        Moving,
        NewJournal,
        Stored,
        Synced,
    )

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
        case Listed(device_id, _):
            ui.say(f"Kiosk {device_id.hex()} knows now whose identities were taken back.")
        case Unlisted(device_id, message):
            ui.warn(
                f"Kiosk {device_id.hex()} does not know yet whose identities were taken back; the next sync "
                f"tells it again. {message}"
            )
        case Behind(device_id, _, _):
            ui.warn(
                f"Kiosk {device_id.hex()} holds a newer list of whose identities were taken back than this "
                "laptop can make: its keys came from an older backup. Bring the newest one: "
                "`smilehub hub import FILE`."
            )
        case Moving(before, to):
            ui.say(f"Going over from {before} to {to}.")
        case Lost(message, retry_s):
            ui.warn(f"{message} Trying again in {retry_s:g} s.")
        case _:
            pass


def _warn(ui: Ui, fault: "Faulted") -> None:
    """A fault in plain words: what it means, what to do, what the kiosk says itself."""
    from smilehub.sync.troubles import Trouble

    trouble = Trouble(fault.task, fault.seq, None, fault.error)
    ui.warn(f"{trouble.means} {trouble.do} (Record {fault.seq}, {fault.task}: {fault.error})")
