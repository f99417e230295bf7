"""What the bench counts of a handshake's memory, from an allocator's trace."""

import pytest
from tools.bench import handshake

FOLDER = 32_816


def test_native_memory_is_what_is_used_at_most_between_the_marks_without_the_buffers_for_records() -> None:
    steps = [900, FOLDER, -FOLDER, 5_000, -5_000, FOLDER, -FOLDER]  # before: not TLS
    steps += [300, 16_717, 4_429, 200, -100, 400, -600, -4_429, FOLDER]
    levels = [1_000]
    for step in steps:
        levels.append(levels[-1] + step)
    assert handshake.peak(levels) == (300 + 200 - 100 + 400, 16_717 + 4_429)


def test_a_trace_without_its_marks_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="lacks its marks"):
        handshake.peak([0, 100, FOLDER + 100, 100])


def test_a_handshake_takes_memory_of_both_kinds() -> None:
    memory = handshake.measure()
    assert memory.records >= 2 * 4096
    assert 1_000 < memory.native < 1 << 20
    assert 1_000 < memory.code < memory.heap < 1 << 20
    assert memory.code < memory.heap_on_board < memory.heap
