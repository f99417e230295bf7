"""How the journal is found when the kiosk starts, whatever became of it; in memory only until then.

The other half of services.journal and services.sectors, so it reads and sets what is inside of these.
"""

import os
import struct
from binascii import crc32

from hubcore import records
from hubcore.compat import const
from hubcore.errors import HubError
from services.sectors import MAGIC, NO_HEAD

_SECTOR = const(4096)
_HEADER = const(32)
_ENTRY = const(12)
_NEXT = const(28)
_JUMP = const(256)  # more records than a sector can hold, and more boots


def find(journal) -> None:
    """Find the journal, recover a torn tail, or begin a new one. Damage never raises."""
    newest = 0
    dirty = False
    for index in range(journal._sectors):
        head = journal._header(index)
        if head:
            if head[1] % journal._sectors == index and head[1] > newest:
                newest, journal.id = head[1], head[0]
        elif not dirty and journal._head != NO_HEAD:
            # A lone torn header is what a cut at the very first record leaves: nothing was lost.
            dirty = journal._blank_to(index, _HEADER) < _SECTOR
    if not newest:
        _begin(journal, dirty)
        return
    journal._salt = crc32(journal.id)
    journal._last = newest
    first = newest
    low = max(1, newest - journal._sectors + 1)
    for number in range(newest - 1, low - 1, -1):
        if journal._live(number):
            for hole in range(number + 1, first):
                _salvageable(journal, hole, hole)  # read by its entries all the same, but reported
            first = number
    journal._first = first
    _salvage_ends(journal)
    head = journal._header(journal._first % journal._sectors)
    journal.first_seq = head[2] if head else journal._first_entry(journal._first) or 1
    _open_tail(journal)


def _begin(journal, dirty):
    journal.id = os.urandom(8)
    journal._salt = crc32(journal.id)
    journal._first, journal._last = 1, 0
    if dirty:
        journal._fault("new", 1, 0)


def _salvage_ends(journal):
    # A live sector whose header is damaged hides at either end of the run: its entries say so.
    number = journal._last + 1
    while number - journal._first < journal._sectors and _salvageable(
        journal, number, number - journal._sectors
    ):
        if journal._first_entry(number) < _end_seq(journal, journal._last):
            break
        journal._last = number
        number += 1
    low = max(1, journal._last - journal._sectors + 1)
    while journal._first > low and _salvageable(journal, journal._first - 1, journal._first - 1):
        head = journal._live(journal._first)
        if head and journal._first_entry(journal._first - 1) >= head[2]:
            break
        journal._first -= 1
    if journal._first > low and _ruined(journal, journal._first - 1):
        head = journal._live(journal._first)
        journal._fault("before", head[2] if head else journal._first_entry(journal._first), 0)


def _open_tail(journal):
    # The last sector: what it holds decides the next seq and where to write.
    number = journal._last
    head = journal._live(number)
    journal.next_seq = head[2] if head else _end_seq(journal, number - 1)
    end = _HEADER
    last = None
    for last in journal._walk(number, journal._buf, journal._mv):
        end = last[1] + _ENTRY + (last[2] + 3 & ~3)
        journal.next_seq = last[0] + 1
    clean = head and journal._blank_to(number % journal._sectors, end) == _SECTOR
    lost = _missing(journal, number) + _ragged(journal, number, end)
    journal._at = end if clean and not lost else _SECTOR
    while not last and number > journal._first:  # nothing in it yet: the one before knows the boot number
        number -= 1
        for last in journal._walk(number, journal._buf, journal._mv):
            journal.next_seq = max(journal.next_seq, last[0] + 1)
    if last:
        view = journal._mv[: last[2]]
        journal._part.readblocks(number % journal._sectors, view, last[1] + _ENTRY)
        try:
            journal.boot = records.decode(bytes(view)).boot + 1
        except HubError:
            pass  # a record of a later format; order within a boot is by seq, so boot 1 does no harm
    if lost:
        # What was acknowledged there may be on the laptop: neither seq nor boot may come a second time.
        journal._fault("lost", journal.next_seq, lost * _JUMP)
        journal.next_seq += lost * _JUMP
        journal.boot += lost * _JUMP


def _missing(journal, number):
    # How many sectors are gone that were begun after this one, the newest that is readable.
    if not journal._live(number) or not journal._retired(_NEXT):
        return 0
    missing = 1
    while missing < journal._sectors and _ruined(journal, number + 1 + missing - journal._sectors):
        missing += 1
    return missing


def _ragged(journal, number, end):
    # Whether more than one torn entry stands behind the last whole one.
    end += _ENTRY + records.MAX_RECORD
    return end < _SECTOR and journal._blank_to(number % journal._sectors, end) < _SECTOR


def _ruined(journal, number):
    # Whether a sector that this journal once had is neither live, nor dropped, nor blank.
    index = number % journal._sectors
    if journal._header(index) or journal._head == NO_HEAD:
        return False
    if journal._retired() and number > 0:
        # An erase that was cut short only sets bits of the header that was retired; damage clears some.
        old = struct.pack("<4s8sI", MAGIC, journal.id, number)
        if all(journal._buf[i] & old[i] == old[i] for i in range(len(old))):
            return False
    return journal._blank_to(index, _HEADER) < _SECTOR  # else it is a header torn before any record


def _salvageable(journal, number, old):
    # `old` is the number under which that place was last retired, if it was.
    if not _ruined(journal, old) or not journal._first_entry(number):
        return False
    journal._fault("header", journal._first_entry(number), 0)
    return True


def _end_seq(journal, number):
    # The seq after the last record up to and including sector `number`.
    while number >= journal._first:
        last = 0
        for seq, _, _, _ in journal._walk(number, journal._buf, journal._mv):
            last = seq
        if last:
            return last + 1
        head = journal._live(number)
        if head:
            return head[2]
        number -= 1
    return 1
