"""`smilehub queue`: who waits, who is where, what was promised, which alerts stand, and what is wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import StoreMissing
from smilehub.ui import Ui

if TYPE_CHECKING:
    from hubcore.fold import Hub
    from smilehub.link.client import KioskClient
    from smilehub.store.database import Store
    from smilehub.sync.troubles import Trouble


class Present(NamedTuple):
    """The hub at a moment of queue time (ms), and what its kiosk has reported since it was switched on."""

    hub: "Hub"
    now_ms: int
    troubles: "list[Trouble]"


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

    With class, lane, time waited, and about how long it takes yet; families that came together; who comes
    first tomorrow; chairs; alerts with their level (2: a minute old and nobody has come); and what the kiosk
    has reported as broken since it was switched on, with what to do.

    \b
    smilehub queue
    smilehub queue --offline --json
    """
    ui = _common.ui_for(as_json)
    _tell(ui, picture(present(port, store_path, offline=offline), limit))


def present(port: str | None, store_path: Path | None, *, offline: bool) -> Present:
    """The hub as it is now, synced with the kiosk first; offline: as this laptop's store has it.

    Raises what a sync raises; StoreMissing offline when there is nothing.
    """
    return _offline(store_path) if offline else _online(port, store_path)


def _online(port: str | None, store_path: Path | None) -> Present:
    async def work(client: "KioskClient", store: "Store") -> Present:
        return await catch_up(client, store)

    return _common.with_kiosk(port, store_path, work)


async def catch_up(client: "KioskClient", store: "Store") -> Present:
    """The hub as it is now, by a client and a store that are open. Raises what a sync raises."""
    from smilehub.sync.syncer import CONFIRM_CALMLY, Syncer
    from smilehub.sync.troubles import reported
    from smilehub.sync.verify import fold
    from smilehub.trust.given import RevocationLists

    lists = RevocationLists()
    synced = await Syncer(client, store, _common.utc_now, confirm_every=CONFIRM_CALMLY, lists=lists).run()
    hello = await client.hello()
    hub = fold(store, synced.journal_id)
    return Present(hub, hub.now_ms(hello.boot, hello.uptime_ms), reported(store, synced.journal_id))


def _offline(store_path: Path | None) -> Present:
    from smilehub.sync.troubles import reported
    from smilehub.sync.verify import fold

    with _common.open_store(store_path, write=False) as store:
        journals = store.journals()
        if not journals:
            raise StoreMissing(f"The store {store.path} holds no records yet.")
        journal_id = journals[-1].journal_id
        hub = fold(store, journal_id)
        return Present(hub, hub.queue_ms, reported(store, journal_id))


def picture(now: Present, limit: int) -> dict[str, Any]:
    """All of it as plain values; times in seconds, estimates in minutes (least, most) or None."""
    hub, now_ms, troubles = now
    waiting = [
        {
            "ticket": visit.label,
            "pictogram": visit.pictogram,
            "need": visit.need,
            "lane": visit.lane,
            "waited_s": max(0, now_ms // 1000 - visit.arrival_s),
            "estimate_min": hub.estimate(visit.label, now_ms),
            "family": visit.group,
        }
        for visit in hub.order(now_ms, limit)
    ]
    chairs = [
        {
            "chair": chair.name,
            "open": chair.open,
            "paused": chair.paused,
            "lanes": list(chair.lanes),
            "ticket": chair.visit,
        }
        | ({"state": hub.visits[chair.visit].state} if chair.visit is not None else {})
        for _, chair in sorted(hub.chairs.items())
    ]
    promises = [
        {
            "ticket": label,
            "pictogram": visit.pictogram,
            "need": visit.need,
            "lane": visit.lane,
            "family": visit.group,
            "comes": "today" if visit.due else "tomorrow",
        }
        for label, visit in sorted(hub.promises.items())
    ]
    return {
        "day_open": hub.day_open,
        "full": hub.full,
        "counts": dict(hub.counts),
        "waiting": waiting,
        "chairs": chairs,
        "promises": promises,
        "alerts": alerts_of(hub, now_ms),
        "codes_paused_s": hub.code_pause_ms(now_ms) // 1000,
        "troubles": [trouble.json() for trouble in troubles],
    }


def alerts_of(hub: "Hub", now_ms: int) -> list[dict[str, Any]]:
    """The alerts that nobody has acknowledged, oldest first, as plain values."""
    return [
        {
            "alert": alert.seq,
            "why": alert.why,
            "ticket": alert.label,
            "level": alert.level(now_ms),
            "for_s": max(0, now_ms - alert.raised_ms) // 1000,
        }
        for _, alert in sorted(hub.alerts.items())
    ]


def minutes(estimate: object) -> str:
    """An estimate as people say it."""
    if not isinstance(estimate, (tuple, list)):
        return "can't tell yet"
    low, high = estimate
    return f"{low} to {high} min" if low != high else f"about {low} min"


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
        level = f" (level {alert['level']}{', escalated' if alert['level'] > 1 else ''})"
        ui.say(f"ALERT {alert['alert']}: {alert['why']}{whose}{level}")
    for trouble in now["troubles"]:
        ui.say(f"TROUBLE {trouble['task']}: {trouble['means']} {trouble['do']}")
    if now["codes_paused_s"]:
        ui.say(
            f"Codes are not taken for {(now['codes_paused_s'] + 59) // 60} min: too many were wrong. "
            "`smilehub desk lift` ends that."
        )
    if now["chairs"]:
        ui.table(
            ["chair", "lanes", "ticket", "state"],
            [
                [chair["chair"], " ".join(chair["lanes"]) or "all", chair["ticket"], _state(chair)]
                for chair in now["chairs"]
            ],
        )
    if now["waiting"]:
        ui.table(
            ["next", "ticket", "pictogram", "class", "lane", "waited", "yet to wait", "family"],
            [
                [
                    n,
                    w["ticket"],
                    w["pictogram"],
                    w["need"],
                    w["lane"],
                    f"{w['waited_s'] // 60} min",
                    minutes(w["estimate_min"]),
                    w["family"],
                ]
                for n, w in enumerate(now["waiting"], 1)
            ],
        )
    if now["promises"]:
        ui.table(
            ["promised", "comes first", "pictogram", "class", "lane", "family"],
            [
                [p["ticket"], p["comes"], p["pictogram"], p["need"], p["lane"], p["family"]]
                for p in now["promises"]
            ],
        )


def _state(chair: dict[str, Any]) -> str:
    state = chair.get("state", "free" if chair["open"] else "closed")
    return f"{state}, paused" if chair["paused"] else state
