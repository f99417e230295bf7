"""The table of kinds: complete, numbered for good, every limit kept when writing and when reading."""

import re
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubcore import cbor, reading, records, table, writing
from hubcore.classes import MAX_RATE, MAX_WAIT_S, NEEDS, RESTS
from hubcore.errors import CodecError, HubError, RecordError
from hubcore.labels import FIRST, LAST, LETTERS, PICTOGRAMS
from hubcore.records import ALERTS, SOURCES

WORD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E))
LINE = st.text(st.characters(blacklist_categories=("Cc", "Cs")))
ENVELOPES = st.tuples(
    st.integers(1, records.MAX_SEQ),
    st.integers(1, records.MAX_SEQ),
    st.integers(0, records.MAX_MS),
    st.none() | st.integers(0, 0xFFFFFFFFF),
)
LINES = [line for line in table.LINES.split("\n") if line]
UNASKED = ("boot", "receipt", "fault")


def parts_of(spec):
    """(key, name, type, whether it may be absent) of each field."""
    key = -1
    parts = []
    for part in spec.split():
        at, name, kind_type, free = re.fullmatch(r"(?:(\d+)\.)?(\w+)(?:=(\w+))?(\?)?", part).groups()
        key = key + 1 if at is None else int(at)
        parts.append((key, name, kind_type or name, free is not None))
    return parts


ROWS = [
    (int(number), name, parts_of(spec + ("" if name in UNASKED else " 14.who=code? 15.cmd=cmd?")))
    for number, name, spec in (re.fullmatch(r"(\d+) (\w+):(.*)", line).groups() for line in LINES)
]
ISSUE_KINDS = """boot, day_opened, day_closed, chair_opened, chair_closed, checkin, class_changed, called,
recalled, seated, served, no_show, requeued, transferred, left, alert_raised, alert_acknowledged,
consent_given, consent_withdrawn, corrected, staff_signed_in, staff_refused, full_today, deferred,
clock_set, config_changed, command_done, receipt, fault, promised, code_missed, code_lifted, staff_set,
staff_removed, chair_paused, staff_signed_out"""


TYPES = [line.split(" ") for line in table.TYPES.split("\n") if line]


CHOICES = [name for name, base, *_ in TYPES if base == "choice"]


def needs_of(name):
    """What stands behind a type's name in the table."""
    return next(line[1:] for line in TYPES if line[0] == name)


def value_of(name):
    """Values of a type of the table."""
    if name.endswith("?"):
        return st.none() | value_of(name[:-1])
    base, *needs = needs_of(name)
    if base == "choice":
        return st.sampled_from(writing.CHOICES[CHOICES.index(name)])
    if base == "row":
        return st.tuples(*map(value_of, needs)).map(list)
    if base == "bool":
        return st.booleans()
    if base == "label":
        return st.builds(lambda a, n: a + str(n), st.sampled_from(LETTERS), st.integers(FIRST, LAST))
    least, most = map(int, needs[:2])
    if base == "int":
        return st.integers(least, most)
    if base == "word":
        return WORD.filter(lambda text: least <= len(text) <= most) | st.just("w" * most)
    if base == "text":
        return LINE.filter(lambda text: least <= len(text.encode()) <= most) | st.just("t" * most)
    if base == "bytes":
        return st.binary(min_size=least, max_size=most)
    return st.lists(value_of(needs[2]), min_size=least, max_size=most)


def fields_of(parts):
    needed = {}
    free = {}
    for _, name, kind_type, may in parts:
        (free if may else needed)[name] = value_of(kind_type)
    return st.fixed_dictionaries(needed, optional=free)


RECORDS = st.one_of([st.tuples(st.just(kind), fields_of(parts)) for _, kind, parts in ROWS])


def test_the_table_has_every_kind_once():
    names = [name for _, name, _ in ROWS]
    assert names and sorted(names) == sorted(re.split(r",\s+", ISSUE_KINDS))
    assert [number for number, _, _ in ROWS] == list(range(1, 37))
    assert set(records.URGENT) <= set(names)


