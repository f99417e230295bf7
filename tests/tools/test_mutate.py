"""Mutation testing: mutants are what they say, and a test that notices one is told from one that does not."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from tools import mutate
from tools.mutation import trial
from tools.mutation.mutants import Mutant, compiled, find, function_code
from tools.mutation.pool import Died, pool

SOURCE = '''"""A module."""

LIMIT = 3


class Box:
    """A box."""

    def __init__(self, size=1):
        self.size = size

    @property
    def full(self) -> "int":
        return not self.size < LIMIT

    def add(self, things):
        """Add them."""
        for thing in things:
            if thing is None and self.full:
                continue
            self.size += 1
            self.last = thing
        print("added", True)
        if self.full:
            raise ValueError("full")
        return self.size * 2
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "box.py"
    path.write_text(SOURCE)
    return path


def test_each_kind_of_change_is_found_once_and_where_it_is(module: Path) -> None:
    found = [
        (mutant.line, mutant.what, mutant.function and mutant.function[0]) for mutant in find("box", module)
    ]
    assert found == [
        (3, "3 -> 4", None),
        (9, "1 -> 2", None),
        (10, "assignment dropped", "Box.__init__"),
        (14, "return None", "Box.full"),
        (14, "not dropped", "Box.full"),
        (14, "< -> <=", "Box.full"),
        (19, "and -> or", "Box.add"),
        (19, "is -> is not", "Box.add"),
        (20, "continue dropped", "Box.add"),
        (21, "+ -> -", "Box.add"),
        (21, "assignment dropped", "Box.add"),
        (21, "1 -> 2", "Box.add"),
        (22, "assignment dropped", "Box.add"),
        (23, "call dropped", "Box.add"),
        (23, "True -> False", "Box.add"),
        (24, "condition negated", "Box.add"),
        (25, "raise dropped", "Box.add"),
        (26, "return None", "Box.add"),
        (26, "* -> //", "Box.add"),
        (26, "2 -> 3", "Box.add"),
    ]


def test_a_mutant_differs_from_the_module_in_that_alone(module: Path) -> None:
    whole = ast.unparse(ast.parse(SOURCE))
    code = compile(SOURCE, str(module), "exec")
    for mutant in find("box", module):
        changed = compiled(mutant, module)
        assert changed != code, mutant
        if mutant.function is not None:
            inside = function_code(changed, mutant.function)
            assert inside is not None
            assert inside != function_code(code, mutant.function), mutant
    assert ast.unparse(ast.parse(module.read_text())) == whole


def test_jobs_speak_and_their_deaths_are_told() -> None:
    def speaks(say: Any) -> None:
        say({"n": 1})
        say({"n": 2})

    def fails(say: Any) -> None:
        say("first")
        raise ValueError("no more")

    def loops(_: Any) -> None:
        trial._arm(0.05)
        while True:
            pass

    said: dict[int, list[Any]] = {}
    for number, answer in pool([speaks, fails, loops], 2):
        said.setdefault(number, []).append(answer)
    assert said[0] == [{"n": 1}, {"n": 2}]
    assert said[1][0] == "first"
    assert isinstance(said[1][1], Died)
    assert "no more" in said[1][1].why
    assert isinstance(said[2][0], Died)
    assert "signal" in said[2][0].why


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A core of one module with one test of it."""
    folder = tmp_path / "firmware" / "hubcore"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "box.py").write_text(SOURCE)
    tests = tmp_path / "tests" / "hubcore"
    tests.mkdir(parents=True)
    for name, value in (("ROOT", tmp_path), ("CORE", folder), ("TESTS", tests)):
        monkeypatch.setattr(trial, name, value)
    monkeypatch.setattr(mutate, "EQUIVALENT", tmp_path / "equivalent.toml")
    (tests / "test_box.py").write_text(
        "from hubcore.box import Box\n"
        "def test_it():\n"
        "    box = Box()\n"
        "    assert box.add([7]) == 4\n"
        "    assert not box.full\n"
        "def test_more():\n"
        "    calls = 0\n"
        "    box = Box()\n"
        "    while not box.full:\n"
        "        box.size += 1\n"
    )
    return tmp_path


