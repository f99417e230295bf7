"""The 200-visitor day, watched: pixel bytes and CPU of every key press, heap, time."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from smilehub.rehearsal import day, plan
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.board import Board
from tools.bench.shims import Cost, Meter, Said

SEED = 7
#: So long after a press all is drawn, and the key is still held: its release is not counted.
_SETTLED_S = 0.35
_HELD_MS = 400
_LOOK_S = 0.01
_PAUSE_LOOKS = 2
_REST_S = 300.0  # longer than a visitor's answers and a screen's memory are kept


@dataclass(slots=True)
class Press:
    """One key press: pixel bytes sent to the panel; up to the last, the guest's CPU (ns) and what it said."""

    key: str
    pixel_bytes: int
    cpu_ns: int
    said: Said


@dataclass(slots=True)
class Watched:
    """A day with its presses, and (measured) the heap in use, bytes here, once the kiosk has come to rest."""

    report: day.DayReport
    presses: list[Press]
    at_rest: int


def watch(
    visitors: int,
    *,
    heap_bytes: int | None = None,
    measure: bool = True,
    keep_flash: Path | None = None,
) -> Watched:
    """Run the day and look at every press.

    ``keep_flash`` gets the kiosk's flash as the day leaves it.
    """
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        hub = SimulatedHub(Path(folder), SEED, heap_bytes=heap_bytes, measure=measure)
        meter = Meter(hub.board)
        presses: list[Press] = []

        def press_key(key: str) -> None:
            presses.append(press(hub.board, meter, key, _HELD_MS))

        hub.press = press_key
        try:
            report = day.run(hub, plan.draw(visitors, SEED), lambda _: None)
            hub.board.stats.heap_low = None
            hub.kernel.run(asyncio.sleep(_REST_S))
            at_rest = hub.board.stats.heap_low or 0
            if keep_flash is not None:
                shutil.copy(hub.flash, keep_flash)
        finally:
            hub.close()
        if not report.ok:
            raise RuntimeError(f"the day did not agree: {report}")
        return Watched(report, presses, at_rest)


def press(board: Board, meter: Meter, key: str, hold_ms: int) -> Press:
    """Press a key; what is returned grows for as long as the press has things drawn."""
    panel = board.part("panel").total
    loop = board.kernel.loop
    pixels, cpu, said = panel.pixel_bytes, board.cpu_ns(), meter.said()
    result = Press(key, 0, 0, Said())
    until = loop.time() + _SETTLED_S
    quiet = 0

    def look() -> None:
        nonlocal quiet
        sent = panel.pixel_bytes - pixels
        if sent != result.pixel_bytes:
            result.pixel_bytes = sent
            result.cpu_ns = board.cpu_ns() - cpu
            result.said = meter.said() - said
            quiet = 0
        elif sent:
            quiet += 1
        # What comes after a pause is another's doing: a call by staff that the idle screen shows.
        if quiet < _PAUSE_LOOKS and loop.time() < until:
            loop.call_later(_LOOK_S, look)

    board.keys.press(key, hold_ms)
    loop.call_later(_LOOK_S, look)
    return result


@dataclass(frozen=True, slots=True)
class Drawn:
    """Presses that drew something, each at its best run: pixel bytes, own CPU, what the chip's flash takes
    to be read, ns; what the simulator's share of all their CPU was, which is taken off."""

    presses: list[tuple[int, float, float]]
    share: float


def drawn(runs: list[list[Press]], cost: Cost) -> Drawn:
    """The presses of the same day, run several times."""
    drew = [press for press in best(runs) if press.pixel_bytes]
    own = [cost.own(press.cpu_ns, press.said) for press in drew]
    share = 1 - sum(own) / sum(press.cpu_ns for press in drew)
    return Drawn(
        [(press.pixel_bytes, ns, press.said.flash_ns) for press, ns in zip(drew, own, strict=True)], share
    )


def best(runs: list[list[Press]]) -> list[Press]:
    """Each press of the same presses, made several times, as it took the least CPU."""
    return [min(same, key=lambda press: press.cpu_ns) for same in zip(*runs, strict=True)]
