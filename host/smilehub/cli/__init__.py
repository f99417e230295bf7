"""The command line: modules parse, call and print; this one gathers them and turns errors into sentences."""

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import ClassVar

import rich_click as click
from click.exceptions import Exit, NoArgsIsHelpError

from smilehub import __version__
from smilehub.cli._lazy import LazyGroup
from smilehub.cli._stop import TERMINATED, Terminated
from smilehub.errors import SmilehubError
from smilehub.ui import Ui, plain

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


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the `smilehub` program; always ends with SystemExit."""
    if "_SMILEHUB_COMPLETE" in os.environ:
        app.main(prog_name="smilehub")
    _bear_any_terminal()
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args
    code = 0
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        code = _run([arg for arg in args if arg != "--debug"])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away (`smilehub sync --json | head`): end as a shell expects, and let the
        # interpreter's own flush at exit go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except (KeyboardInterrupt, click.Abort) as end:
        print("Stopped.", file=sys.stderr)
        code = TERMINATED if isinstance(end, Terminated) else 130
    except Exception as error:  # noqa: BLE001 -- the top level: every error becomes a sentence
        code = report(error, as_json="--json" in args, debug=debug)
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
    raise SystemExit(code)


def _terminate(_: int, __: FrameType | None) -> None:
    raise Terminated


def _bear_any_terminal() -> None:
    """What this terminal cannot show becomes a question mark; what nobody reads goes nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 -- till the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def report(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Say what went wrong and what to do next; returns the exit code."""
    code, kind, message, hint = describe(error)
    if debug:
        traceback.print_exception(error)
    if as_json:
        body = {"code": kind, "message": message, "hint": hint, "exit_code": code}
        Ui(as_json=True).data({"error": body})
    else:
        print(plain(message), file=sys.stderr)
        if hint:
            print(plain(hint), file=sys.stderr)
    return code


def describe(error: BaseException) -> tuple[int, str, str, str]:
    """(exit code, short code, sentence, hint) of any error."""
    if isinstance(error, SmilehubError):
        return error.exit_code, error.code, error.message, error.hint
    if isinstance(error, click.ClickException):
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = f"See `{context.command_path} --help`." if context is not None else ""
        return error.exit_code, "usage", _sentence(error.format_message()), hint
    from hubcore.errors import HubError
    from smilehub.link.reasons import HINTS

    if isinstance(error, HubError):
        hint = HINTS.get(type(error).__name__, "Report this with what you did just before.")
        return 10, "protocol", _sentence(str(error)), hint
    return (
        1,
        "unexpected",
        f"Something unexpected happened: {type(error).__name__}: {error}".rstrip(": "),
        "Nothing that was confirmed is lost. Run the command again with --debug and report what it prints.",
    )


def _run(args: list[str]) -> int:
    """Run one command; its exit code."""
    try:
        with app.make_context("smilehub", args) as context:
            app.invoke(context)
    except NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else error.format_message())
        return 2
    except Exit as end:
        return end.exit_code
    return 0


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
