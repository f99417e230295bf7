"""The flash chip: NOR rules, a datasheet's times, torn operations, and the port's Partition and NVS on it."""

from __future__ import annotations

import asyncio

import pytest
from board_bench import RAW_OFFSET, SPEC, Bench, filesystem

from smilehub.sim.flash import FlashError, decode_table, encode_table, read_partition, read_table


def test_programming_clears_bits_and_only_erasing_sets_them(bench: Bench) -> None:
    lines = bench.run(
        """
        from esp32 import Partition
        p = Partition("raw")
        b = bytearray(4)
        p.writeblocks(0, b"\\x0f\\xff\\x55\\x00", 8)
        p.writeblocks(0, b"\\xf1\\xfe\\xff\\xff", 8)
        p.readblocks(0, b, 8)
        print(b)
        p.ioctl(6, 0)
        p.readblocks(0, b, 8)
        print(b)
        p.writeblocks(1, b"x" * 4096)
        p.writeblocks(1, b"y" * 4096)
        p.readblocks(1, b)
        print(b)
        q = Partition("raw", 512)
        q.writeblocks(9, b"z" * 512)
        p.readblocks(1, b, 508)
        print(b)
        p.readblocks(1, b, 512 * 2 - 2)
        print(b)
        """
    )
    assert lines == [
        "bytearray(b'\\x01\\xfeU\\x00')",
        "bytearray(b'\\xff\\xff\\xff\\xff')",
        "bytearray(b'yyyy')",
        "bytearray(b'yyyy')",
        "bytearray(b'zzyy')",
    ]
    raw = read_partition(bench.flash, "raw")
    assert raw[:4096] == b"\xff" * 4096
    assert raw[4096:8192] == b"y" * 512 + b"z" * 512 + b"y" * 3072


def test_operations_take_the_datasheets_time(bench: Bench) -> None:
    lines = bench.run(
        """
        import time
        from esp32 import Partition
        p = Partition("raw")
        def cost(f, *args):
            t = time.ticks_us()
            f(*args)
            print(time.ticks_diff(time.ticks_us(), t) - 10)
        page = bytes(256)
        cost(p.ioctl, 6, 0)
        cost(p.writeblocks, 0, page, 0)
        cost(p.writeblocks, 0, page, 128)
        cost(p.writeblocks, 0, b"1", 1000)
        cost(p.writeblocks, 2, bytes(4096))
        cost(p.readblocks, 0, bytearray(4096))
        """
    )
    assert [int(line) for line in lines] == [45000, 700, 1400, 700, 45000 + 16 * 700, 411]
    # The REPL needs no flash, so the board has counted just these.
    assert bench.board.stats.flash_ops == 1 + 1 + 2 + 1 + 17


def test_partition_checks_its_arguments_as_the_port_does(bench: Bench) -> None:
    lines = bench.run(
        """
        from esp32 import Partition
        p = Partition("raw")
        b = bytearray(4096)
        def attempt(f, *args):
            try:
                print(f(*args))
            except Exception as e:
                print(type(e).__name__, e)
        attempt(p.readblocks, 16, b)
        attempt(p.readblocks, 17, b)
        attempt(p.writeblocks, 15, b, 1)
        attempt(p.writeblocks, 0, b"abc")
        attempt(p.ioctl, 6, 16)
        attempt(p.ioctl, 4, 0)
        attempt(p.ioctl, 5, 0)
        attempt(p.ioctl, 99, 0)
        attempt(Partition, "none")
        attempt(Partition, 7)
        attempt(Partition, None)
        attempt(p.readblocks, "0", b)
        attempt(p.readblocks, 0, 5)
        attempt(p.writeblocks, 0)
        attempt(Partition("raw", 512).ioctl, 6, 0)
        attempt(Partition("raw", 512).ioctl, 4, 0)
        attempt(p.set_boot)
        attempt(p.get_next_update)
        attempt(p.info)
        attempt(Partition, Partition.RUNNING)
        attempt(lambda: len(Partition.find()))
        attempt(lambda: [x.info()[4] for x in Partition.find(Partition.TYPE_DATA)])
        attempt(lambda: [x.info()[4] for x in Partition.find(1, subtype=2)])
        attempt(lambda: Partition.find(1, label="factory"))
        """
    )
    size, arg = "OSError (-260, 'ESP_ERR_INVALID_SIZE')", "OSError (-258, 'ESP_ERR_INVALID_ARG')"
    assert lines == [
        size,
        arg,
        size,
        size,
        size,
        "16",
        "4096",
        "None",
        "OSError [Errno 2] ENOENT",
        "ValueError ",
        "TypeError can't convert 'NoneType' object to str implicitly",
        "TypeError can't convert str to int",
        "TypeError object with buffer protocol required",
        "TypeError writeblocks() takes 3 positional arguments but 2 were given",
        "-22",
        "128",
        arg,
        "OSError [Errno 2] ENOENT",
        f"(1, 6, {RAW_OFFSET}, 65536, 'raw', False)",
        "<Partition type=0, subtype=0, address=65536, size=65536, label=factory, encrypted=0>",
        "1",
        "['nvs', 'vfs', 'raw']",
        "['nvs']",
        "[]",
    ]


