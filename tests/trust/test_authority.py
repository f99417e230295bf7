"""A hub's authority: what it issues, to whom, what it takes back, and what happens to its file."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from smilehub.errors import AuthorityExists, KeysDamaged, NoAuthority, NoIdentity, UsageError
from smilehub.trust import certificates, lists
from smilehub.trust.authority import Authority
from smilehub.trust.identity import Identity, KioskIdentity
from smilehub.trust.register import check_name

DEVICE = bytes.fromhex("7cdfa1b2c3d4")
HUB = Authority.from_seed("tests")
KIOSK = HUB.issue_kiosk(DEVICE)
LAPTOP = HUB.issue_person("laptop", "desk")
ANA = HUB.issue_person("technician", "Ana")


def test_certificates_say_what_the_contract_says() -> None:
    ca = x509.load_der_x509_certificate(HUB.cert)
    assert ca.issuer == ca.subject
    assert certificates.common_name(HUB.cert) == f"Smilehub hub {HUB.hub}"
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    for der, name, use in (
        (KIOSK.cert, "kiosk-7cdfa1b2c3d4", x509.ExtendedKeyUsageOID.SERVER_AUTH),
        (LAPTOP.cert, "laptop-desk", x509.ExtendedKeyUsageOID.CLIENT_AUTH),
        (ANA.cert, "technician-Ana", x509.ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        cert = x509.load_der_x509_certificate(der)
        cert.verify_directly_issued_by(ca)
        assert certificates.common_name(der) == name
        assert certificates.hub_of(der) == HUB.hub
        assert cert.not_valid_before_utc == datetime(2000, 1, 1, tzinfo=UTC)
        assert cert.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        used = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert used.critical and list(used.value) == [use]
        key = cert.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
        assert len(certificates.serial_of(der)) == 8 and cert.serial_number > 0
    assert len({certificates.serial_of(der) for der in (HUB.cert, KIOSK.cert, LAPTOP.cert, ANA.cert)}) == 4


def test_the_same_seed_gives_the_same_hub_and_another_another() -> None:
    again = Authority.from_seed("tests")
    assert again.issue_kiosk(DEVICE) == KIOSK
    assert again.issue_person("laptop", "desk") == LAPTOP
    other = Authority.from_seed("other")
    assert (other.cert, other.hub_key, other.hub) != (HUB.cert, HUB.hub_key, HUB.hub)


def test_two_real_hubs_share_nothing(tmp_path: Path) -> None:
    a, b = (Authority.create(tmp_path / name, "Hub") for name in "ab")
    assert a.hub != b.hub and a.hub_key != b.hub_key
    ka, kb = a.issue_kiosk(DEVICE), b.issue_kiosk(DEVICE)
    assert not {ka.key, ka.list_key, ka.hub_key} & {kb.key, kb.list_key, kb.hub_key}


def test_a_kiosk_s_list_key_is_its_own() -> None:
    other = HUB.issue_kiosk(b"other!")
    assert other.list_key != KIOSK.list_key and other.hub_key == KIOSK.hub_key
    assert lists.decode(other.list_key, HUB.list_for(DEVICE)) is None


def test_identities_come_back_from_their_bytes() -> None:
    assert Identity.decode(ANA.encode()) == ANA
    assert KioskIdentity.decode(KIOSK.numbered(77) + b"\xff" * 99) == KIOSK
    assert KIOSK.device_id == Identity.device_of(KIOSK.cert) == DEVICE
    for der in (LAPTOP.cert, HUB.cert, KIOSK.cert[:-3], b"", b"x" * 90):
        with pytest.raises(KeysDamaged):
            Identity.device_of(der)


@settings(deadline=None)
@given(st.integers(0, 1200), st.binary(max_size=3), st.integers(0, 3))
def test_a_changed_identity_is_damaged_or_another_one_of_the_same_form(
    at: int, new: bytes, drop: int
) -> None:
    for decode, data in ((Identity.decode, ANA.encode()), (KioskIdentity.decode, KIOSK.blob)):
        try:
            decode(data[:at] + new + data[at + drop :])
        except KeysDamaged:
            pass


def test_a_key_of_an_unknown_curve_and_a_name_of_another_type_are_damaged() -> None:
    with pytest.raises(KeysDamaged):
        certificates.key_from_der(LAPTOP.key.replace(b"\x2a\x86\x48\xce", b"\x2a\x96\x48\xce"))
    name = b"\x0c\x0blaptop-desk"
    assert name in LAPTOP.cert
    with pytest.raises(KeysDamaged):
        certificates.common_name(LAPTOP.cert.replace(name, b"\x03" + name[1:]))


def test_no_secret_shows_in_a_repr() -> None:
    for shown in (repr(LAPTOP), repr(KIOSK), repr(HUB), str(HUB.__dict__.get("issued"))):
        for secret in (LAPTOP.key, KIOSK.key, HUB.hub_key, KIOSK.list_key):
            assert repr(secret)[2:-1] not in shown and secret.hex() not in shown


def test_what_was_issued_and_taken_back_is_there_again(tmp_path: Path) -> None:
    now = iter(range(100, 10_000))
    hub = Authority.create(tmp_path, "  Northside  ", clock=lambda: next(now))
    assert hub.name == "Northside"
    desk, ana = hub.issue_person("laptop", "desk"), hub.issue_person("technician", "Ana")
    kiosk = hub.issue_kiosk(DEVICE)
    gone = hub.revoke(ana.serial)
    assert hub.revoke(ana.serial) == gone, "harmless again"
    again = Authority.load(tmp_path)
    assert (again.cert, again.name, again.issued) == (hub.cert, "Northside", hub.issued)
    assert again.revoked == {ana.serial}
    assert lists.decode(kiosk.list_key, again.list_for(DEVICE)) == (again.sequence, [ana.serial])
    assert again.issue_person("technician", "Ana").revoked == {ana.serial}
    assert [one.serial for one in again.find("desk")] == [desk.serial]
    assert again.find(desk.serial.hex().upper()) == again.find("laptop-desk") == again.find("desk")
    assert [one.role for one in again.find(DEVICE.hex())] == ["kiosk"]
    assert again.find("nobody") == []
    with pytest.raises(AuthorityExists):
        Authority.create(tmp_path, "Other")
    assert Authority.load(tmp_path).cert == hub.cert


def test_a_revoked_kiosk_is_the_laptops_business(tmp_path: Path) -> None:
    hub = Authority.create(tmp_path, "Hub")
    kiosk = hub.issue_kiosk(DEVICE)
    serial = certificates.serial_of(kiosk.cert)
    hub.revoke(serial)
    assert serial in hub.revoked
    assert lists.decode(kiosk.list_key, hub.list_for(DEVICE)) == (0, [])


def test_lists_rise_even_when_the_clock_falls_and_after_an_old_backup(tmp_path: Path) -> None:
    clock = [5_000]
    hub = Authority.create(tmp_path / "a", "Hub", clock=lambda: clock[0])
    people = [hub.issue_person("laptop", str(n)) for n in range(4)]
    backup = hub.export("correct horse", cost=4)
    seen: list[int] = []
    for n, now in enumerate((5_000, 4_000, 4_001)):
        clock[0] = now
        hub.revoke(people[n].serial)
        seen.append(hub.sequence)
    assert seen == [5_000, 5_001, 5_002]
    clock[0] = 9_000
    back = Authority.import_(tmp_path / "b", backup, "correct horse", clock=lambda: clock[0])
    back.revoke(people[3].serial)
    assert back.sequence > hub.sequence


def test_the_list_ends_where_a_request_does() -> None:
    hub = Authority.from_seed("many")
    serials = [hub.issue_person("laptop", str(n)).serial for n in range(lists.MOST + 1)]
    for serial in serials[:-1]:
        hub.revoke(serial)
    assert len(hub.list_for(DEVICE)) <= 1_024 - 16
    with pytest.raises(UsageError):
        hub.revoke(serials[-1])
    assert len(hub.revoked) == lists.MOST


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    Authority.create(tmp_path, "Hub")
    hubs = [Authority.load(tmp_path) for _ in range(4)]

    def work(number: int) -> None:
        for n in range(5):
            hubs[number].issue_person("laptop", f"{number} {n}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Authority.load(tmp_path).issued) == 20


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Authority.create(tmp_path, "Hub")
    before = (tmp_path / "authority").read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            hub.issue_person("laptop", "desk")
    assert hub.issued == ()
    assert (tmp_path / "authority").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "authority"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 33, "a\nb", "a\0b", "ж" * 25, "\u202eevil"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(UsageError):
        check_name(name)


def test_names_are_taken_once_and_free_again_when_taken_back() -> None:
    hub = Authority.from_seed(1)
    first = hub.issue_person("laptop", "Zoë")
    with pytest.raises(UsageError):
        hub.issue_person("technician", "Zoe\u0308")  # the same, written in another way
    hub.revoke(first.serial)
    assert hub.issue_person("technician", "Zoë").serial != first.serial
    with pytest.raises(UsageError):
        hub.issue_person("kiosk", "x")
    with pytest.raises(UsageError):
        hub.revoke(b"unknown!")


def test_nothing_there_is_told_from_damage(tmp_path: Path) -> None:
    with pytest.raises(NoAuthority):
        Authority.load(tmp_path)
    with pytest.raises(NoIdentity):
        Identity.load(tmp_path)
    hub = Authority.create(tmp_path / "hub", "Hub")
    hub.issue_person("technician", "Ana").save(tmp_path / "hub")
    assert Identity.load(tmp_path / "hub").role == "technician"
    hub.issue_person("laptop", "desk").save(tmp_path / "hub")
    assert Identity.load(tmp_path / "hub").role == "laptop"
    assert Identity.load(tmp_path / "hub", role="technician").name == "Ana"
    for name in ("authority", "laptop"):
        path = tmp_path / "hub" / name
        data = path.read_bytes()
        for wrong in (
            b"",
            data[:-1],
            data + b"x",
            b"\xa0",
            data[:40] + b"\0\0" + data[42:],
            b"\x80",
            b"\x01",
        ):
            path.write_bytes(wrong)
            with pytest.raises(KeysDamaged):
                _ = Authority.load(path.parent) if name == "authority" else Identity.load(path.parent)
