"""The numbers of the messages between guest and host; sim/control.py says what they carry."""

# Guest to host without an answer.
GPIO_OUT = 1
GPIO_MODE = 2
SPI_WRITE = 3
SPI_CONFIG = 4
PWM = 5
UART_TX = 6
UART_CONFIG = 7
WDT = 8
RTC_SET = 9
RESET = 10
CUT = 11
KBD_INTR = 12
BOOTED = 13
FLASH_BUSY = 14
MEASURE = 15
UART_BREAK = 16
NEOPIXEL = 18
I2C_CONFIG = 19
RTC_MEMORY = 20
BLE_ANSWER = 21

# Guest to host with an answer.
HELLO = 0x40
SYNC = 0x41
WAIT = 0x42
GPIO_IN = 0x43
SPI_XFER = 0x44
I2C_WRITE = 0x45
I2C_READ = 0x46
ADC = 0x47
RTC_GET = 0x48
BLE = 0x49

# Host to guest.
REPLY = 0x80
EV_PIN = 0x81
EV_UART_RX = 0x82
EV_ARM_CUT = 0x84
EV_WAKE = 0x85
EV_UART_BREAK = 0x86
EV_BLE = 0x87
