"""The records of a pull in their order, however they arrive."""

from collections.abc import Callable, Sequence

_WINDOW = 1000  # records asked for at a time: at most 512 kB wait beyond a gap


class Fetch:
    """Puts the records of a pull in order: delivers each run once, keeps what lies beyond a gap."""

    def __init__(
        self, next_seq: int, end: int | None, on_chunk: Callable[[int, Sequence[bytes]], None]
    ) -> None:
        self.next_seq = next_seq
        self._end = end
        self._on_chunk = on_chunk
        self._beyond: dict[int, bytes] = {}

    @property
    def holes(self) -> bool:
        """True while something is missing before what has arrived."""
        return bool(self._beyond)

    def wanted(self) -> int:
        """How many records to ask for next: up to the next one held, or a window."""
        count = min(self._beyond) - self.next_seq if self._beyond else _WINDOW
        return count if self._end is None else min(count, self._end - self.next_seq)

    def skip(self) -> tuple[int, int]:
        """Give up what is missing before the next record held; returns the first and last seq given up."""
        first, self.next_seq = self.next_seq, min(self._beyond)
        last = self.next_seq - 1
        self.take(self.next_seq, ())
        return first, last

    def take(self, first: int, raws: Sequence[bytes]) -> None:
        """Records as they came, perhaps out of order, perhaps again."""
        for seq, raw in enumerate(raws, first):
            in_reach = self.next_seq <= seq < self.next_seq + 2 * _WINDOW
            if in_reach and (self._end is None or seq < self._end):
                self._beyond[seq] = raw
        start = self.next_seq
        run: list[bytes] = []
        while self.next_seq in self._beyond:
            run.append(self._beyond.pop(self.next_seq))
            self.next_seq += 1
        if run:
            self._on_chunk(start, run)
