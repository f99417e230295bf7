"""The desk's acts on one ticket; each says what it does to the time that the visitor has waited."""

from typing import TYPE_CHECKING

import rich_click as click

from hubcore.classes import LANES, NEEDS, PURPOSES
from smilehub.cli._wish import At, act, why_option, wish, with_why

if TYPE_CHECKING:
    from collections.abc import Callable

_ticket = click.argument("ticket", metavar="TICKET", callback=lambda _, __, value: value.upper())


@click.command()
@click.argument("name", metavar="CHAIR")
@act
def call(at: At, name: str) -> None:
    """Call the next visitor to a chair; the kiosk decides who, by need and waiting time.

    \b
    smilehub call 1
    """
    wish(at, "call", {"chair": name}, "{ticket}, please come to chair {chair}.")


def _plain(command: str, name: str, sentence: str, text: str) -> click.Command:
    """An act that needs a ticket and nothing else."""

    @click.command(command, help=f"{text}\n\n\b\nsmilehub {command} K47")
    @_ticket
    @act
    def about_ticket(at: At, ticket: str) -> None:
        wish(at, name, {"ticket": ticket}, sentence)

    return about_ticket


recall = _plain("recall", "recall", "{ticket} is called once more.", "Call a ticket once more.")
seated = _plain("seated", "seated", "{ticket} is seated.", "The called visitor has sat down.")
served = _plain("served", "served", "{ticket} is served.", "Care is finished.")
no_show = _plain(
    "no-show",
    "no_show",
    "{ticket} did not come.",
    "The called visitor did not come. The visit ends, and its waiting time with it; `smilehub undo` gives "
    "both back.",
)


@click.command()
@_ticket
@click.option("--family", is_flag=True, help="The whole family that checked in together.")
@why_option()
@act
def left(at: At, ticket: str, family: bool, why: str | None) -> None:
    """The visitor has left. The visit ends, and its waiting time with it; `smilehub undo` gives both back.

    \b
    smilehub left K47
    smilehub left K47 --family
    """
    args = with_why({"ticket": ticket} | ({"family": True} if family else {}), why)
    wish(at, "left", args, "{ticket} has left." if not family else "Left: {ticket}.")


@click.command()
@_ticket
@why_option()
@act
def requeue(at: At, ticket: str, why: str | None) -> None:
    """Let a called or seated visitor wait again, at the place that the whole waiting time gives.

    All waiting time counts, also that since the call.

    \b
    smilehub desk requeue K47 --why "X-ray first"
    """
    said = "{ticket} waits again and keeps all of the waiting time."
    wish(at, "requeue", with_why({"ticket": ticket}, why), said)


@click.command()
@_ticket
@click.argument("lane", type=click.Choice(LANES))
@why_option()
@act
def transfer(at: At, ticket: str, lane: str, why: str | None) -> None:
    """Let a visitor wait in another lane. All waiting time counts there.

    \b
    smilehub desk transfer K47 child
    """
    said = f"{{ticket}} waits in the lane '{lane}' and keeps all of the waiting time."
    wish(at, "transfer", with_why({"ticket": ticket, "lane": lane}, why), said)


@click.command("class")
@_ticket
@click.argument("need", type=click.Choice(NEEDS))
@why_option(required=True)
@act
def change_class(at: At, ticket: str, need: str, why: str) -> None:
    """Change a visitor's need class, with a reason.

    The arrival stays: the new class's rate counts for the whole time waited, as if it had been so from the
    beginning. An emergency comes strictly first and raises an alert.

    \b
    smilehub desk class K47 urgent --why "abscess seen"
    """
    kept = "comes strictly first" if need == NEEDS[0] else "its rate counts for all of the waiting time"
    wish(at, "class", {"ticket": ticket, "need": need, "why": why}, f"{{ticket}} is {need} now: {kept}.")


@click.command()
@_ticket
@why_option()
@act
def defer(at: At, ticket: str, why: str | None) -> None:
    """Send a visitor home with the promise "tomorrow first".

    Today's visit ends. The new wait begins when the next day is opened, so before everybody of the same
    class who arrives on that day. The code on the ticket stays good.

    \b
    smilehub desk defer K47 --why "chair 2 is broken"
    """
    said = "{ticket} comes tomorrow, before everybody of the same class who arrives then."
    wish(at, "defer", with_why({"ticket": ticket}, why), said)


@click.group(cls=click.RichGroup)
def consent() -> None:
    """Give or withdraw a consent on a visitor's behalf. Care and place never depend on it."""


def _consenting(command: str, name: str, sentence: str, text: str) -> "Callable[..., None]":
    @consent.command(
        command,
        help=f"{text} Care, place and waiting time do not depend on it.\n\n"
        f"teaching: a student may watch or help. study: answers may be used, without a name, to study care."
        f"\n\n\b\nsmilehub desk consent {command} K47 teaching",
    )
    @_ticket
    @click.argument("purpose", type=click.Choice(PURPOSES))
    @act
    def consenting(at: At, ticket: str, purpose: str) -> None:
        wish(at, name, {"ticket": ticket, "purpose": purpose}, sentence.replace("PURPOSE", purpose))

    return consenting


_consenting("give", "consent_give", "{ticket} consents to: PURPOSE.", "The visitor consents to a purpose.")
_consenting(
    "withdraw",
    "consent_withdraw",
    "{ticket} no longer consents to: PURPOSE.",
    "The visitor withdraws a consent.",
)
