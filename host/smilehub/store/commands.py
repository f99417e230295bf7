"""The numbers of this laptop's commands: rising, on disk before anything is sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy as sa

from smilehub.store.schema import commands, meta

#: (issuer, counter): what a kiosk's records call a command.
Id = tuple[str, int]
_LONGEST = 16  # letters of an issuer


class Commands:
    """The part of a store that numbers commands. ``begin`` opens a transaction, ``clock`` gives UTC."""

    def __init__(
        self, begin: Callable[[], AbstractContextManager[sa.Connection]], clock: Callable[[], int]
    ) -> None:
        self._begin = begin
        self._clock = clock
        self._issuer: str | None = None
        self._waiting: Id | None = None  # the command that somebody in this process wants the answer of

    @property
    def issuer(self) -> str:
        """This store's own name."""
        if self._issuer is None:
            with self._begin() as connection:
                query = sa.select(meta.c.value).where(meta.c.key == "issuer")
                self._issuer = str(connection.execute(query).scalar_one())
        return self._issuer

    def issuer_under(self, serial: bytes) -> str:
        """What a kiosk calls the commands that this store sends under the certificate with this serial."""
        return (serial[:4].hex() + self.issuer)[:_LONGEST]

    def issue(self, device_id: bytes, name: str, args: bytes, serial: bytes = b"") -> Id:
        """The id of this command, sent under the certificate with this serial.

        If the last command of this issuer is the very same and has no answer yet, its id is given out again,
        so that the kiosk does it once: in this process until ``settle``, in a later one only while no sync
        has shown what became of it. One wish goes out at a time: the kiosk takes its numbers in order.
        """
        issuer = self.issuer_under(serial)
        latest = sa.select(commands).where(commands.c.issuer == issuer).order_by(commands.c.counter.desc())
        with self._begin() as connection:
            last = connection.execute(latest.limit(1)).mappings().first()
            counter = 1
            if last is not None:
                same = (last["device_id"], last["name"], last["args"]) == (device_id, name, args)
                before = issuer, int(last["counter"])
                if same and (last["outcome"] is None or before == self._waiting):
                    self._waiting = before
                    return before
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
        self._waiting = issuer, counter
        return self._waiting

    def settle(self, cmd: Id, outcome: str, seq: int | None) -> None:
        """Note the answer to a command: "done" or the reason of the refusal, and the record it became."""
        if self._waiting == cmd:
            self._waiting = None
        self.note(cmd, outcome, seq)

    def note(self, cmd: Id, outcome: str, seq: int | None) -> None:
        """Note what the journal says of a command; whoever gave it may still wait for its answer."""
        change = (
            commands.update()
            .where(commands.c.issuer == cmd[0], commands.c.counter == cmd[1])
            .values(outcome=outcome, seq=seq)
        )
        with self._begin() as connection:
            connection.execute(change)

    def unanswered(self) -> set[Id]:
        """The commands of which nothing is known yet, whatever certificate they were sent under."""
        query = sa.select(commands.c.issuer, commands.c.counter).where(commands.c.outcome.is_(None))
        with self._begin() as connection:
            return {(str(issuer), int(counter)) for issuer, counter in connection.execute(query)}
