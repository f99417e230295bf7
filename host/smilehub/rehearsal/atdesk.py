"""Staff at the kiosk's own desk: they sign in with a PIN and do everything by keys, reading the panel."""

import asyncio

from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hands import Hands
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.reading import names

_HOLD_MS = 1500
_ALERTS = 8
_GUARD_S = 1.0  # an alert that has just appeared takes no key for a moment
_BOARD = ("desk.title", "desk.closed")


class AtDesk:
    """One of staff at the kiosk; nobody else may stand there meanwhile. ``hands`` are of this turn."""

    def __init__(self, hub: SimulatedHub, name: str, pin: str, pace_s: float = 0.4) -> None:
        self.name = name
        self.pin = pin
        self.acknowledged = 0
        self._hub = hub
        self._pace_s = pace_s
        self.hands = Hands(hub, pace_s)

    async def sign_in(self) -> bool:
        """From wherever the kiosk is to the board of chairs; False if the PIN was not taken. Raises Dead."""
        self.hands = Hands(self._hub, self._pace_s)
        await self._to_pin()
        if await self.hands.screen() == "desk.wrong":
            return False
        await self.hands.type(self.pin)
        await self.hands.eyes.still()
        if await self.hands.screen() == "desk.wrong":
            return False
        await self.see_to_alerts()
        await self.hands.expect(*_BOARD)
        return True

    async def _to_pin(self) -> None:
        await self.hands.home()
        await self.hands.press("yes", _HOLD_MS)
        await self.hands.expect("desk.who")
        await self.hands.choose(self.name)

    async def sign_out(self) -> None:
        """Leave the desk: back leads to the last row, and from there out. Raises Dead."""
        await self.see_to_alerts()
        await self.hands.choose("desk.leave")
        if await self.hands.screen() != "idle":
            raise Dead("Staff signed out and the kiosk is not idle.")

    async def act(self, *rows: str, sure: bool = False) -> None:
        """From the board: choose one row after the other, say yes to what it will mean, be back at the board.

        A row is the name of a string or a text. Raises Dead.
        """
        await self.see_to_alerts()
        for row in rows:
            await self.hands.choose(row)
        if sure:
            await self.hands.expect("desk.sure_title")
            await self.hands.press("yes")
        await self.see_to_alerts()
        await self.hands.expect(*_BOARD)

    async def see_to_alerts(self) -> None:
        """Take care of whatever alerts stand above the screen. Raises Dead if they do not end."""
        for _ in range(_ALERTS):
            await self.hands.eyes.still()
            if not any(name.startswith("desk.alert_") for _, name in names(self.hands.eyes.page().heading)):
                return
            await asyncio.sleep(_GUARD_S)
            await self.hands.press("yes")
            self.acknowledged += 1
        raise Dead("The alerts at the desk do not end.")
