"""What is fuzzed: each target takes any bytes and returns, or raises what its parser may not raise."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from hubcore import cbor, frames, messages, records, requests
from hubcore.errors import HubError
from hubcore.fold import Hub
from hubcore.stream import Stream
from smilehub.errors import SmilehubError
from smilehub.link import air, answers, cable, tls
from smilehub.link import messages as said
from smilehub.trust import certificates, lists, sealed
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity, KioskIdentity

VECTORS = Path(__file__).parents[2] / "tests" / "hubcore" / "vectors.json"
KEY = bytes(32)
DEVICE = bytes.fromhex("7cdfa1b2c3d4")
_HUB = Authority.from_seed("fuzz")
_LOOP = asyncio.new_event_loop()


def pieces(data: bytes) -> Iterator[bytes]:
    """``data`` in pieces, each after a byte that says how long it is."""
    at = 0
    while at < len(data):
        yield data[at + 1 : at + 1 + data[at]]
        at += 1 + data[at]


def joined(*parts: bytes) -> bytes:
    """The inverse, for parts of less than 256 bytes."""
    return b"".join(bytes((len(part),)) + part for part in parts)


def checked(data: bytes) -> bytes:
    """``data`` with the CRC-32 that many formats end in: without it nothing gets past the checksum."""
    return data + struct.pack("<I", zlib.crc32(data))


def frame(data: bytes) -> None:
    """Frames: the same payloads however they come, and each its own frame's."""
    whole, parts = frames.Decoder(), frames.Decoder()
    payloads = [bytes(payload) for payload in whole.feed(data)]
    again: list[bytes] = []
    for at in range(0, len(data), 7):
        again += [bytes(payload) for payload in parts.feed(data[at : at + 7])]
    assert payloads == again
    for payload in payloads:
        assert [bytes(one) for one in frames.Decoder().feed(frames.encode(payload))] == [payload]


def stream(data: bytes) -> None:
    """The reliable stream: whatever its peer sends, it holds no more than its window and answers shortly."""
    one = Stream(512, 256, 4, 4)
    out, buf = memoryview(bytearray(520)), bytearray(100)
    now = 0
    for payload in pieces(data):
        now += 50
        if payload:
            one.take(payload, now)
        assert one.write(b"x" * 3000) <= 4 * 510
        for _ in range(20):
            if not one.next(out, 0, now):
                break
        else:
            raise AssertionError("it never stops sending")
        if now % 150 == 0:
            one.readinto(buf)


def item(data: bytes) -> None:
    """CBOR: what is read is in its one form."""
    with contextlib.suppress(HubError):
        assert cbor.dumps(cbor.loads(data)) == data


def message(data: bytes) -> None:
    """Messages: by themselves, and out of a stream."""
    with contextlib.suppress(HubError):
        messages.parse(data)
    reader = messages.Reader(requests.MOST_SAID)
    view = memoryview(data)
    with contextlib.suppress(HubError):
        while view:
            space = reader.space()
            size = min(len(space), len(view))
            space[:size] = view[:size]
            view = view[size:]
            payload = reader.filled(size)
            if payload is not None:
                messages.parse(payload)


def asked(data: bytes) -> None:
    """The arguments of requests."""
    take: tuple[Callable[[Any], Any], ...] = (
        requests.parse_hello,
        requests.parse_pull,
        requests.parse_command,
        requests.parse_receipt,
        requests.parse_set_clock,
    )
    with contextlib.suppress(HubError):
        args = cbor.loads(data[1:])
        if isinstance(args, dict):
            take[data[0] % len(take)](args)


def record(data: bytes) -> None:
    """Records one after another, folded as the laptop folds what a kiosk gave it."""
    hub = Hub()
    for raw in said.split(data):
        try:
            one = records.decode(raw)
        except HubError:
            continue
        assert one.raw == raw
        with contextlib.suppress(HubError):
            hub.apply(bytes(8), one)
    hub.digest()


def reply(data: bytes) -> None:
    """The laptop's reading of answers and notices."""
    take: tuple[Callable[[Any], Any], ...] = (
        *(said.hello, said.state, said.done, said.health, said.log, said.names, said.entries),
        *(said.part, said.chunk, lambda value: said.notice(1, value), lambda value: said.notice(2, value)),
        *(lambda value, status=status: answers.good("wish", status, value) for status in range(14)),
    )
    if not data:
        return
    said.begun(data[1:])
    with contextlib.suppress(HubError, SmilehubError):
        take[data[0] % len(take)](cbor.loads(data[1:]))


def certificate(data: bytes) -> None:
    """Certificates and keys."""
    readers: tuple[Callable[[bytes], Any], ...] = (
        *(certificates.device_of, certificates.common_name, certificates.hub_of),
        *(certificates.serial_of, certificates.key_from_der),
    )
    for read in readers:
        with contextlib.suppress(SmilehubError):
            read(data)


