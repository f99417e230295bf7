"""Today's kiosk answers a laptop of the first version 2 as the first kiosk did: by what it says, not how."""

import json
from pathlib import Path
from typing import Any

import pytest
from clinic_rig import a_hub

from hubcore import requests

FILE = Path(__file__).parents[1] / "link" / "first_version_2.jsonl"


def test_the_first_laptops_requests_get_the_same_answers(tmp_path: Path):
    said = [json.loads(line) for line in FILE.read_text().splitlines()]
    asked = [bytes.fromhex(line["hex"]) for line in said if line["to"] == "kiosk"]
    replies = [requests.parse(bytes.fromhex(line["hex"])) for line in said if line["to"] == "laptop"]
    then = {message[1]: message for message in replies if message[0] == requests.REPLY}
    before = then[1][3][2]

    async def work() -> dict[int, tuple[Any, ...]]:
        await hub.power_on()
        session = hub.laptop.connect().transport
        await session.open()
        now: dict[int, tuple[Any, ...]] = {}
        reader = requests.Reader(0xFFFF)
        journal = before
        for payload in asked:
            number = requests.parse(payload)[1]
            await session.send(len(payload).to_bytes(2, "big") + payload.replace(before, journal))
            while number not in now or now[number][4]:
                data = await session.receive()
                while data:
                    space = reader.space()
                    size = min(len(space), len(data))
                    space[:size] = data[:size]
                    data = data[size:]
                    whole = reader.filled(size)
                    message = requests.parse(whole) if whole else (None,)
                    if message[0] == requests.REPLY:
                        now[message[1]] = message
            journal = now[1][3][2]
        await session.close()
        return now

    with a_hub(tmp_path, seed=11) as hub:
        now = hub.kernel.run(work())
    assert {number: message[2] for number, message in now.items()} == {
        number: message[2] for number, message in then.items()
    }
    for number, message in then.items():
        assert _shape(message[3], now[number][3]), (message, now[number])


def _shape(older: Any, newer: Any) -> bool:
    """Whether ``newer`` has at least what ``older`` had, of the same kinds."""
    if isinstance(older, dict):
        return isinstance(newer, dict) and all(k in newer and _shape(v, newer[k]) for k, v in older.items())
    if older is None or newer is None:
        return True
    return type(older) is type(newer)


def test_the_shapes_are_compared():
    assert _shape({0: 1, 1: {"a": b""}}, {0: 2, 1: {"a": b"x"}, 9: "new"})
    for newer in ({}, {0: "1"}, {1: 1}, []):
        with pytest.raises(AssertionError):
            assert _shape({0: 1}, newer)
