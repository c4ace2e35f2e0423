"""What holds for any list, and for any Services in any order."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import examples

from scaffold import demo
from scaffold.indexes import all_indexes
from scaffold.indexes.base import Index
from scaffold.indexes.catalog import hosts_under
from scaffold.indexes.entry import (
    BuildModel,
    Database,
    Engine,
    Host,
    Monitor,
    OwnImage,
    Protection,
    PublicPath,
    ServiceEntry,
    UpstreamImage,
)
from scaffold.indexes.hcl_text import list_at, local
from scaffold.indexes.json_text import JsonObject, written
from scaffold.indexes.labelled import Labelled

names = st.from_regex(r"new-[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,9})?", fullmatch=True)
descriptions = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=30)
reasons = st.text(st.characters(categories=["L", "N"], include_characters=" .,'"), max_size=40)


@st.composite
def services(draw: st.DrawFn) -> ServiceEntry:
    """A Service with any part of what the indexes know."""
    name = draw(names)
    user = name.replace("-", "_")
    engine = draw(st.sampled_from(Engine))
    model = draw(st.sampled_from(BuildModel))

    def maybe(value: Any) -> Any:
        return draw(st.sampled_from([value, None]))

    database = maybe(Database(engine, f"{engine.value}-{name}", user, user))
    public = maybe(
        PublicPath(f"{name}-hook", ("/hook", "/x, y"), f"https://{name}.example.test/hook", draw(reasons))
    )
    dns_type = draw(st.sampled_from(["proxied", "non-proxied", "none"]))
    return ServiceEntry(
        name=name,
        stack=name,
        description=draw(descriptions),
        section=draw(st.sampled_from(["Optional", "Admin", "Active Use"])),
        hosts=(Host(name, dns_type),),
        databases=(database,) if database else (),
        public_paths=(public,) if public else (),
        anubis=draw(st.booleans()),
        own_image=maybe(OwnImage(name, model, draw(st.integers(1, 999)))),
        pull_namespace=draw(st.sampled_from(["", name])),
        upstream_images=(UpstreamImage(f"ghcr.io/a/{name}", f"a/{name}"),) if draw(st.booleans()) else (),
        protection=maybe(Protection(draw(st.sampled_from(["NFS", "proxmox-lvm-encrypted"])), "daily")),
        monitor=maybe(Monitor(f"{name}.svc", 80)),
    )


@cache
def sample_texts() -> dict[str, bytes]:
    with TemporaryDirectory() as directory:
        root = Path(directory) / "monorepo"
        demo.write(root)
        texts = {i.name: (root / i.path).read_bytes() for i in all_indexes() if (root / i.path).exists()}
    return {**texts, "ghcr-namespaces": b'locals {\n  ghcr_private_namespaces = ["seed-log"]\n}\n'}


def put(text: bytes, index: Index[Any], entry: ServiceEntry) -> bytes:
    after = index.insert(text, entry)
    assert isinstance(after, bytes), after
    return after


@pytest.mark.parametrize("index", all_indexes(), ids=lambda index: index.name)
@given(data=st.data())
@examples(4)
def test_any_services_in_any_order(index: Index[Any], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(services(), min_size=1, max_size=5, unique_by=lambda s: s.name))
    text = other = before = sample_texts()[index.name]
    states = []
    for entry in chosen:
        states.append(text)
        text = put(text, index, entry)
    for entry in data.draw(st.permutations(chosen)):
        other = put(other, index, entry)
    wanted = {key for entry in chosen for key in index.keys(entry)}
    entries, old = index.entries(text), index.entries(before)
    assert isinstance(old, frozenset)
    assert entries == index.entries(other) == old | wanted
    for entry, state in zip(reversed(chosen), reversed(states), strict=True):
        text = index.remove(text, entry)
        assert text == state, "the inverse, byte for byte"
    for entry in chosen:
        other = index.remove(other, entry)
    assert index.entries(other) == old, "and in any other order, the same entries as before"


words = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True)
gaps = st.sampled_from([", ", ",", ",  ", ",\n"])


@st.composite
def wrapped(draw: st.DrawFn) -> str:
    """Words with commas between, wrapped anywhere."""
    items = draw(st.lists(words, min_size=1, max_size=12, unique=True))
    return "".join(item + draw(gaps) for item in items[:-1]) + items[-1]


@given(wrapped(), words.map("new-{}".format))
def test_wrapped_hosts(hosts: str, new: str) -> None:
    text = f"## Hosts\n```\n{hosts}\n```\nafter\n"
    opened = hosts_under("Hosts")(text)
    after = opened.append(new)
    again = hosts_under("Hosts")(after)
    assert again.keys == (*opened.keys, new)
    assert again.without(len(again.keys) - 1) == text
    widest = max(map(len, text.split("\n")))
    assert max(map(len, after.split("\n"))) <= max(64, widest) + len(","), "it may end an old line"
    for number, key in enumerate(opened.keys):
        rest = hosts_under("Hosts")(opened.without(number))
        assert rest.keys == tuple(k for k in opened.keys if k != key)


remarks = st.sampled_from(["", " (a remark, with. a stop)", " (`code, too`)", "=7"])


@given(
    st.lists(st.tuples(words, remarks), min_size=1, max_size=8, unique_by=lambda i: i[0]),
    words.map("new-{}".format),
)
def test_lists_in_a_sentence(items: list[tuple[str, str]], new: str) -> None:
    place = Labelled(("Rule",), marker="Active on")
    listed = ", ".join(word + remark for word, remark in items)
    text = f"- **Rule** (of, some. kind): never. Active on: {listed}. See `there, too`.\n- other\n"
    opened = place(text)
    assert len(opened.keys) == len(items)
    after = opened.append(new)
    assert after == text.replace(f"{listed}. See", f"{listed}, {new}. See")
    again = place(str(after))
    assert again.keys == (*opened.keys, new)
    assert again.without(len(items)) == text


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.text(max_size=6), values, max_size=5),
    st.sampled_from([None, 0, 2, "\t"]),
    st.booleans(),
    values,
    st.data(),
)
@examples(100)
def test_json_keeps_everything_else(
    members: dict[str, Any], indent: Any, ascii_only: bool, value: Any, data: st.DataObject
) -> None:
    document = {"before": 1, "object": members, "after": [{}]}
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    opened = JsonObject.read(text, "object")
    assert opened is not None
    after_member = data.draw(st.sampled_from([None, *opened.members]))
    key = data.draw(st.text(max_size=6).filter(lambda key: key not in members))
    after = opened.insert(key, written(value, spaced=True), after_member)
    assert json.loads(after) == {**document, "object": {**members, key: value}}
    again = JsonObject.read(after, "object")
    assert again is not None
    assert again.without([m.key for m in again.members].index(key)) == text
    for number, member in enumerate(opened.members):
        rest = {k: v for k, v in members.items() if k != member.key}
        assert json.loads(opened.without(number)) == {**document, "object": rest}


comments = st.sampled_from(["", " # a remark, with a comma", " // another"])
own_lines = st.sampled_from(["", "    # about the next one\n", "\n", "    # one, two\n    # three\n"])


@st.composite
def hcl_lists(draw: st.DrawFn) -> str:
    """A list of strings in any layout that `terraform fmt` leaves as it is, with comments."""
    items = draw(st.lists(words, max_size=6, unique=True))
    quoted = [f'"{item}"' for item in items]
    if draw(st.booleans()):
        return "[" + ", ".join(quoted) + "]"
    lines: list[str] = []
    # With several strings in a line, nobody can say which of them a comment is about.
    widest = draw(st.integers(1, 3))
    above = own_lines if widest == 1 else st.just("")
    while quoted:
        count = draw(st.integers(1, widest))
        trailing = draw(st.booleans())
        comma = "," if quoted[count:] or trailing else ""
        # On one line only: comments of neighbours would have to stand in one column.
        comment = "" if lines or widest > 1 else draw(comments)
        lines.append(f"{draw(above)}    {', '.join(quoted[:count])}{comma}{comment}\n")
        quoted = quoted[count:]
    end = draw(st.sampled_from(["", "    # NOTE: the end\n"])) if lines else ""
    return "[\n" + "".join(lines) + end + "  ]"


@given(
    hcl_lists(),
    words.map("new-{}".format),
    st.sampled_from(["", "why it is here"]),
    st.sampled_from(["\n", "\r\n"]),
)
@examples(120)
def test_hcl_lists(listed: str, new: str, comment: str, newline: str) -> None:
    place = list_at("the list", local("names"))
    text = f'locals {{\n  before = "x"\n\n  names = {listed}\n\n  after = 1\n}}\n'.replace("\n", newline)
    opened = place(text)
    after = opened.append((new, comment))
    again = place(after)
    assert tuple(again.keys) == (*opened.keys, new)
    assert again.without(len(opened.keys)) == text
    assert [c.text for c in again.doc.comments if c.text != comment] == [c.text for c in opened.doc.comments]
    for number, key in enumerate(opened.keys):
        shorter = opened.without(number)
        rest = place(shorter)
        assert tuple(rest.keys) == tuple(k for k in opened.keys if k != key)
        start, end = text.index("["), text.rindex("]")
        assert shorter.startswith(text[: start + 1])
        assert shorter.endswith(text[end:])
