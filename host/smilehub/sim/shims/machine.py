# ruff: noqa: F401 - this module is its imports
"""``machine`` of MicroPython's ESP32-S3 port, on the simulated board."""

import sys

import _native
from _adc import ADC
from _i2c import I2C, SoftI2C
from _irq import disable as disable_irq
from _irq import enable as enable_irq
from _pin import Pin, Signal
from _pwm import PWM
from _rtc import RTC
from _spi import SPI, SoftSPI
from _system import (
    bitstream,
    deepsleep,
    freq,
    idle,
    lightsleep,
    reset,
    reset_cause,
    soft_reset,
    time_pulse_us,
    unique_id,
    wake_pins,
    wake_reason,
)
from _timer import WDT, Timer
from _uart import UART

mem8 = _native.machine.mem8
mem16 = _native.machine.mem16
mem32 = _native.machine.mem32
PinBase = _native.machine.PinBase
sleep = lightsleep

SLEEP = 2
DEEPSLEEP = 4

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6

# A board's firmware knows one module of these, not its parts.
for _part in "_adc _alarm _arg _i2c _irq _pin _pwm _rtc _spi _system _timer _uart _uart_stream".split():
    sys.modules.pop(_part, None)
del _part, sys, _native
