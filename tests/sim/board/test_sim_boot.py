"""From power to prompt as an ESP32 goes: file systems, boot.py, main.py, resets and their causes."""

from __future__ import annotations

import asyncio
import re

import pytest
from board_bench import VFS_BYTES, Bench, filesystem

from smilehub.sim.control import Cause
from smilehub.sim.flash import read_partition, write_partition


def boot(bench: Bench, *, seconds: float = 1) -> None:
    async def scene() -> None:
        await bench.board.power_on()
        await asyncio.sleep(seconds)

    bench.kernel.run(scene())


def test_a_blank_chip_is_formatted_and_gets_a_boot_py(bench: Bench) -> None:
    boot(bench, seconds=5)
    assert bench.lines[0] == "Performing initial setup"
    fs = filesystem(read_partition(bench.flash, "vfs"))
    with fs.open("boot.py") as file:
        assert file.read().startswith("# This file is executed on every boot")


def test_a_damaged_file_system_is_complained_of_and_left_alone(bench: Bench) -> None:
    damage = b"\x5a" * 8192
    write_partition(bench.flash, "vfs", damage)
    boot(bench, seconds=10)
    assert bench.text.count("The filesystem appears to be corrupted") == 4  # every 3 s
    assert read_partition(bench.flash, "vfs")[:8192] == damage


def test_boot_then_main_then_prompt_share_one_namespace(bench: Bench) -> None:
    bench.put(boot="x = 5\n", main="print(x, __name__, sorted(k for k in globals() if k[0] != '_'))\nx = 6\n")
    boot(bench)
    assert bench.lines == ["5 __main__ ['x']"]
    bench.board.console_write(b"print('x is', x)\r")

    async def scene() -> None:
        await asyncio.sleep(1)

    bench.kernel.run(scene())
    assert "\nx is 6\n" in bench.text


def test_a_failing_boot_py_keeps_main_from_running(bench: Bench) -> None:
    bench.put(boot="1/0\n", main="print('main ran')\n")
    boot(bench)
    assert bench.lines == [
        "Traceback (most recent call last):",
        '  File "boot.py", line 1, in <module>',
        "ZeroDivisionError: divide by zero",
    ]


def test_an_error_in_main_is_printed_without_the_simulators_frames(bench: Bench) -> None:
    lines = bench.run("import esp32\ndef f():\n    esp32.Partition('none')\nf()\n")
    assert lines == [
        "Traceback (most recent call last):",
        '  File "main.py", line 4, in <module>',
        '  File "main.py", line 3, in f',
        "OSError: [Errno 2] ENOENT",
    ]


def test_firmware_sees_an_esp32_and_nothing_of_the_host(bench: Bench) -> None:
    lines = bench.run(
        """
        import sys, os, vfs, micropython
        print(sys.platform, sys.implementation.name, os.uname().sysname, os.getcwd(), sys.path)
        print(hasattr(os, "system"), hasattr(os, "getenv"), hasattr(vfs, "VfsPosix"), sys.argv)
        for name in ("/etc/passwd", "../etc/passwd"):
            try:
                open(name)
            except OSError as e:
                print(e)
        for name in ("_sim", "_flash", "_stock"):
            try:
                __import__(name)
            except ImportError as e:
                print(e)
        print(os.listdir("/"), micropython.const(3))
        @micropython.native
        def f(): return 4
        @micropython.viper
        def g(x: int) -> int: return x + 1
        print(f(), g(4), micropython.kbd_intr(-1), micropython.kbd_intr(3))
        """
    )
    assert lines == [
        "esp32 micropython esp32 / ['', '.frozen', '/lib']",
        "False False False []",
        "[Errno 2] ENOENT",
        "[Errno 22] EINVAL",
        "no module named '_sim'",
        "no module named '_flash'",
        "no module named '_stock'",
        "['main.py'] 3",
        "4 5 None None",
    ]


CAUSES = "import machine, time\nprint('cause', machine.reset_cause(), time.time() >= 50)\n"


def causes(bench: Bench) -> list[str]:
    return re.findall(r"cause \d(?: \w+)?", bench.text)


