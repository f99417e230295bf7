"""Messages: packed as docs/link.md says, and read with care."""

import re
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubcore import asked, cbor, requests
from hubcore.errors import RequestError

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**33) | st.binary(max_size=9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.integers(0, 3) | st.text(max_size=3), inner)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=40) | ANY.map(cbor.dumps))
def test_any_payload_is_a_message_or_a_request_error(payload):
    try:
        parts = requests.parse(payload)
    except RequestError as error:
        assert error.code == requests.BAD_REQUEST
        assert str(error)
        return
    assert parts[0] in (requests.REQUEST, requests.REPLY, requests.NOTICE)


@given(st.dictionaries(st.integers(0, 3), ANY))
def test_any_arguments_are_read_or_refused(args):
    for parse in (
        asked.parse_hello,
        asked.parse_pull,
        asked.parse_command,
        asked.parse_receipt,
        asked.parse_set_clock,
    ):
        try:
            parse(args)
        except RequestError as error:
            assert str(error)


def test_good_arguments():
    assert asked.parse_hello({0: [1, 3], 1: "desk", 9: 0}) == (1, 3, "desk")
    assert asked.parse_pull({0: b"12345678", 1: 1, 2: 100}) == (b"12345678", 1, 100)
    assert asked.parse_command({0: ["a", 1], 1: "call", 2: {"chair": "1"}}) == (
        ("a", 1),
        "call",
        {"chair": "1"},
    )
    assert asked.parse_receipt({0: b"12345678", 1: 5}) == (b"12345678", 5)
    assert asked.parse_set_clock({0: 1_900_000_000}) == 1_900_000_000


@pytest.mark.parametrize(("span", "chosen"), [((2, 2), 2), ((1, 9), 2), ((3, 9), None), ((1, 1), None)])
def test_versions(span, chosen):
    assert asked.choose_version(*span) == chosen


NO_MESSAGE = "a message is a request, a reply or a notice"


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"\xff", "this message cannot be read: a float, or a value without a meaning here"),
        (b"\x80", "a message is an array"),
        (b"\xa0", "a message is an array"),
        (b"\x01", "a message is an array"),
        *((cbor.dumps(parts), NO_MESSAGE) for parts in ([3, 1, 2, {}, False], [0, 1, 2], [2, 1])),
        *((cbor.dumps([1, 1, 2, None, more]), NO_MESSAGE) for more in (0, None)),
        *((cbor.dumps([0, 1, 2, args]), NO_MESSAGE) for args in ([], None)),
        *((cbor.dumps([0, number, 2, {}]), NO_MESSAGE) for number in (-1, 65536, False, "1")),
        *((cbor.dumps([0, 1, number, {}]), NO_MESSAGE) for number in (-1, 65536, True)),
        *((cbor.dumps([1, number, 0, None, True]), NO_MESSAGE) for number in (-1, 65536, True)),
        *((cbor.dumps([1, 1, number, None, True]), NO_MESSAGE) for number in (-1, 65536, True)),
        *((cbor.dumps([2, number, 0]), NO_MESSAGE) for number in (-1, 65536, True)),
        *((cbor.dumps([kind, 1, 2, {}, True]), NO_MESSAGE) for kind in (False, True, None, "0")),
    ],
)
def test_what_is_no_message_is_told_in_words(payload, sentence):
    with pytest.raises(RequestError) as caught:
        requests.parse(payload)
    assert (str(caught.value), caught.value.code) == (sentence, requests.BAD_REQUEST)


@pytest.mark.parametrize(
    "message",
    [
        (requests.REQUEST, 0, 65535, {}, None),
        (requests.REQUEST, 65535, 0, {0: None}, 2**32 - 1),
        (requests.REPLY, 65535, 65535, 0, True),
        (requests.REPLY, 0, 0, [], False),
        (requests.NOTICE, 65535, None),
        (requests.NOTICE, 0, 0),
    ],
)
def test_the_largest_and_the_smallest_numbers_of_a_message(message):
    assert requests.parse(cbor.dumps([*message, "of a later version"])) == message