def test_the_types_have_the_limits_of_the_core():
    assert len({line[0] for line in TYPES}) == len(TYPES)
    for name, most in [
        ("seq", records.MAX_SEQ),
        ("rate", MAX_RATE),
        ("seconds", MAX_WAIT_S),
        ("issuers", records.MAX_ISSUERS),
        ("alerts", records.MAX_CARRIED),
        ("visits", records.MAX_CARRIED),
        ("labels", records.MAX_FAMILY - 1),
        ("rates", len(NEEDS)),
    ]:
        assert int(needs_of(name)[2]) == most
    assert int(needs_of("rates")[1]) == len(NEEDS)
    assert {line[1] for line in TYPES} | {"maybe"} == set(table.BASES)
    assert CHOICES == ["alert_why", "by", "need", "picture", "rest"]
    assert writing.CHOICES == (ALERTS, SOURCES, NEEDS, PICTOGRAMS, RESTS)


def place_of(name):
    """Where a type's shape must be found."""
    at = [line[0] for line in TYPES].index(name) * table.WIDTH
    assert table.BASES[table.SHAPES[at]] == needs_of(name)[0]
    return at


@pytest.mark.parametrize("code", [-1, 0, 37, 256 + 11, 65535])
def test_a_kind_that_is_not_ours_has_no_row(code):
    assert list(writing.row(code)) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_the_row_is_well_formed(row):
    keys = [key for key, _, _, _ in row[2]]
    names = [name for _, name, _, _ in row[2]]
    assert len(set(keys)) == len(keys) and len(set(names)) == len(names)
    names_of_types = {line[0] for line in TYPES}
    assert all(kind_type in names_of_types for _, _, kind_type, _ in row[2])
    assert table.KINDS[row[0]] == row[1]
    places = [table.ROWS[i : i + 3] for i in writing.row(row[0])]
    assert [place[0] for place in places] == [key + 32 * may for key, _, _, may in row[2]]
    assert [table.FIELDS[place[1]] for place in places] == names
    assert [place[2] for place in places] == [place_of(kind_type) for _, _, kind_type, _ in row[2]]
    assert ("cmd" in names) == (row[1] not in UNASKED) == ("who" in names)
    assert keys == sorted(keys), "replay walks both in one pass"
    assert len(row[1]) and not row[1].endswith("?") and max(keys, default=0) < 24


@given(RECORDS, ENVELOPES)
def test_what_is_built_is_read_back(named, envelope):
    kind, fields = named
    code, body = records.build(kind, fields)
    raw = records.encode(code, *envelope, body)
    assert len(raw) <= records.MAX_RECORD == 512
    assert cbor2.loads(raw) == [code, *envelope, body]
    record = records.decode(raw)
    assert (record.kind, record.body, record.raw) == (kind, fields, raw)
    again = reading.replay(memoryview(raw))
    for name in records.Record.__slots__:
        assert getattr(again, name) == getattr(record, name), name
        assert type(getattr(again, name)) is type(getattr(record, name)), name
    assert (record.seq, record.boot, record.uptime_ms, record.clock_s) == envelope


def blank():
    """A record for a replay to fill, with what another one left."""
    return records.Record("served", 11, 9, 9, 9, 9, {"label": "K47", "who": "kay"}, b"old")


def refuse(_raw):
    raise ValueError("decoded")


def without_decode(raw):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "decode", refuse)
        return reading.replay(raw, blank())


@given(RECORDS.filter(lambda named: named[0] != "day_opened"), ENVELOPES)
def test_a_replay_needs_no_decoding_of_what_this_version_wrote(named, envelope):
    code, body = records.build(named[0], named[1])
    record = without_decode(records.encode(code, *envelope, body))
    assert (record.kind, record.code, record.body) == (named[0], code, named[1])
    assert (record.seq, record.boot, record.uptime_ms, record.clock_s) == envelope


