"""The client against a reference kiosk: order, deadlines, cancelling, back-pressure, wrong answers."""

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jumping import run
from peer import MemoryTransport, Noise, Peer, reply

from hubcore import requests
from smilehub.errors import (
    JournalFull,
    KioskRefused,
    LinkClosed,
    NoAnswer,
    ProtocolError,
    RoleForbidden,
    VersionMismatch,
    WrongPeer,
)
from smilehub.link import messages
from smilehub.link.client import KioskClient
from smilehub.link.messages import Alert, Head, Log, Other


def pulled(peer: Peer, transport: MemoryTransport, start: int = 1, limit: int | None = None, **options):
    """What one pull delivers: [(seq, raw)], and the next seq."""
    got: list[tuple[int, bytes]] = []

    async def work() -> int:
        async with KioskClient(transport, **options) as client:
            return await client.pull(
                peer.journal_id, start, limit, lambda first, raws: got.extend(enumerate(raws, first))
            )

    return got, run(work())


def test_hello_and_state():
    peer = Peer()

    async def work():
        async with KioskClient(MemoryTransport(peer)) as client:
            return await client.hello(), await client.state()

    hello, state = run(work())
    assert (hello.device_id, hello.journal_id, hello.letter) == (peer.device_id, peer.journal_id, "K")
    assert (state.next_seq, state.digest) == (2, peer.hub.digest())


def test_pull_delivers_all_in_order():
    peer = Peer()
    peer.busy_day(60)
    got, next_seq = pulled(peer, MemoryTransport(peer))
    assert got == list(enumerate(peer.raws, 1))
    assert next_seq == peer.next_seq


@given(st.integers(min_value=0))
@settings(max_examples=30, deadline=None)
def test_a_cut_reply_delivers_the_records_that_came_whole(at: int):
    peer = Peer()
    peer.busy_day(6)
    answers: list[bytes] = []
    got: list[tuple[int, bytes]] = []

    class Cut(MemoryTransport):
        async def send(self, data: bytes) -> None:
            answers.extend(self.peer.feed(data))
            self.say(answers[0][: at % len(answers[0])] or b"\0")
            self.say(b"")

    async def work() -> None:
        async with KioskClient(Cut(peer)) as client:
            await client.pull(
                peer.journal_id, 1, None, lambda first, raws: got.extend(enumerate(raws, first))
            )

    with pytest.raises(LinkClosed):
        run(work())
    body = answers[0].index(peer.raws[0])
    ends = itertools.accumulate(map(len, peer.raws), initial=body)
    whole = sum(end <= at % len(answers[0]) for end in ends) - 1
    assert got == list(enumerate(peer.raws[: max(0, whole)], 1))


@pytest.mark.parametrize("status", [requests.REFUSED, requests.CANCELLED])
def test_what_is_no_run_of_records_is_not_taken_from_a_cut_reply(status: int):
    record = Peer().raws[0]
    whole = reply(5, status, [1, record], True)[2:]
    assert messages.begun(whole) is None
    for odd in (
        b"",
        b"\x85",
        reply(5, 0, {0: record})[2:],
        reply(5, 0, [b"a", record])[2:],
        whole[:2] + b"\xff",
    ):
        assert messages.begun(odd) is None
    assert messages.begun(reply(5, 0, [7, record + record], True)[2:-2]) == (5, 7, record)


def test_pull_with_limit_and_from_the_middle():
    peer = Peer()
    peer.busy_day(20)
    got, next_seq = pulled(peer, MemoryTransport(peer), start=5, limit=11)
    assert [seq for seq, _ in got] == list(range(5, 16))
    assert next_seq == 16


def test_pull_of_more_than_a_window():
    peer = Peer()
    for _ in range(2100):
        peer.write("fault", {"task": "x", "error": ""})
    got, _ = pulled(peer, MemoryTransport(peer))
    assert [raw for _, raw in got] == peer.raws


