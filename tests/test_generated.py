"""Generated files match their sources, and a mistake in a table stops the generation."""

from __future__ import annotations

import pytest

from scaffold.generate import names, rows
from scaffold.generate.expressions import RowsError
from scaffold.generate.files import generated, stale
from scaffold.templates import template

ROW = "{when: rwx, value: a, reason: b, rule: c}"
LAST = "{value: a, reason: b, rule: c}"
REFUSAL = "code: c, answer: host, message: m., fix: f."


def test_generated_files_are_committed() -> None:
    others = [path for path, text in generated() if (template.root() / path).read_text() != text]
    assert others == [], "run `python3 dev generate`"


def test_tables_are_read_without_scrolling() -> None:
    for path in (template.root() / "templates" / "decisions" / "tables").glob("*.yml"):
        assert max(map(len, path.read_text().splitlines())) <= 100, path


def test_nothing_is_left_of_tables_that_are_gone() -> None:
    assert stale() == []


@pytest.mark.parametrize(
    "source,told",
    [
        ("t: {first: [{wen: rwx, value: a, reason: b, rule: c}]}", "x/t/1 has no key wen; did you mean when?"),
        (f"t: {{first: [{LAST}], kep: name}}", "x/t has no key kep; did you mean keep?"),
        ("[]", "x.yml has no tables: each is a name with its rows"),
        ("t: {first: []}", "x/t has no rows under first"),
        ("t: {refuse: null}", "x/t has no rows under refuse"),
        ("t: {first: [null]}", "x/t/1 is no row: it says value, rule, reason"),
        ("t: {frist: []}", "x/t has no rows: they stand under first, all, refuse"),
        ("t: {first: [{reason: b, rule: c}]}", "x/t/1 has no value"),
        ("t: {first: [{value: a, rule: c}]}", "x/t/1 has no reason"),
        ("t: {first: [{value: a, reason: b}]}", "x/t/1 has no rule"),
        (f"t: {{first: [{LAST}], keep: name, rule: r}}", "x/t/keep has no reason"),
        ("t: {refuse: [{code: c, answer: host, fix: f.}]}", "x/t/1 has no message"),
        ("t: {refuse: [{code: c, answer: host, message: m.}]}", "x/t/1 has no fix"),
        ("t: {refuse: [{code: c, message: m., fix: f.}]}", "x/t/1 has no answer"),
        ("t: {refuse: [{answer: host, message: m., fix: f.}]}", "x/t/1 has no code"),
        (f"t: {{refuse: [{{{REFUSAL}, mend: f.}}]}}", "x/t/1 has no key mend"),
        (f"t: {{first: [{ROW}]}}", "x/t/1 is the last row of its table, and has to hold always: without when"),
        (f"t: {{first: [{LAST}, {LAST}]}}", "x/t/1 has no when, so that no row after it is ever reached"),
        (
            f"t: {{first: [{ROW}, {{when: rwx, final: true, value: a, reason: b, rule: c}}, {LAST}]}}",
            "x/t/2 is final: it belongs above the rows over which what is kept holds",
        ),
        (
            "t: {first: [{when: rwx, final: true, value: a, reason: b, rule: c}, " + LAST + "]}",
            "x/t has final rows, and keeps nothing that they could hold over",
        ),
        (
            't: {first: [{value: "{{ facts.storage_plan }}", reason: b, rule: c}]}',
            "x/t/1, value: there is no fact storage_plan; did you mean storage_plain?",
        ),
        (
            f"t: {{refuse: [{{when: facts.load_balancer.adress == host, {REFUSAL}}}]}}",
            "x/t/1, when: there is no fact adress; did you mean address?",
        ),
        (
            f"t: {{refuse: [{{when: host and, {REFUSAL}}}]}}",
            "x/t/1, when: host and is no expression: unexpected 'end of template'",
        ),
        (
            f"t: {{refuse: [{{when: host host, {REFUSAL}}}]}}",
            "x/t/1, when: host host is no expression: 'host' is too much",
        ),
        (
            f"t: {{refuse: [{{when: not volumes | selectattr('rwx'), {REFUSAL}}}]}}",
            "x/t/1, when: what selectattr gives is always true; write … | list",
        ),
        (
            f"t: {{refuse: [{{when: host and mebibytes(memory), {REFUSAL}}}]}}",
            "x/t/1, when: what the macro mebibytes gives is text; compare it",
        ),
        (f"t: {{refuse: [{{when: host | lowr, {REFUSAL}}}]}}", "x/t/1, when: no filter lowr; did you mean lower?"),
        (f"t: {{for: volumes, refuse: [{{{REFUSAL}}}]}}", "x/t is for volumes: write it like `volumes as volume`"),
        ("t: {refuse: [{code: c, answer: nmae, message: m., fix: f.}]}", "x/t/1: there is no answer nmae; did you mean name?"),
        (
            "t: {refuse: [{code: c, answer: quota.request_memory, message: m., fix: f.}]}",
            "x/t/1: there is no answer quota.request_memory; did you mean requests_memory?",
        ),
        (
            "t: {refuse: [{code: c, answer: 'anotations.{{ host }}', message: m., fix: f.}]}",
            "x/t/1: there is no answer anotations; did you mean annotations?",
        ),
        (
            "t: {for: volumes as disk, refuse: [{code: c, answer: .purpos, message: m., fix: f.}]}",
            "x/t/1: there is no answer volumes[0].purpos; did you mean purpose?",
        ),
        (
            "t: {refuse: [{settled_by: \"{{ host }}, teir\", " + REFUSAL + "}]}",
            "x/t/1, settled_by: there is no question teir; did you mean tier?",
        ),
        (f"host: {{first: [{LAST}]}}", "x/host is the name of a question, whose answer it would hide from later rows"),
        (f"t: {{refuse: [{{{REFUSAL}, when: host, when: dns}}]}}", "x.yml: when is given twice, in line 1"),
        ("t: [", "x.yml: line 1 is not YAML: expected the node content, but found '<stream end>'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(source: str, told: str) -> None:
    with pytest.raises(RowsError) as mistake:
        rows.compiled("x", rows.read("x", source))
    assert str(mistake.value).splitlines()[0] == told


@pytest.mark.parametrize(
    "source,told",
    [
        (f"t: {{refuse: [{{when: memry == '', {REFUSAL}}}]}}", "t/1: there is no name memry; did you mean memory?"),
        (f"t: {{first: [{ROW}, {{value: '{{{{ kep.claim }}}}', reason: b, rule: c}}]}}", "t/2: there is no name kep; did you mean kept?"),
        (f"t: {{first: [{LAST}], keep: volum.claim, kept_because: b}}", "t/keep: there is no name volum; did you mean volume?"),
        ("t: is_sensitve and volume.claim", "t: there is no name is_sensitve; did you mean is_sensitive?"),
        (f"u: umbrella.value\numbrella: {{first: [{LAST}]}}", "u: there is no name umbrella"),
        (f"t: {{first: [{LAST}]}}\nu: t.valu and umbrella.value", "u: there is no name umbrella"),
        (f"t: {{for: volumes as disk, refuse: [{{unique: dsk.purpose, {REFUSAL}}}]}}", "t/1: there is no name dsk; did you mean disk?"),
        (f"t: {{for: volums as disk, refuse: [{{{REFUSAL}}}]}}", "t/1: there is no name volums; did you mean volumes?"),
        (f"t: {{for: volumes as disk, with: {{a: disc.claim}}, refuse: [{{{REFUSAL}}}]}}", "t/1: there is no name disc; did you mean disk?"),
        (f"t: {{for: volumes as disk, refuse: [{{when: disk.purpse, {REFUSAL}}}]}}", "t/1: an item of volumes has no key purpse; did you mean purpose?"),
        (f"t: {{for: volumes as disk, refuse: [{{{REFUSAL}}}]}}\nu: disk.claim", "u: there is no name disk"),
    ],
)  # fmt: skip
def test_a_name_that_nothing_sets_is_told_with_its_row(source: str, told: str) -> None:
    """Questions declared before, what the Jinja around the table sets, and what stands above are known."""
    known = {*names.given("templates/decisions/rows/storage.jinja"), "kept", "is_sensitive", "refused"}
    with pytest.raises(RowsError) as mistake:
        names.check("x", rows.read("x", source), known)
    assert str(mistake.value) == f"x/{told}"


def test_a_table_knows_what_the_templates_around_it_set() -> None:
    storage = names.given("templates/decisions/rows/storage.jinja")
    assert {"name", "recorded", "facts", "names", "volume", "app", "filled"} <= storage
    assert not {"storage", "workload", "mebi", "row"} & storage, "they are set later"
    inner = names.given("templates/decisions/rows/refusals_dump.jinja")
    assert {"limits", "how", "asked", "checked"} & inner == {"limits", "how", "asked"}
    assert "container" not in names.given("templates/decisions/rows/refusals.jinja")


def test_a_table_that_nothing_reads_is_a_mistake() -> None:
    with pytest.raises(RowsError, match="no question and no decision reads templates/decisions/rows/x"):
        names.given("templates/decisions/rows/x.jinja")
