"""A sync through the simulated air, and bare notifications through the same air."""

import asyncio
import tempfile
from pathlib import Path

from bleak import BleakClient, BleakScanner

from smilehub.devices.sources import board_toml
from smilehub.link.air import AirTransport, Backend
from smilehub.link.client import KioskClient
from smilehub.link.tls import SecureTransport
from smilehub.sim.board import Board, device_id
from smilehub.sim.kernel import Kernel
from smilehub.sim.radio import Radio
from smilehub.sim.spec import load_spec
from tools.bench import bare
from tools.bench.lines import Rig

_RECORDS = 6_000
_VALUE = 244  # bytes of a notification: what the kiosk sends
_FIRST_S, _BARE_S = 5.0, 10.0
_NAME, _NOTIFY = "Bare", "5b1e0003-7d2c-4a5e-9f3a-5d1e54f1e1b0"
_PROGRAM = f"""
import bluetooth, time
ble = bluetooth.BLE()
conn = None
def irq(event, data):
    global conn
    if event == 1:
        conn = data[0]
ble.active(True)
ble.irq(irq)
ble.config(mtu=247)
uuid = bluetooth.UUID("{_NOTIFY}")
((tx,),) = ble.gatts_register_services(((uuid, ((uuid, bluetooth.FLAG_NOTIFY),)),))
ble.gap_advertise(100000, b"\\x02\\x01\\x06\\x05\\x09{_NAME}")
value = bytes({_VALUE})
while True:
    if conn is None:
        time.sleep_ms(100)
        continue
    try:
        ble.gatts_notify(conn, tx, value)
    except OSError:  # enough wait to be sent
        time.sleep_ms(5)
"""


def bare_bytes_per_s() -> float:
    """Bytes a second of notifications by a program that does nothing else, virtual time."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        kernel = Kernel.virtual(1)
        board = Board(kernel, load_spec(board_toml("kiosk")), bare.flash_with(_PROGRAM, Path(folder)))
        radio = Radio(kernel, seed=1)
        radio.board(board, "kiosk")
        laptop = radio.laptop("laptop")
        got = 0

        def take(_: object, value: bytearray) -> None:
            nonlocal got
            got += len(value)

        async def run() -> float:
            await board.power_on()
            device = await BleakScanner.find_device_by_filter(
                lambda _, advert: advert.local_name == _NAME, backend=laptop.scanner_backend
            )
            if device is None:
                raise RuntimeError(f"nothing advertises:\n{board.console_text()}")
            async with BleakClient(device, backend=laptop.client_backend) as client:
                await client.start_notify(_NOTIFY, take)
                await asyncio.sleep(_FIRST_S)
                before = got
                await asyncio.sleep(_BARE_S)
                return (got - before) / _BARE_S

        try:
            return kernel.run(run())
        finally:
            board.close()
            kernel.close()


def sync_bytes_per_s() -> float:
    """Record bytes a second of a first sync, session and all, virtual time."""
    with tempfile.TemporaryDirectory(prefix="smilehub-bench-") as folder:
        kernel = Kernel.virtual(1)
        rig = Rig(kernel, Path(folder), 1, _RECORDS)
        radio = Radio(kernel, seed=1)
        radio.board(rig.board, "kiosk")
        laptop = radio.laptop("laptop")
        backend = Backend(laptop.scanner_backend, laptop.client_backend)

        async def run() -> float:
            await rig.power_on()
            carrier = AirTransport(device_id(rig.board.seed), rig.identity.hub_key, backend=backend)
            async with KioskClient(SecureTransport(carrier, rig.identity)) as client:
                loop = asyncio.get_running_loop()
                began = loop.time()
                await rig.sync(client)
                took = loop.time() - began
            rig.check()
            return sum(map(len, rig.records)) / took

        try:
            return kernel.run(run())
        finally:
            rig.close()
            kernel.close()