def test_a_function_that_makes_a_table_at_import_is_tried_there(core: Path) -> None:
    (core / "firmware" / "hubcore" / "table.py").write_text(
        "def _make():\n    return (1, 2)\n\n\nROW = _make()\n"
    )
    test = core / "tests" / "hubcore" / "test_box.py"
    test.write_text("from hubcore import table\n\n\ndef test_it():\n    assert table.ROW[0] == 1\n")
    found = fates(["table"])
    assert found == {(2, "return None"): "killed", (2, "1 -> 2"): "killed", (2, "2 -> 3"): "survived"}


def test_another_core_that_is_imported_already_does_not_matter(core: Path) -> None:
    from hubcore import fold

    assert not Path(fold.__file__).is_relative_to(core)
    assert fates()[26, "2 -> 3"] == "killed"


def fates(modules: list[str] | None = None) -> dict[tuple[int, str], str]:
    verdicts = trial.run(mutate.mutants(modules, equivalent=mutate.EQUIVALENT), 2, lambda done: None)
    return {(verdict.mutant.line, verdict.mutant.what): verdict.fate for verdict in verdicts}


def test_what_the_tests_notice_is_killed_and_what_they_do_not_survives(core: Path) -> None:
    found = fates()
    assert found[21, "+ -> -"] == found[26, "2 -> 3"] == found[24, "condition negated"] == "killed"
    assert found[9, "1 -> 2"] == "killed", "a default is executed at import"
    assert found[14, "return None"] == "slow", "the loop would never end"
    assert found[22, "assignment dropped"] == found[23, "True -> False"] == "survived"
    assert found[20, "continue dropped"] == found[25, "raise dropped"] == "unreached"
    assert found[3, "3 -> 4"] == "survived", "nobody looks at the limit itself"


def test_tests_that_fail_by_themselves_judge_nothing(core: Path) -> None:
    (core / "tests" / "hubcore" / "test_box.py").write_text("def test_it():\n    assert False\n")
    with pytest.raises(trial.Broken, match="test_it"):
        fates()
    (core / "tests" / "hubcore" / "test_box.py").write_text("import nowhere\n")
    with pytest.raises(trial.Broken, match="cannot be imported"):
        fates()


def test_an_equivalent_mutant_does_not_count_and_must_exist(core: Path) -> None:
    entry = '[[same]]\nmodule = "box"\nline = "{}"\nwhat = "assignment dropped"\nwhy = "for nobody"\n'
    mutate.EQUIVALENT.write_text(entry.format("self.last = thing"))
    assert (22, "assignment dropped") not in fates()
    mutate.EQUIVALENT.write_text(entry.format("self.last = things"))
    with pytest.raises(mutate.Stale, match="things"):
        mutate.mutants(equivalent=mutate.EQUIVALENT)


@pytest.mark.parametrize(("killed", "code"), [(17, 0), (16, 1)])
def test_the_exit_code_tells_whether_enough_were_killed(
    killed: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        trial.Verdict(
            Mutant("box", n, n + 1, "x = 1", "1 -> 2", None, (n, n)),
            "killed" if n < killed else "survived",
            0.1,
        )
        for n in range(20)
    ]
    monkeypatch.setattr(trial, "run", lambda *_: rows)
    assert mutate.main(["--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert (report["score"], report["mutants"], report["killed"]) == (5 * killed, 20, killed)
    assert len(report["survivors"]) == 20 - killed
    assert mutate.main([]) == code
    assert "box.py:20: 1 -> 2   x = 1" in capsys.readouterr().out


def test_a_sample_is_drawn_by_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[list[Mutant]] = []

    def none_killed(chosen: list[Mutant], *_: object) -> list[trial.Verdict]:
        drawn.append(chosen)
        return [trial.Verdict(mutant, "survived", 0.0) for mutant in chosen]

    monkeypatch.setattr(trial, "run", none_killed)
    for seed in ("1", "1", "2"):
        assert mutate.main(["--sample", "9", "--seed", seed]) == 1
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 9
