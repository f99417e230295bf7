"""The command line: modules parse, call and print; this one runs them and turns errors into sentences.

What takes long to import is imported within, so that Ctrl-C finds somebody who bears it.
"""

import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from smilehub.cli._stop import TERMINATED, Terminated
from smilehub.errors import SmilehubError
from smilehub.ui import Ui, plain


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the `smilehub` program; always ends with SystemExit."""
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
    except KeyboardInterrupt as end:
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
        import traceback

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
    import rich_click as click

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
    import rich_click as click
    from click.exceptions import Exit, NoArgsIsHelpError

    from smilehub.cli._app import app

    if "_SMILEHUB_COMPLETE" in os.environ:
        app.main(prog_name="smilehub")
    try:
        with app.make_context("smilehub", args) as context:
            app.invoke(context)
    except NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else error.format_message())
        return 2
    except Exit as end:
        return end.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return 0


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
