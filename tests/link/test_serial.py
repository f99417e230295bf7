"""The shipping serial transport on real pseudo-terminals, and each way a port can be wrong."""

import asyncio
import errno
import os
from pathlib import Path

import pytest
import serial
from peer import Peer, PtyKiosk, papers

from smilehub.errors import LinkClosed, LinkError, NotAPort, PortBusy, PortForbidden, PortMissing
from smilehub.link.cable import CableTransport
from smilehub.link.client import KioskClient
from smilehub.link.serial import SerialTransport
from smilehub.link.tls import SecureTransport


def session(kiosk: PtyKiosk) -> KioskClient:
    """All layers, as the commands stack them."""
    return KioskClient(SecureTransport(CableTransport(SerialTransport(kiosk.path)), papers()))


def test_a_whole_conversation_through_a_pseudo_terminal():
    peer = Peer()
    peer.busy_day(200)
    got: list[bytes] = []

    async def work():
        async with PtyKiosk(peer) as kiosk, session(kiosk) as client:
            hello = await client.hello()
            return await client.pull(hello.journal_id, 1, None, lambda _, raws: got.extend(raws))

    assert asyncio.run(work()) == peer.next_seq
    assert got == peer.raws


def test_control_characters_pass_untouched():
    every = bytes(range(256)) * 3

    async def work():
        async with PtyKiosk(Peer(), mute=True) as kiosk:
            transport = SerialTransport(kiosk.path)
            await transport.open()
            await kiosk.write_raw(every)
            got = b""
            while len(got) < len(every):
                got += await transport.receive()
            await transport.close()
            return got

    assert asyncio.run(work()) == every


def test_a_port_that_takes_nothing_is_waited_for_without_spinning():
    async def work():
        async with PtyKiosk(Peer()) as kiosk:
            kiosk._task.cancel()  # nobody reads on the other side
            transport = SerialTransport(kiosk.path)
            await transport.open()
            sending = asyncio.create_task(transport.send(bytes(100_000)))
            await asyncio.sleep(0.05)
            before = os.times().user
            await asyncio.sleep(0.3)
            assert not sending.done()
            assert os.times().user - before < 0.2
            await transport.close()
            with pytest.raises(LinkClosed):
                await sending

    asyncio.run(work())


def test_a_port_that_vanishes_ends_the_wait():
    async def work():
        async with PtyKiosk(Peer()) as kiosk, session(kiosk) as client:
            kiosk.mute = True
            asking = asyncio.create_task(client.hello())
            await asyncio.sleep(0.05)
            await kiosk.vanish()
            await asking

    with pytest.raises(LinkClosed, match="The connection at /dev/pts/"):
        asyncio.run(work())


def test_a_pseudo_terminal_has_no_rates_and_a_closed_port_none_to_change():
    async def work():
        async with PtyKiosk(Peer()) as kiosk:
            transport = SerialTransport(kiosk.path)
            await transport.open()
            assert not transport.has_rates
            transport.set_baud(921600)
            await transport.close()
            with pytest.raises(LinkClosed):
                transport.set_baud(115200)

    asyncio.run(work())


def test_the_second_user_of_a_port_is_refused():
    async def work():
        async with PtyKiosk(Peer()) as kiosk:
            first, second = SerialTransport(kiosk.path), SerialTransport(kiosk.path)
            await first.open()
            with pytest.raises(PortBusy, match="in use by another program"):
                await second.open()
            await first.close()
            await second.open()
            await second.close()

    asyncio.run(work())


def test_closed_means_closed():
    async def work():
        async with PtyKiosk(Peer()) as kiosk:
            transport = SerialTransport(kiosk.path)
            await transport.open()
            await transport.close()
            await transport.close()
            with pytest.raises(LinkClosed):
                await transport.receive()
            with pytest.raises(LinkClosed):
                await transport.send(b"x")

    asyncio.run(work())


def test_missing_and_no_port(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path, expected in [
        (tmp_path / "none", PortMissing),
        (tmp_path / "file", NotAPort),
        (tmp_path, NotAPort),
        (Path("/dev/null"), NotAPort),
    ]:
        with pytest.raises(expected):
            asyncio.run(SerialTransport(str(path)).open())


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, PortForbidden),
        (errno.EPERM, PortForbidden),
        (errno.EBUSY, PortBusy),
        (errno.ENXIO, PortMissing),
        (errno.EIO, LinkError),
    ],
)
def test_what_the_system_says(monkeypatch: pytest.MonkeyPatch, number: int, expected: type[LinkError]):
    def refuse(self: object) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr(serial.Serial, "open", refuse)
    with pytest.raises(expected) as error:
        asyncio.run(SerialTransport("/dev/ttyUSB0").open())
    assert "/dev/ttyUSB0" in error.value.message
    if expected is PortForbidden:
        assert "dialout" in error.value.hint


def test_dtr_and_rts_are_off_before_the_port_opens(monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[bool, bool, bool]] = []

    def look(self: serial.Serial) -> None:
        seen.append((self.dtr, self.rts, self.exclusive))
        raise serial.SerialException(errno.ENOENT, "")

    monkeypatch.setattr(serial.Serial, "open", look)
    with pytest.raises(PortMissing):
        asyncio.run(SerialTransport("/dev/ttyUSB0").open())
    assert seen == [(False, False, True)]