def test_refusal_has_reason_sentence_and_hint():
    async def work():
        async with KioskClient(MemoryTransport(Peer())) as client:
            await client.command("call", {"chair": "1"}, ("laptop", 1))

    with pytest.raises(KioskRefused) as refused:
        run(work())
    assert refused.value.reason == "day_closed"
    assert refused.value.message == "The day is closed."
    assert "day open" in refused.value.hint


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({0: "chair_busy: 2", 1: "chair_busy", 2: 7, 3: "2"}, "Chair 2 still has a visitor."),
        ({0: "chair_busy", 1: "chair_busy", 2: 7, 3: ""}, "Chair still has a visitor."),
        ({0: "nothing_to_undo", 1: "nothing_to_undo", 3: ""}, "There is nothing that can be undone."),
        ({0: "Chair 2 has a visitor.", 1: "chair_busy", 2: 7}, "Chair 2 has a visitor."),
        ({0: "too_late: K10", 1: "too_late", 3: "K10"}, "Too_late: K10."),
        ({}, "The kiosk refused."),
    ],
)
def test_a_refusal_says_what_it_is_about(result: dict[int, object], message: str):
    peer = Peer()
    peer.command = lambda number, *_: reply(  # type: ignore[method-assign] -- a stand-in
        number, requests.REFUSED, result
    )

    async def work():
        async with KioskClient(MemoryTransport(peer)) as client:
            await client.command("call", {"chair": "2"}, ("laptop", 1))

    with pytest.raises(KioskRefused) as refused:
        run(work())
    assert refused.value.message == message
    assert bool("served, no-show or left" in refused.value.hint) == (result.get(1) == "chair_busy")


def test_a_full_journal_has_an_error_of_its_own():
    peer = Peer()
    peer.command = lambda number, *_: reply(  # type: ignore[method-assign] -- a stand-in
        number, requests.JOURNAL_FULL, {0: "The kiosk's journal is full.", 1: "journal_full"}
    )

    async def work():
        async with KioskClient(MemoryTransport(peer)) as client:
            await client.command("chair_open", {"chair": "1"}, ("laptop", 1))

    with pytest.raises(JournalFull):
        run(work())


@pytest.mark.parametrize(("theirs", "said"), [((3, 4), "3 to 4"), ((1, 1), "version 1,")])
def test_other_version_names_both(theirs: tuple[int, int], said: str):
    async def work():
        async with KioskClient(MemoryTransport(Peer(versions=theirs))) as client:
            await client.hello()

    with pytest.raises(VersionMismatch) as error:
        run(work())
    assert said in error.value.message
    assert error.value.message.endswith("this program 2.")


def test_a_wider_laptop_agrees_on_the_kiosks_version():
    async def work():
        async with KioskClient(MemoryTransport(Peer()), versions=(1, 4)) as client:
            return await client.hello()

    assert run(work()).version == 2


def test_silence_ends_at_the_deadline_and_not_before():
    transport = MemoryTransport(Peer(), Noise({1: "hush"}))

    async def work() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with KioskClient(transport, timeout=3.0) as client:
            with pytest.raises(NoAnswer, match="memory does not answer in time"):
                await client.hello()
            spent = loop.time() - began
            with pytest.raises(NoAnswer):
                await client.pull(transport.peer.journal_id, 1, None, lambda *_: None)
        return spent

    assert run(work()) == pytest.approx(3.0)


def test_a_lost_link_reaches_whoever_waits():
    transport = MemoryTransport(Peer(), Noise({1: "cut"}))

    async def work():
        async with KioskClient(transport) as client:
            await client.hello()

    with pytest.raises(LinkClosed):
        run(work())


def test_records_that_the_kiosk_lost_are_an_error_or_a_gap():
    peer = Peer()
    peer.busy_day(10)
    whole = list(peer.raws)
    honest = peer.pull

    def holed(number: int, journal_id: bytes, first: int, most: int) -> list[bytes]:
        """As the firmware answers: an empty run says where it goes on."""
        jump = reply(number, 0, [8, b""], True)
        return [
            *honest(number, journal_id, first, 5 - first)[:-1],
            jump,
            *honest(number, journal_id, 8, most),
        ]

    peer.pull = holed  # type: ignore[method-assign] -- a kiosk that lost records 5 to 7
    got: list[int] = []
    gaps: list[tuple[int, int]] = []

    async def work(on_gap):
        async with KioskClient(MemoryTransport(peer)) as client:
            await client.pull(
                peer.journal_id,
                1,
                None,
                lambda first, raws: got.extend(range(first, first + len(raws))),
                on_gap,
            )

    with pytest.raises(ProtocolError, match="left out records 5 to 7"):
        run(work(None))
    assert got == [1, 2, 3, 4]
    got.clear()
    run(work(lambda first, last: gaps.append((first, last))))
    assert gaps == [(5, 7)]
    assert got == [1, 2, 3, 4, *range(8, len(whole) + 1)]


