"""`smilehub demo`: the main job, end to end, on a simulated hub."""

import asyncio
import contextlib
import os
import signal
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import rich_click as click

from hubcore.records import Record
from smilehub.cli import stage
from smilehub.cli._common import stoppable
from smilehub.errors import DemoFailed, SimulationError, UsageError
from smilehub.rehearsal import day, plan
from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.board import BoardError
from smilehub.ui import Ui

_FRAME_S = 0.25


@click.command(
    epilog="Examples: `smilehub demo` · `smilehub demo --headless --visitors 40 --unplug 3 --json --keep out`"
)
@click.option("--headless", is_flag=True, help="A whole clinic day in virtual time, then the result.")
@click.option("--visitors", type=click.IntRange(1, 2000), help="How many come (headless).  [default: 40]")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same day.")
@click.option("--unplug", type=click.IntRange(0, 100), help="Fail the power so many times (headless).")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option(
    "--keep", type=click.Path(file_okay=False, path_type=Path), help="Leave flash, store and pictures here."
)
def demo(
    headless: bool,
    visitors: int | None,
    seed: int,
    unplug: int | None,
    as_json: bool,
    keep: Path | None,
) -> None:
    """Run a simulated hub: the shipping firmware, visitors, staff and the laptop.

    Without --headless it runs in real time until Ctrl-C and shows itself in the terminal. With it, a whole
    clinic day runs in virtual time and ends with its figures; the exit code is 0 only if laptop and kiosk
    agree on every record and on the queue.
    """
    if not headless and (visitors is not None or unplug is not None):
        raise UsageError("--visitors and --unplug belong to --headless.", hint="Add --headless.")
    ui = Ui(as_json=as_json)
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smilehub-demo-")))
        hub = SimulatedHub(folder, seed, virtual=headless)
        stack.callback(hub.close)
        try:
            if headless:
                _rehearse(hub, plan.draw(visitors or 40, seed, unplug or 0), ui, kept=keep is not None)
            else:
                _show(hub, plan.brisk(seed), ui)
        except (Dead, BoardError) as error:
            raise SimulationError(
                str(error), hint=f"The end of the board's console:\n{hub.board.console_text()[-1500:]}"
            ) from error


def _rehearse(hub: SimulatedHub, today: plan.DayPlan, ui: Ui, *, kept: bool) -> None:
    with ui.progress("visitors who were cared for") as progress:
        gone = 0

        def tell(record: Record) -> None:
            nonlocal gone
            if record.kind in ("served", "no_show", "left"):
                gone += day.tickets_of(record)
                progress.update(gone, today.people)

        loop = hub.kernel.loop
        with stoppable(loop, lambda: [task.cancel() for task in asyncio.all_tasks(loop)]):
            report = day.run(hub, today, tell)
    if not kept:
        report = replace(report, lcd_png=None, wall_png=None, store=None, flash=None)
    ui.data(report.json())
    ui.table(
        ("what", "figure"), [(name.replace("_", " "), _plain(value)) for name, value in report.json().items()]
    )
    if not report.ok:
        raise DemoFailed("Laptop and kiosk do not agree: " + ("; ".join(report.faults) or "see the figures."))


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple) and value and all(isinstance(one, int) for one in value):
        return f"{statistics.median(value):g} (median of {len(value)})"
    return "none" if value == () else value


def _show(hub: SimulatedHub, today: plan.DayPlan, ui: Ui) -> None:
    console = hub.console.path if hub.console is not None else ""
    ports = {"console": console, "link": hub.link_path, "flash": str(hub.flash), "pid": os.getpid()}
    hints = [
        f"look inside: mpremote connect {console} resume fs ls",
        "ctrl-C stops everything",
    ]
    ui.data(ports)
    with contextlib.suppress(asyncio.CancelledError):
        hub.kernel.run(_run_show(hub, today, ui, hints))
    ui.say("The hub is closed.")


async def _run_show(hub: SimulatedHub, today: plan.DayPlan, ui: Ui, hints: list[str]) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    if ui.as_json or not ui.out.isatty():
        ui.say("A hub is open: visitors come, staff call. " + "; ".join(hints) + ".")

        def tell(record: Record) -> None:
            ui.answer({"seq": record.seq, "kind": record.kind, "body": record.body}, stage.line(record))

        await day.show(hub, today, tell)
        return
    from rich.live import Live

    scene = stage.Stage(hub.board, hub.laptop.fold, hints)
    with Live(scene, screen=True, auto_refresh=False) as live:
        async with asyncio.TaskGroup() as group:
            group.create_task(day.show(hub, today, scene.tell))
            while True:
                await asyncio.sleep(_FRAME_S)
                live.refresh()
