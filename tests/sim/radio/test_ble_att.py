"""The attribute protocol by itself: nonsense from the peer neither breaks it nor keeps it busy for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from smilehub.sim.kernel import Kernel
from smilehub.sim.radio import att, gatt_client
from smilehub.sim.radio.att import Bearer
from smilehub.sim.radio.gatt_server import INDICATE, NOTIFY, READ, WRITE, Got, Table


class _Owner:
    def __init__(self) -> None:
        self.values: dict[int, bytes] = {}

    def read(self, bearer: Bearer, handle: int, got: Got) -> None:
        got(0, self.values.get(handle, b"value"))

    def written(self, bearer: Bearer, handle: int, value: bytes, done: Callable[[], None] | None) -> None:
        self.values[handle] = value
        if done is not None:
            done()

    def confirmed(self, bearer: Bearer, handle: int, error: int) -> None:
        pass


def _table() -> Table:
    table = Table(_Owner())
    flags = READ | WRITE | NOTIFY | INDICATE
    table.define([(b"\x01\xaa", [(b"\x02\xaa", flags, [(b"\x03\xaa", READ)])]), (bytes(16), [])])
    return table


def test_every_request_gets_one_answer_whatever_it_says() -> None:
    kernel = Kernel.virtual()
    sent: list[bytes] = []
    bearer = Bearer(sent.append, kernel, server=_table(), preferred_mtu=100)
    chance = random.Random(4)
    for _ in range(20_000):
        sent.clear()
        op = chance.choice([2, 4, 6, 8, 10, 12, 14, 16, 18, 22, 24, 0x52, 0xD2, chance.randrange(256)])
        pdu = bytes([op]) + chance.randbytes(chance.choice([0, 1, 2, 4, 6, 20, 22, 60]))
        if chance.random() < 0.7 and len(pdu) > 2:
            # Handles that exist.
            pdu = pdu[:1] + bytes([chance.randrange(12), 0]) + pdu[3:]
        pdu = pdu[: bearer.mtu]
        bearer.receive(pdu)
        asks = not op & 1 and not op & 0x40 and op != att.CONFIRM
        assert len(sent) == (asks or (op == att.INDICATE and len(pdu) >= 3)), pdu.hex()
        assert all(len(answer) <= bearer.mtu for answer in sent)
        assert len(bearer.prepared) <= 64
    kernel.close()


def test_a_server_that_answers_nonsense_ends_every_procedure() -> None:
    kernel = Kernel.virtual()
    chance = random.Random(5)
    for _ in range(500):
        assert len(_ask_a_fool(kernel, chance)) == 1
    kernel.close()


def _ask_a_fool(kernel: Kernel, chance: random.Random) -> list[int]:
    """One procedure with a server whose answers only begin well; how often it said that it was over."""
    ended: list[int] = []

    def transmit(pdu: bytes) -> None:
        said = chance.randbytes(chance.choice([1, 3, 5, 9, 21, 22]))
        kernel.loop.call_soon(bearer.receive, bytes([pdu[0] + 1]) + said)

    bearer = Bearer(transmit, kernel)
    end = ended.append
    which = chance.randrange(5)
    if which == 0:
        gatt_client.services(bearer, lambda _: None, end)
    elif which == 1:
        gatt_client.services_by_uuid(bearer, b"\x01\xaa", lambda _: None, end)
    elif which == 2:
        gatt_client.characteristics(bearer, 1, 0xFFFF, lambda _: None, end)
    elif which == 3:
        gatt_client.descriptors(bearer, 1, 0xFFFF, lambda _handle, _uuid: None, end)
    else:
        gatt_client.write_long(bearer, 1, bytes(100), end)

    async def scene() -> None:
        while not ended:
            await asyncio.sleep(1)

    kernel.run(scene())
    bearer.end()
    return ended
