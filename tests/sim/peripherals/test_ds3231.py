"""The clock's model at its bus, after the datasheet's register map."""

from __future__ import annotations

import calendar

import pytest

from smilehub.sim.peripherals import DS3231

SECOND = 1_000_000


class Bus:
    """The model, a clock of its own, and register access."""

    def __init__(self) -> None:
        self.t_us = 0
        self.chip = DS3231({})
        self.chip.now_us = lambda: self.t_us
        self.chip.power(True)

    def write(self, register: int, data: str) -> None:
        assert self.chip.i2c_write(0x68, bytes((register,)) + bytes.fromhex(data), self.t_us)

    def read(self, register: int, count: int) -> str:
        assert self.chip.i2c_write(0x68, bytes((register,)), self.t_us)
        data = self.chip.i2c_read(0x68, count, self.t_us)
        assert data is not None
        return data.hex(" ")

    def wait(self, seconds: float) -> None:
        self.t_us += round(seconds * SECOND)

    def outage(self, seconds: float) -> None:
        self.chip.power(False)
        self.wait(seconds)
        self.chip.power(True)


@pytest.fixture
def bus() -> Bus:
    return Bus()


def test_power_finds_it_as_the_datasheet_says(bus: Bus) -> None:
    assert bus.read(0, 7) == "00 00 00 01 01 01 00"
    assert bus.read(0x0E, 3) == "1c 88 00"


def test_the_pointer_goes_on_and_comes_round(bus: Bus) -> None:
    bus.write(7, "11 22 33 44 55 66 77")
    assert bus.read(7, 7) == "11 22 33 44 55 66 77"
    bus.write(0, "05 04 03 02 01 01 26")
    assert bus.read(0x11, 4) == "19 40 05 04"
    again = bus.chip.i2c_read(0x68, 1, bus.t_us)
    assert again == b"\x03"


def test_it_counts_bcd_over_every_border(bus: Bus) -> None:
    bus.write(0, "59 59 23 07 31 12 26")
    bus.wait(1)
    assert bus.read(0, 7) == "00 00 00 01 01 01 27"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("59 59 23 01 28 02 27", "00 00 00 02 01 03 27"),
        ("59 59 23 01 28 02 28", "00 00 00 02 29 02 28"),
        ("59 59 23 01 31 12 99", "00 00 00 02 01 81 00"),
        ("59 59 23 01 28 82 00", "00 00 00 02 29 82 00"),  # to the chip 2100 is a leap year
        ("59 59 71 01 01 01 26", "00 00 52 02 02 01 26"),  # 11 p.m. to 12 a.m.
        ("59 59 51 01 01 01 26", "00 00 72 01 01 01 26"),  # 11 a.m. to 12 p.m.
        ("59 59 72 01 01 01 26", "00 00 61 01 01 01 26"),  # 12 p.m. to 1 p.m.
        ("59 59 52 01 01 01 26", "00 00 41 01 01 01 26"),  # 12 a.m. to 1 a.m.
    ],
)
def test_one_second_later(bus: Bus, before: str, after: str) -> None:
    bus.write(0, before)
    assert bus.read(0, 7) == before
    bus.wait(1)
    assert bus.read(0, 7) == after


def test_a_write_of_the_seconds_starts_a_second_and_no_other_register_does(bus: Bus) -> None:
    bus.wait(0.7)
    bus.write(0, "10")
    bus.wait(0.9)
    assert bus.read(0, 1) == "10"
    bus.write(1, "30")
    bus.wait(0.2)
    assert bus.read(0, 2) == "11 30"


def test_the_flags_can_be_cleared_but_not_set(bus: Bus) -> None:
    bus.write(0x0F, "00")
    assert bus.read(0x0F, 1) == "00"
    assert not bus.chip.stopped
    bus.write(0x0F, "8b")
    assert bus.read(0x0F, 1) == "08"


def test_the_battery_keeps_time_and_registers(bus: Bus) -> None:
    bus.write(0, "00 00 12 01 15 06 26")
    bus.write(0x0E, "04 00 fe")
    bus.outage(3600 + 61)
    assert bus.read(0, 7) == "01 01 13 01 15 06 26"
    assert bus.read(0x0E, 3) == "04 00 fe"


@pytest.mark.parametrize("taken_while_off", [False, True])
def test_without_a_battery_all_is_lost_and_it_begins_again_when_power_comes(
    bus: Bus, taken_while_off: bool
) -> None:
    bus.write(0, "00 00 12 01 15 06 26")
    bus.write(0x0E, "04 00 fe")
    bus.chip.battery = taken_while_off
    bus.chip.power(False)
    bus.wait(100)
    bus.chip.battery = False
    bus.wait(100)
    bus.chip.power(True)
    bus.wait(5)
    assert bus.read(0, 7) == "05 00 00 01 01 01 00"
    assert bus.read(0x0E, 3) == "1c 88 00"
    assert bus.chip.stopped


def test_a_battery_that_is_taken_out_while_powered_costs_nothing_yet(bus: Bus) -> None:
    bus.write(0, "00 00 12 01 15 06 26")
    bus.chip.battery = False
    bus.wait(10)
    assert bus.read(0, 3) == "10 00 12"
    bus.chip.battery = True
    bus.outage(10)
    assert bus.read(0, 3) == "20 00 12"


def test_an_oscillator_switched_off_stands_still_on_battery(bus: Bus) -> None:
    bus.write(0, "00 00 12 01 15 06 26")
    bus.write(0x0E, "84 00")
    bus.wait(5)
    assert bus.read(0, 1) == "05", "with power it runs all the same"
    bus.outage(100)
    bus.wait(1)
    assert bus.read(0, 1) == "06"
    assert bus.chip.stopped


@pytest.mark.parametrize(
    ("celsius", "registers"), [(25.25, "19 40"), (-10.25, "f5 c0"), (0, "00 00"), (70.5, "46 80")]
)
def test_temperature_is_in_quarters_of_a_degree(bus: Bus, celsius: float, registers: str) -> None:
    bus.chip.temperature_c = celsius
    assert bus.read(0x11, 2) == registers


def test_what_it_cannot_do_is_noted(bus: Bus) -> None:
    bus.write(0x11, "00")
    bus.write(0, "61")
    assert not bus.chip.i2c_write(0x69, b"\0", 0)
    assert bus.chip.i2c_read(0x69, 1, 0) is None
    bus.chip.i2c_write(0x68, b"\x20", 0)
    assert len(bus.chip.violations) == 3
    assert bus.read(0, 1) == "61", "undefined; here it stands as written"


def test_it_is_set_and_read_on_the_bench(bus: Bus) -> None:
    moment = calendar.timegm((2026, 11, 22, 8, 30, 0))
    bus.chip.set(moment)
    bus.wait(2)
    assert bus.chip.utc() == moment + 2
    assert bus.read(0, 7) == "02 30 08 07 22 11 26"
    assert not bus.chip.stopped


def test_without_power_or_wire_it_does_not_answer(bus: Bus) -> None:
    bus.chip.absent = True
    assert not bus.chip.i2c_write(0x68, b"\0", 0)
    bus.chip.absent = False
    bus.chip.power(False)
    assert bus.chip.i2c_read(0x68, 1, 0) is None
