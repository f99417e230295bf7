"""Secrets in flash: a power cut within any operation, torn entries, worn and damaged flash."""

import hashlib
import hmac as standard
from collections.abc import Callable
from typing import Any

import pytest
from journal_torture import SECTOR, TEARS, Nor, Random, tear

from services.codes import hmac
from services.keys import KeysError, KeyStore


def held(store: KeyStore) -> dict[str, bytes]:
    found = {name: store.get(name) for name in store.names()}
    return {name: value for name, value in found.items() if value is not None and name != "device"}


class Work:
    """Random sets and removals over one flash; knows what was acknowledged, and what was under way."""

    def __init__(self, nor: Nor, rnd: Random) -> None:
        self.nor = nor
        self.rnd = rnd
        self.store = KeyStore(nor, rnd.bytes)
        self.kept: dict[str, bytes] = {}
        self.pending: dict[str, bytes] | None = None

    def step(self) -> None:
        name = "." + "abcdefghijklmnop"[self.rnd.next(16)]
        after = dict(self.kept)
        if self.rnd.next(4) == 0:
            after.pop(name, None)
            self.pending = after
            self.store.remove(name)
        else:
            after[name] = self.rnd.bytes(self.rnd.next(37))
            self.pending = after
            self.store.set(name, after[name])
        self.kept, self.pending = after, None


def test_a_cut_at_any_flash_operation_loses_nothing_and_keeps_the_device_key() -> None:
    rnd = Random(11)
    moments: list[tuple[bytes, int, int, bytes | None, dict[str, bytes], dict[str, bytes]]] = []
    nor = Nor(16)
    work = Work(nor, rnd)

    def watch(flash: Nor, block: int, offset: int, new: bytes | None) -> None:
        moments.append(
            (bytes(flash.data[2 * SECTOR : 4 * SECTOR]), block, offset, new, work.kept, work.pending or {})
        )

    nor.watch = watch
    for _ in range(170):  # the sectors change places three times
        work.step()
    assert sum(new is None for _, _, _, new, _, _ in moments) >= 2
    for before, block, offset, new, kept, pending in moments:
        for how in TEARS:
            data = bytearray(2 * SECTOR) + before
            tear(data, block, offset, new, how, rnd)
            after = KeyStore(Nor(4, data), rnd.bytes)
            assert after.device_key == work.store.device_key, how
            assert held(after) in (kept, pending), how
            after.set("next", b"1")
            again = KeyStore(after._part, rnd.bytes)  # pyright: ignore[reportPrivateUsage]
            assert again.get("next") == b"1"
            assert again.device_key == work.store.device_key


def test_a_cut_in_the_first_start_ends_in_one_key_for_good() -> None:
    rnd = Random(2)
    moments: list[tuple[bytes, int, int, bytes | None]] = []
    nor = Nor(4)
    nor.watch = lambda flash, block, offset, new: moments.append((bytes(flash.data), block, offset, new))
    KeyStore(nor, rnd.bytes)
    assert len(moments) == 4  # an erase, the key twice, the sector's first entry
    for before, block, offset, new in moments:
        for how in TEARS:
            data = bytearray(before)
            tear(data, block, offset, new, how, rnd)
            flash = Nor(4, data)
            key = KeyStore(flash, rnd.bytes).device_key
            assert len(key) == 32
            assert KeyStore(flash, rnd.bytes).device_key == key


def test_the_first_two_sectors_are_the_boot_state_s() -> None:
    nor = Nor(4)
    touched: set[int] = set()
    nor.watch = lambda _flash, block, _offset, _new: touched.add(block)
    work = Work(nor, Random(1))
    for _ in range(150):
        work.step()
    assert touched == {2, 3}


@pytest.mark.parametrize("at", [0, 64, 2 * 64, 5 * 64 + 8])
def test_damage_to_one_entry_costs_at_most_that_entry(at: int) -> None:
    nor = Nor(4)
    work = Work(nor, Random(4))
    for _ in range(40):
        work.step()
    data = bytearray(nor.data)
    data[SECTOR * work.store._sector + at + 20] ^= 0x41  # pyright: ignore[reportPrivateUsage]
    after = KeyStore(Nor(4, data), work.rnd.bytes)
    assert after.device_key == work.store.device_key
    assert len(held(after).items() ^ work.kept.items()) <= 2


def test_worn_flash_is_gone_around_or_told() -> None:
    nor = Nor(4)
    store = KeyStore(nor, Random(5).bytes)
    nor.bad = 64 * 3 + 50 + SECTOR * store._sector  # pyright: ignore[reportPrivateUsage]
    for n in range(3):
        store.set("a", bytes(30 + n))
    assert KeyStore(nor, Random(5).bytes).get("a") == bytes(32)

    class Dead(Nor):
        def writeblocks(self, block: int, buf: bytes, offset: int) -> None:
            raise OSError(5)

    with pytest.raises(KeysError):
        KeyStore(Dead(4), Random(5).bytes)


@pytest.mark.parametrize(("name", "value"), [("", b""), ("x" * 17, b""), ("x", bytes(37))])
def test_what_does_not_fit_is_refused(name: str, value: bytes) -> None:
    store = KeyStore(Nor(4), Random(1).bytes)
    with pytest.raises(ValueError, match="too long"):
        store.set(name, value)


def test_setting_the_same_again_writes_nothing() -> None:
    nor = Nor(4)
    store = KeyStore(nor, Random(1).bytes)
    store.set("a", b"1")
    before = nor.operations
    store.set("a", b"1")
    store.remove("b")
    assert nor.operations == before


def test_more_secrets_than_a_sector_holds_are_told() -> None:
    store = KeyStore(Nor(4), Random(1).bytes)
    with pytest.raises(KeysError):
        for n in range(70):
            store.set(str(n), b"")


def test_hmac_is_that_of_the_rfc() -> None:
    digest: Callable[[], Any] = hashlib.sha256
    for key, text in ((b"", b""), (b"k" * 32, b"code" + b"udybudyb"), (b"k" * 64, bytes(300))):
        assert hmac(key, text[:3], text[3:]) == standard.new(key, text, digest).digest()
