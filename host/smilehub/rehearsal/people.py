"""Visitors: they look, read, press keys, keep their tickets, and some come back to the kiosk."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from smilehub.rehearsal.eyes import Dead
from smilehub.rehearsal.hands import Hands
from smilehub.rehearsal.hub import SimulatedHub
from smilehub.rehearsal.plan import Visitor
from smilehub.rehearsal.reading import Page, languages, names

_READS_S = 4.0
_TICKETS = ("ticket.title", "ticket.family", "ticket.kept", "ticket.tomorrow")
_PURPOSES = ("teaching", "study")
_QUICK_S = 0.5
_LAST_CELL = 8  # of a page of pictures: "more"


@dataclass(slots=True)
class Ticket:
    """What somebody knows of their visit: labels, the picture, the code, and the consents they gave."""

    labels: list[str]
    picture: str
    code: str
    tomorrow: bool = False
    given: set[str] = field(default_factory=set[str])


class Visitors:
    """Those who come to one kiosk.

    ``tickets`` are those they hold, by the visitor's number; ``turned_away`` got a kind no. ``to_give`` and
    ``to_withdraw`` are key presses from idle until a consent was given, and until it was withdrawn.
    """

    def __init__(self, hub: SimulatedHub) -> None:
        self._hub = hub
        self._seen: set[str] = set()
        self.tickets: dict[int, Ticket] = {}
        self.with_ticket = 0
        self.turned_away = 0
        self.to_give: list[int] = []
        self.to_withdraw: list[int] = []
        # Of whoever stands at the kiosk now:
        self.last_answer = False  # whether they may have given their last answer
        self._picture = ""  # which they chose

    async def come(self, visitors: Iterable[Visitor], group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Let them come when they come, each a task of ``group``; returns when the last one has come."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        tasks: list[asyncio.Task[None]] = []
        for visitor in visitors:
            await asyncio.sleep(max(0.0, began + visitor.arrives_s - loop.time()))
            tasks.append(group.create_task(self.visit(visitor)))
        return tasks

    async def visit(self, visitor: Visitor) -> None:
        """Check in and, later, come back for what they want. Raises as :meth:`check_in`."""
        await self.check_in(visitor)
        ticket = self.tickets.get(visitor.number)
        if visitor.later and ticket is not None and ticket.code:
            await asyncio.sleep(visitor.later_s)
            await self.come_back(visitor, ticket)

    async def check_in(self, visitor: Visitor) -> None:
        """Walk up, answer, read the ticket, make room; after a power failure begin again, unless it was kept.

        Raises Dead if the powered kiosk does not react, or shows a ticket that cannot be right.
        """
        async with self._hub.at_kiosk:
            self.last_answer = False
            while True:
                hands = Hands(self._hub, visitor.pace_s)
                try:
                    # If the last answer was given before the power failed, the kiosk shows the ticket,
                    # or there is none.
                    if not self.last_answer:
                        await self.answer(visitor, hands)
                    ticket = await self.read(visitor, hands)
                    if ticket is not None:
                        break
                    if not self.last_answer:  # they were told why not
                        self.turned_away += visitor.people
                        return
                    self.last_answer = False
                except Dead:
                    if not hands.interrupted:
                        raise
                    await self._hub.light()
            self.tickets[visitor.number] = ticket
            self.with_ticket += visitor.people
            # From here on the ticket is in the visitor's head, whatever the power does.
            try:
                await self._after(visitor, ticket, hands)
            except Dead:
                if not hands.interrupted:
                    raise

    async def answer(self, visitor: Visitor, hands: Hands) -> None:
        """From idle to the screen after the last answer. Raises Dead."""
        await hands.home()
        hands.presses = 0
        await hands.press("yes")
        await hands.expect("language.title")
        own = languages()
        await hands.choose(own[visitor.language % len(own)][1])
        await hands.choose("need." + visitor.need)
        if visitor.need != "checkup":
            if visitor.flag is not None:
                await hands.move("flag." + visitor.flag)
                self.last_answer = True
                self._picture = ""
                await hands.press("yes")
                return
            await hands.choose("flag.none")
        while True:
            asked = await hands.screen()
            if asked == "offer.title":
                await hands.choose("offer.yes")
            elif asked == "lane.title":
                await hands.choose("lane." + visitor.lane)
            elif asked == "size.title":
                for _ in range(visitor.size - 1):
                    await hands.press("down")
                await hands.press("yes")
            elif asked == "pictogram.title":
                break
            else:  # no ticket can be had
                await hands.expect("sorry.title")
                return
        await self._choose_picture(visitor, hands)

    async def _choose_picture(self, visitor: Visitor, hands: Hands) -> None:
        for _ in range(visitor.picture):
            await hands.press("down")
        if visitor.picture == _LAST_CELL:
            await hands.press("yes")
        await hands.eyes.still()
        self._picture = next((name for name, chosen in hands.eyes.page().grid(80) if chosen), "")
        if not self._picture:
            raise Dead("No picture is highlighted.")
        self.last_answer = True
        await hands.press("yes")

    async def read(self, visitor: Visitor, hands: Hands) -> Ticket | None:
        """Read the ticket, all pages of a family's; None if what the kiosk shows is no new ticket of theirs.

        Raises Dead if it is theirs and wrong.
        """
        screen = await hands.screen()
        page = hands.eyes.page()
        label = ticket_label(page)
        if screen == "sorry.title":
            self.last_answer = False
            return None
        if not label or label in self._seen or screen not in (*_TICKETS, "emergency.title"):
            return None
        if screen != "emergency.title" and page.picture != self._picture:
            raise Dead(f"The ticket shows {page.picture or 'no picture'}, but {self._picture} was chosen.")
        ticket = Ticket([label], page.picture, page.code, screen == "ticket.tomorrow")
        await asyncio.sleep(_READS_S)
        with contextlib.suppress(Dead):  # the power may fail; then the rest of the family asks staff
            while screen == "ticket.family" and len(ticket.labels) < visitor.size:
                await hands.press("yes")
                await hands.expect("ticket.family")
                ticket.labels.append(ticket_label(hands.eyes.page()))
        if not all(ticket.labels) or len(set(ticket.labels)) < len(ticket.labels):
            raise Dead(f"A family was shown the tickets {' '.join(ticket.labels)}.")
        self._seen.update(ticket.labels)
        return ticket

    async def _after(self, visitor: Visitor, ticket: Ticket, hands: Hands) -> None:
        """Past the ticket to the consents, or home."""
        if visitor.flag is not None:
            return  # help comes; the screen stays
        await hands.press("yes")
        if await hands.screen() != "seat.title":
            return  # a ticket that was shown again ends here
        await hands.press("yes")
        if ticket.tomorrow:
            return
        await hands.expect("consent.title")
        if visitor.consents is None:
            await hands.press("back")
            return
        await hands.press("yes")
        for purpose, given in zip(_PURPOSES, visitor.consents, strict=True):
            await hands.expect("consent." + purpose)
            await hands.choose("answer.yes" if given else "answer.no")
            if given:
                if not ticket.given:
                    self.to_give.append(hands.presses)
                ticket.given.add(purpose)

    async def come_back(self, visitor: Visitor, ticket: Ticket) -> None:
        """Withdraw a consent, leave, or look for the ticket; who has been called meanwhile does not.

        Raises Dead if the powered kiosk does not react as it must.
        """
        async with self._hub.at_kiosk:
            while self._waits(ticket):
                hands = Hands(self._hub, visitor.pace_s)
                try:
                    await hands.home()
                    hands.presses = 0
                    await hands.press("back")
                    await hands.expect("mine.title")
                    if visitor.later == "find":
                        await self._find(ticket, hands)
                    elif await self._open(ticket, hands):
                        await (self._leave if visitor.later == "leave" else self._change)(ticket, hands)
                    await hands.home()
                    return
                except Dead:
                    if not hands.interrupted:
                        raise
                    await self._hub.light()

    def _waits(self, ticket: Ticket) -> bool:
        visits = self._hub.laptop.fold.visits
        return all(label in visits and visits[label].state == "waiting" for label in ticket.labels)

    async def _open(self, ticket: Ticket, hands: Hands) -> bool:
        """Type the code; False if the visit has just ended."""
        await hands.choose("mine.code")
        await hands.expect("code.title")
        await hands.type(ticket.code)
        heading = (await hands.screen(), hands.eyes.page().heading)[1]
        if any(label in heading for label in ticket.labels):
            return True
        if self._waits(ticket):
            raise Dead(f"The code of {ticket.labels[0]} opened '{heading}'.")
        return False

    async def _change(self, ticket: Ticket, hands: Hands) -> None:
        """Take back the first consent that was given, or give one."""
        given = sorted(ticket.given)
        if given:
            await hands.choose("visit.stop_" + given[0])
            self.to_withdraw.append(hands.presses)
            ticket.given.discard(given[0])
        else:
            await hands.choose("visit.allow_" + _PURPOSES[0])
            ticket.given.add(_PURPOSES[0])
        await hands.expect("done.title")
        await hands.press("yes")
        await hands.choose("visit.close")

    async def _leave(self, ticket: Ticket, hands: Hands) -> None:
        await hands.choose("visit.leave")
        await hands.expect("leave.title")
        await hands.choose("leave.yes")
        await hands.expect("done.title")

    async def _find(self, ticket: Ticket, hands: Hands) -> None:
        await hands.choose("mine.find")
        if await hands.screen() != "find.title":
            return
        pictures = [name for name, _ in hands.eyes.page().grid(52)]
        if ticket.picture not in pictures:
            raise Dead(f"{ticket.picture} is not among the pictures: {', '.join(pictures)}.")
        for _ in pictures:
            if (ticket.picture, True) in hands.eyes.page().grid(52):
                break
            await hands.press("down")
            await hands.eyes.still()
        await hands.press("yes")
        await hands.expect("found.title")
        lines = [line.text for line in hands.eyes.page().lines]
        # A long list shows a part of it at a time.
        if len(lines) < 5 and self._waits(ticket) and not any(ticket.labels[0] in line for line in lines):
            raise Dead(f"{ticket.labels[0]} is not among those with its picture: {', '.join(lines)}.")


def ticket_label(page: Page) -> str:
    """The label on a ticket, or in the line that an emergency shows; or ""."""
    if label := page.label:
        return label
    for line in page.lines:
        if any(name == "emergency.ticket" for _, name in names(line.text)):
            return line.text.split()[0]
    return ""
