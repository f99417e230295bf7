"""`smilehub devices`: which kiosks are in reach, by which way, and how much of theirs is not here yet."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import LinkError, NoIdentity, SmilehubError

if TYPE_CHECKING:
    from smilehub.devices.ports import Port
    from smilehub.link.air import Heard
    from smilehub.link.client import KioskClient
    from smilehub.link.messages import Hello


@dataclass(slots=True)
class _Found:
    """One way to a kiosk, and what came of asking it."""

    way: str
    place: str
    what: str
    device_id: bytes | None = None
    signal_dbm: int | None = None
    port: "Port | None" = None
    hello: "Hello | None" = None
    unsynced: int | None = None
    error: SmilehubError | None = None

    def json(self) -> dict[str, Any]:
        line: dict[str, Any] = {"way": self.way, "known_as": self.what}
        if self.port is not None:
            line |= {"port": self.place, "role": self.port.role, "serial_number": self.port.serial_number}
        else:
            line |= {"address": self.place, "signal_dbm": self.signal_dbm}
        if self.device_id is not None:
            line["device_id"] = self.device_id
        if self.hello is not None:
            line |= {"letter": self.hello.letter, "firmware": self.hello.firmware, "unsynced": self.unsynced}
        if self.error is not None:
            line["error"] = self.error.message
        return line

    def row(self) -> list[object]:
        kiosk = self.hello.letter if self.hello is not None else None
        if self.device_id is not None:
            kiosk = f"{kiosk or ''} {self.device_id.hex()}".strip()
        signal = None if self.signal_dbm is None else f"{self.signal_dbm} dBm"
        said = self.error.message if self.error is not None else self.what
        return [kiosk, self.way, self.place, signal, self.unsynced, said]


@click.command()
@click.option("--list", "only_list", is_flag=True, help="Only look: connect to nobody.")
@_common.store_option
@_common.json_option
def devices(only_list: bool, store_path: Path | None, as_json: bool) -> None:
    """List the kiosks in reach, by cable and in the air.

    Looked at are USB ports by their ids, the links named in the environment variable SMILEHUB_PORTS (paths as
    in PATH; a folder stands for every link in it), and the kiosks of this laptop's hub that advertise. Each
    is asked how many of its records are not on this laptop yet.

    \b
    smilehub devices
    smilehub devices --list --json
    """
    ui = _common.ui_for(as_json)
    found, silent = _common.run(_look(store_path, ask=not only_list))
    for one in found:
        ui.data(one.json())
    if not found:
        ui.say("No kiosk is in reach. Without one, `smilehub demo` runs a simulated hub.")
    else:
        ui.table(["kiosk", "way", "where", "signal", "unsynced", ""], [one.row() for one in found])
    if silent is not None:
        ui.warn(f"The air was not searched: {silent.message}")


async def _look(store_path: Path | None, *, ask: bool) -> "tuple[list[_Found], SmilehubError | None]":
    """All that is in reach, and why the air was not searched, if it was not."""
    from smilehub.cli import _reach
    from smilehub.devices.ports import discover

    found = [
        _Found("cable" if port.role == "link" else "console", port.path, port.known_as, port=port)
        for port in discover()
    ]
    silent: SmilehubError | None = None
    in_air: dict[bytes, Heard] = {}
    known = _reach.enrolled(store_path)
    if known:
        try:
            in_air = await _reach.heard(known)
        except (LinkError, NoIdentity) as error:
            silent = error
    found += [
        _Found("air", one.address, "in the air", device_id, one.signal_dbm)
        for device_id, one in in_air.items()
    ]
    if ask:
        await asyncio.gather(*(_ask(one, store_path) for one in found if one.way == "cable"))
        cabled = {one.device_id for one in found if one.way == "cable"}
        for one in found:  # this laptop has one radio
            if one.way == "air" and one.device_id not in cabled:
                await _ask(one, store_path)
    return found, silent


async def _ask(one: _Found, store_path: Path | None) -> None:
    from smilehub.cli import _reach

    try:
        client: KioskClient
        client = _reach.by_air(one.device_id) if one.device_id else _reach.by_cable(one.place)
        async with client:
            hello = await client.hello()
    except SmilehubError as error:
        one.error = error
        return
    one.hello, one.device_id = hello, hello.device_id
    one.unsynced = max(0, hello.next_seq - 1 - max(_last(store_path, hello.journal_id), hello.first_seq - 1))


def _last(store_path: Path | None, journal_id: bytes) -> int:
    """The last record that this laptop holds of a journal."""
    from smilehub.store.database import Store, default_path

    path = store_path or default_path()
    if not path.exists():
        return 0
    with Store.open(path, write=False) as store:
        return store.last_seq(journal_id)