@pytest.mark.parametrize("replies", [[[3, b""]], [[1, b"\x01"], [1, b"\x01"]], [[1, b"\x01" * 12]]])
def test_records_out_of_order_or_too_many_are_refused(replies: list):
    peer = Peer()
    peer.pull = lambda number, *_: [reply(number, 0, one, True) for one in replies]  # type: ignore[method-assign]
    with pytest.raises(ProtocolError):
        pulled(peer, MemoryTransport(peer), start=1, limit=10)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_any_garbage_ends_in_an_answer_or_in_an_error(garbage: bytes):
    peer = Peer()
    transport = MemoryTransport(peer)

    async def work():
        async with KioskClient(transport) as client:
            if garbage:
                transport.say(garbage)
            return await client.hello()

    try:
        assert run(work()).journal_id == peer.journal_id
    except (ProtocolError, NoAnswer):
        pass


def test_what_is_no_message_is_counted_and_passed_over():
    peer = Peer()
    transport = MemoryTransport(peer)

    async def work():
        async with KioskClient(transport) as client:
            transport.say(b"\x00\x03\x82\xff\xff")
            transport.say(b"\x00\x02\x81\x09")  # a kind of the future
            transport.say(reply(999, 0, {}))  # nobody asked
            await client.hello()
            return client.unreadable

    assert run(work()) == 2


def test_messages_arrive_in_any_pieces():
    peer = Peer()
    peer.busy_day(5)
    transport = MemoryTransport(peer)
    feed = peer.feed
    peer.feed = lambda data: [bytes([b]) for message in feed(data) for b in message]  # type: ignore[method-assign]
    got, _ = pulled(peer, transport)
    assert [raw for _, raw in got] == peer.raws


def test_the_kiosk_is_told_the_deadline_and_what_is_no_longer_wanted():
    peer = Peer()
    honest = peer.answer
    peer.answer = lambda number, op, args: [] if op == requests.STATE else honest(number, op, args)  # type: ignore[method-assign]

    async def work() -> None:
        async with KioskClient(MemoryTransport(peer), timeout=4.0) as client:
            asking = asyncio.create_task(client.state())
            await asyncio.sleep(1)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            with pytest.raises(NoAnswer):
                await client.state()
            await client.hello()

    run(work())
    assert [message[2:] for message in peer.asked] == [
        (requests.STATE, {}, 4000),
        (requests.CANCEL, {0: 1}, None),
        (requests.STATE, {}, 4000),
        (requests.CANCEL, {0: 3}, None),
        (requests.HELLO, {0: [2, 2], 1: "laptop"}, 4000),
    ]


def test_no_more_than_four_requests_are_under_way():
    peer = Peer()
    transport = MemoryTransport(peer)
    peer.answer = lambda number, op, args: []  # type: ignore[method-assign] -- answered below

    async def work() -> list[int]:
        async with KioskClient(transport) as client:
            asking = [asyncio.create_task(client.state()) for _ in range(9)]
            seen = []
            while not all(task.done() for task in asking):
                await asyncio.sleep(0.1)
                seen.append(len(peer.asked))
                for _, number, *_ in peer.asked:
                    transport.say(reply(number, 0, {0: b"", 1: 1, 2: b""}))
                peer.asked.clear()
            return seen

    assert run(work()) == [4, 4, 1, 0]


def test_a_busy_kiosk_is_asked_again_until_the_deadline():
    peer = Peer()
    honest, asked = peer.answer, []

    def busy(number: int, op: int, args: dict) -> list[bytes]:
        asked.append(op)
        return [reply(number, requests.BUSY, {})] if len(asked) < turns else honest(number, op, args)

    peer.answer = busy  # type: ignore[method-assign]

    async def work():
        async with KioskClient(MemoryTransport(peer), timeout=2.0) as client:
            return await client.hello()

    turns = 4
    assert run(work()).journal_id == peer.journal_id and len(asked) == 4
    turns = 1000
    with pytest.raises(NoAnswer):
        run(work())


def test_a_slow_reader_of_a_pull_holds_the_transport_back():
    peer = Peer()
    for _ in range(2000):
        peer.write("fault", {"task": "x", "error": ""})
    transport = MemoryTransport(peer)
    took = 0

    async def work() -> None:
        nonlocal took
        honest = transport.receive

        async def receive() -> bytes:
            nonlocal took
            data = await honest()
            took += 1
            return data

        transport.receive = receive  # type: ignore[method-assign]
        async with KioskClient(transport) as client:
            with client._opened() as call:  # a pull that nobody reads
                await client._send_request(call, requests.PULL, {0: peer.journal_id, 1: 1, 2: 5000}, None)
                await asyncio.sleep(5)
                assert took < 12
            assert (await client.hello()).next_seq == peer.next_seq, "given up, it holds nobody back"

    run(work())


