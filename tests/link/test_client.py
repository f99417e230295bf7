"""The client against a reference kiosk: order, losses, noise, versions, late and wrong answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jumping import run
from peer import MemoryTransport, Noise, Peer

from hubcore import frames, requests
from smilehub.errors import JournalFull, KioskRefused, LinkClosed, NoAnswer, ProtocolError, VersionMismatch
from smilehub.link.client import KioskClient
from smilehub.link.messages import Alert, Head, Other


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


@settings(max_examples=80, deadline=None)
@given(
    plan=st.dictionaries(
        st.integers(0, 40), st.sampled_from(["loss", "flip", "twice", "garbage"]), max_size=12
    )
)
def test_noise_costs_time_but_no_record(plan: dict[int, str]):
    peer = Peer()
    peer.chunk = 4
    peer.busy_day(30)
    got, _ = pulled(peer, MemoryTransport(peer, Noise(plan)), attempts=15)
    assert [raw for _, raw in got] == peer.raws


@settings(max_examples=60, deadline=None)
@given(
    plan=st.dictionaries(
        st.integers(0, 12), st.sampled_from(["loss", "flip", "twice", "garbage"]), max_size=8
    )
)
def test_a_command_happens_once_whatever_the_line_does(plan: dict[int, str]):
    peer = Peer()

    async def work():
        async with KioskClient(MemoryTransport(peer, Noise(plan)), attempts=15) as client:
            return await client.command("day_open", {}, ("laptop", 1))

    done = run(work())
    assert peer.commands == [("day_open", {})]
    assert done.seq == 2


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
    peer.command = lambda number, *_: requests.pack_reply(  # type: ignore[method-assign] -- a stand-in
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
    peer.command = lambda number, *_: requests.pack_reply(  # type: ignore[method-assign] -- a stand-in
        number, requests.JOURNAL_FULL, {0: "The kiosk's journal is full.", 1: "journal_full"}
    )

    async def work():
        async with KioskClient(MemoryTransport(peer)) as client:
            await client.command("chair_open", {"chair": "1"}, ("laptop", 1))

    with pytest.raises(JournalFull):
        run(work())


@pytest.mark.parametrize(("theirs", "said"), [((2, 3), "2 to 3"), ((0, 0), "version 0,")])
def test_other_version_names_both(theirs: tuple[int, int], said: str):
    async def work():
        async with KioskClient(MemoryTransport(Peer(versions=theirs))) as client:
            await client.hello()

    with pytest.raises(VersionMismatch) as error:
        run(work())
    assert said in error.value.message
    assert error.value.message.endswith("this program 1.")


def test_a_wider_laptop_agrees_on_the_kiosks_version():
    async def work():
        async with KioskClient(MemoryTransport(Peer()), versions=(1, 4)) as client:
            return await client.hello()

    assert run(work()).version == 1


def test_silence_ends_in_one_error_after_bounded_tries():
    transport = MemoryTransport(Peer(), Noise(dict.fromkeys(range(100), "loss")))

    async def work():
        async with KioskClient(transport, timeout=1.0, attempts=3) as client:
            await client.hello()

    with pytest.raises(NoAnswer, match="No kiosk answers at memory"):
        run(work())
    assert transport.noise.count == 3


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
        before = honest(number, journal_id, first, max(0, min(most, 5 - first)))[:-1]
        if most <= 5 - first or first >= 8:
            return honest(number, journal_id, first, most)
        jump = requests.pack_reply(number, 0, [8, []], True)
        return [*before, jump, *honest(number, journal_id, 8, most - max(0, 5 - first))]

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

    with pytest.raises(NoAnswer):
        run(work(None))
    got.clear()
    run(work(lambda first, last: gaps.append((first, last))))
    assert gaps == [(5, 7)]
    assert got == [1, 2, 3, 4, *range(8, len(whole) + 1)]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_any_garbage_is_dropped_and_the_next_answer_still_arrives(garbage: bytes):
    peer = Peer()
    transport = MemoryTransport(peer)

    async def work():
        async with KioskClient(transport, attempts=8) as client:
            transport.say(garbage + b"\0")
            return await client.hello()

    assert run(work()).journal_id == peer.journal_id


def test_oversized_and_unreadable_frames_are_counted():
    peer = Peer()
    transport = MemoryTransport(peer)

    async def work():
        async with KioskClient(transport) as client:
            transport.say(b"\x05" * 5000 + b"\0")
            transport.say(frames.encode(b"\x01\xff\xff"))  # a sound frame with unsound CBOR
            transport.say(frames.encode(b"\x09abc"))  # a frame type of the future
            await client.hello()
            return client.dropped

    assert run(work()) == 3


@pytest.mark.parametrize("result", [None, {}, {0: "1"}, [1, 2], {0: 1, 1: "text"}])
def test_an_answer_of_the_wrong_shape_is_a_protocol_error(result: object):
    peer = Peer()
    peer.answer = lambda number, op, args: [requests.pack_reply(number, 0, result)]  # type: ignore[method-assign]

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
            transport.say(frames.encode(requests.pack_notice(2, {0: 7})))
            transport.say(frames.encode(requests.pack_notice(77, "new")))
            return [await client.next_notice() for _ in range(3)]

    assert run(work()) == [Head(peer.journal_id, 2), Alert({0: 7}), Other(77, "new")]


def test_an_earlier_programs_late_answers_are_not_taken_for_ours():
    peer = Peer()
    peer.busy_day(3)
    transport = MemoryTransport(peer)

    async def work():
        async with KioskClient(transport, first_id=500) as client:
            for reply in peer.pull(2, peer.journal_id, 1, 10):
                transport.say(frames.encode(reply))
            return await client.hello()

    assert run(work()).journal_id == peer.journal_id
