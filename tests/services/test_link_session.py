"""The kiosk's end of the link on a simulated board, with the laptop's shipping transports at the other end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from link_rig import Desk

from hubcore import requests


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_a_laptop_is_let_in_and_gets_its_records(desk: Desk) -> None:
    async def work() -> None:
        async with desk.talk(rates=()) as talk:
            hello = await talk.hello()
            print(hello)
            assert hello[13] == "laptop"
            await talk.command("day_open", 1)
            held = await talk.pull(hello[2])
            print(held)
            status, result = await talk.ask(requests.LOGS)
            print(status, result)
            print(await talk.done(requests.HEALTH))
            print(await talk.done(requests.STATE))

    try:
        desk.run(work)
    finally:
        print(desk.board.console_text())
