"""The kiosk's identity: power cuts, damage, fuzz, on CPython and on the real interpreter."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import identity_torture
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_torture import SECTOR, Nor

from hubcore import cbor
from hubcore.errors import CodecError
from services import identity
from smilehub.trust import certificates, lists
from smilehub.trust.authority import Authority

HERE = Path(__file__).parent
DEVICE = bytes.fromhex("a1b2c3d4e5f6")
HUB = Authority.from_seed("store")
KIOSK = HUB.issue_kiosk(DEVICE)
LAPTOP = HUB.issue_person("laptop", "Aït Ben")


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that identity_torture reads."""
    hub = Authority.from_seed("torture")
    kiosk = hub.issue_kiosk(DEVICE)
    laptop = hub.issue_person("laptop", "desk")
    hub.revoke(hub.issue_person("technician", "Ana").serial)
    first = hub.list_for(DEVICE)
    hub.revoke(laptop.serial)
    blobs = KIOSK.blob, kiosk.blob, laptop.cert, b"laptop-desk", kiosk.list_key, first, hub.list_for(DEVICE)
    path = tmp_path_factory.mktemp("identity") / "material"
    path.write_text("".join(blob.hex() + "\n" for blob in blobs))
    return path


def test_no_cut_and_no_damage_leaves_a_kiosk_between_two_hubs(material: Path) -> None:
    identity_torture.main(material, 100)


