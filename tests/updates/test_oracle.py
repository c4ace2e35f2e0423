from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scaffold.terraform.planned import Mark, PlannedResource, Site, Tree
from scaffold.terraform.result import Moves, PlanResult
from scaffold.terraform.tool import Tool
from scaffold.updates.oracle import Loss, Wrong, losses

APP = "kubernetes_deployment.app"
OTHER = "kubernetes_service.app"


def app(
    address: str = APP, meta: Mapping[str, tuple[str, ...]] | None = None, **values: Tree
) -> PlannedResource:
    type_, _, name = address.partition(".")
    return PlannedResource(address, type_, name, "", None, values, site=Site("main.tf", 1, meta=meta or {}))


def plan(*resources: PlannedResource, moved: tuple[tuple[str, str], ...] = ()) -> PlanResult:
    return PlanResult("app", Tool("terraform", "terraform"), resources, moves=Moves(moved))


OLD, NEW = plan(app(memory="1", replicas=1)), plan(app(memory="2", replicas=1))


def test_an_edit_that_is_kept_and_a_rule_that_arrives() -> None:
    before, after = plan(app(memory="1", replicas=2)), plan(app(memory="2", replicas=2))
    assert losses(OLD, NEW, before, after) == ()


def test_an_edit_that_is_lost() -> None:
    before, after = plan(app(memory="1", replicas=2)), plan(app(memory="2", replicas=1))
    assert losses(OLD, NEW, before, after) == (
        Loss(Wrong.EDIT, APP, "replicas", "1"), Loss(Wrong.EDIT, APP, "replicas", "2"),
    )  # fmt: skip


def test_a_rule_that_did_not_arrive() -> None:
    before = plan(app(memory="1", replicas=2))
    assert {loss.wrong for loss in losses(OLD, NEW, before, before)} == {Wrong.RULE}
    assert losses(OLD, NEW, plan(app(memory="2", replicas=1)), plan(app(memory="2", replicas=1))) == ()


def test_a_resource_that_a_person_took_out_misses_nothing_and_one_that_they_made_is_kept() -> None:
    assert losses(OLD, NEW, plan(), plan()) == ()
    assert losses(OLD, OLD, plan(app(OTHER), app(memory="1", replicas=1)), OLD)[0] == Loss(
        Wrong.EDIT, OTHER, "", ""
    )


def test_a_new_resource_has_to_be_there() -> None:
    found = losses(OLD, plan(app(OTHER), *OLD.resources), OLD, OLD)
    assert found == (Loss(Wrong.RULE, OTHER, "", ""),)


def test_elements_are_known_by_their_names_and_others_by_what_they_say() -> None:
    def env(*names: str) -> PlanResult:
        return plan(app(env=tuple({"name": name, "value": name} for name in names), args=names))

    assert losses(env("a"), env("a", "b"), env("own", "a"), env("own", "a", "b")) == ()
    lost = losses(env("a"), env("a", "b"), env("own", "a"), env("a", "b"))
    assert {(loss.wrong, loss.path) for loss in lost} == {
        (Wrong.EDIT, "args[]"), (Wrong.EDIT, "env[own].name"), (Wrong.EDIT, "env[own].value"),
    }  # fmt: skip


def test_texts_are_compared_in_the_parts_in_which_people_edit_them() -> None:
    def middlewares(text: str) -> PlanResult:
        return plan(app(text=text))

    assert losses(*map(middlewares, ("a,b", "a,b,c", "own,a,b", "own,a,b,c"))) == ()
    assert losses(*map(middlewares, ("a\nb", "a\nc", "a\nb\nown", "a\nc\nown"))) == ()
    assert len(losses(*map(middlewares, ("a,b", "a,b,c", "own,a,b", "a,b,c")))) == 1


def test_the_same_element_twice_is_two() -> None:
    def rows(*values: str) -> PlanResult:
        return plan(app(rows=tuple({"effect": value} for value in values)))

    assert losses(rows("x"), rows("x"), rows("x", "x"), rows("x"))


def test_lifecycle_order_and_moves_are_compared_too() -> None:
    def with_meta(*items: str) -> PlanResult:
        return plan(app(meta={"lifecycle.ignore_changes": items}))

    assert (
        losses(with_meta("a"), with_meta("a", "b"), with_meta("a", "own"), with_meta("a", "b", "own")) == ()
    )
    assert [loss.wrong for loss in losses(*map(with_meta, "aaba"))] == [Wrong.EDIT, Wrong.EDIT]
    moved = replace(OLD, moves=Moves(((OTHER, APP),)))
    assert losses(OLD, moved, OLD, OLD) == (Loss(Wrong.RULE, "moved", OTHER, APP),)


def test_an_edit_of_a_resource_that_the_template_renames_goes_along() -> None:
    renamed = plan(app(OTHER, memory="1", replicas=1), moved=((APP, OTHER),))
    after = plan(app(OTHER, memory="1", replicas=2), moved=((APP, OTHER),))
    assert losses(OLD, renamed, plan(app(memory="1", replicas=2)), after) == ()
    assert losses(OLD, renamed, plan(app(memory="1", replicas=2)), renamed)


def test_what_is_unknown_is_the_same_wherever_it_is() -> None:
    unknown = plan(app(memory=Mark.UNKNOWN))
    assert losses(unknown, unknown, unknown, unknown) == ()
    assert losses(unknown, OLD, unknown, unknown)


def test_what_the_template_takes_out_has_to_be_gone() -> None:
    less = plan(app(memory="1"))
    assert losses(OLD, less, OLD, OLD) == (Loss(Wrong.RULE, APP, "replicas", "1"),)
    assert losses(OLD, less, OLD, less) == ()