JOURNAL = b"12345678"
NO_SPAN = "hello lacks the versions that the laptop speaks"
NO_JOURNAL = "a journal id has 8 bytes"
UP_TO = " is not a number from 0 to 4294967295"
BAD = [
    *((asked.parse_hello, {0: span}, NO_SPAN) for span in (None, [], [1], [1, 2, 3], (1, 2), 1, "11")),
    *((asked.parse_hello, {0: [n, 1]}, NO_SPAN) for n in (-1, 65536, True, None)),
    *((asked.parse_hello, {0: [1, n]}, NO_SPAN) for n in (-1, 65536, True, None)),
    (
        asked.parse_hello,
        {0: [1, 1], 1: "x" * 33},
        "the laptop's name is not a text of at most 32 characters",
    ),
    (asked.parse_hello, {0: [1, 1], 1: 5}, "the laptop's name is not a text of at most 32 characters"),
    *(
        (asked.parse_pull, {0: name, 1: 1, 2: 1}, NO_JOURNAL)
        for name in (None, b"1234567", b"123456789", "12345678")
    ),
    *((asked.parse_pull, {0: JOURNAL, 1: n, 2: 1}, "from seq" + UP_TO) for n in (None, -1, 2**32, True)),
    *((asked.parse_pull, {0: JOURNAL, 1: 1, 2: n}, "most records" + UP_TO) for n in (None, -1, 2**32)),
    *((asked.parse_receipt, {0: name, 1: 1}, NO_JOURNAL) for name in (None, b"", [JOURNAL])),
    *((asked.parse_receipt, {0: JOURNAL, 1: n}, "the highest seq" + UP_TO) for n in (None, -1, 2**32)),
    *(
        (asked.parse_command, {0: cmd, 1: "call"}, "a command has an issuer and a counter")
        for cmd in (None, ["a"], ["a", 1, 2], "a1")
    ),
    (
        asked.parse_command,
        {0: ["x" * 17, 1], 1: "call"},
        "the issuer is not a text of at most 16 characters",
    ),
    (asked.parse_command, {0: [1, 1], 1: "call"}, "the issuer is not a text of at most 16 characters"),
    (asked.parse_command, {0: ["a", 2**32], 1: "call"}, "the counter" + UP_TO),
    (asked.parse_command, {0: ["a", 1]}, "the command's name is not a text of at most 16 characters"),
    (
        asked.parse_command,
        {0: ["a", 1], 1: "c" * 17},
        "the command's name is not a text of at most 16 characters",
    ),
    (asked.parse_command, {0: ["a", 1], 1: "call", 2: []}, "a command's arguments are a map"),
    (asked.parse_command, {0: ["a", 1], 1: "call", 2: {"a": 1, 1: 1}}, "a command's arguments have names"),
    *(
        (asked.parse_set_clock, {0: utc}, "the time is a number of seconds since 1970")
        for utc in (None, -1, 2**35, True, 1.0)
    ),
]


@pytest.mark.parametrize(("parse", "args", "sentence"), BAD)
def test_bad_arguments_are_told_in_words(parse, args, sentence):
    with pytest.raises(RequestError) as caught:
        parse(args)
    assert (str(caught.value), caught.value.code) == (sentence, requests.BAD_REQUEST)


def test_the_largest_and_the_smallest_arguments():
    assert asked.parse_hello({0: [0, 65535], 1: "x" * 32}) == (0, 65535, "x" * 32)
    assert asked.parse_hello({0: [65535, 0]}) == (65535, 0, "")
    assert asked.parse_pull({0: JOURNAL, 1: 0, 2: 2**32 - 1}) == (JOURNAL, 0, 2**32 - 1)
    assert asked.parse_pull({0: JOURNAL, 1: 2**32 - 1, 2: 0}) == (JOURNAL, 2**32 - 1, 0)
    assert asked.parse_receipt({0: JOURNAL, 1: 2**32 - 1}) == (JOURNAL, 2**32 - 1)
    command = {0: ["i" * 16, 2**32 - 1], 1: "c" * 16}
    assert asked.parse_command(command) == (("i" * 16, 2**32 - 1), "c" * 16, {})
    assert asked.parse_command({0: ["", 0], 1: ""}) == (("", 0), "", {})
    for utc in (0, 2**35 - 1):
        assert asked.parse_set_clock({0: utc}) == utc


def test_the_numbers_on_the_wire():
    """docs/link.md."""
    kinds = (requests.REQUEST, requests.REPLY, requests.NOTICE)
    ops = (
        requests.HELLO,
        requests.PULL,
        requests.COMMAND,
        requests.RECEIPT,
        requests.STATE,
        requests.SET_CLOCK,
    )
    statuses = (
        *(requests.DONE, requests.BAD_REQUEST, requests.BAD_VERSION, requests.UNKNOWN_OP),
        *(requests.REFUSED, requests.OTHER_JOURNAL, requests.JOURNAL_FULL, requests.FAULT),
    )
    assert (kinds, ops, statuses) == ((0, 1, 2), (1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4, 5, 6, 7))
    assert (requests.TOPIC_HEAD, requests.TOPIC_ALERT) == (1, 2)
    assert requests.VERSIONS == (2, 2)


