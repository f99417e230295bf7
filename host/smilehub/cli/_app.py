"""All commands by name: what `smilehub --help` lists."""

from typing import ClassVar

import rich_click as click

from smilehub import __version__
from smilehub.cli._lazy import LazyGroup

_DESK = "smilehub.cli.desk"


class _Commands(LazyGroup):
    lazy: ClassVar[dict[str, tuple[str, str, str]]] = {
        "demo": ("smilehub.cli.demo", "demo", "Run a simulated hub and see a clinic day."),
        "hub": ("smilehub.cli.hub", "hub", "Who belongs to the hub: kiosks, laptops, technicians."),
        "enroll": ("smilehub.cli.enroll", "enroll", "Make a kiosk one of the hub, over its console."),
        "devices": ("smilehub.cli.devices", "devices", "List the kiosks in reach, by cable or in the air."),
        "sync": ("smilehub.cli.sync", "sync", "Bring the kiosk's records to this laptop."),
        "queue": ("smilehub.cli.queue", "queue", "Show who waits, in the order of the next calls."),
        "verify": ("smilehub.cli.verify", "verify", "Check that laptop and kiosk hold the same."),
        "config": ("smilehub.cli.config", "config", "Show or change what is set on the kiosk."),
        "health": ("smilehub.cli.logs", "health", "Show how the kiosk is."),
        "logs": ("smilehub.cli.logs", "logs", "Show what the kiosk's program has printed."),
        "files": ("smilehub.cli.files", "files", "Look at the kiosk's files, and put some there."),
        "desk": (_DESK, "desk", "Everything that staff do at the desk."),
        "day": (_DESK, "day", "Open or close the clinic day."),
        "chair": (_DESK, "chair", "Open or close a chair."),
        "call": (_DESK, "call", "Call the next visitor to a chair."),
        "recall": (_DESK, "recall", "Call a ticket once more."),
        "seated": (_DESK, "seated", "The called visitor has sat down."),
        "served": (_DESK, "served", "Care is finished."),
        "no-show": (_DESK, "no_show", "The called visitor did not come."),
        "left": (_DESK, "left", "The visitor has left."),
        "alert": (_DESK, "alert", "List or acknowledge alerts."),
        "undo": (_DESK, "undo", "Take back the last act."),
        "staff": (_DESK, "staff", "Who may sign in at the kiosk's desk."),
        "sim": ("smilehub.cli.sim", "sim", "Run simulated boards for any tool."),
    }
    needs_extra: ClassVar[frozenset[str]] = frozenset({"demo", "sim"})


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command takes --json (answers for programs) and --debug (where an error happened). "
    "Exit codes: docs/exit-codes.md.\n\n"
    "SMILEHUB_HOME names a folder for the store and this laptop's keys, instead of your account's; "
    "SMILEHUB_PORTS link ports to look at besides USB (paths or folders, with ':' between them); "
    "SMILEHUB_WHO who gives the desk's commands, as --who does.",
)
@click.version_option(__version__, prog_name="smilehub")
def app() -> None:
    """The front desk of a free community dental hub: kiosk, laptop and bench.

    Try it without any hardware: `smilehub demo`
    """
