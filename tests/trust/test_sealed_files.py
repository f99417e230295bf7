"""Backups and invitations: the passphrase opens them, nothing else does, and it is told what is wrong."""

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smilehub.errors import AuthorityExists, SealedDamaged, UsageError, WrongPassphrase
from smilehub.trust import sealed
from smilehub.trust.authority import Authority

WORDS = "correct horse battery"
FILE = sealed.seal(sealed.BACKUP, b"all keys", WORDS, rnd=lambda n: bytes(range(n)), cost=4)


def test_only_the_passphrase_opens_it() -> None:
    assert sealed.unseal(sealed.BACKUP, FILE, WORDS) == b"all keys"
    assert b"all keys" not in FILE
    for wrong in (WORDS + " ", WORDS.upper(), "", "x" * 2000, "\0", "\udcff"):
        with pytest.raises(WrongPassphrase):
            sealed.unseal(sealed.BACKUP, FILE, wrong)


def test_the_same_letters_typed_in_another_way_open_it() -> None:
    file = sealed.seal(sealed.BACKUP, b"x", "Zähne putzen", cost=4)
    assert sealed.unseal(sealed.BACKUP, file, "Za\u0308hne putzen") == b"x"


@settings(deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_any_damage_is_told_from_a_wrong_passphrase(at: int, bits: int) -> None:
    wrong = bytearray(FILE)
    wrong[at] ^= bits
    with pytest.raises(SealedDamaged):
        sealed.unseal(sealed.BACKUP, bytes(wrong), WORDS)


@settings(deadline=None)
@given(st.integers(0, len(FILE) - 5), st.integers(1, 255))
def test_a_change_on_purpose_does_not_open_either(at: int, bits: int) -> None:
    wrong = bytearray(FILE[:-4])
    wrong[at] ^= bits
    file = bytes(wrong) + zlib.crc32(wrong).to_bytes(4, "little")
    with pytest.raises((SealedDamaged, WrongPassphrase)):
        sealed.unseal(sealed.BACKUP, file, WORDS)


@given(st.binary(max_size=100))
def test_anything_else_is_no_backup(data: bytes) -> None:
    for file in (data, b"SHSF" + data, FILE[: len(data)]):
        with pytest.raises(SealedDamaged):
            sealed.check(sealed.BACKUP, file)


def test_a_file_cannot_ask_for_all_memory_or_hours() -> None:
    for at, value in ((6, 30), (7, 255), (8, 255), (6, 0)):
        wrong = bytearray(FILE[:-4])
        wrong[at] = value
        with pytest.raises(SealedDamaged):
            sealed.check(sealed.BACKUP, bytes(wrong) + zlib.crc32(wrong).to_bytes(4, "little"))


def test_an_invitation_is_no_backup_and_says_so() -> None:
    file = sealed.seal(sealed.INVITATION, b"x", WORDS, cost=4)
    with pytest.raises(SealedDamaged) as error:
        sealed.unseal(sealed.BACKUP, file, WORDS)
    assert "hub accept" in error.value.hint


def test_a_guess_costs_what_it_should_and_short_words_are_refused() -> None:
    assert sealed.COST == 17  # OWASP's Password Storage Cheat Sheet: N = 2^17, r = 8, p = 1
    assert FILE[5] == sealed.BACKUP and FILE[7:9] == b"\x08\x01"
    with pytest.raises(UsageError):
        sealed.seal(sealed.BACKUP, b"", "x" * (sealed.LEAST - 1))


def test_every_backup_looks_different() -> None:
    hub = Authority.from_seed(1)
    a, b = hub.export(WORDS, cost=4), hub.export(WORDS, cost=4)
    assert a[9:37] != b[9:37] and a[37:60] != b[37:60]


def test_two_of_the_same_hub_become_one_and_nobody_comes_in_again(tmp_path: Path) -> None:
    times = iter(range(1000, 2000, 10))
    here = Authority.create(tmp_path / "a", "Hub", clock=lambda: next(times))
    x, y = here.issue_person("laptop", "x"), here.issue_person("laptop", "y")
    there = Authority.import_(tmp_path / "b", here.export(WORDS, cost=4), WORDS, clock=lambda: next(times))
    here.revoke(x.serial)
    there.revoke(y.serial)
    z = there.issue_person("technician", "z")
    assert there.sequence > here.sequence
    both = Authority.import_(tmp_path / "a", there.export(WORDS, cost=4), WORDS)
    assert both.revoked == {x.serial, y.serial} and both.find("z")[0].serial == z.serial
    assert both.sequence == there.sequence + 1, "the list says more than the newest did"
    again = Authority.import_(tmp_path / "a", here.export(WORDS, cost=4), WORDS)
    assert (again.issued, again.sequence) == (both.issued, both.sequence)
    assert Authority.load(tmp_path / "a").revoked == both.revoked


def test_a_backup_brings_the_whole_hub_back_and_overwrites_none(tmp_path: Path) -> None:
    hub = Authority.create(tmp_path / "a", "Hub")
    kiosk = hub.issue_kiosk(b"device")
    hub.revoke(hub.issue_person("laptop", "desk").serial)
    file = hub.export(WORDS, cost=4)
    assert Authority.hub_in(file, WORDS) == hub.hub
    back = Authority.import_(tmp_path / "b", file, WORDS)
    assert (back.cert, back.hub_key, back.issued) == (hub.cert, hub.hub_key, hub.issued)
    assert back.list_for(b"device") == hub.list_for(b"device")
    assert Authority.load(tmp_path / "b").issue_kiosk(b"device").list_key == kiosk.list_key
    other = Authority.create(tmp_path / "other", "Other")
    with pytest.raises(AuthorityExists):
        Authority.import_(tmp_path / "other", file, WORDS)
    assert Authority.load(tmp_path / "other").cert == other.cert
    with pytest.raises(WrongPassphrase):
        Authority.import_(tmp_path / "c", file, "something else")
    assert not (tmp_path / "c").exists()
