"""Runs under either interpreter: checks vectors.json, then folds a journal, printing a digest a record.

Arguments: folder of hubcore, vectors file, journal file (one record a line, in hex). Prints "vectors N"
first.
"""

import json
import sys
from binascii import hexlify, unhexlify

sys.path.insert(0, sys.argv[1])

from hubcore import cbor, frames, reading, records
from hubcore.errors import CodecError
from hubcore.fold import Hub


def expect(got, wanted, what):
    if got != wanted:
        raise AssertionError(str(what) + ": " + str(got) + " is not " + str(wanted))


def check_vectors(vectors):
    n = 0
    for vector in vectors["cbor"]:
        value = eval(vector["value"])
        data = unhexlify(vector["data"])
        expect(cbor.dumps(value), data, vector)
        expect(cbor.loads(data), value, vector)
        n += 1
    for vector in vectors["refused"]:
        try:
            cbor.loads(unhexlify(vector["data"]))
        except CodecError:
            n += 1
            continue
        raise AssertionError("accepted " + vector["why"])
    for vector in vectors["frames"]:
        payload = unhexlify(vector["payload"])
        frame = unhexlify(vector["frame"])
        expect(frames.encode(payload), frame, vector)
        expect(frames.Decoder().feed(frame), [payload], vector)
        n += 1
    for vector in vectors["records"]:
        fields = eval(vector["fields"])
        raw = unhexlify(vector["raw"])
        code, body = records.build(vector["kind"], fields)
        expect(records.encode(code, *vector["envelope"], body), raw, vector)
        expect(records.decode(raw).body, fields, vector)
        expect(reading.replay(raw).body, fields, vector)
        n += 1
    return n


with open(sys.argv[2]) as f:  # noqa: PTH123 - MicroPython has no pathlib
    print("vectors", check_vectors(json.load(f)))
hub = Hub()
with open(sys.argv[3]) as f:  # noqa: PTH123
    for line in f:
        record = reading.replay(unhexlify(line.strip()))
        hub.apply(b"journal1", record)
        waiting = [
            (visit.label, hub.estimate(visit.label, hub.queue_ms)) for visit in hub.order(hub.queue_ms, 20)
        ]
        print(hexlify(hub.digest()).decode(), waiting, hub.calls(3))
