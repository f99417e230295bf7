"""`smilehub desk check-in`: the kiosk's questions, asked for somebody who cannot or will not use it."""

import sys
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from hubcore.classes import AMBULANCE, ANY_LANE, EMERGENCY, LANES, NEEDS, PURPOSES, SAID, class_of
from hubcore.labels import PICTOGRAMS
from smilehub.cli import _common
from smilehub.cli._wish import At, act, arrows
from smilehub.cli.queue import Present, catch_up, minutes
from smilehub.errors import UsageError
from smilehub.ui import Ui

if TYPE_CHECKING:
    from hubcore.fold import Hub
    from smilehub.link.client import KioskClient
    from smilehub.link.messages import Done
    from smilehub.store.database import Store

_MOST = 6
_SHOWN = 8  # pictures to choose from
_ASKS = {
    "toothache": "Toothache",
    "swelling": "Swelling",
    "bleeding": "Bleeding",
    "broken": "Broken tooth",
    "denture": "Denture",
    "checkup": "Check-up",
    "breathing": "Hard to breathe",
    "swelling_face": "Swollen eye or neck",
    "bleeding_heavy": "Bleeding that won't stop",
    "injury": "Injury of the face",
    "sepsis": "Fever and very ill",
}
_PURPOSES = {
    "teaching": "May a student watch or help?",
    "study": "May we study your answers, without a name?",
}
_LANES: dict[str, str] = dict(zip(LANES, ("Anybody", "An adult", "A child"), strict=True))
_RED = [said for said in SAID if class_of(said) == EMERGENCY]
_CALM = [said for said in SAID if class_of(said) != EMERGENCY]


def languages() -> dict[str, str]:
    """The kiosk's languages by code, each in its own name, as its strings have them."""
    from smilehub.devices.sources import firmware_root

    strings = firmware_root() / "kiosk" / "strings"
    codes = tomllib.loads((strings / "boxes.toml").read_text("utf-8"))["languages"]
    return {
        code: str(tomllib.loads((strings / f"{code}.toml").read_text("utf-8"))["endonym"]) for code in codes
    }


