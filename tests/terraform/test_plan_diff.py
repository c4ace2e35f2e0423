"""The difference between two plans."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scaffold.terraform.diff import difference
from scaffold.terraform.planned import Mark, Path, Placeholder, PlannedResource, Site, Tree
from scaffold.terraform.result import Moves


def resource(address: str, values: dict[str, Tree]) -> PlannedResource:
    return PlannedResource(address, "x_thing", address, "", None, values)


def changes(before: dict[str, Tree], after: dict[str, Tree]) -> list[tuple[str, object, object]]:
    found = difference([resource("a", before)], [resource("a", after)])
    return [(c.path, c.before, c.after) for r in found.changed for c in r.changes]


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(Mark),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
VALUES = st.dictionaries(st.text(min_size=1, max_size=3), TREES, max_size=4)


@given(VALUES)
def test_a_plan_does_not_differ_from_itself(values: dict[str, Tree]) -> None:
    assert not difference([resource("a", values)], [resource("a", values)])


@given(VALUES, VALUES)
def test_backwards_is_the_same_turned_round(before: dict[str, Tree], after: dict[str, Tree]) -> None:
    there, back = changes(before, after), changes(after, before)
    assert sorted(map(repr, there)) == sorted(repr((path, b, a)) for path, a, b in back)


def test_added_and_removed_resources() -> None:
    found = difference([resource("b", {}), resource("a", {})], [resource("b", {}), resource("c", {})])
    assert [r.address for r in found.added] == ["c"] and [r.address for r in found.removed] == ["a"]
    assert found.changed == () and found
    assert found.to_json()["added"] == [{"address": "c", "type": "x_thing"}]


def test_attributes_that_changed() -> None:
    before: dict[str, Tree] = {"n": 1, "same": "x", "gone": True, "labels": {"a": "1"}, "ports": (1, 2)}
    after: dict[str, Tree] = {"n": 2, "same": "x", "labels": {"a": "1", "b/c": "2"}, "ports": (1, 3, 4)}
    assert sorted(changes(before, after), key=lambda change: change[0]) == [
        ("gone", True, None),
        ('labels["b/c"]', None, "2"),
        ("n", 1, 2),
        ("ports[1]", 2, 3),
        ("ports[2]", None, 4),
    ]


def test_types_are_told_apart() -> None:
    assert changes({"a": True}, {"a": 1}) == [("a", True, 1)]
    assert changes({"a": "x"}, {"a": Placeholder("x")}) == [("a", "x", Placeholder("x"))]
    assert changes({"a": Mark.UNKNOWN}, {"a": "x"}) == [("a", Mark.UNKNOWN, "x")]
    assert changes({"a": Mark.UNKNOWN}, {"a": Mark.UNKNOWN}) == []


def test_unknown_values_are_the_same_where_the_expressions_behind_them_are() -> None:
    def planned(mark: Mark, behind: str) -> PlannedResource:
        one = resource("a", {"env": ({"name": "A", "value": mark},)})
        return replace(one, site=replace(one.site, behind={("env", 0, "value"): behind} if behind else {}))

    def told(before: tuple[Mark, str], after: tuple[Mark, str]) -> list[str]:
        found = difference([planned(*before)], [planned(*after)])
        return [f"{c.before} {c.after}" for r in found.changed for c in r.changes]

    for mark in (Mark.UNKNOWN, Mark.SENSITIVE):
        assert told((mark, "data.x"), (mark, "data.x")) == []
        assert told((mark, "data.x"), (mark, "")) == [], "nothing is known of one"
    assert told((Mark.UNKNOWN, "data.x"), (Mark.UNKNOWN, "data.y")) == [
        "(known after apply) data.x (known after apply) data.y"
    ]
    (secret,) = told((Mark.SENSITIVE, "data.x"), (Mark.SENSITIVE, "data.y"))
    assert "data." not in secret
    (mixed,) = told((Mark.UNKNOWN, "data.x"), (Mark.SENSITIVE, "data.x"))
    assert mixed.startswith("(known after apply) data.x (sensitive) ")


def env(*pairs: tuple[str, str]) -> Tree:
    return tuple({"name": name, "value": value} for name, value in pairs)


def test_elements_with_names_are_compared_by_name() -> None:
    before, after = env(("A", "1"), ("B", "2")), env(("A", "1"), ("NEW", "x"), ("B", "3"))
    assert changes({"env": before}, {"env": after}) == [
        ("env.B.value", "2", "3"),
        ("env.NEW.name", None, "NEW"),
        ("env.NEW.value", None, "x"),
    ]


def test_what_comes_and_goes_in_a_list_moves_nothing_else() -> None:
    def env(*pairs: str) -> dict[str, Tree]:
        return {"env": tuple({"name": pair[0], "value": pair[1]} for pair in pairs)}

    # A name that stands there twice is no name.
    gone = changes(env("ab", "xy", "xz", "cd", "ef"), env("ab", "xz", "cd", "ef"))
    assert gone == [("env[1].name", "x", None), ("env[1].value", "y", None)]
    assert changes({"args": ("a", "b", "c")}, {"args": ("a", "new", "b", "c")}) == [("args[1]", None, "new")]
    assert changes({"args": ("a", "a")}, {"args": ("a",)}) == [("args[1]", "a", None)]


def test_keys_of_an_external_secret_are_names() -> None:
    def data(*keys: str) -> dict[str, Tree]:
        return {"data": tuple({"secretKey": key, "remoteRef": {"key": "app"}} for key in keys)}

    found = changes(data("A", "B", "D"), data("A", "NEW", "B", "C", "D"))
    assert {path.split(".")[1] for path, before, _ in found if before is None} == {"NEW", "C"}
    assert len(found) == 4


def test_another_order_is_a_change() -> None:
    assert changes({"env": env(("A", "1"), ("B", "2"))}, {"env": env(("B", "2"), ("A", "1"))}) != []


def test_an_empty_block_that_appears_is_a_change() -> None:
    assert changes(
        {"volume": ({"name": "x", "empty_dir": ()},)}, {"volume": ({"name": "x", "empty_dir": ({},)},)}
    ) == [("volume[0].empty_dir[0]", None, Mark.EMPTY)]


def ignoring(before: dict[str, Tree], after: dict[str, Tree], *paths: Path) -> tuple[list[str], list[str]]:
    """The paths that are applied, and those that are not."""
    new = replace(resource("a", after), site=Site("main.tf", 1, ignored=paths))
    found = difference([resource("a", before)], [new]).changed
    return [c.path for r in found for c in r.changes], [c.path for r in found for c in r.ignored]


def test_what_is_ignored_is_not_applied() -> None:
    before: dict[str, Tree] = {"spec": ({"image": "a", "port": 1},), "labels": {"x": "1"}}
    after: dict[str, Tree] = {"spec": ({"image": "b", "port": 2},), "labels": {"x": "2", "y": "3"}}
    assert ignoring(before, after, ("spec", 0, "image")) == (
        ["spec[0].port", "labels.x", "labels.y"], ["spec[0].image"],
    )  # fmt: skip
    assert ignoring(before, after, ("labels", "y"), ("labels", "z"), ("spec", 1), ("nothing", "here")) == (
        ["spec[0].image", "spec[0].port", "labels.x"], ["labels.y"],
    )  # fmt: skip
    assert ignoring(before, after, ())[0] == []


def test_a_key_that_one_side_has_is_kept_or_left_out() -> None:
    assert ignoring({}, {"labels": {"x": "1"}}, ("labels", "x"))[1] == ["labels.x"]
    assert ignoring({"labels": {"x": "1"}}, {}, ("labels", "x")) == ([], ["labels.x"])


def test_of_named_elements_the_one_at_the_index_is_ignored() -> None:
    before, after = env(("A", "1"), ("B", "2")), env(("A", "3"), ("B", "4"))
    assert ignoring({"env": before}, {"env": after}, ("env", 0)) == (["env.B.value"], ["env.A.value"])


def test_what_was_moved_is_the_same_and_what_is_given_up_is_not_destroyed() -> None:
    moves = Moves((("a", "b"), ("module.x", "module.y")), frozenset({"c"}))
    before = [resource("a", {"n": 1}), resource("module.x.d[0]", {}), resource("c", {}), resource("e", {})]
    after = [resource("b", {"n": 2}), resource("module.y.d[0]", {})]
    found = difference(before, after, moves)
    assert [(r.before.address, r.address) for r in found.changed] == [
        ("a", "b"),
        ("module.x.d[0]", "module.y.d[0]"),
    ]
    assert [r.address for r in found.removed] == ["e"] and [r.address for r in found.forgotten] == ["c"]
    assert not found.added


def test_an_address_that_stays_was_not_moved() -> None:
    """A block that says a move of long ago, or of what this stack never had."""
    moves = Moves((("a", "b"), ("a2", "b2")))
    assert not difference(
        [resource("b", {}), resource("a2", {})], [resource("b", {}), resource("a2", {})], moves
    )
