"""`smilehub config`: what is set on a kiosk."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from smilehub.cli import _common

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient


@click.command()
@click.argument("name", required=False)
@click.argument("value", required=False)
@_common.kiosk_options
def config(
    name: str | None, value: str | None, port: str | None, store_path: Path | None, as_json: bool
) -> None:
    """Show what is set on the kiosk; with NAME and VALUE, change it.

    tz is the time zone of its clock, as in POSIX; rate the highest bits a second of its cable; radio 1 or 0.

    \b
    smilehub config
    smilehub config tz CET-1CEST,M3.5.0,M10.5.0/3
    smilehub config radio 0
    """
    ui = _common.ui_for(as_json)

    async def work(client: "KioskClient") -> dict[str, Any]:
        await client.hello()
        if name is not None and value is not None:
            await client.configure(name, value)
        return await client.config()

    settings = _common.with_client(port, store_path, work)
    shown = {key: settings[key] for key in sorted(settings) if name in (None, key)}
    ui.data(shown)
    ui.table(("name", "value"), list(shown.items()))
