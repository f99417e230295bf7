"""The numbers of this laptop's commands: rising, on disk before anything is sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from smilehub.store.schema import commands, meta


class Commands:
    """The part of a store that numbers commands. ``begin`` opens a transaction, ``clock`` gives UTC."""

    def __init__(
        self, begin: Callable[[], AbstractContextManager[sa.Connection]], clock: Callable[[], int]
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._issuer: str | None = None
        self._waiting: int | None = None  # the command that somebody in this process wants the answer of

    @property
    def issuer(self) -> str:
        """This store's name in the ids of its commands."""
        if self._issuer is None:
            with self._begin() as connection:
                query = sa.select(meta.c.value).where(meta.c.key == "issuer")
                self._issuer = str(connection.execute(query).scalar_one())
        return self._issuer

    def issue(self, device_id: bytes, name: str, args: bytes) -> int:
        """The counter to send this command under.

        If the last command of all is the very same and has no answer yet, its counter is given out again, so
        that the kiosk does it once: in this process until ``settle``, in a later one only while no sync has
        shown what became of it. One wish goes out at a time: the kiosk takes an issuer's numbers in order.
        """
        issuer = self.issuer
        latest = sa.select(commands).where(commands.c.issuer == issuer).order_by(commands.c.counter.desc())
        with self._begin() as connection:
            last = connection.execute(latest.limit(1)).mappings().first()
            counter = 1
            if last is not None:
                same = (last["device_id"], last["name"], last["args"]) == (device_id, name, args)
                if same and (last["outcome"] is None or last["counter"] == self._waiting):
                    self._waiting = int(last["counter"])
                    return self._waiting
                counter = int(last["counter"]) + 1
            connection.execute(
                commands.insert().values(
                    issuer=issuer,
                    counter=counter,
                    device_id=device_id,
                    name=name,
                    args=args,
                    issued_s=self._clock(),
                )
            )
        self._waiting = counter
        return counter

    def settle(self, counter: int, outcome: str, seq: int | None) -> None:
        """Note the answer to a command: "done" or the reason of the refusal, and the record it became."""
        if self._waiting == counter:
            self._waiting = None
        self.note(counter, outcome, seq)

    def note(self, counter: int, outcome: str, seq: int | None) -> None:
        """Note what the journal says of a command; whoever gave it may still wait for its answer."""
        change = (
            commands.update()
            .where(commands.c.issuer == self.issuer, commands.c.counter == counter)
            .values(outcome=outcome, seq=seq)
        )
        with self._begin() as connection:
            connection.execute(change)

    def unanswered(self) -> set[int]:
        """Counters of the commands of which nothing is known yet."""
        query = sa.select(commands.c.counter).where(
            commands.c.issuer == self.issuer, commands.c.outcome.is_(None)
        )
        with self._begin() as connection:
            return {int(counter) for counter in connection.execute(query).scalars()}
