"""How a command of the front desk reaches the kiosk: one wish, one record, one sentence on its end."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from smilehub.cli import _common
from smilehub.errors import UsageError

if TYPE_CHECKING:
    from smilehub.link.client import KioskClient
    from smilehub.link.messages import Done
    from smilehub.store.database import Store

_LONGEST = 200  # bytes of one text in a command: a command goes in one frame
_T = TypeVar("_T")

#: What eight or six presses are called: on a screen, and by a screen reader.
ARROWS = {"u": "▲", "d": "▼", "y": "✓", "b": "◀"}
WORDS = {"u": "up", "d": "down", "y": "yes", "b": "back"}


@dataclass(frozen=True, slots=True)
class At:
    """Where a wish goes, who has it, and how its answer is given."""

    port: str | None
    store_path: Path | None
    as_json: bool
    who: str | None

    def kiosk(self, work: "Callable[[KioskClient, Store], Awaitable[_T]]") -> _T:
        """Run ``work`` with an open client and store."""
        return _common.with_kiosk(self.port, self.store_path, work)

    def args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """``args``, and who has the wish if that was said. Raises UsageError for what is too long."""
        whole = dict(args) | ({"who": self.who} if self.who else {})
        for value in whole.values():
            _check(value)
        return whole


def act(function: Callable[..., None]) -> Callable[..., None]:
    """--who, --port, --store and --json, given to ``function`` as its first argument, an At."""

    @functools.wraps(function)
    def command(
        port: str | None, store_path: Path | None, as_json: bool, who: str | None, **own: Any
    ) -> None:
        function(At(port, store_path, as_json, who), **own)

    who_option = click.option(
        "--who", metavar="NAME", envvar="SMILEHUB_WHO", help="Who does this; kept with it. Or $SMILEHUB_WHO."
    )
    return _common.kiosk_options(who_option(command))


def send(at: At, name: str, args: Mapping[str, Any]) -> "Done":
    """Have the kiosk carry out one wish. Raises what a kiosk or a link raises, and UsageError."""
    from smilehub.sync.desk import Desk

    whole = at.args(args)

    async def work(client: "KioskClient", store: "Store") -> "Done":
        return await Desk(client, store).command(name, whole)

    return at.kiosk(work)


def wish(at: At, name: str, args: Mapping[str, Any], sentence: str) -> None:
    """Send one wish and say what became of it.

    ``sentence`` may name {ticket} (a family: all its tickets) and {chair}. Raises as ``send``.
    """
    done = send(at, name, args)
    result = {str(key): value for key, value in done.result.items() if value is not None}
    about = {"ticket": args.get("ticket", ""), "chair": args.get("chair", "")} | result
    if done.already and "{ticket}" in sentence and not about["ticket"]:
        sentence = "The kiosk has carried this out; `smilehub queue` shows how things stand."
    about["ticket"] = " and ".join([str(about["ticket"]), *map(str, result.get("others") or [])])
    said = sentence.format_map(about)
    _common.ui_for(at.as_json).answer(
        {"command": name, "seq": done.seq, "already_done": done.already, "result": done.result},
        f"{said} (It had been done before.)" if done.already else said,
    )


def arrows(presses: str) -> tuple[str, str]:
    """Presses such as "udyb" as arrows and as words."""
    return " ".join(ARROWS[press] for press in presses), ", ".join(WORDS[press] for press in presses)


def why_option(required: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """--why."""
    text = "The reason, without names; kept with the change." if required else "A reason, without names."
    return click.option("--why", metavar="TEXT", required=required, help=text)


def with_why(args: Mapping[str, Any], why: str | None) -> dict[str, Any]:
    """``args`` and the reason, if one was given."""
    return dict(args) | ({"why": why} if why else {})


def _check(value: object) -> None:
    if not isinstance(value, str):
        return
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise UsageError(f"{value!a} is no text in this terminal's encoding.")
    if len(value.encode()) > _LONGEST:
        raise UsageError(
            f"The text that begins with '{value[:20]}' is too long.",
            hint=f"A kiosk keeps 60 letters of a reason, and takes no text of more than {_LONGEST}.",
        )