@given(st.lists(st.tuples(RECORDS, ENVELOPES), max_size=6))
def test_one_record_is_filled_again_and_again(named):
    record = None
    for (kind, fields), envelope in named:
        code, body = records.build(kind, fields)
        raw = records.encode(code, *envelope, body)
        again = reading.replay(memoryview(raw), record)
        assert again is record or record is None or kind == "day_opened"
        record = again
        for name in records.Record.__slots__:
            assert getattr(record, name) == getattr(records.decode(raw), name), name


@pytest.mark.parametrize("n", [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, records.MAX_MS])
def test_a_replay_reads_numbers_of_every_length(n):
    record = without_decode(records.encode(28, 1, 1, n, None, {0: b"12345678", 1: max(1, n % 2**32)}))
    assert (record.uptime_ms, record.body["seq"], record.clock_s) == (n, max(1, n % 2**32), None)


@pytest.mark.parametrize("code", [37, 255, 256 + 11, 512 + 11, 11 << 8])
def test_a_kind_of_a_later_version_is_not_taken_for_one_of_ours(code):
    raw = records.encode(code, 1, 1, 0, None, {0: "K47"})
    with pytest.raises(ValueError):
        without_decode(raw)
    assert reading.replay(raw).kind is None
    assert reading.replay(raw).body == {0: "K47"}


@given(RECORDS, st.data())
def test_a_needed_field_is_needed_and_a_wrong_type_refused(named, data):
    kind, fields = named
    name = data.draw(st.sampled_from(sorted(fields) or ["who"]))
    wrong = data.draw(st.sampled_from([-1, 2**60, "x" * 200, b"", [1, [2]], {}, 1.5, "\x1b[2J", "\ud800"]))
    with pytest.raises((RecordError, CodecError)):
        records.build(kind, {**fields, name: wrong})
    row = next(row for row in ROWS if row[1] == kind)
    if (name, False) in [(each, may) for _, each, _, may in row[2]]:
        with pytest.raises(RecordError):
            records.build(kind, {key: value for key, value in fields.items() if key != name})
    with pytest.raises(RecordError):
        records.build(kind, {**fields, "smile_credits": 3})


@given(
    st.integers(1, 36),
    ENVELOPES,
    st.dictionaries(st.integers(0, 16), st.integers(-5, 300) | st.text() | st.none()),
)
def test_any_body_is_a_record_or_an_error_of_ours(code, envelope, body):
    try:
        record = records.decode(cbor.dumps([code, *envelope, body]))
    except HubError:
        return
    assert records.build(record.kind, record.body)[0] == code


@given(st.binary(max_size=100))
def test_any_bytes_are_a_record_or_an_error_of_ours(raw):
    try:
        records.decode(raw)
    except HubError as error:
        assert str(error)


@given(
    st.integers(37, 0xFFFF),
    ENVELOPES,
    st.dictionaries(st.integers(0, 255), st.integers() | st.text(max_size=5)),
)
def test_an_unknown_kind_survives(code, envelope, body):
    body = {key: value for key, value in body.items() if not isinstance(value, int) or abs(value) < 2**64}
    raw = cbor.dumps([code, *envelope, body])
    record = records.decode(raw)
    assert (record.kind, record.code, record.body, record.raw) == (None, code, body, raw)
    again = reading.replay(raw)
    assert (again.kind, again.code, again.body, again.raw) == (None, code, body, raw)
    assert records.encode(record.code, *envelope, record.body) == raw


def test_a_field_of_a_later_version_is_ignored():
    code, body = records.build("served", {"label": "K47"})
    record = records.decode(records.encode(code, 1, 1, 0, None, {**body, 9: "later"}))
    assert record.body == {"label": "K47"} == reading.replay(record.raw).body


@pytest.mark.parametrize(
    "envelope", [(0, 1, 0, None), (1, 0, 0, None), (1, 1, -1, None), (1, 1, 0, -1), (1, 1, True, 0)]
)
def test_bad_envelopes_are_refused(envelope):
    code, body = records.build("served", {"label": "K47"})
    with pytest.raises(RecordError):
        records.encode(code, *envelope, body)
    with pytest.raises(RecordError):
        records.decode(cbor.dumps([code, *envelope, body]))


