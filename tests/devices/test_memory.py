"""What of a compiled module is as large on the board as here."""

from pathlib import Path

import pytest

from smilehub.devices import image, memory
from smilehub.errors import ImageError


def compiled(name: str, source: str) -> bytes:
    return image.compile_file(f"{name}.py", source.encode())


def test_the_names_that_a_module_brings_along_are_read_from_it() -> None:
    names = memory.mpy_names(compiled("one", "def quite_unheard_of(len):\n    return len.print\n"))
    assert names == [b"one", b"quite_unheard_of"]  # the others are the interpreter's own


def test_texts_of_names_count_once() -> None:
    one = compiled("one", "import another_name\n")
    two = compiled("two", "import another_name\n")
    both = memory.code_bytes([one, two])
    assert both == memory.code_bytes([one]) + memory.code_bytes([two]) - len("another_name") - 2


def test_a_module_of_another_version_is_refused() -> None:
    with pytest.raises(ImageError, match="another version"):
        memory.mpy_names(b"M\x05" + bytes(20))


def test_the_model_counts_a_byte_once_and_a_pointer_half(tmp_path: Path) -> None:
    files = image.build_app(tmp_path)
    declared = memory.declared_bytes(files)
    loaded = sum(len(data) for name, data in files.items() if name.endswith(".mpy"))
    assert sum(memory.BUFFERS.values()) < declared < sum(memory.BUFFERS.values()) + loaded + 20_000
    assert memory.heap_on_board(memory.heap_here(204_800, declared), declared) == 204_800
