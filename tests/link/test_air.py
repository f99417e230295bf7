"""The air on the laptop: bleak over the virtual radio, the shipping services.radio on a simulated board."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
)
from radio_rig import DEVICE, KEY, Clinic

from smilehub.errors import (
    AirElsewhere,
    AirForbidden,
    AirInProgress,
    AirNotFound,
    AirOff,
    AirStale,
    LinkClosed,
    LinkError,
    WrongAuthority,
)
from smilehub.link.air import AirTransport, Backend, Heard, scan
from smilehub.link.air_errors import explain


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    clinic = Clinic(tmp_path)
    yield clinic
    clinic.close()


def backend(clinic: Clinic, other: str = "") -> Backend:
    laptop = clinic.radio.laptop(other) if other else clinic.laptop
    return Backend(laptop.scanner_backend, laptop.client_backend)


def transport(clinic: Clinic, other: str = "", key: bytes = KEY, device: bytes = DEVICE) -> AirTransport:
    return AirTransport(device, key, backend=backend(clinic, other))


async def take(air: AirTransport, size: int) -> bytes:
    got = b""
    while len(got) < size:
        got += await air.receive()
    return got


def play(clinic: Clinic, scene: Callable[[], Awaitable[None]]) -> list[Any]:
    async def script(_: Clinic) -> None:
        await scene()

    return clinic.run(script)


def test_a_kiosk_is_found_by_its_id_and_bytes_come_back(clinic: Clinic) -> None:
    data = random.Random(2).randbytes(3000)

    async def scene() -> None:
        (heard,) = await scan(1.0, backend(clinic))
        assert heard == Heard(DEVICE[-3:], DEVICE, heard.signal_dbm, heard.address)
        assert -100 < heard.signal_dbm < 0
        air = transport(clinic)
        await air.open()
        assert air.mtu == 242
        for at in range(0, len(data), 239):
            await air.send(b"=" + data[at : at + 239])
            assert await take(air, len(data[at : at + 239])) == data[at : at + 239]
        await air.close()
        await air.close()
        with pytest.raises(LinkClosed):
            await air.send(b"x")
        with pytest.raises(LinkClosed):
            await air.receive()
        await asyncio.sleep(1)
        await air.open()  # the kiosk lets us in again
        await air.close()

    assert [line[1] for line in play(clinic, scene) if line[0] == "opened"] == [1, 2]


def test_much_flows_under_credit(clinic: Clinic) -> None:
    async def scene() -> None:
        air = transport(clinic)
        await air.open()
        await air.send(b"*" + (200).to_bytes(2, "big"))
        await asyncio.sleep(5)  # nobody reads: the kiosk stops at what was granted
        assert sum(map(len, air._received)) <= 16384
        assert await take(air, 200 * 256) == bytes(range(256)) * 200
        await air.close()

    play(clinic, scene)


def test_in_a_handshake_lengths_are_padded_both_ways(clinic: Clinic) -> None:
    async def scene() -> None:
        air = transport(clinic)
        await air.open()
        sizes: list[int] = []
        write = air._write

        async def counted(value: bytes) -> None:
            sizes.append(len(value))
            await write(value)

        air._write = counted  # type: ignore[method-assign]
        air.handshaking(True)
        for size in (2, 100, 241, 242):
            await air.send(b"p" + bytes(size - 1))
            assert await take(air, size - 1) == bytes(size - 1)
            await asyncio.sleep(1)
        assert set(sizes) <= {244, 3}
        await air.close()

    play(clinic, scene)


def test_what_the_kiosk_says_reaches_us(clinic: Clinic) -> None:
    waits: list[int] = []

    async def scene() -> None:
        air = transport(clinic)
        air.on_wait = waits.append
        await air.open()
        await air.send(b"w")
        await asyncio.sleep(1)
        await air.send(b"b")
        assert await take(air, 10) == b"last words"
        with pytest.raises(LinkClosed, match="ended the session"):
            await air.receive()
        await air.close()

    play(clinic, scene)
    assert waits == [7]


def test_another_hubs_key_is_not_let_in_and_not_tried_again(clinic: Clinic) -> None:
    async def scene() -> None:
        with pytest.raises(WrongAuthority):
            await transport(clinic, key=bytes(32)).open()

    assert [line for line in play(clinic, scene) if line[0] == "refused"] == [["refused", "no proof", "air"]]


def test_a_kiosk_that_is_not_there_or_another_is_not_found(clinic: Clinic) -> None:
    async def scene() -> None:
        with pytest.raises(AirNotFound, match="SH-ffffff"):
            await transport(clinic, device=b"\xff" * 6).open()

    play(clinic, scene)


def test_a_kiosk_out_of_range_ends_the_wait(clinic: Clinic) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        air = transport(clinic)
        await air.open()
        reading = asyncio.create_task(air.receive())
        clinic.radio.cut("kiosk", "laptop")
        began = loop.time()
        with pytest.raises(LinkClosed, match="lost"):
            await reading
        with pytest.raises(LinkError):
            await air.send(b"hello")
        await air.close()
        assert loop.time() - began < 10
        clinic.radio.mend("kiosk", "laptop")
        await asyncio.sleep(10)
        await air.open()
        await air.close()

    play(clinic, scene)


def test_a_kiosk_that_another_laptop_holds_is_elsewhere(clinic: Clinic) -> None:
    async def scene() -> None:
        first, second = transport(clinic), transport(clinic, "other")
        await first.open()
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises((AirElsewhere, AirNotFound)):
            await second.open()
        assert loop.time() - began < 120
        await first.send(b"=alive")
        assert await take(first, 5) == b"alive"
        await first.close()
        await asyncio.sleep(2)
        await second.open()
        await second.close()

    play(clinic, scene)


@pytest.mark.parametrize("times", [1, 3])
def test_an_abort_of_the_system_is_tried_again_with_a_fresh_search(clinic: Clinic, times: int) -> None:
    async def scene() -> None:
        troubles = clinic.laptop.troubles
        for _ in range(times):
            troubles.connect.append(BleakError("org.bluez.Error.Failed: le-connection-abort-by-local"))
        air = transport(clinic)
        await air.open()
        await air.close()

    play(clinic, scene)


def test_what_stays_is_named_after_a_bounded_number_of_tries(clinic: Clinic) -> None:
    async def scene() -> None:
        troubles = clinic.laptop.troubles
        troubles.connect.extend([BleakDBusError("org.bluez.Error.InProgress", ["In Progress"])] * 9)
        with pytest.raises(AirInProgress):
            await transport(clinic).open()
        assert len(troubles.connect) == 5
        troubles.connect.clear()
        troubles.scan.append(BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["no"]))
        with pytest.raises(AirForbidden):
            await transport(clinic).open()
        troubles.scan.append(BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]))
        with pytest.raises(AirOff):
            await scan(1.0, backend(clinic))

    play(clinic, scene)


def test_a_write_that_never_returns_is_left(clinic: Clinic) -> None:
    async def scene() -> None:
        air = transport(clinic)
        await air.open()

        async def hang(*_: Any, **__: Any) -> None:
            for _ in range(2):  # it does not heed being cancelled, or not at once
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(3600)

        assert air._client is not None
        air._client.write_gatt_char = hang  # type: ignore[method-assign]
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(LinkClosed, match="get on"):
            await air.send(b"=x")
        await air.close()
        assert loop.time() - began < 20

    play(clinic, scene)


NotAvailable = BleakBluetoothNotAvailableError
Reason = BleakBluetoothNotAvailableReason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotAvailable("Bluetooth is off", Reason.POWERED_OFF), AirOff),
        (NotAvailable("No Bluetooth adapter", Reason.NO_BLUETOOTH), AirOff),
        (NotAvailable("denied", Reason.DENIED_BY_USER), AirForbidden),
        (BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]), AirOff),
        (BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["org.bluez was not provided"]), AirOff),
        (FileNotFoundError(2, "No such file or directory"), AirOff),
        (BleakDBusError("org.bluez.Error.NotPermitted", ["Operation not permitted"]), AirForbidden),
        (PermissionError(13, "Permission denied"), AirForbidden),
        (BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"]), AirInProgress),
        (BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]), AirElsewhere),
        (BleakDBusError("org.bluez.Error.AlreadyConnected", ["Already Connected"]), AirElsewhere),
        (TimeoutError(), AirElsewhere),
        (BleakCharacteristicNotFoundError("5b1e0002"), AirStale),
        (BleakDBusError("org.freedesktop.DBus.Error.UnknownObject", ["Method Connect"]), AirStale),
        (BleakError("failed to discover services, device disconnected"), AirStale),
        (BleakDeviceNotFoundError("AA:BB"), AirNotFound),
        (BleakError("something new"), LinkClosed),
    ],
)
def test_the_known_states_of_a_systems_bluetooth_are_told_apart(
    error: Exception, expected: type[LinkError]
) -> None:
    told = explain(error, "SH-d4e5f6")
    assert type(told) is expected and told.hint and told.message.endswith(".")
