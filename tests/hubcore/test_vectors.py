"""The vectors of vectors.json one by one, in this process; both.py checks them in others."""

import ast
import json

import pytest
from make_vectors import PATH

from hubcore import cbor, frames, reading, records
from hubcore.errors import CodecError

VECTORS = json.loads(PATH.read_text())


@pytest.mark.parametrize("vector", VECTORS["cbor"], ids=lambda vector: vector["data"][:24])
def test_values(vector):
    value, data = ast.literal_eval(vector["value"]), bytes.fromhex(vector["data"])
    assert cbor.dumps(value) == data
    assert cbor.loads(data) == value
    assert cbor.load_from(b"--" + data + b"-", 2) == (value, 2 + len(data))


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_what_is_refused(vector):
    with pytest.raises(CodecError):
        cbor.loads(bytes.fromhex(vector["data"]))


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: str(len(vector["payload"]) // 2))
def test_frames(vector):
    payload, frame = bytes.fromhex(vector["payload"]), bytes.fromhex(vector["frame"])
    assert frames.encode(payload) == frame
    assert frames.Decoder().feed(frame) == [payload]


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: vector["kind"])
def test_records(vector):
    fields, raw = ast.literal_eval(vector["fields"]), bytes.fromhex(vector["raw"])
    code, body = records.build(vector["kind"], fields)
    assert records.encode(code, *vector["envelope"], body) == raw
    for record in (records.decode(raw), reading.replay(raw)):
        assert (record.kind, record.body, record.raw) == (vector["kind"], fields, raw)
        envelope = [record.seq, record.boot, record.uptime_ms, record.clock_s]
        assert envelope == vector["envelope"]
