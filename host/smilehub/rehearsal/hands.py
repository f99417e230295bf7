"""Whoever stands at the kiosk: reads the panel, thinks a moment, presses a key, sees what it does."""

import asyncio

from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.reading import names

_KEYS = {"u": "up", "d": "down", "y": "yes", "b": "back"}
_MOST_ANSWERS = 60
_AWAY = 12  # presses of back that lead home from anywhere
_HOLD_MS = 1500
_PATIENCE_S = 3.0  # until somebody presses again
_HELP_S = 90.0  # an emergency's screen stays for a minute, or until staff acknowledge


class Hands:
    """One person at the kiosk, from now on; ``presses`` counts. ``pace_s`` is thought before each press."""

    def __init__(self, hub: SimulatedHub, pace_s: float) -> None:
        self.hub = hub
        self.eyes = hub.eyes
        self.pace_s = pace_s
        self.presses = 0
        self._boots = hub.board.stats.boots

    @property
    def interrupted(self) -> bool:
        """Whether the power has failed under these hands."""
        board = self.hub.board
        return self.hub.dark or not board.powered or board.stats.boots != self._boots

    async def press(self, key: str, hold_ms: int | None = None) -> None:
        """Press a key, or hold it, and wait until the panel shows that. Raises Dead.

        Who sees nothing happen presses once more: a key is not felt while a laptop's session begins, which
        takes a second. ``hub.lost_presses`` counts these.
        """
        await asyncio.sleep(self.pace_s)
        self._check()
        self.presses += 1
        before = self.eyes.picture()
        shown = self.eyes.page().heading
        self._push(key, hold_ms)
        try:
            try:
                await self.eyes.change(before, _PATIENCE_S)
            except Dead:
                self._check()
                self.hub.lost_presses += 1
                self._push(key, hold_ms)
                await self.eyes.change(before)
        except Dead as error:
            raise Dead(f"{key}, while the panel showed '{shown}': {error}") from None
        if hold_ms is not None:
            await asyncio.sleep(hold_ms / 1000)

    def _push(self, key: str, hold_ms: int | None) -> None:
        if hold_ms is None:
            self.hub.press(key)
        else:
            self.hub.hold(key, hold_ms)

    def _check(self) -> None:
        """What the kiosk shows after an interruption is not what the answer was for. Raises Dead."""
        if self.interrupted:
            raise Dead("The power failed while somebody stood at the kiosk.")

    async def screen(self) -> str:
        """The name of the screen once it stands still, as ``Eyes.screen``. Raises Dead."""
        await self.eyes.still()
        return self.eyes.screen()

    async def expect(self, *wanted: str) -> str:
        """The screen's name, which must be one of those. Raises Dead."""
        name = await self.screen()
        if name not in wanted and not self._is(self.eyes.page().heading, wanted):
            raise Dead(f"The panel shows '{self.eyes.page().heading}', which is none of {', '.join(wanted)}.")
        return name

    async def choose(self, *wanted: str) -> None:
        """Move to the answer that is one of these strings (or texts) and press yes. Raises Dead."""
        await self.move(*wanted)
        await self.press("yes")

    async def move(self, *wanted: str) -> None:
        """Move to the answer that is one of these strings (or texts). Raises Dead if it is not offered."""
        for _ in range(_MOST_ANSWERS):
            await self.eyes.still()
            if self._is(self.eyes.page().chosen, wanted):
                return
            await self.press("down")
        raise Dead(f"'{self.eyes.page().heading}' does not offer {', '.join(wanted)}.")

    async def type(self, presses: str) -> None:
        """Type a code or a PIN, letters of u, d, y and b. Raises Dead."""
        for letter in presses:
            await self.press(_KEYS[letter])

    async def home(self) -> None:
        """To the idle screen, wherever somebody has left the kiosk. Raises Dead."""
        waited = 0.0
        pressed = 0
        while pressed < _AWAY:
            name = await self.screen()
            if name == "idle":
                return
            if name == "emergency.title" and waited < _HELP_S:  # not this one's to take away
                await asyncio.sleep(1.0)
                waited += 1.5
                continue
            pressed += 1
            in_a_code = name in ("code.title", "code.wrong", "desk.pin")
            # Past a ticket leads on, not back: it is a fact.
            on = name.startswith(("ticket.", "seat."))
            await self.press("yes" if on else "back", _HOLD_MS if in_a_code else None)
        raise Dead(f"Back was pressed {_AWAY} times and the kiosk is not idle.")

    @staticmethod
    def _is(text: str, wanted: tuple[str, ...]) -> bool:
        return bool(text) and (text in wanted or any(name in wanted for _, name in names(text)))