def test_a_greeting_waits_for_a_pull_instead_of_ending_it():
    peer = Peer()
    peer.busy_day(10)

    async def work() -> list[int]:
        async with KioskClient(MemoryTransport(peer)) as client:
            pulling = client.pull(peer.journal_id, 1, None, lambda *_: None)
            await asyncio.gather(asyncio.create_task(pulling), asyncio.create_task(client.hello()))
            return [message[2] for message in peer.asked]

    assert run(work()) == [requests.PULL, requests.HELLO]


def test_the_other_requests():
    peer = Peer()

    async def work() -> None:
        async with KioskClient(MemoryTransport(peer)) as client:
            greeting = await client.hello()
            assert greeting.role == "laptop" and requests.LOGS in greeting.ops and client.greeting == greeting
            health = await client.health()
            assert (health.troubles, health.heap_free, health.journal_total) == (("clock",), 50_000, 9)
            await client.configure("name", "Front")
            assert await client.config() == {"name": "Front"}
            with pytest.raises(RoleForbidden, match="logs"):
                await client.logs()
            peer.role = "technician"
            assert await client.logs(2) == Log(2, "llo\n", 6)
            with pytest.raises(VersionMismatch, match="does not know 'revoke'"):
                peer.role = "laptop"
                await client.revoke(b"list")

    run(work())


def test_files_of_a_technician():
    peer = Peer()
    peer.role = "technician"
    long = bytes(range(256)) * 9

    async def work() -> None:
        async with KioskClient(MemoryTransport(peer)) as client:
            await client.write_file("/other/b", b"")
            for name in "acd":
                await client.write_file("/other/" + name, long)
            assert await client.files("/other") == [
                ("/other/a", len(long)),
                ("/other/b", 0),
                ("/other/c", len(long)),
                ("/other/d", len(long)),
            ]
            assert await client.read_file("/other/c") == long
            assert await client.read_file("/other/b") == b""
            await client.remove_file("/other/c")
            await client.write_file("/other/a", b"short")

    run(work())
    assert peer.files == {"/other/a": b"short", "/other/b": b"", "/other/d": long}


@pytest.mark.parametrize("result", [{0: b"xy", 1: 1}, {0: b"x" * 700, 1: 2**63}, {0: b"", 1: 2**25}])
def test_a_kiosk_that_lies_about_a_file_does_not_fill_the_laptop(result: dict[int, object]):
    peer = Peer()
    peer.role = "technician"
    peer.file = lambda op, path, args: result if op == requests.FILE_READ else [["a", 1]]  # type: ignore

    async def work() -> None:
        async with KioskClient(MemoryTransport(peer)) as client:
            with pytest.raises(ProtocolError, match="could hold"):
                await client.read_file("/a")
            with pytest.raises(ProtocolError, match="no end"):
                await client.files("/")

    run(work())


def test_a_kiosk_with_another_certificate_than_name_is_not_believed():
    transport = MemoryTransport(Peer())
    transport.device_id = b"another"

    async def work():
        async with KioskClient(transport) as client:
            await client.hello()

    with pytest.raises(WrongPeer):
        run(work())


@pytest.mark.parametrize("result", [None, {}, {0: "1"}, [1, 2], {0: 1, 1: "text"}])
def test_an_answer_of_the_wrong_shape_is_a_protocol_error(result: object):
    peer = Peer()
    peer.answer = lambda number, op, args: [reply(number, 0, result)]  # type: ignore[method-assign]

    async def work(call):
        async with KioskClient(MemoryTransport(peer)) as client:
            await call(client)

    with pytest.raises(ProtocolError):
        run(work(lambda client: client.hello()))
    with pytest.raises(ProtocolError):
        run(work(lambda client: client.pull(peer.journal_id, 1, None, lambda *_: None)))


def test_notices_arrive_typed():
    peer = Peer()
    transport = MemoryTransport(peer)

    async def work():
        async with KioskClient(transport) as client:
            transport.say(peer.head())
            transport.say(requests.message((requests.NOTICE, 2, {0: 7})))
            transport.say(requests.message((requests.NOTICE, 77, "new")))
            return [await client.next_notice() for _ in range(3)]

    assert run(work()) == [Head(peer.journal_id, 2), Alert({0: 7}), Other(77, "new")]