def test_block_device_calls_do_not_allocate(bench: Bench) -> None:
    lines = bench.run(
        """
        import micropython, time
        from esp32 import Partition
        p = Partition("raw")
        b = bytearray(4096)
        m = memoryview(b)
        failed = t = None
        micropython.heap_lock()
        try:
            p.ioctl(6, 0)
            p.writeblocks(0, b, 0)
            p.readblocks(0, b)
            p.readblocks(0, b, 128)
            p.writeblocks(1, m, 0)
            p.readblocks(1, m, 128)
            t = time.ticks_ms()
            time.sleep_ms(5)
            time.ticks_diff(time.ticks_us(), t)
        except MemoryError as e:
            failed = e
        micropython.heap_unlock()
        if failed:
            raise failed
        print("fine")
        """
    )
    assert lines == ["fine"]


@pytest.mark.parametrize("tear", [0.0, 0.4, 1.0])
def test_a_cut_tears_a_program(bench: Bench, tear: float) -> None:
    bench.put(
        main="""
        from esp32 import Partition
        Partition("raw").writeblocks(0, bytes(512), 0)
        print("never")
        """
    )
    bench.board.arm_cut(2, tear)

    async def scene() -> None:
        await bench.board.power_on()
        await bench.board.off()

    bench.kernel.run(scene())
    assert not bench.board.powered
    assert "never" not in bench.text
    raw = read_partition(bench.flash, "raw")
    done = 256 + int(256 * round(tear * 255) / 255)
    assert raw[:done] == bytes(done)
    if tear < 1:
        assert raw[done] == 0xA5
        done += 1
    assert raw[done : done + 512] == b"\xff" * 512


def test_a_cut_tears_an_erase(bench: Bench) -> None:
    bench.put(
        main="""
        from esp32 import Partition
        p = Partition("raw")
        p.writeblocks(0, bytes(4096), 0)
        print("written")
        p.ioctl(6, 0)
        """
    )

    async def scene() -> None:
        await bench.board.power_on()
        bench.board.arm_cut(17, 0.25)
        await bench.board.off()

    bench.kernel.run(scene())
    assert bench.lines == ["written"]
    raw = read_partition(bench.flash, "raw")
    border = 4096 * round(0.25 * 255) // 255
    assert raw[:border] == b"\xff" * border
    assert raw[border] == 0x5A
    assert raw[border + 1 : 4096] == bytes(4095 - border)


def test_littlefs_lives_through_a_cut_at_every_operation(bench: Bench) -> None:
    bench.put(
        boot="",
        main="""
        import os
        with open("value.new", "w") as f:
            f.write("new" * 300)
        os.rename("value.new", "value")
        """,
    )
    base = bench.flash.read_bytes()
    results: set[str] = set()
    for op in range(1, 40, 3):
        bench.flash.write_bytes(base)
        bench.board.arm_cut(op, (op * 37 % 100) / 100)

        async def scene() -> None:
            await bench.board.power_on()
            await asyncio.sleep(5)
            bench.board.power_cut()

        bench.kernel.run(scene())
        fs = filesystem(read_partition(bench.flash, "vfs"))
        try:
            with fs.open("value") as file:
                results.add(file.read())
        except FileNotFoundError:
            results.add("")
    assert results == {"", "new" * 300}


def test_nvs_keeps_its_settings_and_minds_its_arguments(bench: Bench) -> None:
    bench.put(
        main="""
        from esp32 import NVS
        n = NVS("kiosk")
        def attempt(f, *args):
            try:
                print(f(*args))
            except Exception as e:
                print(type(e).__name__, e)
        attempt(n.get_i32, "boots")
        try:
            boots = n.get_i32("boots")
        except OSError:
            boots = 0
        n.set_i32("boots", boots + 1)
        n.set_blob("name", b"hub %d" % boots)
        b = bytearray(8)
        attempt(n.get_blob, "name", b)
        print(b)
        attempt(n.get_blob, "name", bytearray(2))
        attempt(n.get_i32, "name")
        attempt(n.set_i32, "a-key-that-is-too-long", 1)
        attempt(NVS, "a-namespace-too-long")
        attempt(NVS("other").get_i32, "boots")
        n.set_i32("gone", 1)
        n.erase_key("gone")
        attempt(n.erase_key, "gone")
        attempt(n.commit)
        print(n)
        for i in range(400):
            n.set_blob("much", bytes([i & 255]) * 50)
        """
    )

    async def scene() -> None:
        await bench.board.power_on()
        await bench.until(">>> ")
        bench.board.power_cut()
        await bench.board.power_on()
        await asyncio.sleep(50)

    bench.kernel.run(scene())
    first, second = bench.text.split("MicroPython ")[:2]
    missing = "OSError (-4354, 'ESP_ERR_NVS_NOT_FOUND')"
    common = [
        "OSError (-4364, 'ESP_ERR_NVS_INVALID_LENGTH')",
        "OSError (-4355, 'ESP_ERR_NVS_TYPE_MISMATCH')",
        "OSError (-4361, 'ESP_ERR_NVS_KEY_TOO_LONG')",
        "OSError (-4358, 'ESP_ERR_NVS_INVALID_NAME')",
        missing,
        missing,
        "None",
        "<NVS namespace>",
    ]
    assert first.splitlines() == [missing, "5", "bytearray(b'hub 0\\x00\\x00\\x00')", *common]
    after = second.split(">>> ")[1].splitlines()
    assert after == ["1", "5", "bytearray(b'hub 1\\x00\\x00\\x00')", *common]


def test_the_partition_table_is_esp_idfs(bench: Bench) -> None:
    assert read_table(bench.flash) == SPEC.partitions
    table = bytearray(encode_table(SPEC.partitions))
    table[4] ^= 1
    with pytest.raises(FlashError, match="MD5"):
        decode_table(bytes(table))
    with pytest.raises(FlashError, match="no partition table"):
        decode_table(b"\xff" * 0xC00)
