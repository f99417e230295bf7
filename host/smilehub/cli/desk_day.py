"""The desk's acts on the whole day, its chairs and its alerts."""

from pathlib import Path
from typing import Any

import rich_click as click

from hubcore.classes import LANES
from smilehub.cli import _common
from smilehub.cli._wish import At, act, why_option, wish, with_why

_REST = {
    "tomorrow": "Whoever still waited comes tomorrow, before everybody of the same class who arrives then.",
    "left": "Whoever still waited is noted as left.",
}


@click.group(cls=click.RichGroup)
def day() -> None:
    """Open or close the clinic day."""


@day.command("open")
@act
def day_open(at: At) -> None:
    """Open the day: from now on visitors can check in.

    Waiting time begins now for those who were told "tomorrow first"; an emergency that still waits keeps all
    of its own.

    \b
    smilehub day open
    """
    wish(at, "day_open", {}, "The day is open.")


@day.command("close")
@click.option(
    "--rest",
    type=click.Choice(sorted(_REST)),
    help="What happens to everybody who still waits: they come first tomorrow, or are noted as left.  "
    "[default: tomorrow]",
)
@act
def day_close(at: At, rest: str | None) -> None:
    """Close the day. No chair may still have a visitor.

    Whoever still waits is told "tomorrow first": waiting time ends today and begins anew when the next day
    is opened, before everybody of the same class who arrives on that day. With --rest left it simply ends.

    \b
    smilehub day close
    smilehub day close --rest left
    """
    rest = rest or "tomorrow"
    wish(at, "day_close", {"rest": rest}, f"The day is closed. {_REST[rest]}")


@click.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@act
def full(at: At, state: str) -> None:
    """Say that the hub is full today, or that it has room again.

    While it is full, the kiosk offers "tomorrow first" instead of a ticket; emergencies are always taken.
    Nobody who waits loses place or waiting time.

    \b
    smilehub desk full on
    smilehub desk full off
    """
    said = (
        "The hub is full for today. Who waits keeps place and waiting time."
        if state == "on"
        else "The hub takes visitors again."
    )
    wish(at, "full_today", {"full": state == "on"}, said)


@click.group(cls=click.RichGroup)
def chair() -> None:
    """Open or close a chair."""


@chair.command("open")
@click.argument("name", metavar="CHAIR")
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice(LANES),
    help="Serve this lane; may be given several times. None: every lane.",
)
@act
def chair_open(at: At, name: str, lanes: tuple[str, ...]) -> None:
    """Open a chair, for every lane or for some.

    \b
    smilehub chair open 1
    smilehub chair open 2 --lane child
    """
    wish(at, "chair_open", {"chair": name, "lanes": list(lanes)}, "Chair {chair} is open.")


@chair.command("close")
@click.argument("name", metavar="CHAIR")
@act
def chair_close(at: At, name: str) -> None:
    """Close a chair that has no visitor. What was done at it can no longer be undone.

    \b
    smilehub chair close 2
    """
    wish(at, "chair_close", {"chair": name}, "Chair {chair} is closed.")


def _pausing(command: str, paused: bool, sentence: str, text: str) -> click.Command:
    @click.command(command, help=f"{text}\n\n\b\nsmilehub desk {command} 2")
    @click.argument("name", metavar="CHAIR")
    @act
    def pausing(at: At, name: str) -> None:
        wish(at, "pause", {"chair": name, "paused": paused}, sentence)

    return pausing


pause = _pausing(
    "pause",
    True,
    "Chair {chair} pauses and calls nobody; who waits goes on gaining waiting time.",
    "Pause a chair: lunch, cleaning. It calls nobody until `smilehub desk unpause`; its visitor stays. "
    "Who waits goes on gaining waiting time.",
)
unpause = _pausing(
    "unpause",
    False,
    "Chair {chair} works again.",
    "End a chair's pause. Nobody's waiting time has stood still.",
)


@click.group(cls=click.RichGroup)
def alert() -> None:
    """List or acknowledge alerts."""


@alert.command("list")
@click.option("--offline", is_flag=True, help="Show what this laptop knows already; no kiosk is needed.")
@_common.kiosk_options
def alert_list(offline: bool, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Show the alerts that nobody has acknowledged, with their level.

    Level 1 calls; after 60 seconds it is level 2 and calls louder.

    \b
    smilehub alert list
    smilehub alert list --offline --json
    """
    from smilehub.cli.queue import alerts_of, present

    now = present(port, store_path, offline=offline)
    standing = alerts_of(now.hub, now.now_ms)
    ui = _common.ui_for(as_json)
    ui.data({"alerts": standing})
    if not standing:
        ui.say("No alert stands.")
        return
    ui.table(
        ["alert", "why", "ticket", "level", "for"],
        [[a["alert"], a["why"], a["ticket"], a["level"], f"{a['for_s']} s"] for a in standing],
    )


@alert.command("ack")
@click.argument("number", metavar="[ALERT]", type=click.IntRange(1, 0xFFFFFFFF), required=False)
@act
def alert_ack(at: At, number: int | None) -> None:
    """Acknowledge an alert: somebody is on the way. Without a number, the oldest.

    It changes nobody's place; an emergency still comes strictly first.

    \b
    smilehub alert ack
    smilehub alert ack 57
    """
    args: dict[str, Any] = {} if number is None else {"alert": number}
    wish(at, "alert_ack", args, "The alert is acknowledged.")


@click.command()
@act
def lift(at: At) -> None:
    """Let visitors type their codes again at once.

    After five wrong codes the kiosk takes none for ten minutes, then for twice as long each time. Lift that
    when somebody has simply mistyped.

    \b
    smilehub desk lift
    """
    wish(at, "code_lift", {}, "Codes are taken again.")


@click.command()
@click.argument("name", metavar="[CHAIR]", required=False)
@why_option()
@act
def undo(at: At, name: str | None, why: str | None) -> None:
    """Take back the last act at a chair; without a chair, the newest act of all.

    The visitor is put back exactly as before, with all the time waited.

    \b
    smilehub undo
    smilehub undo 1 --why "wrong button"
    """
    args = with_why({"chair": name} if name else {}, why)
    wish(at, "undo", args, "Taken back; waiting time is as if it had not been done.")
