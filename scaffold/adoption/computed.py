"""Variables whose value Terraform computes: a Secret beside what is rendered holds what no answer says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scaffold.adoption.likeness import Compared, Missing, attributes
from scaffold.adoption.reading import text
from scaffold.adoption.standing import Standing
from scaffold.adoption.written import Written
from scaffold.hcl.syntax import Document, parse
from scaffold.reading import walked
from scaffold.templates.questions import Value
from scaffold.terraform import kubernetes as k8s
from scaffold.terraform.planned import PlannedResource, Tree, get

_SUFFIX = "-computed"
_BLOCK = """\
# What the pods read as environment variables, and Terraform computes.
resource "kubernetes_secret" "computed" {{
  metadata {{
    name      = "{name}"
    namespace = {namespace}
  }}
  data = {{
{entries}
  }}
}}
"""


def answer(stack: Standing, row: Tree) -> Value | None:
    """A variable as the answer ``env`` has it; None where the text of the stack does not show its value."""
    name = text(row, "name")
    written = get(row, "value_from", 0) is None and stack.written.computed(name)
    return {"secret": f"{stack.called}{_SUFFIX}", "key": name} if written else None


def read_from_secret(compared: Compared, missing: Missing) -> bool:
    """Whether an attribute is the value of a variable that comes from that Secret now."""
    head, dot, last = missing.path.rpartition(".")
    if compared.counterpart is None or last != "value" or not head.endswith("]"):
        return False
    return (
        attributes(compared.counterpart)
        .get(f"{head}{dot}value_from[0].secret_key_ref[0].name", "")
        .endswith(_SUFFIX)
    )


def block(
    stack: str,
    documents: Sequence[Document],
    values: Mapping[str, Value],
    before: Sequence[PlannedResource],
    rendered: Sequence[Document],
) -> Document | None:
    """The Secret that holds what answers read from it; None where they read nothing."""
    secret = f"{stack.replace('_', '-')}{_SUFFIX}"
    keys = sorted(set(_keys(values, secret)))
    if not keys:
        return None
    pods = next(k8s.pod_templates(before))
    made_here = (block for document in rendered for block in document.body.blocks_of("resource"))
    spaces = (block.address for block in made_here if block.labels[0].startswith("kubernetes_namespace"))
    made = next((f"{address}.metadata[0].name" for address in spaces), "")
    written, width = Written(tuple(documents)), max(map(len, keys))
    entries = "\n".join(f"    {key:<{width}} = {written.computed(key)}" for key in keys)
    namespace = made or f'"{text(k8s.namespace(pods.owner))}"'
    source = _BLOCK.format(name=secret, namespace=namespace, entries=entries)
    return parse(source.encode())


def _keys(values: Value, secret: str) -> Iterator[str]:
    """The keys that anything in the answers reads of a Secret."""
    items = (value for _, value in walked(values) if isinstance(value, Mapping))
    return (str(item["key"]) for item in items if item.get("secret") == secret)