def test_oversized_records_are_refused():
    raw = cbor.dumps([99, 1, 1, 0, None, {0: bytes(600)}])
    with pytest.raises(RecordError):
        records.decode(raw)
    with pytest.raises(RecordError):
        records.encode(99, 1, 1, 0, None, {0: bytes(600)})


@given(st.text(max_size=300), st.integers(1, 160))
def test_cleaned_text_fits(text, most):
    try:
        cleaned = records.clean(text, most)
    except UnicodeEncodeError:
        return
    assert len(cleaned.encode()) <= most
    assert records.build("fault", {"task": "ui", "error": cleaned})


def test_no_record_has_room_for_worth_or_identity():
    source = Path(table.__file__).read_text()
    names = {name for _, _, parts in ROWS for _, name, _, _ in parts}
    banned = {
        "name",
        "phone",
        "email",
        "credit",
        "credits",
        "money",
        "price",
        "payment",
        "rank",
        "score",
        "status",
        "face",
    }
    assert names & banned == {"name"}, "config_changed.name is a setting's name; nothing else may be added"
    assert "smile" not in source.lower()


GOOD = {"label": "K47", "need": "urgent", "lane": "any", "lang": "hi", "pictogram": "sun", "by": "self"}


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("smile", {}, "there is no kind smile"),
        (37, {}, "there is no kind 37"),
        ("", {}, "there is no kind "),
        ("served", {}, "served.label is missing"),
        ("served", {"label": None}, "served.label is missing"),
        ("served", {"label": "K9"}, "served.label is not a label within its limits"),
        ("served", {"label": 47}, "served.label is not a label within its limits"),
        ("served", {"label": "K47", "tip": 5}, "served has a field it does not know"),
        ("served", {"label": "K47", "tip": None}, "served has a field it does not know"),
        ("checkin", GOOD | {"by": "dog"}, "checkin.by is none of self, staff"),
        ("checkin", GOOD | {"lang": "x"}, "checkin.lang is not a word within its limits"),
        ("checkin", GOOD | {"lang": "x" * 9}, "checkin.lang is not a word within its limits"),
        ("checkin", GOOD | {"lang": "a b"}, "checkin.lang is not a word within its limits"),
        ("checkin", GOOD | {"lang": "a\u00e9"}, "checkin.lang is not a word within its limits"),
        ("checkin", GOOD | {"lang": b"hi"}, "checkin.lang is not a word within its limits"),
        ("checkin", GOOD | {"code": bytes(7)}, "checkin.code is not a bytes within its limits"),
        ("checkin", GOOD | {"code": bytes(9)}, "checkin.code is not a bytes within its limits"),
        ("checkin", GOOD | {"code": "12345678"}, "checkin.code is not a bytes within its limits"),
        ("checkin", GOOD | {"others": []}, "checkin.others has too few or too many parts"),
        ("checkin", GOOD | {"others": ["K10"] * 6}, "checkin.others has too few or too many parts"),
        ("checkin", GOOD | {"others": "K10"}, "checkin.others is not a list"),
        ("checkin", GOOD | {"others": ["K1"]}, "checkin.others is not a label within its limits"),
        ("served", {"label": "K47", "cmd": ["desk"]}, "served.cmd has the wrong number of parts"),
        ("served", {"label": "K47", "cmd": ["desk", 1, 1]}, "served.cmd has the wrong number of parts"),
        ("served", {"label": "K47", "cmd": ["desk", True]}, "served.cmd is not a int within its limits"),
        ("served", {"label": "K47", "cmd": ["desk", 2**32]}, "served.cmd is not a int within its limits"),
        ("full_today", {"full": 1}, "full_today.full is not a bool within its limits"),
        ("left", {"label": "K47", "why": ""}, "left.why is not a text within its limits"),
        ("left", {"label": "K47", "why": "\u00e9" * 31}, "left.why is not a text within its limits"),
        *(
            ("left", {"label": "K47", "why": "a" + char}, "left.why is not a text within its limits")
            for char in "\0\n\x1f\x7f\x80\x9f"
        ),
    ],
)
def test_what_cannot_be_a_record_is_told_in_words(kind, fields, sentence):
    with pytest.raises(RecordError) as caught:
        records.build(kind, fields)
    assert str(caught.value) == sentence


