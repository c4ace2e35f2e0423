"""Files that declare a rule change: everything that is wrong is reported at once, with its line and its fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scaffold.checks.contract import ANYTHING, NOTHING, Allowed, Contract
from scaffold.checks.rule import Question, Rule
from scaffold.commands.fix import with_fix
from scaffold.errors import AnswersError, Finding, UsageError
from scaffold.hcl.syntax import Block, Document, parse
from scaffold.sweeps.file import declared, rule_from
from scaffold.sweeps.worklist import Open, read, text
from scaffold.templates.questions import Value

GOOD = """\
code: own
title: Own
select: {blocks: module.*}
edits:
  - {set: a, value: 1}
contract: nothing
"""


def wrong(source: str) -> list[Finding]:
    with pytest.raises(AnswersError) as caught:
        declared("own.yml", source.encode())
    return list(caught.value.findings)


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "fix"),
    [
        ("code: own\n", "", 1, "code is missing.", "Write it."),
        ("code: own", "code: o w n", 1, "code has the wrong form.", "Correct the value."),
        ("title: Own", "titel: Own", 2, "titel is not a key here.", "Did you mean title?"),
        ("{blocks: module.*}", "{block: module.*}", 3, "select.block is not a key here.", "Did you mean blocks?"),
        ("{blocks: module.*}", "[module.*]", 3, "select has the wrong form.", "Correct the value."),
        ("{blocks: module.*}", "{blocks: x, where: {a-: 1, a b: 2}}", 3, "select.where.a b is not a path.", "Correct the value."),
        ("  - {set: a, value: 1}", "  []", 4, "edits has the wrong form.", "Correct the value."),
        ("{set: a, value: 1}", "{sett: a}", 5, "edits.0 is not an edit.", "Write one of them in each edit."),
        ("{set: a, value: 1}", "{set: a, remove: b}", 5, "edits.0 is more than one edit: set, remove.", "Write one of them in each edit."),
        ("{set: a, value: 1}", "{set: a}", 5, "edits.0 says no value.", "Write one of them."),
        ("{set: a, value: 1}", "{set: a, value: 1, ask: b}", 5, "edits.0 says more than one value: value, ask.", "Write one of them."),
        ("value: 1", "value: [1]", 5, "edits.0.value has the wrong form.", "Correct the value."),
        ("value: 1", "expression: '('", 5, "edits.0.expression is not an expression", "Correct the value."),
        ("{set: a, value: 1}", "{add: 'a = '}", 5, "edits.0.add is not HCL", "Correct the value."),
        ("{set: a, value: 1}", '{add: "a = 1\\nb = 2"}', 5, "edits.0.add holds 2 definitions.", "Correct the value."),
        ("{set: a, value: 1}", "{rename: a}", 5, "edits.0.to is missing.", "Write it."),
        ("{set: a, value: 1}", "{rename: a, to: b, ask: c}", 5, "edits.0.ask goes with values.", "Say which values need no question."),
        ("{set: a, value: 1}", "{set: a, value: 1, proposals: [b]}", 5, "edits.0.proposals go with ask.", "Ask something, or remove them."),
        ("nothing", "everything", 6, "contract has the wrong form.", "Correct the value."),
        ("nothing", "[{resource: x}]", 6, "contract.0 does not say what may change.", "Write one of them."),
        ("nothing", "[{resource: x, comes: true, to: y}]", 6, "contract.0 does not say what may change.", "Write one of them."),
        ("nothing", "[{resource: x, attribut: y}]", 6, "contract.0.attribut is not a key here.", "Did you mean attribute?"),
        ("title: Own", "title: Own\ncode: b", 3, "code is given twice.", "Remove one of them."),
        ("title: Own", "title: [", 4, "The file is not YAML", "Correct the line."),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_and_its_mend(
    old: str, new: str, line: int, what: str, fix: str
) -> None:
    assert GOOD.count(old) == 1
    told = [f for f in wrong(GOOD.replace(old, new)) if f.message.startswith(what)]
    assert [(f.path, f.line, f.fix) for f in told] == [("own.yml", line, fix)]


def test_all_mistakes_are_told_at_once() -> None:
    source = (
        GOOD.replace("title: Own\n", "")
        .replace("{set: a, value: 1}", "{set: a b, value: 1}")
        .replace("nothing", "[{resource: x}]")
    )
    assert [f.message.split()[0] for f in wrong(source)] == ["title", "edits.0.set", "contract.0"]


def test_the_contract_is_read_as_it_is_written() -> None:
    assert declared("own.yml", GOOD.encode()).contract({}) == NOTHING
    rows = "[{resource: a, attribute: b, from: null, to: true}, {resource: c, goes: true}]"
    read_ = declared("own.yml", GOOD.replace("nothing", rows).encode()).contract({})
    assert read_ == Contract(
        (Allowed("a", "b", None, "true"), Allowed("c", "", ANYTHING, ANYTHING, comes=False))
    )


PYTHON = """\
from scaffold.checks.contract import NOTHING
from scaffold.checks.rule import Rule


