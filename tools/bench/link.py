"""Area link: what the session costs: shares of the line's rate, bytes and memory of a handshake, cuts, keys
pressed meanwhile."""

import asyncio
import random
import statistics
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from smilehub.errors import LinkError
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim import uart
from smilehub.sim.kernel import Kernel
from smilehub.store.database import Store
from tools.bench import air, clinic, handshake, lines, shims
from tools.bench.lines import Rig, Wire

_MB = 23_400  # records: a megabyte of them
_NOISE = 1e-5
_BURST_BYTES, _BURST_EVERY_S, _BURST_RECORDS = 300, 1.0, 6_000
_TRIES = 100
_CUTS, _CUT_SEED = 1_000, 5
_CUT_S = 2.0  # of a sync, in which the cuts lie
_WINDOW = 4 * 512  # bytes of frames that the kiosk sends before it waits for an answer (services/cable)
_EIGHT, _EIGHT_RECORDS = 8, 1_200
_KEYS = ("yes", "down", "yes", "back", "up", "back")
_KEY_PRESSES, _KEY_EVERY_S, _KEY_RUNS = 24, 1.5, 6
_HELD_MS = 400
#: The laptop gets the line's bytes so seldom, as an FTDI bridge hands them over (latency timer). The
#: simulator's millisecond would stop the guest as often while it draws, which no chip's program notices.
_HANDED_NS = 16_000_000


def rows() -> Iterator[dict[str, Any]]:
    """Measure and yield the area's rows."""
    for baud, least in ((115200, ">= 0.95"), (921600, ">= 0.9")):
        sync = lines.sync_share(_MB, baud, erasing=True)
        what = (
            f"record bytes / (baud/10 x time) of a 1 MB sync by {baud} baud, an erase of 45 ms every 2 s; "
            f"opening and handshake take {sync.opening_s:.1f} s before; beside: mpremote fs cp of 64 KiB "
            "(frames in base64 would be at most 0.72)"
        )
        yield _row(f"l-{baud}", what, sync.share, "share", least, lines.mpremote_share(baud))
    sync = lines.sync_share(_MB, noise=_NOISE, erasing=True)
    what = f"as l-115200, byte errors of {_NOISE:g}: {sync.changed} bytes changed"
    yield _row("l-noise", what, sync.share, "share", ">= 0.8")
    yield _bursts()
    yield _ble()
    yield _resume()
    yield _hs_bytes()
    yield from _hs_memory()
    yield _eight()
    yield _ui()


# ---- the line and the air ----


def _bursts() -> dict[str, Any]:
    with lines.a_rig(_BURST_RECORDS) as rig:
        new = ends = bursts = 0

        async def lose() -> None:
            nonlocal bursts
            while True:
                for share, for_s in ((0.0, _BURST_EVERY_S), (1.0, _BURST_BYTES / lines.BAUD * 10)):
                    rig.port.to_laptop.loss = rig.port.to_board.loss = share
                    await asyncio.sleep(for_s)
                bursts += 1

        async def run() -> None:
            nonlocal new, ends
            await rig.power_on()
            losing = asyncio.create_task(lose())
            for _ in range(_TRIES):
                try:
                    async with rig.client() as client:
                        new += (await rig.sync(client)).new
                        break
                except LinkError:
                    ends += 1
            losing.cancel()

        rig.kernel.run(run())
        lost = rig.port.to_laptop.lost
        wrong = rig.wrong() + (0 if ends else abs(new - len(rig.stored())))
        what = (
            f"records lost or doubled of {len(rig.records)} by {lines.BAUD} baud with {bursts} bursts of "
            f"{_BURST_BYTES} lost bytes, one a second: {lost} lost towards the laptop, {ends} new beginnings"
        )
        if lost < bursts * _BURST_BYTES // 2:
            raise RuntimeError(f"only {lost} bytes were lost on the line")
        return _row("l-bursts", what, wrong, "records", "== 0")


