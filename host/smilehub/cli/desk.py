"""The front desk's commands: each is one wish sent to the kiosk, and becomes one record of its journal."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import UsageError

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.link.messages import Done
    from smilehub.store.database import Store

_LONGEST = 200  # bytes of one text in a command: a command goes in one frame
_LANES = ("any", "adult", "child")


def _wish(
    name: str,
    args: Mapping[str, Any],
    sentence: str,
    port: str | None,
    store_path: Path | None,
    as_json: bool,
) -> None:
    """Send one wish and say what became of it; ``sentence`` may name {ticket} and {chair}."""
    from smilehub.sync.desk import Desk

    for value in args.values():
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise UsageError(f"{value!a} is no text in this terminal's encoding.")
        if isinstance(value, str) and len(value.encode()) > _LONGEST:
            raise UsageError(
                f"The text that begins with '{value[:20]}' is too long.",
                hint=f"A kiosk keeps 60 letters of a reason, and takes no text of more than {_LONGEST}.",
            )

    async def work(client: "KioskClient", store: "Store") -> "Done":
        return await Desk(client, store).command(name, args)

    done = _common.with_kiosk(port, store_path, work)
    about = {"ticket": args.get("ticket", ""), "chair": args.get("chair", "")}
    about |= {str(key): value for key, value in done.result.items() if value is not None}
    ui = _common.ui_for(as_json)
    if done.already and "{ticket}" in sentence and not about["ticket"]:
        sentence = "The kiosk has carried this out; `smilehub queue` shows how things stand."
    said = sentence.format_map(about)
    ui.answer(
        {"command": name, "seq": done.seq, "already_done": done.already, "result": done.result},
        f"{said} (It had been done before.)" if done.already else said,
    )


@click.group(cls=click.RichGroup)
def day() -> None:
    """Open or close the clinic day."""


@day.command("open")
@_common.kiosk_options
def day_open(port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Open the day: from now on visitors can check in.

    \b
    smilehub day open
    """
    _wish("day_open", {}, "The day is open.", port, store_path, as_json)


@day.command("close")
@_common.kiosk_options
def day_close(port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Close the day; whoever still waits is noted as deferred.

    \b
    smilehub day close
    """
    _wish("day_close", {}, "The day is closed.", port, store_path, as_json)


@click.group(cls=click.RichGroup)
def chair() -> None:
    """Open or close a chair."""


@chair.command("open")
@click.argument("name", metavar="CHAIR")
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice(_LANES),
    help="Serve this lane; may be given several times. None: every lane.",
)
@_common.kiosk_options
def chair_open(
    name: str, lanes: tuple[str, ...], port: str | None, store_path: Path | None, as_json: bool
) -> None:
    """Open a chair, for every lane or for some.

    \b
    smilehub chair open 1
    smilehub chair open 2 --lane child
    """
    args = {"chair": name, "lanes": list(lanes)}
    _wish("chair_open", args, "Chair {chair} is open.", port, store_path, as_json)


@chair.command("close")
@click.argument("name", metavar="CHAIR")
@_common.kiosk_options
def chair_close(name: str, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Close a chair that has no visitor.

    \b
    smilehub chair close 2
    """
    _wish("chair_close", {"chair": name}, "Chair {chair} is closed.", port, store_path, as_json)


@click.command()
@click.argument("name", metavar="CHAIR")
@_common.kiosk_options
def call(name: str, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Call the next visitor to a chair; the kiosk decides who, by need and waiting time.

    \b
    smilehub call 1
    """
    _wish("call", {"chair": name}, "{ticket}, please come to chair {chair}.", port, store_path, as_json)


def _ticket_command(command: str, wish: str, sentence: str, text: str) -> click.Command:
    """A command about one ticket."""

    @click.command(command, help=f"{text}\n\n\b\nsmilehub {command} K47")
    @click.argument("ticket", metavar="TICKET")
    @_common.kiosk_options
    def about_ticket(ticket: str, port: str | None, store_path: Path | None, as_json: bool) -> None:
        _wish(wish, {"ticket": ticket.upper()}, sentence, port, store_path, as_json)

    return about_ticket


recall = _ticket_command("recall", "recall", "{ticket} is called once more.", "Call a ticket once more.")
seated = _ticket_command("seated", "seated", "{ticket} is seated.", "The called visitor has sat down.")
served = _ticket_command("served", "served", "{ticket} is served.", "Care is finished.")
no_show = _ticket_command("no-show", "no_show", "{ticket} did not come.", "The called visitor did not come.")


@click.command()
@click.argument("ticket", metavar="TICKET")
@click.option("--why", metavar="TEXT", help="A reason, without names.")
@_common.kiosk_options
def left(ticket: str, why: str | None, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """The visitor has left.

    \b
    smilehub left K47
    """
    args = {"ticket": ticket.upper()} | ({"why": why} if why else {})
    _wish("left", args, "{ticket} has left.", port, store_path, as_json)


@click.group(cls=click.RichGroup)
def alert() -> None:
    """Acknowledge an alert."""


@alert.command("ack")
@click.argument("number", metavar="[ALERT]", type=click.IntRange(1, 0xFFFFFFFF), required=False)
@_common.kiosk_options
def alert_ack(number: int | None, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Acknowledge an alert: somebody is on the way. Without a number, the oldest.

    \b
    smilehub alert ack
    smilehub alert ack 57
    """
    args = {} if number is None else {"alert": number}
    _wish("alert_ack", args, "The alert is acknowledged.", port, store_path, as_json)


@click.command()
@click.argument("name", metavar="[CHAIR]", required=False)
@click.option("--why", metavar="TEXT", help="A reason, without names.")
@_common.kiosk_options
def undo(name: str | None, why: str | None, port: str | None, store_path: Path | None, as_json: bool) -> None:
    """Take back the last act on a chair; without a chair, the newest of all.

    \b
    smilehub undo
    smilehub undo 1 --why "wrong button"
    """
    args = ({"chair": name} if name else {}) | ({"why": why} if why else {})
    _wish("undo", args, "Taken back.", port, store_path, as_json)