def test_the_same_on_the_real_interpreter_in_a_small_heap(material: Path) -> None:
    script = (
        "import gc\ngc.collect()\nbefore = gc.mem_alloc()\nfrom services import identity\ngc.collect()\n"
        "print('code', gc.mem_alloc() - before)\nfrom identity_torture import main\n"
        f"main({str(material)!r}, 60)\nfrom journal_torture import Nor\nnor = Nor(16)\n"
        f"file = open({str(material)!r})\nblob = bytes.fromhex(file.readline().strip())\n"
        "identity.store(nor, blob)\ngc.collect()\ngc.threshold(-1)\nbefore = gc.mem_alloc()\n"
        "held = identity.load(nor)\nprint('with garbage', gc.mem_alloc() - before)\n"
    )
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-X", "heapsize=8M", "-c", script],
        env=os.environ | {"MICROPYPATH": f".frozen:{HERE.parents[1] / 'firmware'}:{HERE}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert said["cuts 48 rounds"] == "60"
    # Bytes (the sector and the parts) are as many on an ESP32, objects half as large: half of the handshake's
    # 8 KiB, most of which is garbage by then.
    plain = 2 * len(KIOSK.blob)
    assert plain + (int(said["with garbage"]) - plain) / 2 <= 4096


@pytest.mark.parametrize("person", [LAPTOP, HUB.issue_person("technician", "x" * 32)])
def test_serial_and_name_of_a_certificate(person: object) -> None:
    cert = person.cert  # type: ignore[attr-defined]
    assert identity.peer(cert) == (certificates.serial_of(cert), certificates.common_name(cert))


def test_what_is_loaded_is_what_was_issued() -> None:
    nor = Nor(16)
    nor.data[4 * SECTOR : 4 * SECTOR + len(KIOSK.blob)] = KIOSK.blob
    assert identity.load(nor) == (KIOSK.authority, KIOSK.cert, KIOSK.key, KIOSK.hub_key, KIOSK.list_key)
    assert identity.store(nor, KIOSK.blob)
    # the next generation in the other sector, and nothing of the first one's left
    assert nor.data[5 * SECTOR :].startswith(KIOSK.numbered(2))
    assert bytes(nor.data[4 * SECTOR : 5 * SECTOR]) == b"\xff" * SECTOR


def test_the_first_sectors_are_not_touched() -> None:
    nor = Nor(16)
    touched: set[int] = set()
    nor.watch = lambda _flash, block, _offset, _new: touched.add(block)
    for _ in range(3):
        identity.store(nor, KIOSK.blob)
        identity.take_list(nor, KIOSK.list_key, lists.encode(KIOSK.list_key, len(touched), []))
    assert touched == {4, 5, 6, 7}


def test_a_list_of_another_hub_neither_counts_nor_stands_in_the_way() -> None:
    nor = Nor(16)
    old, new = bytes(32), KIOSK.list_key
    assert identity.take_list(nor, old, lists.encode(old, 900, [b"oldolold"])) is None
    assert identity.take_list(nor, new, lists.encode(old, 901, [b"newnewne"])) == ""
    assert identity.take_list(nor, new, lists.encode(new, 3, [b"newnewne"])) is None
    assert identity.revoked(nor, b"newnewne") and not identity.revoked(nor, b"oldolold")
    assert identity.take_list(nor, new, lists.encode(new, 3, [])) == "3"


def test_after_a_cut_the_newer_of_two_lists_is_never_the_one_that_is_overwritten() -> None:
    key = KIOSK.list_key
    nor = Nor(16)
    for sector, sequence in ((6, 5), (7, 4)):
        blob = lists.encode(key, sequence, [bytes([sequence]) * 8])
        nor.data[sector * SECTOR : sector * SECTOR + len(blob)] = blob
    assert identity.take_list(nor, key, lists.encode(key, 5, [])) is not None
    touched: list[int] = []
    nor.watch = lambda _flash, block, _offset, _new: touched.append(block)
    assert identity.take_list(nor, key, lists.encode(key, 6, [])) is None
    assert touched == [7, 7, 6]


def test_a_length_that_lies_costs_no_memory() -> None:
    asked: list[int] = []

    class Watched(Nor):
        def readblocks(self, block: int, buf: bytearray, offset: int = 0) -> None:
            asked.append(len(buf))
            super().readblocks(block, buf, offset)

    for magic, first in ((b"SHID", 4), (b"SHRL", 6)):
        for size in (0xFFFF, 2048, 256):
            nor = Watched(16)
            head = magic + bytes(4) + size.to_bytes(2, "little")
            nor.data[first * SECTOR : first * SECTOR + 10] = head
            assert identity.load(nor) is None
            assert not identity.revoked(nor, bytes(8))
    assert max(asked) <= 2048


def test_as_many_as_a_request_holds_can_be_taken_back() -> None:
    nor = Nor(16)
    serials = [bytes([n]) * 8 for n in range(lists.MOST)]
    blob = lists.encode(KIOSK.list_key, 1, serials)
    assert len(blob) <= 1024 - 16
    assert identity.take_list(nor, KIOSK.list_key, blob) is None
    assert all(identity.revoked(nor, serial) for serial in serials)
    assert not identity.revoked(nor, b"anything")


def test_worn_flash_is_told_and_the_identity_before_stays() -> None:
    nor = Nor(16)
    identity.store(nor, KIOSK.blob)
    at = 4 * SECTOR + 300 if nor.data[4 * SECTOR] == 0xFF else 5 * SECTOR + 300
    other = Authority.from_seed("worn").issue_kiosk(DEVICE)
    nor.bad = at + next(i for i in range(100) if not other.blob[300 + i] & 1)
    with pytest.raises(OSError, match="5"):
        identity.store(nor, other.blob)
    assert identity.load(nor)[2] == KIOSK.key  # type: ignore[index]


@given(
    st.dictionaries(st.integers(0, 6), st.one_of(st.binary(max_size=40), st.integers(-9, 2**40), st.none()))
)
@settings(deadline=None)
def test_a_blob_of_the_right_form_with_anything_in_it(fields: dict[int, object]) -> None:
    body = cbor.dumps(fields)
    data = b"SHID" + bytes(4) + len(body).to_bytes(2, "little") + body
    nor = Nor(16)
    if identity.store(nor, data + zlib.crc32(data).to_bytes(4, "little")):
        assert identity.load(nor) == tuple(fields[i] for i in range(5))
    else:
        assert identity.load(nor) is None


@given(
    st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda b: b"SHID" + b), st.text(max_size=9))
)
@settings(deadline=None)
def test_anything_else_is_refused(data: bytes | str) -> None:
    if isinstance(data, str):
        data = cbor.dumps(data)
    nor = Nor(16)
    assert not identity.store(nor, data)
    assert identity.take_list(nor, KIOSK.list_key, data) is not None
    with pytest.raises(CodecError):
        identity.peer(data)


@given(st.integers(0, len(LAPTOP.cert) - 1), st.binary(min_size=1, max_size=4), st.integers(0, 3))
@settings(deadline=None, max_examples=400)
def test_a_changed_certificate_is_read_or_refused(at: int, new: bytes, drop: int) -> None:
    identity_torture.refuses_or_answers(LAPTOP.cert[:at] + new + LAPTOP.cert[at + drop :])


@pytest.mark.parametrize(
    "field", [b"\x0c", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x83\x00\x00\x01\x30"]
)
def test_lengths_that_lie_are_refused(field: bytes) -> None:
    with pytest.raises(CodecError):
        identity.peer(field + LAPTOP.cert)


def test_two_names_are_refused() -> None:
    again = LAPTOP.cert.replace(b"\x06\x03\x55\x04\x0a", b"\x06\x03\x55\x04\x03")
    with pytest.raises(CodecError):
        identity.peer(again)