def test_a_field_that_may_be_absent_may_be_null():
    assert records.build("left", {"label": "K10", "why": None, "who": None}) == (15, {0: "K10"})


def test_half_a_character_is_no_text():
    with pytest.raises(CodecError, match="a text holds half a character"):
        records.build("left", {"label": "K10", "why": "\ud800"})


def test_what_just_fits_is_written_and_read():
    for kind, fields in (
        ("left", {"label": "K10", "why": " "}),
        ("left", {"label": "X999", "why": "\u00e9" * 30}),
        ("left", {"label": "X999", "why": "~\xa0" * 20}),
        ("checkin", GOOD | {"lang": "~~", "lane": "!", "code": b"12345678", "others": ["K10"] * 5}),
        ("checkin", GOOD | {"lang": "l" * 8, "lane": "l" * 7, "pictogram": "train", "by": "staff"}),
        ("served", {"label": "K10", "who": "w", "cmd": ["i", 0]}),
        ("served", {"label": "K10", "who": "w" * 24, "cmd": ["i" * 16, 2**32 - 1]}),
        ("config_changed", {"name": "n" * 23, "value": ""}),
        ("config_changed", {"name": "n" * 24, "value": "v" * 64}),
        ("alert_acknowledged", {"alert": 1}),
        ("clock_set", {"utc": 2**36 - 1, "source": "rtc"}),
        ("day_closed", {"day": 65535, "deferred": 0}),
    ):
        code, body = records.build(kind, fields)
        raw = records.encode(code, 1, 1, 0, None, body)
        assert records.decode(raw).body == reading.replay(raw).body == fields


@pytest.mark.parametrize(
    ("envelope", "name"),
    [
        ((0, 1, 1, 0, None), "kind"),
        ((65536, 1, 1, 0, None), "kind"),
        ((11, 0, 1, 0, None), "seq"),
        ((11, 2**32, 1, 0, None), "seq"),
        ((11, True, 1, 0, None), "seq"),
        ((11, 1, 0, 0, None), "boot"),
        ((11, 1, 2**32, 0, None), "boot"),
        ((11, 1, 1, -1, None), "uptime"),
        ((11, 1, 1, 2**48, None), "uptime"),
        ((11, 1, 1, None, None), "uptime"),
        ((11, 1, 1, 0, -1), "clock"),
        ((11, 1, 1, 0, 2**36), "clock"),
        ((11, 1, 1, 0, False), "clock"),
    ],
)
def test_an_envelopes_limits_are_named(envelope, name):
    for act in (lambda: records.encode(*envelope, {}), lambda: records.decode(cbor.dumps([*envelope, {}]))):
        with pytest.raises(RecordError) as caught:
            act()
        assert str(caught.value) == f"a record's {name} is not within its limits"


@pytest.mark.parametrize("envelope", [(1, 1, 1, 0, 0), (65535, 2**32 - 1, 2**32 - 1, 2**48 - 1, 2**36 - 1)])
def test_an_envelope_at_its_limits_is_read(envelope):
    body = {0: 1, 255: 2} if envelope[0] > 1 else {0: "power", 1: "0.1"}
    record = records.decode(records.encode(*envelope, body))
    assert (record.code, record.seq, record.boot, record.uptime_ms, record.clock_s) == envelope


@pytest.mark.parametrize("body", [[], None, {-1: 0}, {256: 0}, {"a": 0}])
def test_a_body_has_keys_of_one_byte(body):
    with pytest.raises(RecordError, match="a record's body is not within its limits"):
        records.decode(cbor.dumps([99, 1, 1, 0, None, body]))


