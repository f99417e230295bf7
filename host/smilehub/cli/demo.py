"""`smilehub demo`: the main job, end to end, on a simulated hub."""

import tempfile
from pathlib import Path

import rich_click as click

from smilehub.errors import DemoFailed
from smilehub.rehearsal import day, plan
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.ui import Ui


@click.command()
@click.option("--headless", is_flag=True, help="A whole clinic day in virtual time, then the result.")
@click.option(
    "--visitors", type=click.IntRange(1, 2000), default=40, show_default=True, help="How many come."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same day.")
@click.option("--unplug", type=click.IntRange(0, 100), default=0, help="Fail the power so many times.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Leave the files here.")
def demo(headless: bool, visitors: int, seed: int, unplug: int, as_json: bool, keep: Path | None) -> None:
    """Run a simulated hub: the shipping firmware, visitors, staff and the laptop.

    Exits with 0 only if laptop and kiosk agree on every record and on the queue.
    """
    ui = Ui(as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="smilehub-demo-") as scratch:
        hub = SimulatedHub(keep or Path(scratch), seed)
        try:
            report = day.run(hub, plan.draw(visitors, seed, unplug))
        finally:
            hub.close()
        ui.answer(report.json(), "ok" if report.ok else "not ok")
        if not report.ok:
            raise DemoFailed("not ok")
