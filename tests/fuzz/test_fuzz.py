"""What takes bytes from a peer or a file bears any: by atheris where it is to be had, by Hypothesis anywhere.

`python -m tools.fuzz` runs it for longer; so does `make soak`.
"""

import importlib.util

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.fuzz.__main__ import run
from tools.fuzz.targets import TARGETS, any_of_them, seeds

ALL = any_of_them.__name__
SEEDS = {name: seeds(name) for name in TARGETS}
guided = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not for this system"
)


@pytest.mark.parametrize("name", TARGETS)
def test_it_begins_with_what_is_in_good_order_and_bears_what_is_cut_off(name: str) -> None:
    assert SEEDS[name]
    for data in (b"", *SEEDS[name]):
        TARGETS[name](data)
        for at in range(0, len(data), max(1, len(data) // 20)):
            TARGETS[name](data[:at])


@pytest.mark.parametrize("name", [name for name in TARGETS if name != ALL])
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changed_bytes(name: str, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(SEEDS[name]) | st.binary(max_size=300))
    changed = bytearray(good)
    for at, how, byte in data.draw(
        st.lists(st.tuples(st.integers(0, 2000), st.sampled_from("sid"), st.integers(0, 255)), max_size=8)
    ):
        at %= len(changed) + 1
        changed[at : at + (how != "i")] = b"" if how == "d" else bytes((byte,))
    TARGETS[name](bytes(changed))


@guided
def test_what_guided_fuzzing_finds_in_short() -> None:
    fine, said = run(ALL, 10_000)
    assert fine, said


@guided
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", TARGETS)
def test_what_guided_fuzzing_finds_at_length(name: str) -> None:
    fine, said = run(name, 150_000, seed=2)
    assert fine, said
