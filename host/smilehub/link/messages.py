"""The kiosk's answers as typed values, checked field by field: what does not fit is a ProtocolError."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hubcore import cbor, requests
from hubcore.errors import HubError
from smilehub.errors import ProtocolError

_T = TypeVar("_T")

_REPLY = bytes((0x85, requests.REPLY))  # as CBOR: an array of five, and its first
_PAIR, _BYTES = 0x82, 0x40


@dataclass(frozen=True, slots=True)
class Hello:
    """Who the kiosk is and where its journal stands."""

    version: int
    device_id: bytes
    journal_id: bytes
    next_seq: int
    first_seq: int
    kind: str
    firmware: str
    board: str
    letter: str
    boot: int
    uptime_ms: int
    clock_s: int | None
    #: Requests that it knows, and as what it takes this laptop.
    ops: tuple[int, ...] = ()
    role: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """What the kiosk says of its own state; ``digest`` covers the whole fold."""

    journal_id: bytes
    next_seq: int
    digest: bytes
    counts: Mapping[Any, Any]
    faults: Any
    journal_used: int
    journal_total: int


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was carried out: the record it became, and whether that had happened before."""

    seq: int
    already: bool
    result: Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """How a kiosk is. ``troubles`` are the tasks whose troubles stand, ``restarts`` how often each was begun
    again, ``link`` counters of the carrier that this was asked over."""

    troubles: tuple[str, ...]
    firmware: str
    heap_free: int
    journal_used: int
    journal_total: int
    uptime_ms: int
    link: Mapping[Any, Any]
    restarts: Mapping[Any, Any]
    interpreter: str


@dataclass(frozen=True, slots=True)
class Log:
    """What a kiosk has printed: bytes ``start`` to ``next`` since it was switched on."""

    start: int
    text: str
    next: int


@dataclass(frozen=True, slots=True)
class Head:
    """Notice: the journal has grown up to ``next_seq``."""

    journal_id: bytes
    next_seq: int


@dataclass(frozen=True, slots=True)
class Alert:
    """Notice: somebody needs help; ``value`` as the kiosk sent it."""

    value: Any


@dataclass(frozen=True, slots=True)
class Other:
    """Notice of a topic this program does not know."""

    topic: int
    value: Any


Notice = Head | Alert | Other