def test_resets_have_their_causes_and_only_a_power_cut_stops_the_clock(bench: Bench) -> None:
    bench.put(main=CAUSES)

    async def scene() -> None:
        board = bench.board
        await board.power_on()
        await asyncio.sleep(100)
        board.console_write(b"\x04")
        await asyncio.sleep(1)
        board.console_write(b"import machine; machine.soft_reset()\r")
        await asyncio.sleep(1)
        board.console_write(b"machine.reset()\r")
        await asyncio.sleep(1)
        board.reset()
        await asyncio.sleep(1)
        board.power_cut()
        await asyncio.sleep(1)
        await board.power_on()
        await asyncio.sleep(1)

    bench.kernel.run(scene())
    assert causes(bench) == [
        "cause 1 False",
        "cause 5 True",
        "cause 5 True",
        "cause 2 True",
        "cause 2 True",
        "cause 1 False",
    ]
    assert bench.text.count("MPY: soft reboot\n") == 2


def test_sys_exit_is_a_soft_reset(bench: Bench) -> None:
    bench.put(
        boot="import machine, sys\nprint('cause', machine.reset_cause())\n"
        "if machine.reset_cause() != 5: sys.exit()\n"
    )
    boot(bench)
    assert causes(bench) == ["cause 1", "cause 5"]


def test_the_watchdog_bites_when_it_is_not_fed(bench: Bench) -> None:
    bench.put(
        main="""
        import machine, time
        print('cause', machine.reset_cause())
        if machine.reset_cause() != 3:
            w = machine.WDT(timeout=2000)
            for _ in range(5):
                time.sleep(1)
                w.feed()
            print('hungry')
            time.sleep(3)
            print('never')
        """
    )
    boot(bench, seconds=20)
    assert causes(bench) == ["cause 1", "cause 3"]
    assert "hungry" in bench.text and "never" not in bench.text
    assert bench.board.stats.resets == {Cause.POWER: 1, Cause.WDT: 1}


def test_the_watchdog_bites_a_guest_that_spins(bench: Bench) -> None:
    bench.kernel.hang_seconds = 0.3
    bench.put(
        main="""
        import machine
        print('cause', machine.reset_cause())
        if machine.reset_cause() != 3:
            machine.WDT(timeout=2000)
            while True: pass
        """
    )
    boot(bench, seconds=20)
    assert causes(bench) == ["cause 1", "cause 3"]


def test_raw_mode_skips_main_after_a_soft_reset(bench: Bench) -> None:
    bench.put(boot="print('boot')\n", main="print('main')\n")

    async def scene() -> None:
        await bench.board.power_on()
        await bench.until(">>> ")
        bench.board.console_write(b"\x01")
        await bench.until("raw REPL; CTRL-B to exit\n>")
        bench.board.console_write(b"\x04")
        await asyncio.sleep(1)

    bench.kernel.run(scene())
    after = bench.text.split("MPY: soft reboot\n")[1]
    assert after == "boot\nraw REPL; CTRL-B to exit\n>"


def test_a_missing_vfs_partition_still_reaches_the_prompt(bench: Bench) -> None:
    with bench.flash.open("r+b") as file:
        file.seek(0x8000)
        file.write(b"\xff" * 0xC00)
    boot(bench)
    assert ">>> " in bench.text


@pytest.mark.parametrize("heap", [150_000, 409_600])
def test_firmware_gets_exactly_its_heap(bench: Bench, heap: int) -> None:
    bench.board.heap_bytes = heap
    lines = bench.run(
        """
        n = 1 << 20
        while True:
            try:
                bytearray(n)
                break
            except MemoryError:
                n -= 256
        print(n)
        """
    )
    assert heap <= bench.board.stats.heap_given < heap + 64
    assert heap - 12_000 < int(lines[0]) < heap


def test_the_vfs_survives_in_a_file_that_littlefs_python_opens(bench: Bench) -> None:
    bench.run(
        """
        import os
        os.mkdir("data")
        for i in range(10):
            with open("data/%d" % i, "w") as f:
                f.write(str(i) * 3000)
        os.remove("data/3")
        os.rename("data/4", "data/3")
        """,
        seconds=200,
    )
    image = read_partition(bench.flash, "vfs")
    assert len(image) == VFS_BYTES
    fs = filesystem(image)
    assert sorted(fs.listdir("data")) == ["0", "1", "2", "3", "5", "6", "7", "8", "9"]
    with fs.open("data/3") as file:
        assert file.read() == "4" * 3000
