"""Ticket labels and pictograms: what a visitor is called by."""

from hubcore.compat import const

# Letters a kiosk may bear: none is taken for a digit (B 8, D 0, G 6, I 1, J 1, L 1, O 0, Q 0, S 5, Y 7, Z 2)
# or, on a coarse display, for another one that is left (E F, M N W, P R, U V, X Y).
LETTERS = "ACEHKMPTX"

# Position is the number on the wire: append only.
_NAMES = (
    "sun fish tree boat key star house cup leaf moon flower bird apple bell book bike "
    "umbrella cat clock cloud crown drum feather guitar hat heart kite lamp mountain shell snail train"
)
PICTOGRAMS = tuple(_NAMES.split())

FIRST = 10
LAST = 999
_SHORT = const(100)  # numbers below are drawn first, while a quarter of them is free
_SHORT_SPARE = const(22)


def valid(label: str) -> bool:
    """Whether ``label`` is a letter of LETTERS and a number from FIRST to LAST without leading zeros."""
    if not 3 <= len(label) <= 4 or label[0] not in LETTERS or label[1] == "0":
        return False
    for char in label[1:]:
        if not "0" <= char <= "9":  # isdigit() differs between the interpreters
            return False
    return True


def number(label: str) -> int:
    """The number within a valid label."""
    return int(label[1:])


class Used:
    """The numbers given out on this day, as bits: its size does not depend on the day."""

    def __init__(self):
        self.bits = bytearray(LAST // 8 + 1)
        self.count = 0

    def has(self, n: int) -> bool:
        """Whether number ``n`` is used."""
        return bool(self.bits[n >> 3] >> (n & 7) & 1)

    def add(self, n: int) -> None:
        """Mark number ``n`` as used."""
        if not self.has(n):
            self.bits[n >> 3] |= 1 << (n & 7)
            self.count += 1

    def clear(self) -> None:
        """Mark every number as free."""
        for i in range(len(self.bits)):
            self.bits[i] = 0
        self.count = 0

    def full(self) -> bool:
        """Whether no number is left."""
        return self.count >= LAST - FIRST + 1


def draw(used: Used, letter: str, rnd, but=()) -> str:
    """A label nobody bears: any of the free numbers alike, so that it tells nothing of the order of arrival.

    ``rnd(n)`` gives n random bytes; the numbers in ``but`` are not free either. Two digits are drawn while a
    quarter of them is free, then three. Raises ValueError if no number is free: with 990 in a day the fold
    frees those of closed visits first.
    """
    for first, end, spare in ((FIRST, _SHORT, _SHORT_SPARE), (_SHORT, LAST + 1, 0), (FIRST, _SHORT, 0)):
        free = 0
        for n in range(first, end):
            free += not used.has(n) and n not in but
        if free <= spare:
            continue
        raw = rnd(2)
        skip = (raw[0] << 8 | raw[1]) % free
        for n in range(first, end):
            if not used.has(n) and n not in but:
                if skip == 0:
                    return letter + str(n)
                skip -= 1
    raise ValueError("every label is in use")