def kept(data: bytes) -> None:
    """Identities, lists, sealed files and an authority's backup: as they are, and behind a right checksum."""
    body = struct.pack("<4sIH", b"SHID", 1, len(data) & 0xFFFF) + data
    for blob in (data, checked(data), checked(body)):
        with contextlib.suppress(SmilehubError):
            KioskIdentity.decode(blob)
        lists.decode(KEY, blob)
        for kind in (sealed.BACKUP, sealed.INVITATION):
            with contextlib.suppress(SmilehubError):
                sealed.check(kind, blob)
    lists.decode(KEY, checked(data + hmac.new(KEY, data, hashlib.sha256).digest()))
    with contextlib.suppress(SmilehubError):
        Identity.decode(data)
    with contextlib.suppress(SmilehubError):
        Authority(data, None, bytes, int)


def packet(data: bytes) -> None:
    """The air: advertisements, and the values that a kiosk notifies."""
    one = air.AirTransport(DEVICE, KEY)
    one._reset()  # pyright: ignore[reportPrivateUsage]
    for value in pieces(data):
        one._heard(None, bytearray(value))  # pyright: ignore[reportPrivateUsage]
    advert = SimpleNamespace(
        manufacturer_data={0xFFFF: data[:6]},
        local_name=data[6:].decode("utf-8", "replace"),
        service_uuids=[air.SERVICE],
        rssi=-60,
    )
    air._kiosk(cast("Any", SimpleNamespace(address="?")), cast("Any", advert))  # pyright: ignore[reportPrivateUsage]


class _Nobody:
    name = "nowhere"


async def _line(data: bytes) -> None:
    one = cable.CableTransport(cast("Any", _Nobody()))
    one._token = b"tokn"  # pyright: ignore[reportPrivateUsage]
    for payload in pieces(data):
        if payload:
            one._dispatch(payload)  # pyright: ignore[reportPrivateUsage]
            one._up = True  # pyright: ignore[reportPrivateUsage]


def line(data: bytes) -> None:
    """The cable: whatever payloads a kiosk's frames hold."""
    _LOOP.run_until_complete(_line(data))


def flight(data: bytes) -> None:
    """What is read along of a server's first flight."""
    one = tls._Asked()  # pyright: ignore[reportPrivateUsage]
    for at in range(0, len(data), 50):
        one.feed(data[at : at + 50])


def any_of_them(data: bytes) -> None:
    """All of the others: the first byte says which."""
    if data:
        _EACH[data[0] % len(_EACH)](data[1:])


_EACH = (frame, stream, item, message, asked, record, reply, certificate, kept, packet, line, flight)
TARGETS: dict[str, Callable[[bytes], None]] = {one.__name__: one for one in (*_EACH, any_of_them)}


def seeds(name: str) -> list[bytes]:
    """Inputs in good order to begin with."""
    if name == any_of_them.__name__:
        return [bytes((n,)) + data for n, one in enumerate(_EACH) for data in seeds(one.__name__)]
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    raws = [bytes.fromhex(one["raw"]) for one in vectors["records"]]
    items = [bytes.fromhex(one["data"]) for one in vectors["cbor"]]
    hello = {0: 2, 1: DEVICE, 2: bytes(8), 3: 9, 4: 1, 5: "kiosk", 6: "1", 11: None, 12: [1, 2], 13: "laptop"}
    asking = [{0: [2, 2], 1: "x"}, {0: bytes(8), 1: 1, 2: 9}, {0: ["x", 1], 1: "call", 2: {"chair": "1"}}]
    person = _HUB.issue_person("laptop", _HUB.hub + str(len(_HUB.issued)))
    good: dict[str, list[bytes]] = {
        "frame": [b"".join(bytes.fromhex(one["frame"]) for one in vectors["frames"])],
        "stream": [joined(*(bytes((0x20, n)) + b"data" * n for n in range(6)), b"\x22\1\0\0\4", b"\x24")],
        "item": items,
        "message": [messages.message((0, 7, 1, hello)), messages.message((2, 1, [bytes(8), 9]))[2:]],
        "asked": [bytes((n,)) + cbor.dumps(args) for n, args in enumerate(asking)],
        "record": [*raws, b"".join(raws)],
        "reply": [
            *(bytes((n,)) + cbor.dumps(hello) for n in range(25)),
            b"\x06" + cbor.dumps([["a", 1], ["b", -1]]),
            b"\x08" + cbor.dumps([1, b"".join(raws[:3])]),
        ],
        "certificate": [person.cert, person.key, _HUB.cert],
        "kept": [
            *(person.encode(), _HUB.issue_kiosk(DEVICE).blob, lists.encode(KEY, 7, [bytes(8)])),
            cbor.dumps(dict(enumerate(identity_parts()))),
            sealed.seal(sealed.BACKUP, b"x", "ten letters", rnd=bytes, cost=1),
        ],
        "packet": [joined(b"\x30\2\2" + bytes(16), b"\x32\0\4", b"\x20\0abc", b"\x21\1a\0\2", b"\x26\1")],
        "line": [joined(b"\x11\2tokn\0\2\4\0" + DEVICE, b"\x20\0abc", b"\x22\1\0\0\4", b"\x25\3", b"\x26\0")],
        "flight": [b"\x16\3\3\0\x08\x0e\0\0\0\x0d\0\0\0"],
    }
    return good[name]


def identity_parts() -> tuple[bytes, ...]:
    """The five parts of a kiosk's identity, as its sector holds them."""
    one = _HUB.issue_kiosk(DEVICE)
    return one.authority, one.cert, one.key, one.hub_key, one.list_key