def field(result: object, key: int, kind: type[_T]) -> _T:
    """The value under ``key``, which must be a ``kind``."""
    value = result.get(key) if isinstance(result, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ProtocolError(f"The kiosk's answer lacks field {key}, or it is no {kind.__name__}.")
    return value


def optional(result: object, key: int, kind: type[_T], default: _T) -> _T:
    """Like ``field``, but an older kiosk may leave it out."""
    present = isinstance(result, Mapping) and result.get(key) is not None
    return field(result, key, kind) if present else default


def hello(result: object) -> Hello:
    """The answer to hello."""
    clock = result.get(11) if isinstance(result, Mapping) else None
    return Hello(
        version=field(result, 0, int),
        device_id=field(result, 1, bytes),
        journal_id=field(result, 2, bytes),
        next_seq=field(result, 3, int),
        first_seq=field(result, 4, int),
        kind=optional(result, 5, str, "kiosk"),
        firmware=optional(result, 6, str, ""),
        board=optional(result, 7, str, ""),
        letter=optional(result, 8, str, ""),
        boot=optional(result, 9, int, 0),
        uptime_ms=optional(result, 10, int, 0),
        clock_s=clock if isinstance(clock, int) else None,
        ops=tuple(op for op in optional(result, 12, list, []) if isinstance(op, int)),
        role=optional(result, 13, str, ""),
    )


def state(result: object) -> State:
    """The answer to state."""
    room = list(optional(result, 5, list, []))
    used, total = room if len(room) == 2 and all(isinstance(n, int) for n in room) else (0, 0)
    return State(
        journal_id=field(result, 0, bytes),
        next_seq=field(result, 1, int),
        digest=field(result, 2, bytes),
        counts=optional(result, 3, dict, {}),
        faults=result.get(4) if isinstance(result, Mapping) else None,
        journal_used=used,
        journal_total=total,
    )


def done(result: object) -> Done:
    """The answer to a command."""
    return Done(
        seq=field(result, 0, int),
        already=optional(result, 1, bool, False),
        result=optional(result, 2, dict, {}),
    )


def health(result: object) -> Health:
    """The answer to health."""
    room = list(optional(result, 4, list, []))
    used, total = room if len(room) == 2 and all(isinstance(n, int) for n in room) else (0, 0)
    return Health(
        troubles=tuple(one for one in optional(result, 0, list, []) if isinstance(one, str)),
        firmware=optional(result, 1, str, ""),
        heap_free=optional(result, 3, int, 0),
        journal_used=used,
        journal_total=total,
        uptime_ms=optional(result, 5, int, 0),
        link=optional(result, 6, dict, {}),
        restarts=optional(result, 7, dict, {}),
        interpreter=optional(result, 8, str, ""),
    )


def log(result: object) -> Log:
    """The answer to logs."""
    start, data = field(result, 0, int), field(result, 1, bytes)
    return Log(start, data.decode("utf-8", "replace"), optional(result, 2, int, start + len(data)))


def names(result: object) -> dict[str, Any]:
    """An answer that is a map of names; what is no name is left out."""
    if not isinstance(result, Mapping):
        raise ProtocolError("The kiosk's answer is not a map of names.")
    return {name: value for name, value in result.items() if isinstance(name, str)}


def entries(result: object) -> list[tuple[str, int | None]]:
    """What a folder holds: names, and the bytes of those that are files."""
    found: list[tuple[str, int | None]] = []
    for entry in result if isinstance(result, (list, tuple)) else (None,):
        if not isinstance(entry, (list, tuple)) or len(entry) < 2 or not isinstance(entry[0], str):
            raise ProtocolError("The kiosk's answer is not what a folder holds.")
        size = entry[1]
        found.append((entry[0], size if isinstance(size, int) and size >= 0 else None))
    return found


def part(result: object) -> tuple[bytes, int]:
    """Part of a file, and how many bytes the whole has."""
    return field(result, 0, bytes), field(result, 1, int)


def chunk(result: object) -> tuple[int, list[bytes]]:
    """One answer to a pull: the first seq and the records from there on; without records, where it ended."""
    if isinstance(result, (list, tuple)) and len(result) >= 2:
        first, run = result[:2]
        if isinstance(first, int) and isinstance(run, bytes) and first >= 0:
            return first, split(run)
    raise ProtocolError("The kiosk's answer to a pull is not a run of records.")


def split(run: bytes, *, whole: bool = True) -> list[bytes]:
    """The items of a CBOR sequence (RFC 8742), each as it stands; the last may be one that cannot be read,
    unless the sequence is not ``whole``."""
    found: list[bytes] = []
    at = 0
    while at < len(run):
        try:
            _, end = cbor.load_from(run, at)
        except (HubError, IndexError):
            if not whole:
                break
            end = len(run)
        found.append(run[at:end])
        at = end
    return found


def begun(payload: bytes) -> tuple[int, int, bytes] | None:
    """What has come of a reply to a pull that was cut off: its request's id, first seq and whole records, one
    after another; None if there are none."""
    if payload[:2] != _REPLY:
        return None
    try:
        number, at = cbor.load_from(payload, 2)
        status, at = cbor.load_from(payload, at)
        if payload[at] != _PAIR:
            return None
        first, at = cbor.load_from(payload, at + 1)
        size = payload[at] - _BYTES
    except (HubError, IndexError):
        return None
    at += 1 + (1 << size - 24 if 24 <= size <= 27 else 0)
    raws = split(payload[at:], whole=False)
    if status != requests.DONE or not isinstance(number, int) or not isinstance(first, int) or not raws:
        return None
    return (number, first, b"".join(raws)) if 0 <= size <= 27 and first >= 0 else None


def notice(topic: int, value: Any) -> Notice:
    """A notice as what it means; one that does not fit its topic is passed on as Other."""
    if topic == 1 and isinstance(value, (list, tuple)) and len(value) == 2:
        journal_id, next_seq = value
        if isinstance(journal_id, bytes) and isinstance(next_seq, int):
            return Head(journal_id, next_seq)
    if topic == 2:
        return Alert(value)
    return Other(topic, value)