def _ble() -> dict[str, Any]:
    bare, sync = air.bare_bytes_per_s(), air.sync_bytes_per_s()
    what = f"record bytes a second of a sync in the air ({sync:.0f}) / bare notifications ({bare:.0f})"
    return _row("l-ble", what, sync / bare, "ratio", ">= 0.85")


# ---- cuts ----


class _Watched(SecureTransport):
    """Notes what has come: ``plain`` since a pull began, and how many bytes on the wire since the last whole
    record of TLS."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(CableTransport(rig.wire, rates=()), rig.identity)
        self._wire = rig.wire
        self._whole = 0
        self.plain = bytearray()

    async def receive(self) -> bytes:
        data = await super().receive()
        # What already lies here of the next record is part of what the cut costs.
        self._whole = self._wire.received - self._in.pending
        self.plain += data
        return data

    def pulling(self) -> None:
        """From here on it is records that come."""
        self._whole = self._wire.received
        self.plain.clear()

    @property
    def begun(self) -> int:
        """Bytes on the wire that are not part of ``plain`` yet."""
        return self._wire.received - self._whole


def _resume() -> dict[str, Any]:
    """Unplug a syncing laptop at random moments; each time it goes on where it was."""
    again: list[int] = []
    rounds = 0
    rng = random.Random(_CUT_SEED)
    with lines.a_rig(_MB) as rig, tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:

        async def part() -> None:
            """Sync until the cut, or to the end."""
            transport = _Watched(rig)
            begun = -1

            def cut() -> None:
                nonlocal begun
                begun = transport.begun
                rig.port.disconnect()
                rig.port.reconnect()

            timer: asyncio.TimerHandle | None = None
            try:
                async with KioskClient(transport) as client:
                    await client.hello()
                    transport.pulling()
                    timer = rig.kernel.loop.call_later(rng.uniform(0, _CUT_S), cut)
                    await rig.sync(client)
            except LinkError:
                pass
            if begun >= 0:
                # What came after the last record that is stored has to come again, and so does that one.
                last = rig.stored(max(1, rig.last()))
                at = transport.plain.rfind(last[0]) if last else -1
                again.append(begun + len(transport.plain) - max(0, at))
            elif timer is None:
                raise RuntimeError("the link ended without a cut")
            else:
                timer.cancel()

        async def run() -> None:
            nonlocal rounds
            await rig.power_on()
            while len(again) < _CUTS:
                await part()
                if rig.last() >= len(rig.records):
                    rig.check()
                    rounds += 1
                    rig.store.close()
                    path = Path(folder) / f"{rounds}.sqlite"
                    rig.store = Store.open(path, command="bench", clock=rig.clock)

        rig.kernel.run(run())
    what = (
        f"bytes sent again after a cut, worst of {len(again)} random moments of {rounds} syncs, in windows "
        f"of {_WINDOW}; median {statistics.median(again) / _WINDOW:.2f}"
    )
    return _row("l-resume", what, max(again) / _WINDOW, "windows", "<= 1")


# ---- the handshake ----


class _Counted(CableTransport):
    """Notes what had gone over the wire, both ways, when a handshake began and ended."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, rates=())
        self._wire = wire
        self.marks: list[int] = []

    def handshaking(self, lasts: bool) -> None:
        super().handshaking(lasts)
        self.marks.append(self._wire.sent + self._wire.received)


def _hs_bytes() -> dict[str, Any]:
    with lines.a_rig(0) as rig:
        cable = _Counted(rig.wire)

        async def run() -> None:
            await rig.power_on()
            transport = SecureTransport(cable, rig.identity)
            await transport.open()
            await transport.close()

        rig.kernel.run(run())
    began, ended = cable.marks[:2]
    what = "bytes on the cable of a handshake, both ways, with frames, padding and acknowledgements"
    return _row("l-hs-bytes", what, ended - began, "B", "<= 3500")


