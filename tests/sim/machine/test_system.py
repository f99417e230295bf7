"""machine.Timer, WDT, RTC, reset and sleep: what lasts, what ends, and when."""

from __future__ import annotations

from machine_bench import Bench

from smilehub.sim.control import Cause

HELLO = "import machine, time\nfrom machine import RTC, WDT, Timer\n"


def test_timers(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
seen = []
start = time.ticks_us()
def note(t):
    seen.append((t, time.ticks_diff(time.ticks_us(), start) // 1000))
fast = Timer(0, period=10, callback=note)
once = Timer(-1)
once.init(mode=Timer.ONE_SHOT, period=25, callback=note)
time.sleep_ms(45)
print([ms for t, ms in seen if t is fast], [ms for t, ms in seen if t is once], Timer(0) is fast)
print(fast.value(), once.value())
fast.deinit()
seen.clear()
time.sleep_ms(30)
print(seen)
hz = Timer(1, freq=1000, callback=note)
time.sleep_us(3500)
hz.deinit()
print(len(seen))
"""
    )
    assert lines == ["[10, 20, 30, 40] [25] True", "5 25", "[]", "3"]


def test_watchdog_bites(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
if machine.reset_cause() == machine.WDT_RESET:
    print('bitten', time.ticks_diff(time.ticks_ms(), (1 << 30) - 60000))
else:
    w = WDT(timeout=2000)
    for i in range(5):
        time.sleep_ms(1500)
        w.feed()
    print('fed', machine.reset_cause() == machine.PWRON_RESET)
    time.sleep(100)
    print('not reached')
"""
    )
    assert "fed True" in lines
    assert any(line.startswith("bitten") for line in lines)
    assert bench.board.stats.resets[Cause.WDT] == 1
    assert 9_500_000 <= bench.kernel.now_us() < 9_600_000


def test_clock_and_memory_last_over_a_reset_but_not_without_power(bench: Bench) -> None:
    source = (
        HELLO
        + """
rtc = RTC()
print('boot', machine.reset_cause(), rtc.datetime()[:3], rtc.memory(), rtc is RTC())
if machine.reset_cause() == machine.PWRON_RESET:
    rtc.datetime((2026, 11, 22, 0, 23, 59, 58, 0))
    rtc.memory(b'kept')
    print(rtc.datetime()[:7], time.time(), time.localtime()[:6])
    time.sleep(5)
    machine.reset()
print(rtc.datetime()[:6])
"""
    )
    lines = bench.run(source)
    assert lines[0] == "boot 1 (2000, 1, 1) b'' True"
    assert lines[1] == "(2026, 11, 22, 6, 23, 59, 58) 848707198 (2026, 11, 22, 23, 59, 58)"
    assert "boot 2 (2026, 11, 23) b'kept' True" in lines
    assert lines[-1] == "(2026, 11, 23, 0, 0, 0)"
    bench.board.power_cut()
    first = len(bench.lines)

    async def again() -> None:
        await bench.board.power_on()
        await bench.board.idle()

    bench.kernel.run(again())
    assert any(line.endswith("boot 1 (2000, 1, 1) b'' True") for line in bench.lines[first - 1 :])


def test_dates(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
rtc = RTC()
for date in ((2000, 2, 29), (2024, 2, 29), (2023, 3, 1), (2026, 12, 31), (2099, 7, 14), (2000, 1, 1)):
    rtc.datetime(date + (0, 12, 34, 56, 0))
    now = rtc.datetime()
    print(now[:3] == date and now[4:7] == (12, 34, 56), now[3] == time.localtime()[6])
rtc.init((2020, 5, 6, 7, 8, 9, 0, 0))
print(rtc.datetime()[:7])
"""
    )
    assert lines == ["True True"] * 6 + ["(2020, 5, 6, 2, 7, 8, 9)"]


def test_deep_sleep_and_soft_reset(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
cause = machine.reset_cause()
print('cause', cause, machine.wake_reason())
rtc = RTC()
if cause == machine.PWRON_RESET:
    machine.deepsleep(10_000)
if cause == machine.DEEPSLEEP_RESET:
    machine.soft_reset()
"""
    )
    assert [line for line in lines if line.startswith("cause")] == ["cause 1 0", "cause 4 4", "cause 5 0"]
    assert bench.kernel.now_us() >= 10_000_000


def test_sleeps_and_identity(bench: Bench) -> None:
    lines = bench.run(
        HELLO
        + """
t = time.ticks_ms()
machine.lightsleep(250)
print(time.ticks_diff(time.ticks_ms(), t))
t = time.ticks_us()
machine.idle()
print(time.ticks_diff(time.ticks_us(), t) <= 1100)
print(len(machine.unique_id()), machine.freq(), machine.freq(240_000_000), machine.freq())
print(machine.unique_id() == machine.unique_id(), machine.wake_pins())
"""
    )
    assert lines == ["250", "True", "6 160000000 None 240000000", "True ()"]
