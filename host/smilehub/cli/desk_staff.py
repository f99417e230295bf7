"""`smilehub desk staff`: who may sign in at the kiosk's desk, and their PINs."""

import secrets

import rich_click as click

from smilehub.cli import _common
from smilehub.cli._wish import WORDS, At, act, arrows, send, wish
from smilehub.errors import UsageError

_LENGTH = 6
_LONGEST_NAME = 12


def _name(_: click.Context, __: click.Parameter, value: str) -> str:
    if not 1 <= len(value) <= _LONGEST_NAME or not all("!" <= letter <= "~" for letter in value):
        raise UsageError(
            f"'{value}' is no name that the kiosk can show.",
            hint=f"Use 1 to {_LONGEST_NAME} letters or digits without accents and blanks, such as 'Ana'.",
        )
    return value


_who = click.argument("name", metavar="NAME", callback=_name)


@click.group(cls=click.RichGroup)
def staff() -> None:
    """Who may sign in at the kiosk's desk, each with a PIN of six presses."""


@staff.command("set")
@_who
@click.option(
    "--pin", metavar="PRESSES", help="Six of u (up), d (down), y (yes), b (back). None: drawn by lot."
)
@act
def staff_set(at: At, name: str, pin: str | None) -> None:
    """Give somebody a PIN, the first one or a new one for one that was forgotten.

    The PIN is shown once, as arrows and in words, and is kept by the kiosk alone, in a form that cannot be
    read back. Waits after wrong PINs end with it.

    \b
    smilehub desk staff set Ana
    smilehub desk staff set Ana --pin udybud
    """
    if pin is None:
        pin = "".join(secrets.choice("".join(WORDS)) for _ in range(_LENGTH))
    pin = pin.lower()
    if len(pin) != _LENGTH or not set(pin) <= set(WORDS):
        raise UsageError(
            "A PIN is six presses.",
            hint="Write them as letters of u, d, y and b (up, down, yes, back): udybud.",
        )
    done = send(at, "staff_set", {"staff": name, "pin": pin})
    signs, words = arrows(pin)
    _common.ui_for(at.as_json).answer(
        {"command": "staff_set", "seq": done.seq, "staff": name, "pin": pin, "pin_words": words},
        f"{name} can sign in at the kiosk: hold yes, choose the name, type the PIN.\n"
        f"PIN, shown only now:  {signs}\n"
        f"In words: {words}",
    )


@staff.command("remove")
@_who
@act
def staff_remove(at: At, name: str) -> None:
    """Take somebody's PIN away.

    \b
    smilehub desk staff remove Ana
    """
    wish(at, "staff_remove", {"staff": name}, f"{name} can no longer sign in.")


@staff.command("list")
@act
def staff_list(at: At) -> None:
    """List who may sign in.

    \b
    smilehub desk staff list
    """
    names = [str(name) for name in send(at, "staff_list", {}).result.get("staff") or []]
    said = "\n".join(names) or "Nobody may sign in yet. Add somebody with `smilehub desk staff set NAME`."
    _common.ui_for(at.as_json).answer({"staff": names}, said)