@pytest.mark.parametrize("parts", [[], [1, 2, 3, 4, 5], [11, 1, 1, 0, None, {0: "K47"}, 0], {}, 6])
def test_a_record_has_six_parts(parts):
    with pytest.raises(RecordError, match="a record is an array of six"):
        records.decode(cbor.dumps(parts))


def test_a_record_has_at_most_512_bytes():
    fits, long = ({0: bytes(n)} for n in (500, 501))
    raw = cbor.dumps([99, 1, 1, 0, None, fits])
    assert len(raw) == 512 and records.decode(raw).raw == raw == records.encode(99, 1, 1, 0, None, fits)
    with pytest.raises(RecordError, match="a record of 513 bytes is too long"):
        records.decode(cbor.dumps([99, 1, 1, 0, None, long]))
    with pytest.raises(RecordError, match="a record of 513 bytes is too long"):
        records.encode(99, 1, 1, 0, None, long)


@pytest.mark.parametrize("choice", [-1, 3, True, "urgent", None])
def test_a_choice_of_a_later_version_is_told_in_words(choice):
    raw = cbor.dumps([7, 1, 1, 0, None, {0: "K47", 1: choice, 2: "x"}])
    sentence = "is missing" if choice is None else "is a choice that this version does not know"
    with pytest.raises(RecordError) as caught:
        records.decode(raw)
    assert str(caught.value) == "class_changed.need " + sentence


def test_choices_are_read_by_their_places():
    for number, need in enumerate(NEEDS):
        raw = cbor.dumps([7, 1, 1, 0, None, {0: "K47", 1: number, 2: "x"}])
        assert records.decode(raw).body["need"] == reading.replay(raw).body["need"] == need


@pytest.mark.parametrize(
    ("text", "most", "cleaned"),
    [
        ("", 60, ""),
        ("a\tb\x1f\x7f\x80\x9fc\xa0", 60, "a b    c\xa0"),
        (" ~\u00e9", 60, " ~\u00e9"),
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        ("ab\u00e9", 3, "ab"),
        ("ab\u00e9", 4, "ab\u00e9"),
        ("\u00e9b", 1, ""),
    ],
)
def test_a_text_is_made_fit(text, most, cleaned):
    assert records.clean(text, most) == cleaned


def test_a_text_is_made_fit_for_a_reason():
    assert records.clean("x" * 61) == "x" * 60 == records.clean("x" * 60)


@pytest.mark.parametrize("n", [0, 1, 22, 23, 24, 25, 60])
def test_a_replay_reads_texts_of_every_length(n):
    fields = {"name": "n", "value": "v" * n}
    code, body = records.build("config_changed", fields)
    assert without_decode(records.encode(code, 1, 1, 0, None, body)).body == fields


def test_a_replay_refuses_what_goes_on():
    code, body = records.build("served", {"label": "K47"})
    raw = records.encode(code, 1, 1, 0, None, body)
    with pytest.raises(ValueError):
        without_decode(raw + b"\0")
    for broken in (raw + b"\0", raw[:-1], b"", b"\x86"):
        with pytest.raises(HubError):
            reading.replay(broken)


def test_a_replay_without_a_record_to_fill_makes_one():
    code, body = records.build("served", {"label": "K47"})
    raw = records.encode(code, 5, 6, 7, 8, body)
    first = reading.replay(bytearray(raw))
    second = reading.replay(bytearray(raw))
    assert first is not second and type(first.raw) is bytes
    into = blank()
    assert reading.replay(raw, into) is into and into.raw is raw


def test_the_words_on_the_wire_are_where_they_were():
    assert records.ALERTS == ("emergency", "help", "device", "other") and records.SOURCES == ("self", "staff")
    assert (records.MAX_RECORD, records.MAX_SEQ, records.MAX_MS) == (512, 2**32 - 1, 2**48 - 1)
    assert (records.MAX_FAMILY, records.MAX_ISSUERS, records.MAX_CARRIED) == (6, 8, 4)
