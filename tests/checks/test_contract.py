"""Contracts: everything in the difference of two plans that no row allows is reported, with its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scaffold.checks.contract import IGNORES, NOTHING, Allowed, Contract, outside
from scaffold.commands.rule import all_rules
from scaffold.templates import decisions
from scaffold.terraform.diff import difference
from scaffold.terraform.planned import Mark, PlannedResource, Site, Tree
from scaffold.terraform.result import Moves

LABEL = 'metadata[0].labels["stamped.example.test/mode"]'


def resource(name: str = "app", *, ignores: tuple[str, ...] = (), **values: Tree) -> PlannedResource:
    site = Site("stacks/app/main.tf", 7, meta={IGNORES: ignores} if ignores else {})
    type_ = "kubernetes_manifest"
    return PlannedResource(f"{type_}.{name}", type_, name, "", None, values, site=site)


def told(before: list[PlannedResource], after: list[PlannedResource], *rows: Allowed) -> list[str]:
    return [finding.message for finding in outside(difference(before, after), Contract(rows))]


V1 = Allowed("kubernetes_manifest", "manifest.apiVersion", "*/v1beta1", "*/v1")


def secret(version: str, kind: str = "ExternalSecret") -> PlannedResource:
    return resource(manifest={"apiVersion": f"example.test/{version}", "kind": kind})


@pytest.mark.parametrize("pattern", ["kubernetes_manifest", "kubernetes_*", "kubernetes_manifest.app", "*"])
def test_what_a_row_allows_is_not_told(pattern: str) -> None:
    assert told([secret("v1beta1")], [secret("v1")], replace(V1, resource=pattern)) == []


@pytest.mark.parametrize(
    ("row", "after"),
    [
        (None, secret("v1")),
        (replace(V1, resource="kubernetes_secret"), secret("v1")),
        (replace(V1, attribute="manifest.kind"), secret("v1")),
        (replace(V1, before="*/v1alpha1"), secret("v1")),
        (replace(V1, before=None), secret("v1")),
        (V1, secret("v2")),
        (V1, resource(manifest={"kind": "ExternalSecret"})),
    ],
)
def test_another_resource_path_or_value_is_outside(row: Allowed | None, after: PlannedResource) -> None:
    (what,) = told([secret("v1beta1")], [after], *([row] if row else []))
    assert what.startswith(
        "kubernetes_manifest.app: manifest.apiVersion would change from example.test/v1beta1"
    )


def test_every_change_outside_is_told_with_its_place_and_what_is_allowed() -> None:
    found = difference(
        [secret("v1beta1")], [replace(secret("v1", "Store"), address="kubernetes_manifest.app")]
    )
    (finding,) = outside(found, Contract((V1,)))
    assert (finding.path, finding.line, finding.code) == ("stacks/app/main.tf", 7, "sweep.outside")
    assert "manifest.kind would change from ExternalSecret to Store" in finding.message
    assert finding.allowed == "kubernetes_manifest: manifest.apiVersion from */v1beta1 to */v1"
    (finding,) = outside(difference([], [secret("v1")]), NOTHING)
    assert (finding.message, finding.allowed) == ("kubernetes_manifest.app: would be new.", "nothing")


def test_lifecycle_is_held_by_item() -> None:
    row = Allowed("kubernetes_*", IGNORES, before=None, after=LABEL)
    one, both = ("spec[0].replicas",), ("spec[0].replicas", LABEL)
    assert told([resource(ignores=one)], [resource(ignores=both)], row) == []
    assert told([resource()], [resource(ignores=(LABEL,))], row) == []
    assert len(told([resource(ignores=one)], [resource(ignores=(LABEL,))], row)) == 1, "one goes"
    assert len(told([resource(ignores=both)], [resource(ignores=one)], row)) == 1


def test_what_is_ignored_is_held_too() -> None:
    def planned(count: int) -> PlannedResource:
        its = resource(replicas=count)
        return replace(its, site=replace(its.site, ignored=(("replicas",),)))

    assert len(told([planned(1)], [planned(2)])) == 1


def test_brackets_are_part_of_paths_and_values_are_compared_as_text() -> None:
    before, after = (
        resource(spec=({"on": True, "n": 1},)),
        resource(spec=({"on": False, "n": Mark.SENSITIVE},)),
    )
    rows = Allowed("*", "spec[0].on", "true", "false"), Allowed("*", "spec[0].n", "1", "(sensitive)")
    assert told([before], [after], *rows) == []
    assert len(told([before], [after], rows[0], replace(rows[1], attribute="spec0.n"))) == 1


def test_an_unknown_value_that_comes_from_elsewhere_falls_outside() -> None:
    def planned(behind: str) -> PlannedResource:
        its = resource(token=Mark.UNKNOWN)
        return replace(its, site=replace(its.site, behind={("token",): behind}))

    assert told([planned("data.x.y")], [planned("data.x.y")]) == []
    (outside_,) = told([planned("data.x.y")], [planned("data.x.z")])
    assert "from (known after apply) data.x.y to (known after apply) data.x.z" in outside_
    assert told([planned("data.x.y")], [planned("data.x.z")], Allowed("*", "token", "*x.y", "*x.z")) == []


def test_a_resource_comes_or_goes_only_where_a_row_says_so() -> None:
    comes, goes = Allowed("kubernetes_manifest"), Allowed("kubernetes_manifest", comes=False)
    assert told([], [resource()], comes) == told([resource()], [], goes) == []
    assert told([], [resource()], goes) == ["kubernetes_manifest.app: would be new."]
    assert told([resource()], [], comes) == ["kubernetes_manifest.app: would be destroyed."]


EVERYTHING = Contract((Allowed("*"), Allowed("*", comes=False), Allowed("*", "*")))


def test_an_object_that_is_only_forgotten_is_never_allowed() -> None:
    found = difference([resource()], [], Moves(forgotten=frozenset({"kubernetes_manifest.app"})))
    (finding,) = outside(found, EVERYTHING)
    assert finding.message == "kubernetes_manifest.app: would be forgotten."


def test_a_move_is_never_allowed() -> None:
    moves = Moves((("kubernetes_manifest.app", "kubernetes_manifest.other"),))
    found = difference([resource()], [resource("other")], moves)
    (finding,) = outside(found, EVERYTHING)
    assert finding.message == "kubernetes_manifest.other: would move from kubernetes_manifest.app."


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_has_a_contract_just_where_it_has_an_edit(rule: object) -> None:
    from scaffold.checks.rule import Rule

    assert isinstance(rule, Rule)
    assert bool(rule.contract(decisions.house()).rows) is rule.fixes


def test_rows_that_differ_in_what_comes_are_told_together() -> None:
    rows = (*(Allowed("x_*", IGNORES, None, after) for after in ("a", "b", None)), V1, Allowed("y_z"))
    assert str(Contract(rows)) == (
        "x_*: lifecycle.ignore_changes from (not set) to a, b, (not set); "
        "kubernetes_manifest: manifest.apiVersion from */v1beta1 to */v1; y_z comes"
    )
    either = Allowed("r", "a"), Allowed("r", "a", after="z")
    assert str(Contract(either)) == str(Contract(either[::-1])) == "r: a"
