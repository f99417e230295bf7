"""Texts of compiled code become names: the program is the same, and takes less memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from smilehub.devices import image
from smilehub.devices.interned import intern_texts

PROGRAM = """
LARGE = 12345678901234567890
def talk(n, end="an end of more than ten letters"):
    for i in range(n):
        if i % 2:
            yield "an odd number of these things", i, 1 << 40
        else:
            yield b"bytes of more than ten letters", LARGE, ("one of two in a tuple", ("deeper in there", 2))
    try:
        raise ValueError("that could not be done, again")
    except ValueError as error:
        yield error.args[0] + ", " + end
class Part:
    text = "a text that a class has, of its own"
    def closure(self, more):
        def inner(): return more + "what is within the closure says"
        return inner
def many():
    return {"a key that is rather long": "and its value, too", "é, ü and ñ are letters as well": 2}
print(list(talk(3)), Part.text, Part().closure("x")(), sorted(many()), many()["a key that is rather long"])
print("the same text in two places", "the same text in two places" is "the same text in two places")
"""
LONG = "x" * 250


def run(folder: Path, code: bytes, program: str = "import a") -> str:
    (folder / "a.mpy").write_bytes(code)
    program = f"import sys, gc\nsys.path[:] = [{str(folder)!r}]\n{program}"
    interpreter = Path(sys.executable).with_name("micropython")
    done = subprocess.run(
        [interpreter, "-c", program], capture_output=True, text=True, check=False, timeout=30
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


def test_the_program_is_the_same(tmp_path: Path):
    plain = image.compile_file("a.py", PROGRAM.encode())
    said = run(tmp_path, plain)
    assert said.count("\n") == 2
    code = intern_texts(plain)
    assert code != plain
    assert run(tmp_path, code) == said
    assert code == image.compile_file("a.py", PROGRAM.encode(), lasting=True)


def test_a_text_is_there_once(tmp_path: Path):
    code = intern_texts(image.compile_file("a.py", b"f = ['what is needed again', 'what is needed again']"))
    assert code.count(b"what is needed again") == 1
    # Its name is behind the others, and no object is left.
    assert code[:6] == b"M\x06\x00\x1f" + bytes([4, 0])
    assert run(tmp_path, code, "import a; print(a.f)") == "['what is needed again', 'what is needed again']\n"


def test_it_takes_less_memory(tmp_path: Path):
    lines = [f"def f{i}(): return 'a text of about thirty letters {i:02d}'" for i in range(20)]
    source = "\n".join([*lines, "T = " + repr(tuple(f"in a tuple {i:02d}" for i in range(20)))]).encode()
    plain = image.compile_file("a.py", source)
    look = "gc.collect(); b = gc.mem_alloc(); import a; gc.collect(); print(gc.mem_alloc() - b)"
    before, after = int(run(tmp_path, plain, look)), int(run(tmp_path, intern_texts(plain), look))
    assert after < before - 20 * 40


MANY_NAMES = "\n".join(f"name_{i} = {i}" for i in range(150))
MANY_TEXTS = "print([" + ", ".join(f"'text number {i} of many'" for i in range(150)) + "], 1 << 40)"


@pytest.mark.parametrize(
    "source", [f"{MANY_NAMES}\nprint('a text of more than ten letters', name_149)", MANY_TEXTS]
)
def test_what_would_need_more_than_one_byte_stays_as_it_is(tmp_path: Path, source: str):
    plain = image.compile_file("a.py", source.encode())
    assert intern_texts(plain) == plain


def test_numbers_of_one_byte_are_counted_right(tmp_path: Path):
    texts = ", ".join(f"'text number {i} of many', {1 << 40 + i}" for i in range(60))
    plain = image.compile_file("a.py", f"print([{texts}])".encode())
    assert intern_texts(plain) != plain
    assert run(tmp_path, intern_texts(plain)) == run(tmp_path, plain)


def test_what_is_too_long_for_a_name_stays_an_object(tmp_path: Path):
    plain = image.compile_file("a.py", f"print({LONG!r}, ({LONG!r}, 2))".encode())
    assert intern_texts(plain) == plain
    assert run(tmp_path, plain) == f"{LONG} ('{LONG}', 2)\n"


@pytest.mark.parametrize(
    "code",
    [
        b"M\x05\x00\x1f\x00\x00",
        b"x",
        image.compile_file("a.py", PROGRAM.encode()) + b"\0",
        b"M\x06\x00\x1f\x00\x00\x01",
        b"M\x06\x00\x1f\x00\x01\x00\x08",
    ],
)
def test_what_is_not_understood_is_refused(code: bytes):
    with pytest.raises(ValueError, match=r"code|version"):
        intern_texts(code)
