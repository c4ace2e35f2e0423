"""Our schemas of pipeline files, compared with those that check-jsonschema ships.

What is rendered is mutated at every place: keys are added, removed or misspelt, values are changed. Both
schemas have to agree on every mutant. All other keys occur in one example each; what differs there is listed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator

from scaffold.pipelines.documents import parse
from scaffold.pipelines.schema import schema_errors

GOLDEN = Path(__file__).resolve().parents[1] / "golden_service"
THEIRS = {"woodpecker": "vendor.woodpecker-ci", "github": "vendor.github-workflows"}
FILES = {
    "woodpecker": ("**/.woodpecker.yml", "**/.woodpecker/*.yml"),
    "github": ("**/.github/workflows/*.yml",),
}
VALUES: tuple[Any, ...] = (None, True, 7, "text", [], ["text"], {"key": "text"})
At = tuple[str | int, ...]

STEP = {"name": "a", "image": "b"}
JOB = {"runs-on": "ubuntu-latest", "steps": [{"run": "make"}]}
STEPS: list[dict[str, Any]] = [
    {"commands": "make", "environment": {"A": 1}, "depends_on": ["c", {"name": "d", "optional": True}]},
    {"detach": True, "environment": {"A": "b"}, "failure": "cancel", "dns": "a", "dns_search": ["b"]},
    {"entrypoint": ["sh"], "directory": "x", "pull": True, "privileged": False, "volumes": ["a:b"]},
    {
        "settings": {"a": [1]},
        "failure": "fail",
        "when": {"matrix": {"GO": 1}, "path": ["a"], "evaluate": "b"},
    },
    {"when": {"path": {"include": ["a"], "exclude": ["b"], "ignore_message": "x", "on_empty": True}}},
    {
        "when": [
            {"path": "x", "status": "failure", "cron": ["a"], "platform": {"include": ["a"], "exclude": "b"}}
        ]
    },
    {
        "backend_options": {
            "docker": {"user": "1"},
            "kubernetes": {"labels": {"a": "b"}, "annotations": {"a": True}},
        }
    },
    {
        "backend_options": {
            "kubernetes": {"nodeSelector": {"a": "b"}, "affinity": {"a": {}}, "hostUsers": False}
        }
    },
    {
        "backend_options": {
            "kubernetes": {"runtimeClassName": "a", "serviceAccountName": "a", "workspaceVolume": True}
        }
    },
    {"backend_options": {"kubernetes": {"tolerations": [{"key": "a", "operator": "b", "value": "c"}]}}},
    {"backend_options": {"kubernetes": {"tolerations": [{"effect": "d", "tolerationSeconds": 3}]}}},
    {
        "backend_options": {
            "kubernetes": {"securityContext": {"privileged": True, "runAsNonRoot": True, "runAsUser": 1}}
        }
    },
    {
        "backend_options": {
            "kubernetes": {"securityContext": {"allowPrivilegeEscalation": False, "fsGroup": 1}}
        }
    },
    {"backend_options": {"kubernetes": {"securityContext": {"runAsGroup": 1, "fsGroupChangePolicy": "a"}}}},
    {"backend_options": {"kubernetes": {"securityContext": {"capabilities": {"drop": ["ALL"]}}}}},
    {
        "backend_options": {
            "kubernetes": {"securityContext": {"seccompProfile": {"type": "a", "localhostProfile": "b"}}}
        }
    },
    {"backend_options": {"kubernetes": {"securityContext": {"apparmorProfile": {"type": "a"}}}}},
    {"backend_options": {"kubernetes": {"secrets": [{"name": "a", "key": "b", "target": {"env": "C"}}]}}},
    {"backend_options": {"kubernetes": {"secrets": [{"name": "a", "target": {"file": "c"}}]}}},
]
WORKFLOWS: list[dict[str, Any]] = [
    {
        "services": [
            {**STEP, "ports": [80, "81/udp"], "environment": {"A": 1}, "commands": ["a"], "pull": True}
        ]
    },
    {
        "services": {
            "a": {"image": "b", "settings": {}, "when": {"ref": "a"}, "failure": "ignore", "privileged": True}
        }
    },
    {
        "services": {
            "a": {"image": "b", "directory": "a", "volumes": ["a"], "entrypoint": "b", "backend_options": {}}
        }
    },
    {
        "clone": [{**STEP, "settings": {"depth": 1}}],
        "workspace": {"base": "/a", "path": "b"},
        "labels": {"a": 1},
    },
    {
        "clone": {
            "git": {"settings": {"depth": 1, "recursive": True, "lfs": False, "tags": True, "partial": False}}
        }
    },
    {"matrix": {"GO": [1, "2"], "include": [{"a": 1}]}, "depends_on": ["a"], "runs_on": ["success"]},
    {
        "variables": [1],
        "skip_clone": True,
        "$schema": "https://a.test",
        "concurrency": {"limit": 1, "group": "a"},
    },
    {
        "when": {"event": "tag", "branch": "a", "repo": ["a"], "instance": "b", "status": ["success"]},
        "concurrency": 2,
    },
    {"steps": {"a": {"image": "b"}}, "depends_on": "a"},
]
JOBS: list[dict[str, Any]] = [
    {
        "environment": {"name": "a", "url": "b", "deployment": True},
        "outputs": {"a": "b"},
        "continue-on-error": True,
    },
    {
        "container": {
            "image": "a",
            "credentials": {"username": "a", "password": "b"},
            "ports": [80],
            "options": "b",
        }
    },
    {"services": {"a": {"image": "b", "env": {"A": 1}, "command": "c", "entrypoint": "d", "volumes": ["a"]}}},
    {"strategy": {"matrix": {"a": [1], "include": [{"a": 1}]}, "fail-fast": False, "max-parallel": 2}},
    {
        "permissions": {"id-token": "write", "models": "read"},
        "snapshot": {"image-name": "a"},
        "cache-mode": "none",
    },
    {"steps": [{"uses": "a@v1", "with": {"a": True}, "timeout-minutes": 5, "continue-on-error": "${{ x }}"}]},
    {
        "steps": [
            {"run": "a", "shell": "bash", "working-directory": "b", "id": "c", "if": True, "background": True}
        ]
    },
    {"steps": [{"wait": ["a"]}, {"wait-all": None}, {"cancel": "a"}, {"parallel": [{"run": "a"}]}]},
    {"runs-on": ["self-hosted"], "needs": "a", "environment": "x", "container": "y", "concurrency": "z"},
    {
        "runs-on": {"group": "a", "labels": ["b"]},
        "strategy": {"matrix": "${{ x }}"},
        "defaults": {"run": {"shell": "sh"}},
    },
]
CALL = {"uses": "a/b/.github/workflows/c.yml@v1", "with": {"a": 1}, "secrets": "inherit", "needs": ["a"]}
ACTIONS: list[dict[str, Any]] = [
    {
        "on": {
            "pull_request": {"types": ["opened"], "paths": ["a"], "branches-ignore": ["b"]},
            "merge_group": None,
        }
    },
    {
        "on": {
            "push": {"tags": ["v*"], "paths-ignore": ["a"]},
            "schedule": [{"cron": "0 0 * * *", "timezone": "UTC"}],
        }
    },
    {"on": {"workflow_dispatch": {"inputs": {"a": {"type": "choice", "options": ["b"], "required": True}}}}},
    {"on": {"workflow_call": {"inputs": {"a": {"type": "string", "default": "b", "required": False}}}}},
    {
        "on": {
            "workflow_call": {
                "outputs": {"a": {"value": "b", "description": "c"}},
                "secrets": {"a": {"required": True}},
            }
        }
    },
    {
        "on": {
            "workflow_run": {"workflows": ["a"], "types": ["completed"]},
            "release": {"types": ["published"]},
        }
    },
    {
        "on": ["push", "pull_request"],
        "run-name": "a",
        "permissions": "read-all",
        "cache-mode": "read",
        "env": {"A": 1},
    },
    {"on": "push", "concurrency": {"group": "a", "cancel-in-progress": True, "queue": "single"}},
    {"on": "push", "defaults": {"run": {"shell": "bash", "working-directory": "a"}}},
    {"on": "push", "jobs": {"a": {**CALL, "strategy": {"matrix": {"a": [1]}}}}},
]
OTHERS: dict[str, list[Any]] = {
    "woodpecker": [*({"steps": [{**STEP, **step}]} for step in STEPS), *({"steps": [STEP], **one} for one in WORKFLOWS)],
    "github": [*({"on": "push", "jobs": {"a": {**JOB, **job}}} for job in JOBS), *({"jobs": {"a": JOB}, **one} for one in ACTIONS)],
}  # fmt: skip

# GitHub takes a secret without a word about it, and null in a matrix.
ONLY_THEIRS = {
    "woodpecker": [],
    "github": [
        "jobs/a/strategy/matrix/a/0: null",
        "jobs/a/strategy/matrix/include/0/a: null",
        "on/workflow_call/secrets/a: null",
    ],
}
# Theirs has what belongs there beside a $ref, where draft 7 does not look.
ONLY_OURS: dict[str, tuple[str, ...]] = {
    "woodpecker": (),
    "github": (
        "on/pull_request/types",
        "on/release/types",
        "on/workflow_dispatch",
        "on/workflow_run/types",
        "on/workflow_run/workflows",
    ),
}


def documents(kind: str) -> list[Any]:
    paths = [path for pattern in FILES[kind] for path in sorted(GOLDEN.glob(pattern))]
    return [parse(path.read_text()).value for path in paths]


@cache
def their_validator(kind: str) -> Draft7Validator:
    return Draft7Validator(get_builtin_schema(THEIRS[kind]))


def places(value: Any, at: At = ()) -> Iterator[At]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def mutants(document: Any) -> Iterator[tuple[At, str, Any]]:
    for at in places(document):
        value = reached(document, at)
        if isinstance(value, dict):
            yield at, "+ key", replaced(document, at, {**value, "unheard_of": "text"})
        if at and isinstance(at[-1], str):
            beside = reached(document, at[:-1])
            fewer = {key: inner for key, inner in beside.items() if key != at[-1]}
            yield at, "removed", replaced(document, at[:-1], fewer)
            yield at, "misspelt", replaced(document, at[:-1], {**fewer, f"{at[-1]}s": value})
        for other in VALUES:
            yield at, json.dumps(other), replaced(document, at, other)


def shape_of(document: Any, at: At) -> tuple[object, ...]:
    """A place without its numbers, with the keys beside it."""
    beside = reached(document, at[:-1])
    keys = tuple(sorted(beside)) if isinstance(beside, dict) else ()
    return (*("*" if isinstance(key, int) else key for key in at), keys)


def reached(document: Any, at: At) -> Any:
    return reduce(getitem, at, document)


def replaced(document: Any, at: At, value: Any) -> Any:
    if not at:
        return value
    made = copy.copy(document)
    made[at[0]] = replaced(document[at[0]], at[1:], value)
    return made


def judged(kind: str, found: list[Any]) -> tuple[int, list[str], list[str]]:
    """How many mutants there were, those that only theirs refuses, and those that only ours refuses."""
    seen = set()
    only_theirs: list[str] = []
    only_ours: list[str] = []
    for document in found:
        for at, how, mutant in mutants(document):
            shape = (shape_of(document, at), how)
            if shape in seen:
                continue
            seen.add(shape)
            ours, theirs = not schema_errors(kind, mutant), their_validator(kind).is_valid(mutant)
            if ours != theirs:
                (only_theirs if ours else only_ours).append(f"{'/'.join(map(str, at))}: {how}")
    return len(seen), only_theirs, only_ours


@pytest.mark.parametrize("kind", THEIRS)
def test_of_what_is_rendered_and_of_its_mutants_both_say_the_same(kind: str) -> None:
    found = documents(kind)
    assert len(found) >= 5 and not any(schema_errors(kind, document) for document in found)
    tried, only_theirs, only_ours = judged(kind, found)
    assert tried > 500 and only_theirs == []
    assert [one for one in only_ours if not one.startswith(ONLY_OURS[kind])] == []


@pytest.mark.slow("judges a thousand mutants twice")
@pytest.mark.parametrize("kind", THEIRS)
def test_of_the_other_keys_only_what_is_listed_differs(kind: str) -> None:
    assert [schema_errors(kind, document) for document in OTHERS[kind]] == [[] for _ in OTHERS[kind]]
    tried, only_theirs, only_ours = judged(kind, OTHERS[kind])
    assert tried > 500
    assert only_theirs == ONLY_THEIRS[kind]
    assert [one for one in only_ours if not one.startswith(ONLY_OURS[kind])] == []
    assert all(any(one.startswith(listed) for one in only_ours) for listed in ONLY_OURS[kind])


@pytest.mark.parametrize(
    "kind,document,at,message",
    [
        ("woodpecker", {"steps": [{**STEP, "commands": ["a"], "settings": {"b": 1}}]}, ("steps", 0, "commands"), "commands is not allowed here."),
        ("woodpecker", {"steps": [{**STEP, "when": [{"event": "pushed"}]}]}, ("steps", 0, "when", 0, "event"), "event has to be one of push, pull_request"),
        ("woodpecker", {"steps": [{**STEP, "image": 1}]}, ("steps", 0, "image"), "image has to be text."),
        ("woodpecker", {"steps": [{**STEP, "comands": ["a"]}]}, ("steps", 0), "There is no key comands here"),
        ("github", {"on": "push", "jobs": {"a": {**JOB, "steps": [{"name": "b"}]}}}, ("jobs", "a", "steps", 0), "is a required property."),
        ("github", {"on": "push", "jobs": {"a": {**JOB, "runs_on": "b"}}}, ("jobs", "a"), "There is no key runs_on here"),
    ],
)  # fmt: skip
def test_the_complaint_names_the_place_and_the_cause(kind: str, document: Any, at: At, message: str) -> None:
    ((where, said),) = schema_errors(kind, document)
    assert where == at and message in said