class Own(Rule):
    code = "OWN001"
    title = "Own"

    def check_stack(self, stack, context):
        return ()

    def fix(self, document, block, facts):
        return None
"""


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("import Rule\n", "import Rul\n", "cannot be run: ImportError"),
        ("class Own", "class Own(", "cannot be run: SyntaxError"),
        ('    code = "OWN001"\n', "", "has to hold one class"),
        ("    def fix", "    def fixed", "has to hold one class"),
    ],
)
def test_a_class_in_python_is_a_rule_or_told(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = tmp_path / "own.py"
    path.write_text(PYTHON)
    assert rule_from(path).code == "OWN001"
    path.write_text(PYTHON.replace(old, new))
    with pytest.raises(AnswersError, match=what):
        rule_from(path)


def test_an_edit_that_changes_nothing_is_the_last() -> None:
    class Idle(Rule):
        code, title = "OWN001", "Nothing to do"
        asked = 0

        def fix(self, document: Document, block: Block, facts: Mapping[str, Value]) -> bytes:
            self.asked += 1
            assert self.asked < 3
            return document.source.data

    source = b'resource "terraform_data" "a" {}\n'
    assert with_fix(parse(source), 1, Idle(), {}) == source


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        rule_from(tmp_path / "none.yml")


def test_a_worklist_is_read_as_it_is_written_and_its_mistakes_are_told_at_once() -> None:
    question = Question("What gates it?", ("app", "none"))
    site = ("stacks/a/main.tf", "module.web")
    listed = text([Open("a", site, 7, question)], "scaffold sweep X --answers FILE")
    assert listed.startswith("# Answer each question (a reason becomes a comment). Then: scaffold sweep X")
    assert read("w.yml", listed.encode()).of(site, question) is None, "not answered yet"
    done = listed.replace("answer: null", "answer: none")
    answer = read("w.yml", done.encode()).of(site, question)
    assert answer is not None and (answer.value, answer.reason) == ("none", "")
    assert read("w.yml", done.encode()).of(site, Question("Which record?", ("none",))) is None
    given = read(
        "w.yml", (done.replace("none", "open") + done.partition("\n")[2].replace("web", "gone")).encode()
    )
    assert given.of(site, question) is None
    with pytest.raises(AnswersError) as caught:
        given.demand([site])
    assert [(f.line, f.message) for f in caught.value.findings] == [
        (10, "0.answer is none of the proposals."),
        (15, "1.block is not a block of the stacks that are swept."),
    ]
    with pytest.raises(AnswersError) as caught:
        read("w.yml", b"- {file: a, block: b}\n- {file: a, anser: b}\n")
    assert len(caught.value.findings) == 4


def test_the_files_that_the_documentation_shows_are_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sweep.md").read_text()
    shown = [part.partition("\n") for part in page.split("```")[1::2]]
    files = [(kind, body) for kind, _, body in shown if kind in ("yaml", "python")]
    assert [kind for kind, _ in files] == ["yaml", "python", "yaml", "yaml"]
    for kind, body in files:
        path = tmp_path / f"own.{'yml' if kind == 'yaml' else 'py'}"
        path.write_text(body)
        assert rule_from(path).title