def _language(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and value not in languages():
        raise UsageError(f"The kiosk does not speak '{value}'.", hint=f"It speaks {', '.join(languages())}.")
    return value


@click.command("check-in")
@click.option(
    "--need", type=click.Choice([*SAID]), help="What brings the visitor; the last ones are red flags."
)
@click.option("--lang", metavar="CODE", callback=_language, help="The visitor's language.  [default: en]")
@click.option("--lane", type=click.Choice(LANES), help=f"The kind of care.  [default: {ANY_LANE}]")
@click.option("--for", "size", type=click.IntRange(1, _MOST), help="For how many of a family.  [default: 1]")
@click.option("--pictogram", type=click.Choice(PICTOGRAMS), help="The picture.  [default: one nobody has]")
@click.option("--consent", "consents", multiple=True, type=click.Choice(PURPOSES), help="Consents to this.")
@click.option(
    "--tomorrow", is_flag=True, help="The hub is full: promise 'tomorrow first' instead of a ticket."
)
@click.option(
    "--promise", metavar="TICKET", help="Keep the promise 'tomorrow first' that this ticket was given."
)
@act
def check_in(
    at: At,
    need: str | None,
    lang: str | None,
    lane: str | None,
    size: int | None,
    pictogram: str | None,
    consents: tuple[str, ...],
    tomorrow: bool,
    promise: str | None,
) -> None:
    """Check somebody in: the kiosk's questions, the same place in the queue.

    On a terminal it asks what was not given, with --json or in a script it takes the defaults. Then it says
    the ticket, the place, about how long it takes, and the code with which the visitor can leave or withdraw
    a consent at the kiosk: write it down for them, it is shown only now.

    Waiting begins now; a visitor with a promise has waited since the day was opened.

    \b
    smilehub desk check-in
    smilehub desk check-in --need toothache --lang es --for 3
    smilehub desk check-in --promise K47
    """
    asking = not at.as_json and sys.stdin.isatty() and promise is None
    if need is None and not asking and promise is None:
        raise UsageError(
            "It must be said what brings the visitor.", hint="Add --need, such as --need toothache."
        )
    ui = _common.ui_for(at.as_json)

    now = at.kiosk(catch_up)
    args: dict[str, Any] = {"lang": "en", "lane": ANY_LANE, "pictogram": _free(now.hub)[0]}
    if promise:
        args |= _promised(now.hub, promise)
    given = {"need": need, "lang": lang, "lane": lane, "size": size, "pictogram": pictogram}
    args |= {name: value for name, value in given.items() if value is not None}
    if asking:
        args |= _ask(ui, now.hub, given)
    emergency = class_of(args["need"]) == EMERGENCY
    if emergency or tomorrow:  # each a single person
        args.pop("size", None)
    name = "promise" if tomorrow else "checkin"
    done, then = at.kiosk(_sender(at.args(args | ({} if tomorrow else {"by": "staff"})), name))
    tickets = [
        str(label) for label in (done.result.get("ticket"), *(done.result.get("others") or ())) if label
    ]
    _say(ui, then, name, args, str(done.result.get("code") or ""), tickets)
    if asking and tickets and not emergency and not tomorrow:
        consents = tuple(p for p in PURPOSES if p in consents or _yes(_PURPOSES.get(p, p)))
    wishes = [at.args({"ticket": ticket, "purpose": p}) for p in consents for ticket in tickets]
    if wishes:
        at.kiosk(_consenter(wishes))
        ui.say(f"Consents: {', '.join(consents)}. The code takes them back at the kiosk.")


def _sender(
    args: Mapping[str, Any], name: str
) -> "Callable[[KioskClient, Store], Awaitable[tuple[Done, Present]]]":
    """Sends one wish, then looks how things stand."""

    async def work(client: "KioskClient", store: "Store") -> "tuple[Done, Present]":
        from smilehub.sync.desk import Desk

        return await Desk(client, store).command(name, args), await catch_up(client, store)

    return work


def _consenter(wishes: Sequence[Mapping[str, Any]]) -> "Callable[[KioskClient, Store], Awaitable[None]]":
    """Sends one consent after the other."""

    async def work(client: "KioskClient", store: "Store") -> None:
        from smilehub.sync.desk import Desk

        desk = Desk(client, store)
        for args in wishes:
            await desk.command("consent_give", args)

    return work


def _promised(hub: "Hub", label: str) -> dict[str, Any]:
    """The answers of whoever was told "tomorrow first"; nobody is asked twice. Raises UsageError."""
    label = label.upper()
    visit = hub.promises.get(label)
    if visit is None:
        raise UsageError(
            f"Nobody with the ticket {label} was promised to come first today.",
            hint="`smilehub queue` shows the promises; without one, check in as usual.",
        )
    return {
        "promise": label,
        "need": visit.need,
        "lane": visit.lane,
        "lang": visit.lang,
        "pictogram": visit.pictogram,
    }


def _ask(ui: Ui, hub: "Hub", given: Mapping[str, Any]) -> dict[str, Any]:
    """The kiosk's questions in the kiosk's order; what was given is not asked."""
    args: dict[str, Any] = {}
    need = given["need"]
    if given["lang"] is None:
        args["lang"] = _choose(ui, "Language", languages())
    if need is None:
        need = _choose(ui, "What does the visitor need?", {said: _ASKS.get(said, said) for said in _CALM})
        if need != "checkup":
            flags = {"": "No, none of these"} | {said: _ASKS.get(said, said) for said in _RED}
            need = _choose(ui, "Is one of these true now?", flags) or need
        args["need"] = need
    if class_of(need) == EMERGENCY:
        return args
    if given["lane"] is None and _lane_matters(hub):
        args["lane"] = _choose(ui, "Who is it for?", _LANES)
    if given["size"] is None:
        args["size"] = int(click.prompt("For how many people?", type=click.IntRange(1, _MOST), default=1))
    if given["pictogram"] is None:
        args["pictogram"] = _choose(ui, "Which picture?", {name: name for name in _free(hub)[:_SHOWN]})
    return args


def _choose(ui: Ui, question: str, answers: Mapping[str, str]) -> str:
    keys = list(answers)
    ui.say(question)
    for number, key in enumerate(keys, 1):
        ui.say(f"  {number}  {answers[key]}")
    return keys[int(click.prompt("Number", type=click.IntRange(1, len(keys)), default=1)) - 1]


def _yes(question: str) -> bool:
    return bool(click.confirm(f"{question} Care is the same either way.", default=False))


def _lane_matters(hub: "Hub") -> bool:
    chairs = [chair for chair in hub.chairs.values() if chair.open]
    return not chairs or any(chair.picks for chair in chairs)


def _free(hub: "Hub") -> Sequence[str]:
    """The pictograms, those that nobody has first."""
    taken = [visit.pictogram for visit in hub.visits.values()]
    return sorted(PICTOGRAMS, key=lambda name: (taken.count(name), PICTOGRAMS.index(name)))


def _say(ui: Ui, now: Present, name: str, args: Mapping[str, Any], code: str, tickets: list[str]) -> None:
    """Label, picture, place, minutes, code: what the kiosk's ticket shows."""
    signs, words = arrows(code)
    place = now.hub.place(tickets[0], now.now_ms) if tickets else 0
    estimate = now.hub.estimate(tickets[0], now.now_ms) if tickets else None
    ui.data(
        {
            "command": name,
            "tickets": tickets,
            "pictogram": args["pictogram"],
            "need": args["need"],
            "place": place,
            "estimate_min": estimate,
            "code": code,
            "code_words": words,
        }
    )
    if not tickets:
        ui.say("It had been done before; `smilehub queue` shows the ticket.")
        return
    ui.say(f"{' and '.join(tickets)}  ({args['pictogram']})")
    if name == "promise":
        ui.say("Tomorrow this ticket comes before everybody of the same class who arrives then.")
    elif place:
        ui.say(f"Place {place}. {minutes(estimate).capitalize()}.")
    if args["need"] in AMBULANCE:
        ui.say("Call an ambulance now.")
    elif class_of(args["need"]) == EMERGENCY:
        ui.say(f"An {NEEDS[0]}: staff are called, and it comes strictly first.")
    if code:
        ui.say(f"Code, shown only now:  {signs}\nIn words: {words}")
    elif class_of(args["need"]) != EMERGENCY:
        ui.say("The code was shown when this was done first; without it, staff can do everything.")
