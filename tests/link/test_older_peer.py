"""The first peers of version 2 are still understood, both ways: first_version_2.jsonl is what they said.

It was recorded between SimulatedHub(seed=11) and the laptop of that time, inside TLS; each line is one
message without its length. It is never recorded anew: what is released stays in the field.
"""

import asyncio
import json
from pathlib import Path

import pytest
from jumping import run

from hubcore import requests
from smilehub.errors import KioskRefused, LinkClosed, RoleForbidden, VersionMismatch
from smilehub.link.client import KioskClient
from smilehub.link.messages import Head

FILE = Path(__file__).with_name("first_version_2.jsonl")
LINES = [json.loads(line) for line in FILE.read_text().splitlines()]
SAID = [(line["to"], bytes.fromhex(line["hex"])) for line in LINES]


class OlderKiosk:
    """A transport into the recording: each request is answered as the next of the same op was then."""

    name = "older"
    mtu = 1024

    def __init__(self) -> None:
        asked = [requests.parse(payload) for to, payload in SAID if to == "kiosk"]
        answers: dict[int, list[tuple]] = {}
        self.unasked = []
        for to, payload in SAID:
            if to == "laptop":
                message = requests.parse(payload)
                if message[0] == requests.REPLY:
                    answers.setdefault(message[1], []).append(message)
                else:
                    self.unasked.append(message)
        self.script = [(message[2], answers[message[1]]) for message in asked]
        self.device_id = answers[1][0][3][1]
        self._out: list[bytes] = []

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def send(self, data: bytes) -> None:
        message = requests.parse(data[2:])
        at = next(n for n, (op, _) in enumerate(self.script) if op == message[2])
        for reply in self.script.pop(at)[1]:
            self._out.append(requests.message((reply[0], message[1], *reply[2:])))

    async def receive(self) -> bytes:
        while not self._out:
            if not self.unasked:
                raise LinkClosed("the recording has ended")
            await asyncio.sleep(0.01)
            if not self.script:
                self._out.append(requests.message(self.unasked.pop(0)))
        return self._out.pop(0)


def test_todays_laptop_understands_the_first_kiosk():
    kiosk = OlderKiosk()
    raws: list[bytes] = []

    async def work() -> None:
        async with KioskClient(kiosk) as client:
            hello = await client.hello()
            assert (hello.version, hello.letter, hello.role, hello.next_seq) == (2, "K", "laptop", 3)
            assert {requests.PULL, requests.REVOKE} < set(hello.ops)
            await client.set_clock(1_777_879_802)
            assert not (await client.command("day_open", {}, ("recorder", 1))).already
            await client.command("chair_open", {}, ("recorder", 2))
            first = await client.command("checkin", {}, ("recorder", 3))
            again = await client.command("checkin", {}, ("recorder", 3))
            assert (first.seq, first.result["ticket"], again.already) == (again.seq, "K49", True)
            with pytest.raises(KioskRefused, match="Chair 2 is not open"):
                await client.command("call", {"chair": "2"}, ("recorder", 4))
            assert await client.pull(hello.journal_id, 1, None, lambda _, run: raws.extend(run)) == 9
            await client.receipt(hello.journal_id, 8)
            state = await client.state()
            assert (state.journal_id, state.next_seq, state.counts["waiting"]) == (hello.journal_id, 10, 1)
            health = await client.health()
            assert (health.firmware, health.troubles, health.journal_total) == ("0.1.0", (), 4 << 20)
            assert (await client.config())["rate"] == (await client.config())["rate"] == "921600"
            await client.configure("tz", "UTC0")
            with pytest.raises(RoleForbidden):
                await client.logs()
            await client._ask(requests.CANCEL, {0: 9})
            with pytest.raises(VersionMismatch, match="does not know"):
                await client._done("something new", 77, {})
            assert await client.next_notice() == Head(hello.journal_id, 10)

    run(work())
    assert len(raws) == 8 and kiosk.script == []


def test_todays_core_understands_the_first_laptop():
    """The kiosk takes requests apart with these functions; the simulated one is asked in tests/rehearsal."""
    asked = [requests.parse(payload) for to, payload in SAID if to == "kiosk"]
    taken = {
        requests.HELLO: requests.parse_hello,
        requests.PULL: requests.parse_pull,
        requests.COMMAND: requests.parse_command,
        requests.RECEIPT: requests.parse_receipt,
        requests.SET_CLOCK: requests.parse_set_clock,
    }
    for _, _, op, args, deadline in asked:
        assert deadline == (None if op == requests.PULL else 10_000)
        if op in taken:
            taken[op](args)
    assert requests.choose_version(*asked[0][3][0]) == 2
    assert {op for _, _, op, _, _ in asked} >= set(taken)
