"""Arguments share their names, and every function computes what it did."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smilehub.devices.arguments import share


def shared(text: str) -> str:
    tree = ast.parse(text)
    share({"a.py": tree})
    return ast.unparse(tree)


def test_arguments_are_called_the_same_everywhere():
    text = "def f(self, width, *more): return g(width, *more)\ndef g(height, at=3): return height + at"
    assert shared(text) == ("def f(_, a, *b):\n    return g(a, *b)\n\ndef g(_, a=3):\n    return _ + a")


def test_what_is_passed_by_name_keeps_it():
    text = "def f(left, right): return left - right\nf(1, right=2)"
    assert shared(text) == "def f(_, right):\n    return _ - right\nf(1, right=2)"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a = 1\ndef f(x, y): return a + y", "a = 1\n\ndef f(_, b):\n    return a + b"),
        ("def f(x, y):\n    global a\n    return y", "def f(_, b):\n    global a\n    return b"),
        ("def f(x, y):\n    import y\n    return y", "def f(_, y):\n    import y\n    return y"),
        (
            "def f(x, y): return lambda a: y + a",
            "def f(_, b):\n    return lambda _: b + _",
        ),
    ],
)
def test_no_name_gets_in_another_s_way(text: str, after: str):
    assert shared(text) == after


@pytest.mark.parametrize(
    "text",
    [
        "def f(x, y):\n\n    class C:\n        z = y\n    return C",
        "def f(x, y):\n\n    def g():\n        nonlocal y\n        y = x\n    return g",
    ],
)
def test_what_is_hard_to_follow_is_left_alone(text: str):
    assert shared(text) == text


def test_a_mapping_passed_on_is_refused():
    with pytest.raises(ValueError, match="mapping"):
        shared("def f(x): return x\nf(**{'x': 1})")


#: Few, and those that the shared ones are: they meet all the time.
NAME = st.sampled_from(["_", "a", "b", "x", "y"])


@st.composite
def functions(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """A function ``f…`` of two arguments with all that binds names in it; it always ends."""
    one, two = draw(st.lists(NAME, min_size=2, max_size=2, unique=True))
    lines = [f"def f{depth}({one}, {two}=1):"]
    known = [one, two]
    for _ in range(draw(st.integers(1, 4))):
        new, old, other = draw(NAME), draw(st.sampled_from(known)), draw(st.sampled_from(known))
        kind = draw(st.integers(0, 5))
        if kind == 0:
            lines.append(f"    {new} = {old} + 2 * {other}")
        elif kind == 1:
            lines.append(
                f"    {old} = sum([{new} * {draw(st.sampled_from([new, old]))} for {new} in range(3)])"
            )
            new = old
        elif kind == 2:
            lines.append(f"    {new} = (lambda {other}, {draw(NAME)}_=3: {old} - {other})({other})")
        elif kind == 3:
            lines.append(
                f"    try: raise ValueError({old})\n    except ValueError as {new}: pass\n    {new} = 7"
            )
        elif kind == 4 and depth < 2:
            inner = draw(functions(depth + 1))
            lines += ["    " + line for line in "\n".join(inner).splitlines()]
            lines.append(f"    {new} = f{depth + 1}({old}, {other})")
        else:
            lines.append(f"    for {new} in range({old} % 3 + 1): {other} = {new} + {other}")
        known.append(new)
    # What is around is seen too.
    lines.append(f"    return ({', '.join(dict.fromkeys(known))}, {draw(NAME)})")
    return lines


@settings(max_examples=300, deadline=None)
@given(functions(), st.integers(-9, 9))
def test_a_function_computes_the_same(lines: list[str], value: int):
    text = "_, a, b, x, y = 100, 200, 300, 400, 500\n" + "\n".join(lines)

    def run(source: str) -> object:
        scope: dict[str, object] = {}
        try:
            exec(source + f"\nresult = f0({value})", scope)
        except (NameError, TypeError) as error:  # what was not bound yet, or a nested result
            return type(error)
        return scope["result"]

    assert run(shared(text)) == run(text)
