"""The whole kiosk on the simulated board: keys in, pixels and link out."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from smilehub.devices import image
from smilehub.devices.sources import board_toml
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim.board import Board, device_id
from smilehub.sim.kernel import Kernel
from smilehub.sim.spec import load_spec
from smilehub.sim.uart import Uarts
from smilehub.trust.authority import Authority

# With a chair open that serves everybody: language, need, no red flag, one person, a picture.
TICKET = ("yes", "yes", "yes", "yes", "yes", "yes")
LABEL_BAND = (0, 56, 480, 176)

SEED = 7
HUB = Authority.from_seed(SEED)
LAPTOP = HUB.issue_person("laptop", "test")


class Kiosk:
    """One board with the shipping image, and a laptop's client on its link port."""

    def __init__(self, kernel: Kernel, flash: Path) -> None:
        self.board = Board(kernel, load_spec(board_toml()), flash, seed=7, measure=True)
        self.uarts = Uarts(self.board)
        self.counter = 0

    @property
    def panel(self) -> Any:
        return self.board.part("panel")

    def picture(self) -> Image.Image:
        return self.panel.image()

    def heading(self) -> tuple[int, ...]:
        """The colour of the band across the top: blue asks, green says done, red alarms."""
        return self.picture().getpixel((470, 44))

    async def settle(self) -> None:
        await asyncio.sleep(0.4)
        await self.board.idle(300_000)

    async def press(self, *keys: str) -> int:
        """Press keys; the pixel bytes that the last one made."""
        for key in keys:
            self.panel.mark()
            self.board.keys.press(key)
            await self.settle()
        return self.panel.since_mark.pixel_bytes

    async def command(self, name: str, **args: Any) -> Any:
        self.counter += 1
        link: Any = self.uarts.links["link"]
        async with KioskClient(SecureTransport(CableTransport(link), LAPTOP), name="test") as client:
            return await client.command(name, args, ("test", self.counter))


Story = Callable[[Kiosk], Coroutine[Any, Any, None]]


@pytest.fixture(scope="session")
def flash_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "flash.bin"
    image.build_image(board_toml(), path, identity=HUB.issue_kiosk(device_id(SEED)).blob)
    return path


@pytest.fixture
def tell(flash_image: Path, tmp_path: Path) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        flash = tmp_path / "flash.bin"
        flash.write_bytes(flash_image.read_bytes())
        kernel = Kernel.virtual(7)
        try:
            kiosk = Kiosk(kernel, flash)

            async def whole() -> None:
                await kiosk.board.power_on()
                await kiosk.board.idle()
                try:
                    await story(kiosk)
                finally:
                    kiosk.board.close()

            kernel.run(asyncio.wait_for(whole(), 3600))
        finally:
            kernel.close()

    return run


def test_from_power_on_to_a_called_ticket(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        idle = kiosk.picture()
        assert kiosk.panel.lit
        await kiosk.command("day_open")
        await kiosk.command("chair_open", chair="2")
        await kiosk.settle()
        assert kiosk.picture() != idle, "an open day says how many wait"
        assert await kiosk.press(*TICKET) <= 480 * 320 * 2
        green = kiosk.heading()
        assert green[1] > green[0] and green[1] > green[2]
        dark = kiosk.board.part("wall").image().tobytes()
        called = await kiosk.command("call", chair="2")
        assert called.result["ticket"].startswith("K")
        await kiosk.settle()
        assert kiosk.board.part("wall").image().tobytes() != dark
        assert kiosk.heading() == green, "a call does not take the ticket from its reader"
        await kiosk.press("yes", "yes")
        assert kiosk.heading() != green

    tell(story)


def test_a_ticket_not_yet_read_survives_a_power_cut(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        await kiosk.command("day_open")
        await kiosk.command("chair_open", chair="2")
        await kiosk.press(*TICKET)
        label = kiosk.picture().crop(LABEL_BAND).tobytes()
        whole = kiosk.picture().tobytes()
        kiosk.board.power_cut()
        await asyncio.sleep(5)
        await kiosk.board.power_on()
        await kiosk.board.idle()
        assert kiosk.picture().crop(LABEL_BAND).tobytes() == label
        assert kiosk.picture().tobytes() != whole, "it says that the place was kept"
        await kiosk.press("yes")
        assert kiosk.picture().crop(LABEL_BAND).tobytes() != label

    tell(story)


def test_half_entered_answers_do_not_survive_a_power_cut(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        await kiosk.command("day_open")
        await kiosk.settle()
        idle = kiosk.picture().tobytes()
        await kiosk.press("yes", "yes", "down", "yes")
        kiosk.board.power_cut()
        await kiosk.board.power_on()
        await kiosk.board.idle()
        assert kiosk.picture().tobytes() == idle

    tell(story)


def test_idle_sends_nothing_and_silence_ends_in_idle(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        await kiosk.command("day_open")
        await kiosk.settle()
        idle = kiosk.picture().tobytes()
        kiosk.panel.mark()
        await asyncio.sleep(600)
        assert kiosk.panel.since_mark.pixel_bytes == 0
        await kiosk.press("yes", "yes")
        await asyncio.sleep(50)
        warning = kiosk.picture().tobytes()
        assert warning != idle
        await asyncio.sleep(25)
        assert kiosk.picture().tobytes() == idle

    tell(story)


def test_moving_the_choice_is_cheap_on_the_bus(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        await kiosk.press("yes", "yes")
        assert 0 < await kiosk.press("down") <= 100_000
        assert 0 < await kiosk.press("up") <= 100_000

    tell(story)


def test_a_red_flag_reaches_the_laptop_while_the_day_is_closed(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        assert await kiosk.press("yes", "yes", "yes", "down", "yes") <= 480 * 320 * 2
        red = kiosk.heading()
        assert red[0] > 2 * red[1] and red[0] > 2 * red[2]
        done = await kiosk.command("alert_ack")
        assert done.seq > 0

    tell(story)


def test_visitors_leave_nothing_on_the_heap(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        async def visitors(n: int) -> int:
            for _ in range(n):
                await kiosk.press(*TICKET, "yes", "yes", "back")
                called = await kiosk.command("call", chair="2")
                await kiosk.command("served", ticket=called.result["ticket"])
            return kiosk.board.stats.heap_peak

        await kiosk.command("day_open")
        await kiosk.command("chair_open", chair="2")
        before = await visitors(40)  # until garbage of all kinds has met, and what the day keeps has grown
        assert await visitors(16) <= before * 1.01

    tell(story)


def test_ctrl_c_leaves_to_the_prompt(tell: Callable[[Story], None]) -> None:
    async def story(kiosk: Kiosk) -> None:
        # What the console of a board in real time does with 0x03 while a program runs.
        assert kiosk.board.guest is not None
        os.kill(kiosk.board.guest.pid, signal.SIGINT)
        for _ in range(100):
            await asyncio.sleep(1)
            text = kiosk.board.console_text()
            if text.endswith(">>> "):
                break
        assert "Traceback" not in text
        assert "was stopped" in text

    tell(story)
