"""`smilehub logs` and `smilehub health`: what a kiosk has printed, and how it is."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

import smilehub
from smilehub.cli import _common
from smilehub.ui import Ui, plain

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.link.messages import Health

_AGAIN_S = 1.0


@click.command()
@click.option("--follow", is_flag=True, help="Stay, and show what is printed from now on.")
@_common.kiosk_options
def logs(follow: bool, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Show what the kiosk's program has printed, as far back as it keeps it.

    For technicians: this laptop needs a technician's identity.

    \b
    smilehub logs
    smilehub logs --follow
    """
    from smilehub.devices.names import readable

    ui = _common.ui_for(as_json)

    async def work(client: "KioskClient") -> None:
        ours = (await client.hello()).firmware == smilehub.__version__
        at = 0
        while True:
            log = await client.logs(at)
            if log.text:
                text = readable(log.text) if ours and "Traceback" in log.text else log.text
                _show(ui, log.start, text, missed=log.start > at > 0)
            if log.next > at:
                at = log.next
            elif not follow:
                return
            else:
                await asyncio.sleep(_AGAIN_S)

    _common.with_client(port, store_path, work, role="technician")


def _show(ui: Ui, start: int, text: str, *, missed: bool) -> None:
    ui.data({"from": start, "text": text})
    if missed:
        ui.warn("Some of what the kiosk printed is missing here: it keeps only the newest.")
    if not ui.as_json:
        print(plain(text), end="", file=ui.out, flush=True)


@click.command()
@_common.kiosk_options
def health(port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Show how the kiosk is: troubles that stand, memory, journal, link.

    \b
    smilehub health
    smilehub health --json
    """
    from smilehub.sync.troubles import TROUBLES

    ui = _common.ui_for(as_json)

    async def work(client: "KioskClient") -> "Health":
        await client.hello()
        return await client.health()

    found = _common.with_client(port, store_path, work)
    troubles = [{"task": name, **_words(name)} for name in found.troubles]
    ui.data(
        {
            "troubles": troubles,
            "firmware": found.firmware,
            "interpreter": found.interpreter,
            "uptime_s": found.uptime_ms // 1000,
            "heap_free_bytes": found.heap_free,
            "journal_used_bytes": found.journal_used,
            "journal_total_bytes": found.journal_total,
            "restarts": found.restarts,
            "link": found.link,
        }
    )
    for name in found.troubles:
        ui.say(" ".join(TROUBLES[name] if name in TROUBLES else f"Trouble: {name}.".split()))
    if not found.troubles:
        ui.say("Nothing is wrong.")
    restarts = ", ".join(f"{task} {times} ×" for task, times in found.restarts.items() if times)
    rows = [
        ("firmware", found.firmware),
        ("runs for", _span(found.uptime_ms // 1000)),
        ("free memory", f"{found.heap_free:,} bytes"),
        ("journal", f"{found.journal_used:,} of {found.journal_total:,} bytes"),
        ("started again", restarts or "nothing"),
    ]
    rows += [(f"link, {way}", _counts(counts)) for way, counts in found.link.items()]
    ui.table(("what", "is"), rows)


def _words(name: str) -> dict[str, str]:
    from smilehub.sync.troubles import TROUBLES

    means, do = TROUBLES.get(name, ("", ""))
    return {"means": means, "do": do}


def _counts(counts: Any) -> str:
    if not isinstance(counts, dict):
        return str(counts)
    return ", ".join(f"{key} {value}" for key, value in counts.items() if value != "")  # pyright: ignore


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