def _hs_memory() -> Iterator[dict[str, Any]]:
    memory = handshake.measure()
    records = max(memory.records, handshake.ESP32_RECORDS)
    what = (
        f"most native memory of TLS in a handshake: {memory.native} B counted here, pointers of 8 bytes, and "
        f"{records} B of the ESP32's buffers for records"
    )
    yield _row("l-hs-native", what, (memory.native + records) / 1024, "KiB", "<= 48")
    what = (
        f"most interpreter heap of a handshake over the level before, ESP32 bytes ({memory.heap} B here, of "
        f"which {memory.code} B code)"
    )
    yield _row("l-hs-heap", what, memory.heap_on_board / 1024, "KiB", "<= 8")


# ---- several kiosks, and their keys ----


def _eight() -> dict[str, Any]:
    one, eight = _together(1), _together(_EIGHT)
    what = (
        f"{_EIGHT} kiosks synced at once / one, opening and handshake included, {_EIGHT_RECORDS} records "
        f"each by {lines.BAUD} baud: {eight:.1f} s, {one:.1f} s"
    )
    return _row("l-eight", what, _EIGHT * one / eight, "ratio", ">= 6")


def _together(count: int) -> float:
    """Seconds until one laptop has what so many kiosks hold."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as name:
        kernel = Kernel.virtual(1)
        folder = Path(name)
        store = Store.open(folder / "store.sqlite", command="bench", clock=lambda: 0)
        rigs = [
            Rig(kernel, folder / str(number), number, _EIGHT_RECORDS, store=store) for number in range(count)
        ]

        async def sync(rig: Rig) -> None:
            async with rig.client() as client:
                await rig.sync(client)

        async def run() -> float:
            await asyncio.gather(*(rig.power_on() for rig in rigs))
            began = asyncio.get_running_loop().time()
            await asyncio.gather(*map(sync, rigs))
            return asyncio.get_running_loop().time() - began

        try:
            took = kernel.run(run())
            for rig in rigs:
                rig.check()
        finally:
            for rig in rigs:
                rig.close()
            kernel.close()
        return took


def _ui() -> dict[str, Any]:
    calibrations = shims.Shims()
    runs: dict[bool, list[list[clinic.Press]]] = {False: [], True: []}
    with shims.one_core(), mock.patch.object(uart, "CHUNK_NS", _HANDED_NS):
        for _ in range(_KEY_RUNS):
            calibrations.calibrate()
            for busy, presses in runs.items():
                presses.append(_keys(busy=busy))
        calibrations.calibrate()
    cost = calibrations.cost()
    idle, busy = (clinic.best(presses) for presses in runs.values())
    pairs = [(a, b) for a, b in zip(idle, busy, strict=True) if a.pixel_bytes and b.pixel_bytes]
    if len(pairs) < len(idle) // 2:
        raise RuntimeError(f"only {len(pairs)} of {len(idle)} presses drew something")
    ratio = statistics.median(cost.own(b.cpu_ns, b.said) / cost.own(a.cpu_ns, a.said) for a, b in pairs)
    what = (
        f"interpreter CPU from key press to last SPI byte while a sync runs / while the session is idle, "
        f"median of {len(pairs)} presses, by {lines.BAUD} baud"
    )
    return _row("l-ui", what, ratio, "ratio", "<= 1.5")


def _keys(*, busy: bool) -> list[clinic.Press]:
    presses: list[clinic.Press] = []
    with lines.a_rig(_MB) as rig:
        meter = shims.Meter(rig.board)

        async def run() -> None:
            await rig.power_on()
            async with rig.client() as client:
                work: Coroutine[Any, Any, Any] = rig.sync(client) if busy else client.hello()
                task = asyncio.create_task(work)
                for number in range(_KEY_PRESSES):
                    await asyncio.sleep(_KEY_EVERY_S)
                    if busy and task.done():
                        raise RuntimeError("the sync was over before the presses")
                    presses.append(clinic.press(rig.board, meter, _KEYS[number % len(_KEYS)], _HELD_MS))
                await asyncio.sleep(_KEY_EVERY_S)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        rig.kernel.run(run())
    return presses


def _row(
    name: str, what: str, value: float, unit: str, limit: str, beside: float | None = None
) -> dict[str, Any]:
    return {
        "id": name,
        "area": "link",
        "what": what,
        "value": value,
        "unit": unit,
        "limit": limit,
        "beside": beside,
    }
