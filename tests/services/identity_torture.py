"""Torture of the kiosk's identity and revocation lists under both interpreters: power cuts, damage, fuzz.

Run as a program (see test_identity_store) it reads what to use from a file of hex lines and prints figures.
"""

from journal_torture import SECTOR, TEARS, Nor, Random, tear

from hubcore.errors import CodecError
from services import identity


def cuts(data, act, states, ask, rnd):
    """Cut the power at every flash operation of ``act(nor)`` in every way; ``ask(nor)`` must give one of
    ``states``, and doing it again must end in the last of them. How many cuts that were."""
    moments = []
    nor = Nor(16, data)
    nor.watch = lambda flash, block, offset, new: moments.append((bytes(flash.data), block, offset, new))
    act(nor)
    assert ask(nor) == states[-1]
    for before, block, offset, new in moments:
        for how in TEARS:
            torn = bytearray(before)
            tear(torn, block, offset, new, how, rnd)
            after = Nor(16, torn)
            assert ask(after) in states, how
            act(after)
            assert ask(after) == states[-1], how
    return len(moments) * len(TEARS)


def flipped(rnd, data):
    """The same with a few bytes changed, cut off or put in."""
    data = bytearray(data)
    for _ in range(1 + rnd.next(3)):
        at = rnd.next(len(data))
        what = rnd.next(8)
        if what < 5:
            data[at] ^= 1 + rnd.next(255)
        elif what < 6:
            data = data[:at] + bytearray(rnd.bytes(1 + rnd.next(4))) + data[at:]
        elif what < 7 and len(data) > 4:
            data = data[: at + 1]
        else:
            data[at] = (0, 0xFF, 0x80, 0x82)[rnd.next(4)]
    return bytes(data)


def refuses_or_answers(der):
    """Whether a certificate is read; anything but a refusal or (8 bytes, text) is a failure."""
    try:
        serial, name = identity.peer(der)
    except CodecError:
        return False
    assert len(serial) == 8 and isinstance(name, str)
    return True


def main(path, rounds):
    with open(path) as file:  # noqa: PTH123 -- MicroPython
        one, two, der, name, key, first, second = (bytes.fromhex(line.strip()) for line in file)
    rnd = Random(3)
    nor = Nor(16)
    assert identity.load(nor) is None
    assert identity.store(nor, one)
    a = identity.load(nor)
    assert [len(part) for part in a[3:]] == [32, 32]
    for part in a:
        assert isinstance(part, bytes)
    other = Nor(16)
    identity.store(other, two)
    b = identity.load(other)
    assert a != b
    done = cuts(nor.data, lambda flash: identity.store(flash, two), (a, b), identity.load, rnd)
    identity.store(nor, two)
    assert a[2] not in bytes(nor.data) and b[2] in bytes(nor.data)

    serial, who = identity.peer(der)
    assert who.encode() == name
    asked = lambda flash: identity.revoked(flash, serial)  # noqa: E731
    nor = Nor(16)
    assert not asked(nor)
    assert identity.take_list(nor, key, first) is None and not asked(nor)
    done += cuts(nor.data, lambda flash: identity.take_list(flash, key, second), (False, True), asked, rnd)
    assert identity.take_list(nor, key, second) is None and asked(nor)
    for blob in (first, second):
        assert identity.take_list(nor, key, blob) is not None
    assert identity.take_list(Nor(16), bytes(32), second) is not None

    for _ in range(rounds):
        wrong = flipped(rnd, second)
        if wrong != second:
            assert identity.take_list(Nor(16), key, wrong) is not None
        wrong = flipped(rnd, one)
        if wrong != one:
            assert not identity.store(Nor(16), wrong)
        flash = Nor(16)
        flash.data[4 * SECTOR : 4 * SECTOR + len(wrong)] = wrong
        assert wrong == one or identity.load(flash) is None
        refuses_or_answers(flipped(rnd, der))
    print("cuts", done, "rounds", rounds)


if __name__ == "__main__":
    import sys

    main(sys.argv[1], 150)
