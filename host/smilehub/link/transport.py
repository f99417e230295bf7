"""What carries frames: a stream of bytes that may lose some, be it serial, a session or a radio."""

from typing import Protocol


class Transport(Protocol):
    """A byte stream to one device.

    Constructors do nothing; ``open`` connects, and may be called again after ``close``. A transport that
    wraps another (an encrypted session) is a transport itself.
    """

    @property
    def name(self) -> str:
        """What a person calls it: the port's path, or the device's address."""
        ...

    @property
    def mtu(self) -> int:
        """Most bytes that are worth giving to one ``send``."""
        ...

    async def open(self) -> None:
        """Connect. Raises a LinkError that says what is wrong."""
        ...

    async def close(self) -> None:
        """Disconnect; harmless when not connected. A pending ``receive`` raises LinkClosed."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand over all of ``data``, waiting while the other side is slow. Raises LinkClosed."""
        ...

    async def receive(self) -> bytes:
        """Wait for at least one byte and return what there is. Raises LinkClosed."""
        ...