def test_the_numbers_of_what_came_with_version_two():
    """docs/link.md."""
    ops = (
        *(requests.CANCEL, requests.HEALTH, requests.LOGS, requests.CONFIG_GET, requests.CONFIG_SET),
        *(requests.FILE_LIST, requests.FILE_READ, requests.FILE_WRITE, requests.FILE_REMOVE, requests.REVOKE),
    )
    statuses = (requests.FORBIDDEN, requests.CANCELLED, requests.LATE, requests.BUSY)
    assert (ops, statuses) == (tuple(range(7, 17)), (8, 9, 10, 11))
    assert (requests.MOST_UNDER_WAY, requests.MOST_ASKED, requests.MOST_SAID) == (4, 1024, 3800)


@pytest.mark.parametrize(
    ("role", "not_ops"),
    [("laptop", {9, 12, 13, 14, 15}), ("technician", {2, 3, 4, 11})],
)
def test_roles(role, not_ops):
    for op in range(1, 17):
        assert bool(requests.ROLES[role] >> op & 1) == (op not in not_ops)
    assert requests.ROLES[role] & 1 == 0 and requests.ROLES[role] < 1 << 17


MESSAGES = st.one_of(
    st.tuples(st.just(0), st.integers(0, 65535), st.integers(0, 20), st.dictionaries(st.integers(0, 3), ANY)),
    st.tuples(st.just(1), st.integers(0, 65535), st.integers(0, 20), ANY, st.booleans()),
    st.tuples(st.just(2), st.integers(0, 65535), ANY),
)


@given(MESSAGES, st.integers(0, 3))
def test_messages_are_a_length_and_an_array(parts, more):
    message = requests.message(parts)
    assert int.from_bytes(message[:2], "big") == len(message) - 2
    assert cbor2.loads(message[2:]) == list(parts)
    whole = (*parts, None) if parts[0] == 0 else parts
    assert requests.parse(message[2:]) == whole
    later = cbor.dumps([*whole, *["of a later version"] * more])
    assert requests.parse(later) == whole


@pytest.mark.parametrize(("given_", "known"), [(0, 0), (2**32 - 1, 2**32 - 1), (-1, None), (True, None)])
def test_deadlines(given_, known):
    assert requests.parse(cbor.dumps([0, 1, 2, {}, given_]))[4] == known


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.data())
def test_a_stream_becomes_messages_wherever_it_is_cut(payloads, data):
    reader = requests.Reader(60)
    left = b"".join(len(payload).to_bytes(2, "big") + payload for payload in payloads)
    got = []
    while left:
        space = reader.space()
        n = data.draw(st.integers(1, min(len(space), len(left))))
        space[:n] = left[:n]
        left = left[n:]
        payload = reader.filled(n)
        if payload is not None:
            got.append(bytes(payload))
    assert got == payloads


@pytest.mark.parametrize("length", [0, 61, 65535])
def test_a_length_that_nothing_may_have(length):
    reader = requests.Reader(60)
    reader.space()[:2] = length.to_bytes(2, "big")
    with pytest.raises(RequestError, match="too long"):
        reader.filled(2)
    reader.clear()
    reader.space()[:2] = b"\0\1"
    assert reader.filled(2) is None
    reader.space()[:1] = b"x"
    assert bytes(reader.filled(1)) == b"x"


FIRMWARE = Path(requests.__file__).parents[1]
SAME = {
    "_DONE": {requests.DONE},  # and the reason of a BYE
    "_REFUSED": {requests.REFUSED, 1},
    "_LATE": {requests.LATE, 2},
    "_OPENED": {0x11},
}


@pytest.mark.parametrize("name", ["session", "answers", "telling", "rare", "files", "door"])
def test_the_kiosk_has_these_numbers_folded_in(name):
    source = (FIRMWARE / "services" / f"{name}.py").read_text(encoding="utf-8")
    consts = re.findall(r"^(_[A-Z_]+) = const\(([0-9a-fx_]+)\)", source, re.M)
    shared = [(const, int(value, 0)) for const, value in consts if hasattr(requests, const[1:])]
    assert len(shared) > 2
    for const, value in shared:
        assert value in SAME.get(const, {getattr(requests, const[1:])}), const
