"""`smilehub queue`: who waits, who is where, and which alerts stand."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import StoreMissing
from smilehub.ui import Ui

if TYPE_CHECKING:
    from hubcore.fold import Hub
    from smilehub.link.client import KioskClient
    from smilehub.store.database import Store


@click.command()
@click.option("--offline", is_flag=True, help="Show what this laptop knows already; no kiosk is needed.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="Show at most so many who wait.",
)
@_common.kiosk_options
def queue(offline: bool, limit: int, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Show who waits, in the order of the next calls.

    \b
    smilehub queue
    smilehub queue --offline --json
    """
    ui = _common.ui_for(as_json)
    _tell(ui, _offline(store_path, limit) if offline else _online(port, store_path, limit))


def _online(port: str | None, store_path: Path | None, limit: int) -> dict[str, Any]:
    from smilehub.sync.syncer import CONFIRM_CALMLY, Syncer
    from smilehub.sync.verify import fold

    async def work(client: "KioskClient", store: "Store") -> dict[str, Any]:
        synced = await Syncer(client, store, _common.utc_now, confirm_every=CONFIRM_CALMLY).run()
        hello = await client.hello()
        hub = fold(store, synced.journal_id)
        return picture(hub, hub.now_ms(hello.boot, hello.uptime_ms), limit)

    return _common.with_kiosk(port, store_path, work)


def _offline(store_path: Path | None, limit: int) -> dict[str, Any]:
    from smilehub.sync.verify import fold

    with _common.open_store(store_path, write=False) as store:
        journals = store.journals()
        if not journals:
            raise StoreMissing(f"The store {store.path} holds no records yet.")
        hub = fold(store, journals[-1].journal_id)
        return picture(hub, hub.queue_ms, limit)


def picture(hub: "Hub", now_ms: int, limit: int) -> dict[str, Any]:
    """The state of the hub at a moment of queue time, as plain values."""
    waiting = [
        {
            "ticket": visit.label,
            "pictogram": visit.pictogram,
            "need": visit.need,
            "lane": visit.lane,
            "waited_s": max(0, now_ms // 1000 - visit.arrival_s),
        }
        for visit in hub.order(now_ms, limit)
    ]
    chairs = [
        {"chair": chair.name, "open": chair.open, "lanes": list(chair.lanes), "ticket": chair.visit}
        | ({"state": hub.visits[chair.visit].state} if chair.visit is not None else {})
        for _, chair in sorted(hub.chairs.items())
    ]
    alerts = [
        {"alert": alert.seq, "why": alert.why, "ticket": alert.label, "level": alert.level(now_ms)}
        for _, alert in sorted(hub.alerts.items())
    ]
    return {
        "day_open": hub.day_open,
        "full": hub.full,
        "counts": dict(hub.counts),
        "waiting": waiting,
        "chairs": chairs,
        "alerts": alerts,
    }


def _tell(ui: Ui, now: dict[str, Any]) -> None:
    ui.data(now)
    counts = now["counts"]
    ui.say(
        f"The day is {'open' if now['day_open'] else 'closed'}{', the hub is full' if now['full'] else ''}: "
        f"{counts['waiting']} waiting, {counts['called']} called, {counts['seated']} seated, "
        f"{counts['served']} served."
    )
    for alert in now["alerts"]:
        whose = f" for {alert['ticket']}" if alert["ticket"] else ""
        ui.say(f"ALERT {alert['alert']}: {alert['why']}{whose}{' (escalated)' if alert['level'] > 1 else ''}")
    if now["chairs"]:
        ui.table(
            ["chair", "lanes", "ticket", "state"],
            [
                [
                    chair["chair"],
                    " ".join(chair["lanes"]) or "all",
                    chair["ticket"],
                    chair.get("state", "free" if chair["open"] else "closed"),
                ]
                for chair in now["chairs"]
            ],
        )
    if now["waiting"]:
        ui.table(
            ["next", "ticket", "pictogram", "need", "lane", "waited"],
            [
                [n, w["ticket"], w["pictogram"], w["need"], w["lane"], f"{w['waited_s'] // 60} min"]
                for n, w in enumerate(now["waiting"], 1)
            ],
        )
