"""The 200-visitor day, watched: pixel bytes and CPU of every key press, heap, time."""

import shutil
import statistics
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hubcore.records import Record
from smilehub.rehearsal import day, plan
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.sim.control import Kind

SEED = 7
#: So long after a press all is drawn, and the key is still held: its release is not counted.
_SETTLED_S = 0.35
_HELD_MS = 400
_LOOK_S = 0.01
_PAUSE_LOOKS = 2


@dataclass(slots=True)
class Press:
    """One key press: pixel bytes sent to the panel; up to the last, the guest's CPU (ns) and messages."""

    key: str
    pixel_bytes: int
    cpu_ns: int
    messages: Counter[int]


@dataclass(slots=True)
class Watched:
    """A day with its presses, and the least heap in use (bytes here) before the n-th visitor."""

    report: day.DayReport
    presses: list[Press]
    heap_low: dict[int, int] = field(default_factory=dict[int, int])


def watch(
    visitors: int,
    *,
    heap_bytes: int | None = None,
    measure: bool = True,
    around: tuple[int, ...] = (),
    keep_flash: Path | None = None,
) -> Watched:
    """Run the day and look at every press, and at the heap while the ten ``around`` each number came.

    ``keep_flash`` gets the kiosk's flash as the day leaves it.
    """
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        hub = SimulatedHub(Path(folder), SEED, heap_bytes=heap_bytes, measure=measure)
        presses: list[Press] = []
        low: dict[int, int] = {}
        issued = 0

        def press(key: str) -> None:
            pixels = hub.board.part("panel").total.pixel_bytes
            cpu = hub.board.cpu_ns()
            messages = hub.board.stats.messages.copy()

            result = Press(key, 0, 0, Counter())
            presses.append(result)
            until = hub.kernel.loop.time() + _SETTLED_S
            quiet = 0

            def look() -> None:
                nonlocal quiet
                sent = hub.board.part("panel").total.pixel_bytes - pixels
                if sent != result.pixel_bytes:
                    result.pixel_bytes = sent
                    result.cpu_ns = hub.board.cpu_ns() - cpu
                    result.messages = hub.board.stats.messages - messages
                    quiet = 0
                elif sent:
                    quiet += 1
                # What comes after a pause is another's doing: a call by staff that the idle screen shows.
                if quiet < _PAUSE_LOOKS and hub.kernel.loop.time() < until:
                    hub.kernel.loop.call_later(_LOOK_S, look)

            hub.board.keys.press(key, _HELD_MS)
            hub.kernel.loop.call_later(_LOOK_S, look)

        def tell(record: Record) -> None:
            nonlocal issued
            if record.kind != "checkin":
                return
            before = issued
            issued += 1 + len(record.body.get("others") or ())
            stats = hub.board.stats
            for visitor in around:
                # A family brings several at a time.
                if before < visitor - 10 <= issued:
                    stats.heap_low = None
                elif before < visitor <= issued and stats.heap_low is not None:
                    low[visitor] = stats.heap_low

        hub.press = press
        try:
            report = day.run(hub, plan.draw(visitors, SEED), tell)
        finally:
            hub.close()
        if not report.ok:
            raise RuntimeError(f"the day did not agree: {report}")
        if keep_flash is not None:
            shutil.copy(hub.flash, keep_flash)
        return Watched(report, presses, low)


@dataclass(frozen=True, slots=True)
class ShimCost:
    """CPU that the simulator's own code takes for a message, ns."""

    hop: float
    gpio: float
    spi: float

    def of(self, messages: Counter[int]) -> float:
        """What these messages cost, ns."""
        return (
            self.hop * (messages[Kind.WAIT] + messages[Kind.SYNC])
            + self.gpio * messages[Kind.GPIO_OUT]
            + self.spi * messages[Kind.SPI_WRITE]
        )


def press_cpu(runs: list[list[Press]], cost: ShimCost) -> tuple[float, float]:
    """Median CPU of a press without the shims, ns, and their share of it; each press at its best run."""
    own: list[float] = []
    shares: list[float] = []
    for same in zip(*runs, strict=True):
        best = min(same, key=lambda press: press.cpu_ns)
        if best.pixel_bytes == 0:
            continue
        shims = cost.of(best.messages)
        own.append(best.cpu_ns - shims)
        shares.append(shims / best.cpu_ns)
    return statistics.median(own), statistics.median(shares)
