"""Messages: packed as docs/formats.md says, and read with care."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubcore import cbor, requests
from hubcore.errors import RequestError

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**33) | st.binary(max_size=9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.integers(0, 3) | st.text(max_size=3), inner)
    ),
    max_leaves=12,
)


def test_messages_look_as_written_down():
    assert requests.pack_request(7, 2, {0: b"12345678", 1: 1, 2: 9})[:1] == b"\x01"
    assert cbor2.loads(requests.pack_request(7, 2, {1: 1})[1:]) == [0, 7, 2, {1: 1}]
    assert cbor2.loads(requests.pack_reply(7, 0, [1, [b"r"]], True)[1:]) == [1, 7, 0, [1, [b"r"]], True]
    assert cbor2.loads(requests.pack_notice(1, [b"12345678", 5])[1:]) == [2, 1, [b"12345678", 5]]


def test_messages_come_back():
    assert requests.unpack(requests.pack_request(65535, 6, {0: 1})) == (requests.REQUEST, 65535, 6, {0: 1})
    assert requests.unpack(requests.pack_reply(0, 4, None)) == (requests.REPLY, 0, 4, None, False)
    assert requests.unpack(requests.pack_notice(2, 3)) == (requests.NOTICE, 2, 3)


def test_later_versions_may_add_parts():
    assert requests.unpack(b"\x01" + cbor.dumps([0, 1, 2, {}, "more"])) == (0, 1, 2, {})


@given(st.binary(max_size=40) | ANY.map(lambda value: b"\x01" + cbor.dumps(value)))
def test_any_payload_is_a_message_or_a_request_error(payload):
    try:
        parts = requests.unpack(payload)
    except RequestError as error:
        assert error.code == requests.BAD_REQUEST
        assert str(error)
        return
    assert parts[0] in (requests.REQUEST, requests.REPLY, requests.NOTICE)


@given(st.dictionaries(st.integers(0, 3), ANY))
def test_any_arguments_are_read_or_refused(args):
    for parse in (
        requests.parse_hello,
        requests.parse_pull,
        requests.parse_command,
        requests.parse_receipt,
        requests.parse_set_clock,
    ):
        try:
            parse(args)
        except RequestError as error:
            assert str(error)


def test_good_arguments():
    assert requests.parse_hello({0: [1, 3], 1: "desk", 9: 0}) == (1, 3, "desk")
    assert requests.parse_pull({0: b"12345678", 1: 1, 2: 100}) == (b"12345678", 1, 100)
    assert requests.parse_command({0: ["a", 1], 1: "call", 2: {"chair": "1"}}) == (
        ("a", 1),
        "call",
        {"chair": "1"},
    )
    assert requests.parse_receipt({0: b"12345678", 1: 5}) == (b"12345678", 5)
    assert requests.parse_set_clock({0: 1_900_000_000}) == 1_900_000_000


@pytest.mark.parametrize(("span", "chosen"), [((1, 1), 1), ((1, 9), 1), ((2, 9), None), ((0, 0), None)])
def test_versions(span, chosen):
    assert requests.choose_version(*span) == chosen
